/**
 * One BFD session in asynchronous mode without echo (RFC 5880 section 6.8): (settings, state, input, now) ->
 * (state, effects). Pure and total: it reads no clock and draws no random number.
 *
 *   down --hears down--> init --hears init or up--> up
 *   down --hears init--> up          init, up --hears nothing, or that the neighbour is down--> down
 */
import { assertNever } from '../../proto/rules/assert-never.js';
import { type Instant, MICROS_PER_SECOND, type Micros } from '../../proto/rules/time.js';
import type { BfdState, ControlPacket } from './packet.js';
import type { BfdSessionSettings } from './settings.js';

/** The names are RFC 5880 section 6.8.1's, without "bfd.". */
export interface BfdSession {
  readonly sessionState: BfdState;
  readonly localDiag: number;
  readonly localDiscr: number;
  readonly remoteSessionState: BfdState;
  readonly remoteDiag: number;
  /** 0: unknown. */
  readonly remoteDiscr: number;
  readonly remoteMinRx: Micros;
  readonly remoteDesiredMinTx: Micros;
  readonly remoteMultiplier: number;
  readonly remoteDemand: boolean;
  /** What we say and, but for the time of a poll, go by. */
  readonly desiredMinTx: Micros;
  readonly requiredMinRx: Micros;
  /** While the neighbour has not confirmed other values: those that are still gone by. */
  readonly polling?: { readonly desiredMinTx: Micros; readonly requiredMinRx: Micros };
  /** Next periodic packet; absent: none is sent. */
  readonly transmitAt?: Instant;
  /** Silence until then ends the session; absent: nothing was heard. */
  readonly detectAt?: Instant;
  /** Of a small generator that jitters the transmit interval. */
  readonly seed: number;
}

export type BfdInput =
  | { readonly kind: 'tick' }
  | { readonly kind: 'packet'; readonly packet: ControlPacket }
  | { readonly kind: 'reconfigured' }
  /** Administratively down, to be said once before the session is forgotten. */
  | { readonly kind: 'shutdown' };

export type BfdEffect =
  | { readonly kind: 'send'; readonly packet: ControlPacket }
  | { readonly kind: 'stateChanged'; readonly from: BfdState; readonly to: BfdState; readonly diagnostic: number };

export interface BfdOutcome {
  readonly session: BfdSession;
  readonly effects: readonly BfdEffect[];
}

const NO_DIAGNOSTIC = 0;
const DETECTION_TIME_EXPIRED = 1;
const NEIGHBOR_SIGNALED_DOWN = 3;
const ADMINISTRATIVELY_DOWN = 7;
/** RFC 5880 section 6.8.1: bfd.RemoteMinRxInterval is 1 until the neighbour has said its own. */
const UNKNOWN_MIN_RX: Micros = 1;
/** RFC 5880 section 6.8.3: not up, packets are at least this far apart. */
const SLOWEST: Micros = MICROS_PER_SECOND;

/**
 * @param discriminator unique among the sessions of this host, not 0
 * @param seed of the jitter
 */
export function initialSession(
  settings: BfdSessionSettings,
  discriminator: number,
  seed: number,
  now: Instant,
): BfdSession {
  return {
    sessionState: 'down',
    localDiag: NO_DIAGNOSTIC,
    localDiscr: discriminator,
    remoteSessionState: 'down',
    remoteDiag: NO_DIAGNOSTIC,
    remoteDiscr: 0,
    remoteMinRx: UNKNOWN_MIN_RX,
    remoteDesiredMinTx: 0,
    remoteMultiplier: 0,
    remoteDemand: false,
    desiredMinTx: idleInterval(settings),
    requiredMinRx: settings.minRx,
    // A passive one begins when it is spoken to.
    ...(settings.passive ? {} : { transmitAt: now }),
    seed,
  };
}

export function stepBfd(settings: BfdSessionSettings, session: BfdSession, input: BfdInput, now: Instant): BfdOutcome {
  switch (input.kind) {
    case 'tick':
      return tick(settings, session, now);
    case 'packet':
      return hear(settings, session, input.packet, now);
    case 'reconfigured':
      return reconfigure(settings, session, now);
    case 'shutdown': {
      const down: BfdSession = { ...session, sessionState: 'admin-down', localDiag: ADMINISTRATIVELY_DOWN };
      const { transmitAt: _transmit, detectAt: _detect, ...silent } = down;
      return { session: silent, effects: [{ kind: 'send', packet: packetOf(settings, down, false) }] };
    }
    default:
      return assertNever(input);
  }
}

/** When the next tick is due; undefined means never. */
export function nextBfdDeadline({ transmitAt, detectAt }: BfdSession): Instant | undefined {
  if (transmitAt === undefined) return detectAt;
  return detectAt === undefined ? transmitAt : Math.min(transmitAt, detectAt);
}

/** RFC 5880 section 6.8.4, for asynchronous mode. 0 while nothing was heard. */
export function detectionTime(session: BfdSession): Micros {
  const requiredMinRx = session.polling?.requiredMinRx ?? session.requiredMinRx;
  return session.remoteMultiplier * Math.max(requiredMinRx, session.remoteDesiredMinTx);
}

/** RFC 5880 section 6.8.7, before jitter. */
export function transmitInterval(session: BfdSession): Micros {
  return Math.max(session.polling?.desiredMinTx ?? session.desiredMinTx, session.remoteMinRx);
}

function tick(settings: BfdSessionSettings, before: BfdSession, now: Instant): BfdOutcome {
  const effects: BfdEffect[] = [];
  let session = before;
  if (session.detectAt !== undefined && now >= session.detectAt) {
    const { detectAt: _expired, ...rest } = session;
    // Section 6.8.1: after a detection time of silence the neighbour's discriminator is forgotten.
    session = {
      ...rest,
      remoteDiscr: 0,
      remoteSessionState: 'down',
      remoteMinRx: UNKNOWN_MIN_RX,
      remoteDemand: false,
    };
    const wasHeard = session.sessionState === 'init' || session.sessionState === 'up';
    if (wasHeard) session = enter(settings, session, 'down', DETECTION_TIME_EXPIRED, effects);
    if (settings.passive) session = silent(session);
    // The neighbour, which may hear us still, learns it at once.
    else session = wasHeard ? { ...session, transmitAt: now } : replanned(session, now);
  }
  if (session.transmitAt !== undefined && now >= session.transmitAt) {
    effects.push({ kind: 'send', packet: packetOf(settings, session, false) });
    session = planned(settings, session, now);
  }
  return session === before ? { session, effects: [] } : { session, effects };
}

/** RFC 5880 section 6.8.6, from where the session is known. */
function hear(settings: BfdSessionSettings, before: BfdSession, packet: ControlPacket, now: Instant): BfdOutcome {
  if (before.sessionState === 'admin-down') return { session: before, effects: [] };
  const effects: BfdEffect[] = [];
  let session: BfdSession = {
    ...before,
    remoteDiscr: packet.myDiscriminator,
    remoteSessionState: packet.state,
    remoteDiag: packet.diagnostic,
    remoteDemand: packet.demand,
    remoteMinRx: packet.requiredMinRx,
    remoteDesiredMinTx: packet.desiredMinTx,
    remoteMultiplier: packet.multiplier,
  };
  if (packet.final && session.polling !== undefined) {
    const { polling: _confirmed, ...rest } = session;
    session = rest;
  }
  const next = nextState(session.sessionState, packet.state);
  if (next !== undefined) {
    const diagnostic = next === 'down' ? NEIGHBOR_SIGNALED_DOWN : NO_DIAGNOSTIC;
    session = enter(settings, session, next, diagnostic, effects);
  }
  session = { ...session, detectAt: now + detectionTime(session) };
  if (packet.poll) effects.push({ kind: 'send', packet: packetOf(settings, session, true) });
  // A neighbour in demand mode wants no periodic packets while both are up (section 6.8.7), nor one that can hear none.
  const isDemanded = session.remoteDemand && session.sessionState === 'up' && session.remoteSessionState === 'up';
  if ((isDemanded && session.polling === undefined) || session.remoteMinRx === 0) session = silent(session);
  else if (next !== undefined || session.transmitAt === undefined) {
    // A change is told soon, which section 6.8.7 recommends; the neighbour's patience is not tried by more packets than
    // there are changes.
    session = { ...session, transmitAt: now };
  } else if (transmitInterval(session) !== transmitInterval(before)) session = replanned(session, now);
  return { session, effects };
}

/** The state that the neighbour's state leads to; undefined: no change. */
function nextState(own: BfdState, remote: BfdState): BfdState | undefined {
  if (remote === 'admin-down') return own === 'down' ? undefined : 'down';
  switch (own) {
    case 'down':
      if (remote === 'down') return 'init';
      return remote === 'init' ? 'up' : undefined;
    case 'init':
      return remote === 'init' || remote === 'up' ? 'up' : undefined;
    case 'up':
      return remote === 'down' ? 'down' : undefined;
    case 'admin-down':
      return undefined;
    default:
      return assertNever(own);
  }
}

/** Another state; the interval that goes with it is asked for by a poll where the neighbour must agree. */
function enter(
  settings: BfdSessionSettings,
  session: BfdSession,
  to: BfdState,
  diagnostic: number,
  effects: BfdEffect[],
): BfdSession {
  effects.push({ kind: 'stateChanged', from: session.sessionState, to, diagnostic });
  const next = { ...session, sessionState: to, localDiag: to === 'up' ? NO_DIAGNOSTIC : diagnostic };
  if (to === 'up') return changeTimes(next, settings.minTx, settings.minRx, true);
  return changeTimes(next, idleInterval(settings), settings.minRx, false);
}

/**
 * New intervals. Up, they are told by a poll; until the neighbour has answered, a longer transmit interval and a shorter
 * receive interval are not gone by, since the neighbour's detection time still counts on the former ones (section 6.8.3).
 */
function changeTimes(session: BfdSession, desiredMinTx: Micros, requiredMinRx: Micros, isUp: boolean): BfdSession {
  if (session.desiredMinTx === desiredMinTx && session.requiredMinRx === requiredMinRx) return session;
  const { polling, ...rest } = session;
  const next = { ...rest, desiredMinTx, requiredMinRx };
  if (!isUp) return next;
  return {
    ...next,
    polling: {
      desiredMinTx: Math.min(desiredMinTx, polling?.desiredMinTx ?? session.desiredMinTx),
      requiredMinRx: Math.max(requiredMinRx, polling?.requiredMinRx ?? session.requiredMinRx),
    },
  };
}

function reconfigure(settings: BfdSessionSettings, before: BfdSession, now: Instant): BfdOutcome {
  const isUp = before.sessionState === 'up';
  const session = changeTimes(before, isUp ? settings.minTx : idleInterval(settings), settings.minRx, isUp);
  if (session === before) return { session, effects: [] };
  return { session: session.transmitAt === undefined ? session : { ...session, transmitAt: now }, effects: [] };
}

function idleInterval({ idleTx }: BfdSessionSettings): Micros {
  return Math.max(SLOWEST, idleTx);
}

function packetOf(settings: BfdSessionSettings, session: BfdSession, final: boolean): ControlPacket {
  return {
    diagnostic: session.localDiag,
    state: session.sessionState,
    // Section 6.8.7: never both.
    poll: !final && session.polling !== undefined,
    final,
    demand: false,
    multiplier: settings.multiplier,
    myDiscriminator: session.localDiscr,
    yourDiscriminator: session.remoteDiscr,
    desiredMinTx: session.desiredMinTx,
    requiredMinRx: session.requiredMinRx,
    requiredMinEchoRx: 0,
  };
}

function silent({ transmitAt: _none, ...session }: BfdSession): BfdSession {
  return session;
}

/** The next packet after one was sent: 75 to 100 % of the interval, with a multiplier of 1 at most 90 % (section 6.8.7). */
function planned(settings: BfdSessionSettings, session: BfdSession, now: Instant): BfdSession {
  const seed = nextSeed(session.seed);
  const most = settings.multiplier === 1 ? 0.9 : 1;
  const part = 0.75 + (most - 0.75) * (seed / 0x1_0000_0000);
  return { ...session, seed, transmitAt: now + Math.floor(transmitInterval(session) * part) };
}

/** The interval became another one: what is due later than that is brought forward. */
function replanned(session: BfdSession, now: Instant): BfdSession {
  const latest = now + transmitInterval(session);
  return { ...session, transmitAt: Math.min(session.transmitAt ?? now, latest) };
}

/** xorshift32 (Marsaglia 2003); never 0 from a seed that is not. */
function nextSeed(seed: number): number {
  let next = seed === 0 ? 0x9e3779b9 : seed;
  next ^= next << 13;
  next ^= next >>> 17;
  next ^= next << 5;
  return next >>> 0;
}
