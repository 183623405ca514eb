/**
 * Neighbour discovery (RFC 4861) on one interface: announces our IPv6 addresses, asks for other holders of them, hears
 * who else says to have one. Packet sockets through libc: what they send needs no address of the interface, not even a
 * finished duplicate address detection.
 */
import type { Ipv6 } from '../vrrp/virtual-router.js';
import { ETHERTYPE_IPV6, isSameHardwareAddress } from '../wire/ethernet.js';
import {
  decodeNeighbor,
  encodeNeighborAdvertisement,
  encodeNeighborProbe,
  encodeNeighborSolicitation,
} from '../wire/neighbor.js';
import type { AnnouncementSocketOptions } from './claim.js';
import { FrameListener } from './frame-listener.js';
import { FrameSender } from './frame-sender.js';
import { neighborClaimFilter } from './packet-filter.js';
import type { Outcome } from './system-error.js';

export interface NeighborSocket {
  readonly interfaceIndex: number;
  /**
   * Sends unsolicited neighbour advertisements to all nodes now, synchronously: `repeat` rounds over all addresses. Goes
   * on after a failure; the first one is returned. `isRouter`: whether this host forwards on the interface.
   */
  announce(addresses: readonly Ipv6[], repeat: number, isRouter: boolean): Outcome;
  /**
   * Asks once for other holders of each address, as duplicate address detection does (RFC 4862 section 5.4.2): from no
   * address. Who has one answers to all nodes, and is heard if the address is watched.
   */
  probe(addresses: readonly Ipv6[]): Outcome;
  /**
   * Asks once who has each address, from `source`, an address of this interface: who has one answers to us alone, and is
   * heard if the address is watched.
   */
  solicit(addresses: readonly Ipv6[], source: Ipv6): Outcome;
  /**
   * Hears claims to these addresses from now on, but for those from `own` hardware addresses; none: stops. Replaces what
   * was watched before.
   */
  watch(addresses: readonly Ipv6[], own: readonly Uint8Array[]): Outcome;
  close(): void;
}

/** Throws SocketOpenError (EPERM; EAFNOSUPPORT: the interface is not Ethernet). */
export type OpenNeighborSocket = (options: AnnouncementSocketOptions) => NeighborSocket;

export const openNeighborSocket: OpenNeighborSocket = (options) => new HostNeighborSocket(options);

class HostNeighborSocket implements NeighborSocket {
  readonly interfaceIndex: number;
  readonly #options: AnnouncementSocketOptions;
  readonly #sender: FrameSender;
  readonly #listener: FrameListener<Ipv6>;
  #watched: ReadonlySet<Ipv6> = new Set();
  #own: readonly Uint8Array[] = [];

  constructor(options: AnnouncementSocketOptions) {
    this.interfaceIndex = options.interfaceIndex;
    this.#options = options;
    const protocol = { ...options, etherType: ETHERTYPE_IPV6, what: 'neighbour discovery' };
    this.#sender = new FrameSender(protocol);
    try {
      this.#listener = new FrameListener({
        ...protocol,
        filter: neighborClaimFilter,
        onFrame: (frame) => this.#heard(frame),
      });
    } catch (error) {
      this.#sender.close();
      throw error;
    }
  }

  announce(addresses: readonly Ipv6[], repeat: number, isRouter: boolean): Outcome {
    const { hardwareAddress } = this.#options;
    const frames = addresses.map((address) => encodeNeighborAdvertisement(hardwareAddress, address, isRouter));
    return this.#sender.send(frames, repeat, 'announce addresses');
  }

  probe(addresses: readonly Ipv6[]): Outcome {
    const { hardwareAddress } = this.#options;
    const frames = addresses.map((address) => encodeNeighborProbe(hardwareAddress, address));
    return this.#sender.send(frames, 1, 'ask for other holders of addresses');
  }

  solicit(addresses: readonly Ipv6[], source: Ipv6): Outcome {
    const { hardwareAddress } = this.#options;
    const frames = addresses.map((address) => encodeNeighborSolicitation(hardwareAddress, source, address));
    return this.#sender.send(frames, 1, 'ask who has addresses');
  }

  watch(addresses: readonly Ipv6[], own: readonly Uint8Array[]): Outcome {
    this.#watched = new Set(addresses);
    this.#own = own;
    return this.#listener.listen(addresses);
  }

  close(): void {
    this.#listener.close();
    this.#sender.close();
  }

  #heard(frame: Uint8Array): void {
    const message = decodeNeighbor(frame);
    if (message === undefined) return;
    const { kind, source, target, hardwareAddress, isSolicited } = message;
    // Who asks from an address has it; who asks for one (from none) does not have it yet.
    const address = kind === 'advertisement' ? target : source;
    if (!this.#watched.has(address)) return;
    if (this.#own.some((own) => isSameHardwareAddress(own, hardwareAddress))) return;
    const told = kind === 'solicitation' ? 'question' : 'answer';
    this.#options.onClaim({
      address,
      hardwareAddress,
      // The answer to a question from no address goes to everybody, and is an announcement to all but who asked.
      kind: kind === 'advertisement' && !isSolicited ? 'announcement' : told,
    });
  }
}
