/**
 * The raw socket for IP protocol 112 on one interface, shared by all virtual routers there.
 */
import type { Ipv4 } from '../vrrp/virtual-router.js';
import type { Outcome } from './system-error.js';

export interface VrrpSocketOptions {
  readonly interfaceName: string;
  readonly interfaceIndex: number;
  /** Join 224.0.0.18. Can be changed later by setMulticast(). */
  readonly multicast: boolean;
  /** Whether packets of any TTL are wanted: true while a unicast router is on the interface. */
  readonly anyTtl: boolean;
  /**
   * One IPv4 packet of protocol 112, header included, possibly malformed. The bytes are only valid during the call.
   */
  readonly onPacket: (packet: Uint8Array) => void;
  /** Receiving failed (interface deleted, ...). The socket stays open unless it says ENODEV or EBADF. */
  readonly onError: (error: Error) => void;
}

export interface VrrpSocket {
  readonly interfaceName: string;
  readonly interfaceIndex: number;
  /** Sends one whole IPv4 packet (header included) now, synchronously; to the group or to one unicast peer. */
  send(packet: Uint8Array, destination: Ipv4): Outcome;
  /** Joins or leaves 224.0.0.18. Doing what is already done is ok. */
  setMulticast(on: boolean): Outcome;
  setAnyTtl(on: boolean): Outcome;
  /** Packets that the kernel threw away for want of room since the socket was opened. */
  overruns(): number;
  close(): void;
}

/** Throws SocketOpenError (ENODEV, EPERM, ...). */
export type OpenVrrpSocket = (options: VrrpSocketOptions) => VrrpSocket;
