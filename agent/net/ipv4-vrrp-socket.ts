/** Reception of IPv4 packets of protocol 112 by raw-socket, which polls on the default loop; see vrrp-socket.ts. */
import { constants } from 'node:os';
import { createSocket, type RawSocket } from 'raw-socket';
import { formatIp, type IpAddress } from '../../proto/rules/ip.js';
import { VRRP_PROTOCOL } from '../wire/ip-header.js';
import { IP_ADD_MEMBERSHIP, IP_DROP_MEMBERSHIP, ipv4Membership } from './group-member.js';
import { changeGroups } from './group-membership.js';
import { Ipv4FrameReceiver } from './ipv4-frame-receiver.js';
import { intOption, libc, SO_ATTACH_FILTER, SO_BINDTODEVICE, SO_RCVBUF, SO_RCVBUFFORCE, SOL_SOCKET } from './libc.js';
import { advertisementFilter, type FilterInstruction, NOTHING, vrrpFrameFilter, withFilter } from './packet-filter.js';
import { type ReceiverKind, ReceiverPair } from './receiver-pair.js';
import { RECEIVE_BUFFER, REFUSE_BUFFER, RefusePace } from './refuse-pace.js';
import { errnoOfText, OK, type Outcome, type Refusal, refusal, SocketOpenError } from './system-error.js';
import { openVrrpSender, type VrrpSender } from './vrrp-sender.js';
import type { OpenVrrpSocket, VrrpSocket, VrrpSocketOptions } from './vrrp-socket.js';

const IPPROTO_IP = 0;
const SO_MEMINFO = 55;
/** A number that no other socket of this kernel has; since Linux 4.6. */
const SO_COOKIE = 57;
const COOKIE_BYTES = 8;
/** Descriptors that are looked at for raw-socket's: the kernel gives the lowest that is free. */
const MOST_DESCRIPTORS = 65_536;
/** Index and number of the 32-bit words of SO_MEMINFO (linux/sock_diag.h). */
const SK_MEMINFO_DROPS = 8;
const SK_MEMINFO_WORDS = 9;
/** Greater than any advertisement (20 + 8 + 255 x 4 + 8); what is longer is refused for its length anyhow. */
const PACKET_BUFFER = 2048;
/**
 * Every open socket. raw-socket's objects are only referenced weakly from native code: without this the garbage
 * collector would stop their reception without a word.
 */
const openSockets = new Set<Ipv4VrrpSocket>();

export const openIpv4VrrpSocket: OpenVrrpSocket = (options) =>
  options.takesFrames ? new ReceiverPair(options, FRAMES) : new Ipv4VrrpSocket(options);

const FRAMES: ReceiverKind = {
  family: 4,
  open: (receiver) => new Ipv4FrameReceiver(receiver),
  filter: (take, anyTtl) => vrrpFrameFilter(advertisementFilter(4, take, anyTtl)),
};

class Ipv4VrrpSocket implements VrrpSocket {
  readonly family = 4;
  readonly interfaceName: string;
  readonly interfaceIndex: number;
  readonly #receiver: RawSocket;
  readonly #refuse: RawSocket;
  readonly #sender: VrrpSender;
  readonly #name: Buffer;
  readonly #pace: RefusePace;
  #groups: ReadonlySet<IpAddress> = new Set();
  #anyTtl: boolean;
  #isClosed = false;

  constructor(options: VrrpSocketOptions) {
    this.interfaceName = options.interfaceName;
    this.interfaceIndex = options.interfaceIndex;
    this.#anyTtl = options.anyTtl;
    this.#name = Buffer.from(`${options.interfaceName}\0`);

    const opened: { close(): void }[] = [];
    try {
      const receiver = this.#openReceiver(advertisementFilter(4, 'like', options.anyTtl), RECEIVE_BUFFER);
      this.#receiver = receiver;
      opened.push(receiver);
      const refuse = this.#openReceiver(advertisementFilter(4, 'unlike', options.anyTtl), REFUSE_BUFFER);
      this.#refuse = refuse;
      opened.push(refuse);
      this.#sender = openVrrpSender(options);
      opened.push(this.#sender);
      throwRefusal(this.setGroups(options.groups));
      this.#pace = new RefusePace(
        () => refuse.pauseRecv(),
        () => refuse.resumeRecv(),
      );
    } catch (error) {
      for (const socket of opened) socket.close();
      throw error;
    }

    this.#listen(this.#receiver, options, (packet) => options.onPacket(packet));
    this.#listen(this.#refuse, options, (packet) => {
      this.#pace.read();
      options.onPacket(packet);
    });
    openSockets.add(this);
  }

  send(packet: Uint8Array, destination: IpAddress): Outcome {
    return this.#sender.send(packet, destination);
  }

  setGroups(groups: readonly IpAddress[]): Outcome {
    const { joined, outcome } = changeGroups(this.#groups, groups, (group, isJoin) => {
      const doing = `${isJoin ? 'join' : 'leave'} ${formatIp(group)}`;
      if (typeof group !== 'number') return refusal(constants.errno.EAFNOSUPPORT, doing);
      const option = isJoin ? IP_ADD_MEMBERSHIP : IP_DROP_MEMBERSHIP;
      return this.#set(
        this.#receiver,
        IPPROTO_IP,
        option,
        Buffer.from(ipv4Membership(this.interfaceIndex, group)),
        doing,
      );
    });
    this.#groups = joined;
    return outcome;
  }

  setAnyTtl(on: boolean): Outcome {
    if (on === this.#anyTtl) return OK;
    // Between the two calls a packet may be seen by both sockets, never by none: widen before narrowing.
    const like = () => this.#attach(this.#receiver, advertisementFilter(4, 'like', on));
    const unlike = () => this.#attach(this.#refuse, advertisementFilter(4, 'unlike', on));
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
    this.#pace.close();
    this.#receiver.close();
    this.#refuse.close();
    this.#sender.close();
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

  #listen(socket: RawSocket, options: VrrpSocketOptions, onPacket: (packet: Uint8Array) => void): void {
    socket.on('message', (packet) => {
      if (!this.#isClosed) onPacket(packet);
    });
    socket.on('error', (error) => {
      const refused = refusalOf(error, `receive advertisements on ${this.interfaceName}`);
      if (!this.#isClosed && refused.code !== 'EAGAIN') options.onError(new SocketOpenError(refused));
    });
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
