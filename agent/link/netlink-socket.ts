/** One netlink socket: opening, sending, receiving of what the kernel (and nobody else) says. */
import { constants, endianness } from 'node:os';
import { AF_NETLINK, intOption, libc, SO_RCVBUF, SO_RCVBUFFORCE, SOCK_RAW, SOL_SOCKET } from '../net/libc.js';
import { refusal, SocketOpenError } from '../net/system-error.js';

export const NETLINK_ROUTE = 0;
export const NETLINK_CONNECTOR = 11;
export const NETLINK_NETFILTER = 12;
const SOL_NETLINK = 270;
const NETLINK_ADD_MEMBERSHIP = 1;
const NETLINK_DROP_MEMBERSHIP = 2;
export const NETLINK_CAP_ACK = 10;
export const NETLINK_EXT_ACK = 11;
export const NETLINK_GET_STRICT_CHK = 12;

const SOCKADDR_NL_LENGTH = 12;
/** The kernel's own address on the bus. */
const KERNEL = 0;
/** The kernel makes no larger datagrams for a dump whose reader offers no more. */
const DATAGRAM_BUFFER = 32 * 1024;

/** A datagram, good until the next receive(); 'empty' when there is none; or -errno. */
type Received = Uint8Array | 'empty' | number;

export class NetlinkSocket {
  readonly fd: number;
  readonly portId: number;
  readonly #buffer = new Uint8Array(DATAGRAM_BUFFER);
  readonly #from = new Uint8Array(SOCKADDR_NL_LENGTH);
  readonly #sender = new DataView(this.#from.buffer);
  readonly #kernel = socketAddress(KERNEL);
  #foreign = 0;
  #isClosed = false;

  /** `doing` completes "cannot ...". Throws SocketOpenError. */
  constructor(protocol: number, receiveBuffer: number, doing: string) {
    if (endianness() !== 'LE') {
      throw new SocketOpenError(refusal(constants.errno.ENOTSUP, doing, 'only little-endian machines are supported'));
    }
    const c = libc();
    this.fd = c.socket(AF_NETLINK, SOCK_RAW, protocol);
    if (this.fd < 0) throw new SocketOpenError(refusal(-this.fd, doing));
    const size = intOption(receiveBuffer);
    // Without CAP_NET_ADMIN the system's limit applies.
    if (c.setsockopt(this.fd, SOL_SOCKET, SO_RCVBUFFORCE, size) < 0) c.setsockopt(this.fd, SOL_SOCKET, SO_RCVBUF, size);
    const own = socketAddress(0);
    let result = c.bind(this.fd, own);
    if (result >= 0) result = c.getsockname(this.fd, own);
    if (result < 0) {
      c.close(this.fd);
      throw new SocketOpenError(refusal(-result, doing));
    }
    this.portId = new DataView(own.buffer).getUint32(4, true);
  }

  /** Optional features: a kernel that lacks one goes on without. */
  enable(option: number): void {
    libc().setsockopt(this.fd, SOL_NETLINK, option, intOption(1));
  }

  /** Subscribes to a multicast group (RTNLGRP_*), or no more. 0 or -errno. */
  subscribe(group: number, on: boolean): number {
    if (this.#isClosed) return -constants.errno.EBADF;
    const option = on ? NETLINK_ADD_MEMBERSHIP : NETLINK_DROP_MEMBERSHIP;
    return libc().setsockopt(this.fd, SOL_NETLINK, option, intOption(group));
  }

  /** To the kernel, which has carried it out when this returns. Bytes sent or -errno. */
  send(datagram: Uint8Array): number {
    if (this.#isClosed) return -constants.errno.EBADF;
    return libc().sendto(this.fd, datagram, datagram.length, 0, this.#kernel);
  }

  receive(): Received {
    const { EAGAIN, EINTR, EBADF } = constants.errno;
    while (!this.#isClosed) {
      const count = libc().recvfrom(this.fd, this.#buffer, 0, this.#from);
      if (count === -EINTR) continue;
      if (count === -EAGAIN) return 'empty';
      if (count < 0) return count;
      // Any process may send to our port; only port 0 is the kernel.
      if (this.#sender.getUint32(4, true) === KERNEL) return this.#buffer.subarray(0, count);
      this.#foreign += 1;
    }
    return -EBADF;
  }

  /** Datagrams that were ignored because another process than the kernel had sent them. */
  foreignMessages(): number {
    return this.#foreign;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    libc().close(this.fd);
  }
}

/** struct sockaddr_nl. */
function socketAddress(portId: number): Uint8Array {
  const address = new Uint8Array(SOCKADDR_NL_LENGTH);
  const view = new DataView(address.buffer);
  view.setUint16(0, AF_NETLINK, true);
  view.setUint32(4, portId, true);
  return address;
}
