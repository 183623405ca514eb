import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Effect, Input } from '../../agent/vrrp/index.js';
import { nextDeadline } from '../../agent/vrrp/index.js';
import { Driven, GREATER, heard, LOCAL, SECOND, SMALLER, sampleRouter } from './sample-router.js';

/** When `Driven.active` became active at priority 100 and 1 s. */
const SINCE = 3_609_375;
const ADVERTISE: Effect = { kind: 'advertise', priority: 100 };

test('advertises every interval, on the grid of the first one', () => {
  const driven = Driven.active({ leased: false });
  driven.feed({ kind: 'tick' }, SINCE + 999_999);
  assert.deepEqual(driven.effects, []);
  driven.feed({ kind: 'tick' }, SINCE + 1_003_000);
  assert.deepEqual(driven.effects, [ADVERTISE]);
  assert.equal(nextDeadline(driven.router, driven.member), SINCE + 2_000_000, 'a late timer delays only one');
  driven.feed({ kind: 'tick' }, SINCE + 3_500_000);
  assert.deepEqual(driven.effects, [ADVERTISE]);
  assert.equal(nextDeadline(driven.router, driven.member), SINCE + 4_500_000, 'nothing is made up for');
});

test('leases are renewed with the last advertisement before a third of them is over', () => {
  const driven = Driven.active({ advertisementInterval: 500_000 });
  // Lease 2 s, renewed after 666666 us at the latest: advertisements are due after 0.5 s and 1 s.
  const since = driven.phase('active').lastAdvertAt;
  driven.feed({ kind: 'tick' }, since + 500_000);
  assert.deepEqual(driven.kinds, ['advertise', 'renewAddresses']);
  assert.equal(driven.phase('active').renewAt, since + 1_166_666);
});

test('leases are renewed early rather than late where advertisements are rare', () => {
  const announcements = { ...sampleRouter().announcements, delay: 0 };
  const driven = Driven.active({ advertisementInterval: 10 * SECOND, announcements });
  const since = driven.phase('active').lastAdvertAt;
  // Lease 36 s (3 x 10 s + 6.09 s), renewed every 12 s: the advertisement after 10 s is the last one before.
  driven.feed({ kind: 'tick' }, since + 10 * SECOND);
  assert.deepEqual(driven.kinds, ['advertise', 'renewAddresses']);
});

test('second burst and refresh', () => {
  const announcements = {
    repeat: 3,
    delay: 400_000,
    refresh: 700_000,
    refreshRepeat: 2,
    lowerPriorityRepeat: 0,
    lowerPriorityDelay: 0,
  };
  const driven = Driven.active({ announcements, leased: false });
  driven.feed({ kind: 'tick' }, SINCE + 400_000);
  assert.deepEqual(driven.effects, [{ kind: 'announceAddresses', repeat: 3 }]);
  driven.feed({ kind: 'tick' }, SINCE + 700_000);
  assert.deepEqual(driven.effects, [{ kind: 'announceAddresses', repeat: 2 }]);
  driven.feed({ kind: 'tick' }, SINCE + 1_000_000);
  assert.deepEqual(driven.effects, [ADVERTISE]);
  driven.feed({ kind: 'tick' }, SINCE + 1_400_000);
  assert.deepEqual(driven.effects, [{ kind: 'announceAddresses', repeat: 2 }]);
});

const YIELDS: readonly (readonly [string, number, number, string])[] = [
  ['a higher priority', 101, SMALLER, 'higher-priority-heard'],
  ['an owner', 255, SMALLER, 'higher-priority-heard'],
  ['the same priority from a greater address', 100, GREATER, 'equal-priority-greater-address'],
];

for (const [name, priority, source, cause] of YIELDS) {
  test(`yields to ${name}: removes at once, says nothing, waits for a whole down interval`, () => {
    const driven = Driven.active().feed(heard(priority, source, 2 * SECOND), 4 * SECOND);
    assert.deepEqual(driven.kinds.slice(0, 2), ['removeAddresses', 'transitioned']);
    assert.equal(driven.cause, cause);
    // 4 s + 3 x 2 s + 156/256 x 2 s: the interval is learned at once.
    assert.equal(driven.phase('backup').activeDownAt, 11_218_750);
    assert.deepEqual(driven.phase('backup').activeRouter, { source, priority, interval: 2 * SECOND, at: 4 * SECOND });
  });
}

test('nopreempt does not keep an active router from yielding', () => {
  const driven = Driven.active({ preemptMode: false }).feed(heard(101), 4 * SECOND);
  assert.equal(driven.member.phase.name, 'backup');
});

for (const [name, priority, source] of [
  ['a lower priority', 99, GREATER],
  ['the same priority from a smaller address', 100, SMALLER],
] as const) {
  test(`${name} is answered at once: advertisement, announcements, and again later`, () => {
    const driven = Driven.active().feed(heard(priority, source), 4 * SECOND);
    assert.deepEqual(driven.effects, [
      ADVERTISE,
      { kind: 'announceAddresses', repeat: 5 },
      { kind: 'lowerPriorityHeard', source, priority },
    ]);
    assert.equal(driven.phase('active').adverAt, 5 * SECOND);
    assert.equal(driven.phase('active').announceAt, SINCE + 5 * SECOND, 'the burst that is due first stays');
  });
}

/** What a stream of equal inputs, one each 100 us for a second, makes an active router do, its timer served exactly. */
function flooded(driven: Driven, input: Input): ReadonlyMap<string, number> {
  const done = new Map<string, number>();
  const feed = (what: Input, now: number) => {
    for (const { kind } of driven.feed(what, now).effects) done.set(kind, (done.get(kind) ?? 0) + 1);
  };
  for (let now = 4 * SECOND; now < 5 * SECOND; now += 100) {
    while ((nextDeadline(driven.router, driven.member) ?? now) < now) {
      feed({ kind: 'tick' }, nextDeadline(driven.router, driven.member) ?? now);
    }
    feed(input, now);
  }
  return done;
}

test('a flood of lower-priority advertisements: at most 1000 answers and ten bursts in a second', () => {
  const done = flooded(Driven.active(), heard(99));
  const [advertisements = 0, bursts = 0] = [done.get('advertise'), done.get('announceAddresses')];
  assert.ok(advertisements > 900 && advertisements <= 1001, `${advertisements} advertisements`);
  assert.ok(bursts >= 9 && bursts <= 11, `${bursts} bursts`);
  assert.equal(done.get('lowerPriorityHeard'), 10_000, 'each is counted');
  const renewals = done.get('renewAddresses') ?? 0;
  assert.ok(renewals >= 1 && renewals <= 3, `${renewals} renewals of a lease that is to be renewed every second`);
});

test('a flood of priority 0: at most 1000 answers in a second', () => {
  const advertisements = flooded(Driven.active(), heard(0)).get('advertise') ?? 0;
  assert.ok(advertisements > 900 && advertisements <= 1001, `${advertisements} advertisements`);
});

test('an answer that has to wait is given all the same', () => {
  const driven = Driven.active({ leased: false })
    .feed(heard(99), 4 * SECOND)
    .feed(heard(99, SMALLER), 4_000_200);
  assert.deepEqual(driven.effects, [{ kind: 'lowerPriorityHeard', source: SMALLER, priority: 99 }]);
  assert.equal(nextDeadline(driven.router, driven.member), 4_001_000);
  driven.feed({ kind: 'tick' }, 4_001_000);
  assert.deepEqual(driven.effects, [ADVERTISE], '1 ms after the one before');
  assert.equal(nextDeadline(driven.router, driven.member), 4_100_000);
  driven.feed({ kind: 'tick' }, 4_100_000);
  assert.deepEqual(driven.effects, [{ kind: 'announceAddresses', repeat: 5 }], '100 ms after the burst before');
  assert.equal(driven.phase('active').announceAt, SINCE + 5 * SECOND, 'the second burst is still to come');
  assert.equal(nextDeadline(driven.router, driven.member), 5_001_000);
});

test('priority 0 is answered by an advertisement alone', () => {
  const driven = Driven.active().feed(heard(0), 4 * SECOND);
  assert.deepEqual(driven.effects, [ADVERTISE]);
  assert.equal(driven.phase('active').adverAt, 5 * SECOND);
});

test('equal priority and equal address: a notice, nobody yields, our timer is left alone', () => {
  const driven = Driven.active().feed(heard(100, LOCAL), 4 * SECOND);
  assert.deepEqual(driven.effects, [{ kind: 'noticed', notice: 'equal-priority-and-address', source: LOCAL }]);
  assert.equal(driven.phase('active').adverAt, SINCE + SECOND);
});

test('two owners: the one of smaller address yields at once', () => {
  const driven = Driven.active({ priority: 255 }).feed(heard(255, GREATER), SECOND);
  assert.equal(driven.cause, 'equal-priority-greater-address');
  assert.ok(driven.kinds.includes('noticed'));
});

test('two owners: if it does not, the other one yields after two of its intervals and 1.2 of the longer', () => {
  const driven = Driven.active({ priority: 255 });
  driven.feed(heard(255, SMALLER), SECOND);
  assert.deepEqual(driven.kinds, ['advertise', 'announceAddresses', 'lowerPriorityHeard', 'noticed']);
  assert.equal(driven.phase('active').ownerConflict?.yieldAt, 4_200_000);
  driven.feed(heard(255, SMALLER), 2 * SECOND).feed(heard(255, SMALLER), 4 * SECOND);
  assert.equal(driven.member.phase.name, 'active');
  driven.feed(heard(255, SMALLER), 5 * SECOND);
  assert.equal(driven.cause, 'owner-conflict');
  driven.feed(heard(255, SMALLER), 6 * SECOND);
  assert.equal(driven.phase('backup').activeDownAt, 9_003_906, 'and stays backup while it is heard');
});

test('two owners: a conflict that was over starts anew', () => {
  const driven = Driven.active({ priority: 255 }).feed(heard(255, SMALLER), SECOND);
  for (let second = 2; second <= 8; second++) driven.feed({ kind: 'tick' }, second * SECOND);
  driven.feed(heard(255, SMALLER), 8_500_000);
  assert.equal(driven.member.phase.name, 'active');
});

test('a fault: priority 0 once, addresses removed', () => {
  const tracks = [{ id: 'interface em1', weight: 0, reverse: false }];
  const driven = Driven.active({ tracks });
  driven.feed({ kind: 'track', id: 'interface em1', state: 'up' }, 0).feed({ kind: 'tick' }, SINCE);
  driven.feed({ kind: 'track', id: 'interface em1', state: 'down' }, 4 * SECOND);
  assert.deepEqual(driven.effects, [
    { kind: 'advertise', priority: 0 },
    { kind: 'removeAddresses' },
    {
      kind: 'transitioned',
      from: 'active',
      to: 'fault',
      reason: { code: 'track-failed', tracks: ['interface em1'] },
      effectivePriority: 100,
    },
  ]);
});

test('a weighted check changes what the next advertisement says', () => {
  const driven = Driven.active({ tracks: [{ id: 'check pg', weight: -1, reverse: false }] });
  driven.feed({ kind: 'track', id: 'check pg', state: 'down' }, SINCE + 1);
  assert.deepEqual(driven.effects, []);
  driven.feed({ kind: 'tick' }, SINCE + SECOND);
  assert.deepEqual(driven.effects[0], { kind: 'advertise', priority: 99 });
});

test('stopped at once: priority 0, addresses removed, initialize', () => {
  const driven = Driven.active().feed({ kind: 'shutdown', handover: false }, 4 * SECOND);
  assert.deepEqual(driven.kinds, ['advertise', 'removeAddresses', 'transitioned']);
  assert.deepEqual(driven.member.phase, { name: 'initialize', started: false });
});

test('an address that is lost: priority 0, addresses removed, backup for a whole down interval', () => {
  const driven = Driven.active().feed({ kind: 'addressLost' }, 4 * SECOND);
  assert.deepEqual(driven.kinds, ['advertise', 'removeAddresses', 'transitioned']);
  assert.equal(driven.cause, 'address-lost');
  assert.equal(driven.phase('backup').activeDownAt, 7_609_375);
});

test('reconfigured: preemption, checks and announcements disturb nothing', () => {
  const driven = Driven.active();
  driven.reconfigure(
    { preemptMode: false, preemptDelay: 5, tracks: [{ id: 'check a', weight: 0, reverse: false }] },
    4 * SECOND,
  );
  assert.deepEqual(driven.effects, []);
  assert.equal(driven.phase('active').adverAt, SINCE + SECOND);
  driven.reconfigure({ announcements: { ...driven.router.announcements, refresh: SECOND } }, 4 * SECOND);
  assert.deepEqual(driven.effects, []);
  assert.equal(driven.phase('active').refreshAt, 5 * SECOND);
});

test('reconfigured: priority and interval are advertised at once, addresses stay', () => {
  const driven = Driven.active().reconfigure({ priority: 90 }, 4 * SECOND);
  assert.deepEqual(driven.effects, [{ kind: 'advertise', priority: 90 }]);
  driven.reconfigure({ advertisementInterval: 10_000 }, 4_500_000);
  assert.deepEqual(driven.kinds, ['renewAddresses', 'advertise'], 'the lease is another one');
  driven.feed({ kind: 'tick' }, 4_510_000);
  assert.deepEqual(driven.kinds, ['advertise'], 'the time before is not taken for a pause');
});

test('reconfigured: another list of addresses is synced, announced and advertised', () => {
  const driven = Driven.active().reconfigure({ addresses: [7, 8, 9] }, 4 * SECOND);
  assert.deepEqual(driven.kinds, ['syncAddresses', 'announceAddresses', 'advertise']);
});

test('reconfigured: leases on and off are written to the addresses', () => {
  const driven = Driven.active().reconfigure({ leased: false }, 4 * SECOND);
  assert.deepEqual(driven.kinds, ['renewAddresses']);
  assert.equal(driven.phase('active').renewAt, undefined);
  driven.reconfigure({ leased: true }, 4 * SECOND);
  assert.deepEqual(driven.kinds, ['renewAddresses']);
  assert.equal(driven.phase('active').renewAt, 5 * SECOND);
});

test('lowerPriorityNoAdvertisement: announced, reported, not advertised, and its own timer goes on', () => {
  const driven = Driven.active({ lowerPriorityNoAdvertisement: true }).feed(heard(99), 4 * SECOND);
  assert.deepEqual(driven.kinds, ['announceAddresses', 'lowerPriorityHeard']);
  assert.equal(driven.phase('active').adverAt, SINCE + SECOND);
  assert.deepEqual(driven.feed(heard(0), 4_100_000).effects, [ADVERTISE], 'priority 0 is answered');
});

test('higherPrioritySendAdvertisement: one more advertisement, then it yields', () => {
  for (const [priority, source] of [
    [101, SMALLER],
    [100, GREATER],
  ] as const) {
    const driven = Driven.active({ higherPrioritySendAdvertisement: true }).feed(heard(priority, source), 4 * SECOND);
    assert.deepEqual(driven.kinds, ['advertise', 'removeAddresses', 'transitioned']);
    assert.deepEqual(driven.effects[0], ADVERTISE);
  }
});

test('ownerIgnoresAdvertisements: an owner hears nobody but its successor; others hear as ever', () => {
  const driven = Driven.active({ priority: 255, ownerIgnoresAdvertisements: true });
  for (const priority of [0, 99, 255]) {
    driven.feed(heard(priority, GREATER), SECOND / 2);
    assert.deepEqual(driven.effects, []);
  }
  assert.equal(driven.phase('active').adverAt, SECOND);
  driven.feed({ kind: 'shutdown', handover: true }, SECOND / 2).feed(heard(50), SECOND);
  assert.equal(driven.phase('active').handover?.releaseAt, 1_050_000);
  const other = Driven.active({ ownerIgnoresAdvertisements: true }).feed(heard(150), 4 * SECOND);
  assert.equal(other.member.phase.name, 'backup');
});

test('ownerIgnoresAdvertisements: what comes after a pause still makes it look at the clock', () => {
  const driven = Driven.active({ priority: 255, ownerIgnoresAdvertisements: true }).feed(heard(50), 60 * SECOND);
  assert.equal(driven.cause, 'paused');
});

test('timerExpiredBackup: away for the down interval of that priority, it is backup', () => {
  const changes = { leased: false, preemptMode: false, timerExpiredBackup: 254 };
  assert.equal(Driven.active(changes).feed({ kind: 'tick' }, SINCE + 3_007_812).member.phase.name, 'active');
  assert.equal(Driven.active(changes).feed({ kind: 'tick' }, SINCE + 3_007_813).cause, 'paused');
});

const LINK_LOCAL = 0xfe80n << 112n;

test('IPv6: ties are broken by the whole address, beyond what a float can tell apart', () => {
  const local = LINK_LOCAL | 2n;
  for (const [source, state] of [
    [LINK_LOCAL | 1n, 'active'],
    [LINK_LOCAL | 2n, 'active'],
    [LINK_LOCAL | 3n, 'backup'],
    [0xfe7fn << 112n, 'active'],
  ] as const) {
    const driven = Driven.active({ addresses: [LINK_LOCAL | 0x1an] });
    const advertisement = { priority: 100, interval: SECOND, addresses: [LINK_LOCAL | 0x1an] };
    driven.feed({ kind: 'advertisement', source, local, advertisement }, 4 * SECOND);
    assert.equal(driven.member.phase.name, state, `${source}`);
    const says = driven.effects.some((effect) => effect.kind === 'noticed');
    assert.equal(says, source === local, 'only its own address is odd');
  }
});
