/**
 * One agent's stream as a pure state machine: (state, input, now) → (state, effects). It decides what to push, when to
 * ask for full state and when to end; the adapter (session-stream.ts) does it. Instants are milliseconds on a monotonic
 * clock.
 */
import type { BundleResult, Goodbye, SessionRequest } from '../../proto/gen/baton/v1/agent_service.js';
import type { Event } from '../../proto/gen/baton/v1/events.js';
import type { NodeStatus } from '../../proto/gen/baton/v1/status.js';
import { assertNever } from '../../proto/rules/assert-never.js';
import type { Millis } from '../../proto/rules/time.js';

/** A stream whose hello has not come by then is ended. */
const HELLO_WITHIN: Millis = 15_000;

/**
 * A refused bundle is pushed again this much later: what it was refused for may have gone, such as a full disk or an
 * interface that was not there yet, and nobody tells the controller.
 */
export const REFUSED_AGAIN_AFTER: Millis = 60_000;

/** Names of journals are short; anything longer is nonsense. */
const MAX_JOURNAL_LENGTH = 64;

/** Which bundle the node is to run. */
export interface WantedBundleIdentity {
  readonly generation: number;
  readonly hash: string;
}

export interface SessionState {
  readonly phase: 'awaiting-hello' | 'open' | 'ended';
  readonly helloBy: Millis;
  /** End of the certificate that opened the stream. */
  readonly certificateEndsAt: Millis;
  readonly journal: string;
  /** Sequence of the last report that was taken. */
  readonly statusSequence: number;
  /** Full state was asked for and has not come. */
  readonly awaitingFull: boolean;
  /** Hash of the bundle that the agent runs; empty: none. */
  readonly inForce: string;
  /** Absent while the node has no bundle, as when it was deleted. */
  readonly wanted: WantedBundleIdentity | undefined;
  /** The last push that has not been answered. */
  readonly outstanding: { readonly nonce: number; readonly bundle: WantedBundleIdentity } | undefined;
  /** What the agent refused last on this stream: not pushed again before `againAt` unless something else was wanted. */
  readonly refused: { readonly hash: string; readonly againAt: Millis } | undefined;
  readonly lastNonce: number;
}

export type EndCause = 'replaced' | 'revoked' | 'stopping';

export type SessionInput =
  | { readonly kind: 'message'; readonly message: SessionRequest }
  | { readonly kind: 'wanted'; readonly bundle: WantedBundleIdentity | undefined }
  | { readonly kind: 'tick' }
  | { readonly kind: 'end'; readonly cause: EndCause };

export type SessionEffect =
  | { readonly kind: 'welcome' }
  | { readonly kind: 'push'; readonly nonce: number; readonly bundle: WantedBundleIdentity }
  | { readonly kind: 'requestFullState'; readonly reason: string }
  /** The node's state: complete, or only what changed. */
  | { readonly kind: 'status'; readonly status: NodeStatus; readonly full: boolean }
  /** To be stored, then accepted up to the greatest sequence. */
  | { readonly kind: 'events'; readonly journal: string; readonly events: readonly Event[] }
  | { readonly kind: 'bundleAccepted'; readonly bundle: WantedBundleIdentity }
  | { readonly kind: 'bundleRefused'; readonly bundle: WantedBundleIdentity; readonly result: BundleResult }
  /** Something that a correct agent does not send; it changed nothing. */
  | { readonly kind: 'ignored'; readonly what: string }
  | { readonly kind: 'end'; readonly goodbye: Goodbye }
  /** The agent broke the protocol. */
  | { readonly kind: 'fail'; readonly reason: string };

export interface SessionStep {
  readonly state: SessionState;
  readonly effects: readonly SessionEffect[];
}

export function openSession(
  now: Millis,
  certificateEndsAt: Millis,
  wanted: WantedBundleIdentity | undefined,
): SessionState {
  return {
    phase: 'awaiting-hello',
    helloBy: now + HELLO_WITHIN,
    certificateEndsAt,
    journal: '',
    statusSequence: 0,
    awaitingFull: false,
    inForce: '',
    wanted,
    outstanding: undefined,
    refused: undefined,
    lastNonce: 0,
  };
}

/** Total: never throws. After the end nothing has an effect. */
export function stepSession(state: SessionState, input: SessionInput, now: Millis): SessionStep {
  if (state.phase === 'ended') return { state, effects: [] };
  switch (input.kind) {
    case 'message':
      return onMessage(state, input.message, now);
    case 'wanted':
      return push({ ...state, wanted: input.bundle }, []);
    case 'tick':
      return onTick(state, now);
    case 'end':
      return end(state, input.cause, END_REASONS[input.cause]);
    default:
      return assertNever(input);
  }
}

/** When a tick is due next; undefined once ended. */
export function nextSessionDeadline(state: SessionState): Millis | undefined {
  switch (state.phase) {
    case 'awaiting-hello':
      return Math.min(state.helloBy, state.certificateEndsAt);
    case 'open':
      return Math.min(state.certificateEndsAt, state.refused?.againAt ?? state.certificateEndsAt);
    case 'ended':
      return undefined;
    default:
      return assertNever(state.phase);
  }
}

const END_REASONS: Readonly<Record<EndCause, string>> = {
  replaced: 'another stream with the same certificate identity was opened; two agents must not share one identity',
  revoked: 'the node was deleted or joined again, and this certificate was revoked',
  stopping: 'the controller is stopping',
};

function onTick(state: SessionState, now: Millis): SessionStep {
  if (now >= state.certificateEndsAt) {
    return end(state, 'expired', 'the certificate that opened this stream has ended');
  }
  if (state.phase === 'awaiting-hello' && now >= state.helloBy) return fail(state, 'no hello came in time');
  const isDue = state.refused !== undefined && now >= state.refused.againAt;
  return isDue ? push({ ...state, refused: undefined }, []) : { state, effects: [] };
}

function onMessage(state: SessionState, request: SessionRequest, now: Millis): SessionStep {
  const message = request.message;
  if (state.phase === 'awaiting-hello' && message?.$case !== 'hello') {
    return fail(state, `the first message must be hello, not ${message?.$case ?? 'something unknown'}`);
  }
  // Perhaps a newer agent; what it says beyond our words is lost and harms nothing.
  if (message === undefined) return ignore(state, 'a message of an unknown kind');
  if (hasImpossibleTime(message.value)) return fail(state, `${message.$case} holds a time that no clock can show`);
  switch (message.$case) {
    case 'hello': {
      if (state.phase === 'open') return fail(state, 'hello came twice');
      const { journalId, status, statusSequence } = message.value;
      if (journalId === '' || journalId.length > MAX_JOURNAL_LENGTH)
        return fail(state, 'hello names no usable journal');
      if (status === undefined) return fail(state, 'hello carries no status');
      const inForce = status.bundle?.hash ?? '';
      const open: SessionState = { ...state, phase: 'open', journal: journalId, statusSequence, inForce };
      return push(open, [{ kind: 'welcome' }, { kind: 'status', status, full: true }]);
    }
    case 'status': {
      const { sequence, full, status } = message.value;
      if (status === undefined) return fail(state, 'a status report carries no status');
      if (!full && sequence <= state.statusSequence) return ignore(state, 'a status report that came before');
      if (!full && (state.awaitingFull || sequence !== state.statusSequence + 1)) {
        if (state.awaitingFull) return { state, effects: [] };
        const reason = `report ${sequence} came after report ${state.statusSequence}`;
        return { state: { ...state, awaitingFull: true }, effects: [{ kind: 'requestFullState', reason }] };
      }
      const inForce = status.bundle?.hash ?? (full ? '' : state.inForce);
      const next = { ...state, statusSequence: sequence, awaitingFull: false, inForce };
      const effects = [{ kind: 'status', status, full }] as const;
      // A report of changes may have been on its way when a bundle was accepted; a whole one says what runs.
      return full ? push(next, effects) : { state: next, effects };
    }
    case 'events': {
      const { events } = message.value;
      if (events.length === 0) return ignore(state, 'an empty batch of events');
      if (events.some((event) => event.sequence < 1)) return fail(state, 'an event has no sequence');
      return { state, effects: [{ kind: 'events', journal: state.journal, events }] };
    }
    case 'bundleResult':
      return onBundleResult(state, message.value, now);
    default:
      return assertNever(message);
  }
}

/**
 * A timestamp on the wire can lie beyond what a Date holds. Such a one can be encoded no more: neither stored, with the
 * states of all the other nodes, nor shown, with the overview that all operators look at.
 */
function hasImpossibleTime(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return false;
  if (value instanceof Date) return Number.isNaN(value.getTime());
  return Object.values(value).some(hasImpossibleTime);
}

function onBundleResult(state: SessionState, result: BundleResult, now: Millis): SessionStep {
  const { outstanding } = state;
  if (
    outstanding === undefined ||
    result.nonce !== outstanding.nonce ||
    result.bundle?.hash !== outstanding.bundle.hash
  ) {
    // Pushes are answered in order, so the answer to an earlier push is followed by the one that counts.
    return result.nonce <= state.lastNonce && result.nonce > 0
      ? { state, effects: [] }
      : ignore(state, 'an answer to a bundle that was not pushed');
  }
  const answered: SessionState = { ...state, outstanding: undefined };
  const { bundle } = outstanding;
  if (result.accepted) {
    return push({ ...answered, inForce: bundle.hash, refused: undefined }, [{ kind: 'bundleAccepted', bundle }]);
  }
  const refused = { hash: bundle.hash, againAt: now + REFUSED_AGAIN_AFTER };
  return push({ ...answered, refused }, [{ kind: 'bundleRefused', bundle, result }]);
}

/**
 * Adds a push where one is due: something else is wanted than what was pushed last, or else runs. So what runs is pushed
 * after a refused bundle: the agent learns that the refused one is wanted no more.
 */
function push(state: SessionState, effects: readonly SessionEffect[]): SessionStep {
  const { wanted, outstanding } = state;
  if (state.phase !== 'open' || wanted === undefined) return { state, effects };
  const hash = outstanding?.bundle.hash ?? state.refused?.hash ?? state.inForce;
  if (wanted.hash === hash) return { state, effects };
  const nonce = state.lastNonce + 1;
  return {
    state: { ...state, lastNonce: nonce, outstanding: { nonce, bundle: wanted }, refused: undefined },
    effects: [...effects, { kind: 'push', nonce, bundle: wanted }],
  };
}

function end(state: SessionState, code: string, reason: string): SessionStep {
  return { state: { ...state, phase: 'ended' }, effects: [{ kind: 'end', goodbye: { code, reason } }] };
}

function fail(state: SessionState, reason: string): SessionStep {
  return { state: { ...state, phase: 'ended' }, effects: [{ kind: 'fail', reason }] };
}

function ignore(state: SessionState, what: string): SessionStep {
  return { state, effects: [{ kind: 'ignored', what }] };
}
