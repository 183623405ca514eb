/** So many a minute and no more: for what somebody else can make happen as often as he likes. */
import { type Instant, MICROS_PER_SECOND, type Micros } from '../../proto/rules/time.js';

const WINDOW: Micros = 60 * MICROS_PER_SECOND;

export class Pace {
  #windowEndsAt: Instant = 0;
  #left = 0;

  constructor(private readonly mostInMinute: number) {}

  /** Whether one more may happen now; if so it counts. */
  allows(now: Instant): boolean {
    if (now >= this.#windowEndsAt) {
      this.#windowEndsAt = now + WINDOW;
      this.#left = this.mostInMinute;
    }
    if (this.#left === 0) return false;
    this.#left -= 1;
    return true;
  }
}
