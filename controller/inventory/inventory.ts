/**
 * What is declared now: the accepted resources of one generation, and how a request changes them. Pure: identifiers,
 * clock and validation come from outside.
 */

import {
  ChangeKind,
  type Finding,
  type ResourceChange,
  type ResourceReference,
} from '../../proto/gen/baton/v1/resource_service.js';
import type { Resource } from '../../proto/gen/baton/v1/resources.js';
import { compareText, kindOf } from '../../proto/rules/names.js';
import { keyOf, type ResourceKey, referenceOf } from './resource-key.js';
import { sameDeclaration } from './same-declaration.js';

/** Every accepted resource by kind and name. Secrets carry their values. */
export type Inventory = ReadonlyMap<ResourceKey, Resource>;

/** A resource that changed, with what is to be stored. */
export interface Changed {
  readonly kind: string;
  readonly name: string;
  readonly change: ChangeKind.CREATED | ChangeKind.CONFIGURED | ChangeKind.DELETED;
  /** Absent when deleted. */
  readonly resource?: Resource;
}

/** The outcome of a request. */
export interface Proposal {
  readonly inventory: Inventory;
  /** In the order of the request, with the unchanged ones. */
  readonly changes: readonly ResourceChange[];
  /** Only what differs; empty means no new generation. */
  readonly changed: readonly Changed[];
}

export type Proposed =
  | ({ readonly ok: true } & Proposal)
  | { readonly ok: false; readonly findings: readonly Finding[] };

/** When and in which generation a proposal would be accepted. */
export interface Occasion {
  readonly generation: number;
  readonly at: Date;
}

/**
 * The inventory after an apply. Refuses what no rule over the whole set can see: a resource without name or spec, the
 * same one twice, a node that nobody enrolled, a Secret that has no value yet.
 */
export function proposeApply(inventory: Inventory, requested: readonly Resource[], occasion: Occasion): Proposed {
  const next = new Map(inventory);
  const changes: ResourceChange[] = [];
  const changed: Changed[] = [];
  const findings: Finding[] = [];
  const seen = new Set<ResourceKey>();
  for (const [index, request] of requested.entries()) {
    const kind = kindOf(request);
    const name = request.metadata?.name ?? '';
    if (kind === '' || name === '') {
      const what = kind === '' ? 'has no spec of a known kind' : 'has no name';
      const resource = { kind, name };
      findings.push({
        resource,
        path: kind === '' ? 'spec' : 'metadata.name',
        message: `resource ${index + 1} of the request ${what}`,
      });
      continue;
    }
    const key = keyOf(kind, name);
    const resource = { kind, name };
    if (seen.has(key)) {
      findings.push({ resource, path: 'metadata.name', message: `${kind} ${name} appears twice in the request` });
      continue;
    }
    seen.add(key);
    const before = inventory.get(key);
    const completed = complete(request, before);
    if (!completed.ok) {
      findings.push({ resource, ...completed.finding });
      continue;
    }
    if (before !== undefined && sameDeclaration(before, completed.resource)) {
      changes.push({ resource, change: ChangeKind.UNCHANGED });
      continue;
    }
    const change = before === undefined ? ChangeKind.CREATED : ChangeKind.CONFIGURED;
    const accepted: Resource = {
      ...completed.resource,
      metadata: {
        name,
        labels: sortedLabels(request.metadata?.labels ?? {}),
        generation: occasion.generation,
        createdAt: before?.metadata?.createdAt ?? occasion.at,
        updatedAt: occasion.at,
      },
    };
    next.set(key, accepted);
    changes.push({ resource, change });
    changed.push({ kind, name, change, resource: accepted });
  }
  return findings.length > 0 ? { ok: false, findings } : { ok: true, inventory: next, changes, changed };
}

/** The inventory without one resource; undefined when there is none such. */
export function proposeDelete(inventory: Inventory, kind: string, name: string): Proposal | undefined {
  const key = keyOf(kind, name);
  if (!inventory.has(key)) return undefined;
  const next = new Map(inventory);
  next.delete(key);
  return {
    inventory: next,
    changes: [{ resource: { kind, name }, change: ChangeKind.DELETED }],
    changed: [{ kind, name, change: ChangeKind.DELETED }],
  };
}

/** The inventory with a node that has just enrolled. Labels of a node of that name stay. */
export function proposeNode(inventory: Inventory, name: string, id: string, occasion: Occasion): Proposal {
  const key = keyOf('Node', name);
  const before = inventory.get(key);
  const change = before === undefined ? ChangeKind.CREATED : ChangeKind.CONFIGURED;
  const resource: Resource = {
    metadata: {
      name,
      labels: before?.metadata?.labels ?? {},
      generation: occasion.generation,
      createdAt: before?.metadata?.createdAt ?? occasion.at,
      updatedAt: occasion.at,
    },
    spec: { $case: 'node', value: { id } },
  };
  return {
    inventory: new Map(inventory).set(key, resource),
    changes: [{ resource: { kind: 'Node', name }, change }],
    changed: [{ kind: 'Node', name, change, resource }],
  };
}

type Completed =
  | { readonly ok: true; readonly resource: Resource }
  | { readonly ok: false; readonly finding: { readonly path: string; readonly message: string } };

/** Fills in what a request may leave out because it is ours: a node's id, a secret's value. */
function complete(request: Resource, before: Resource | undefined): Completed {
  const spec = request.spec;
  if (spec?.$case === 'node') {
    if (before?.spec?.$case !== 'node') {
      const message =
        'there is no such node: nodes are made by "baton-agent join" with a token from "batonctl token create"';
      return { ok: false, finding: { path: 'metadata.name', message } };
    }
    const id = before.spec.value.id;
    if (spec.value.id !== '' && spec.value.id !== id) {
      return {
        ok: false,
        finding: { path: 'spec.id', message: `is given by enrolment and cannot be changed (it is ${id})` },
      };
    }
    return { ok: true, resource: { ...request, spec: { $case: 'node', value: { id } } } };
  }
  if (spec?.$case === 'secret' && spec.value.value === '') {
    if (before?.spec?.$case !== 'secret') {
      return { ok: false, finding: { path: 'spec.value', message: 'a new Secret needs a value' } };
    }
    // What was read from us has no value; applying it again changes nothing.
    return { ok: true, resource: { ...request, spec: before.spec } };
  }
  return { ok: true, resource: request };
}

function sortedLabels(labels: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(labels).sort(([a], [b]) => compareText(a, b)));
}

/** Resources as clients may see them: a Secret without its value. */
export function withoutSecrets(resource: Resource): Resource {
  if (resource.spec?.$case !== 'secret') return resource;
  return { ...resource, spec: { $case: 'secret', value: { value: '' } } };
}

/** Sorted by kind, then name. @param kind Empty: every kind. */
export function listResources(
  inventory: Inventory,
  kind: string,
  labels: Readonly<Record<string, string>>,
): Resource[] {
  const wanted = Object.entries(labels);
  return [...inventory.values()]
    .filter((resource) => kind === '' || kindOf(resource) === kind)
    .filter((resource) => wanted.every(([key, value]) => resource.metadata?.labels[key] === value))
    .sort((a, b) => compareReferences(referenceOf(a), referenceOf(b)))
    .map(withoutSecrets);
}

function compareReferences(a: ResourceReference, b: ResourceReference): number {
  return compareText(a.kind, b.kind) || compareText(a.name, b.name);
}
