/**
 * Neighbour discovery (RFC 4861) on one interface: announces our IPv6 addresses, asks for other holders of them, hears
 * who else says to have one. Packet sockets through libc.
 */
import type { Ipv6 } from '../vrrp/virtual-router.js';
import type { AnnouncementSocketOptions } from './claim.js';
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
   * Hears claims to these addresses from now on, but for those from `own` hardware addresses; none: stops. Replaces what
   * was watched before.
   */
  watch(addresses: readonly Ipv6[], own: readonly Uint8Array[]): Outcome;
  close(): void;
}

/** Throws SocketOpenError (EPERM; EAFNOSUPPORT: the interface is not Ethernet). */
export type OpenNeighborSocket = (options: AnnouncementSocketOptions) => NeighborSocket;
