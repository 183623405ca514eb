/** The clock and timers of the worker thread, passed in so that tests can own time. */
import type { Instant, Millis } from '../../proto/rules/time.js';

/** Ends a timer; does nothing when it has fired. */
export type CancelTimer = () => void;

export interface Clock {
  /** Monotonic, microseconds since the machine booted: the election thread reads the same clock. */
  now(): Instant;
  /** Wall clock, milliseconds since 1970. Never used to compute a span. */
  wallMs(): Millis;
  /** Calls once after so many milliseconds; 0 or less means as soon as possible, never before returning. */
  after(delay: Millis, callback: () => void): CancelTimer;
}

export const systemClock: Clock = {
  now: () => Number(process.hrtime.bigint() / 1_000n),
  wallMs: () => Date.now(),
  after(delay, callback) {
    const timer = setTimeout(callback, Math.max(0, delay));
    return () => clearTimeout(timer);
  },
};
