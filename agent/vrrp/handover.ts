/**
 * The planned stop of an active router: priority 0 is said at once, but addresses are kept and answered for until a
 * successor has announced them.
 *
 * Deviation: docs/decisions/0004. RFC 9568 section 6.4.3 stops answering with the priority 0 advertisement.
 */
import { assertNever } from '../../proto/rules/assert-never.js';
import { currentPriority, failedTracks } from './priority.js';
import type { Effect, Handover, Input, Member } from './state.js';
import { handoverPatience, handoverRepeat, leaseDuration, RELEASE_AFTER_SUCCESSOR, renewInterval } from './timers.js';
import {
  joined,
  type Outcome,
  type PhaseOf,
  standUp,
  stay,
  stop,
  unchanged,
  withTrack,
  withTracksOf,
} from './transitions.js';
import type { Instant, VirtualRouter } from './virtual-router.js';

type Active = PhaseOf<'active'>;

const STOP_LISTENING: Effect = { kind: 'listenForAnnouncements', on: false };
const REMOVE: readonly Effect[] = [{ kind: 'removeAddresses' }, STOP_LISTENING];
const GIVE_UP_AND_REMOVE: readonly Effect[] = [{ kind: 'advertise', priority: 0 }, ...REMOVE];

/** Starts a handover. */
export function startHandover(router: VirtualRouter, member: Member, phase: Active, now: Instant): Outcome {
  const until = now + handoverPatience(router);
  const repeatAt = now + handoverRepeat(router);
  const next: Active = {
    name: 'active',
    lastAdvertAt: now,
    adverAt: phase.adverAt,
    ...(phase.renewAt !== undefined && { renewAt: phase.renewAt }),
    handover: { until, ...(repeatAt < until && { repeatAt }) },
  };
  return stay(member, next, [
    { kind: 'listenForAnnouncements', on: true },
    { kind: 'advertise', priority: 0 },
  ]);
}

/** A step during a handover. What is due is done first, whatever the input. */
export function stepHandover(
  router: VirtualRouter,
  member: Member,
  phase: Active,
  handover: Handover,
  input: Input,
  now: Instant,
): Outcome {
  if (handover.releaseAt !== undefined && now >= handover.releaseAt) {
    return afterEnd(router, stop(router, member, { code: 'handed-over' }, REMOVE), input, now);
  }
  if (now >= handover.until) {
    return afterEnd(router, stop(router, member, { code: 'handover-expired' }, GIVE_UP_AND_REMOVE), input, now);
  }
  const away = sinceRenewal(router, phase, input, now);
  if (away !== undefined) {
    // The kernel has removed the addresses by now; putting them back could only collide with the successor.
    const effects: readonly Effect[] = [...REMOVE, { kind: 'pausedTooLong', away }];
    return afterEnd(router, stop(router, member, { code: 'paused' }, effects), input, now);
  }
  switch (input.kind) {
    case 'tick':
      return tick(router, member, phase, handover, now);
    case 'advertisement':
      // Whoever else says priority 0 is leaving too. Anybody who does not is the successor, whatever its priority; to
      // say priority 0 again would only unsettle its backups.
      if (input.advertisement.priority === 0 || handover.releaseAt !== undefined) return unchanged(member);
      return stay(member, { ...phase, handover: withSuccessor(handover, now) });
    case 'announcementHeard':
      return stop(router, member, { code: 'handed-over' }, REMOVE);
    case 'startup':
      return resume(router, member, phase, handover, now);
    case 'shutdown':
      return input.handover ? unchanged(member) : stop(router, member, { code: 'shutdown' }, GIVE_UP_AND_REMOVE);
    // Priority 0 was said, and a successor is on its way: there is nothing left to go on with.
    case 'suspend':
      return stop(router, member, { code: 'shutdown' }, GIVE_UP_AND_REMOVE);
    case 'addressConflict':
      return unchanged(member);
    case 'track':
      return judge(router, withTrack(router, member, input.id, input.state));
    case 'reconfigured':
      return reconfigure(router, withTracksOf(router, member), phase, input.previous, now);
    case 'addressLost':
      return stop(router, member, { code: 'address-lost' }, REMOVE);
    default:
      return assertNever(input);
  }
}

/** Our patience ends no earlier: with intervals of 10 ms it is shorter than the time that a successor is given. */
function withSuccessor({ until }: Handover, now: Instant): Handover {
  const releaseAt = now + RELEASE_AFTER_SUCCESSOR;
  return { until: Math.max(until, releaseAt), releaseAt };
}

function tick(router: VirtualRouter, member: Member, phase: Active, handover: Handover, now: Instant): Outcome {
  const effects: Effect[] = [];
  let next = phase;
  if (handover.repeatAt !== undefined && now >= handover.repeatAt) {
    effects.push({ kind: 'advertise', priority: 0 });
    next = { ...next, lastAdvertAt: now, handover: { until: handover.until } };
  }
  if (phase.renewAt !== undefined && now >= phase.renewAt) {
    effects.push({ kind: 'renewAddresses' });
    next = { ...next, renewAt: now + renewInterval(router) };
  }
  return next === phase ? unchanged(member) : stay(member, next, effects);
}

/** How long ago the leases were renewed, if they have run out. */
function sinceRenewal(router: VirtualRouter, phase: Active, input: Input, now: Instant): number | undefined {
  if (phase.renewAt === undefined) return undefined;
  const timed = input.kind === 'reconfigured' ? input.previous : router;
  const since = now - (phase.renewAt - renewInterval(timed));
  return since > leaseDuration(timed) ? since : undefined;
}

/** Started again before the stop was done: nothing has changed for clients unless a successor is there already. */
function resume(router: VirtualRouter, member: Member, phase: Active, handover: Handover, now: Instant): Outcome {
  if (handover.releaseAt !== undefined) {
    const stopped = stop(router, member, { code: 'handed-over' }, REMOVE);
    return joined(stopped, standUp(router, stopped.member, now, { code: 'startup' }));
  }
  const { refresh } = router.announcements;
  const next: Active = {
    name: 'active',
    lastAdvertAt: now,
    adverAt: now + router.advertisementInterval,
    ...(phase.renewAt !== undefined && { renewAt: phase.renewAt }),
    ...(refresh > 0 && { refreshAt: now + refresh }),
  };
  return stay(member, next, [STOP_LISTENING, { kind: 'advertise', priority: currentPriority(router, member.tracks) }]);
}

function judge(router: VirtualRouter, member: Member): Outcome {
  const faults = failedTracks(router, member.tracks);
  if (faults.length === 0) return unchanged(member);
  return stop(router, member, { code: 'track-failed', tracks: faults }, REMOVE);
}

function reconfigure(
  router: VirtualRouter,
  member: Member,
  phase: Active,
  previous: VirtualRouter,
  now: Instant,
): Outcome {
  const judged = judge(router, member);
  if (judged.member.phase.name !== 'active') return judged;
  const leaseChanged = router.leased !== previous.leased || leaseDuration(router) !== leaseDuration(previous);
  if (!leaseChanged) return judged;
  const { renewAt: _former, ...rest } = phase;
  const next: Active = router.leased ? { ...rest, renewAt: now + renewInterval(router) } : rest;
  return stay(member, next, [{ kind: 'renewAddresses' }]);
}

/** A stop that came due, then the input as the stopped member takes it. */
function afterEnd(router: VirtualRouter, ended: Outcome, input: Input, now: Instant): Outcome {
  switch (input.kind) {
    case 'startup':
      return joined(ended, standUp(router, ended.member, now, { code: 'startup' }));
    case 'track':
      return { ...ended, member: withTrack(router, ended.member, input.id, input.state) };
    case 'reconfigured':
      return { ...ended, member: withTracksOf(router, ended.member) };
    case 'tick':
    case 'advertisement':
    case 'announcementHeard':
    case 'shutdown':
    case 'suspend':
    case 'addressLost':
    case 'addressConflict':
      return ended;
    default:
      return assertNever(input);
  }
}
