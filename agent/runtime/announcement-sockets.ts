/**
 * ARP and neighbour discovery on one interface: announces addresses, asks for other holders of them, and hears claims to
 * those that any router watches.
 */
import type { IpAddress } from '../../proto/rules/ip.js';
import type { Link } from '../link/rtnetlink.js';
import type { ArpSocket } from '../net/arp-socket.js';
import type { AnnouncementSocketOptions, Claim } from '../net/claim.js';
import type { NeighborSocket } from '../net/neighbor-socket.js';
import type { Outcome } from '../net/system-error.js';
import type { Edges } from './edges.js';

/** ARPHRD_ETHER of linux/if_arp.h: only there do ARP and our neighbour discovery mean anything. */
const ETHERNET = 1;

export interface AnnouncementEvents {
  readonly onClaim: (claim: Claim) => void;
  readonly onError: (doing: string, error: unknown) => void;
}

interface Split {
  readonly ipv4: readonly number[];
  readonly ipv6: readonly bigint[];
}

export class AnnouncementSockets {
  #arp: ArpSocket | undefined;
  #neighbor: NeighborSocket | undefined;
  /** Index and hardware address that they were opened with. */
  #fits = '';
  #own: readonly Uint8Array[] = [];
  readonly #watched = new Map<object, readonly IpAddress[]>();
  /** By how many each address is watched. */
  readonly #watchers = new Map<IpAddress, number>();

  constructor(
    private readonly edges: Edges,
    private readonly events: AnnouncementEvents,
  ) {}

  /**
   * @param own hardware addresses of this host, whose claims are not heard
   */
  fit(link: Link | undefined, own: readonly Uint8Array[]): void {
    const fits = link === undefined ? '' : `${link.index} ${link.hardwareAddress?.join(':') ?? ''}`;
    if (fits !== this.#fits) this.close();
    this.#fits = fits;
    const isSameOwn = own.length === this.#own.length && own.every((mac, index) => isEqual(mac, this.#own[index]));
    this.#own = own;
    if (link === undefined || link.type !== ETHERNET || link.hardwareAddress === undefined) return;
    if (this.#arp !== undefined && this.#neighbor !== undefined) {
      if (!isSameOwn) this.#watch();
      return;
    }
    const options: AnnouncementSocketOptions = {
      interfaceName: link.name,
      interfaceIndex: link.index,
      hardwareAddress: link.hardwareAddress,
      onClaim: this.events.onClaim,
      onError: (error) => this.events.onError('receive announcements', error),
    };
    try {
      this.#arp ??= this.edges.openArpSocket(options);
      this.#neighbor ??= this.edges.openNeighborSocket(options);
      this.#watch();
    } catch (error) {
      this.events.onError('open the announcement sockets', error);
    }
  }

  /** Undefined: nothing to announce with (no such interface, or not Ethernet). */
  announce(addresses: readonly IpAddress[], repeat: number, isRouter: boolean): Outcome | undefined {
    const { ipv4, ipv6 } = split(addresses);
    return worst(
      ipv4.length === 0 ? undefined : this.#arp?.announce(ipv4, repeat),
      ipv6.length === 0 ? undefined : this.#neighbor?.announce(ipv6, repeat, isRouter),
    );
  }

  /** Undefined: nothing to ask with. */
  probe(addresses: readonly IpAddress[]): Outcome | undefined {
    const { ipv4, ipv6 } = split(addresses);
    return worst(
      ipv4.length === 0 ? undefined : this.#arp?.probe(ipv4),
      ipv6.length === 0 ? undefined : this.#neighbor?.probe(ipv6),
    );
  }

  /**
   * Asks once who has the addresses, from `source` if they are of IPv6. Undefined: nothing to ask with.
   */
  solicit(addresses: readonly IpAddress[], source: bigint | undefined): Outcome | undefined {
    const { ipv4, ipv6 } = split(addresses);
    return worst(
      ipv4.length === 0 ? undefined : this.#arp?.probe(ipv4),
      ipv6.length === 0 || source === undefined ? undefined : this.#neighbor?.solicit(ipv6, source),
    );
  }

  /** Hears claims to these addresses for `who`, in the place of those before; none: stops. */
  watch(who: object, addresses: readonly IpAddress[]): Outcome | undefined {
    const before = this.#watched.get(who);
    if (addresses.length === 0 && before === undefined) return undefined;
    if (addresses.length > 0) this.#watched.set(who, addresses);
    else this.#watched.delete(who);
    for (const address of addresses) this.#watchers.set(address, (this.#watchers.get(address) ?? 0) + 1);
    for (const address of before ?? []) {
      const left = (this.#watchers.get(address) ?? 0) - 1;
      if (left > 0) this.#watchers.set(address, left);
      else this.#watchers.delete(address);
    }
    return this.#watch();
  }

  close(): void {
    this.#arp?.close();
    this.#arp = undefined;
    this.#neighbor?.close();
    this.#neighbor = undefined;
  }

  #watch(): Outcome | undefined {
    const { ipv4, ipv6 } = split(this.#watchers.keys());
    return worst(this.#arp?.watch(ipv4, this.#own), this.#neighbor?.watch(ipv6, this.#own));
  }
}

function split(addresses: Iterable<IpAddress>): Split {
  const ipv4: number[] = [];
  const ipv6: bigint[] = [];
  for (const address of addresses) {
    if (typeof address === 'bigint') ipv6.push(address);
    else ipv4.push(address);
  }
  return { ipv4, ipv6 };
}

function worst(a: Outcome | undefined, b: Outcome | undefined): Outcome | undefined {
  if (a === undefined || (a.ok && b !== undefined)) return b;
  return a;
}

function isEqual(a: Uint8Array, b: Uint8Array | undefined): boolean {
  return b !== undefined && a.length === b.length && a.every((byte, index) => byte === b[index]);
}
