/**
 * The election: (parameters, member, input, now) -> (member, effects). Pure and total: it reads no clock, never throws,
 * and handles every pair of state and input.
 *
 *   initialize --startup--> backup --Active_Down_Timer--> active --better advertisement--> backup
 *        \___________________ fault <--- a weight-0 track fails --- any of them
 */
import { assertNever } from '../../proto/rules/assert-never.js';
import { nextAnswerAt, stepActive } from './active.js';
import { stepBackup } from './backup.js';
import { stepHandover } from './handover.js';
import { noticesOf, withNotices } from './notices.js';
import { currentPriority, failedTracks, OWNER_PRIORITY, pendingTracks } from './priority.js';
import type { Effect, Input, Member, Reason } from './state.js';
import { pauseLimit } from './timers.js';
import {
  becomeBackup,
  type Outcome,
  type PhaseOf,
  standUp,
  startUp,
  stay,
  stop,
  unchanged,
  withTrack,
  withTracksOf,
} from './transitions.js';
import type { Instant, VirtualRouter } from './virtual-router.js';

const TICK: Input = { kind: 'tick' };

/**
 * One step. Called by the election loop for every input; `now` is monotonic. Effects are to be carried out in their
 * order. An early or repeated tick changes nothing.
 */
export function step(router: VirtualRouter, member: Member, input: Input, now: Instant): Outcome {
  if (input.kind === 'addressConflict') return answerConflict(router, member, input, now);
  if (input.kind !== 'advertisement') return decide(router, member, input, now);
  const { phase } = member;
  if (phase.name === 'initialize' || phase.name === 'fault') return unchanged(member);
  if (isIgnored(router, member, input.advertisement.priority)) return decide(router, member, TICK, now);
  const outcome = decide(router, member, input, now);
  const notices = noticesOf(router, input);
  return notices.length === 0 ? outcome : withNotices(outcome, notices, input.source);
}

/** Looking for other holders has found one: said once. */
function answerConflict(router: VirtualRouter, member: Member, input: Input, now: Instant): Outcome {
  const isProbing = member.phase.name === 'backup' && member.phase.probing !== undefined;
  const outcome = decide(router, member, input, now);
  return isProbing ? withNotices(outcome, ['address-conflict']) : outcome;
}

/**
 * What an owner discards if it is told to. During a handover it listens for its successor; as backup it discards lower
 * priorities in any case, and only notes whom it is about to preempt.
 */
function isIgnored(router: VirtualRouter, { phase }: Member, priority: number): boolean {
  if (!router.ownerIgnoresAdvertisements || router.priority !== OWNER_PRIORITY) return false;
  if (phase.name === 'active') return phase.handover === undefined;
  return priority === 0 || priority === OWNER_PRIORITY;
}

/** When the runtime must next send a tick; undefined means never. */
export function nextDeadline(_router: VirtualRouter, member: Member): Instant | undefined {
  const { phase } = member;
  switch (phase.name) {
    case 'initialize':
    case 'fault':
      return undefined;
    case 'backup':
      return phase.activeDownAt;
    case 'active': {
      const { handover } = phase;
      if (handover === undefined) {
        const announces = earliest(earliest(phase.announceAt, phase.refreshAt), nextAnswerAt(phase));
        return earliest(earliest(phase.adverAt, phase.renewAt), announces);
      }
      return earliest(earliest(handover.until, handover.repeatAt), earliest(handover.releaseAt, phase.renewAt));
    }
    default:
      return assertNever(phase);
  }
}

function earliest(a: Instant | undefined, b: Instant | undefined): Instant | undefined {
  if (a === undefined) return b;
  return b === undefined || a <= b ? a : b;
}

function decide(router: VirtualRouter, member: Member, input: Input, now: Instant): Outcome {
  const { phase } = member;
  switch (phase.name) {
    case 'initialize':
      return stepInitialize(router, member, phase, input, now);
    case 'backup':
      return stepBackup(router, member, phase, input, now);
    case 'fault':
      return stepFault(router, member, input, now);
    case 'active': {
      if (phase.handover !== undefined) return stepHandover(router, member, phase, phase.handover, input, now);
      const paused = stepDownAfterPause(router, member, phase, input, now);
      return paused ?? stepActive(router, member, phase, input, now);
    }
    default:
      return assertNever(phase);
  }
}

/**
 * An active router that comes back from a pause looks at the clock before anything else: after its own lease or the
 * others' patience it steps down, silently, since somebody else is active by now.
 *
 * Deviation: docs/decisions/0002. RFC 9568 knows no pause.
 */
function stepDownAfterPause(
  router: VirtualRouter,
  member: Member,
  phase: PhaseOf<'active'>,
  input: Input,
  now: Instant,
): Outcome | undefined {
  const away = now - phase.lastAdvertAt;
  if (away <= router.advertisementInterval && input.kind !== 'reconfigured') return undefined;
  const timed = input.kind === 'reconfigured' ? input.previous : router;
  if (away <= pauseLimit(timed, currentPriority(timed, member.tracks))) return undefined;
  const effects: readonly Effect[] = [{ kind: 'removeAddresses' }, { kind: 'pausedTooLong', away }];
  const down = becomeBackup(timed, member, now, { code: 'paused' }, effects);
  const then = decide(router, down.member, input, now);
  return { member: then.member, effects: [...down.effects, ...then.effects] };
}

function stepInitialize(
  router: VirtualRouter,
  member: Member,
  phase: PhaseOf<'initialize'>,
  input: Input,
  now: Instant,
): Outcome {
  switch (input.kind) {
    case 'startup':
      return phase.started ? unchanged(member) : startUp(router, member, now, input.resume?.lastAdvertAt);
    case 'shutdown':
    case 'suspend':
      return phase.started ? stay(member, { name: 'initialize', started: false }) : unchanged(member);
    case 'track': {
      const tracked = withTrack(router, member, input.id, input.state);
      return phase.started ? standUp(router, tracked, now, checksReady(router)) : unchanged(tracked);
    }
    case 'reconfigured': {
      const tracked = withTracksOf(router, member);
      return phase.started ? standUp(router, tracked, now, checksReady(router)) : unchanged(tracked);
    }
    case 'tick':
    case 'advertisement':
    case 'announcementHeard':
    case 'addressLost':
    case 'addressConflict':
      return unchanged(member);
    default:
      return assertNever(input);
  }
}

function stepFault(router: VirtualRouter, member: Member, input: Input, now: Instant): Outcome {
  switch (input.kind) {
    case 'track':
      return standUp(router, withTrack(router, member, input.id, input.state), now, {
        code: 'tracks-recovered',
        tracks: [input.id],
      });
    case 'reconfigured':
      return standUp(router, withTracksOf(router, member), now, {
        code: 'tracks-recovered',
        tracks: failedTracks(input.previous, member.tracks),
      });
    case 'shutdown':
      return stop(router, member, { code: 'shutdown' });
    case 'suspend':
      return stop(router, member, { code: 'suspended' });
    case 'startup':
    case 'tick':
    case 'advertisement':
    case 'announcementHeard':
    case 'addressLost':
    case 'addressConflict':
      return unchanged(member);
    default:
      return assertNever(input);
  }
}

/** The tracks that held the start. */
function checksReady(router: VirtualRouter): Reason {
  return { code: 'checks-ready', tracks: pendingTracks(router, {}) };
}
