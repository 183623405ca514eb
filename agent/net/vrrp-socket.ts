/**
 * The raw sockets for IP protocol 112 of one family on one interface, shared by all virtual routers of that family there.
 * Main thread only.
 *
 *   receiver  the kernel lets only what looks like an advertisement into its queue (packet-filter.ts)
 *   refuse    the rest, a small queue read at a bounded rate: it is only counted. So a flood of garbage can neither push
 *             an advertisement out of the receiver's queue nor take the thread's time, and yet a packet with, say, a
 *             wrong TTL reaches the decoder and its counter.
 *   sender    see vrrp-sender.ts
 *
 * The sockets are bound to the interface as it is now: when it is deleted and made again, open anew. Why there are two
 * queues, and what the kernel is not asked to do: docs/decisions/0016-ipv6-sockets.md.
 */
import type { IpAddress } from '../../proto/rules/ip.js';
import { openIpv4VrrpSocket } from './ipv4-vrrp-socket.js';
import { openIpv6VrrpSocket } from './ipv6-vrrp-socket.js';
import type { Outcome } from './system-error.js';
import type { VrrpSender, VrrpSenderOptions } from './vrrp-sender.js';

export interface VrrpSocketOptions extends VrrpSenderOptions {
  /** Multicast groups to join, of the family. Can be changed later by setGroups(). */
  readonly groups: readonly IpAddress[];
  /** Whether packets of any TTL or hop limit are wanted: true while a unicast router is on the interface. */
  readonly anyTtl: boolean;
  /**
   * The interface is a macvlan of ours: packets are taken before the kernel asks whether their source would be reached by
   * it (ipv4-frame-receiver.ts). Of IPv6 the kernel does not ask.
   */
  readonly takesFrames: boolean;
  /**
   * One IP packet of protocol 112, header included, possibly malformed; cut at 2048 bytes. For IPv6 the header is the 40
   * bytes of RFC 8200, made of what the kernel tells: whatever extension headers there were are gone. The bytes are only
   * valid during the call.
   */
  readonly onPacket: (packet: Uint8Array) => void;
  /** Receiving failed. The socket must be closed and opened anew. */
  readonly onError: (error: Error) => void;
}

export interface VrrpSocket extends VrrpSender {
  /** Joins and leaves groups so that these are joined. */
  setGroups(groups: readonly IpAddress[]): Outcome;
  setAnyTtl(on: boolean): Outcome;
  /** Advertisements that the kernel threw away for want of room since the socket was opened. */
  overruns(): number;
  /**
   * Packets that cannot be advertisements and were thrown away before the decoder could name and count them. Recent
   * kernels add what was meant for the other queue while this one is full: an upper bound.
   */
  uncountedRefuse(): number;
}

/** Throws SocketOpenError (ENODEV, EPERM, ...). */
export type OpenVrrpSocket = (options: VrrpSocketOptions) => VrrpSocket;

export const openVrrpSocket: OpenVrrpSocket = (options) =>
  options.family === 6 ? openIpv6VrrpSocket(options) : openIpv4VrrpSocket(options);
