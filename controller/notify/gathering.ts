/** When the recorded changes of one virtual router are complete enough to be told. Pure. */
import { LATE_AFTER_MS, SAME_HANDOVER_MS } from './alert.js';

/** What held up one node's report usually held up the others': they are waited for this long at least. */
const LATE_WAIT_MS = 5_000;

/** A report that was held up even so long waits for the other half; no clock that is kept right is as far off. */
const HELD_UP_AFTER_MS = 1_000;

/**
 * Half a failover, held up or just after the controller's start: somebody gave up being active and nobody has reported
 * becoming so, or the reverse. The other half is in the queue of an agent that has not found the controller again; its longest wait between
 * attempts is 15 s.
 */
export const LATE_HALF_WAIT_MS = 20_000;

export interface Recorded {
  readonly node: string;
  /** By the controller's clock. */
  readonly receivedAt: number;
  /** By the node's clock. */
  readonly happenedAt: number;
  readonly leftActive: boolean;
  readonly becameActive: boolean;
  /** Its agent makes room for the next one, which goes on where it stopped (docs/decisions/0020). */
  readonly suspended: boolean;
}

/**
 * One group wait after the first change arrived, so that a change is never held back by later ones.
 * @param changes of one virtual router, not yet told; at least one
 * @param startedAt when this controller began to listen, by its clock: an agent finds it some time later than another
 */
export function completeAt(changes: readonly Recorded[], groupWaitMs: number, startedAt: number): number {
  const first = Math.min(...changes.map((change) => change.receivedAt));
  const heldUpMs = Math.max(...changes.map((change) => change.receivedAt - change.happenedAt));
  const unanswered = lastUnanswered(changes);
  const isHeldUp = heldUpMs > HELD_UP_AFTER_MS;
  const isJustStarted = first - startedAt < LATE_HALF_WAIT_MS;
  // Who became active has reported, while the controller was away, and who gave up for it has not come back yet.
  const isSuccessorAlone =
    changes.some((change) => change.becameActive) && !changes.some((change) => change.leftActive);
  const isLateHalf =
    unanswered === undefined
      ? isSuccessorAlone && isHeldUp && isJustStarted
      : isHeldUp || unanswered.suspended || isJustStarted;
  if (isLateHalf) {
    return (isJustStarted ? Math.max(first, startedAt) : first) + Math.max(groupWaitMs, LATE_HALF_WAIT_MS);
  }
  return first + Math.max(groupWaitMs, heldUpMs > LATE_AFTER_MS ? LATE_WAIT_MS : 0);
}

/** The last that gave up being active, if it has no successor yet; what was before, or it was itself before, does not count. */
function lastUnanswered(changes: readonly Recorded[]): Recorded | undefined {
  const last = changes
    .filter((change) => change.leftActive)
    .reduce<Recorded | undefined>((a, b) => (a !== undefined && a.happenedAt > b.happenedAt ? a : b), undefined);
  if (last === undefined) return undefined;
  const isAnswered = changes.some(
    ({ node, becameActive, happenedAt }) =>
      becameActive &&
      // It may have come back itself, but not before it left; another one's clock may differ.
      (node === last.node ? happenedAt > last.happenedAt : happenedAt > last.happenedAt - SAME_HANDOVER_MS),
  );
  return isAnswered ? undefined : last;
}

/** Whether an instant has come; one that lies further ahead than it can be was made by a clock that was wrong. */
export function hasCome(instant: number, now: number, longestAheadMs: number): boolean {
  return instant <= now || instant > now + longestAheadMs;
}
