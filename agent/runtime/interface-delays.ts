/**
 * Whether interfaces are up, as routers are to see it: a change of a delayed interface counts only after it has lasted
 * for its delay, and is forgotten if the interface goes back before. Until an interface has been up once it is down, and
 * its first rise is not delayed.
 */
import type { Instant, Micros } from '../../proto/rules/time.js';
import type { VirtualRouter } from '../vrrp/index.js';
import type { RouterSettings } from './messages.js';
import type { Timed } from './timed.js';

export interface InterfaceDelay {
  readonly interface: string;
  readonly down: Micros;
  readonly up: Micros;
}

interface Row {
  isUp: boolean;
  /** When the other state counts, if it lasts. */
  changesAt: Instant | undefined;
}

export class InterfaceDelays implements Timed {
  #delays: ReadonlyMap<string, InterfaceDelay> = new Map();
  readonly #rows = new Map<string, Row>();

  /**
   * @param onDue a change has lasted: routers are to be told
   */
  constructor(private readonly onDue: (now: Instant) => void) {}

  /** Other delays, for changes from now on. */
  configure(delays: readonly InterfaceDelay[], routers: readonly RouterSettings[]): void {
    this.#delays = new Map(delays.map((delay) => [delay.interface, bounded(delay, routers)]));
    for (const name of this.#rows.keys()) if (!this.#delays.has(name)) this.#rows.delete(name);
  }

  /** Whether the interface counts as up now, when it is `isUp`. */
  judge(name: string, isUp: boolean, now: Instant): boolean {
    const delay = this.#delays.get(name);
    if (delay === undefined) return isUp;
    const row = this.#rows.get(name);
    if (row === undefined) {
      if (isUp) this.#rows.set(name, { isUp, changesAt: undefined });
      return isUp;
    }
    if (row.isUp === isUp) {
      row.changesAt = undefined;
      return isUp;
    }
    row.changesAt ??= now + (isUp ? delay.up : delay.down);
    if (now < row.changesAt) return row.isUp;
    row.isUp = isUp;
    row.changesAt = undefined;
    return isUp;
  }

  /** For how long a failure of the interface is held back. */
  down(name: string): Micros {
    return this.#delays.get(name)?.down ?? 0;
  }

  get nextAt(): Instant | undefined {
    let next: Instant | undefined;
    for (const { changesAt } of this.#rows.values()) {
      if (changesAt !== undefined && (next === undefined || changesAt < next)) next = changesAt;
    }
    return next;
  }

  onTime(now: Instant): void {
    let isAnyDue = false;
    for (const row of this.#rows.values()) {
      if (row.changesAt === undefined || now < row.changesAt) continue;
      row.isUp = !row.isUp;
      row.changesAt = undefined;
      isAnyDue = true;
    }
    if (isAnyDue) this.onDue(now);
  }
}

/**
 * How long a router may go without knowing that its own interface has failed: the others must not have given it up yet, or
 * it would go on as active beside its successor (keepalived bounds its interface_up_down_delays by the same).
 */
export function patienceOf({ downTimerAdvertisements, advertisementInterval }: VirtualRouter): Micros {
  const patience = (downTimerAdvertisements - 1) * advertisementInterval - Math.floor(advertisementInterval / 256);
  return Math.max(0, patience);
}

function bounded(delay: InterfaceDelay, routers: readonly RouterSettings[]): InterfaceDelay {
  let most = Number.POSITIVE_INFINITY;
  for (const { router, interface: device } of routers) {
    if (device === delay.interface) most = Math.min(most, patienceOf(router));
  }
  return { interface: delay.interface, down: Math.min(delay.down, most), up: Math.min(delay.up, most) };
}
