/**
 * Keeps virtual addresses of both families in the kernel: adds, renews, removes and puts back, each failure told and none
 * thrown. The interface table is kept in step here, since the link monitor does not tell of our own additions.
 *
 * IPv6 addresses are added without duplicate address detection, which would keep a successor silent for a second;
 * Probe looks for other holders instead (docs/decisions/0017).
 */
import { formatIp, networkAddressOf } from '../../proto/rules/ip.js';
import { type Instant, MICROS_PER_SECOND, type Micros } from '../../proto/rules/time.js';
import { type AddressRequest, detectionOf, type Lifetime, type Rtnetlink, RtnetlinkError } from '../link/rtnetlink.js';
import type { Outcome } from '../net/system-error.js';
import { leaseDuration } from '../vrrp/index.js';
import { addressRequest, areRenewable } from './address-request.js';
import type { InterfaceTable } from './interface-table.js';
import type { VirtualAddress } from './messages.js';
import type { Outbox } from './outbox.js';
import type { Renewal } from './renewals.js';
import type { RunningRouter, WantedAddress } from './running-router.js';
import type { SysctlLoans } from './sysctl-loans.js';

/** An address that something else keeps removing is put back each time, and told of at most this often. */
const RESTORED_TOLD_EVERY: Micros = 60 * MICROS_PER_SECOND;
const NO_SUCH_DEVICE = 'the interface does not exist';
/** IFA_F_SECONDARY of linux/if_addr.h: follows another address of its subnet, also into removal. */
const SECONDARY = 0x01;
/** Purpose of loans of promote_secondaries. */
const PROMOTE = 'promote secondaries';

/** A wanted address and what the kernel is to be asked for. */
interface Placed {
  readonly router: RunningRouter;
  readonly wanted: WantedAddress;
  readonly request: AddressRequest;
}

type KernelCalls = Pick<Rtnetlink, 'addAddresses' | 'renewAddresses' | 'deleteAddresses' | 'ipv4Conf' | 'setIpv4Conf'>;

/** What was found missing, or wrong, of an active router's addresses. */
export interface Restoration {
  /** Had really gone, or could not be added before, and are there now. */
  readonly restored: readonly WantedAddress[];
  /** One could not be put back though its interface is there, and its loss is to be answered (noTrack). */
  readonly isLost: boolean;
  /** Duplicate address detection found another holder of these; they were added again without it. */
  readonly duplicates: readonly WantedAddress[];
}

export class AddressKeeper {
  /** Made once for each address and interface: a renewal makes nothing new. */
  readonly #requests = new WeakMap<WantedAddress, AddressRequest>();
  /** How each router's addresses were added, by key. */
  readonly #added = new WeakMap<RunningRouter, Map<string, VirtualAddress>>();
  #hasFailed = false;

  constructor(
    private readonly kernel: KernelCalls,
    private readonly table: InterfaceTable,
    private readonly outbox: Outbox,
    private readonly loans: SysctlLoans,
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
      else this.#took(each, outcome);
    }
    if (there.length === 0) return;
    const unfit = there.flatMap((each) => this.#unfit(each));
    if (unfit.length > 0) {
      this.kernel.deleteAddresses(unfit);
      for (const request of unfit) this.table.addressRemoved(request);
    }
    const adopted = this.kernel.renewAddresses(there.map(({ request }) => request));
    for (const [index, each] of there.entries()) {
      const outcome = adopted[index];
      if (outcome === undefined) continue;
      this.#took(each, outcome);
      if (outcome.ok)
        this.#tell(each.router, each.wanted, 'leftover-adopted', 'it was there already, from a former run or by hand');
    }
  }

  /** After a change of an active router's settings: adds what it does not hold, and anew what it holds otherwise than wanted. */
  sync(router: RunningRouter): readonly WantedAddress[] {
    const added = this.#added.get(router);
    const changed = router.wanted.filter(({ key, settings }) => {
      const before = router.held.has(key) ? added?.get(key) : undefined;
      return before !== undefined && !areRenewable(before, settings);
    });
    if (changed.length > 0) this.remove(router, changed);
    const missing = router.wanted.filter(({ key, address }) => !router.held.has(key) && !router.hostOwned.has(address));
    if (missing.length > 0) this.add(router, missing);
    return missing;
  }

  /** Renews the leases of addresses of several routers in one go; those that went missing come back with it. */
  renew(renewals: readonly Renewal[]): void {
    const placed = renewals.flatMap(({ router, addresses }) => this.#place(router, addresses, false));
    if (placed.length === 0) return;
    const outcomes = this.kernel.renewAddresses(placed.map(({ request }) => request));
    for (const [index, each] of placed.entries()) {
      const outcome = outcomes[index];
      if (outcome === undefined) continue;
      each.router.count('renewals');
      this.#took(each, outcome);
    }
  }

  /** Removes these addresses of a router, or all of them. */
  remove(router: RunningRouter, addresses: readonly WantedAddress[] = router.wanted): void {
    const placed = this.#place(router, addresses, false);
    // Also where the interface has gone, and the addresses with it.
    for (const { key } of addresses) router.held.delete(key);
    if (placed.length === 0) return;
    const outcomes = this.#sparingSecondaries(placed, () =>
      // An IPv6 address of another prefix length is the same address, but must be named with the one that it has.
      this.kernel.deleteAddresses(
        placed.map(({ request }) => ({
          ...request,
          prefixLength: this.table.get(request)?.prefixLength ?? request.prefixLength,
        })),
      ),
    );
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
        fields: { router: router.name, address: formatIp(wanted.address), detail: outcome.message },
      });
    }
  }

  /** Puts back what an active router's kernel no longer has, or does not let be used. */
  restore(router: RunningRouter, now: Instant): Restoration {
    const all = this.#place(router, router.wanted, false);
    const duplicates = all.filter(({ request }) => {
      const there = this.table.get(request);
      return there !== undefined && detectionOf(there) === 'failed';
    });
    if (duplicates.length > 0) this.#replace(duplicates);
    const missing = all.filter(({ request }) => !this.table.has(request));
    const found = { duplicates: duplicates.map(({ wanted }) => wanted) };
    if (missing.length === 0) return { restored: [], isLost: false, ...found };
    const outcomes = this.kernel.addAddresses(missing.map(({ request }) => request));
    const restored: WantedAddress[] = [];
    let isLost = false;
    for (const [index, each] of missing.entries()) {
      const outcome = outcomes[index];
      if (outcome === undefined) continue;
      if (outcome.ok) {
        const wasHeld = router.held.has(each.wanted.key);
        this.#took(each, outcome);
        restored.push(each.wanted);
        const why = wasHeld
          ? 'something else, or the kernel along with another address, removed it; it was put back'
          : 'it could not be added before';
        this.#tellRestored(router, each.wanted, why, now);
      } else if (outcome.code === 'EEXIST') {
        this.#nowThere(each);
      } else {
        if (router.held.has(each.wanted.key)) {
          if (each.wanted.settings.noTrack !== true) isLost = true;
          this.#tell(router, each.wanted, 'removed-by-other', `it could not be put back: ${outcome.message}`);
        }
        this.#took(each, outcome);
      }
    }
    return { restored, isLost, ...found };
  }

  /**
   * The kernel removes the secondary addresses of a subnet together with its primary one, unless promote_secondaries is
   * set: it is, on the interfaces of routers that want it, and wherever one of our addresses, whose lease may end, has
   * come before somebody else's. Called with every configuration and after every change of addresses.
   */
  guardSecondaries(routers: Iterable<RunningRouter>, now: Instant): void {
    const wants = new Map<number, { readonly promoteSecondaries: number }>();
    const ours = new Set<string>();
    const devices = new Set<string>();
    for (const router of routers) {
      for (const { device, address } of router.wanted) {
        ours.add(`${device} ${address}`);
        devices.add(device);
      }
      if (!router.settings.promoteSecondaries) continue;
      for (const device of [router.settings.interface, ...router.wanted.map((wanted) => wanted.device)]) {
        const link = this.table.link(device);
        if (link !== undefined) wants.set(link.index, { promoteSecondaries: 1 });
      }
    }
    for (const device of devices) {
      const link = this.table.link(device);
      if (link === undefined || wants.has(link.index)) continue;
      const isForeign = (address: number) => !ours.has(`${device} ${address}`);
      if (this.#subnetsWithoutPrimary(link.index, isForeign).size > 0) wants.set(link.index, { promoteSecondaries: 1 });
    }
    this.loans.want(PROMOTE, wants, now);
  }

  /**
   * Removes what a former run left of the addresses of a router that is not active. A permanent address is kept where the
   * host has no other: that may be a wrong configuration instead, and must not cut the host off. It is looked at again
   * when there is another one.
   */
  removeLeftovers(router: RunningRouter): void {
    router.hasSparedLeftovers = false;
    const left = this.#place(router, router.wanted, false).filter(({ request }) => {
      const there = this.table.get(request);
      if (there === undefined) return false;
      const isSpared = router.source === undefined && there.validLifetime === 'forever';
      if (isSpared) router.hasSparedLeftovers = true;
      return !isSpared;
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
        sentence: `${formatIp(address)}/${prefixLength} is on ${device} though this router is not active here; something else added it`,
      });
    }
  }

  /** The kernel's view of each wanted address whose device exists; the others are told as failures if `tellMissing`. */
  #place(router: RunningRouter, addresses: readonly WantedAddress[], tellMissing: boolean): Placed[] {
    const lifetime: Lifetime = router.router.leased
      ? Math.floor(leaseDuration(router.router) / MICROS_PER_SECOND)
      : 'forever';
    const placed: Placed[] = [];
    for (const wanted of addresses) {
      if (router.hostOwned.has(wanted.address)) continue;
      const link = this.table.link(wanted.device);
      if (link === undefined) {
        if (tellMissing) this.#failed(router, wanted, NO_SUCH_DEVICE);
        continue;
      }
      placed.push({ router, wanted, request: this.#request(wanted, link.index, lifetime) });
    }
    return placed;
  }

  #request(wanted: WantedAddress, index: number, lifetime: Lifetime): AddressRequest {
    const made = this.#requests.get(wanted);
    if (made !== undefined && made.interfaceIndex === index && made.lifetime === lifetime) return made;
    const request = addressRequest(wanted.settings, wanted.address, index, lifetime, false);
    this.#requests.set(wanted, request);
    return request;
  }

  /**
   * What is to be deleted before an address that is there can be made ours: the kernel knows an IPv6 address by itself
   * alone and keeps its prefix length, and gives the route to its subnet the address' new lifetime, also where that is
   * the host's own.
   */
  #unfit({ request }: Placed): readonly { interfaceIndex: number; address: bigint; prefixLength: number }[] {
    const { interfaceIndex, address, prefixLength, lifetime } = request;
    if (typeof address === 'number') return [];
    const there = [...this.table.addressesOn(interfaceIndex)].find((known) => known.address === address);
    if (there === undefined) return [];
    const isFit =
      there.prefixLength === prefixLength &&
      detectionOf(there) === 'done' &&
      (there.validLifetime === 'forever') === (lifetime === 'forever');
    return isFit ? [] : [{ interfaceIndex, address, prefixLength: there.prefixLength }];
  }

  #replace(placed: readonly Placed[]): void {
    this.kernel.deleteAddresses(placed.map(({ request }) => request));
    for (const { request } of placed) this.table.addressRemoved(request);
    const outcomes = this.kernel.addAddresses(placed.map(({ request }) => request));
    for (const [index, each] of placed.entries()) {
      const outcome = outcomes[index];
      if (outcome !== undefined) this.#took(each, outcome);
    }
  }

  /** Removes primary addresses so that nobody else's secondary ones go with them. */
  #sparingSecondaries<Result>(placed: readonly Placed[], remove: () => Result): Result {
    const promoted: number[] = [];
    for (const index of new Set(placed.map(({ request }) => request.interfaceIndex))) {
      const going = new Set<number>();
      for (const { request } of placed) {
        if (request.interfaceIndex === index && typeof request.address === 'number') going.add(request.address);
      }
      if (this.#subnetsWithoutPrimary(index, (address) => !going.has(address)).size === 0) continue;
      try {
        if (this.kernel.ipv4Conf(index)?.promoteSecondaries !== 0) continue;
      } catch (error) {
        if (!(error instanceof RtnetlinkError)) throw error;
        continue;
      }
      if (this.kernel.setIpv4Conf(index, { promoteSecondaries: 1 }).ok) promoted.push(index);
    }
    const result = remove();
    for (const index of promoted) this.kernel.setIpv4Conf(index, { promoteSecondaries: 0 });
    return result;
  }

  /**
   * Subnets of an interface in which the addresses that `isOther` are all secondary: their primary one is not among them.
   * The flags of our own additions are not known, so it is told by the others'.
   */
  #subnetsWithoutPrimary(index: number, isOther: (address: number) => boolean): ReadonlySet<string> {
    const without = new Set<string>();
    const withPrimary = new Set<string>();
    for (const { address, prefixLength, flags } of this.table.addressesOn(index)) {
      if (typeof address !== 'number' || prefixLength === 32 || !isOther(address)) continue;
      const subnet = `${networkAddressOf({ address, prefixLength })}/${prefixLength}`;
      ((flags & SECONDARY) !== 0 ? without : withPrimary).add(subnet);
    }
    for (const subnet of withPrimary) without.delete(subnet);
    return without;
  }

  #took(each: Placed, outcome: Outcome): void {
    if (outcome.ok) {
      this.#nowThere(each);
      each.router.failing.delete(each.wanted.key);
    } else {
      this.#failed(each.router, each.wanted, outcome.message);
    }
  }

  #nowThere({ router, wanted, request }: Placed): void {
    router.held.add(wanted.key);
    const added = this.#added.get(router);
    if (added === undefined) this.#added.set(router, new Map([[wanted.key, wanted.settings]]));
    else added.set(wanted.key, wanted.settings);
    if (this.table.has(request)) return;
    this.table.addressAdded({
      ...request,
      scope: request.scope ?? 0,
      flags: 0,
      validLifetime: request.lifetime,
      preferredLifetime: request.preferredLifetime ?? request.lifetime,
    });
  }

  /** True once after addresses could not be added or renewed: what is missing is to be put back in a while. */
  takeFailure(): boolean {
    const hasFailed = this.#hasFailed;
    this.#hasFailed = false;
    return hasFailed;
  }

  /** Told once until it succeeds: a renewal, or whoever is told by `takeFailure`, tries again. */
  #failed(router: RunningRouter, wanted: WantedAddress, detail: string): void {
    this.#hasFailed = true;
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
      address: `${formatIp(wanted.address)}/${wanted.prefixLength}`,
      interface: wanted.device,
      change,
      detail,
    });
  }
}
