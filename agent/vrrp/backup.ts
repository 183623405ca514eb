/** The backup state (RFC 9568 section 6.4.2). */
import { assertNever } from '../../proto/rules/assert-never.js';
import { currentPriority, failedTracks, OWNER_PRIORITY } from './priority.js';
import type { Heard, Input, Member, Reason } from './state.js';
import { activeDownInterval, LATE_TIMER, LISTEN_AFTER_LATE_TIMER, learnedInterval, skewTime } from './timers.js';
import {
  becomeActive,
  becomeFault,
  isProbed,
  type Outcome,
  type PhaseOf,
  probeFirst,
  stay,
  stop,
  unchanged,
  withTrack,
  withTracksOf,
} from './transitions.js';
import type { Instant, IpAddress, Micros, VirtualRouter } from './virtual-router.js';

type Backup = PhaseOf<'backup'>;

export function stepBackup(router: VirtualRouter, member: Member, phase: Backup, input: Input, now: Instant): Outcome {
  switch (input.kind) {
    case 'tick':
      return now < phase.activeDownAt ? unchanged(member) : activeDown(router, member, phase, now);
    case 'advertisement':
      return hear(router, member, phase, input, now);
    case 'track': {
      const tracked = withTrack(router, member, input.id, input.state);
      return tracked === member ? unchanged(member) : judgeTracks(router, member, tracked, phase);
    }
    case 'reconfigured':
      return reconfigure(router, member, phase, input.previous, now);
    case 'shutdown':
      return stop(router, member, { code: 'shutdown' });
    case 'suspend':
      return stop(router, member, { code: 'suspended' });
    case 'addressConflict':
      return phase.probing === undefined ? unchanged(member) : putOff(router, member, phase, now);
    case 'startup':
    case 'announcementHeard':
    case 'addressLost':
      return unchanged(member);
    default:
      return assertNever(input);
  }
}

function activeDown(router: VirtualRouter, member: Member, phase: Backup, now: Instant): Outcome {
  // Deviation: docs/decisions/0002. A late timer says that this thread was away, not that the active router was silent:
  // what it sent meanwhile is still queued. Listen before believing it, once.
  if (now - phase.activeDownAt > LATE_TIMER && phase.listening === undefined) {
    return stay(member, { ...phase, activeDownAt: now + LISTEN_AFTER_LATE_TIMER, listening: true });
  }
  if (phase.probing !== undefined) return becomeActive(router, member, now, phase.probing.reason);
  const reason = takeoverReason(router, member, phase, now);
  const isToProbe = isProbed(router, reason);
  return isToProbe && router.duplicateProbe === 'refuse'
    ? probeFirst(member, phase, now, reason)
    : becomeActive(router, member, now, reason, isToProbe);
}

/** In a sync group: its timer expired, but the others do not want to be active yet. As keepalived, it starts anew. */
export function waitForOthers(router: VirtualRouter, member: Member, phase: Backup, now: Instant): Outcome {
  return stay(member, { ...rearmed(router, member, phase, now), wantsActive: true });
}

/** A whole down interval from now. */
function rearmed(router: VirtualRouter, member: Member, phase: Backup, now: Instant): Backup {
  const { probing: _over, listening: _heard, priorityZeroHeard: _waited, ...rest } = phase;
  const priority = currentPriority(router, member.tracks);
  return { ...rest, activeDownAt: now + activeDownInterval(router, priority, phase.activeAdverInterval) };
}

/** Somebody else has the addresses: what it is may change, so it is asked again after a whole down interval. */
function putOff(router: VirtualRouter, member: Member, phase: Backup, now: Instant): Outcome {
  const { wantsActive: _no, ...rest } = rearmed(router, member, phase, now);
  return stay(member, rest);
}

/** Why its timer expired. */
export function takeoverReason(router: VirtualRouter, member: Member, phase: Backup, now: Instant): Reason {
  if (phase.priorityZeroHeard) return { code: 'priority-zero-heard' };
  const other = phase.activeRouter;
  if (other !== undefined && other.priority < currentPriority(router, member.tracks)) {
    if (now - other.at <= router.downTimerAdvertisements * other.interval) {
      return { code: 'preempted', peer: other.source, priority: other.priority };
    }
  }
  return { code: 'active-down' };
}

function hear(
  router: VirtualRouter,
  member: Member,
  phase: Backup,
  input: {
    readonly source: IpAddress;
    readonly advertisement: { readonly priority: number; readonly interval: number };
  },
  now: Instant,
): Outcome {
  const { priority, interval } = input.advertisement;
  const own = currentPriority(router, member.tracks);
  if (priority === 0) {
    return stay(member, {
      name: 'backup',
      activeDownAt: now + skewTime(router, own, phase.activeAdverInterval),
      activeAdverInterval: phase.activeAdverInterval,
      priorityZeroHeard: true,
      ...(phase.wantsActive && { wantsActive: true }),
    });
  }
  // Deviation: docs/decisions/0033. It has not heard the active router yet, or says its last word as it yields to it.
  if (isOutranked(router, input.source, priority, phase, now)) return unchanged(member);
  const heard: Heard = { source: input.source, priority, interval, at: now };
  let preemptAt: Instant | undefined;
  if (priority < own && preempts(router)) {
    const delay = router.priority === OWNER_PRIORITY ? 0 : router.preemptDelay;
    preemptAt = phase.preemptAt ?? now + delay;
    // Discarded: what remains of the timer goes on.
    if (now >= preemptAt) return stay(member, { ...phase, activeRouter: heard, ...(delay > 0 && { preemptAt }) });
  }
  const adopted = learnedInterval(router, interval);
  return stay(member, {
    name: 'backup',
    activeDownAt: now + activeDownInterval(router, own, adopted),
    activeAdverInterval: adopted,
    activeRouter: heard,
    ...(preemptAt !== undefined && { preemptAt }),
  });
}

/** Whether another router that ranks above this one has advertised less than its interval ago. */
function isOutranked(
  router: VirtualRouter,
  source: IpAddress,
  priority: number,
  { activeRouter: other }: Backup,
  now: Instant,
): boolean {
  if (router.strictRfc || other === undefined) return false;
  if (other.source === source || other.priority < priority) return false;
  if (other.priority === priority && other.source < source) return false;
  return now - other.at < learnedInterval(router, other.interval);
}

/** The owner always preempts (RFC 9568 section 6.1, Preempt_Mode). */
function preempts(router: VirtualRouter): boolean {
  return router.preemptMode || router.priority === OWNER_PRIORITY;
}

/** Fault if a track now demands it; else the running timer moves by what the new priority makes of the down interval. */
function judgeTracks(router: VirtualRouter, before: Member, member: Member, phase: Backup): Outcome {
  const faults = failedTracks(router, member.tracks);
  if (faults.length > 0) return becomeFault(router, member, faults);
  const shift =
    skewTime(router, currentPriority(router, member.tracks), phase.activeAdverInterval) -
    skewTime(router, currentPriority(router, before.tracks), phase.activeAdverInterval);
  return stay(
    member,
    shift === 0 || phase.probing !== undefined ? phase : { ...phase, activeDownAt: phase.activeDownAt + shift },
  );
}

function reconfigure(
  router: VirtualRouter,
  before: Member,
  phase: Backup,
  previous: VirtualRouter,
  now: Instant,
): Outcome {
  const member = withTracksOf(router, before);
  const faults = failedTracks(router, member.tracks);
  if (faults.length > 0) return becomeFault(router, member, faults);
  const priority = currentPriority(router, member.tracks);

  const { preemptAt: former, probing, ...rest } = phase;
  const preemptAt =
    former !== undefined && preempts(router) && router.preemptDelay > 0
      ? Math.min(former, now + router.preemptDelay)
      : undefined;
  const kept: Backup = preemptAt === undefined ? rest : { ...rest, preemptAt };

  // It may be about other addresses: asked again, at once.
  if (probing !== undefined) return stay(member, { ...kept, activeDownAt: now });

  const interval = phase.activeRouter
    ? learnedInterval(router, phase.activeRouter.interval)
    : router.advertisementInterval;
  const sameInterval = router.advertisementInterval === previous.advertisementInterval;
  if (sameInterval && router.version === previous.version) {
    const shift = waited(router, priority, phase) - waited(previous, currentPriority(previous, before.tracks), phase);
    return stay(member, { ...kept, activeDownAt: phase.activeDownAt + shift });
  }
  // Another interval: the time already waited says nothing about it, so the whole of it is waited.
  return stay(member, {
    ...kept,
    activeDownAt: now + activeDownInterval(router, priority, interval),
    activeAdverInterval: interval,
  });
}

/** How long the running timer waits in all. */
function waited(router: VirtualRouter, priority: number, { activeAdverInterval, priorityZeroHeard }: Backup): Micros {
  return priorityZeroHeard
    ? skewTime(router, priority, activeAdverInterval)
    : activeDownInterval(router, priority, activeAdverInterval);
}
