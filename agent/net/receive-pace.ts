/**
 * When a socket is read: at once, or, while packets come so fast that to wake up for each costs more than the packet does,
 * in rounds that are a gap apart. Pure.
 */
import type { Instant, Micros } from '../../proto/rules/time.js';

/** How long a packet may have to wait for its round: an eighteenth of the shortest down interval. */
export const ROUND_GAP: Micros = 2_000;
/** Readings that are closer together than this cost more than what they read. */
export const CLOSE: Micros = 1_000;
/** So many close readings, one after the other: it is no coincidence. */
const CLOSE_READINGS = 8;
/** So many rounds one after the other that found nothing: it is over. */
const EMPTY_ROUNDS = 2;

export class ReceivePace {
  #isInRounds = false;
  #last: Instant = Number.NEGATIVE_INFINITY;
  #closeReadings = 0;
  #emptyRounds = 0;

  /** Whether it is to be read in rounds from now on, and not when something has come. */
  get isInRounds(): boolean {
    return this.#isInRounds;
  }

  /** It was read because something had come. */
  woken(now: Instant): void {
    this.#closeReadings = now - this.#last < CLOSE ? this.#closeReadings + 1 : 0;
    this.#last = now;
    if (this.#closeReadings < CLOSE_READINGS) return;
    this.#isInRounds = true;
    this.#emptyRounds = 0;
  }

  /** It was read in a round. */
  round(found: 'nothing' | 'something' | 'more than is read at once'): void {
    this.#emptyRounds = found === 'nothing' ? this.#emptyRounds + 1 : 0;
    // What is left over is read in the next turn of the loop.
    if (this.#emptyRounds >= EMPTY_ROUNDS || found === 'more than is read at once') this.reset();
  }

  /** It is to be read at once when something comes. */
  reset(): void {
    this.#isInRounds = false;
    this.#closeReadings = 0;
    this.#last = Number.NEGATIVE_INFINITY;
  }
}
