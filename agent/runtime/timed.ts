/** A part of the election loop that wants to be called again at some time, by the loop's one timer. */
import type { Instant } from '../../proto/rules/time.js';

export interface Timed {
  /** When `onTime` has something to do; undefined: nothing is waited for. Read after every turn of the loop. */
  readonly nextAt: Instant | undefined;
  /** The timer has fired; maybe for something else. */
  onTime(now: Instant): void;
}

/** The earliest instant at which one of these has something to do. */
export function earliestOf(parts: Iterable<Timed>): Instant | undefined {
  let earliest: Instant | undefined;
  for (const { nextAt } of parts) {
    if (nextAt !== undefined && (earliest === undefined || nextAt < earliest)) earliest = nextAt;
  }
  return earliest;
}
