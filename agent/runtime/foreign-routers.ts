/**
 * Routers that advertise and that the configuration knows nothing of: one row for each VRID and source, a bounded number
 * of them. Each is to be told of once, but not more than a few a minute: what is not told now is told when it is heard
 * again.
 */
import type { IpAddress } from '../../proto/rules/ip.js';
import type { Instant } from '../../proto/rules/time.js';
import { Pace } from './pace.js';

/** Beyond it the one heard longest ago makes room. */
const MAX_ROWS = 32;
const TOLD_IN_MINUTE = 8;

export interface ForeignRouter {
  readonly vrid: number;
  readonly source: IpAddress;
  advertisements: number;
  lastAt: Instant;
  isTold: boolean;
}

export class ForeignRouters {
  readonly #rows: ForeignRouter[] = [];
  readonly #pace = new Pace(TOLD_IN_MINUTE);

  get rows(): readonly ForeignRouter[] {
    return this.#rows;
  }

  /** It has advertised. True: this is to be told. */
  heard(vrid: number, source: IpAddress, now: Instant): boolean {
    const row = this.#row(vrid, source);
    row.advertisements += 1;
    row.lastAt = now;
    if (row.isTold || !this.#pace.allows(now)) return false;
    row.isTold = true;
    return true;
  }

  #row(vrid: number, source: IpAddress): ForeignRouter {
    let oldest = 0;
    for (const [index, row] of this.#rows.entries()) {
      if (row.vrid === vrid && row.source === source) return row;
      if (row.lastAt < (this.#rows[oldest]?.lastAt ?? 0)) oldest = index;
    }
    const fresh: ForeignRouter = { vrid, source, advertisements: 0, lastAt: 0, isTold: false };
    if (this.#rows.length < MAX_ROWS) this.#rows.push(fresh);
    else this.#rows[oldest] = fresh;
    return fresh;
  }
}
