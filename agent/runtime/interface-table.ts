/**
 * The interfaces and IPv4 addresses of this host as last known: filled by a dump, kept by the link monitor's events and
 * by our own requests.
 */
import type { AddressKey, InterfaceAddress, Link } from '../link/rtnetlink.js';
import type { Ipv4 } from '../vrrp/index.js';

/** IFA_F_SECONDARY of linux/if_addr.h: follows another address of its subnet. */
const SECONDARY = 0x01;

export class InterfaceTable {
  readonly #links = new Map<number, Link>();
  readonly #addresses = new Map<number, InterfaceAddress[]>();

  /** Everything anew. */
  replace(links: readonly Link[], addresses: readonly InterfaceAddress[]): void {
    this.#links.clear();
    for (const link of links) this.#links.set(link.index, link);
    this.replaceAddresses(addresses);
  }

  replaceAddresses(addresses: readonly InterfaceAddress[]): void {
    this.#addresses.clear();
    for (const address of addresses) this.addressAdded(address);
  }

  linkChanged(link: Link): void {
    this.#links.set(link.index, link);
  }

  linkRemoved(index: number): void {
    this.#links.delete(index);
    this.#addresses.delete(index);
  }

  addressAdded(address: InterfaceAddress): void {
    const known = this.#addresses.get(address.interfaceIndex);
    if (known === undefined) {
      this.#addresses.set(address.interfaceIndex, [address]);
      return;
    }
    const at = known.findIndex((other) => isSameKey(other, address));
    if (at < 0) known.push(address);
    else known[at] = address;
  }

  addressRemoved(key: AddressKey): void {
    const known = this.#addresses.get(key.interfaceIndex);
    const at = known?.findIndex((other) => isSameKey(other, key)) ?? -1;
    if (at >= 0) known?.splice(at, 1);
  }

  link(name: string): Link | undefined {
    for (const link of this.#links.values()) if (link.name === name) return link;
    return undefined;
  }

  /** In the kernel's order. */
  addressesOn(index: number): readonly InterfaceAddress[] {
    return this.#addresses.get(index) ?? [];
  }

  has(key: AddressKey): boolean {
    return this.addressesOn(key.interfaceIndex).some((other) => isSameKey(other, key));
  }

  *everyAddress(): Iterable<Ipv4> {
    for (const known of this.#addresses.values()) for (const { address } of known) yield address;
  }

  /** Whether any interface has the address. */
  isLocal(address: Ipv4): boolean {
    for (const known of this.#addresses.values()) if (known.some((other) => other.address === address)) return true;
    return false;
  }

  /**
   * The source that the host would use on an interface: its first address that `isVirtual` does not claim, a primary one
   * before a secondary one. Undefined: there is none.
   */
  sourceOn(index: number, isVirtual: (address: Ipv4) => boolean): Ipv4 | undefined {
    const own = this.addressesOn(index).filter(({ address }) => !isVirtual(address));
    return (own.find(({ flags }) => (flags & SECONDARY) === 0) ?? own[0])?.address;
  }
}

function isSameKey(a: AddressKey, b: AddressKey): boolean {
  return a.address === b.address && a.prefixLength === b.prefixLength && a.interfaceIndex === b.interfaceIndex;
}
