/**
 * The gRPC side of one agent's session: feeds the pure core and carries out its effects in order. One message is
 * handled whole, with everything it has stored, before the next is read, so an agent cannot outrun the store. What is
 * sent waits in slots that newer content replaces, so an agent that does not read costs no memory.
 */
import { performance } from 'node:perf_hooks';
import { type ServerDuplexStream, status } from '@grpc/grpc-js';
import type { BundleResult, SessionRequest, SessionResponse } from '../../proto/gen/baton/v1/agent_service.js';
import type { Event } from '../../proto/gen/baton/v1/events.js';
import type { NodeStatus } from '../../proto/gen/baton/v1/status.js';
import type { Logger } from '../../proto/process/logger.js';
import { assertNever } from '../../proto/rules/assert-never.js';
import {
  type EndCause,
  nextSessionDeadline,
  openSession,
  type SessionEffect,
  type SessionInput,
  type SessionState,
  stepSession,
  type WantedBundleIdentity,
} from './session.js';

export type SessionCall = ServerDuplexStream<SessionRequest, SessionResponse>;

/** A stream that was told to end is cut this much later if the agent does not end it, in milliseconds. */
const END_WITHIN_MS = 3_000;

/** setTimeout takes no more than this. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** What a stream asks of the rest of the controller. */
export interface SessionDuties {
  readonly now: () => Date;
  readonly log: Logger;
  /** Name of the node, for the welcome. */
  readonly node: string;
  /** The content of the bundle; undefined when something newer is wanted by now. */
  readonly bundle: (hash: string) => Promise<Uint8Array | undefined>;
  readonly opened: () => void;
  /** @returns why the report is not taken, which ends the stream; undefined when it is */
  readonly status: (status: NodeStatus, full: boolean) => string | undefined;
  /** Resolves when the events are stored. */
  readonly events: (journal: string, events: readonly Event[]) => Promise<void>;
  readonly bundleAccepted: (bundle: WantedBundleIdentity) => Promise<void>;
  readonly bundleRefused: (bundle: WantedBundleIdentity, result: BundleResult) => Promise<void>;
  /** Called once, after the last effect. */
  readonly closed: () => void;
}

type Slot = 'welcome' | 'bundlePush' | 'eventsAccepted' | 'fullStateRequest' | 'goodbye';

export class SessionStream {
  readonly #call: SessionCall;
  readonly #duties: SessionDuties;
  #state: SessionState;
  /** Effects are carried out one after the other, whichever input they came from. */
  #work: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  /** What waits for the agent to read, at most one of each kind, in the order in which it is to be sent. */
  readonly #slots = new Map<Slot, SessionResponse>();
  #writing = false;
  #ending = false;

  /** @param certificateEndsAt Milliseconds of Unix time. */
  constructor(
    call: SessionCall,
    certificateEndsAt: number,
    wanted: WantedBundleIdentity | undefined,
    duties: SessionDuties,
  ) {
    this.#call = call;
    this.#duties = duties;
    const now = performance.now();
    this.#state = openSession(now, now + (certificateEndsAt - duties.now().getTime()), wanted);
  }

  /** Resolves when the stream is over; never rejects. */
  async run(): Promise<void> {
    this.#arm();
    try {
      for await (const message of this.#call.iterator({ destroyOnReturn: false })) {
        this.#input({ kind: 'message', message: message as SessionRequest });
        await this.#work;
        if (this.#ending) break;
      }
    } catch (error) {
      // The connection was lost or cut; which of the two is of no consequence.
      this.#duties.log.debug({ err: error }, 'session stream broke');
    }
    this.#state = { ...this.#state, phase: 'ended' };
    clearTimeout(this.#timer);
    await this.#work;
    if (!this.#call.destroyed && !this.#ending) this.#call.end();
    this.#duties.closed();
  }

  wanted(bundle: WantedBundleIdentity | undefined): void {
    this.#input({ kind: 'wanted', bundle });
  }

  end(cause: EndCause): void {
    this.#input({ kind: 'end', cause });
  }

  #input(input: SessionInput): void {
    const { state, effects } = stepSession(this.#state, input, performance.now());
    this.#state = state;
    this.#arm();
    for (const effect of effects) {
      this.#work = this.#work.then(() => this.#perform(effect)).catch((error: unknown) => this.#broke(effect, error));
    }
  }

  #arm(): void {
    clearTimeout(this.#timer);
    const deadline = nextSessionDeadline(this.#state);
    if (deadline === undefined) return;
    const wait = Math.min(Math.max(0, deadline - performance.now()), LONGEST_TIMER_MS);
    this.#timer = setTimeout(() => this.#input({ kind: 'tick' }), Math.ceil(wait));
    this.#timer.unref();
  }

  async #perform(effect: SessionEffect): Promise<void> {
    switch (effect.kind) {
      case 'welcome':
        this.#duties.opened();
        this.#send('welcome', {
          message: { $case: 'welcome', value: { node: this.#duties.node, controllerTime: this.#duties.now() } },
        });
        return;
      case 'push': {
        const content = await this.#duties.bundle(effect.bundle.hash);
        if (content === undefined) return;
        const value = { nonce: effect.nonce, bundle: effect.bundle, content: Buffer.from(content) };
        this.#send('bundlePush', { message: { $case: 'bundlePush', value } });
        return;
      }
      case 'requestFullState':
        this.#send('fullStateRequest', { message: { $case: 'fullStateRequest', value: { reason: effect.reason } } });
        return;
      case 'status': {
        const reason = this.#duties.status(effect.status, effect.full);
        if (reason === undefined) return;
        this.#duties.log.warn({ detail: reason }, 'agent reports more than is kept of one node');
        this.#fail(status.RESOURCE_EXHAUSTED, reason);
        return;
      }
      case 'events': {
        await this.#duties.events(effect.journal, effect.events);
        const throughSequence = effect.events.reduce((greatest, event) => Math.max(greatest, event.sequence), 0);
        this.#send('eventsAccepted', { message: { $case: 'eventsAccepted', value: { throughSequence } } });
        return;
      }
      case 'bundleAccepted':
        await this.#duties.bundleAccepted(effect.bundle);
        return;
      case 'bundleRefused':
        await this.#duties.bundleRefused(effect.bundle, effect.result);
        return;
      case 'ignored':
        this.#duties.log.warn({ detail: effect.what }, 'agent sent something unexpected; ignored');
        return;
      case 'end':
        this.#duties.log.info({ code: effect.goodbye.code, cause: effect.goodbye.reason }, 'ending agent session');
        this.#send('goodbye', { message: { $case: 'goodbye', value: effect.goodbye } });
        this.#finish();
        return;
      case 'fail':
        this.#duties.log.warn({ detail: effect.reason }, 'agent broke the session protocol');
        this.#fail(status.INVALID_ARGUMENT, effect.reason);
        return;
      default:
        assertNever(effect);
    }
  }

  /** The store failed: the agent keeps what it has and comes again. */
  #broke(effect: SessionEffect, error: unknown): void {
    this.#duties.log.error({ err: error, detail: effect.kind }, 'agent session failed');
    this.#fail(status.UNAVAILABLE, 'the controller could not store what was sent; send it again');
  }

  #fail(code: status, details: string): void {
    if (this.#ending || this.#call.destroyed) return;
    this.#state = { ...this.#state, phase: 'ended' };
    this.#slots.clear();
    this.#call.emit('error', { code, details, metadata: null });
    this.#finish();
  }

  #send(slot: Slot, response: SessionResponse): void {
    if (this.#ending) return;
    this.#slots.delete(slot);
    this.#slots.set(slot, response);
    this.#flush();
  }

  #flush(): void {
    const next = this.#slots.entries().next();
    if (this.#writing || next.done === true) return;
    if (this.#call.destroyed || this.#call.writableEnded) {
      this.#slots.clear();
      return;
    }
    const [slot, response] = next.value;
    this.#slots.delete(slot);
    this.#writing = true;
    // The callback comes when the agent's flow-control window has taken the message.
    this.#call.write(response, () => {
      this.#writing = false;
      if (this.#ending && this.#slots.size === 0) this.#call.end();
      else this.#flush();
    });
  }

  /** Lets what is in the slots go out, then ends; an agent that does not read is cut. */
  #finish(): void {
    this.#ending = true;
    clearTimeout(this.#timer);
    if (!this.#writing && this.#slots.size === 0 && !this.#call.destroyed) this.#call.end();
    setTimeout(() => this.#call.destroy(), END_WITHIN_MS).unref();
  }
}
