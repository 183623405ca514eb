/**
 * Notices checks that give no results although they should: several runs in a row could not be started because the one
 * before goes on, or no first result has come. A check whose state stays good for want of results must not look good.
 */
import type { CheckStatus } from '../../proto/gen/baton/v1/status.js';
import { formatDuration } from '../../proto/rules/duration.js';
import type { CancelTimer, Clock } from '../local/clock.js';
import type { CheckSettings } from './check-settings.js';

/** So many runs in a row that were not started are no accident. */
const SKIPPED = 3;
/** A first result must come within so many timeouts. */
const TIMEOUTS = 3;

interface Watched {
  readonly probe: string;
  reason: string;
  runs: number;
  /** Of its skipped runs, those before the last one that ended. */
  skippedBefore: number;
  cancel: CancelTimer;
}

export class StuckChecks {
  readonly #clock: Clock;
  readonly #told: (name: string) => void;
  readonly #watched = new Map<string, Watched>();

  /** `told`: the reason of that check is another one now. */
  constructor(clock: Clock, told: (name: string) => void) {
    this.#clock = clock;
    this.#told = told;
  }

  /** The check has begun, or has been given these settings. */
  expect({ name, probe, startJitter, timeout }: CheckSettings): void {
    const subject = JSON.stringify(probe);
    const present = this.#watched.get(name);
    if (present?.probe === subject) return;
    present?.cancel();
    const within = startJitter + TIMEOUTS * timeout;
    const watched: Watched = {
      probe: subject,
      reason: '',
      runs: present?.runs ?? 0,
      skippedBefore: present?.skippedBefore ?? 0,
      cancel: this.#clock.after(within, () => {
        this.#enter(name, watched, `it has never ended a run, ${formatDuration(within * 1_000)} after its start`);
      }),
    };
    this.#watched.set(name, watched);
    if (present !== undefined && present.reason !== '') this.#told(name);
  }

  /** A run ended, or was not started. */
  changed({ name, runs, skipped, reason }: CheckStatus): void {
    const watched = this.#watched.get(name);
    if (watched === undefined) return;
    if (runs !== watched.runs) {
      watched.cancel();
      watched.runs = runs;
      watched.skippedBefore = skipped;
      this.#enter(name, watched, '');
    } else if (skipped - watched.skippedBefore >= SKIPPED) {
      const unending = reason.includes('cannot be ended') ? ' and cannot be ended' : '';
      this.#enter(
        name,
        watched,
        `${SKIPPED} or more runs in a row were not started: the one before still goes on${unending}`,
      );
    }
  }

  forget(name: string): void {
    this.#watched.get(name)?.cancel();
    this.#watched.delete(name);
  }

  /** Empty: it gives results. */
  reasonOf(name: string): string {
    return this.#watched.get(name)?.reason ?? '';
  }

  #enter(name: string, watched: Watched, reason: string): void {
    if (watched.reason === reason) return;
    watched.reason = reason;
    this.#told(name);
  }
}
