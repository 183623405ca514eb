/**
 * Tells listeners what is new about the agent's status: soon after something happened, many things of one moment at
 * once, and now and then whatever else has moved.
 */
import type { NodeStatus } from '../../proto/gen/baton/v1/status.js';
import type { Millis } from '../../proto/rules/time.js';
import type { Unsubscribe } from './agent-side.js';
import type { CancelTimer, Clock } from './clock.js';
import { StatusNews } from './node-status.js';

/** What happens within so long is told together. */
const GATHER_MS: Millis = 20;
/** How often is looked for what nobody announced, such as an address that went away. */
const LOOK_MS: Millis = 10_000;
/** How often everything is told, counters included. */
const EVERYTHING_MS: Millis = 60_000;

export type StatusListener = (status: NodeStatus, full: boolean) => void;

export class StatusReporter {
  readonly #clock: Clock;
  readonly #status: () => Promise<NodeStatus>;
  readonly #listeners = new Set<StatusListener>();
  readonly #news = new StatusNews();
  #cancelTimer: CancelTimer | undefined;
  #isSoon = false;
  #isLooking = false;
  #everythingAt = 0;

  /** `status` may reject: then it is asked again later. */
  constructor(clock: Clock, status: () => Promise<NodeStatus>) {
    this.#clock = clock;
    this.#status = status;
  }

  /** Without a listener nothing is computed. */
  subscribe(listener: StatusListener): Unsubscribe {
    this.#listeners.add(listener);
    this.#news.reset();
    this.changed();
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.close();
    };
  }

  /** Something happened. */
  changed(): void {
    if (this.#listeners.size === 0 || this.#isSoon) return;
    this.#isSoon = true;
    this.#plan(GATHER_MS);
  }

  close(): void {
    this.#cancelTimer?.();
    this.#isSoon = false;
  }

  #plan(delay: Millis): void {
    this.#cancelTimer?.();
    this.#cancelTimer = this.#clock.after(delay, () => this.#look());
  }

  #look(): void {
    this.#isSoon = false;
    if (this.#isLooking) {
      this.changed();
      return;
    }
    this.#isLooking = true;
    this.#status()
      .then((status) => this.#tell(status))
      .catch(() => undefined)
      .finally(() => {
        this.#isLooking = false;
        if (!this.#isSoon && this.#listeners.size > 0) this.#plan(LOOK_MS);
      });
  }

  #tell(status: NodeStatus): void {
    const now = this.#clock.now();
    if (now >= this.#everythingAt) {
      this.#news.reset();
      this.#everythingAt = now + EVERYTHING_MS * 1_000;
    }
    const news = this.#news.since(status);
    if (news === undefined) return;
    for (const listener of this.#listeners) listener(news.status, news.full);
  }
}
