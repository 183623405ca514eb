import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  describeReason,
  effectivePriority,
  type Input,
  type IpAddress,
  initialMember,
  nextDeadline,
  step,
  type VirtualRouter,
} from '../../agent/vrrp/index.js';
import { LOCAL, sampleRouter } from './sample-router.js';

const SEED = 20_261_122;
const IDS = ['check a', 'check b', 'interface em1'] as const;

const interval = fc.constantFrom(10_000, 20_000, 100_000, 1_000_000, 5_000_000, 40_950_000);
/** Of either family. */
const address: fc.Arbitrary<IpAddress> = fc.oneof(fc.nat(0xffff_ffff), fc.bigInt(0n, (1n << 128n) - 1n));
const priority = fc.oneof(fc.constantFrom(1, 100, 254, 255), fc.integer({ min: 1, max: 255 }));
const announcements = fc.record({
  repeat: fc.integer({ min: 0, max: 6 }),
  delay: fc.constantFrom(0, 1, 5_000_000),
  refresh: fc.constantFrom(0, 300_000),
  refreshRepeat: fc.integer({ min: 0, max: 2 }),
  lowerPriorityRepeat: fc.integer({ min: 0, max: 5 }),
  lowerPriorityDelay: fc.constantFrom(0, 70_000),
});
const tracks = fc
  .subarray([...IDS])
  .chain((ids) =>
    fc.tuple(
      ...ids.map((id) =>
        fc.record({ id: fc.constant(id), weight: fc.constantFrom(0, 0, -253, -1, 30), reverse: fc.boolean() }),
      ),
    ),
  );
const router: fc.Arbitrary<VirtualRouter> = fc
  .record({
    version: fc.constantFrom(2 as const, 3 as const),
    priority,
    advertisementInterval: interval,
    preemptMode: fc.boolean(),
    preemptDelay: fc.constantFrom(0, 0, 2_000_000),
    strictRfc: fc.boolean(),
    addresses: fc.array(address, { maxLength: 3 }),
    tracks,
    announcements,
    leased: fc.boolean(),
    downTimerAdvertisements: fc.constantFrom(1, 3, 3, 100),
    lowerPriorityNoAdvertisement: fc.boolean(),
    higherPrioritySendAdvertisement: fc.boolean(),
    ownerIgnoresAdvertisements: fc.boolean(),
    timerExpiredBackup: fc.constantFrom(0, 1, 254),
    duplicateProbe: fc.constantFrom('off' as const, 'warn' as const, 'refuse' as const),
  })
  .map((changes) => sampleRouter(changes));

type Move =
  | { readonly move: 'input'; readonly input: Input }
  | { readonly move: 'configure'; readonly router: VirtualRouter }
  /** A tick at the deadline. */
  | { readonly move: 'wait' };

const input: fc.Arbitrary<Input> = fc.oneof(
  fc.constantFrom<Input>(
    { kind: 'startup' },
    { kind: 'startup' },
    { kind: 'tick' },
    { kind: 'shutdown', handover: true },
    { kind: 'shutdown', handover: false },
    { kind: 'announcementHeard' },
    { kind: 'addressLost' },
    { kind: 'addressConflict' },
    { kind: 'suspend' },
    { kind: 'startup', resume: { lastAdvertAt: 1_000_000_000 } },
  ),
  fc.record({
    kind: fc.constant('track' as const),
    id: fc.constantFrom(...IDS, 'check stranger', '__proto__', 'constructor'),
    state: fc.oneof(
      fc.constantFrom('up' as const, 'up' as const, 'down' as const, 'unknown' as const),
      fc.constantFrom(0, 1, -3, 400, 2_147_483_647),
    ),
  }),
  fc.record({
    kind: fc.constant('advertisement' as const),
    source: fc.oneof(fc.constant(LOCAL), address),
    local: fc.constant(LOCAL),
    advertisement: fc.record({
      priority: fc.oneof(fc.constantFrom(0, 100, 255), fc.nat(255)),
      interval: fc.oneof(interval, fc.nat(40_950_000)),
      addresses: fc.array(address, { maxLength: 3 }),
    }),
  }),
);
const moves: fc.Arbitrary<readonly { readonly after: number; readonly what: Move }[]> = fc.array(
  fc.record({
    after: fc.oneof(fc.constantFrom(0, 0, 1, 50_000), fc.nat(20_000_000)),
    what: fc.oneof(
      { weight: 6, arbitrary: input.map((it): Move => ({ move: 'input', input: it })) },
      { weight: 5, arbitrary: fc.constant<Move>({ move: 'wait' }) },
      { weight: 1, arbitrary: router.map((it): Move => ({ move: 'configure', router: it })) },
    ),
  }),
  { maxLength: 60 },
);

/** As text; addresses of IPv6 are no JSON. */
function plain(value: unknown): string {
  return JSON.stringify(value, (_key, each: unknown) => (typeof each === 'bigint' ? each.toString() : each));
}

test('whatever comes: it never throws, and effects and states agree', () => {
  fc.assert(
    fc.property(router, moves, (first, script) => {
      let current = first;
      let member = initialMember(current);
      let now = 1_000_000_000;
      let installed = false;
      let listening = false;
      for (const { after, what } of script) {
        const deadline = nextDeadline(current, member);
        let given: Input = { kind: 'tick' };
        if (what.move === 'wait') {
          now = Math.max(now, deadline ?? now);
        } else {
          now += after;
          if (what.move === 'input') given = what.input;
          else {
            given = { kind: 'reconfigured', previous: current };
            current = what.router;
          }
        }
        const before = member;
        const frozen = plain(before);
        const outcome = step(current, before, given, now);
        assert.equal(plain(before), frozen, 'the former state is left alone');
        member = outcome.member;

        let name = before.phase.name;
        for (const effect of outcome.effects) {
          if (effect.kind === 'transitioned') {
            assert.equal(effect.from, name);
            assert.notEqual(effect.to, name);
            // What is suspended stays in the kernel; the core knows nothing of it any more.
            if (effect.reason.code === 'suspended') installed = false;
            name = effect.to;
            assert.ok(describeReason(effect.reason).length > 0);
            assert.ok(effect.effectivePriority >= 1 && effect.effectivePriority <= 255);
          } else if (effect.kind === 'addAddresses' || effect.kind === 'removeAddresses') {
            assert.notEqual(installed, effect.kind === 'addAddresses', 'added and removed in turn');
            installed = effect.kind === 'addAddresses';
          } else if (effect.kind === 'probeAddresses') {
            assert.ok(!installed, 'asked before it is claimed');
          } else if (effect.kind === 'listenForAnnouncements') {
            assert.notEqual(listening, effect.on);
            listening = effect.on;
          } else if (effect.kind === 'announceAddresses') {
            assert.ok(effect.repeat > 0 && installed);
          } else if (effect.kind === 'renewAddresses' || effect.kind === 'syncAddresses') {
            assert.ok(installed);
          }
        }
        assert.equal(member.phase.name, name, 'every change of state is reported');
        assert.equal(installed, name === 'active', 'addresses are there while active, and only then');
        assert.equal(listening, member.phase.name === 'active' && member.phase.handover !== undefined);
        assert.ok(member.noticed.length <= 64);
        assert.ok(Object.keys(member.tracks).every((id) => current.tracks.some((track) => track.id === id)));

        const explained = effectivePriority(current, member.tracks);
        assert.equal(
          explained.terms.reduce((sum, { value }) => sum + value, 0),
          explained.priority,
        );
        if (name === 'active' || name === 'backup') assert.deepEqual(explained.faults, [], 'a fault never serves');

        const next = nextDeadline(current, member);
        assert.equal(next === undefined, name === 'initialize' || name === 'fault');
        if (given.kind === 'tick' && next !== undefined) {
          assert.ok(next > now, 'a tick moves the deadline into the future');
          const again = step(current, member, { kind: 'tick' }, now);
          assert.deepEqual(again, { member, effects: [] }, 'a repeated tick changes nothing');
        }
      }
    }),
    { seed: SEED, numRuns: 2_000 },
  );
});
