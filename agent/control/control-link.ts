/**
 * The link to the controllers: dials them in turn, for ever, and keeps the certificate fresh. Whatever happens here,
 * the agent goes on electing with what it has.
 */
import { Backoff } from '../../proto/process/backoff.js';
import { formatHostPort, type HostPort, parseControllerAddress } from '../../proto/process/host-port.js';
import type { Logger } from '../../proto/process/logger.js';
import type { AgentSide } from '../local/agent-side.js';
import { renewalDue, renewIdentity } from './certificate-renewal.js';
import { LinkSession, type SessionEnd } from './link-session.js';
import { identityStamp, type NodeIdentity, readIdentity, validityOf, writeIdentity } from './node-identity.js';

const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 15_000;
/** Wait when trying again soon cannot help: another agent has our identity, or ours is not accepted. */
const CALM_WAIT_MS = 30_000;
/** Between looks at whether the host has joined anew, which no wait outlasts. */
const JOIN_CHECK_MS = 1_000;
/** Between looks at whether the certificate is due; also after a renewal that failed. */
const RENEWAL_CHECK_MS = 60_000;
const SHORTEST_RENEWAL_WAIT_MS = 100;

export interface ControlLinkOptions {
  readonly agent: AgentSide;
  /** HOST:PORT from agent.yaml; empty: those that were stored when the host joined. */
  readonly controllers: readonly string[];
  readonly stateDir: string;
  readonly log: Logger;
  /** Wall clock in milliseconds of Unix time. Unset: the system's. */
  readonly now?: () => number;
  /** Uniform in [0, 1). Unset: Math.random. */
  readonly random?: () => number;
  /** Resolves after so many milliseconds or when aborted. Unset: the system's timers. */
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<void>;
}

export interface ControlLink {
  /**
   * Ends the stream that there is and dials at once: what the controller wants is offered again, to rules that may have
   * changed.
   * @param controllers As in the options.
   */
  redial(controllers: readonly string[]): void;
  /** Delivers what is pending to a controller that is connected, within 2.5 s, and ends the link. */
  stop(): Promise<void>;
}

/** Begins at once; everything that goes wrong is told by linkState and the log. */
export function startControlLink(options: ControlLinkOptions): ControlLink {
  return new Link(options);
}

class Link implements ControlLink {
  readonly #options: ControlLinkOptions;
  readonly #now: () => number;
  readonly #random: () => number;
  readonly #wait: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly #backoff: Backoff;
  readonly #stopping = new AbortController();
  readonly #running: Promise<void>;
  #session: LinkSession | undefined;
  #configured: readonly string[];
  /** Aborted to end the present wait. */
  #waiting = new AbortController();
  #isRedialling = false;
  /** Position in the list of the controller to try next. */
  #turn = 0;
  #lastError = '';
  /** Of the identity that was used last. */
  #stamp = '';

  constructor(options: ControlLinkOptions) {
    this.#options = options;
    this.#configured = options.controllers;
    this.#now = options.now ?? Date.now;
    this.#random = options.random ?? Math.random;
    this.#wait = options.wait ?? waitInterruptibly;
    this.#backoff = new Backoff({ initialMs: FIRST_WAIT_MS, maxMs: LONGEST_WAIT_MS, random: this.#random });
    this.#running = this.#run();
  }

  redial(controllers: readonly string[]): void {
    this.#configured = controllers;
    this.#turn = 0;
    this.#backoff.reset();
    this.#isRedialling = true;
    this.#waiting.abort();
    void this.#session?.close("the host owner's rules were read again");
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#waiting.abort();
    await this.#session?.close('the agent is stopping');
    await this.#running;
  }

  async #run(): Promise<void> {
    const { log } = this.#options;
    while (!this.#stopping.signal.aborted) {
      let waitMs: number;
      try {
        waitMs = await this.#attempt();
      } catch (error) {
        // Damaged files, wrong addresses: told, and tried again, as somebody may put it right.
        this.#lastError = error instanceof Error ? error.message : String(error);
        log.error({ err: error }, 'the controller link cannot be set up');
        waitMs = CALM_WAIT_MS;
      }
      if (this.#stopping.signal.aborted) return;
      this.#options.agent.linkState({ state: 'connecting', address: '', error: this.#lastError });
      if (!this.#isRedialling) {
        this.#waiting = new AbortController();
        await this.#waitFor(waitMs, this.#waiting.signal);
      }
      this.#isRedialling = false;
    }
  }

  /** Shorter when the host joins meanwhile. */
  async #waitFor(waitMs: number, over: AbortSignal): Promise<void> {
    for (let left = waitMs; left > 0 && !over.aborted; left -= JOIN_CHECK_MS) {
      await this.#wait(Math.min(left, JOIN_CHECK_MS), over);
      if (this.#hasJoinedAnew()) return;
    }
  }

  #hasJoinedAnew(): boolean {
    try {
      return identityStamp(this.#options.stateDir) !== this.#stamp;
    } catch {
      // Whoever reads it says what is wrong with it.
      return false;
    }
  }

  /** One try at one controller. @returns how long to wait before the next, in milliseconds */
  async #attempt(): Promise<number> {
    const { agent, stateDir, log } = this.#options;
    this.#stamp = identityStamp(stateDir);
    const identity = readIdentity(stateDir);
    if (identity === undefined) {
      this.#lastError = 'this host has not joined: run "baton-agent join"';
      log.warn({ path: stateDir }, 'this host has not joined a controller');
      return CALM_WAIT_MS;
    }
    const controllers = this.#controllers(identity);
    const controller = controllers[this.#turn % controllers.length];
    if (controller === undefined) {
      this.#lastError = 'no controller is configured';
      return CALM_WAIT_MS;
    }
    const address = formatHostPort(controller);
    agent.linkState({ state: 'connecting', address, error: this.#lastError });
    const session: LinkSession = new LinkSession({
      agent,
      identity,
      controller,
      log: log.child({ controller: address }),
      wait: this.#wait,
      welcomed: (node) => {
        this.#backoff.reset();
        this.#lastError = '';
        log.info({ controller: address, node }, 'connected to the controller');
        agent.linkState({ state: 'connected', address, error: '', node });
      },
    });
    this.#session = session;
    const over = new AbortController();
    const renewed = this.#keepFresh(session, identity, over.signal);
    const end = await session.run();
    this.#session = undefined;
    over.abort();
    if ((await renewed) && !this.#stopping.signal.aborted) return 0;
    return this.#afterEnd(end, identity, address, controllers.length);
  }

  #afterEnd(end: SessionEnd, identity: NodeIdentity, address: string, count: number): number {
    const { log } = this.#options;
    const isExpired = this.#now() > validityOf(identity.certificate).to;
    this.#lastError = isExpired
      ? `this host's certificate has expired; run "baton-agent join" with a new token`
      : end.reason;
    if (this.#stopping.signal.aborted || this.#isRedialling) return 0;
    log.warn({ controller: address, code: end.goodbye, cause: this.#lastError }, 'not connected to the controller');
    if (end.goodbye === 'replaced' || end.goodbye === 'revoked' || end.unauthenticated || isExpired) {
      return CALM_WAIT_MS * (0.5 + this.#random() / 2);
    }
    this.#turn += 1;
    // One round through all controllers without waiting, then longer and longer.
    return !end.welcomed && this.#turn % count !== 0 ? 0 : this.#backoff.next();
  }

  #controllers(identity: NodeIdentity): HostPort[] {
    return (this.#configured.length > 0 ? this.#configured : identity.controllers).map(parseControllerAddress);
  }

  /**
   * @param over aborted when the stream is
   * @returns true when the certificate was renewed, and the stream was ended to go on with the new one
   */
  async #keepFresh(session: LinkSession, identity: NodeIdentity, over: AbortSignal): Promise<boolean> {
    const { stateDir, log } = this.#options;
    const due = renewalDue(validityOf(identity.certificate), this.#random());
    let tried = false;
    while (!over.aborted) {
      // The wall clock may be set meanwhile, so a long wait is made of short ones.
      const left = tried ? RENEWAL_CHECK_MS : due - this.#now();
      await this.#wait(Math.min(Math.max(left, SHORTEST_RENEWAL_WAIT_MS), RENEWAL_CHECK_MS), over);
      if (over.aborted || !session.isConnected || this.#now() < due) continue;
      tried = true;
      try {
        const fresh = await renewIdentity(session.client, identity, over);
        writeIdentity(stateDir, fresh);
        log.info({ until: new Date(validityOf(fresh.certificate).to).toISOString() }, 'certificate renewed');
        await session.close('the certificate was renewed');
        return true;
      } catch (error) {
        if (!over.aborted) log.warn({ err: error }, 'the certificate could not be renewed; trying again');
      }
    }
    return false;
  }
}

function waitInterruptibly(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done, { once: true });
  });
}
