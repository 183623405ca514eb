/**
 * When the leases that are due are renewed: those of IPv4 addresses together at the end of the turn; those of IPv6 in
 * portions, since for each one the kernel looks at all IPv6 addresses of the host, and a few hundred in one go would keep
 * advertisements waiting. What is due waits for at most an eighth of the lease, so that no lease is ever half over.
 */
import type { Instant, Micros } from '../../proto/rules/time.js';
import { leaseDuration } from '../vrrp/index.js';
import type { RunningRouter, WantedAddress } from './running-router.js';
import type { Timed } from './timed.js';

/** Addresses renewed by one request. */
const PORTION = 8;
/** After this time the others wait for another turn. */
const MOST_TIME: Micros = 1_000;
/** Then this many times as long as it took is everybody else's. */
const REST = 3;
const LONGEST_WAIT = 1 / 8;

export interface Renewal {
  readonly router: RunningRouter;
  readonly addresses: readonly WantedAddress[];
}

export interface RenewalTools {
  readonly renew: (renewals: readonly Renewal[]) => void;
  readonly clock: { now(): Instant };
}

/** A router's addresses from `next` on are to be renewed. */
interface Due {
  wanted: readonly WantedAddress[];
  next: number;
  readonly by: Instant;
}

export class Renewals implements Timed {
  readonly #together = new Set<RunningRouter>();
  /** In the order in which they became due. */
  readonly #inPortions = new Map<RunningRouter, Due>();
  #restsUntil: Instant = 0;

  constructor(private readonly tools: RenewalTools) {}

  add(router: RunningRouter, now: Instant): void {
    const { wanted } = router;
    if (!wanted.some(({ address }) => typeof address === 'bigint')) {
      this.#together.add(router);
      return;
    }
    const wait = Math.floor(leaseDuration(router.router) * LONGEST_WAIT);
    this.#inPortions.set(router, { wanted, next: 0, by: this.#inPortions.get(router)?.by ?? now + wait });
  }

  /** It gives its addresses up. */
  delete(router: RunningRouter): void {
    this.#together.delete(router);
    this.#inPortions.delete(router);
  }

  get nextAt(): Instant | undefined {
    return this.#inPortions.size === 0 ? undefined : this.#restsUntil;
  }

  /** At the end of every turn, and so at `nextAt` as well. */
  onTime(now: Instant): void {
    if (this.#together.size > 0) {
      const renewals = [...this.#together].map((router) => ({ router, addresses: router.wanted }));
      this.#together.clear();
      this.tools.renew(renewals);
    }
    if (this.#inPortions.size > 0 && now >= this.#restsUntil) this.#renewPortions(now);
  }

  /** All that waits, now: nobody will be here to do it later. */
  finish(): void {
    this.onTime(Number.POSITIVE_INFINITY);
  }

  #renewPortions(now: Instant): void {
    const startedAt = this.tools.clock.now();
    for (const [router, due] of this.#inPortions) {
      if (due.wanted !== router.wanted) {
        due.wanted = router.wanted;
        due.next = 0;
      }
      while (due.next < due.wanted.length) {
        const took = this.tools.clock.now() - startedAt;
        if (took > MOST_TIME && now < due.by) {
          this.#restsUntil = startedAt + took * (1 + REST);
          return;
        }
        this.tools.renew([{ router, addresses: due.wanted.slice(due.next, due.next + PORTION) }]);
        due.next += PORTION;
      }
      this.#inPortions.delete(router);
    }
  }
}
