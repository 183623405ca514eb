/** Time that moves only when a test says so, with one timer for each election and a queue of deferred tasks. */
import type { DeadlineTimer, ElectionClock } from '../../agent/runtime/edges.js';

interface Armed {
  at: number;
  readonly onDue: () => void;
}

export class VirtualClock implements ElectionClock {
  #now = 1_000_000_000;
  readonly #timers = new Set<Armed>();
  #deferred: (() => void)[] = [];
  #arrivals: { readonly at: number; readonly task: () => void }[] = [];

  now(): number {
    return this.#now;
  }

  wallMs(): number {
    return 1_700_000_000_000 + Math.floor(this.#now / 1_000);
  }

  startTimer(onDue: () => void): DeadlineTimer {
    const armed: Armed = { at: Number.POSITIVE_INFINITY, onDue };
    this.#timers.add(armed);
    return {
      arm: (at) => {
        armed.at = at;
      },
      disarm: () => {
        armed.at = Number.POSITIVE_INFINITY;
      },
      close: () => {
        this.#timers.delete(armed);
      },
    };
  }

  /** A single alarm; how the fake kernel ends leases and the fake LAN delivers. */
  alarm(at: number, task: () => void): void {
    const timer = this.startTimer(() => {
      timer.close();
      task();
    });
    timer.arm(at);
  }

  defer(task: () => void): void {
    this.#deferred.push(task);
  }

  /** Something that the kernel has ready from `at`: taken in after the timers of that instant, before what is deferred. */
  arrive(at: number, task: () => void): void {
    this.#arrivals.push({ at, task });
  }

  /** Takes in what has arrived, then runs what is deferred, and what that defers. */
  settle(): void {
    const arrived = this.#arrivals.filter(({ at }) => at <= this.#now);
    this.#arrivals = this.#arrivals.filter(({ at }) => at > this.#now);
    for (const { task } of arrived) task();
    while (this.#deferred.length > 0) {
      const tasks = this.#deferred;
      this.#deferred = [];
      for (const task of tasks) task();
    }
  }

  /** Moves time on, firing every timer at its instant. */
  advance(micros: number): void {
    const end = this.#now + micros;
    this.settle();
    for (;;) {
      let next: Armed | undefined;
      for (const armed of this.#timers) if (armed.at <= end && (next === undefined || armed.at < next.at)) next = armed;
      if (next === undefined) break;
      this.#now = Math.max(this.#now, next.at);
      next.at = Number.POSITIVE_INFINITY;
      next.onDue();
      this.settle();
    }
    this.#now = end;
  }

  /** Moves time on without running anything: a thread that is not scheduled. */
  sleep(micros: number): void {
    this.#now += micros;
  }
}
