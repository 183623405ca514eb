/**
 * No option is read and ignored: whatever field of a resource is taken away, some node's bundle, the findings or the
 * mail settings change; and whatever field of a bundle is taken away, what the agent runs changes. A field that is added
 * to the schema fails these tests until it is in whole-schema.ts and has an effect.
 */
import assert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import { describe, test } from 'node:test';
import { ScalarType } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { programsOf } from '../../agent/bundle/policy.js';
import { settingsOf } from '../../agent/bundle/settings.js';
import { readSmtpSettings } from '../../controller/notify/smtp-settings.js';
import { Bundle } from '../../proto/gen/baton/v1/bundle.js';
import type { Resource } from '../../proto/gen/baton/v1/resources.js';
import { type DescField, type DescMessage, isOutputOnly, messageDescriptor } from '../../proto/manifest/schema.js';
import { compileBundle } from '../../proto/rules/compile.js';
import { validateResources } from '../../proto/rules/validate.js';
import { validateBundle } from '../../proto/rules/validate-bundle.js';
import { resourcesOf } from './sample-resources.js';
import { WHOLE_SCHEMA } from './whole-schema.js';

const NODES = ['a', 'b'];

/** One field that says something, and the way to take it away. */
interface Place {
  readonly field: DescField;
  readonly path: string;
  readonly reset: () => () => void;
}

type Fields = Record<string, unknown>;

/** Every field of a message that is set, with those of the messages in it. */
function* placesOf(message: Fields, descriptor: DescMessage, path: string): Generator<Place> {
  for (const field of descriptor.fields) {
    const oneof = 'oneof' in field ? field.oneof : undefined;
    const slot = oneof?.localName ?? field.localName;
    const held = message[slot];
    const isThis = oneof === undefined || (held as { $case?: string } | undefined)?.$case === field.localName;
    if (held === undefined || !isThis || isOutputOnly(field)) continue;
    const value = oneof === undefined ? held : (held as { value: unknown }).value;
    const empty = oneof === undefined ? emptyOf(field) : undefined;
    if (isEmpty(value, empty)) continue;
    const at = `${path}.${field.localName}`;
    yield {
      field,
      path: at,
      reset: () => {
        message[slot] = empty;
        return () => {
          message[slot] = held;
        };
      },
    };
    if (field.message === undefined || field.message.typeName.startsWith('google.')) continue;
    const parts = field.fieldKind === 'list' ? (value as Fields[]) : [value as Fields];
    for (const [index, part] of parts.entries()) {
      yield* placesOf(part, field.message, field.fieldKind === 'list' ? `${at}[${index}]` : at);
    }
  }
}

function emptyOf(field: DescField): unknown {
  switch (field.fieldKind) {
    case 'list':
      return [];
    case 'map':
      return {};
    case 'message':
      return undefined;
    case 'enum':
      return field.proto.proto3Optional ? undefined : field.enum.values[0]?.name;
    case 'scalar':
      if (field.proto.proto3Optional) return undefined;
      if (field.scalar === ScalarType.STRING) return '';
      if (field.scalar === ScalarType.BOOL) return false;
      return field.scalar === ScalarType.BYTES ? Buffer.alloc(0) : 0;
  }
}

function isEmpty(value: unknown, empty: unknown): boolean {
  if (Array.isArray(value) || Buffer.isBuffer(value)) return value.length === 0;
  if (typeof value === 'object' && value !== null && typeof empty === 'object') return Object.keys(value).length === 0;
  return value === empty;
}

function* fieldsOf(descriptor: DescMessage, seen = new Set<string>()): Generator<string> {
  if (seen.has(descriptor.typeName) || descriptor.typeName.startsWith('google.')) return;
  seen.add(descriptor.typeName);
  for (const field of descriptor.fields) {
    if (isOutputOnly(field)) continue;
    yield nameOf(field);
    if (field.message !== undefined) yield* fieldsOf(field.message, seen);
  }
}

function nameOf(field: DescField): string {
  return `${field.parent.typeName.replace('baton.v1.', '')}.${field.name}`;
}

describe('resources', () => {
  /** Everything that a set of resources comes to. */
  function outcome(resources: readonly Resource[]): string {
    const { errors, warnings } = validateResources(resources);
    const findings = JSON.stringify([errors, warnings]);
    // What has errors is never compiled.
    if (errors.length > 0) return findings;
    const bundles = NODES.map((node) =>
      Buffer.from(Bundle.encode(compileBundle(resources, node)).finish()).toString('hex'),
    );
    const mail = resources.flatMap(({ spec }) =>
      spec?.$case === 'receiver' && spec.value.kind !== undefined
        ? [JSON.stringify(readSmtpSettings(spec.value.kind.value, 'secret', 'host.example.org'))]
        : [],
    );
    return [findings, ...bundles, ...mail].join('\n');
  }

  /** For people only, and what the documentation says of it. */
  const DISPLAY_ONLY = new Set(['Metadata.labels']);

  const resources = resourcesOf(WHOLE_SCHEMA);
  const descriptor = messageDescriptor('baton.v1.Resource');
  const places = resources.flatMap((resource) => [
    ...placesOf(resource as unknown as Fields, descriptor, resource.metadata?.name ?? ''),
  ]);

  test('the sample is valid, and says something of every field', () => {
    assert.deepStrictEqual(validateResources(resources).errors, []);
    for (const node of NODES) assert.deepStrictEqual(validateBundle(compileBundle(resources, node)), []);
    const said = new Set(places.map(({ field }) => nameOf(field)));
    assert.deepStrictEqual(
      [...fieldsOf(descriptor)].filter((name) => !said.has(name)),
      [],
    );
  });

  test('without any one of them something else comes of it', () => {
    const before = outcome(resources);
    const changed = new Map<string, boolean>();
    for (const { field, reset } of places) {
      const restore = reset();
      const name = nameOf(field);
      changed.set(name, (changed.get(name) ?? false) || outcome(resources) !== before);
      restore();
    }
    assert.equal(outcome(resources), before);
    const ignored = [...changed].filter(([name, has]) => !has && !DISPLAY_ONLY.has(name)).map(([name]) => name);
    assert.deepStrictEqual(ignored, []);
  });

  test('their order changes no byte of any bundle', () => {
    const encode = (order: readonly Resource[]): string =>
      NODES.map((node) => Buffer.from(Bundle.encode(compileBundle(order, node)).finish()).toString('hex')).join();
    const expected = encode(resources);
    fc.assert(
      fc.property(fc.shuffledSubarray(resources, { minLength: resources.length }), (order) =>
        assert.equal(encode(order), expected),
      ),
      { seed: 20_261_122, numRuns: 20 },
    );
  });
});

describe('bundles', () => {
  /** What an agent does with a bundle: elections, checks, sessions, programs. */
  function outcome(bundle: Bundle): string {
    return JSON.stringify(
      [validateBundle(bundle), settingsOf(bundle), programsOf(bundle), ...hooksOf(bundle)],
      (_, value) => (typeof value === 'bigint' ? value.toString() : value),
    );
  }

  /** What the hook runner takes from the bundle itself (agent/hooks). */
  function hooksOf({ routers, groups }: Bundle): unknown[] {
    return [...routers, ...groups].map(({ hooks, displayName }) => [hooks, displayName]);
  }

  /** Says for whom the bundle, or the host network in it, is. */
  const FOR_WHOM = new Set(['HostNetworkSpec.nodes']);

  const bundle = compileBundle(resourcesOf(WHOLE_SCHEMA), 'a');
  const places = [
    ...placesOf(bundle as unknown as Fields, messageDescriptor('baton.v1.Bundle'), ''),
    // On the other node some things are that this one has not.
    ...placesOf(
      compileBundle(resourcesOf(WHOLE_SCHEMA), 'b') as unknown as Fields,
      messageDescriptor('baton.v1.Bundle'),
      '',
    ),
  ];

  test('the sample has every field of the bundle itself', () => {
    const said = new Set(places.map(({ field }) => nameOf(field)));
    assert.deepStrictEqual(
      [...fieldsOf(messageDescriptor('baton.v1.Bundle'))].filter(
        (name) => name.startsWith('Bundle') && !said.has(name),
      ),
      [],
    );
  });

  test('without any one of them the agent does something else', () => {
    const before = outcome(bundle);
    const changed = new Map<string, boolean>();
    for (const place of placesOf(bundle as unknown as Fields, messageDescriptor('baton.v1.Bundle'), '')) {
      const restore = place.reset();
      const name = nameOf(place.field);
      changed.set(name, (changed.get(name) ?? false) || outcome(bundle) !== before);
      restore();
    }
    const ignored = [...changed].filter(([name, has]) => !has && !FOR_WHOM.has(name)).map(([name]) => name);
    assert.deepStrictEqual(ignored, []);
  });
});
