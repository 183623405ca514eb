import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nextDeadline, type VirtualRouter } from '../../agent/vrrp/index.js';
import { Driven, heard, SECOND, sampleRouter } from './sample-router.js';

const SINCE = 3_609_375;
const PROBE_END = SINCE + 300_000;

function probing(changes: Partial<VirtualRouter> = {}): Driven {
  return Driven.backup({ duplicateProbe: 'refuse', ...changes }).feed({ kind: 'tick' }, SINCE);
}

test('warn: asks along with the claim, which nothing stops', () => {
  const driven = Driven.active({ duplicateProbe: 'warn' });
  assert.deepEqual(driven.kinds.slice(0, 3), ['probeAddresses', 'addAddresses', 'announceAddresses']);
  driven.feed({ kind: 'addressConflict' }, 4 * SECOND);
  assert.deepEqual([driven.effects, driven.member.phase.name], [[], 'active']);
});

test('off: never asks', () => {
  assert.ok(!Driven.active({ duplicateProbe: 'off' }).kinds.includes('probeAddresses'));
});

test('refuse: asks, waits 300 ms as backup, and is active for the reason it had', () => {
  const driven = probing();
  assert.deepEqual(driven.effects, [{ kind: 'probeAddresses' }]);
  assert.equal(nextDeadline(driven.router, driven.member), PROBE_END);
  driven.feed({ kind: 'tick' }, PROBE_END);
  assert.deepEqual(driven.kinds.slice(0, 2), ['addAddresses', 'announceAddresses']);
  assert.equal(driven.cause, 'active-down');
});

test('refuse: somebody answers, so a whole down interval is waited and it asks again; said once', () => {
  const driven = probing().feed({ kind: 'addressConflict' }, SINCE + 1_000);
  assert.deepEqual(driven.effects, [{ kind: 'noticed', notice: 'address-conflict' }]);
  assert.equal(driven.phase('backup').activeDownAt, 2 * SINCE + 1_000);
  driven.feed({ kind: 'addressConflict' }, SINCE + 2_000);
  assert.deepEqual(driven.effects, [], 'answers that come after the first one');
  assert.equal(driven.phase('backup').activeDownAt, 2 * SINCE + 1_000);
  driven.feed({ kind: 'tick' }, 2 * SINCE + 1_000);
  assert.deepEqual(driven.kinds, ['probeAddresses']);
  driven.feed({ kind: 'addressConflict' }, 2 * SINCE + 2_000);
  assert.deepEqual(driven.effects, [], 'the same again is no news');
});

test('refuse: an advertisement that is accepted ends it', () => {
  const driven = probing().feed(heard(150), SINCE + 100_000);
  assert.equal(driven.phase('backup').probing, undefined);
  assert.equal(driven.phase('backup').activeDownAt, 2 * SINCE + 100_000);
});

for (const [name, priority, cause] of [
  ['said that it stops', 0, 'priority-zero-heard'],
  ['is preempted', 50, 'preempted'],
] as const) {
  for (const duplicateProbe of ['warn', 'refuse'] as const) {
    test(`${duplicateProbe}: whoever ${name} still answers, so nobody is asked`, () => {
      const driven = Driven.backup({ duplicateProbe }).feed(heard(priority), 3 * SECOND);
      driven.feed({ kind: 'tick' }, SINCE);
      assert.equal(driven.cause, cause);
      assert.ok(!driven.kinds.includes('probeAddresses'));
    });
  }
}

test('refuse: the owner asks at its start', () => {
  const driven = new Driven(sampleRouter({ priority: 255, duplicateProbe: 'refuse' })).feed({ kind: 'startup' }, 0);
  assert.deepEqual(driven.kinds, ['transitioned', 'probeAddresses']);
  assert.equal(driven.phase('backup').activeDownAt, 300_000);
  assert.equal(driven.feed({ kind: 'tick' }, 300_000).cause, 'owner-startup');
});

test('warn: the owner asks along with its claim', () => {
  const driven = new Driven(sampleRouter({ priority: 255, duplicateProbe: 'warn' })).feed({ kind: 'startup' }, 0);
  assert.deepEqual(driven.kinds.slice(0, 2), ['probeAddresses', 'addAddresses']);
});

test('refuse: answers that wait in the socket of a thread that was away are read first', () => {
  const driven = probing().feed({ kind: 'tick' }, PROBE_END + SECOND);
  assert.deepEqual(driven.effects, []);
  assert.equal(driven.phase('backup').activeDownAt, PROBE_END + SECOND + 5_000);
  driven.feed({ kind: 'addressConflict' }, PROBE_END + SECOND + 1);
  assert.equal(driven.member.phase.name, 'backup');
});

test('refuse: other tracks do not move the end of it, another configuration asks anew', () => {
  const tracks = [{ id: 'check w', weight: -50, reverse: false }];
  const driven = probing({ tracks }).feed({ kind: 'track', id: 'check w', state: 'down' }, SINCE + 1);
  assert.equal(driven.phase('backup').activeDownAt, PROBE_END);
  driven.reconfigure({ addresses: [1] }, SINCE + 2);
  driven.feed({ kind: 'tick' }, SINCE + 3);
  assert.deepEqual(driven.kinds, ['probeAddresses']);
});
