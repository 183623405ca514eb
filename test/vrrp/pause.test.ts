import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Input } from '../../agent/vrrp/index.js';
import { Driven, heard, SECOND } from './sample-router.js';

const SINCE = 3_609_375;
const INPUTS: readonly Input[] = [
  { kind: 'tick' },
  heard(1),
  heard(0),
  heard(255),
  { kind: 'track', id: 'check pg', state: 'up' },
  { kind: 'addressLost' },
  { kind: 'announcementHeard' },
  { kind: 'startup' },
  { kind: 'shutdown', handover: true },
];

for (const input of INPUTS) {
  const what = input.kind === 'advertisement' ? `advertisement ${input.advertisement.priority}` : input.kind;
  test(`away for longer than the lease, then ${what}: steps down first, without a word`, () => {
    const driven = Driven.active({ tracks: [{ id: 'check pg', weight: 5, reverse: false }] });
    driven.feed(input, SINCE + 3_000_001);
    assert.deepEqual(driven.effects.slice(0, 3), [
      { kind: 'removeAddresses' },
      { kind: 'pausedTooLong', away: 3_000_001 },
      { kind: 'transitioned', from: 'active', to: 'backup', reason: { code: 'paused' }, effectivePriority: 100 },
    ]);
    assert.ok(!driven.kinds.includes('advertise'));
    assert.notEqual(driven.member.phase.name, 'active');
  });
}

test('after it, the whole down interval is waited', () => {
  const driven = Driven.active().feed({ kind: 'tick' }, SINCE + 10 * SECOND);
  assert.equal(driven.phase('backup').activeDownAt, SINCE + 10 * SECOND + 3_609_375);
});

test('away for just the lease is no pause', () => {
  const driven = Driven.active().feed({ kind: 'tick' }, SINCE + 3_000_000);
  assert.equal(driven.member.phase.name, 'active');
  assert.deepEqual(driven.kinds, ['advertise', 'renewAddresses']);
});

test('without leases the down interval counts', () => {
  const driven = Driven.active({ leased: false }).feed({ kind: 'tick' }, SINCE + 3_609_375);
  assert.equal(driven.member.phase.name, 'active');
  assert.equal(Driven.active({ leased: false }).feed({ kind: 'tick' }, SINCE + 3_609_376).cause, 'paused');
});

test('with fast advertisements the down interval counts, not the lease', () => {
  const driven = Driven.active({ advertisementInterval: 10_000 });
  // 3 x 10 ms + 156/256 x 10 ms
  const since = driven.phase('active').lastAdvertAt;
  assert.equal(driven.feed({ kind: 'tick' }, since + 36_094).cause, 'paused');
});

test('a reconfiguration is measured by the former interval', () => {
  const driven = Driven.active().reconfigure({ advertisementInterval: 10_000 }, SINCE + SECOND);
  assert.equal(driven.member.phase.name, 'active');
  const away = Driven.active().reconfigure({ advertisementInterval: 10_000 }, SINCE + 4 * SECOND);
  assert.equal(away.member.phase.name, 'backup');
});

test('a backup whose timer is late listens for 5 ms, once', () => {
  const driven = Driven.backup().feed({ kind: 'tick' }, 3_614_376);
  assert.equal(driven.phase('backup').activeDownAt, 3_619_376);
  assert.deepEqual(driven.effects, []);
  driven.feed({ kind: 'tick' }, 3_700_000);
  assert.equal(driven.cause, 'active-down');
});

test('what it hears then re-arms the timer', () => {
  const driven = Driven.backup()
    .feed({ kind: 'tick' }, 60 * SECOND)
    .feed(heard(150), 60_000_100);
  assert.equal(driven.phase('backup').activeDownAt, 63_609_475);
  assert.equal(driven.phase('backup').listening, undefined);
});

test('an ordinary delay of a timer changes nothing', () => {
  assert.equal(Driven.backup().feed({ kind: 'tick' }, 3_614_375).cause, 'active-down');
});
