/**
 * A stream between an agent and a controller: what gRPC gives to LinkSession on one side and to SessionStream on the
 * other. Messages come late and in order, or not at all; either side may take longer to notice that the other is gone.
 */
import { EventEmitter } from 'node:events';
import { Duplex } from 'node:stream';
import { status } from '@grpc/grpc-js';
import type { SessionCall } from '../../controller/agents/session-stream.js';
import { type AgentServiceClient, SessionRequest, SessionResponse } from '../../proto/gen/baton/v1/agent_service.js';
import type { Instant, Micros } from '../../proto/rules/time.js';
import type { Random } from '../sim/random.js';
import type { Timeline } from '../sim/timeline.js';

/** The agent notices a silent controller within that time (gRPC's keepalive), and the controller a silent agent. */
export const KEEPALIVE: Micros = 15_000_000;

export class Connection {
  /** The agent's side, as the generated client gives it. */
  readonly client: AgentServiceClient;
  /** The longest that a message takes. */
  longestDelay: Micros = 20_000;
  isCut = false;
  /** Both sides know that it is over. */
  isOver = false;
  readonly #call = new ClientCall(
    (message) => this.#toController(message),
    () => this.#hangUp(),
  );
  readonly #server: Duplex;
  #lastUp: Instant = 0;
  #lastDown: Instant = 0;

  /** @param accept the controller takes the stream */
  constructor(
    private readonly timeline: Timeline,
    private readonly random: Random,
    accept: (call: SessionCall) => void,
  ) {
    this.#server = new Duplex({
      objectMode: true,
      read: () => undefined,
      write: (response: SessionResponse, _encoding, done) => {
        this.#toAgent(response);
        done();
      },
      final: (done) => {
        this.#down(() => this.#call.finish());
        done();
      },
    });
    this.#server.on('error', (error) => this.#down(() => this.#call.fail(error)));
    this.#server.on('close', () => this.#down(() => this.#call.finish()));
    const call = this.#call;
    // What LinkSession uses of it.
    this.client = { session: () => call, close: () => undefined } as unknown as AgentServiceClient;
    // gRPC's own is a Duplex with more to it; the hub uses this part.
    const server = Object.assign(this.#server, { getPeer: () => '192.0.2.1:1' }) as unknown as SessionCall;
    this.#up(() => accept(server));
  }

  /** Nothing passes any more; each side learns of it some time later. */
  cut(noticedWithin: Micros = KEEPALIVE): void {
    if (this.isCut) return;
    this.isCut = true;
    const { timeline, random } = this;
    timeline.after(random.between(1_000, noticedWithin), () => this.#call.fail(new Error('the connection was lost')));
    timeline.after(random.between(1_000, 2 * noticedWithin), () => {
      this.isOver = true;
      this.#server.destroy();
    });
  }

  /** The agent's process is gone: its kernel says so, if that can still be heard. */
  #hangUp(): void {
    this.#up(() => {
      this.isOver = true;
      if (!this.#server.destroyed) this.#server.push(null);
    });
  }

  /** The agent's process dies. */
  reset(): void {
    this.#call.abandon();
    this.#hangUp();
  }

  #toController(request: SessionRequest): void {
    const bytes = SessionRequest.encode(request).finish();
    this.#up(() => {
      if (!this.#server.destroyed) this.#server.push(SessionRequest.decode(bytes));
    });
  }

  #toAgent(response: SessionResponse): void {
    const bytes = SessionResponse.encode(response).finish();
    this.#down(() => this.#call.emit('data', SessionResponse.decode(bytes)));
  }

  #up(deliver: () => void): void {
    this.#lastUp = this.#arrival(this.#lastUp);
    this.timeline.at(this.#lastUp, () => {
      if (!this.isCut) deliver();
    });
  }

  #down(deliver: () => void): void {
    this.#lastDown = this.#arrival(this.#lastDown);
    this.timeline.at(this.#lastDown, () => {
      if (!this.isCut) deliver();
    });
  }

  #arrival(last: Instant): Instant {
    return Math.max(last, this.timeline.now + this.random.between(100, this.longestDelay));
  }
}

class ClientCall extends EventEmitter {
  writableEnded = false;
  readonly writableNeedDrain = false;
  #isOver = false;

  constructor(
    private readonly send: (request: SessionRequest) => void,
    private readonly hangUp: () => void,
  ) {
    super();
  }

  write(request: SessionRequest): boolean {
    if (!this.#isOver && !this.writableEnded) this.send(request);
    return true;
  }

  end(): void {
    if (this.writableEnded) return;
    this.writableEnded = true;
    this.hangUp();
  }

  cancel(): void {
    this.end();
  }

  finish(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.emit('end');
  }

  fail(error: Error): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (this.listenerCount('error') > 0) this.emit('error', Object.assign(error, { code: status.UNAVAILABLE }));
  }

  /** Whoever listens is no more. */
  abandon(): void {
    this.#isOver = true;
    this.removeAllListeners();
  }
}
