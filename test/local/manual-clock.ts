/** A clock that stands still until it is told to go on. */
import type { CancelTimer, Clock } from '../../agent/local/clock.js';

interface Timer {
  readonly at: number;
  readonly callback: () => void;
}

export class ManualClock implements Clock {
  /** Not zero, so that a forgotten subtraction shows. */
  #now = 5_000_000_000;
  readonly #timers = new Set<Timer>();

  now(): number {
    return this.#now;
  }

  wallMs(): number {
    return 1_700_000_000_000 + this.#now / 1_000;
  }

  after(delay: number, callback: () => void): CancelTimer {
    const timer = { at: this.#now + Math.max(0, delay) * 1_000, callback };
    this.#timers.add(timer);
    return () => {
      this.#timers.delete(timer);
    };
  }

  /** Lets so many milliseconds pass; promises that were settled meanwhile have been followed up. */
  async advance(ms: number): Promise<void> {
    const until = this.#now + ms * 1_000;
    await settled();
    for (let timer = this.#next(until); timer !== undefined; timer = this.#next(until)) {
      this.#timers.delete(timer);
      this.#now = Math.max(this.#now, timer.at);
      timer.callback();
      await settled();
    }
    this.#now = until;
  }

  /** So many milliseconds pass at once, as for a thread that was held up: whatever came due fires late. */
  async jump(ms: number): Promise<void> {
    this.#now += ms * 1_000;
    await this.advance(0);
  }

  #next(until: number): Timer | undefined {
    return [...this.#timers].filter(({ at }) => at <= until).sort((left, right) => left.at - right.at)[0];
  }
}

/** Everything that only waits for promises has run. */
export async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}
