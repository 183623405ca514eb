/**
 * The clock of the elections: CLOCK_BOOTTIME in microseconds, which is CLOCK_MONOTONIC and the time that the machine was
 * suspended. Everybody on the machine shares it. A router that was active when the machine went to sleep so sees how long
 * it was away (docs/decisions/0002).
 *
 * Reading it costs a system call through libc, which is too much for every packet. So it goes on by performance.now(),
 * and is read anew when the wall clock shows that something happened: a suspension sets the wall clock on, and it alone.
 */
import type { Instant, Micros, Millis } from '../../proto/rules/time.js';
import type { ElectionClock } from './edges.js';

/** The wall clock may be slewed by so much against the monotonic one before the truth is looked up. */
const SUSPICIOUS: Micros = 100_000;
/** The clocks are read one after the other: the closest pair of so many is the truest. */
const SAMPLES = 20;

export interface BootClockSources {
  /** Monotonic from whatever start, microseconds; cheap. Stands still while the machine is suspended. */
  readonly counted: () => Micros;
  readonly wallMs: () => Millis;
  /** CLOCK_BOOTTIME, microseconds. */
  readonly boot: () => Micros;
}

export class BootClock implements ElectionClock {
  #offset: Micros;
  #wallOffset: Micros;

  constructor(private readonly sources: BootClockSources) {
    this.#offset = this.#measure();
    this.#wallOffset = sources.wallMs() * 1_000 - sources.counted();
  }

  now(): Instant {
    const { counted, wallMs } = this.sources;
    const count = counted();
    const wallOffset = wallMs() * 1_000 - count;
    if (Math.abs(wallOffset - this.#wallOffset) > SUSPICIOUS) {
      this.#wallOffset = wallOffset;
      // Never back: a reading that was disturbed is later, not earlier.
      this.#offset = Math.max(this.#offset, this.#measure());
    }
    return Math.floor(count + this.#offset);
  }

  wallMs(): Millis {
    return this.sources.wallMs();
  }

  /** What is to be added to `counted`. */
  #measure(): Micros {
    const { counted, boot } = this.sources;
    let least = Number.POSITIVE_INFINITY;
    for (let sample = 0; sample < SAMPLES; sample += 1) {
      const before = counted();
      least = Math.min(least, boot() - before);
    }
    return least;
  }
}
