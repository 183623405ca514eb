import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Inventory,
  listResources,
  type Proposed,
  proposeApply,
  proposeDelete,
  proposeNode,
} from '../../controller/inventory/inventory.js';
import { ChangeKind } from '../../proto/gen/baton/v1/resource_service.js';
import { Resource } from '../../proto/gen/baton/v1/resources.js';

const DAY = (day: number) => ({ generation: day, at: new Date(Date.UTC(2030, 0, day)) });

function check(name: string, labels: Record<string, string> = {}): Resource {
  const value = { kind: { $case: 'exec' as const, value: { command: ['/bin/true'] } } };
  return Resource.fromPartial({ metadata: { name, labels }, spec: { $case: 'check', value } });
}

function secret(name: string, value: string): Resource {
  return Resource.fromPartial({ metadata: { name }, spec: { $case: 'secret', value: { value } } });
}

function node(name: string, id: string, labels: Record<string, string> = {}): Resource {
  return Resource.fromPartial({ metadata: { name, labels }, spec: { $case: 'node', value: { id } } });
}

function accepted(proposed: Proposed): Inventory {
  assert.ok(proposed.ok, JSON.stringify(proposed));
  return proposed.inventory;
}

function messages(proposed: Proposed): string[] {
  assert.ok(!proposed.ok);
  return proposed.findings.map(({ path, message }) => `${path}: ${message}`);
}

test('created, configured, unchanged: each change says which, with its bookkeeping', () => {
  const first = proposeApply(new Map(), [check('a'), check('b')], DAY(1));
  const second = proposeApply(accepted(first), [check('a', { tier: 'db' }), check('b')], DAY(2));
  assert.ok(second.ok);
  assert.deepEqual(
    second.changes.map(({ resource, change }) => [resource?.name, change]),
    [
      ['a', ChangeKind.CONFIGURED],
      ['b', ChangeKind.UNCHANGED],
    ],
  );
  assert.deepEqual(
    second.changed.map(({ name }) => name),
    ['a'],
  );
  const metadata = second.inventory.get('Check/a')?.metadata;
  assert.deepEqual(metadata, {
    name: 'a',
    labels: { tier: 'db' },
    generation: 2,
    createdAt: DAY(1).at,
    updatedAt: DAY(2).at,
  });
  assert.equal(second.inventory.get('Check/b')?.metadata?.generation, 1);
});

test('the order of labels is no change', () => {
  const inventory = accepted(proposeApply(new Map(), [check('a', { x: '1', y: '2' })], DAY(1)));
  const again = proposeApply(inventory, [check('a', { y: '2', x: '1' })], DAY(2));
  assert.ok(again.ok);
  assert.deepEqual(again.changed, []);
});

test('the same resource twice, without a name or without a spec is refused, all findings at once', () => {
  const nameless = Resource.fromPartial({ spec: { $case: 'check', value: {} } });
  const proposed = proposeApply(new Map(), [check('a'), check('a'), nameless, Resource.fromPartial({})], DAY(1));
  assert.deepEqual(messages(proposed), [
    'metadata.name: Check a appears twice in the request',
    'metadata.name: resource 3 of the request has no name',
    'spec: resource 4 of the request has no spec of a known kind',
  ]);
});

test('nodes are made by enrolment; labels can be applied, the identity cannot', () => {
  assert.match(
    messages(proposeApply(new Map(), [node('base1', '')], DAY(1)))[0] ?? '',
    /nodes are made by "baton-agent join"/,
  );
  const { inventory } = proposeNode(new Map(), 'base1', 'id-1', DAY(1));
  const labelled = accepted(proposeApply(inventory, [node('base1', '', { rack: '7' })], DAY(2)));
  const { spec, metadata } = labelled.get('Node/base1') ?? {};
  assert.deepEqual(spec, { $case: 'node', value: { id: 'id-1' } });
  assert.deepEqual(metadata?.labels, { rack: '7' });
  assert.match(messages(proposeApply(inventory, [node('base1', 'id-2')], DAY(2)))[0] ?? '', /cannot be changed/);
});

test('a node that joins again keeps its labels and its age', () => {
  const { inventory } = proposeNode(new Map(), 'base1', 'id-1', DAY(1));
  const labelled = accepted(proposeApply(inventory, [node('base1', '', { rack: '7' })], DAY(2)));
  const again = proposeNode(labelled, 'base1', 'id-2', DAY(3)).inventory.get('Node/base1');
  assert.deepEqual(again?.metadata?.labels, { rack: '7' });
  assert.deepEqual(again?.metadata?.createdAt, DAY(1).at);
  assert.deepEqual(again?.spec, { $case: 'node', value: { id: 'id-2' } });
});

test('a secret as read from us, without its value, applies as no change; a new one needs a value', () => {
  const inventory = accepted(proposeApply(new Map(), [secret('smtp', 'hunter2')], DAY(1)));
  const again = proposeApply(inventory, [secret('smtp', '')], DAY(2));
  assert.ok(again.ok);
  assert.deepEqual(again.changed, []);
  assert.deepEqual(messages(proposeApply(inventory, [secret('new', '')], DAY(2))), [
    'spec.value: a new Secret needs a value',
  ]);
});

test('lists show no secret and go by kind and by all labels', () => {
  const resources = [check('b', { tier: 'db' }), check('a'), secret('smtp', 'hunter2')];
  const inventory = accepted(proposeApply(new Map(), resources, DAY(1)));
  const names = (kind: string, labels = {}) =>
    listResources(inventory, kind, labels).map(({ metadata }) => metadata?.name);
  assert.deepEqual(names(''), ['a', 'b', 'smtp']);
  assert.deepEqual(names('Check'), ['a', 'b']);
  assert.deepEqual(names('', { tier: 'db' }), ['b']);
  assert.deepEqual(names('', { tier: 'db', rack: '1' }), []);
  assert.ok(!JSON.stringify(listResources(inventory, '', {})).includes('hunter2'));
});

test('deleting takes away one resource and knows when there is none', () => {
  const inventory = accepted(proposeApply(new Map(), [check('a'), check('b')], DAY(1)));
  assert.deepEqual([...(proposeDelete(inventory, 'Check', 'a')?.inventory.keys() ?? [])], ['Check/b']);
  assert.equal(proposeDelete(inventory, 'Check', 'c'), undefined);
});
