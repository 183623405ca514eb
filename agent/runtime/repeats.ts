/**
 * Things that may repeat many times a second, told at once the first time and then at most once a minute with how often
 * they happened since. Bounded: whoever sends from ever new addresses fills one common row.
 */
import { type Instant, MICROS_PER_SECOND, type Micros } from '../../proto/rules/time.js';

const MAX_ROWS = 256;
export const REPEAT_WINDOW: Micros = 60 * MICROS_PER_SECOND;
/** Source of what no longer fits. */
export const OTHER_SOURCES = 'others';

export interface Repeated {
  /** What happened, on what, in the words of the caller. */
  readonly subject: string;
  readonly what: string;
  /** A dotted quad, OTHER_SOURCES, or empty where there is none. */
  readonly source: string;
}

interface Row extends Repeated {
  windowEndsAt: Instant;
  untold: number;
}

export interface RepeatCount {
  readonly repeated: Repeated;
  readonly count: number;
}

export class Repeats {
  readonly #rows = new Map<string, Row>();
  #nextAt: Instant | undefined;

  /** When `due` has something to do; undefined: nothing is open. */
  get nextAt(): Instant | undefined {
    return this.#nextAt;
  }

  /** True if this is to be told now (as one); false if it was counted for later. */
  note(subject: string, what: string, source: string, now: Instant): Repeated | undefined {
    let key = `${subject}\n${what}\n${source}`;
    let row = this.#rows.get(key);
    let shown = source;
    if (row === undefined && this.#rows.size >= MAX_ROWS) {
      shown = OTHER_SOURCES;
      key = `${subject}\n${what}\n${shown}`;
      row = this.#rows.get(key);
    }
    if (row !== undefined) {
      row.untold += 1;
      return undefined;
    }
    const fresh: Row = { subject, what, source: shown, windowEndsAt: now + REPEAT_WINDOW, untold: 0 };
    this.#rows.set(key, fresh);
    this.#nextAt = Math.min(this.#nextAt ?? fresh.windowEndsAt, fresh.windowEndsAt);
    return fresh;
  }

  /** What repeated in the windows that have ended. A row in which nothing did is forgotten. */
  due(now: Instant): readonly RepeatCount[] {
    if (this.#nextAt === undefined || now < this.#nextAt) return [];
    const counts: RepeatCount[] = [];
    this.#nextAt = undefined;
    for (const [key, row] of this.#rows) {
      if (now >= row.windowEndsAt) {
        if (row.untold === 0) {
          this.#rows.delete(key);
          continue;
        }
        counts.push({ repeated: row, count: row.untold });
        row.untold = 0;
        row.windowEndsAt = now + REPEAT_WINDOW;
      }
      this.#nextAt = Math.min(this.#nextAt ?? row.windowEndsAt, row.windowEndsAt);
    }
    return counts;
  }
}
