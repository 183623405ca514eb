/** Naming a resource by its kind and name. */

import type { ResourceReference } from '../../proto/gen/baton/v1/resource_service.js';
import type { Resource } from '../../proto/gen/baton/v1/resources.js';

/** The kinds, as YAML and references write them, by the name of their field in Resource.spec. */
const KINDS = {
  node: 'Node',
  virtualRouter: 'VirtualRouter',
  check: 'Check',
  receiver: 'Receiver',
  secret: 'Secret',
} as const satisfies Record<NonNullable<Resource['spec']>['$case'], string>;

export type Kind = (typeof KINDS)[keyof typeof KINDS];

/** "VirtualRouter/pg". */
export type ResourceKey = `${Kind}/${string}`;

export function keyOf(kind: Kind, name: string): ResourceKey {
  return `${kind}/${name}`;
}

/** undefined when no spec is set. */
export function kindOf(resource: Resource): Kind | undefined {
  return resource.spec === undefined ? undefined : KINDS[resource.spec.$case];
}

export function referenceOf(resource: Resource): ResourceReference {
  return { kind: kindOf(resource) ?? '', name: resource.metadata?.name ?? '' };
}

/** The kind of that name, however its letters are cased and with a plural "s" ("virtualrouters"); undefined if none. */
export function parseKind(text: string): Kind | undefined {
  const wanted = text.toLowerCase();
  return Object.values(KINDS).find((kind) => wanted === kind.toLowerCase() || wanted === `${kind.toLowerCase()}s`);
}

/** For messages: "Node, VirtualRouter, ...". */
export const KNOWN_KINDS: string = Object.values(KINDS).join(', ');
