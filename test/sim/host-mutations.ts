/**
 * Broken cores of the third kind: the wrong clock, routers on one host that are mixed up, configurations that are pushed
 * wrongly, and memory that only grows.
 */
import type { Input, Instant, Member, Outcome, Phase, TrackState, VirtualRouter } from '../../agent/vrrp/index.js';
import { activeDownInterval, nextDeadline, step, stepGroup } from '../../agent/vrrp/index.js';
import { type Core, PRODUCTION_CORE } from './core.js';

type Pushed = Extract<Input, { readonly kind: 'reconfigured' }>;

export const HOST_MUTATIONS: Readonly<Record<string, () => Core>> = {
  'the wall clock is trusted': () => ({ ...PRODUCTION_CORE, now: ({ wall }) => wall }),
  'the sleep of the machine is not counted': () => ({ ...PRODUCTION_CORE, now: ({ monotonic }) => monotonic }),
  'down intervals are kept by name, of whichever host asked first': () => {
    const known = new Map<string, number>();
    return stepping((router, member, input, now) => {
      const outcome = step(router, member, input, now);
      const { phase } = outcome.member;
      if (phase.name !== 'backup' || phase.priorityZeroHeard || input.kind === 'track') return outcome;
      if (member.phase.name === 'backup' && member.phase.activeDownAt === phase.activeDownAt) return outcome;
      const key = `${router.name} ${phase.activeAdverInterval}`;
      const interval = known.get(key) ?? phase.activeDownAt - now;
      known.set(key, interval);
      return { ...outcome, member: { ...outcome.member, phase: { ...phase, activeDownAt: now + interval } } };
    });
  },
  'tracks are kept by name, of all routers': () => {
    const known = new Map<string, TrackState>();
    return stepping((router, member, input, now) => {
      if (input.kind === 'track') known.set(input.id, input.state);
      const all = Object.fromEntries(known);
      const isAsked = input.kind === 'tick' || input.kind === 'advertisement';
      return step(router, isAsked ? { ...member, tracks: all } : member, input, now);
    });
  },
  'the first member of a group gets every advertisement': () => ({
    ...PRODUCTION_CORE,
    stepGroup: (group, members, name, input, now) =>
      stepGroup(group, members, input.kind === 'advertisement' ? (group.routers[0] ?? name) : name, input, now),
  }),
  'one deadline for all routers': () => {
    let last: Instant | undefined;
    return {
      ...PRODUCTION_CORE,
      nextDeadline: (router, member) => {
        const deadline = nextDeadline(router, member);
        const kept = deadline !== undefined && last !== undefined && last > deadline ? last : deadline;
        last = deadline;
        return kept;
      },
    };
  },
  'a push stops the down timer': whenPushed((_pushed, _before, phase) =>
    phase.name === 'backup' ? { ...phase, activeDownAt: Number.MAX_SAFE_INTEGER } : phase,
  ),
  'a push starts the down timer anew': whenPushed((_pushed, _before, phase, router, now) =>
    phase.name === 'backup' && phase.probing === undefined
      ? { ...phase, activeDownAt: now + activeDownInterval(router, 1, phase.activeAdverInterval) }
      : phase,
  ),
  'a push stops the renewal of leases': whenPushed((_pushed, _before, phase) => {
    if (phase.name !== 'active') return phase;
    const { renewAt: _lost, ...rest } = phase;
    return rest;
  }),
  'a push stops the advertisements': whenPushed((_pushed, _before, phase) =>
    phase.name === 'active' ? { ...phase, adverAt: Number.MAX_SAFE_INTEGER } : phase,
  ),
  'a push makes a backup active': whenPushed((_pushed, _before, phase, _router, now) =>
    phase.name === 'backup' ? { ...phase, activeDownAt: now + 1, listening: true } : phase,
  ),
  'pushed addresses wait for the next takeover': () =>
    stepping((router, member, input, now) => {
      const outcome = step(router, member, input, now);
      return { ...outcome, effects: outcome.effects.filter(({ kind }) => kind !== 'syncAddresses') };
    }),
  'a pushed priority waits for the next takeover': () => {
    const known = new Map<string, number>();
    return stepping((router, member, input, now) => {
      const key = `${router.name} ${router.advertisementInterval}`;
      if (member.phase.name !== 'active' || !known.has(key)) known.set(key, router.priority);
      const priority = known.get(key) ?? router.priority;
      const isPushed = input.kind === 'reconfigured' && input.previous.priority !== router.priority;
      return step(isPushed ? { ...router, priority } : router, member, input, now);
    });
  },
  'a pushed interval is not told': () =>
    stepping((router, member, input, now) =>
      step(
        router,
        member,
        input.kind === 'reconfigured'
          ? { kind: 'reconfigured', previous: { ...router, addresses: input.previous.addresses } }
          : input,
        now,
      ),
    ),
  'a push forgets what checks said': () =>
    stepping((router, member, input, now) =>
      step(router, input.kind === 'reconfigured' ? { ...member, tracks: {} } : member, input, now),
    ),
  'checks that were taken away still count': () =>
    stepping((router, member, input, now) => {
      const outcome = step(router, member, input, now);
      if (input.kind !== 'reconfigured') return outcome;
      return { ...outcome, member: { ...outcome.member, tracks: { ...member.tracks, ...outcome.member.tracks } } };
    }),
  'every notice is remembered': () =>
    stepping((router, member, input, now) => {
      const outcome = step(router, member, input, now);
      if (input.kind !== 'advertisement' || outcome.member.phase.name !== 'active') return outcome;
      const noticed = [...outcome.member.noticed, { notice: 'interval-mismatch', source: input.source } as const];
      return input.advertisement.interval === router.advertisementInterval && sameList(router, input)
        ? outcome
        : { ...outcome, member: { ...outcome.member, noticed } };
    }),
  'every advertisement is answered at once': () =>
    stepping((router, member, input, now) => {
      const { phase } = member;
      if (input.kind !== 'advertisement' || phase.name !== 'active' || phase.handover) {
        return step(router, member, input, now);
      }
      const lastAdvertAt = Math.min(phase.lastAdvertAt, now - 1_000);
      return step(router, { ...member, phase: { ...phase, lastAdvertAt } }, input, now);
    }),
  'nothing is advertised': () =>
    stepping((router, member, input, now) => {
      const outcome = step(router, member, input, now);
      return { ...outcome, effects: outcome.effects.filter(({ kind }) => kind !== 'advertise') };
    }),
};

function stepping(broken: Core['step']): Core {
  return { ...PRODUCTION_CORE, step: broken };
}

/** What a push makes of a router that stays in its state. */
function whenPushed(
  change: (pushed: Pushed, before: Member, phase: Phase, router: VirtualRouter, now: Instant) => Phase,
): () => Core {
  return () =>
    stepping((router, member, input, now): Outcome => {
      const outcome = step(router, member, input, now);
      if (input.kind !== 'reconfigured' || outcome.member.phase.name !== member.phase.name) return outcome;
      const phase = change(input, member, outcome.member.phase, router, now);
      return { ...outcome, member: { ...outcome.member, phase } };
    });
}

function sameList(router: VirtualRouter, { advertisement }: Extract<Input, { kind: 'advertisement' }>): boolean {
  return advertisement.addresses.length === router.addresses.length;
}
