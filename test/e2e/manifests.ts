/** Resource files of the tests. */

export interface RouterText {
  /** By node. */
  readonly priorities: Readonly<Record<string, number>>;
  readonly addresses: readonly string[];
  /** Further lines of the spec, as YAML. */
  readonly more?: readonly string[];
}

/** A version 3 router "web", VRID 9, ten advertisements a second, on em1 everywhere. */
export function routerManifest({ priorities, addresses, more = [] }: RouterText): string {
  const lines = [
    'vrid: 9',
    'advertisementInterval: 100ms',
    `addresses: [${addresses.join(', ')}]`,
    'members:',
    ...Object.entries(priorities).map(
      ([node, priority]) => `  - {node: ${node}, interface: em1, priority: ${priority}}`,
    ),
    ...more,
  ];
  return document('VirtualRouter', 'web', lines);
}

/** @param more Further lines of the spec, as YAML. */
export function checkManifest(name: string, program: string, ...more: readonly string[]): string {
  return document('Check', name, [`exec: {command: [${program}]}`, ...more]);
}

export function document(kind: string, name: string, spec: readonly string[]): string {
  const lines = ['---', 'apiVersion: baton/v1', `kind: ${kind}`, `metadata: {name: ${name}}`, 'spec:'];
  return [...lines, ...spec.map((line) => `  ${line}`), ''].join('\n');
}
