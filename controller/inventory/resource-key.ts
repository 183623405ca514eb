/** Naming a resource by its kind and name. */
import type { ResourceReference } from '../../proto/gen/baton/v1/resource_service.js';
import type { Resource } from '../../proto/gen/baton/v1/resources.js';
import { kindOf } from '../../proto/rules/names.js';

/** "VirtualRouter/pg". */
export type ResourceKey = string;

export function keyOf(kind: string, name: string): ResourceKey {
  return `${kind}/${name}`;
}

/** Both empty for a resource without spec and metadata. */
export function referenceOf(resource: Resource): ResourceReference {
  return { kind: kindOf(resource), name: resource.metadata?.name ?? '' };
}
