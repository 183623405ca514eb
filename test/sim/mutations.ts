/**
 * Broken cores: each wraps the production core and gets one thing wrong, as a programmer could. A simulation that does
 * not tell them from the real one proves nothing.
 */
import type { Effect, Input, Instant, Member, Outcome, Phase, Reason, VirtualRouter } from '../../agent/vrrp/index.js';
import { activeDownInterval, currentPriority, nextDeadline, skewTime, step } from '../../agent/vrrp/index.js';
import { formatIp } from '../../proto/rules/ip.js';
import { FATAL_CHECK } from './cluster.js';
import { type Core, PRODUCTION_CORE } from './core.js';

type AdvertisementInput = Extract<Input, { readonly kind: 'advertisement' }>;
type PhaseOf<Name extends Phase['name']> = Extract<Phase, { readonly name: Name }>;

export const MUTATIONS: Readonly<Record<string, Core>> = {
  'no skew time': rearmed((router, member, phase) => -skewOf(router, member, phase)),
  'skew time turned around: the best waits longest': rearmed((router, member, phase) => {
    const turned = { ...router, priority: 256 - router.priority };
    return skewOf(turned, { ...member, tracks: {} }, phase) - skewOf(router, member, phase);
  }),
  'down interval of two advertisements': rearmed((_router, _member, phase) =>
    phase.priorityZeroHeard ? 0 : -phase.activeAdverInterval,
  ),
  'down interval of thirty advertisements': rearmed((_router, _member, phase) =>
    phase.priorityZeroHeard ? 0 : 27 * phase.activeAdverInterval,
  ),
  'tie turned around': heard((input, own) =>
    input.advertisement.priority === own ? { ...input, source: input.local, local: input.source } : input,
  ),
  'addresses compared as signed numbers': heard((input) =>
    Number(input.source) >>> 31 === Number(input.local) >>> 31
      ? input
      : { ...input, source: input.local, local: input.source },
  ),
  'addresses compared as text': heard((input) =>
    formatIp(input.source) > formatIp(input.local) === input.source > input.local
      ? input
      : { ...input, source: input.local, local: input.source },
  ),
  'the timer is re-armed by a lower priority': core((router, member, input, now) =>
    input.kind === 'advertisement' && member.phase.name === 'backup'
      ? step({ ...router, preemptMode: false, ...(router.priority === 255 && { priority: 254 }) }, member, input, now)
      : step(router, member, input, now),
  ),
  'a learned interval is never reset': core((router, member, input, now) => {
    const outcome = step(router, member, input, now);
    const [before, phase] = [member.phase, outcome.member.phase];
    if (before.name !== 'backup' || phase.name !== 'backup' || phase.priorityZeroHeard) return outcome;
    const activeAdverInterval = Math.max(before.activeAdverInterval, phase.activeAdverInterval);
    if (activeAdverInterval === phase.activeAdverInterval) return outcome;
    const activeDownAt =
      now + activeDownInterval(router, currentPriority(router, outcome.member.tracks), activeAdverInterval);
    return { ...outcome, member: { ...outcome.member, phase: { ...phase, activeDownAt, activeAdverInterval } } };
  }),
  'priority 0 is ignored': heard((input) => (input.advertisement.priority === 0 ? undefined : input)),
  'a higher priority is ignored while active': heard((input, own, phase) =>
    phase.name === 'active' && input.advertisement.priority > own ? undefined : input,
  ),
  'an equal priority makes the active router yield': heard((input, own, phase) =>
    phase.name === 'active' && input.advertisement.priority === own ? { ...input, local: 0 } : input,
  ),
  'nobody preempts': configured((router) => ({ ...router, preemptMode: false })),
  'nopreempt is ignored': configured((router) => ({ ...router, preemptMode: true })),
  'preempt delay is ignored': configured((router) => ({ ...router, preemptDelay: 0 })),
  'preempt delay never ends': configured((router) => ({ ...router, preemptDelay: 1e9 })),
  'a lower priority is not answered': heard((input, own, phase) =>
    phase.name === 'active' && !phase.handover && input.advertisement.priority < own ? undefined : input,
  ),
  'the owner waits like anybody': configured((router) => ({ ...router, priority: Math.min(254, router.priority) })),
  'any interval is learned': configured((router) => ({ ...router, strictRfc: true })),
  'no interval is learned': heard((input, _own, _phase, router) => ({
    ...input,
    advertisement: { ...input.advertisement, interval: router.advertisementInterval },
  })),
  'tracks move no priority': configured((router) => ({
    ...router,
    tracks: router.tracks.filter(({ weight }) => weight === 0),
  })),
  'reversal is ignored': configured((router) => ({
    ...router,
    tracks: router.tracks.map((track) => ({ ...track, reverse: false })),
  })),
  'a failed check is no fault': core((router, member, input, now) =>
    step(router, member, input.kind === 'track' && input.id === FATAL_CHECK ? { ...input, state: 'up' } : input, now),
  ),
  'checks without a result hold nobody': core((router, member, input, now) =>
    input.kind === 'startup'
      ? step(router, { ...member, tracks: Object.fromEntries(router.tracks.map(({ id }) => [id, 'up'])) }, input, now)
      : step(router, member, input, now),
  ),
  'addresses are kept in fault': without('removeAddresses', (outcome) => outcome.member.phase.name === 'fault'),
  'addresses are kept when yielding': without('removeAddresses', (outcome) => outcome.member.phase.name === 'backup'),
  'addresses are never added': without('addAddresses'),
  'leases are never renewed': without('renewAddresses'),
  'IPv6 addresses compared as floats': heard((input) =>
    Number(input.source) === Number(input.local) ? { ...input, source: input.local } : input,
  ),
  'three advertisements may be missed, whatever is configured': configured((router) => ({
    ...router,
    downTimerAdvertisements: 3,
  })),
  'a value is just up': core((router, member, input, now) =>
    step(
      router,
      member,
      input.kind === 'track' && typeof input.state === 'number' ? { ...input, state: 'up' } : input,
      now,
    ),
  ),
  'no value is too low': core((router, member, input, now) =>
    step(
      router,
      member,
      input.kind === 'track' && typeof input.state === 'number'
        ? { ...input, state: Math.max(-25, Math.min(25, input.state)) }
        : input,
      now,
    ),
  ),
  'a suspended router stops': core((router, member, input, now) =>
    step(router, member, input.kind === 'suspend' ? { kind: 'shutdown', handover: false } : input, now),
  ),
  'a suspended router sends no last advertisement': without('advertise', saysReason('suspended')),
  'nothing is resumed': core((router, member, input, now) =>
    step(router, member, input.kind === 'startup' ? { kind: 'startup' } : input, now),
  ),
  'anything is resumed': core((router, member, input, now) =>
    step(
      router,
      member,
      input.kind === 'startup' && input.resume ? { ...input, resume: { lastAdvertAt: now } } : input,
      now,
    ),
  ),
  'no probe': without('probeAddresses'),
  'a probe is not waited for': configured((router) => ({
    ...router,
    duplicateProbe: router.duplicateProbe === 'refuse' ? 'warn' : router.duplicateProbe,
  })),
  'the answer to a probe is ignored': core((router, member, input, now) =>
    input.kind === 'addressConflict' ? { member, effects: [] } : step(router, member, input, now),
  ),
  'a lower priority is answered whatever is configured': configured((router) => ({
    ...router,
    lowerPriorityNoAdvertisement: false,
  })),
  'an owner never ignores': configured((router) => ({ ...router, ownerIgnoresAdvertisements: false })),
  'no priority 0 in fault': without('advertise', (outcome) => outcome.member.phase.name === 'fault'),
  'no pause rule': core((router, member, input, now) =>
    step(router, { ...member, phase: neverSilent(router, member.phase, now) }, input, now),
  ),
  'the pause rule looks at ticks only': core((router, member, input, now) =>
    step(
      router,
      input.kind === 'tick' ? member : { ...member, phase: neverSilent(router, member.phase, now) },
      input,
      now,
    ),
  ),
  'a backup believes a late timer': core((router, member, input, now) =>
    step(router, input.kind === 'tick' ? { ...member, phase: neverLate(member.phase, now) } : member, input, now),
  ),
  'no handover': core((router, member, input, now) =>
    step(router, member, input.kind === 'shutdown' ? { ...input, handover: false } : input, now),
  ),
  'a handover never ends': core((router, member, input, now) =>
    member.phase.name === 'active' && member.phase.handover && input.kind !== 'tick'
      ? { member, effects: [] }
      : step(router, member, input, now),
  ),
  'the advertisement of a successor ends no handover': heard((input, _own, phase) =>
    phase.name === 'active' && phase.handover ? undefined : input,
  ),
  'an active router sleeps for ever': {
    ...PRODUCTION_CORE,
    nextDeadline: (router, member) => (member.phase.name === 'active' ? undefined : nextDeadline(router, member)),
  },
  'transitions are not reported': without('transitioned'),
  'an early tick takes over': core((router, member, input, now) => {
    if (input.kind !== 'tick' || member.phase.name !== 'backup') return step(router, member, input, now);
    return step(router, { ...member, phase: { ...member.phase, activeDownAt: now } }, input, now);
  }),
  'fault is left for active': core((router, member, input, now) => {
    const outcome = step(router, member, input, now);
    if (member.phase.name !== 'fault' || outcome.member.phase.name !== 'backup') return outcome;
    const { phase } = outcome.member;
    return { ...outcome, member: { ...outcome.member, phase: { ...phase, activeDownAt: now } } };
  }),
};

function core(broken: Core['step']): Core {
  return { ...PRODUCTION_CORE, step: broken };
}

/** Lengthens every newly armed down timer. */
function rearmed(by: (router: VirtualRouter, member: Member, phase: PhaseOf<'backup'>) => number): Core {
  return core((router, member, input, now) => {
    const outcome = step(router, member, input, now);
    const { phase } = outcome.member;
    if (phase.name !== 'backup') return outcome;
    if (member.phase.name === 'backup' && input.kind !== 'advertisement') return outcome;
    if (member.phase.name === 'backup' && member.phase.activeDownAt === phase.activeDownAt) return outcome;
    const activeDownAt = Math.max(now + 1, phase.activeDownAt + by(router, outcome.member, phase));
    return { ...outcome, member: { ...outcome.member, phase: { ...phase, activeDownAt } } };
  });
}

/** Changes or drops advertisements before the core hears them. */
function heard(
  change: (
    input: AdvertisementInput,
    own: number,
    phase: Phase,
    router: VirtualRouter,
  ) => AdvertisementInput | undefined,
): Core {
  return core((router, member, input, now) => {
    if (input.kind !== 'advertisement') return step(router, member, input, now);
    const changed = change(input, currentPriority(router, member.tracks), member.phase, router);
    return changed ? step(router, member, changed, now) : { member, effects: [] };
  });
}

function configured(change: (router: VirtualRouter) => VirtualRouter): Core {
  return core((router, member, input, now) => step(change(router), member, input, now));
}

function without(kind: Effect['kind'], when: (outcome: Outcome) => boolean = () => true): Core {
  return core((router, member, input, now) => {
    const outcome = step(router, member, input, now);
    if (!when(outcome)) return outcome;
    return { ...outcome, effects: outcome.effects.filter((effect) => effect.kind !== kind) };
  });
}

function saysReason(code: Reason['code']): (outcome: Outcome) => boolean {
  return ({ effects }) => effects.some((effect) => effect.kind === 'transitioned' && effect.reason.code === code);
}

function neverSilent(router: VirtualRouter, phase: Phase, now: Instant): Phase {
  if (phase.name !== 'active' || now - phase.lastAdvertAt <= 2 * router.advertisementInterval) return phase;
  return { ...phase, lastAdvertAt: now };
}

function neverLate(phase: Phase, now: Instant): Phase {
  return phase.name === 'backup' && now >= phase.activeDownAt ? { ...phase, listening: true } : phase;
}

function skewOf(router: VirtualRouter, member: Member, phase: PhaseOf<'backup'>): number {
  return skewTime(router, currentPriority(router, member.tracks), phase.activeAdverInterval);
}
