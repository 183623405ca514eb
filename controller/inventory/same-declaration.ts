import { Resource } from '../../proto/gen/baton/v1/resources.js';
import { compareText } from '../../proto/rules/names.js';

/** Whether two resources say the same, whatever their bookkeeping and the order of their labels. */
export function sameDeclaration(a: Resource, b: Resource): boolean {
  const left = declarationBytes(a);
  const right = declarationBytes(b);
  return left.length === right.length && left.every((byte, index) => byte === right[index]);
}

/** Encoded without output-only metadata, labels in order: equal bytes for equal declarations. */
export function declarationBytes(resource: Resource): Uint8Array {
  const labels = Object.entries(resource.metadata?.labels ?? {}).sort(([a], [b]) => compareText(a, b));
  return Resource.encode({
    ...resource,
    metadata: {
      name: resource.metadata?.name ?? '',
      labels: Object.fromEntries(labels),
      generation: 0,
      createdAt: undefined,
      updatedAt: undefined,
    },
  }).finish();
}
