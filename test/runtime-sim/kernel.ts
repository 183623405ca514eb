/**
 * The kernel of a simulated host, as far as the agent talks to it: interfaces that come and go, addresses that end with
 * their lifetimes, refusals, what the packet filter drops, and the news of all that. It outlives every process.
 */
import { constants } from 'node:os';
import type { LinkEvent } from '../../agent/link/link-monitor.js';
import type { AddressKey, AddressRequest, InterfaceAddress, Link } from '../../agent/link/rtnetlink.js';
import { OK, type Outcome, refusal } from '../../agent/net/system-error.js';
import { familyOf, formatIpPrefix, type IpAddress, isLinkLocal } from '../../proto/rules/ip.js';
import { type Instant, MICROS_PER_SECOND, type Micros } from '../../proto/rules/time.js';
import type { Random } from '../sim/random.js';
import type { Timeline } from '../sim/timeline.js';

const { EADDRNOTAVAIL, EEXIST, ENODEV } = constants.errno;
/** IFF_UP and IFF_RUNNING. */
const UP = 0x41;
/** The longest that an address outlasts its lifetime. */
export const LEASE_SLOWNESS: Micros = 360_000;

/** An address of the host's own. */
export interface OwnAddress {
  readonly device: string;
  readonly address: IpAddress;
  readonly prefixLength: number;
}

export type Verb = 'add' | 'renew' | 'delete';

export class SimKernel {
  readonly links = new Map<string, Link>();
  readonly addresses: InterfaceAddress[] = [];
  /** What the packet filter drops, as text. */
  readonly filtered = new Set<string>();
  /** Called with every change of addresses and links, in order. */
  readonly listeners = new Set<(event: LinkEvent, requester: number | undefined) => void>();
  /** When changes of addresses were last refused. */
  refusedAt: Instant = Number.NEGATIVE_INFINITY;
  #refusal: { readonly errno: number; readonly verbs: ReadonlySet<Verb> } | undefined;
  /** Requests to add or renew addresses, one for each address. */
  writes = 0;
  #indexes = 1;
  #portIds = 100;

  constructor(
    private readonly timeline: Timeline,
    private readonly random: Random,
    private readonly number: number,
    /** What the host has by itself; whoever manages its network puts it back when an interface is made anew. */
    private readonly own: readonly OwnAddress[],
    private readonly onLeaseEnd: (address: IpAddress) => void,
  ) {
    for (const device of new Set(own.map((address) => address.device))) this.makeLink(device);
  }

  /** Errno that changes of addresses fail with. */
  get refusal() {
    return this.#refusal;
  }

  set refusal(refusal: { readonly errno: number; readonly verbs: ReadonlySet<Verb> } | undefined) {
    this.refusedAt = this.timeline.now;
    this.#refusal = refusal;
  }

  newPortId(): number {
    this.#portIds += 1;
    return this.#portIds;
  }

  holds(address: IpAddress): boolean {
    return this.addresses.some((held) => held.address === address);
  }

  /** Hardware address of the interface that has the address and is up. */
  answerFor(address: IpAddress, device: string): Uint8Array | undefined {
    const link = this.links.get(device);
    if (link?.isUp !== true) return undefined;
    return this.addresses.some((held) => held.address === address && held.interfaceIndex === link.index)
      ? link.hardwareAddress
      : undefined;
  }

  // What others do to the host

  makeLink(name: string): void {
    if (this.links.has(name)) return;
    const index = this.#indexes++;
    const link: Link = {
      index,
      name,
      isUp: true,
      flags: UP,
      operationalState: 6,
      type: 1,
      mtu: 1500,
      hardwareAddress: Uint8Array.of(2, 0, 0, 0, this.number, index),
    };
    this.links.set(name, link);
    this.#tell({ kind: 'link', link });
    this.#addOwn(name, () => true);
  }

  setLink(name: string, isUp: boolean): void {
    const link = this.links.get(name);
    if (link === undefined || link.isUp === isUp) return;
    const changed = { ...link, isUp, flags: isUp ? UP : 0, operationalState: isUp ? 6 : 2 };
    this.links.set(name, changed);
    this.#tell({ kind: 'link', link: changed });
    if (isUp) {
      this.#addOwn(name, ({ address }) => familyOf(address) === 6);
      return;
    }
    // Of IPv6 all go with the interface; of IPv4 they stay.
    for (const held of [...this.addresses]) {
      if (held.interfaceIndex === link.index && familyOf(held.address) === 6) this.#remove(held, undefined);
    }
  }

  removeLink(name: string): void {
    const link = this.links.get(name);
    if (link === undefined) return;
    for (const held of [...this.addresses]) if (held.interfaceIndex === link.index) this.#remove(held, undefined);
    this.links.delete(name);
    this.#tell({ kind: 'linkRemoved', link });
  }

  /** By hand: ip address del. */
  removeAddress(address: IpAddress): boolean {
    const held = this.addresses.find((each) => each.address === address);
    if (held === undefined) return false;
    this.#remove(held, undefined);
    return true;
  }

  /** The host's own addresses as they should be, after somebody removed them. */
  restoreOwn(): void {
    for (const name of this.links.keys()) this.#addOwn(name, () => true);
  }

  /** The host is switched off and on again. */
  reboot(): void {
    this.addresses.splice(0);
    this.filtered.clear();
    this.refusal = undefined;
    for (const [name, link] of this.links) {
      this.links.set(name, { ...link, isUp: true, flags: UP, operationalState: 6 });
      this.#addOwn(name, () => true);
    }
  }

  // What the agent asks for

  change(verb: Verb, requests: readonly (AddressRequest | AddressKey)[], requester: number): readonly Outcome[] {
    return requests.map((request) => {
      const doing = `${verb} address ${formatIpPrefix(request)}`;
      if (verb !== 'delete') this.writes += 1;
      if (this.#refusal?.verbs.has(verb)) return refusal(this.#refusal.errno, doing);
      if (![...this.links.values()].some(({ index }) => index === request.interfaceIndex))
        return refusal(ENODEV, doing);
      const held = this.addresses.find((each) => isSame(each, request));
      if (verb === 'delete' || !('lifetime' in request)) {
        if (held === undefined) return refusal(EADDRNOTAVAIL, doing);
        this.#remove(held, requester);
        return OK;
      }
      if (verb === 'add' && held !== undefined) return refusal(EEXIST, doing);
      this.#store(request, requester);
      return OK;
    });
  }

  #store(request: AddressRequest, requester: number | undefined): void {
    const { interfaceIndex, address, prefixLength, lifetime } = request;
    const stored: InterfaceAddress = {
      interfaceIndex,
      address,
      prefixLength,
      scope: 0,
      flags: 0,
      validLifetime: lifetime,
      preferredLifetime: lifetime,
    };
    const at = this.addresses.findIndex((held) => isSame(held, stored));
    if (at < 0) this.addresses.push(stored);
    else this.addresses[at] = stored;
    this.#tell({ kind: 'addressAdded', address: stored }, requester);
    if (lifetime === 'forever') return;
    this.timeline.after(lifetime * MICROS_PER_SECOND + this.random.between(0, LEASE_SLOWNESS), () => {
      if (!this.addresses.includes(stored)) return;
      this.#remove(stored, undefined);
      this.onLeaseEnd(address);
    });
  }

  #remove(address: InterfaceAddress, requester: number | undefined): void {
    this.addresses.splice(this.addresses.indexOf(address), 1);
    this.#tell({ kind: 'addressRemoved', address, own: false }, requester);
  }

  #addOwn(device: string, isWanted: (own: OwnAddress) => boolean): void {
    const index = this.links.get(device)?.index;
    if (index === undefined) return;
    for (const own of this.own) {
      if (own.device !== device || !isWanted(own) || this.holds(own.address)) continue;
      if (isLinkLocal(own.address) && this.links.get(device)?.isUp !== true) continue;
      this.#store({ interfaceIndex: index, lifetime: 'forever', ...own }, undefined);
    }
  }

  #tell(event: LinkEvent, requester?: number): void {
    for (const listener of this.listeners) listener(event, requester);
  }
}

function isSame(a: AddressKey, b: AddressKey): boolean {
  if (a.address !== b.address || a.interfaceIndex !== b.interfaceIndex) return false;
  return typeof a.address === 'bigint' || a.prefixLength === b.prefixLength;
}
