/**
 * What was seen of a performance, in order, and for how long nothing has been: the one place that all observers write
 * to. It has settled when nothing has happened for a while; nothing here waits for a fixed time.
 */

import { setTimeout as pause } from 'node:timers/promises';
import { WaitedInVain } from '../lab/until.js';

/** A performance in which something goes on happening for so long does not settle. */
const NEVER_MS = 90_000;

/** Long enough for everything that has arrived to be read. */
const DRAIN_MS = 50;

export class Chronicle {
  #lastAt = performance.now();
  #entries: { readonly key: string; readonly text: string }[] = [];

  /** Something happened that is written down elsewhere. */
  happened(): void {
    this.#lastAt = performance.now();
  }

  record(key: string, text: string): void {
    this.happened();
    this.#entries.push({ key, text });
  }

  /** Resolves when nothing has been recorded for this long, counted from now at the earliest. */
  async settled(quietMs: number): Promise<void> {
    const from = performance.now();
    this.#lastAt = Math.max(this.#lastAt, from);
    let isDrained = false;
    for (;;) {
      const left = this.#lastAt + quietMs - performance.now();
      if (left <= 0 && isDrained) return;
      // A timer that was late is served before what has arrived meanwhile: that is read first.
      isDrained = left <= 0;
      if (performance.now() - from > NEVER_MS) {
        const last = this.#entries.slice(-40).map(({ key, text }) => `${key}: ${text}`);
        throw new WaitedInVain(`${quietMs} ms without an event`, NEVER_MS, last.join('\n'));
      }
      await pause(Math.max(left, DRAIN_MS));
    }
  }

  /** What has been recorded since the last time, by key, in order. */
  take(): Map<string, readonly string[]> {
    const taken = new Map<string, string[]>();
    for (const { key, text } of this.#entries) taken.set(key, [...(taken.get(key) ?? []), text]);
    this.#entries = [];
    return taken;
  }
}
