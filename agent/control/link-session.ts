/**
 * One stream to one controller, from dialling to its end. Everything that is sent is bounded: one batch of events at a
 * time, one bundle being applied and at most one waiting, and status reports that turn into one full report when the
 * controller reads slowly.
 */
import { createHash } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { type ClientDuplexStream, status as grpcStatus, type ServiceError } from '@grpc/grpc-js';
import {
  AgentServiceClient,
  type BundlePush,
  type Goodbye,
  type SessionRequest,
  type SessionResponse,
} from '../../proto/gen/baton/v1/agent_service.js';
import { Event } from '../../proto/gen/baton/v1/events.js';
import type { NodeStatus } from '../../proto/gen/baton/v1/status.js';
import { formatHostPort, type HostPort } from '../../proto/process/host-port.js';
import type { Logger } from '../../proto/process/logger.js';
import { secureChannel } from '../../proto/process/secure-channel.js';
import type { AgentSide, BundleVerdict, Unsubscribe } from '../local/agent-side.js';
import { describeCallFailure } from './call-failure.js';
import type { NodeIdentity } from './node-identity.js';

/** The controller must have said welcome by then, in milliseconds. */
const WELCOME_WITHIN_MS = 15_000;
/** A controller that does not answer is noticed within the sum of the two, in milliseconds. */
const KEEPALIVE_TIME_MS = 10_000;
const KEEPALIVE_TIMEOUT_MS = 5_000;
const MAX_RECEIVE_BYTES = 16 * 1024 * 1024;
/** One batch of events: so many, and about so many bytes. */
const BATCH_EVENTS = 500;
const BATCH_BYTES = 512 * 1024;
/** How long an end waits for the controller to take what is still pending, in milliseconds. */
const FLUSH_WITHIN_MS = 1_500;
/** How long an end waits for the state that it leaves the controller with, in milliseconds. */
const LAST_STATE_WITHIN_MS = 500;
/** How long an end waits for the controller to end its half, in milliseconds. */
const END_WITHIN_MS = 500;

/** Why a stream is over. */
export interface SessionEnd {
  /** The controller had said welcome. */
  readonly welcomed: boolean;
  /** Code of the controller's goodbye; empty when it said none. */
  readonly goodbye: string;
  /** The controller does not know or accept our certificate. */
  readonly unauthenticated: boolean;
  /** A sentence. */
  readonly reason: string;
}

export interface LinkSessionOptions {
  readonly agent: AgentSide;
  readonly identity: NodeIdentity;
  readonly controller: HostPort;
  readonly log: Logger;
  /** Called at the controller's welcome. */
  readonly welcomed: (node: string) => void;
  /** Resolves after so many milliseconds, or as soon as the signal is aborted. */
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>;
  /** The controller's service, for this session alone. Unset: by mutual TLS. */
  readonly client?: AgentServiceClient;
}

type Call = ClientDuplexStream<SessionRequest, SessionResponse>;

export class LinkSession {
  readonly client: AgentServiceClient;
  readonly #options: LinkSessionOptions;
  readonly #where: string;
  readonly #call: Call;
  readonly #unsubscribe: Unsubscribe[] = [];
  readonly #ended: Promise<SessionEnd>;
  #finish: (end: SessionEnd) => void = () => undefined;
  /** Aborted at the welcome, or when the stream is over without one. */
  readonly #settled = new AbortController();
  #isOver = false;
  #isWelcome = false;
  #statusSequence = 0;
  /** What was not sent is told in a full report as soon as there is room. */
  #needsFull = false;
  #isReportingFull = false;
  #sentThrough = 0;
  #eventsInFlight = false;
  #waitingPush: BundlePush | undefined;
  #isApplying = false;
  #goodbye: Goodbye | undefined;
  #whenFlushed: (() => void) | undefined;

  constructor(options: LinkSessionOptions) {
    this.#options = options;
    this.#where = formatHostPort(options.controller);
    this.client = options.client ?? secureClient(options);
    this.#call = this.client.session();
    this.#ended = new Promise((resolve) => {
      this.#finish = resolve;
    });
  }

  /** The controller has said welcome and the stream is not over. */
  get isConnected(): boolean {
    return this.#isWelcome && !this.#isOver;
  }

  /** Resolves when the stream is over; never rejects. */
  async run(): Promise<SessionEnd> {
    const call = this.#call;
    const { agent } = this.#options;
    void this.#expectWelcome();
    call.on('data', (response: SessionResponse) => this.#onResponse(response));
    call.on('error', (error: ServiceError) => this.#onError(error));
    call.on('end', () => this.#over(this.#goodbye?.reason ?? 'the controller ended the stream', false));
    call.on('drain', () => void this.#report());
    // Before the hello is made, so that no change falls between the two.
    this.#unsubscribe.push(
      agent.onStatusChanged((status, full) => this.#onStatus(status, full)),
      agent.onEvents(() => this.#sendEvents()),
    );
    void this.#sayHello();
    const end = await this.#ended;
    this.#settled.abort();
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    this.#whenFlushed?.();
    call.cancel();
    this.client.close();
    return end;
  }

  /**
   * Ends the stream from our side, after the last state was sent and the controller has taken the events that are
   * pending: within 2.5 s, and at once where no controller has said welcome, since it would take neither.
   */
  async close(reason: string): Promise<void> {
    if (!this.#isWelcome) this.#over(reason, false);
    if (this.#isOver) return;
    this.#needsFull = true;
    await Promise.race([this.#report(), pause(LAST_STATE_WITHIN_MS)]);
    if (!this.#isOver && !this.#isFlushed()) {
      await new Promise<void>((resolve) => {
        const late = setTimeout(resolve, FLUSH_WITHIN_MS);
        this.#whenFlushed = () => {
          clearTimeout(late);
          resolve();
        };
        this.#sendEvents();
      });
    }
    if (this.#isOver) return;
    // The controller answers the end of our half with the end of its own, once it has read everything.
    this.#call.end();
    const late = setTimeout(() => this.#over(reason, false), END_WITHIN_MS);
    await this.#ended;
    clearTimeout(late);
  }

  /** Takes as long as the elections take to answer, which a stream that is over does not wait for. */
  async #sayHello(): Promise<void> {
    try {
      const hello = await this.#options.agent.hello();
      this.#write({ $case: 'hello', value: { ...hello, statusSequence: this.#statusSequence } });
    } catch (error) {
      if (this.#isOver) return;
      this.#options.log.error({ err: error }, 'the state of this agent could not be put together');
      this.#over('the state of this agent could not be put together', false);
    }
  }

  async #expectWelcome(): Promise<void> {
    await this.#options.wait(WELCOME_WITHIN_MS, this.#settled.signal);
    if (!this.#isWelcome) this.#over('the controller did not answer in time', false);
  }

  #isFlushed(): boolean {
    return !this.#eventsInFlight && this.#options.agent.pendingEvents(this.#sentThrough, 1).length === 0;
  }

  #onResponse(response: SessionResponse): void {
    const message = response.message;
    switch (message?.$case) {
      case 'welcome':
        this.#isWelcome = true;
        this.#settled.abort();
        this.#options.welcomed(message.value.node);
        void this.#report();
        this.#sendEvents();
        return;
      case 'bundlePush':
        // Only the newest counts: the controller waits for no other answer.
        this.#waitingPush = message.value;
        void this.#apply();
        return;
      case 'eventsAccepted':
        this.#eventsInFlight = false;
        this.#sentThrough = Math.max(this.#sentThrough, message.value.throughSequence);
        this.#options.agent.eventsAccepted(message.value.throughSequence);
        this.#sendEvents();
        if (this.#isFlushed()) this.#whenFlushed?.();
        return;
      case 'fullStateRequest':
        this.#options.log.debug({ cause: message.value.reason }, 'the controller asks for full state');
        this.#needsFull = true;
        void this.#report();
        return;
      case 'goodbye':
        this.#goodbye = message.value;
        this.#over(message.value.reason, false);
        return;
      default:
        // A newer controller may say more than we know; what it needs an answer to, it will miss.
        this.#options.log.debug('the controller sent a message of an unknown kind');
    }
  }

  #onError(error: ServiceError): void {
    const unauthenticated = error.code === grpcStatus.UNAUTHENTICATED || error.code === grpcStatus.PERMISSION_DENIED;
    this.#over(describeCallFailure(error, this.#where), unauthenticated);
  }

  #over(reason: string, unauthenticated: boolean): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#finish({ welcomed: this.#isWelcome, goodbye: this.#goodbye?.code ?? '', unauthenticated, reason });
  }

  /** @returns false when there is no room for more at the moment */
  #write(message: NonNullable<SessionRequest['message']>): boolean {
    return !this.#isOver && !this.#call.writableEnded && this.#call.write({ message });
  }

  #onStatus(status: NodeStatus, full: boolean): void {
    if (!this.#isWelcome || this.#needsFull || this.#isReportingFull || this.#call.writableNeedDrain) {
      this.#needsFull = true;
      return;
    }
    this.#statusSequence += 1;
    this.#write({ $case: 'status', value: { sequence: this.#statusSequence, full, status } });
  }

  /** Sends full state if that is due and there is room. */
  async #report(): Promise<void> {
    if (!this.#needsFull || !this.#isWelcome || this.#isReportingFull || this.#isOver) return;
    if (this.#call.writableNeedDrain) return;
    this.#isReportingFull = true;
    this.#needsFull = false;
    try {
      const status = await this.#options.agent.fullStatus();
      this.#statusSequence += 1;
      this.#write({ $case: 'status', value: { sequence: this.#statusSequence, full: true, status } });
    } catch (error) {
      this.#options.log.error({ err: error }, 'the state of this agent could not be put together');
    } finally {
      this.#isReportingFull = false;
    }
    // What changed meanwhile may not have been in it.
    void this.#report();
  }

  #sendEvents(): void {
    if (!this.#isWelcome || this.#eventsInFlight || this.#isOver) return;
    const events: Event[] = [];
    let bytes = 0;
    for (const event of this.#options.agent.pendingEvents(this.#sentThrough, BATCH_EVENTS)) {
      bytes += Event.encode(event).finish().length;
      if (events.length > 0 && bytes > BATCH_BYTES) break;
      events.push(event);
    }
    if (events.length === 0) return;
    this.#eventsInFlight = true;
    this.#write({ $case: 'events', value: { events } });
  }

  async #apply(): Promise<void> {
    const push = this.#waitingPush;
    // What waits when the stream ends is not what is wanted: the next stream may have been given something newer.
    if (this.#isApplying || push === undefined || this.#isOver) return;
    this.#isApplying = true;
    this.#waitingPush = undefined;
    const { accepted, refusals } = await this.#judge(push);
    this.#isApplying = false;
    const result = { nonce: push.nonce, bundle: push.bundle, accepted, refusals: [...refusals] };
    this.#write({ $case: 'bundleResult', value: result });
    void this.#apply();
  }

  async #judge(push: BundlePush): Promise<BundleVerdict> {
    const hash = createHash('sha256').update(push.content).digest('hex');
    if (push.bundle?.hash === hash) return await this.#options.agent.applyBundle(push);
    return {
      accepted: false,
      refusals: [{ path: '', reason: `the content has the hash ${hash}, not the one announced` }],
    };
  }
}

function secureClient({ controller, identity }: LinkSessionOptions): AgentServiceClient {
  const channel = secureChannel(controller, identity);
  return new AgentServiceClient(channel.target, channel.credentials, {
    ...channel.options,
    'grpc.keepalive_time_ms': KEEPALIVE_TIME_MS,
    'grpc.keepalive_timeout_ms': KEEPALIVE_TIMEOUT_MS,
    'grpc.max_receive_message_length': MAX_RECEIVE_BYTES,
    'grpc.max_send_message_length': -1,
    'grpc.enable_retries': 0,
  });
}
