/**
 * Moves from one state to another, each with the effects that belong to it. What causes them is decided in the files
 * named after the states.
 */
import { currentPriority, failedTracks, OWNER_PRIORITY, pendingTracks } from './priority.js';
import type { Effect, Heard, Member, Phase, Reason } from './state.js';
import { activeDownInterval, PROBE_TIME, pauseLimit, renewInterval } from './timers.js';
import type { Instant, Micros, TrackState, VirtualRouter } from './virtual-router.js';

export interface Outcome {
  readonly member: Member;
  readonly effects: readonly Effect[];
}

export type PhaseOf<Name extends Phase['name']> = Extract<Phase, { readonly name: Name }>;

const NO_EFFECTS: readonly Effect[] = [];
const NOTHING_NOTICED: Member['noticed'] = [];

/** The member before its start. */
export function initialMember(_router: VirtualRouter): Member {
  return { phase: { name: 'initialize', started: false }, tracks: {}, noticed: NOTHING_NOTICED };
}

/** Nothing happens. */
export function unchanged(member: Member): Outcome {
  return { member, effects: NO_EFFECTS };
}

/** Another phase of the same state. */
export function stay(member: Member, phase: Phase, effects: readonly Effect[] = NO_EFFECTS): Outcome {
  return { member: { phase, tracks: member.tracks, noticed: member.noticed }, effects };
}

/** Another state: its effects, then the report of the transition. */
function enter(
  router: VirtualRouter,
  member: Member,
  phase: Phase,
  reason: Reason,
  effects: readonly Effect[] = NO_EFFECTS,
): Outcome {
  const transitioned: Effect = {
    kind: 'transitioned',
    from: member.phase.name,
    to: phase.name,
    reason,
    effectivePriority: currentPriority(router, member.tracks),
  };
  return {
    member: { phase, tracks: member.tracks, noticed: NOTHING_NOTICED },
    effects: [...effects, transitioned],
  };
}

/**
 * To active. Addresses work and are announced before the advertisement that makes a predecessor let go of them; the
 * first round is enough for that, the rest of the burst follows.
 *
 * Deviation: docs/decisions/0005. RFC 9568 section 6.4.2 advertises first.
 */
export function becomeActive(
  router: VirtualRouter,
  member: Member,
  now: Instant,
  reason: Reason,
  probe = false,
): Outcome {
  const { repeat } = router.announcements;
  const effects: Effect[] = [];
  if (probe) effects.push({ kind: 'probeAddresses' });
  effects.push({ kind: 'addAddresses' });
  if (repeat > 0) effects.push({ kind: 'announceAddresses', repeat: 1 });
  effects.push({ kind: 'advertise', priority: currentPriority(router, member.tracks) });
  if (repeat > 1) effects.push({ kind: 'announceAddresses', repeat: repeat - 1 });
  return enter(router, member, newlyActive(router, now), reason, effects);
}

/**
 * To active where the process before this one was suspended. Nobody has taken over, so what presses is the
 * advertisement; the addresses are there, unless their lease has just run out.
 */
function resumeActive(router: VirtualRouter, member: Member, now: Instant): Outcome {
  const { repeat } = router.announcements;
  const effects: Effect[] = [
    { kind: 'advertise', priority: currentPriority(router, member.tracks) },
    { kind: 'addAddresses' },
  ];
  if (repeat > 0) effects.push({ kind: 'announceAddresses', repeat });
  return enter(router, member, newlyActive(router, now), { code: 'resumed' }, effects);
}

function newlyActive(router: VirtualRouter, now: Instant): PhaseOf<'active'> {
  const { repeat, delay, refresh } = router.announcements;
  return {
    name: 'active',
    lastAdvertAt: now,
    adverAt: now + router.advertisementInterval,
    ...(delay > 0 && repeat > 0 && { announceAt: now + delay, announceRepeat: repeat }),
    ...(refresh > 0 && { refreshAt: now + refresh }),
    ...(router.leased && { renewAt: now + renewInterval(router) }),
  };
}

/** What a router that becomes backup knows of the one that is active. */
export interface Known {
  readonly interval: Micros;
  readonly activeRouter: Heard;
}

/** To backup, with a whole down timer: at the interval of the router that is active if one was heard, else at our own. */
export function becomeBackup(
  router: VirtualRouter,
  member: Member,
  now: Instant,
  reason: Reason,
  effects: readonly Effect[] = NO_EFFECTS,
  known?: Known,
): Outcome {
  const interval = known?.interval ?? router.advertisementInterval;
  const phase: PhaseOf<'backup'> = {
    name: 'backup',
    activeDownAt: now + activeDownInterval(router, currentPriority(router, member.tracks), interval),
    activeAdverInterval: interval,
    ...(known && { activeRouter: known.activeRouter }),
  };
  return enter(router, member, phase, reason, effects);
}

/** To fault, for these tracks. */
export function becomeFault(
  router: VirtualRouter,
  member: Member,
  tracks: readonly string[],
  effects: readonly Effect[] = NO_EFFECTS,
): Outcome {
  return enter(router, member, { name: 'fault' }, { code: 'track-failed', tracks }, effects);
}

/**
 * Whether other holders are looked for at all on becoming active for this reason: whoever is taken over from still
 * answers, as it should (decision 0011).
 */
export function isProbed({ duplicateProbe }: VirtualRouter, { code }: Reason): boolean {
  return duplicateProbe !== 'off' && code !== 'preempted' && code !== 'priority-zero-heard';
}

/** To fault although no track of its own asks for it: another member of its sync group is there. */
export function holdInFault(
  router: VirtualRouter,
  member: Member,
  reason: Reason,
  effects: readonly Effect[] = NO_EFFECTS,
): Outcome {
  return enter(router, member, { name: 'fault' }, reason, effects);
}

/**
 * Backup that waits for answers to its probe before it becomes active for this reason (decision 0011).
 */
export function probeFirst(member: Member, phase: PhaseOf<'backup'>, now: Instant, reason: Reason): Outcome {
  const { listening: _listened, ...rest } = phase;
  const probing: Phase = { ...rest, activeDownAt: now + PROBE_TIME, probing: { reason } };
  return stay(member, probing, [{ kind: 'probeAddresses' }]);
}

/** To initialize: stopped. */
export function stop(
  router: VirtualRouter,
  member: Member,
  reason: Reason,
  effects: readonly Effect[] = NO_EFFECTS,
): Outcome {
  return enter(router, member, { name: 'initialize', started: false }, reason, effects);
}

/**
 * From initialize or fault to wherever the tracks allow. Staying where we are is no transition.
 *
 * @param reason why, if it becomes backup
 */
export function standUp(router: VirtualRouter, member: Member, now: Instant, reason: Reason): Outcome {
  const from = member.phase.name;
  const faults = failedTracks(router, member.tracks);
  if (faults.length > 0) return from === 'fault' ? unchanged(member) : becomeFault(router, member, faults);
  const pending = pendingTracks(router, member.tracks);
  if (pending.length > 0) {
    const held: Phase = { name: 'initialize', started: true };
    if (from === 'initialize') return stay(member, held);
    return enter(router, member, held, { code: 'checks-pending', tracks: pending });
  }
  // RFC 9568 section 6.4.1: the owner becomes active at startup. After a fault it listens first, as keepalived does.
  if (router.priority === OWNER_PRIORITY && from === 'initialize') {
    const own: Reason = { code: 'owner-startup' };
    if (router.duplicateProbe === 'refuse') return probingBackup(router, member, now, reason, own);
    return becomeActive(router, member, now, own, isProbed(router, own));
  }
  return becomeBackup(router, member, now, reason);
}

function probingBackup(router: VirtualRouter, member: Member, now: Instant, reason: Reason, own: Reason): Outcome {
  const backup = becomeBackup(router, member, now, reason);
  const { phase } = backup.member;
  if (phase.name !== 'backup') return backup;
  return joined(backup, probeFirst(backup.member, phase, now, own));
}

/**
 * From initialize: as the process before this one left it, if that was not too long ago, else as at any start. A check
 * that has no result yet does not hold a router that runs.
 */
export function startUp(
  router: VirtualRouter,
  member: Member,
  now: Instant,
  lastAdvertAt: Instant | undefined,
): Outcome {
  const started = { code: 'startup' } as const;
  const away = lastAdvertAt === undefined ? -1 : now - lastAdvertAt;
  const isInTime = away >= 0 && away <= pauseLimit(router, currentPriority(router, member.tracks));
  if (!isInTime) return standUp(router, member, now, started);
  const faults = failedTracks(router, member.tracks);
  // To the others we are still active: they are not to wait for a whole down interval.
  if (faults.length > 0) return becomeFault(router, member, faults, [{ kind: 'advertise', priority: 0 }]);
  return resumeActive(router, member, now);
}

/** Both, one after the other. */
export function joined(first: Outcome, second: Outcome): Outcome {
  return { member: second.member, effects: [...first.effects, ...second.effects] };
}

/**
 * The member with this track's state; the same object when nothing changed. A track that the router does not have is
 * not remembered, so the record stays as small as the configuration.
 */
export function withTrack(router: VirtualRouter, member: Member, id: string, state: TrackState): Member {
  if ((member.tracks[id] ?? 'unknown') === state) return member;
  if (!router.tracks.some((track) => track.id === id)) return member;
  return { ...member, tracks: { ...member.tracks, [id]: state } };
}

/** The member with the states of the tracks that the router still has. */
export function withTracksOf(router: VirtualRouter, member: Member): Member {
  const tracks: Record<string, TrackState> = {};
  for (const { id } of router.tracks) {
    const state = member.tracks[id];
    if (state !== undefined) tracks[id] = state;
  }
  return { ...member, tracks };
}
