import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { VirtualRouter } from '../../agent/vrrp/index.js';
import { nextDeadline } from '../../agent/vrrp/index.js';
import { Driven, GREATER, heard, SECOND, SMALLER, sampleRouter } from './sample-router.js';

const CHECKS: Partial<VirtualRouter> = {
  tracks: [
    { id: 'check fatal', weight: 0, reverse: false },
    { id: 'check weighted', weight: -50, reverse: false },
  ],
};

test('startup: backup, for one down interval', () => {
  const driven = Driven.backup();
  assert.equal(driven.phase('backup').activeDownAt, 3_609_375);
  assert.equal(nextDeadline(driven.router, driven.member), 3_609_375);
  assert.deepEqual(driven.effects, [
    {
      kind: 'transitioned',
      from: 'initialize',
      to: 'backup',
      reason: { code: 'startup' },
      effectivePriority: 100,
    },
  ]);
});

test('startup of an owner: active at once', () => {
  const driven = Driven.backup({ priority: 255 });
  assert.equal(driven.phase('active').adverAt, SECOND);
  assert.equal(driven.cause, 'owner-startup');
});

test('a tick takes over at the deadline, not a microsecond before', () => {
  const driven = Driven.backup();
  const { member } = driven;
  assert.equal(driven.feed({ kind: 'tick' }, 3_609_374).member, member, 'nothing changes');
  driven.feed({ kind: 'tick' }, 3_609_375);
  assert.equal(driven.cause, 'active-down');
});

test('becoming active: addresses, one round of announcements, the advertisement, the rest of the burst', () => {
  const driven = Driven.active();
  assert.deepEqual(driven.effects.slice(0, 4), [
    { kind: 'addAddresses' },
    { kind: 'announceAddresses', repeat: 1 },
    { kind: 'advertise', priority: 100 },
    { kind: 'announceAddresses', repeat: 4 },
  ]);
  assert.deepEqual(driven.member.phase, {
    name: 'active',
    lastAdvertAt: 3_609_375,
    adverAt: 4_609_375,
    announceAt: 8_609_375,
    announceRepeat: 5,
    renewAt: 4_609_375,
  });
});

// What an advertisement at 2 s does to the timer that a start at 0 armed for 3609375.
const ROWS: readonly (readonly [string, Partial<VirtualRouter>, number, number, number])[] = [
  ['higher priority re-arms', {}, 150, SECOND, 5_609_375],
  ['equal priority re-arms', {}, 100, SECOND, 5_609_375],
  ['lower priority is discarded, the rest of the timer goes on', {}, 99, SECOND, 3_609_375],
  ['lower priority re-arms with nopreempt', { preemptMode: false }, 1, SECOND, 5_609_375],
  ['an owner preempts whatever is configured', { priority: 255, preemptMode: false }, 254, SECOND, 4_003_906],
  ['priority 0: one skew time', {}, 0, SECOND, 2_609_375],
  ['priority 0 with nopreempt: one skew time', { preemptMode: false }, 0, SECOND, 2_609_375],
  // 3 x 2 s + 156/256 x 2 s
  ['version 3 learns the interval', {}, 150, 2 * SECOND, 9_218_750],
  ['beyond the bound it goes on with its own', {}, 150, 40_950_000, 5_609_375],
  // 3 x 40.95 s + 156/256 x 40.95 s = 122.85 s + 24.95390625 s
  ['strict RFC learns anything', { strictRfc: true }, 150, 40_950_000, 149_803_906],
  ['nine may be missed', { downTimerAdvertisements: 9 }, 150, SECOND, 11_609_375],
  ['one may be missed', { downTimerAdvertisements: 1 }, 150, SECOND, 3_609_375],
  ['version 2 learns nothing', { version: 2 }, 150, 2 * SECOND, 5_609_375],
];

for (const [name, changes, priority, interval, activeDownAt] of ROWS) {
  test(`heard in backup: ${name}`, () => {
    // An owner is never backup at its start; it is after a fault, from 1 s on.
    const driven = Driven.backup({ ...changes, ...CHECKS });
    driven.feed({ kind: 'track', id: 'check fatal', state: 'up' }, 0);
    if (changes.priority === 255) {
      driven.feed({ kind: 'track', id: 'check fatal', state: 'down' }, SECOND);
      driven.feed({ kind: 'track', id: 'check fatal', state: 'up' }, SECOND);
    }
    driven.feed(heard(priority, GREATER, interval), 2 * SECOND);
    assert.equal(driven.phase('backup').activeDownAt, activeDownAt);
  });
}

test('preempt delay: lower priority re-arms until it is over, and is discarded then', () => {
  const driven = Driven.backup({ preemptDelay: 10 * SECOND });
  for (let second = 1; second <= 10; second++) driven.feed(heard(50), second * SECOND);
  assert.equal(driven.phase('backup').preemptAt, 11 * SECOND);
  assert.equal(driven.phase('backup').activeDownAt, 13_609_375);
  driven.feed(heard(50), 11 * SECOND);
  assert.equal(driven.phase('backup').activeDownAt, 13_609_375, 'discarded from 11 s on');
  driven.feed(heard(50), 12 * SECOND).feed({ kind: 'tick' }, 13_609_375);
  assert.equal(driven.cause, 'preempted');
});

test('preempt delay ends with an advertisement that is not lower', () => {
  const driven = Driven.backup({ preemptDelay: 10 * SECOND });
  driven.feed(heard(50), SECOND).feed(heard(100), 2 * SECOND);
  assert.equal(driven.phase('backup').preemptAt, undefined);
});

test('who is outranked by another one that was heard within its interval is not learned from', () => {
  const other = SMALLER;
  const slow = () => Driven.backup().feed(heard(200, GREATER, 4 * SECOND), SECOND);
  const { activeDownAt } = slow().phase('backup');
  // A last word to the better one, or from one that has not heard it yet.
  const said = slow().feed(heard(150, other, SECOND), SECOND + 100);
  assert.equal(said.phase('backup').activeDownAt, activeDownAt);
  assert.equal(said.phase('backup').activeAdverInterval, 4 * SECOND);
  assert.equal(said.phase('backup').activeRouter?.source, GREATER);
  // Of the same priority, the greater address ranks above.
  const equal = slow().feed(heard(200, other, SECOND), SECOND + 100);
  assert.equal(equal.phase('backup').activeAdverInterval, 4 * SECOND);
  const better = Driven.backup().feed(heard(200, other, 4 * SECOND), SECOND);
  assert.equal(better.feed(heard(200, GREATER, SECOND), SECOND + 100).phase('backup').activeAdverInterval, SECOND);
  // Priority 0 counts, so does what the better one says itself, and everybody once it is silent.
  assert.equal(
    slow()
      .feed(heard(0, other), SECOND + 100)
      .phase('backup').priorityZeroHeard,
    true,
  );
  assert.equal(
    slow()
      .feed(heard(120, GREATER, SECOND), 2 * SECOND)
      .phase('backup').activeAdverInterval,
    SECOND,
  );
  assert.equal(
    slow()
      .feed(heard(150, other, SECOND), 5 * SECOND - 1)
      .phase('backup').activeDownAt,
    activeDownAt,
  );
  assert.equal(
    slow()
      .feed(heard(150, other, SECOND), 5 * SECOND)
      .phase('backup').activeAdverInterval,
    SECOND,
  );
  // As the RFC has it.
  const strict = Driven.backup({ strictRfc: true }).feed(heard(200, GREATER, 4 * SECOND), SECOND);
  assert.equal(strict.feed(heard(150, other, SECOND), SECOND + 100).phase('backup').activeAdverInterval, SECOND);
});

test('why it took over', () => {
  const silent = Driven.backup().feed(heard(150), SECOND).feed({ kind: 'tick' }, 4_609_375);
  assert.equal(silent.cause, 'active-down');
  const said = Driven.backup().feed(heard(0), SECOND).feed({ kind: 'tick' }, 1_609_375);
  assert.equal(said.cause, 'priority-zero-heard');
  const lower = Driven.backup()
    .feed(heard(50), 3 * SECOND)
    .feed({ kind: 'tick' }, 3_609_375);
  assert.deepEqual(lower.effects.at(-1), {
    kind: 'transitioned',
    from: 'backup',
    to: 'active',
    reason: { code: 'preempted', peer: GREATER, priority: 50 },
    effectivePriority: 100,
  });
});

test('a new priority shifts the running timer by the difference of the down intervals', () => {
  const driven = new Driven(sampleRouter(CHECKS));
  driven.feed({ kind: 'startup' }, 0).feed({ kind: 'track', id: 'check fatal', state: 'up' }, 0);
  assert.equal(driven.phase('backup').activeDownAt, 3_609_375);
  // Priority 50: skew 206/256 s = 804687 us.
  driven.feed({ kind: 'track', id: 'check weighted', state: 'down' }, SECOND);
  assert.equal(driven.phase('backup').activeDownAt, 3_804_687);
  driven.feed({ kind: 'track', id: 'check weighted', state: 'up' }, 2 * SECOND);
  assert.equal(driven.phase('backup').activeDownAt, 3_609_375);
});

test('checks without a result hold the start; the last one lets it go', () => {
  const driven = new Driven(sampleRouter(CHECKS)).feed({ kind: 'startup' }, 0);
  assert.deepEqual(driven.member.phase, { name: 'initialize', started: true });
  assert.deepEqual(driven.effects, []);
  assert.equal(nextDeadline(driven.router, driven.member), undefined);
  driven.feed({ kind: 'track', id: 'check fatal', state: 'up' }, 7 * SECOND);
  assert.equal(driven.cause, 'checks-ready');
  assert.equal(driven.phase('backup').activeDownAt, 10_609_375);
});

test('a first result that fails goes to fault, the next good one to backup with a whole down timer', () => {
  const driven = new Driven(sampleRouter(CHECKS)).feed({ kind: 'startup' }, 0);
  driven.feed({ kind: 'track', id: 'check fatal', state: 'down' }, SECOND);
  assert.equal(driven.member.phase.name, 'fault');
  assert.equal(nextDeadline(driven.router, driven.member), undefined);
  driven.feed(heard(50, GREATER, 2 * SECOND), 2 * SECOND);
  assert.deepEqual(driven.effects, [], 'fault hears nothing');
  driven.feed({ kind: 'track', id: 'check fatal', state: 'up' }, 10 * SECOND);
  assert.equal(driven.cause, 'tracks-recovered');
  assert.equal(driven.phase('backup').activeDownAt, 13_609_375);
  assert.equal(driven.phase('backup').activeAdverInterval, SECOND);
});

test('fault is left only when the last cause is gone', () => {
  const driven = Driven.backup({
    tracks: [
      { id: 'check a', weight: 0, reverse: false },
      { id: 'interface em1', weight: 0, reverse: false },
    ],
  });
  driven
    .feed({ kind: 'track', id: 'check a', state: 'down' }, 1)
    .feed({ kind: 'track', id: 'interface em1', state: 'down' }, 2);
  driven.feed({ kind: 'track', id: 'check a', state: 'up' }, 3);
  assert.equal(driven.member.phase.name, 'fault');
  driven.feed({ kind: 'track', id: 'interface em1', state: 'up' }, 4);
  assert.equal(driven.member.phase.name, 'backup');
});

test('fault is left for initialize while a check has no result', () => {
  const driven = new Driven(
    sampleRouter({ tracks: [...(CHECKS.tracks ?? []), { id: 'interface em1', weight: 0, reverse: false }] }),
  );
  driven.feed({ kind: 'track', id: 'interface em1', state: 'down' }, 0).feed({ kind: 'startup' }, 0);
  assert.equal(driven.member.phase.name, 'fault');
  driven.feed({ kind: 'track', id: 'interface em1', state: 'up' }, 1);
  assert.equal(driven.cause, 'checks-pending');
  driven.feed({ kind: 'track', id: 'check fatal', state: 'up' }, 2);
  assert.equal(driven.member.phase.name, 'backup');
});

test('notices: once per source until the state changes', () => {
  const driven = Driven.backup();
  const odd = (source: number) => heard(150, source, 2 * SECOND, [1]);
  driven.feed(odd(GREATER), 1);
  assert.deepEqual(driven.effects, [
    { kind: 'noticed', notice: 'interval-mismatch', source: GREATER },
    { kind: 'noticed', notice: 'address-list-mismatch', source: GREATER },
  ]);
  assert.deepEqual(driven.feed(odd(GREATER), 2).effects, []);
  assert.equal(driven.feed(odd(SMALLER), 3).effects.length, 2);
  assert.deepEqual(driven.feed(heard(150, GREATER, 40_950_000), 4).effects, [
    { kind: 'noticed', notice: 'interval-bounded', source: GREATER },
  ]);
  driven.feed({ kind: 'tick' }, driven.phase('backup').activeDownAt).feed(odd(GREATER), 20 * SECOND);
  assert.equal(driven.effects.filter(({ kind }) => kind === 'noticed').length, 2);
});

test('the order of the address list does not matter', () => {
  const driven = Driven.backup();
  driven.feed(heard(150, GREATER, SECOND, [...driven.router.addresses].reverse()), 1);
  assert.deepEqual(driven.effects, []);
});

test('reconfigured: priority shifts, another interval waits a whole down interval, addresses are not touched', () => {
  const driven = Driven.backup();
  driven.reconfigure({ priority: 50 }, SECOND);
  assert.equal(driven.phase('backup').activeDownAt, 3_804_687);
  driven.reconfigure({ preemptMode: false }, SECOND);
  assert.equal(driven.phase('backup').activeDownAt, 3_804_687);
  // 2 s + 3 x 100 ms + 206/256 x 100 ms
  driven.reconfigure({ advertisementInterval: 100_000 }, 2 * SECOND);
  assert.equal(driven.phase('backup').activeDownAt, 2_380_468);
  assert.deepEqual(driven.effects, []);
});

test('reconfigured: another number of missed advertisements counts for the timer that runs', () => {
  const driven = Driven.backup({ downTimerAdvertisements: 100 });
  driven.reconfigure({ downTimerAdvertisements: 3 }, SECOND);
  assert.equal(driven.phase('backup').activeDownAt, 3_609_375);
  driven.feed(heard(0), 2 * SECOND).reconfigure({ downTimerAdvertisements: 10 }, 2 * SECOND);
  assert.equal(driven.phase('backup').activeDownAt, 2_609_375, 'after priority 0 none is counted');
});

test('reconfigured: an interval that was heard stays learned if the new bound allows', () => {
  const driven = Driven.backup().feed(heard(150, GREATER, 2 * SECOND), SECOND);
  driven.reconfigure({ advertisementInterval: SECOND / 2 }, 2 * SECOND);
  // Bound max(2 s, 1.5 s): 2 s + 3 x 2 s + 156/256 x 2 s
  assert.equal(driven.phase('backup').activeDownAt, 9_218_750);
});

test('a check that a new configuration adds does not stop a router that runs', () => {
  const driven = Driven.backup().reconfigure(CHECKS, SECOND);
  assert.equal(driven.member.phase.name, 'backup');
  driven.feed({ kind: 'track', id: 'check fatal', state: 'down' }, 2 * SECOND);
  assert.equal(driven.cause, 'track-failed');
});

test('a reconfiguration that takes the failing check away ends the fault', () => {
  const driven = new Driven(sampleRouter(CHECKS)).feed({ kind: 'startup' }, 0);
  driven.feed({ kind: 'track', id: 'check fatal', state: 'down' }, SECOND);
  driven.reconfigure({ tracks: [] }, 2 * SECOND);
  assert.equal(driven.cause, 'tracks-recovered');
  assert.deepEqual(driven.member.tracks, {}, 'nothing is kept of tracks that are gone');
});

test('the order of IPv6 addresses does not matter, a difference in the last bit does', () => {
  const addresses = [(0xfe80n << 112n) | 1n, (0x2001_0db8n << 96n) | 1n];
  const driven = Driven.backup({ addresses }).feed(heard(150, 9n, SECOND, [...addresses].reverse()), 1);
  assert.deepEqual(driven.effects, []);
  driven.feed(heard(150, 9n, SECOND, [(0xfe80n << 112n) | 1n, (0x2001_0db8n << 96n) | 2n]), 2);
  assert.deepEqual(driven.effects, [{ kind: 'noticed', notice: 'address-list-mismatch', source: 9n }]);
});
