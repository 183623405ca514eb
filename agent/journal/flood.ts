/**
 * What comes with every advertisement comes in floods. The first of a kind (router and source) is told at once, those of
 * the next minute as one with a count. Pure: time comes in, due summaries come out.
 */
import type { Instant, Micros } from '../../proto/rules/time.js';

export interface Repeated {
  readonly router: string;
  readonly source: string;
  /** Advertisements of this kind that this stands for. */
  readonly count: number;
}

const WINDOW: Micros = 60_000_000;
/** Kinds followed at once: sources can be forged, memory may not grow with them. Beyond, all go under one source. */
const MAX_KINDS = 256;
const MANY_SOURCES = 'many';

interface Window {
  readonly repeated: Repeated;
  readonly endsAt: Instant;
  count: number;
}

export class Flood {
  readonly #windows = new Map<string, Window>();

  /** Returns what is to be told now; absent while the kind's window is open. */
  add(repeated: Repeated, now: Instant): Repeated | undefined {
    const known = this.#windows.get(keyOf(repeated));
    if (known !== undefined) {
      known.count += repeated.count;
      return undefined;
    }
    if (this.#windows.size >= MAX_KINDS && repeated.source !== MANY_SOURCES) {
      return this.add({ ...repeated, source: MANY_SOURCES }, now);
    }
    this.#windows.set(keyOf(repeated), { repeated, endsAt: now + WINDOW, count: 0 });
    return repeated;
  }

  /** Closes windows that have ended; returns those in which more came. A kind that goes on keeps its window. */
  due(now: Instant): Repeated[] {
    const told: Repeated[] = [];
    for (const [key, window] of this.#windows) {
      if (window.endsAt > now) continue;
      this.#windows.delete(key);
      if (window.count === 0) continue;
      told.push({ ...window.repeated, count: window.count });
      this.#windows.set(key, { repeated: window.repeated, endsAt: now + WINDOW, count: 0 });
    }
    return told;
  }

  /** When `due` has something to do; absent when never. */
  nextDeadline(): Instant | undefined {
    let next: Instant | undefined;
    for (const window of this.#windows.values()) next = Math.min(next ?? window.endsAt, window.endsAt);
    return next;
  }
}

function keyOf(repeated: Repeated): string {
  return JSON.stringify([repeated.router, repeated.source]);
}
