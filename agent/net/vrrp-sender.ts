/**
 * Sends whole IP packets of protocol 112 out of one interface, now. Through libc: the packet leaves within the call, so an
 * announcement stays before the advertisement that follows it, and a refusal is an errno.
 *
 * A sender alone is what a macvlan needs: it has the virtual router's MAC address and hears nothing of its own.
 */
import { constants } from 'node:os';
import { type Family, type IpAddress, isMulticastIp } from '../../proto/rules/ip.js';
import { IPV6_ADDRESS_LENGTH, IPV6_OFFSET, writeIpv6Address } from '../wire/ipv6-header.js';
import {
  AF_INET,
  AF_INET6,
  intOption,
  libc,
  MSG_DONTROUTE,
  SO_BINDTODEVICE,
  SO_PRIORITY,
  SOCK_RAW,
  SOL_SOCKET,
} from './libc.js';
import { IN_ADDRESS_AT, IN6_ADDRESS_AT, ipv4SocketAddress, ipv6SocketAddress } from './socket-address.js';
import { OK, type Outcome, refusal, SocketOpenError } from './system-error.js';

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

const IPPROTO_IP = 0;
const IPPROTO_IPV6 = 41;
/** Raw sockets of this protocol send whole packets and receive nothing. */
const IPPROTO_RAW = 255;
const IP_MULTICAST_IF = 32;
const IP_MULTICAST_LOOP = 34;
const IPV6_MULTICAST_IF = 17;
const IPV6_MULTICAST_LOOP = 19;
/** Lets the socket be bound to an address that the interface does not have; since Linux 4.15. */
const IPV6_FREEBIND = 78;
/** TC_PRIO_CONTROL (linux/pkt_sched.h): ahead of other traffic in the interface's queue. */
const PRIORITY_CONTROL = 7;

export const openVrrpSender: OpenVrrpSender = (options) =>
  options.family === 6 ? new Ipv6Sender(options) : new Ipv4Sender(options);

type SocketOption = readonly [level: number, option: number, value: Uint8Array];

abstract class HostSender implements VrrpSender {
  abstract readonly family: Family;
  readonly interfaceName: string;
  readonly interfaceIndex: number;
  readonly #doing: string;
  protected readonly fd: number;
  #isClosed = false;

  constructor(options: VrrpSenderOptions, domain: number, familyOptions: readonly SocketOption[]) {
    this.interfaceName = options.interfaceName;
    this.interfaceIndex = options.interfaceIndex;
    this.#doing = `send an advertisement on ${options.interfaceName}`;
    const c = libc();
    const doing = `open a socket to send advertisements on ${options.interfaceName}`;
    this.fd = c.socket(domain, SOCK_RAW, IPPROTO_RAW);
    if (this.fd < 0) throw new SocketOpenError(refusal(-this.fd, doing));
    const shared: readonly SocketOption[] = [
      [SOL_SOCKET, SO_BINDTODEVICE, Buffer.from(`${options.interfaceName}\0`)],
      [SOL_SOCKET, SO_PRIORITY, intOption(PRIORITY_CONTROL)],
    ];
    for (const [level, option, value] of [...shared, ...familyOptions]) {
      const result = c.setsockopt(this.fd, level, option, value);
      if (result >= 0) continue;
      c.close(this.fd);
      throw new SocketOpenError(refusal(-result, doing));
    }
  }

  send(packet: Uint8Array, destination: IpAddress): Outcome {
    const result = this.#isClosed ? -constants.errno.EBADF : this.sendNow(packet, destination);
    return result >= 0 ? OK : refusal(-result, this.#doing);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    libc().close(this.fd);
  }

  /** Bytes sent or -errno. */
  protected abstract sendNow(packet: Uint8Array, destination: IpAddress): number;
}

class Ipv4Sender extends HostSender {
  readonly family = 4;
  readonly #to = ipv4SocketAddress();
  readonly #toView = new DataView(this.#to.buffer);

  constructor(options: VrrpSenderOptions) {
    // struct ip_mreqn: group and local address (none), interface index.
    const multicastInterface = new Uint8Array(12);
    multicastInterface.set(intOption(options.interfaceIndex), 8);
    super(options, AF_INET, [
      [IPPROTO_IP, IP_MULTICAST_IF, multicastInterface],
      [IPPROTO_IP, IP_MULTICAST_LOOP, intOption(0)],
    ]);
  }

  protected sendNow(packet: Uint8Array, destination: IpAddress): number {
    if (typeof destination !== 'number') return -constants.errno.EAFNOSUPPORT;
    this.#toView.setUint32(IN_ADDRESS_AT, destination);
    // A multicast needs no route; with the flag it cannot follow one to elsewhere either.
    const flags = isMulticastIp(destination) ? MSG_DONTROUTE : 0;
    return libc().sendto(this.fd, packet, packet.length, flags, this.#to);
  }
}

class Ipv6Sender extends HostSender {
  readonly family = 6;
  readonly #to: Uint8Array<ArrayBuffer>;
  readonly #toView: DataView;
  readonly #from: Uint8Array<ArrayBuffer>;
  #destination: IpAddress | undefined;
  #isBound = false;

  constructor(options: VrrpSenderOptions) {
    super(options, AF_INET6, [
      [IPPROTO_IPV6, IPV6_MULTICAST_IF, intOption(options.interfaceIndex)],
      [IPPROTO_IPV6, IPV6_MULTICAST_LOOP, intOption(0)],
      [IPPROTO_IPV6, IPV6_FREEBIND, intOption(1)],
    ]);
    this.#to = ipv6SocketAddress(options.interfaceIndex);
    this.#toView = new DataView(this.#to.buffer);
    this.#from = ipv6SocketAddress(options.interfaceIndex);
  }

  protected sendNow(packet: Uint8Array, destination: IpAddress): number {
    if (typeof destination !== 'bigint') return -constants.errno.EAFNOSUPPORT;
    if (destination !== this.#destination) {
      writeIpv6Address(this.#toView, IN6_ADDRESS_AT, destination);
      this.#destination = destination;
    }
    const bound = this.#bindToSourceOf(packet);
    if (bound < 0) return bound;
    return libc().sendto(this.fd, packet, packet.length, 0, this.#to);
  }

  /**
   * The packet has its source in it, but the kernel looks for the route of one from the socket's address. An unbound
   * socket's is whatever the interface has, and a macvlan may have none: then nothing could be sent.
   */
  #bindToSourceOf(packet: Uint8Array): number {
    const from = this.#from;
    let isSame = this.#isBound;
    for (let i = 0; i < IPV6_ADDRESS_LENGTH; i++) {
      const byte = packet[IPV6_OFFSET.source + i] ?? 0;
      if (from[IN6_ADDRESS_AT + i] === byte) continue;
      from[IN6_ADDRESS_AT + i] = byte;
      isSame = false;
    }
    if (isSame) return 0;
    const result = libc().bind(this.fd, from);
    this.#isBound = result >= 0;
    return result;
  }
}
