/** When the recorded changes of one virtual router are complete enough to be told. Pure. */
import { LATE_AFTER_MS } from './alert.js';

/** What held up one node's report usually held up the others': they are waited for this long at least. */
export const LATE_WAIT_MS = 5_000;

export interface Recorded {
  /** By the controller's clock. */
  readonly receivedAt: number;
  /** By the node's clock. */
  readonly happenedAt: number;
}

/**
 * One group wait after the first change arrived, so that a change is never held back by later ones.
 * @param changes of one virtual router, not yet told; at least one
 */
export function completeAt(changes: readonly Recorded[], groupWaitMs: number): number {
  const first = Math.min(...changes.map((change) => change.receivedAt));
  const isLate = changes.some((change) => change.receivedAt - change.happenedAt > LATE_AFTER_MS);
  return first + (isLate ? Math.max(groupWaitMs, LATE_WAIT_MS) : groupWaitMs);
}

/** Whether an instant has come; one that lies further ahead than it can be was made by a clock that was wrong. */
export function hasCome(instant: number, now: number, longestAheadMs: number): boolean {
  return instant <= now || instant > now + longestAheadMs;
}
