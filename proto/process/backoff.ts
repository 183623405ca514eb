/**
 * Waiting times between attempts: exponential with full jitter, so that many agents that lost one controller do not
 * come back together.
 */
import type { Millis } from '../rules/time.js';

export interface BackoffOptions {
  /** Upper bound of the first wait. */
  readonly initialMs: Millis;
  /** Upper bound of every wait. */
  readonly maxMs: Millis;
  /** Uniform in [0, 1), as Math.random. */
  readonly random: () => number;
}

export class Backoff {
  readonly #options: BackoffOptions;
  #ceiling: Millis;

  constructor(options: BackoffOptions) {
    this.#options = options;
    this.#ceiling = Math.min(options.initialMs, options.maxMs);
  }

  /** How long to wait before the next attempt: uniform between 0 and a bound that doubles with every call. */
  next(): Millis {
    const wait = this.#options.random() * this.#ceiling;
    this.#ceiling = Math.min(this.#ceiling * 2, this.#options.maxMs);
    return Math.round(wait);
  }

  /** After a success: the next wait is short again. */
  reset(): void {
    this.#ceiling = Math.min(this.#options.initialMs, this.#options.maxMs);
  }
}
