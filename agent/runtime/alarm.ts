/**
 * When the election loop is to be woken: the one timer, armed for the earliest of all that is due, and the time at which
 * what could not be done is tried again.
 */
import { type Instant, MICROS_PER_SECOND } from '../../proto/rules/time.js';
import type { DeadlineTimer } from './edges.js';
import { Lag } from './lag.js';

/** What could not be opened is tried again this often; it is also tried at every change of an interface. */
const RETRY_INTERVAL = MICROS_PER_SECOND;
const NEVER = Number.POSITIVE_INFINITY;

export class Alarm {
  readonly #lag = new Lag();
  #armedAt = NEVER;
  #wantedAt = NEVER;
  #retryAt = NEVER;

  constructor(private readonly timer: DeadlineTimer) {}

  get lag(): Lag['status'] {
    return this.#lag.status;
  }

  /**
   * Once it is set, it fires at this instant or before; undefined: no matter when. One that fires early does nothing.
   */
  by(at: Instant | undefined): void {
    if (at !== undefined && at < this.#wantedAt) this.#wantedAt = at;
  }

  /** Arms the timer for what was asked for: once for all of it, as it is a system call. */
  set(): void {
    if (this.#wantedAt >= this.#armedAt) return;
    this.#armedAt = this.#wantedAt;
    this.timer.arm(this.#armedAt);
  }

  /** Something is to be tried again in a while. */
  retryLater(now: Instant): void {
    this.#retryAt = Math.min(this.#retryAt, now + RETRY_INTERVAL);
    this.by(this.#retryAt);
  }

  /** It has fired, and is wanted for nothing but what is to be tried again. True: that is due now. */
  fired(now: Instant): boolean {
    if (this.#armedAt !== NEVER) this.#lag.fired(this.#armedAt, now);
    this.#armedAt = NEVER;
    this.#wantedAt = NEVER;
    const isRetryDue = now >= this.#retryAt;
    if (isRetryDue) this.#retryAt = NEVER;
    else if (this.#retryAt !== NEVER) this.by(this.#retryAt);
    return isRetryDue;
  }

  close(): void {
    this.timer.close();
  }
}
