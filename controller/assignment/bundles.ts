/**
 * Who has to run what: the bundle of every node, and which of them an accepted change concerns. Pure: compiling is
 * proto/rules', hashing is passed in.
 */
import { Bundle } from '../../proto/gen/baton/v1/bundle.js';
import type { Resource } from '../../proto/gen/baton/v1/resources.js';
import type { Inventory } from '../inventory/inventory.js';

/** One node's bundle, encoded. Equal content has an equal hash in any generation. */
export interface EncodedBundle {
  readonly node: string;
  /** Lower-case hexadecimal SHA-256 of the content. */
  readonly hash: string;
  readonly content: Uint8Array;
}

export interface Compiler {
  /** proto/rules compileBundle: the whole inventory (or all of it that matters) for one node. */
  readonly compile: (resources: readonly Resource[], node: string) => Bundle;
  readonly hash: (content: Uint8Array) => string;
}

/**
 * The bundle of every enrolled node. A node that no router and no host network names has one too, an empty one: it takes away what the
 * node ran before. The work per node grows with its own routers and host networks, not with everybody's.
 */
export function compileAll(inventory: Inventory, compiler: Compiler): EncodedBundle[] {
  const shared: Resource[] = [];
  const nodes: string[] = [];
  const ownOf = new Map<string, Resource[]>();
  const add = (node: string, resource: Resource): void => {
    const own = ownOf.get(node);
    if (own === undefined) ownOf.set(node, [resource]);
    else own.push(resource);
  };
  for (const resource of inventory.values()) {
    if (resource.spec?.$case === 'virtualRouter') {
      for (const node of new Set(resource.spec.value.members.map((member) => member.node))) add(node, resource);
    } else if (resource.spec?.$case === 'hostNetwork') {
      for (const node of new Set(resource.spec.value.nodes)) add(node, resource);
    } else if (resource.spec?.$case === 'node') {
      nodes.push(resource.metadata?.name ?? '');
    } else {
      shared.push(resource);
    }
  }
  return nodes.sort().map((node) => {
    const bundle = compiler.compile([...shared, ...(ownOf.get(node) ?? [])], node);
    const content = Bundle.encode(bundle).finish();
    return { node, hash: compiler.hash(content), content };
  });
}

/** Nodes whose bundle is new or differs, in order of name. `before` holds the hash of each node's present bundle. */
export function changedBundles(before: ReadonlyMap<string, string>, after: readonly EncodedBundle[]): EncodedBundle[] {
  return after.filter((bundle) => before.get(bundle.node) !== bundle.hash);
}
