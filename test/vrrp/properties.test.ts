import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  type Input,
  nextDeadline,
  type SyncGroup,
  step,
  stepGroup,
  type VirtualRouter,
} from '../../agent/vrrp/index.js';
import { input, router } from './arbitrary.js';
import { Watched } from './watched.js';

const SEED = 20_261_122;

type Move =
  | { readonly move: 'input'; readonly input: Input }
  | { readonly move: 'configure'; readonly router: VirtualRouter }
  /** A tick at the deadline. */
  | { readonly move: 'wait' };

const move: fc.Arbitrary<Move> = fc.oneof(
  { weight: 6, arbitrary: input.map((it): Move => ({ move: 'input', input: it })) },
  { weight: 5, arbitrary: fc.constant<Move>({ move: 'wait' }) },
  { weight: 1, arbitrary: router.map((it): Move => ({ move: 'configure', router: it })) },
);
const after = fc.oneof(fc.constantFrom(0, 0, 1, 50_000), fc.nat(20_000_000));

/** As text; addresses of IPv6 are no JSON. */
function plain(value: unknown): string {
  return JSON.stringify(value, (_key, each: unknown) => (typeof each === 'bigint' ? each.toString() : each));
}

/** The input that a move makes, and when; a new configuration is in force then. */
function play(watched: Watched, what: Move, now: number): { readonly given: Input; readonly at: number } {
  if (what.move === 'input') return { given: what.input, at: now };
  if (what.move === 'wait') {
    return { given: { kind: 'tick' }, at: Math.max(now, nextDeadline(watched.router, watched.member) ?? now) };
  }
  const previous = watched.router;
  watched.router = { ...what.router, name: previous.name };
  return { given: { kind: 'reconfigured', previous }, at: now };
}

test('whatever comes: it never throws, and effects and states agree', () => {
  const moves = fc.array(fc.record({ after, what: move }), { maxLength: 60 });
  fc.assert(
    fc.property(router, moves, (first, script) => {
      const watched = new Watched(first);
      let now = 1_000_000_000;
      for (const { after: span, what } of script) {
        const { given, at } = play(watched, what, what.move === 'wait' ? now : now + span);
        now = at;
        const frozen = plain(watched.member);
        const before = watched.member;
        const { member, effects } = step(watched.router, before, given, now);
        assert.equal(plain(before), frozen, 'the former state is left alone');
        watched.take(member, effects);

        const next = nextDeadline(watched.router, member);
        if (given.kind === 'tick' && next !== undefined) {
          assert.ok(next > now, 'a tick moves the deadline into the future');
          const again = step(watched.router, member, { kind: 'tick' }, now);
          assert.deepEqual(again, { member, effects: [] }, 'a repeated tick changes nothing');
        }
      }
    }),
    { seed: SEED, numRuns: 2_000 },
  );
});

test('whatever comes to a group: its members are active together, and in fault together if that is the policy', () => {
  const names = ['a', 'b', 'c'];
  const moves = fc.array(
    fc.record({
      after,
      what: move,
      name: fc.constantFrom(...names),
      policy: fc.constantFrom(undefined, undefined, 'all' as const, 'any' as const),
    }),
    { maxLength: 60 },
  );
  fc.assert(
    fc.property(
      fc.tuple(router, router, router),
      fc.constantFrom('all' as const, 'any' as const),
      moves,
      (routers, first, script) => {
        const members = new Map(
          names.map((name, index) => [name, new Watched({ ...(routers[index] ?? routers[0]), name })]),
        );
        let group: SyncGroup = { name: 'g', policy: first, routers: names };
        let now = 1_000_000_000;
        for (const { after: span, what, name, policy } of script) {
          const watched = members.get(name);
          assert.ok(watched);
          const { given, at } = play(watched, what, what.move === 'wait' ? now : now + span);
          // Another deadline may have been missed meanwhile: a thread that was away.
          now = at;
          if (policy !== undefined && given.kind === 'reconfigured') group = { ...group, policy };
          const steps = stepGroup(group, members, name, given, now);
          assert.equal(steps[0]?.name, name);
          for (const { name: moved, member, effects } of steps) members.get(moved)?.take(member, effects);

          const phases = [...members.values()].map(({ member: { phase } }) => phase);
          const isServing = phases.some((phase) => phase.name === 'active' && phase.handover === undefined);
          const isBackup = phases.some((phase) => phase.name === 'backup');
          assert.ok(!(isServing && isBackup), 'never mixed');
          if (group.policy === 'all' && phases.some((phase) => phase.name === 'fault')) {
            assert.ok(!isServing && !isBackup, 'in fault together');
          }
          const again = stepGroup(group, members, name, { kind: 'tick' }, now);
          if (given.kind === 'tick') assert.deepEqual(again, [{ name, member: watched.member, effects: [] }]);
        }
      },
    ),
    { seed: SEED, numRuns: 1_000 },
  );
});
