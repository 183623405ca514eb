/**
 * The sockets on one interface: protocol 112 of either family for all virtual routers there, ARP and neighbour discovery
 * for announcements. They belong to one interface index; an interface that is made anew under the same name gets new
 * sockets.
 */
import type { Family, IpAddress } from '../../proto/rules/ip.js';
import type { Link } from '../link/rtnetlink.js';
import type { Claim } from '../net/claim.js';
import type { Outcome } from '../net/system-error.js';
import { AdvertSockets } from './advert-sockets.js';
import { AnnouncementSockets } from './announcement-sockets.js';
import type { Edges } from './edges.js';
import { ForeignRouters } from './foreign-routers.js';

export interface ChannelEvents {
  readonly onPackets: (channel: Channel, family: Family, packets: readonly Uint8Array[]) => void;
  readonly onClaim: (channel: Channel, claim: Claim) => void;
  /** A socket could not be opened, or failed while receiving and was closed: `fit` opens it again. */
  readonly onError: (channel: Channel, doing: string, error: unknown) => void;
}

export class Channel {
  readonly #ipv4: AdvertSockets;
  readonly #ipv6: AdvertSockets;
  readonly #announcements: AnnouncementSockets;
  readonly #counters: Record<string, number> = {};
  /** Of VRIDs that no router here has. */
  readonly foreign = new ForeignRouters();
  /** Family and VRID of those that were told of: 510 at most. */
  readonly toldVrids = new Set<string>();

  constructor(
    readonly name: string,
    edges: Edges,
    events: ChannelEvents,
  ) {
    const onError = (doing: string, error: unknown) => events.onError(this, doing, error);
    const adverts = (family: Family) =>
      new AdvertSockets(family, edges, { onPackets: (packets) => events.onPackets(this, family, packets), onError });
    this.#ipv4 = adverts(4);
    this.#ipv6 = adverts(6);
    this.#announcements = new AnnouncementSockets(edges, { onClaim: (claim) => events.onClaim(this, claim), onError });
  }

  /** Routers of the family on this interface, and their sockets. */
  of(family: Family): AdvertSockets {
    return family === 6 ? this.#ipv6 : this.#ipv4;
  }

  /** Every router here can hear and send. */
  get isOpen(): boolean {
    return this.#ipv4.isOpen && this.#ipv6.isOpen;
  }

  /** Forgets its routers. */
  clear(): void {
    for (const side of [this.#ipv4, this.#ipv6]) {
      side.routers.clear();
      side.above.clear();
      side.expected.clear();
      side.isSending = false;
    }
  }

  /**
   * Opens, rebuilds or closes the sockets so that they fit the interface as it is now. Called on every change of it.
   *
   * @param own hardware addresses of this host
   */
  fit(link: Link | undefined, own: readonly Uint8Array[]): void {
    this.#ipv4.fit(link);
    this.#ipv6.fit(link);
    this.#announcements.fit(link, own);
  }

  /** Undefined: nothing to send with. */
  send(family: Family, packet: Uint8Array, destination: IpAddress): Outcome | undefined {
    return this.of(family).send(packet, destination);
  }

  /**
   * Gratuitous ARP and unsolicited neighbour advertisements, `repeat` rounds over all addresses. Undefined: nothing to
   * announce with (no such interface, or not Ethernet).
   *
   * @param isRouter whether this host forwards IPv6 on the interface
   */
  announce(addresses: readonly IpAddress[], repeat: number, isRouter: boolean): Outcome | undefined {
    return this.#announcements.announce(addresses, repeat, isRouter);
  }

  /** Asks once for other holders of the addresses. Undefined: nothing to ask with. */
  probe(addresses: readonly IpAddress[]): Outcome | undefined {
    return this.#announcements.probe(addresses);
  }

  /** Asks once who has the addresses, from `source` if they are of IPv6. Undefined: nothing to ask with. */
  solicit(addresses: readonly IpAddress[], source: bigint | undefined): Outcome | undefined {
    return this.#announcements.solicit(addresses, source);
  }

  /** Hears others' claims to these addresses for `who`, in the place of those before; none: stops. */
  watch(who: object, addresses: readonly IpAddress[]): Outcome | undefined {
    return this.#announcements.watch(who, addresses);
  }

  /** Of packets that concern no router here, by reason, and of those that the kernel had no room for. */
  get packetCounters(): Readonly<Record<string, number>> {
    if (!this.#ipv4.isHearing && !this.#ipv6.isHearing) return { ...this.#counters };
    return {
      ...this.#counters,
      overruns: this.#ipv4.overruns + this.#ipv6.overruns,
      'overruns.not-advertisements': this.#ipv4.uncountedRefuse + this.#ipv6.uncountedRefuse,
    };
  }

  countPacket(reason: string): void {
    this.#counters[reason] = (this.#counters[reason] ?? 0) + 1;
  }

  close(): void {
    this.#ipv4.close();
    this.#ipv6.close();
    this.#announcements.close();
  }
}
