import assert from 'node:assert/strict';
import { test } from 'node:test';
import { groupState, type Input, step, stepGroup } from '../../agent/vrrp/index.js';
import { CHECK, DrivenGroup, FAIL, RECOVER } from './driven-group.js';
import { GREATER, heard, SECOND, SMALLER } from './sample-router.js';

const SINCE = 3_609_375;
const BECOMES_ACTIVE = ['addAddresses', 'announce 1', 'advertise 100', 'announce 4'];
const becomesActive = (name: string, code: string) => [
  ...BECOMES_ACTIVE.map((what) => `${name}: ${what}`),
  `${name}: backup -> active (${code})`,
];

test('the first whose timer expires waits for the other, keeps its wish and starts its timer anew', () => {
  const driven = DrivenGroup.backup({ a: {}, b: {} }).feed('a', { kind: 'tick' }, SINCE);
  assert.deepEqual(driven.done, []);
  assert.equal(driven.downAt('a'), 2 * SINCE);
  assert.equal(driven.states, 'backup backup');
  driven.feed('b', { kind: 'tick' }, SINCE + 1_000);
  assert.deepEqual(driven.done, [...becomesActive('b', 'active-down'), ...becomesActive('a', 'group')]);
  assert.equal(driven.state, 'active');
});

test('the reason of the others names the member that caused it, and why', () => {
  const driven = DrivenGroup.backup({ a: {}, b: {} })
    .feed('a', { kind: 'tick' }, SINCE)
    .feed('b', { kind: 'tick' }, SINCE);
  const last = driven.effects.at(-1)?.[1];
  assert.deepEqual(last?.kind === 'transitioned' && last.reason, {
    code: 'group',
    member: 'b',
    why: { code: 'active-down' },
  });
});

test('the whole group waits while one member hears a better router', () => {
  const driven = DrivenGroup.backup({ a: {}, b: {} });
  for (let second = 1; second <= 30; second++) {
    driven.feed('b', heard(150), second * SECOND);
    if (driven.downAt('a') <= second * SECOND) driven.feed('a', { kind: 'tick' }, driven.downAt('a'));
  }
  assert.equal(driven.states, 'backup backup');
  driven.feed('b', { kind: 'tick' }, driven.downAt('b'));
  assert.equal(driven.states, 'active active');
});

test('an advertisement that is accepted takes the wish back', () => {
  const driven = DrivenGroup.backup({ a: {}, b: {} })
    .feed('a', { kind: 'tick' }, SINCE)
    .feed('a', heard(150), SINCE + 1)
    .feed('b', { kind: 'tick' }, SINCE + 2);
  assert.equal(driven.states, 'backup backup');
});

test('one that is discarded, and priority 0, leave the wish', () => {
  for (const priority of [50, 0]) {
    const driven = DrivenGroup.backup({ a: {}, b: {} })
      .feed('a', { kind: 'tick' }, SINCE)
      .feed('a', heard(priority), SINCE + 1)
      .feed('b', { kind: 'tick' }, SINCE + 2);
    assert.equal(driven.states, 'active active', `priority ${priority}`);
  }
});

test('one yields: all are backup, and none says priority 0', () => {
  const driven = DrivenGroup.active({ a: {}, b: {}, c: {} }).feed('b', heard(150), 4 * SECOND);
  assert.deepEqual(driven.done, [
    'b: removeAddresses',
    'b: active -> backup (higher-priority-heard)',
    'a: removeAddresses',
    'a: active -> backup (group)',
    'c: removeAddresses',
    'c: active -> backup (group)',
  ]);
  assert.equal(driven.downAt('a'), 4 * SECOND + SINCE, 'for a whole down interval');
  assert.equal(driven.state, 'backup');
});

test('a lower priority: the other members announce as well, at most every 100 ms', () => {
  const driven = DrivenGroup.active({ a: {}, b: {} }).feed('a', heard(50), 4 * SECOND);
  assert.deepEqual(driven.done, ['a: advertise 100', 'a: announce 5', 'a: lowerPriorityHeard', 'b: announce 5']);
  driven.feed('a', heard(50), 4_050_000);
  assert.deepEqual(driven.done, ['a: advertise 100', 'a: lowerPriorityHeard'], 'the burst waits its turn');
});

test('one in fault: all are, the active ones with priority 0; the group recovers with the last, to backup', () => {
  const driven = DrivenGroup.active({ a: { tracks: [CHECK] }, b: { tracks: [CHECK] } }).feed('a', FAIL, 4 * SECOND);
  assert.deepEqual(driven.done, [
    'a: advertise 0',
    'a: removeAddresses',
    'a: active -> fault (track-failed)',
    'b: advertise 0',
    'b: removeAddresses',
    'b: active -> fault (group)',
  ]);
  driven.feed('b', FAIL, 5 * SECOND);
  assert.equal(driven.state, 'fault');
  driven.feed('a', RECOVER, 6 * SECOND);
  assert.equal(driven.states, 'fault fault', 'b is still bad');
  driven.feed('b', RECOVER, 7 * SECOND);
  assert.deepEqual(driven.done, ['b: fault -> backup (tracks-recovered)', 'a: fault -> backup (group)']);
  assert.equal(driven.downAt('a'), 7 * SECOND + SINCE);
});

test('a member whose own tracks are good does not leave the fault of the group', () => {
  const driven = DrivenGroup.active({ a: { tracks: [CHECK] }, b: { tracks: [CHECK] } }).feed('a', FAIL, 4 * SECOND);
  driven.feed('b', RECOVER, 5 * SECOND);
  assert.deepEqual(driven.done, []);
  assert.equal(driven.states, 'fault fault');
});

test('a member that starts while another is in fault is in fault', () => {
  const driven = new DrivenGroup({ a: { tracks: [CHECK] }, b: {} })
    .feed('a', FAIL, 0)
    .feed('a', { kind: 'startup' }, 0);
  driven.feed('b', { kind: 'startup' }, 0);
  assert.deepEqual(driven.done, ['b: initialize -> fault (group)']);
});

test('policy any: one in fault leaves alone; it comes back to where the others are', () => {
  const driven = DrivenGroup.active({ a: { tracks: [CHECK] }, b: {} }, 'any').feed('a', FAIL, 4 * SECOND);
  assert.deepEqual(driven.done, ['a: advertise 0', 'a: removeAddresses', 'a: active -> fault (track-failed)']);
  assert.equal(driven.state, 'active', 'the others go on');
  driven.feed('a', RECOVER, 5 * SECOND);
  assert.deepEqual(driven.done, ['a: fault -> backup (tracks-recovered)', ...becomesActive('a', 'group')]);
});

test('policy any: the others go on together without it, and the group is in fault when all are', () => {
  const driven = DrivenGroup.backup({ a: { tracks: [CHECK] }, b: {}, c: { tracks: [CHECK] } }, 'any');
  driven.feed('a', FAIL, SECOND).feed('b', { kind: 'tick' }, SINCE);
  assert.equal(driven.states, 'fault backup backup');
  driven.feed('c', { kind: 'tick' }, SINCE);
  assert.equal(driven.states, 'fault active active');
  driven.feed('c', FAIL, 4 * SECOND);
  assert.equal(driven.states, 'fault active fault');
  assert.equal(driven.state, 'active');
  driven.reconfigure('b', { tracks: [CHECK] }, 5 * SECOND).feed('b', FAIL, 5 * SECOND);
  assert.equal(driven.state, 'fault');
});

test('a pause of one is a pause of all: silently', () => {
  const driven = DrivenGroup.active({ a: { advertisementInterval: SECOND / 10 }, b: {} });
  // Its limit is 3 x 100 ms and the skew.
  driven.feed('a', { kind: 'tick' }, SINCE + SECOND);
  assert.deepEqual(driven.done, [
    'a: removeAddresses',
    'a: pausedTooLong',
    'a: active -> backup (paused)',
    'b: removeAddresses',
    'b: active -> backup (group)',
  ]);
});

test('an address that is lost: all say priority 0, and are backup', () => {
  const driven = DrivenGroup.active({ a: {}, b: {} }).feed('b', { kind: 'addressLost' }, 4 * SECOND);
  assert.deepEqual(driven.done, [
    'b: advertise 0',
    'b: removeAddresses',
    'b: active -> backup (address-lost)',
    'a: advertise 0',
    'a: removeAddresses',
    'a: active -> backup (group)',
  ]);
});

test('a planned stop is of the whole group, and lasts as long as its slowest member may', () => {
  const driven = DrivenGroup.active({ a: { advertisementInterval: SECOND / 10 }, b: {} });
  driven.feed('a', { kind: 'shutdown', handover: true }, SINCE);
  assert.deepEqual(driven.done, [
    'a: listenForAnnouncements',
    'a: advertise 0',
    'b: listenForAnnouncements',
    'b: advertise 0',
  ]);
  for (const name of ['a', 'b']) {
    const phase = driven.phase(name);
    // Priority 1 at 1 s: 3 s + 255/256 s.
    assert.equal(phase.name === 'active' && phase.handover?.until, SINCE + 3_996_093);
  }
  driven.feed('b', { kind: 'shutdown', handover: true }, SINCE + 1);
  assert.deepEqual(driven.done, [], 'it has been told already');
  driven.feed('a', { kind: 'announcementHeard' }, SINCE + 2).feed('b', { kind: 'announcementHeard' }, SINCE + 3);
  assert.equal(driven.states, 'initialize initialize');
});

test('suspended together, resumed together, in whatever order and with a check that has no result', () => {
  const driven = DrivenGroup.active({ a: {}, b: {} }).feed('b', { kind: 'suspend' }, 4 * SECOND);
  assert.deepEqual(driven.done, [
    'b: advertise 100',
    'b: active -> initialize (suspended)',
    'a: advertise 100',
    'a: active -> initialize (suspended)',
  ]);
  const startup: Input = { kind: 'startup', resume: { lastAdvertAt: 4 * SECOND } };
  const next = new DrivenGroup({ a: {}, b: { tracks: [CHECK] } });
  next.feed('a', startup, 5 * SECOND).feed('b', startup, 5 * SECOND);
  assert.equal(next.states, 'active active');
  next.feed('b', FAIL, 6 * SECOND);
  assert.equal(next.states, 'fault fault');
});

test('one that may not resume goes along with one that may; one in fault takes it down', () => {
  const late: Input = { kind: 'startup', resume: { lastAdvertAt: 0 } };
  const early: Input = { kind: 'startup', resume: { lastAdvertAt: 4 * SECOND } };
  for (const order of [
    ['a', 'b'],
    ['b', 'a'],
  ] as const) {
    const driven = new DrivenGroup({ a: {}, b: {} });
    for (const name of order) driven.feed(name, name === 'a' ? late : early, 5 * SECOND);
    assert.equal(driven.states, 'active active', `order ${order}`);
    const failing = new DrivenGroup({ a: { tracks: [CHECK] }, b: {} }).feed('a', FAIL, 0);
    for (const name of order) failing.feed(name, early, 5 * SECOND);
    assert.equal(failing.states, 'fault fault', `order ${order}`);
    assert.ok(
      failing.done.some((what) => what.endsWith('advertise 0')),
      'nobody waits for a whole down interval',
    );
  }
});

test('a group of owners is active at once, when all are ready; a mixed one starts as backup', () => {
  const owners = new DrivenGroup({ a: { priority: 255 }, b: { priority: 255, tracks: [CHECK] } });
  owners.feed('a', { kind: 'startup' }, 0).feed('b', { kind: 'startup' }, 0);
  assert.equal(owners.states, 'backup initialize');
  assert.equal(owners.state, 'initialize', 'a check has no result');
  owners.feed('b', RECOVER, SECOND);
  assert.equal(owners.states, 'active active');
  const mixed = DrivenGroup.backup({ a: { priority: 255 }, b: {} });
  assert.equal(mixed.states, 'backup backup');
});

test('a check without a result holds the group', () => {
  const driven = new DrivenGroup({ a: {}, b: { tracks: [CHECK] } });
  driven.feed('a', { kind: 'startup' }, 0).feed('b', { kind: 'startup' }, 0).feed('a', { kind: 'tick' }, SINCE);
  assert.equal(driven.states, 'backup initialize');
  driven.feed('b', RECOVER, 4 * SECOND).feed('b', { kind: 'tick' }, 4 * SECOND + SINCE);
  assert.equal(driven.states, 'active active');
});

test('a router that joins an active group is active at once; one that is in fault takes it down', () => {
  const driven = DrivenGroup.active({ a: {} });
  driven.group = { ...driven.group, routers: ['a', 'b'] };
  driven.add('b').feed('b', { kind: 'startup' }, 4 * SECOND);
  assert.deepEqual(driven.done, ['b: initialize -> backup (startup)', ...becomesActive('b', 'group')]);

  const other = DrivenGroup.active({ a: {} }).add('c', { tracks: [CHECK] });
  const alone = other.members.get('c');
  assert.ok(alone);
  const failed = step(alone.router, step(alone.router, alone.member, FAIL, 0).member, { kind: 'startup' }, 0);
  other.members.set('c', { router: alone.router, member: failed.member });
  other.group = { ...other.group, routers: ['a', 'c'] };
  other.reconfigure('a', {}, 4 * SECOND);
  assert.equal(other.states, 'fault fault');
});

test('the group without the member that held it in fault goes on with the next reconfiguration', () => {
  const driven = DrivenGroup.active({ a: { tracks: [CHECK] }, b: {}, c: {} }).feed('a', FAIL, 4 * SECOND);
  driven.members.delete('a');
  driven.group = { ...driven.group, routers: ['b', 'c'] };
  driven.reconfigure('b', {}, 5 * SECOND);
  assert.deepEqual(driven.done, ['b: fault -> backup (tracks-recovered)', 'c: fault -> backup (group)']);
});

test('policy all after any: who is in fault now takes the others along', () => {
  const driven = DrivenGroup.active({ a: { tracks: [CHECK] }, b: {} }, 'any').feed('a', FAIL, 4 * SECOND);
  driven.group = { ...driven.group, policy: 'all' };
  driven.reconfigure('b', {}, 5 * SECOND);
  assert.equal(driven.states, 'fault fault');
  assert.ok(driven.done.includes('b: advertise 0'));
});

test('both families in one group', () => {
  const driven = DrivenGroup.active({ a: {}, b: { addresses: [0xfe80n << 112n, 1n] } });
  driven.feed('b', heard(150, (0xfe80n << 112n) | 9n, SECOND), 4 * SECOND);
  assert.equal(driven.states, 'backup backup');
});

test('a member that is not known is nothing', () => {
  const driven = DrivenGroup.backup({ a: {} });
  assert.deepEqual(stepGroup(driven.group, driven.members, 'z', { kind: 'tick' }, 0), []);
  assert.equal(groupState({ name: 'g', policy: 'all', routers: [] }, driven.members), 'initialize');
});

test('a probe of its own comes before the wish; those that go along ask while they claim', () => {
  const driven = DrivenGroup.backup({ a: { duplicateProbe: 'refuse' }, b: { duplicateProbe: 'warn' } });
  driven.feed('a', { kind: 'tick' }, SINCE);
  assert.deepEqual(driven.done, ['a: probeAddresses']);
  driven.feed('b', { kind: 'tick' }, SINCE);
  assert.equal(driven.states, 'backup backup');
  driven.feed('a', { kind: 'tick' }, SINCE + 300_000);
  assert.deepEqual(driven.done, [
    ...becomesActive('a', 'active-down'),
    'b: probeAddresses',
    ...becomesActive('b', 'group'),
  ]);
  const refused = DrivenGroup.backup({ a: { duplicateProbe: 'refuse' }, b: {} });
  refused.feed('a', { kind: 'tick' }, SINCE).feed('a', { kind: 'addressConflict' }, SINCE + 100);
  refused.feed('b', { kind: 'tick' }, SINCE + 200);
  assert.equal(refused.states, 'backup backup', 'a does not want');
});

test('sources that tie: the greater one of the other family is compared too', () => {
  const driven = DrivenGroup.active({ a: {}, b: {} }).feed('a', heard(100, SMALLER), 4 * SECOND);
  assert.equal(driven.states, 'active active');
  driven.feed('a', heard(100, GREATER), 5 * SECOND);
  assert.equal(driven.states, 'backup backup');
});
