/** A small valid cluster, made of YAML as an operator would write it, so that tests can bend it. */
import assert from 'node:assert/strict';
import type { Resource } from '../../proto/gen/baton/v1/resources.js';
import { parseManifest } from '../../proto/manifest/index.js';
import { type ValidateOptions, type Validation, validateResources } from '../../proto/rules/validate.js';

/** Resources of YAML text; a mistake in the form fails the test. */
export function resourcesOf(text: string): Resource[] {
  const { resources, problems } = parseManifest(text, 'sample.yaml');
  assert.deepStrictEqual(problems, []);
  return resources;
}

export const NODES = ['a', 'b', 'c']
  .map((name) => `---\n{apiVersion: baton/v1, kind: Node, metadata: {name: ${name}}}\n`)
  .join('');

/** A resource; the spec in YAML flow style without its outer braces. */
export function sample(kind: string, name: string, spec: string): string {
  return `---\n{apiVersion: baton/v1, kind: ${kind}, metadata: {name: ${name}}, spec: {${spec}}}\n`;
}

const ROUTER = {
  vrid: '10',
  addresses: '[192.0.2.1]',
  members: '[{node: a, interface: em1, priority: 150}, {node: b, interface: em1}]',
};

/** A valid virtual router with these fields replaced, added, or removed by undefined. */
export function router(change: Readonly<Record<string, string | undefined>> = {}, name = 'pg'): string {
  const fields = Object.entries({ ...ROUTER, ...change }).filter(([, value]) => value !== undefined);
  return sample('VirtualRouter', name, fields.map(([field, value]) => `${field}: ${value}`).join(', '));
}

export const CHECK = sample('Check', 'alive', 'exec: {command: /bin/check}');
export const SECRET = sample('Secret', 'pass', 'value: 12345678');
export const RECEIVER = sample(
  'Receiver',
  'ops',
  'email: {host: mail.example.org, from: baton@example.org, to: [ops@example.org]}',
);

export function judge(text: string, options?: ValidateOptions): Validation {
  return validateResources(resourcesOf(NODES + text), options);
}

/** Findings as "path: message". */
export function texts(findings: Validation['errors']): string[] {
  return findings.map(({ path, message }) => `${path}: ${message}`);
}
