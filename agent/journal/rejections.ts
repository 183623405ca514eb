/**
 * Refused advertisements come in floods. The first of a kind (router, source, reason) is told at once, those of the
 * next minute as one with a count. Pure: time comes in, due summaries come out.
 */
import type { Instant, Micros } from '../../proto/rules/time.js';

export interface Rejection {
  readonly router: string;
  readonly source: string;
  readonly reason: string;
  /** Advertisements of this kind that this stands for. */
  readonly count: number;
}

const WINDOW: Micros = 60_000_000;
/** Kinds followed at once: sources can be forged, memory may not grow with them. Beyond, all go under one source. */
const MAX_KINDS = 256;
const MANY_SOURCES = 'many';

interface Window {
  readonly rejection: Rejection;
  readonly endsAt: Instant;
  count: number;
}

export class RejectionWindows {
  readonly #windows = new Map<string, Window>();

  /** Returns what is to be told now; absent while the kind's window is open. */
  add(rejection: Rejection, now: Instant): Rejection | undefined {
    const known = this.#windows.get(keyOf(rejection));
    if (known !== undefined) {
      known.count += rejection.count;
      return undefined;
    }
    if (this.#windows.size >= MAX_KINDS && rejection.source !== MANY_SOURCES) {
      return this.add({ ...rejection, source: MANY_SOURCES }, now);
    }
    this.#windows.set(keyOf(rejection), { rejection, endsAt: now + WINDOW, count: 0 });
    return rejection;
  }

  /** Closes windows that have ended; returns those in which more came. A kind that goes on keeps its window. */
  due(now: Instant): Rejection[] {
    const told: Rejection[] = [];
    for (const [key, window] of this.#windows) {
      if (window.endsAt > now) continue;
      this.#windows.delete(key);
      if (window.count === 0) continue;
      told.push({ ...window.rejection, count: window.count });
      this.#windows.set(key, { rejection: window.rejection, endsAt: now + WINDOW, count: 0 });
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

function keyOf(rejection: Rejection): string {
  return JSON.stringify([rejection.router, rejection.source, rejection.reason]);
}
