/**
 * Accept mode (RFC 9568 section 6.1): traffic to the addresses of an active router that does not accept it is dropped
 * from before they are added until after they are removed, while ARP and neighbour discovery go on (docs/decisions/0018).
 * And membership reports do not leave by virtual MAC interfaces: a switch would learn a wrong port from a backup's.
 */
import { formatIp, isLinkLocal } from '../../proto/rules/ip.js';
import type { Instant } from '../../proto/rules/time.js';
import type { FilteredAddress, Firewall } from '../link/firewall.js';
import type { Outcome } from '../net/system-error.js';
import type { InterfaceTable } from './interface-table.js';
import type { RunningRouter } from './running-router.js';
import type { Trouble } from './trouble.js';

/** By text, since an address is a value. */
type Dropped = ReadonlyMap<string, FilteredAddress>;

export class AcceptGuard {
  /** What each router drops. */
  readonly #dropped = new Map<RunningRouter, Dropped>();
  #silent: ReadonlySet<number> = new Set();
  /** What a former run left may still be there: until something is put in its place, or it is seen that nothing is. */
  #leftover: 'unknown' | 'unwanted' | 'gone' = 'unknown';

  constructor(
    private readonly firewall: Firewall,
    private readonly table: InterfaceTable,
    private readonly trouble: Trouble,
  ) {}

  /** Routers are configured: by the end of this turn those that go on from a former run have asked for what they need. */
  configured(): void {
    if (this.#leftover === 'unknown') this.#leftover = 'unwanted';
  }

  /**
   * At the end of every turn: removes what a former run left, unless something has replaced it, which is done in one step
   * so that a router that goes on never accepts what it should not.
   */
  tidy(now: Instant): void {
    if (this.#leftover !== 'unwanted') return;
    this.#leftover = 'gone';
    this.#judge(this.firewall.clear(), 'a former packet filter could not be removed', 'nftables', now);
  }

  /** Before a router's addresses are added, and after its settings have changed while it holds them: what is new is dropped. */
  sync(router: RunningRouter, now: Instant): void {
    // An address owner accepts always.
    const accepts = router.settings.accept || router.router.priority === 255;
    const before = this.#dropped.get(router);
    if (accepts && before === undefined) return;
    const drop: Dropped = accepts ? new Map() : this.#addressesOf(router);
    if (drop.size > 0) this.#dropped.set(router, drop);
    else this.#dropped.delete(router);
    const added = [...drop].filter(([key]) => before?.has(key) !== true).map(([, address]) => address);
    if (added.length > 0) {
      this.#leftover = 'gone';
      const outcome = this.firewall.dropTraffic(added);
      this.#judge(outcome, 'traffic to virtual addresses could not be dropped', router.name, now);
      if (!outcome.ok) router.count('errors.firewall');
    }
    if (before !== undefined) this.#allow(router, before, now);
  }

  /** After a router's addresses were removed. */
  release(router: RunningRouter, now: Instant): void {
    const before = this.#dropped.get(router);
    if (before === undefined) return;
    this.#dropped.delete(router);
    this.#allow(router, before, now);
  }

  /** These interfaces, and no others, send no membership reports. */
  silence(interfaceIndexes: ReadonlySet<number>, now: Instant): void {
    const before = this.#silent;
    const added = [...interfaceIndexes].filter((index) => !before.has(index));
    const gone = [...before].filter((index) => !interfaceIndexes.has(index));
    this.#silent = new Set(interfaceIndexes);
    const what = 'membership reports of virtual MAC interfaces could not be blocked';
    if (added.length > 0) {
      this.#leftover = 'gone';
      this.#judge(this.firewall.blockReports(added), what, 'nftables', now);
    }
    if (gone.length > 0) this.#judge(this.firewall.allowReports(gone), what, 'nftables', now);
  }

  /** `keep`: all stays in force, for the process that goes on. */
  close(keep: boolean): void {
    if (keep) this.firewall.leave();
    else this.firewall.close();
  }

  #addressesOf({ wanted }: RunningRouter): Dropped {
    const addresses = new Map<string, FilteredAddress>();
    for (const { address, device } of wanted) {
      if (!isLinkLocal(address)) {
        addresses.set(formatIp(address), { address });
        continue;
      }
      const interfaceIndex = this.table.link(device)?.index;
      if (interfaceIndex !== undefined)
        addresses.set(`${formatIp(address)}%${interfaceIndex}`, { address, interfaceIndex });
    }
    return addresses;
  }

  /** Addresses that no router drops any more. */
  #allow(router: RunningRouter, before: Dropped, now: Instant): void {
    const gone: FilteredAddress[] = [];
    for (const [key, address] of before) {
      if (![...this.#dropped.values()].some((dropped) => dropped.has(key))) gone.push(address);
    }
    if (gone.length === 0) return;
    const outcome = this.firewall.allowTraffic(gone);
    this.#judge(outcome, 'traffic to former virtual addresses is still dropped', router.name, now);
  }

  #judge(outcome: Outcome, what: string, on: string, now: Instant): void {
    if (!outcome.ok) this.trouble.failed(what, on, outcome.message, now);
  }
}
