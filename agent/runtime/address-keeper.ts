/**
 * Keeps virtual addresses in the kernel: adds, renews, removes and puts back, each failure told and none thrown. The
 * interface table is kept in step here, since the link monitor does not tell of our own additions.
 */
import { type Instant, MICROS_PER_SECOND, type Micros } from '../../proto/rules/time.js';
import type { AddressRequest, Lifetime, Rtnetlink } from '../link/rtnetlink.js';
import type { Outcome } from '../net/system-error.js';
import { leaseDuration } from '../vrrp/index.js';
import { formatIpv4 } from '../wire/ipv4-address.js';
import type { InterfaceTable } from './interface-table.js';
import type { Outbox } from './outbox.js';
import type { RunningRouter, WantedAddress } from './running-router.js';

/** An address that something else keeps removing is put back each time, and told of at most this often. */
const RESTORED_TOLD_EVERY: Micros = 60 * MICROS_PER_SECOND;
const NO_SUCH_DEVICE = 'the interface does not exist';

/** A wanted address and what the kernel is to be asked for. */
interface Placed {
  readonly router: RunningRouter;
  readonly wanted: WantedAddress;
  readonly request: AddressRequest;
}

export class AddressKeeper {
  constructor(
    private readonly kernel: Rtnetlink,
    private readonly table: InterfaceTable,
    private readonly outbox: Outbox,
  ) {}

  /** Adds a router's addresses, or some. One that is there already is a former run's and becomes ours. */
  add(router: RunningRouter, addresses: readonly WantedAddress[] = router.wanted): void {
    const placed = this.#place(router, addresses, true);
    const outcomes = this.kernel.addAddresses(placed.map(({ request }) => request));
    const there: Placed[] = [];
    for (const [index, each] of placed.entries()) {
      const outcome = outcomes[index];
      if (outcome === undefined) continue;
      if (!outcome.ok && outcome.code === 'EEXIST') there.push(each);
      else this.#added(each, outcome);
    }
    if (there.length === 0) return;
    const adopted = this.kernel.renewAddresses(there.map(({ request }) => request));
    for (const [index, each] of there.entries()) {
      const outcome = adopted[index];
      if (outcome === undefined) continue;
      this.#added(each, outcome);
      if (outcome.ok)
        this.#tell(each.router, each.wanted, 'leftover-adopted', 'it was there already, from a former run or by hand');
    }
  }

  /** Renews the leases of several routers' addresses in one go; those that went missing come back with it. */
  renew(routers: readonly RunningRouter[]): void {
    const placed = routers.flatMap((router) => this.#place(router, router.wanted, false));
    if (placed.length === 0) return;
    const outcomes = this.kernel.renewAddresses(placed.map(({ request }) => request));
    for (const [index, each] of placed.entries()) {
      const outcome = outcomes[index];
      if (outcome === undefined) continue;
      each.router.count('renewals');
      this.#added(each, outcome);
    }
  }

  /** Removes these addresses of a router, or all of them. */
  remove(router: RunningRouter, addresses: readonly WantedAddress[] = router.wanted): void {
    const placed = this.#place(router, addresses, false);
    for (const { wanted } of placed) router.held.delete(wanted.key);
    if (placed.length === 0) return;
    const outcomes = this.kernel.deleteAddresses(placed.map(({ request }) => request));
    for (const [index, { request, wanted }] of placed.entries()) {
      const outcome = outcomes[index];
      this.table.addressRemoved(request);
      const isGone =
        outcome === undefined || outcome.ok || outcome.code === 'EADDRNOTAVAIL' || outcome.code === 'ENODEV';
      if (isGone) continue;
      router.count('errors.address-remove');
      this.outbox.tell({
        kind: 'log',
        level: 'error',
        message: 'a virtual address could not be removed',
        fields: { router: router.name, address: formatIpv4(wanted.address), detail: outcome.message },
      });
    }
  }

  /**
   * Puts back what an active router's kernel no longer has. `restored`: addresses that had really gone and are back;
   * `isLost`: whether one could not be put back though its interface is there.
   */
  restore(
    router: RunningRouter,
    now: Instant,
  ): { readonly restored: readonly WantedAddress[]; readonly isLost: boolean } {
    const missing = this.#place(router, router.wanted, false).filter(({ request }) => !this.table.has(request));
    if (missing.length === 0) return { restored: [], isLost: false };
    const outcomes = this.kernel.addAddresses(missing.map(({ request }) => request));
    const restored: WantedAddress[] = [];
    let isLost = false;
    for (const [index, each] of missing.entries()) {
      const outcome = outcomes[index];
      if (outcome === undefined) continue;
      if (outcome.ok) {
        const wasHeld = router.held.has(each.wanted.key);
        this.#added(each, outcome);
        restored.push(each.wanted);
        const why = wasHeld
          ? 'something else, or the kernel along with another address, removed it; it was put back'
          : 'it could not be added before';
        this.#tellRestored(router, each.wanted, why, now);
      } else if (outcome.code === 'EEXIST') {
        this.#nowThere(each);
      } else {
        if (router.held.has(each.wanted.key)) {
          isLost = true;
          this.#tell(router, each.wanted, 'removed-by-other', `it could not be put back: ${outcome.message}`);
        }
        this.#added(each, outcome);
      }
    }
    return { restored, isLost };
  }

  /**
   * Removes what a former run left of the addresses of a router that is not active. A permanent address is kept where the
   * host has no other: that is a wrong configuration, not a former run, and must not cut the host off.
   */
  removeLeftovers(router: RunningRouter): void {
    const left = this.#place(router, router.wanted, false).filter(({ request }) => {
      const there = this.table.get(request);
      return there !== undefined && (router.source !== undefined || there.validLifetime !== 'forever');
    });
    if (left.length === 0) return;
    this.remove(
      router,
      left.map(({ wanted }) => wanted),
    );
    for (const { wanted } of left) {
      this.#tell(router, wanted, 'leftover-removed', 'a former run left it, and this router does not start as active');
    }
  }

  /** Tells, once each, of virtual addresses that this host has though the router is not active: not put there by us. */
  tellForeign(router: RunningRouter): void {
    for (const { key, address, prefixLength, device } of router.wanted) {
      const link = this.table.link(device);
      const isThere = link !== undefined && this.table.hasOn(link.index, address);
      if (!isThere || router.hostOwned.has(address)) {
        router.foreign.delete(key);
        continue;
      }
      if (router.foreign.has(key)) continue;
      router.foreign.add(key);
      this.outbox.tell({
        kind: 'notice',
        router: router.name,
        notice: 'address-held-while-not-active',
        sentence: `${formatIpv4(address)}/${prefixLength} is on ${device} though this router is not active here; something else added it`,
      });
    }
  }

  /** The kernel's view of each wanted address whose device exists; the others are told as failures if `tellMissing`. */
  #place(router: RunningRouter, addresses: readonly WantedAddress[], tellMissing: boolean): Placed[] {
    const seconds = Math.floor(leaseDuration(router.router) / MICROS_PER_SECOND);
    const lifetime: Lifetime = router.router.leased ? seconds : 'forever';
    const placed: Placed[] = [];
    for (const wanted of addresses) {
      if (router.hostOwned.has(wanted.address)) continue;
      const link = this.table.link(wanted.device);
      if (link === undefined) {
        if (tellMissing) this.#failed(router, wanted, NO_SUCH_DEVICE);
        continue;
      }
      placed.push({
        router,
        wanted,
        request: {
          interfaceIndex: link.index,
          address: wanted.address,
          prefixLength: wanted.prefixLength,
          lifetime,
          ...(wanted.label === undefined ? {} : { label: wanted.label }),
          ...(wanted.broadcast === undefined ? {} : { broadcast: wanted.broadcast }),
        },
      });
    }
    return placed;
  }

  #added(each: Placed, outcome: Outcome): void {
    if (outcome.ok) {
      this.#nowThere(each);
      each.router.failing.delete(each.wanted.key);
    } else {
      this.#failed(each.router, each.wanted, outcome.message);
    }
  }

  #nowThere({ router, wanted, request }: Placed): void {
    router.held.add(wanted.key);
    if (this.table.has(request)) return;
    this.table.addressAdded({
      ...request,
      scope: request.scope ?? 0,
      flags: 0,
      validLifetime: request.lifetime,
      preferredLifetime: request.lifetime,
    });
  }

  /** Told once until it succeeds: a renewal tries again every few hundred milliseconds. */
  #failed(router: RunningRouter, wanted: WantedAddress, detail: string): void {
    router.held.delete(wanted.key);
    router.count('errors.address-add');
    if (router.failing.get(wanted.key) === detail) return;
    router.failing.set(wanted.key, detail);
    this.#tell(router, wanted, 'add-failed', detail);
  }

  #tellRestored(router: RunningRouter, wanted: WantedAddress, why: string, now: Instant): void {
    router.count('restorations');
    const told = router.restored.get(wanted.key);
    if (told !== undefined && now - told.toldAt < RESTORED_TOLD_EVERY) {
      told.untold += 1;
      return;
    }
    const more = told !== undefined && told.untold > 0 ? `; ${told.untold} times more since this was last told` : '';
    router.restored.set(wanted.key, { toldAt: now, untold: 0 });
    this.#tell(router, wanted, 'restored', `${why}${more}`);
  }

  #tell(
    router: RunningRouter,
    wanted: WantedAddress,
    change: 'restored' | 'removed-by-other' | 'add-failed' | 'leftover-removed' | 'leftover-adopted',
    detail: string,
  ): void {
    this.outbox.tell({
      kind: 'address',
      router: router.name,
      address: `${formatIpv4(wanted.address)}/${wanted.prefixLength}`,
      interface: wanted.device,
      change,
      detail,
    });
  }
}
