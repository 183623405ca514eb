/** How late the one timer fires: the election thread's own measure of how well it is served. */
import type { Instant, Micros } from '../../proto/rules/time.js';

export class Lag {
  #last: Micros = 0;
  #max: Micros = 0;
  #timers = 0;

  /** The timer that was armed for `dueAt` fires at `now`. */
  fired(dueAt: Instant, now: Instant): void {
    this.#last = Math.max(0, now - dueAt);
    this.#max = Math.max(this.#max, this.#last);
    this.#timers += 1;
  }

  get status(): { readonly last: Micros; readonly max: Micros; readonly timers: number } {
    return { last: this.#last, max: this.#max, timers: this.#timers };
  }
}
