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
  /** By interface, then by address and prefix length, in the kernel's order. */
  readonly #addresses = new Map<number, Map<number, InterfaceAddress>>();

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
    if (known === undefined) this.#addresses.set(address.interfaceIndex, new Map([[keyOf(address), address]]));
    else known.set(keyOf(address), address);
  }

  addressRemoved(key: AddressKey): void {
    this.#addresses.get(key.interfaceIndex)?.delete(keyOf(key));
  }

  link(name: string): Link | undefined {
    for (const link of this.#links.values()) if (link.name === name) return link;
    return undefined;
  }

  /** In the kernel's order. */
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
  hasOn(index: number, address: Ipv4): boolean {
    for (const known of this.addressesOn(index)) if (known.address === address) return true;
    return false;
  }

  *everyAddress(): Iterable<Ipv4> {
    for (const known of this.#addresses.values()) for (const { address } of known.values()) yield address;
  }

  /**
   * The source that the host would use on an interface: its first address that `isVirtual` does not claim, a primary one
   * before a secondary one. Undefined: there is none.
   */
  sourceOn(index: number, isVirtual: (address: Ipv4) => boolean): Ipv4 | undefined {
    let secondary: Ipv4 | undefined;
    for (const { address, flags } of this.addressesOn(index)) {
      if (isVirtual(address)) continue;
      if ((flags & SECONDARY) === 0) return address;
      secondary ??= address;
    }
    return secondary;
  }
}

/** Address and prefix length in one number; exact, since both together have 38 bits. */
function keyOf({ address, prefixLength }: AddressKey): number {
  return address * 64 + prefixLength;
}
