/** The active state (RFC 9568 section 6.4.3), while no handover is under way. */
import { assertNever } from '../../proto/rules/assert-never.js';
import { startHandover } from './handover.js';
import { sameAddresses } from './notices.js';
import { currentPriority, failedTracks, OWNER_PRIORITY } from './priority.js';
import type { Effect, Input, Member, OwnerConflict, Reason } from './state.js';
import { ANSWER_BURST_PAUSE, ANSWER_PAUSE, learnedInterval, leaseDuration, renewInterval } from './timers.js';
import {
  becomeBackup,
  becomeFault,
  type Outcome,
  type PhaseOf,
  stay,
  stop,
  unchanged,
  withTrack,
  withTracksOf,
} from './transitions.js';
import type { Instant, VirtualRouter } from './virtual-router.js';

type Active = PhaseOf<'active'>;
type AdvertisementInput = Extract<Input, { readonly kind: 'advertisement' }>;

/** Said to the others, then let go. */
const RELEASE: readonly Effect[] = [{ kind: 'advertise', priority: 0 }, { kind: 'removeAddresses' }];

export function stepActive(router: VirtualRouter, member: Member, phase: Active, input: Input, now: Instant): Outcome {
  switch (input.kind) {
    case 'tick':
      return tick(router, member, phase, now);
    case 'advertisement':
      return hear(router, member, phase, input, now);
    case 'track': {
      const tracked = withTrack(router, member, input.id, input.state);
      if (tracked === member) return unchanged(member);
      const faults = failedTracks(router, tracked.tracks);
      return faults.length > 0 ? becomeFault(router, tracked, faults, RELEASE) : unchanged(tracked);
    }
    case 'reconfigured':
      return reconfigure(router, member, phase, input.previous, now);
    case 'shutdown':
      return input.handover
        ? startHandover(router, member, phase, now)
        : stop(router, member, { code: 'shutdown' }, RELEASE);
    case 'addressLost':
      // A whole down interval, not a skew time: what took the address away may be lasting, and others get their turn.
      return becomeBackup(router, member, now, { code: 'address-lost' }, RELEASE);
    case 'suspend':
      // It is the others' patience that the process which goes on has: it starts as late as can be.
      return stop(router, member, { code: 'suspended' }, [
        { kind: 'advertise', priority: currentPriority(router, member.tracks) },
      ]);
    case 'startup':
    case 'announcementHeard':
    case 'addressConflict':
      return unchanged(member);
    default:
      return assertNever(input);
  }
}

function tick(router: VirtualRouter, member: Member, phase: Active, now: Instant): Outcome {
  const effects: Effect[] = [];
  let next = phase;
  const advertDue = now >= phase.adverAt;
  if (advertDue) {
    effects.push({ kind: 'advertise', priority: currentPriority(router, member.tracks) });
    // On the grid of the first advertisement, so that a late timer delays only one of them.
    const onGrid = phase.adverAt + router.advertisementInterval;
    next = { ...next, lastAdvertAt: now, adverAt: onGrid > now ? onGrid : now + router.advertisementInterval };
  }
  // Leases are renewed along with the last advertisement before they are due: one wake-up serves both.
  if (
    phase.renewAt !== undefined &&
    (now >= phase.renewAt || (advertDue && isSoonEnough(router, phase.renewAt, next)))
  ) {
    effects.push({ kind: 'renewAddresses' });
    next = { ...next, renewAt: now + renewInterval(router) };
  }
  let repeat = 0;
  if (phase.announceAt !== undefined && now >= phase.announceAt) {
    repeat = phase.announceRepeat ?? router.announcements.repeat;
    next = withoutBurst(next);
  }
  if (phase.refreshAt !== undefined && now >= phase.refreshAt) {
    repeat = Math.max(repeat, router.announcements.refreshRepeat);
    next = { ...next, refreshAt: now + router.announcements.refresh };
  }
  const answerAt = nextAnswerAt(phase);
  if (answerAt !== undefined && now >= answerAt) {
    repeat = Math.max(repeat, router.announcements.lowerPriorityRepeat);
    next = afterAnswer(router, next, now);
  }
  if (repeat > 0) effects.push({ kind: 'announceAddresses', repeat });
  return next === phase ? unchanged(member) : stay(member, next, effects);
}

/**
 * The announcement burst is over. Written out, for speed: what a rest pattern leaves is slow to copy from then on, and an
 * active router copies its phase with every advertisement.
 */
function withoutBurst(phase: Active): Active {
  const { name, lastAdvertAt, adverAt, refreshAt, answered, renewAt, handover, ownerConflict } = phase;
  return {
    name,
    lastAdvertAt,
    adverAt,
    ...(refreshAt !== undefined && { refreshAt }),
    ...(answered !== undefined && { answered }),
    ...(renewAt !== undefined && { renewAt }),
    ...(handover !== undefined && { handover }),
    ...(ownerConflict !== undefined && { ownerConflict }),
  };
}

/** Before the next advertisement, and in the second half of its time: answers may make advertisements frequent. */
function isSoonEnough(router: VirtualRouter, renewAt: Instant, { lastAdvertAt, adverAt }: Active): boolean {
  return renewAt < adverAt && renewAt - lastAdvertAt <= renewInterval(router) / 2;
}

function hear(router: VirtualRouter, member: Member, phase: Active, input: AdvertisementInput, now: Instant): Outcome {
  const { source, local, advertisement } = input;
  const { priority } = advertisement;
  const own = currentPriority(router, member.tracks);
  if (priority === 0) return advertiseNow(router, member, phase, now, []);
  const lastWord: readonly Effect[] = router.higherPrioritySendAdvertisement
    ? [{ kind: 'advertise', priority: own }]
    : [];
  if (priority > own) {
    return yieldTo(router, member, input, now, { code: 'higher-priority-heard', peer: source, priority }, lastWord);
  }
  if (priority === own) {
    // Nobody can yield; it is reported as a notice, and our own timer is left alone.
    if (source === local) return unchanged(member);
    // RFC 9568 section 6.4.3: as unsigned numbers, most significant byte first.
    if (source > local) {
      const reason: Reason = { code: 'equal-priority-greater-address', peer: source, priority };
      return yieldTo(router, member, input, now, reason, lastWord);
    }
    if (own === OWNER_PRIORITY) return hearLesserOwner(router, member, phase, input, now);
  }
  return reassert(router, member, phase, input, now);
}

function yieldTo(
  router: VirtualRouter,
  member: Member,
  input: AdvertisementInput,
  now: Instant,
  reason: Reason,
  lastWord: readonly Effect[] = [],
): Outcome {
  const { priority, interval } = input.advertisement;
  return becomeBackup(router, member, now, reason, [...lastWord, { kind: 'removeAddresses' }], {
    interval: learnedInterval(router, interval),
    activeRouter: { source: input.source, priority, interval, at: now },
  });
}

/**
 * Two owners, and the one of lower address does not yield: after two of our own advertisements and 1.2 of the longer
 * interval we do, so that one remains. keepalived lowers itself to 254 then and yields for that reason, until the other
 * one stops or it is active again; we are backup at 255, so that our skew time is 1/256 of an interval (version 2: of a
 * second) shorter than its. Nothing else differs.
 */
function hearLesserOwner(
  router: VirtualRouter,
  member: Member,
  phase: Active,
  input: AdvertisementInput,
  now: Instant,
): Outcome {
  const heard = learnedInterval(router, input.advertisement.interval);
  const longer = Math.max(router.advertisementInterval, heard);
  const patience = 2 * router.advertisementInterval + Math.floor((longer * 6) / 5);
  const known = phase.ownerConflict;
  const lasting = known !== undefined && now - known.lastHeardAt <= patience;
  if (lasting && now >= known.yieldAt) {
    const { source: peer } = input;
    return yieldTo(router, member, input, now, { code: 'owner-conflict', peer, priority: OWNER_PRIORITY });
  }
  const ownerConflict: OwnerConflict = { yieldAt: lasting ? known.yieldAt : now + patience, lastHeardAt: now };
  return reassert(router, member, { ...phase, ownerConflict }, input, now);
}

/**
 * Somebody advertises who ought not to: RFC 9568 section 6.4.3 says to advertise at once (RFC 5798 did not, and it can
 * be turned off); keepalived announces as well, since frames may have gone to the other one, and again a while later.
 */
function reassert(
  router: VirtualRouter,
  member: Member,
  phase: Active,
  input: AdvertisementInput,
  now: Instant,
): Outcome {
  const { next, effects } = answerBurst(router, phase, now);
  const { priority } = input.advertisement;
  const said: readonly Effect[] = [...effects, { kind: 'lowerPriorityHeard', source: input.source, priority }];
  return router.lowerPriorityNoAdvertisement ? stay(member, next, said) : advertiseNow(router, member, next, now, said);
}

/** What another member of the sync group does when a member hears an advertisement of lower priority. */
export function announceAlong(router: VirtualRouter, member: Member, phase: Active, now: Instant): Outcome {
  const { next, effects } = answerBurst(router, phase, now);
  return next === phase ? unchanged(member) : stay(member, next, effects);
}

function answerBurst(
  router: VirtualRouter,
  phase: Active,
  now: Instant,
): { readonly next: Active; readonly effects: readonly Effect[] } {
  const { lowerPriorityRepeat: repeat } = router.announcements;
  if (repeat === 0) return { next: phase, effects: [] };
  // Deviation: docs/decisions/0014. A burst that would come too soon after another one waits.
  if (phase.answered !== undefined && now < phase.answered.at + ANSWER_BURST_PAUSE) {
    return { next: { ...phase, answered: { at: phase.answered.at, again: true } }, effects: [] };
  }
  return { next: afterAnswer(router, phase, now), effects: [{ kind: 'announceAddresses', repeat }] };
}

/** When the burst that waits its turn is due. */
export function nextAnswerAt({ answered }: Active): Instant | undefined {
  return answered?.again ? answered.at + ANSWER_BURST_PAUSE : undefined;
}

/** The phase after a burst in answer to an advertisement of lower priority: a second burst follows. */
function afterAnswer(router: VirtualRouter, phase: Active, now: Instant): Active {
  const { lowerPriorityRepeat, lowerPriorityDelay } = router.announcements;
  const next: Active = { ...phase, answered: { at: now, again: false } };
  if (lowerPriorityDelay === 0) return next;
  return {
    ...next,
    announceAt: Math.min(phase.announceAt ?? Number.POSITIVE_INFINITY, now + lowerPriorityDelay),
    announceRepeat: Math.max(phase.announceRepeat ?? 0, lowerPriorityRepeat),
  };
}

/** An advertisement in answer to another one, and `after` it whatever else is done. */
function advertiseNow(
  router: VirtualRouter,
  member: Member,
  phase: Active,
  now: Instant,
  after: readonly Effect[],
): Outcome {
  // Deviation: docs/decisions/0014. One that would come too soon after another one waits.
  const earliestAt = phase.lastAdvertAt + ANSWER_PAUSE;
  if (now < earliestAt) return stay(member, { ...phase, adverAt: Math.min(phase.adverAt, earliestAt) }, after);
  const advertise: Effect = { kind: 'advertise', priority: currentPriority(router, member.tracks) };
  const next = { ...phase, lastAdvertAt: now, adverAt: now + router.advertisementInterval };
  return stay(member, next, [advertise, ...after]);
}

function reconfigure(
  router: VirtualRouter,
  before: Member,
  phase: Active,
  previous: VirtualRouter,
  now: Instant,
): Outcome {
  const member = withTracksOf(router, before);
  const faults = failedTracks(router, member.tracks);
  if (faults.length > 0) return becomeFault(router, member, faults, RELEASE);

  const effects: Effect[] = [];
  const { renewAt, refreshAt, ...rest } = phase;
  const leaseChanged = router.leased !== previous.leased || leaseDuration(router) !== leaseDuration(previous);
  const { refresh } = router.announcements;
  const next: Active = {
    ...rest,
    ...(router.leased && {
      renewAt: leaseChanged || renewAt === undefined ? now + renewInterval(router) : renewAt,
    }),
    ...(refresh > 0 && { refreshAt: Math.min(refreshAt ?? Number.POSITIVE_INFINITY, now + refresh) }),
  };
  const addressesChanged = !sameAddresses(router.addresses, previous.addresses);
  if (addressesChanged) effects.push({ kind: 'syncAddresses' });
  if (leaseChanged) effects.push({ kind: 'renewAddresses' });
  if (addressesChanged && router.announcements.repeat > 0) {
    effects.push({ kind: 'announceAddresses', repeat: router.announcements.repeat });
  }
  const advertisedChanged =
    addressesChanged ||
    router.advertisementInterval !== previous.advertisementInterval ||
    router.version !== previous.version ||
    currentPriority(router, member.tracks) !== currentPriority(previous, before.tracks);
  if (!advertisedChanged) return stay(member, next, effects);
  // The others learn it at once, and our own silence counts from now, whatever the new interval makes of it.
  effects.push({ kind: 'advertise', priority: currentPriority(router, member.tracks) });
  return stay(member, { ...next, lastAdvertAt: now, adverAt: now + router.advertisementInterval }, effects);
}
