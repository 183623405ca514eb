/**
 * Units of time. Inside Baton a span is a whole number of microseconds and an instant is such a number on a
 * monotonic clock; both are exact in a double for 285 years. Conversion happens where something enters or leaves.
 */

/** A span in microseconds, whole and not negative. */
export type Micros = number;

/** A point on a monotonic clock in microseconds. Only differences mean anything. */
export type Instant = number;

/** A span in milliseconds, as Node's timers take it. */
export type Millis = number;

export const MICROS_PER_SECOND: Micros = 1_000_000;
export const MICROS_PER_MILLISECOND: Micros = 1_000;
export const MICROS_PER_CENTISECOND: Micros = 10_000;
