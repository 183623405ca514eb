/**
 * The raw sockets for IP protocol 112 on one interface, shared by all virtual routers there. Main thread only:
 * raw-socket polls on the default loop.
 *
 *   receiver  raw-socket; the kernel lets only what looks like an advertisement into its queue (packet-filter.ts)
 *   refuse    raw-socket; the rest, a small queue read at a bounded rate: it is only counted. So a flood of garbage can
 *             neither push an advertisement out of the receiver's queue nor take the thread's time, and yet a packet
 *             with, say, a wrong TTL reaches the decoder and its counter.
 *   sender    through libc: the packet leaves within the call, so an announcement stays before the advertisement that
 *             follows it, and a refusal is an errno. (raw-socket sends at a later turn of the loop and names errors in
 *             words only.)
 *
 * The sockets are bound to the interface as it is now: when it is deleted and made again, open anew.
 */
import { constants } from 'node:os';
import { createSocket, type RawSocket } from 'raw-socket';
import type { IpAddress } from '../../proto/rules/ip.js';
import type { Ipv4 } from '../vrrp/virtual-router.js';
import { VRRP_GROUP } from '../wire/ipv4-address.js';
import { VRRP_PROTOCOL } from '../wire/ipv4-header.js';
import {
  AF_INET,
  intOption,
  libc,
  MSG_DONTROUTE,
  SO_ATTACH_FILTER,
  SO_BINDTODEVICE,
  SO_PRIORITY,
  SO_RCVBUF,
  SO_RCVBUFFORCE,
  SOCK_RAW,
  SOL_SOCKET,
} from './libc.js';
import { advertisementFilter, type FilterInstruction, NOTHING, withFilter } from './packet-filter.js';
import { errnoOfText, OK, type Outcome, type Refusal, refusal, SocketOpenError } from './system-error.js';
import type { VrrpSender, VrrpSenderOptions } from './vrrp-sender.js';

export interface VrrpSocketOptions extends VrrpSenderOptions {
  /** Multicast groups to join, of the family. Can be changed later by setGroups(). */
  readonly groups: readonly IpAddress[];
  /** Whether packets of any TTL or hop limit are wanted: true while a unicast router is on the interface. */
  readonly anyTtl: boolean;
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

const IPPROTO_IP = 0;
const IPPROTO_RAW = 255;
const IP_MULTICAST_IF = 32;
const IP_MULTICAST_LOOP = 34;
const IP_ADD_MEMBERSHIP = 35;
const IP_DROP_MEMBERSHIP = 36;
const SO_MEMINFO = 55;
/** A number that no other socket of this kernel has; since Linux 4.6. */
const SO_COOKIE = 57;
const COOKIE_BYTES = 8;
/** Descriptors that are looked at for raw-socket's: the kernel gives the lowest that is free. */
const MOST_DESCRIPTORS = 65_536;
/** Index and number of the 32-bit words of SO_MEMINFO (linux/sock_diag.h). */
const SK_MEMINFO_DROPS = 8;
const SK_MEMINFO_WORDS = 9;
/** TC_PRIO_CONTROL (linux/pkt_sched.h): ahead of other traffic in the interface's queue. */
const PRIORITY_CONTROL = 7;

/** Greater than any advertisement (20 + 8 + 255 x 4 + 8); what is longer is refused for its length anyhow. */
const PACKET_BUFFER = 2048;
/** Room for about 1300 waiting advertisements: 0.1 s of 255 routers at 20 ms. */
const RECEIVE_BUFFER = 1 << 20;
const REFUSE_BUFFER = 32 * 1024;
/** At most this many packets of refuse are looked at per pause. */
const REFUSE_BATCH = 64;
const REFUSE_PAUSE_MS = 100;

/**
 * Every open socket. raw-socket's objects are only referenced weakly from native code: without this the garbage
 * collector would stop their reception without a word.
 */
const openSockets = new Set<HostVrrpSocket>();

export const openVrrpSocket: OpenVrrpSocket = (options) => new HostVrrpSocket(options);

class HostVrrpSocket implements VrrpSocket {
  readonly interfaceName: string;
  readonly interfaceIndex: number;
  readonly #receiver: RawSocket;
  readonly #refuse: RawSocket;
  readonly #sender: number;
  readonly #name: Buffer;
  /** struct sockaddr_in; the address is filled in for each packet. */
  readonly #destination = new Uint8Array(16);
  readonly #destinationView = new DataView(this.#destination.buffer);
  #isMember = false;
  #anyTtl: boolean;
  #refuseRead = 0;
  #refuseTimer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: VrrpSocketOptions) {
    this.interfaceName = options.interfaceName;
    this.interfaceIndex = options.interfaceIndex;
    this.#anyTtl = options.anyTtl;
    this.#name = Buffer.from(`${options.interfaceName}\0`);
    this.#destination.set(intOption(AF_INET).subarray(0, 2));

    const opened: { close(): void }[] = [];
    try {
      this.#receiver = this.#openReceiver(advertisementFilter('like', options.anyTtl), RECEIVE_BUFFER);
      opened.push(this.#receiver);
      this.#refuse = this.#openReceiver(advertisementFilter('unlike', options.anyTtl), REFUSE_BUFFER);
      opened.push(this.#refuse);
      this.#sender = this.#openSender();
      opened.push({ close: () => libc().close(this.#sender) });
      if (options.multicast) throwRefusal(this.setMulticast(true));
    } catch (error) {
      for (const socket of opened) socket.close();
      throw error;
    }

    this.#listen(this.#receiver, options, (packet) => options.onPacket(packet));
    this.#listen(this.#refuse, options, (packet) => {
      this.#slowDown();
      options.onPacket(packet);
    });
    openSockets.add(this);
  }

  send(packet: Uint8Array, destination: Ipv4): Outcome {
    if (this.#isClosed) return refusal(constants.errno.EBADF, `send on ${this.interfaceName}`);
    this.#destinationView.setUint32(4, destination);
    // A multicast needs no route; with the flag it cannot follow one to elsewhere either.
    const flags = destination === VRRP_GROUP ? MSG_DONTROUTE : 0;
    const result = libc().sendto(this.#sender, packet, packet.length, flags, this.#destination);
    return result >= 0 ? OK : refusal(-result, `send an advertisement on ${this.interfaceName}`);
  }

  setMulticast(on: boolean): Outcome {
    if (on === this.#isMember) return OK;
    const option = on ? IP_ADD_MEMBERSHIP : IP_DROP_MEMBERSHIP;
    const outcome = this.#set(
      this.#receiver,
      IPPROTO_IP,
      option,
      multicastRequest(this.interfaceIndex, VRRP_GROUP),
      `${on ? 'join' : 'leave'} 224.0.0.18`,
    );
    if (outcome.ok) this.#isMember = on;
    return outcome;
  }

  setAnyTtl(on: boolean): Outcome {
    if (on === this.#anyTtl) return OK;
    // Between the two calls a packet may be seen by both sockets, never by none: widen before narrowing.
    const like = () => this.#attach(this.#receiver, advertisementFilter('like', on));
    const unlike = () => this.#attach(this.#refuse, advertisementFilter('unlike', on));
    for (const attach of on ? [like, unlike] : [unlike, like]) {
      const outcome = attach();
      if (!outcome.ok) return outcome;
    }
    this.#anyTtl = on;
    return OK;
  }

  overruns(): number {
    return this.#isClosed ? 0 : dropsOf(this.#receiver);
  }

  uncountedRefuse(): number {
    return this.#isClosed ? 0 : dropsOf(this.#refuse);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    openSockets.delete(this);
    clearTimeout(this.#refuseTimer);
    this.#receiver.close();
    this.#refuse.close();
    libc().close(this.#sender);
  }

  /** Bound and filtered before anything can be received: not even what came before the bind is left in it. */
  #openReceiver(filter: readonly FilterInstruction[], room: number): RawSocket {
    let socket: RawSocket;
    try {
      socket = createSocket({ protocol: VRRP_PROTOCOL, bufferSize: PACKET_BUFFER });
    } catch (error) {
      throw new SocketOpenError(refusalOf(error, 'open a raw socket for protocol 112'));
    }
    try {
      keepFromPrograms(socket);
      throwRefusal(this.#attach(socket, NOTHING));
      throwRefusal(this.#set(socket, SOL_SOCKET, SO_BINDTODEVICE, this.#name, `bind to ${this.interfaceName}`));
      discardReceived(socket);
      // Without CAP_NET_ADMIN the system's limit applies.
      const size = Buffer.from(intOption(room));
      if (!this.#set(socket, SOL_SOCKET, SO_RCVBUFFORCE, size, 'enlarge the receive queue').ok) {
        throwRefusal(this.#set(socket, SOL_SOCKET, SO_RCVBUF, size, 'enlarge the receive queue'));
      }
      throwRefusal(this.#attach(socket, filter));
    } catch (error) {
      socket.close();
      throw error;
    }
    return socket;
  }

  #openSender(): number {
    const c = libc();
    const doing = `open a socket to send advertisements on ${this.interfaceName}`;
    const fd = c.socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
    if (fd < 0) throw new SocketOpenError(refusal(-fd, doing));
    const options: readonly (readonly [number, number, Uint8Array])[] = [
      [SOL_SOCKET, SO_BINDTODEVICE, this.#name],
      [IPPROTO_IP, IP_MULTICAST_IF, multicastRequest(this.interfaceIndex, 0)],
      [IPPROTO_IP, IP_MULTICAST_LOOP, intOption(0)],
      [SOL_SOCKET, SO_PRIORITY, intOption(PRIORITY_CONTROL)],
    ];
    for (const [level, option, value] of options) {
      const result = c.setsockopt(fd, level, option, value);
      if (result < 0) {
        c.close(fd);
        throw new SocketOpenError(refusal(-result, doing));
      }
    }
    return fd;
  }

  #listen(socket: RawSocket, options: VrrpSocketOptions, onPacket: (packet: Uint8Array) => void): void {
    socket.on('message', (packet) => {
      if (!this.#isClosed) onPacket(packet);
    });
    socket.on('error', (error) => {
      const refused = refusalOf(error, `receive advertisements on ${this.interfaceName}`);
      if (!this.#isClosed && refused.code !== 'EAGAIN') options.onError(new SocketOpenError(refused));
    });
  }

  #slowDown(): void {
    this.#refuseRead += 1;
    if (this.#refuseRead === REFUSE_BATCH) this.#refuse.pauseRecv();
    if (this.#refuseTimer !== undefined) return;
    this.#refuseTimer = setTimeout(() => {
      this.#refuseTimer = undefined;
      const wasPaused = this.#refuseRead >= REFUSE_BATCH;
      this.#refuseRead = 0;
      if (wasPaused) this.#refuse.resumeRecv();
    }, REFUSE_PAUSE_MS);
    this.#refuseTimer.unref();
  }

  #attach(socket: RawSocket, filter: readonly FilterInstruction[]): Outcome {
    return withFilter(filter, (option) =>
      this.#set(socket, SOL_SOCKET, SO_ATTACH_FILTER, Buffer.from(option), 'attach a packet filter'),
    );
  }

  #set(socket: RawSocket, level: number, option: number, value: Buffer, doing: string): Outcome {
    try {
      socket.setOption(level, option, value, value.length);
      return OK;
    } catch (error) {
      return refusalOf(error, `${doing} on ${this.interfaceName}`);
    }
  }
}

function throwRefusal(outcome: Outcome): void {
  if (!outcome.ok) throw new SocketOpenError(outcome);
}

/** raw-socket's errors have only strerror's words. */
function refusalOf(error: unknown, doing: string): Refusal {
  const text = error instanceof Error ? error.message : String(error);
  const errno = errnoOfText(text);
  return errno === undefined ? refusal(constants.errno.EIO, doing, text) : refusal(errno, doing);
}

/**
 * raw-socket's descriptors are inheritable, and it does not say which they are. A check or hook that runs as nobody
 * would have a raw socket of root's: it could send advertisements, and change the filter of what we hear.
 */
function keepFromPrograms(socket: RawSocket): void {
  const cookie = Buffer.alloc(COOKIE_BYTES);
  const found = Buffer.alloc(COOKIE_BYTES);
  try {
    socket.getOption(SOL_SOCKET, SO_COOKIE, cookie, cookie.length);
  } catch (error) {
    throw new SocketOpenError(refusalOf(error, 'keep a raw socket from programs'));
  }
  for (let fd = 0; fd < MOST_DESCRIPTORS; fd++) {
    if (libc().getsockopt(fd, SOL_SOCKET, SO_COOKIE, found) < 0 || !found.equals(cookie)) continue;
    const result = libc().closeOnExec(fd);
    if (result < 0) throw new SocketOpenError(refusal(-result, 'keep a raw socket from programs'));
    return;
  }
  throw new SocketOpenError(refusal(constants.errno.EBADF, 'find the descriptor of a raw socket'));
}

function discardReceived(socket: RawSocket): void {
  const into = Buffer.alloc(1);
  try {
    for (;;) socket.wrap.recv(into, () => {});
  } catch {
    // EAGAIN: there is nothing (left) to receive, and the filter lets nothing in.
  }
}

/** struct ip_mreqn: group, local address (none), interface index. */
function multicastRequest(interfaceIndex: number, group: Ipv4): Buffer {
  const request = Buffer.alloc(12);
  request.writeUInt32BE(group, 0);
  request.set(intOption(interfaceIndex), 8);
  return request;
}

function dropsOf(socket: RawSocket): number {
  const words = new Uint32Array(SK_MEMINFO_WORDS);
  const info = Buffer.from(words.buffer);
  try {
    socket.getOption(SOL_SOCKET, SO_MEMINFO, info, info.length);
  } catch {
    // A kernel without SO_MEMINFO (before 4.12) cannot tell.
    return 0;
  }
  return words[SK_MEMINFO_DROPS] ?? 0;
}
