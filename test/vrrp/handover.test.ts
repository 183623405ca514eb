import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { VirtualRouter } from '../../agent/vrrp/index.js';
import { nextDeadline } from '../../agent/vrrp/index.js';
import { Driven, heard, SECOND } from './sample-router.js';

const START = 4 * SECOND;

/** A planned stop at START, or right after the first advertisement where that is not within an interval of it. */
function handingOver(changes: Partial<VirtualRouter> = {}): Driven {
  const driven = Driven.active({ leased: false, ...changes });
  const { phase } = driven.member;
  const usual = phase.name !== 'active' || driven.router.advertisementInterval === SECOND;
  return driven.feed({ kind: 'shutdown', handover: true }, usual ? START : phase.lastAdvertAt);
}

test('listens, says priority 0, keeps the addresses', () => {
  const driven = handingOver();
  assert.deepEqual(driven.effects, [
    { kind: 'listenForAnnouncements', on: true },
    { kind: 'advertise', priority: 0 },
  ]);
  // Priority 1 waits 3 s + 255/256 s; the repetition comes one interval and 100 ms later.
  assert.deepEqual(driven.phase('active').handover, { until: 7_996_093, repeatAt: 5_100_000 });
  assert.equal(nextDeadline(driven.router, driven.member), 5_100_000, 'no more advertisements of its own');
});

test('a successor announces: everything is removed', () => {
  const driven = handingOver().feed(heard(50), 4_600_000).feed({ kind: 'announcementHeard' }, 4_601_000);
  assert.deepEqual(driven.kinds, ['removeAddresses', 'listenForAnnouncements', 'transitioned']);
  assert.equal(driven.cause, 'handed-over');
  assert.deepEqual(driven.member.phase, { name: 'initialize', started: false });
});

test('the announcement may come before the advertisement', () => {
  assert.equal(handingOver().feed({ kind: 'announcementHeard' }, 4_600_000).cause, 'handed-over');
});

test('50 ms after the advertisement of a successor it lets go in any case', () => {
  const driven = handingOver().feed(heard(50), 4_600_000);
  assert.deepEqual(driven.effects, []);
  assert.deepEqual(driven.phase('active').handover, { until: 7_996_093, releaseAt: 4_650_000 });
  driven.feed(heard(50), 4_640_000);
  assert.equal(nextDeadline(driven.router, driven.member), 4_650_000, 'from the first one on');
  assert.equal(driven.feed({ kind: 'tick' }, 4_650_000).cause, 'handed-over');
});

test('a successor gets its 50 ms even where our patience is shorter: priority 0 is not said to it', () => {
  const driven = handingOver({ advertisementInterval: 10_000 });
  const since = driven.phase('active').lastAdvertAt;
  driven.feed(heard(50, undefined, 10_000), since + 8_047);
  driven.feed({ kind: 'tick' }, since + 39_960);
  assert.deepEqual(driven.effects, []);
  driven.feed({ kind: 'tick' }, since + 58_047);
  assert.deepEqual(driven.kinds, ['removeAddresses', 'listenForAnnouncements', 'transitioned']);
  assert.equal(driven.cause, 'handed-over');
});

test('another router that leaves is no successor', () => {
  const driven = handingOver().feed(heard(0), 4_600_000);
  assert.equal(driven.phase('active').handover?.releaseAt, undefined);
});

test('priority 0 is repeated once', () => {
  const driven = handingOver().feed({ kind: 'tick' }, 5_100_000);
  assert.deepEqual(driven.effects, [{ kind: 'advertise', priority: 0 }]);
  assert.equal(nextDeadline(driven.router, driven.member), 7_996_093);
});

test('version 2 repeats after the longest skew, 1 s, whatever the interval', () => {
  const driven = handingOver({ version: 2, advertisementInterval: 5 * SECOND });
  const since = driven.phase('active').lastAdvertAt;
  assert.equal(driven.phase('active').handover?.repeatAt, since + 1_100_000);
  assert.equal(driven.phase('active').handover?.until, since + 15_996_093);
});

test('nothing is repeated when a lost priority 0 has run out of its own accord', () => {
  // Priority 100 took over after 36093 us; priority 1 waits 3 x 10 ms + 255/256 x 10 ms.
  const { handover } = handingOver({ advertisementInterval: 10_000 }).phase('active');
  assert.deepEqual(handover, { until: 36_093 + 39_960 });
});

test('no successor: priority 0 and removed at the end', () => {
  const driven = handingOver().feed({ kind: 'tick' }, 5_100_000).feed({ kind: 'tick' }, 7_996_093);
  assert.deepEqual(driven.kinds, ['advertise', 'removeAddresses', 'listenForAnnouncements', 'transitioned']);
  assert.equal(driven.cause, 'handover-expired');
});

test('leases are renewed meanwhile', () => {
  const driven = handingOver({ leased: true }).feed({ kind: 'tick' }, 4_609_375);
  assert.deepEqual(driven.kinds, ['renewAddresses']);
});

test('leases that ran out in a pause end it', () => {
  const driven = handingOver({ leased: true, advertisementInterval: 5 * SECOND });
  const renewed = (driven.phase('active').renewAt ?? 0) - 6 * SECOND;
  driven.feed({ kind: 'tick' }, renewed + 18 * SECOND + 1);
  assert.deepEqual(driven.kinds, ['removeAddresses', 'listenForAnnouncements', 'pausedTooLong', 'transitioned']);
  assert.equal(driven.cause, 'paused');
});

test('started again before a successor was heard: it goes on, and says so', () => {
  const driven = handingOver().feed({ kind: 'startup' }, 4_500_000);
  assert.deepEqual(driven.effects, [
    { kind: 'listenForAnnouncements', on: false },
    { kind: 'advertise', priority: 100 },
  ]);
  assert.equal(driven.phase('active').handover, undefined);
  assert.equal(driven.phase('active').adverAt, 5_500_000);
});

test('started again after that: it lets go and starts as backup', () => {
  const driven = handingOver().feed(heard(50), 4_600_000).feed({ kind: 'startup' }, 4_610_000);
  assert.deepEqual(driven.kinds, ['removeAddresses', 'listenForAnnouncements', 'transitioned', 'transitioned']);
  assert.equal(driven.phase('backup').activeDownAt, 8_219_375);
});

test('a fault ends it at once', () => {
  const driven = handingOver({ tracks: [{ id: 'check a', weight: 0, reverse: false }] });
  assert.equal(driven.member.phase.name, 'initialize', 'it was never started: the check has no result');
  const other = Driven.active().reconfigure({ tracks: [{ id: 'check a', weight: 0, reverse: false }] }, START);
  other
    .feed({ kind: 'shutdown', handover: true }, START)
    .feed({ kind: 'track', id: 'check a', state: 'down' }, START + 1);
  assert.equal(other.cause, 'track-failed');
  assert.deepEqual(other.member.phase, { name: 'initialize', started: false });
});

test('a second planned stop changes nothing; an abrupt one ends it', () => {
  const driven = handingOver().feed({ kind: 'shutdown', handover: true }, 4_100_000);
  assert.deepEqual(driven.effects, []);
  driven.feed({ kind: 'shutdown', handover: false }, 4_200_000);
  assert.equal(driven.cause, 'shutdown');
  assert.equal(driven.member.phase.name, 'initialize');
});

test('a planned stop of a backup needs no handover', () => {
  const driven = Driven.backup().feed({ kind: 'shutdown', handover: true }, SECOND);
  assert.deepEqual(driven.kinds, ['transitioned']);
  assert.deepEqual(driven.member.phase, { name: 'initialize', started: false });
});
