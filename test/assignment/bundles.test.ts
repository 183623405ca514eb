import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { changedBundles, compileAll } from '../../controller/assignment/bundles.js';
import { keyOf, referenceOf } from '../../controller/inventory/resource-key.js';
import { Bundle } from '../../proto/gen/baton/v1/bundle.js';
import { Authentication, AuthenticationType, Resource } from '../../proto/gen/baton/v1/resources.js';
import { compileBundle } from '../../proto/rules/compile.js';

const compiler = {
  compile: compileBundle,
  hash: (content: Uint8Array) => createHash('sha256').update(content).digest('hex'),
};

function node(name: string): Resource {
  return Resource.fromPartial({ metadata: { name }, spec: { $case: 'node', value: { id: name } } });
}

function router(name: string, vrid: number, nodes: readonly string[]): Resource {
  const value = {
    vrid,
    addresses: [{ address: `192.0.2.${vrid}` }],
    members: nodes.map((member) => ({ node: member, interface: 'em1' })),
    track: [],
  };
  return Resource.fromPartial({ metadata: { name }, spec: { $case: 'virtualRouter', value } });
}

function bundles(...resources: Resource[]) {
  const entries = resources.map((resource) => {
    const { kind, name } = referenceOf(resource);
    return [keyOf(kind, name), resource] as const;
  });
  return compileAll(new Map(entries), compiler);
}

function routersIn(content: Uint8Array): string[] {
  return Bundle.decode(content).routers.map(({ name }) => name);
}

test('every enrolled node has a bundle with its own routers; an idle one has an empty bundle', () => {
  const made = bundles(
    node('base2'),
    node('base1'),
    node('idle'),
    router('pg', 10, ['base1', 'base2']),
    router('web', 11, ['base2']),
  );
  assert.deepEqual(
    made.map((bundle) => [bundle.node, routersIn(bundle.content)]),
    [
      ['base1', ['pg']],
      ['base2', ['pg', 'web']],
      ['idle', []],
    ],
  );
});

test('a member that has not joined has none yet', () => {
  assert.deepEqual(bundles(router('pg', 10, ['base1'])), []);
});

test('a change concerns only the nodes whose content differs', () => {
  const before = bundles(node('base1'), node('base2'), router('pg', 10, ['base1']), router('web', 11, ['base2']));
  const after = bundles(node('base1'), node('base2'), router('pg', 10, ['base1']), router('web', 12, ['base2']));
  const hashes = new Map(before.map(({ node: name, hash }) => [name, hash]));
  assert.deepEqual(
    changedBundles(hashes, after).map(({ node: name }) => name),
    ['base2'],
  );
  assert.deepEqual(changedBundles(hashes, before), []);
});

test('a node that only a host network names has it, and no other', () => {
  const value = { nodes: ['base2'], addresses: [{ address: '198.51.100.1/24', device: 'lo' }] };
  const network = Resource.fromPartial({ metadata: { name: 'base' }, spec: { $case: 'hostNetwork', value } });
  const made = bundles(node('base1'), node('base2'), network);
  assert.deepEqual(
    made.map(({ content }) => Bundle.decode(content).hostNetworks.map(({ name }) => name)),
    [[], ['base']],
  );
});

test("another value of an HMAC key's secret is another bundle for the nodes that use it alone", () => {
  const made = (secret: string) => {
    const signed = router('pg', 10, ['base1']);
    assert.ok(signed.spec?.$case === 'virtualRouter');
    signed.spec.value.authentication = Authentication.fromPartial({
      type: AuthenticationType.HMAC,
      hmac: { keys: [{ id: 1, secret: 'key' }], activeKey: 1 },
    });
    const key = Resource.fromPartial({
      metadata: { name: 'key' },
      spec: { $case: 'secret', value: { value: secret } },
    });
    return bundles(node('base1'), node('base2'), signed, router('web', 11, ['base2']), key);
  };
  const before = made('a'.repeat(32));
  const hashes = new Map(before.map(({ node: name, hash }) => [name, hash]));
  assert.deepEqual(
    changedBundles(hashes, made('b'.repeat(32))).map(({ node: name }) => name),
    ['base1'],
  );
});
