/**
 * Sends whole IP packets of protocol 112 out of one interface, now. Through libc: the packet leaves within the call, so an
 * announcement stays before the advertisement that follows it, and a refusal is an errno.
 *
 * A sender alone is what a macvlan needs: it has the virtual router's MAC address and hears nothing of its own.
 */
import type { Family, IpAddress } from '../../proto/rules/ip.js';
import type { Outcome } from './system-error.js';

export interface VrrpSenderOptions {
  readonly family: Family;
  readonly interfaceName: string;
  readonly interfaceIndex: number;
}

export interface VrrpSender {
  readonly family: Family;
  readonly interfaceName: string;
  readonly interfaceIndex: number;
  /**
   * Sends one whole packet (IP header included) synchronously, to a multicast group or to one unicast peer. The source
   * is the one in the packet and need not be an address of the interface. ENODEV or ENXIO: the interface is gone.
   * ENETDOWN or ENETUNREACH: it is down.
   */
  send(packet: Uint8Array, destination: IpAddress): Outcome;
  close(): void;
}

/** Throws SocketOpenError (ENODEV, EPERM, ...). */
export type OpenVrrpSender = (options: VrrpSenderOptions) => VrrpSender;
