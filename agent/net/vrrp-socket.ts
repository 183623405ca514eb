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
import { openIpv4FrameReceiver } from './ipv4-frame-receiver.js';
import { openIpv4Receiver } from './ipv4-receiver.js';
import { openIpv6Receiver } from './ipv6-receiver.js';
import { advertisementFilter, vrrpFrameFilter } from './packet-filter.js';
import type { ReceiveRounds } from './receive-rounds.js';
import { type ReceiverKind, ReceiverPair } from './receiver-pair.js';
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
   * IP packets of protocol 112 that were received together, at least one; each with its header, possibly malformed, cut at
   * 2048 bytes. For IPv6 the header is the 40 bytes of RFC 8200, made of what the kernel tells: whatever extension headers
   * there were are gone. The array and the bytes are only valid during the call.
   */
  readonly onPackets: (packets: readonly Uint8Array[]) => void;
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

/** @param rounds of this process: those in which busy sockets are read */
export function vrrpSockets(rounds: ReceiveRounds): OpenVrrpSocket {
  return (options) => {
    const kind = options.family === 6 ? IPV6 : options.takesFrames ? IPV4_FRAMES : IPV4;
    return new ReceiverPair(options, kind, rounds);
  };
}

const IPV4: ReceiverKind = {
  family: 4,
  open: openIpv4Receiver,
  filter: (take, anyTtl) => advertisementFilter(4, take, anyTtl),
};

const IPV4_FRAMES: ReceiverKind = {
  family: 4,
  open: openIpv4FrameReceiver,
  filter: (take, anyTtl) => vrrpFrameFilter(advertisementFilter(4, take, anyTtl)),
};

const IPV6: ReceiverKind = {
  family: 6,
  open: openIpv6Receiver,
  filter: (take, anyTtl) => advertisementFilter(6, take, anyTtl),
};
