/**
 * The interfaces and addresses of this host as last known: filled by a dump, kept by the link monitor's events and by our
 * own requests.
 */
import { type Family, familyOf, type IpAddress } from '../../proto/rules/ip.js';
import type { AddressKey, InterfaceAddress, Link } from '../link/rtnetlink.js';

/** IFA_F_* of linux/if_addr.h: it follows another address of its subnet (IPv4). */
const SECONDARY = 0x01;
/** Duplicate address detection found another holder, or is not done yet (IPv6). */
const DAD_FAILED = 0x08;
const TENTATIVE = 0x40;
const OPTIMISTIC = 0x04;

export class InterfaceTable {
  readonly #links = new Map<number, Link>();
  /** Index by name: there may be thousands, and every router asks for several at every change. */
  readonly #indexes = new Map<string, number>();
  /** By interface, then by address and prefix length, in the kernel's order. */
  readonly #addresses = new Map<number, Map<Key, InterfaceAddress>>();

  /** Everything anew. */
  replace(links: readonly Link[], addresses: readonly InterfaceAddress[]): void {
    this.#links.clear();
    this.#indexes.clear();
    for (const link of links) this.linkChanged(link);
    this.replaceAddresses(addresses);
  }

  replaceAddresses(addresses: readonly InterfaceAddress[]): void {
    this.#addresses.clear();
    for (const address of addresses) this.addressAdded(address);
  }

  linkChanged(link: Link): void {
    this.#forgetName(link.index);
    this.#links.set(link.index, link);
    this.#indexes.set(link.name, link.index);
  }

  linkRemoved(index: number): void {
    this.#forgetName(index);
    this.#links.delete(index);
    this.#addresses.delete(index);
  }

  addressAdded(address: InterfaceAddress): void {
    const known = this.#addresses.get(address.interfaceIndex);
    if (known === undefined) this.#addresses.set(address.interfaceIndex, new Map([[keyOf(address), address]]));
    else known.set(keyOf(address), address);
  }

  addressRemoved(key: AddressKey): void {
    this.#addresses.get(key.interfaceIndex)?.delete(keyOf(key));
  }

  get links(): Iterable<Link> {
    return this.#links.values();
  }

  link(name: string): Link | undefined {
    const index = this.#indexes.get(name);
    return index === undefined ? undefined : this.#links.get(index);
  }

  linkOf(index: number): Link | undefined {
    return this.#links.get(index);
  }

  /** Of both families, each in the kernel's order. */
  addressesOn(index: number): Iterable<InterfaceAddress> {
    return this.#addresses.get(index)?.values() ?? [];
  }

  get(key: AddressKey): InterfaceAddress | undefined {
    return this.#addresses.get(key.interfaceIndex)?.get(keyOf(key));
  }

  has(key: AddressKey): boolean {
    return this.get(key) !== undefined;
  }

  /** Whether an interface has the address, with whatever prefix length. */
  hasOn(index: number, address: IpAddress): boolean {
    for (const known of this.addressesOn(index)) if (known.address === address) return true;
    return false;
  }

  *everyAddress(): Iterable<InterfaceAddress> {
    for (const known of this.#addresses.values()) yield* known.values();
  }

  /**
   * The source that the host would use on an interface: its first address of the family that `isWanted`, a primary one
   * before a secondary one. None that duplicate address detection has refused or is still asking about. Undefined: there
   * is none.
   *
   * @param present an IPv6 address that is kept as long as it will do: the kernel lists the newest first, and peers are to
   * see one sender (as keepalived does)
   */
  sourceOn(
    index: number,
    family: Family,
    isWanted: (address: IpAddress) => boolean,
    present?: IpAddress,
  ): IpAddress | undefined {
    let second: IpAddress | undefined;
    for (const known of this.addressesOn(index)) {
      const { address } = known;
      if (familyOf(address) !== family || !isUsable(known) || !isWanted(address)) continue;
      const isFirst = family === 6 ? present === undefined || address === present : (known.flags & SECONDARY) === 0;
      if (isFirst) return address;
      second ??= address;
    }
    return second;
  }

  /** Of an interface that is renamed or goes: the name may be another one's by now. */
  #forgetName(index: number): void {
    const name = this.#links.get(index)?.name;
    if (name !== undefined && this.#indexes.get(name) === index) this.#indexes.delete(name);
  }
}

/** Packets can be sent from it: for IPv4 always, for IPv6 after duplicate address detection. */
export function isUsable({ address, flags }: InterfaceAddress): boolean {
  if (typeof address === 'number' || (flags & DAD_FAILED) !== 0) return typeof address === 'number';
  return (flags & TENTATIVE) === 0 || (flags & OPTIMISTIC) !== 0;
}

type Key = number | bigint | string;

/**
 * What tells one address of an interface from another, as the kernel has it: in IPv6 the address alone; in IPv4 the prefix
 * length (in one number, exact, since both together have 38 bits) and the peer as well.
 */
function keyOf({ address, prefixLength, peer }: Omit<AddressKey, 'interfaceIndex'>): Key {
  if (typeof address === 'bigint') return address;
  const key = address * 64 + prefixLength;
  return peer === undefined || peer === address ? key : `${key} ${peer}`;
}
