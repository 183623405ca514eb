/** Whose advertisements a router dropped and why: one row for each source and reason, a bounded number of them. */
import type { Instant } from '../../proto/rules/time.js';

/** Beyond it the row that was added to longest ago makes room: whoever sends from ever new addresses fills no memory. */
const MAX_ROWS = 32;

export interface RejectedSender {
  readonly source: string;
  readonly reason: string;
  count: number;
  lastAt: Instant;
}

export class RejectedSenders {
  /** In the order in which they were added to last. */
  readonly #rows = new Map<string, RejectedSender>();

  get rows(): Iterable<RejectedSender> {
    return this.#rows.values();
  }

  note(source: string, reason: string, now: Instant): void {
    const key = `${source} ${reason}`;
    const row = this.#rows.get(key);
    if (row === undefined) {
      if (this.#rows.size >= MAX_ROWS) {
        for (const oldest of this.#rows.keys()) {
          this.#rows.delete(oldest);
          break;
        }
      }
      this.#rows.set(key, { source, reason, count: 1, lastAt: now });
      return;
    }
    this.#rows.delete(key);
    row.count += 1;
    row.lastAt = now;
    this.#rows.set(key, row);
  }
}
