import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Input, VirtualRouter } from '../../agent/vrrp/index.js';
import { Driven, heard, SECOND, sampleRouter } from './sample-router.js';

const CHECK = { id: 'check a', weight: 0, reverse: false };

function resumed(lastAdvertAt: number, changes: Partial<VirtualRouter> = {}, now = 10 * SECOND): Driven {
  return new Driven(sampleRouter(changes)).feed({ kind: 'startup', resume: { lastAdvertAt } }, now);
}

test('an active router: one more advertisement, nothing else, and it is stopped', () => {
  const driven = Driven.active().feed({ kind: 'suspend' }, 4 * SECOND);
  assert.deepEqual(driven.effects, [
    { kind: 'advertise', priority: 100 },
    {
      kind: 'transitioned',
      from: 'active',
      to: 'initialize',
      reason: { code: 'suspended' },
      effectivePriority: 100,
    },
  ]);
  assert.deepEqual(driven.member.phase, { name: 'initialize', started: false });
});

test('a backup and one in fault just stop; one that is not started is not concerned', () => {
  const backup = Driven.backup().feed({ kind: 'suspend' }, SECOND);
  assert.deepEqual([backup.kinds, backup.cause], [['transitioned'], 'suspended']);
  const fault = Driven.backup({ tracks: [CHECK] }).feed({ kind: 'track', id: 'check a', state: 'down' }, 0);
  assert.equal(fault.member.phase.name, 'fault');
  fault.feed({ kind: 'suspend' }, SECOND);
  assert.deepEqual([fault.kinds, fault.cause], [['transitioned'], 'suspended']);
  const held = Driven.backup({ tracks: [CHECK] }).feed({ kind: 'suspend' }, SECOND);
  assert.deepEqual([held.effects, held.member.phase], [[], { name: 'initialize', started: false }]);
});

test('during a planned stop, priority 0 was said: it is ended', () => {
  const driven = Driven.active().feed({ kind: 'shutdown', handover: true }, 4 * SECOND);
  driven.feed({ kind: 'suspend' }, 4_100_000);
  assert.deepEqual(driven.kinds, ['advertise', 'removeAddresses', 'listenForAnnouncements', 'transitioned']);
  assert.equal(driven.cause, 'shutdown');
});

test('one that was away for too long steps down first', () => {
  const driven = Driven.active().feed({ kind: 'suspend' }, 60 * SECOND);
  assert.deepEqual(driven.kinds, ['removeAddresses', 'pausedTooLong', 'transitioned', 'transitioned']);
});

test('resumed within the limit: it advertises first, then adopts and announces', () => {
  // The lease, 3 s, is shorter than the down interval.
  const driven = resumed(7 * SECOND);
  assert.deepEqual(driven.effects, [
    { kind: 'advertise', priority: 100 },
    { kind: 'addAddresses' },
    { kind: 'announceAddresses', repeat: 5 },
    { kind: 'transitioned', from: 'initialize', to: 'active', reason: { code: 'resumed' }, effectivePriority: 100 },
  ]);
  assert.equal(driven.phase('active').adverAt, 11 * SECOND);
  assert.equal(driven.phase('active').renewAt, 11 * SECOND);
});

for (const [name, lastAdvertAt] of [
  ['a microsecond too late', 7 * SECOND - 1],
  ['never, or on another clock', 11 * SECOND],
] as const) {
  test(`resumed ${name}: it starts as ever`, () => {
    const driven = resumed(lastAdvertAt);
    assert.deepEqual(driven.kinds, ['transitioned']);
    assert.equal(driven.phase('backup').activeDownAt, 13_609_375);
  });
}

test('without leases the down interval counts', () => {
  assert.equal(resumed(10 * SECOND - 3_609_375, { leased: false }).cause, 'resumed');
  assert.equal(resumed(10 * SECOND - 3_609_376, { leased: false }).cause, 'startup');
});

test('a check without a result does not hold what runs; its failure is a fault like any other', () => {
  const driven = resumed(9 * SECOND, { tracks: [CHECK] });
  assert.equal(driven.cause, 'resumed');
  driven.feed({ kind: 'track', id: 'check a', state: 'down' }, 11 * SECOND);
  assert.deepEqual(driven.kinds, ['advertise', 'removeAddresses', 'transitioned']);
});

test('a check that fails already: priority 0, so that nobody waits, and fault', () => {
  const driven = new Driven(sampleRouter({ tracks: [CHECK] }));
  driven.feed({ kind: 'track', id: 'check a', state: 'down' }, 0);
  driven.feed({ kind: 'startup', resume: { lastAdvertAt: 9 * SECOND } }, 10 * SECOND);
  assert.deepEqual(driven.effects[0], { kind: 'advertise', priority: 0 });
  assert.deepEqual([driven.kinds, driven.cause], [['advertise', 'transitioned'], 'track-failed']);
  driven.member = { ...driven.member, phase: { name: 'initialize', started: false } };
  driven.feed({ kind: 'startup', resume: { lastAdvertAt: 0 } }, 10 * SECOND);
  assert.deepEqual(driven.kinds, ['transitioned'], 'too late: somebody else is active');
});

test('an owner that may not resume is active at once all the same; a start without resume is an ordinary one', () => {
  assert.equal(resumed(0, { priority: 255 }).cause, 'owner-startup');
  const startup: Input = { kind: 'startup' };
  assert.equal(new Driven(sampleRouter()).feed(startup, 10 * SECOND).cause, 'startup');
});

test('a second start changes nothing', () => {
  const driven = resumed(9 * SECOND).feed({ kind: 'startup', resume: { lastAdvertAt: 9 * SECOND } }, 10_100_000);
  assert.deepEqual(driven.effects, []);
  const backup = Driven.backup()
    .feed(heard(150), 1)
    .feed({ kind: 'startup', resume: { lastAdvertAt: 1 } }, 2);
  assert.deepEqual([backup.effects, backup.member.phase.name], [[], 'backup']);
});
