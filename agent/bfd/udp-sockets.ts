/**
 * The UDP sockets of BFD: port 3784 on the link (RFC 5881 section 4), 4784 over routers (RFC 5883 section 5). Through
 * libc: Node's own sockets let nobody see or demand a TTL.
 */
import { readFileSync } from 'node:fs';
import { constants, endianness } from 'node:os';
import { formatIp, type IpAddress, parseIp } from '../../proto/rules/ip.js';
import { intOption, libc, SO_ATTACH_FILTER, SO_BINDTODEVICE, SOL_SOCKET } from '../net/libc.js';
import { type FilterInstruction, withFilter } from '../net/packet-filter.js';
import { errnoName, refusal } from '../net/system-error.js';
import type { BfdSessionSettings } from './settings.js';
import type { BfdReceiver, BfdSender, ExpectedNeighbor, OnBfdPacket, ReceiverKind } from './speaker.js';

const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_DGRAM = 2;
const IPPROTO_IP = 0;
const IPPROTO_IPV6 = 41;
const IP_TOS = 1;
const IP_TTL = 2;
const IPV6_UNICAST_HOPS = 16;
const IPV6_V6ONLY = 26;
const IPV6_TCLASS = 67;
/** Internetwork control (RFC 2474 section 4.2.2.2). */
const TRAFFIC_CLASS = 0xc0;
const TTL = 255;
const SINGLE_HOP_PORT = 3784;
const MULTIHOP_PORT = 4784;
/** RFC 5881 section 4: source ports. */
const FIRST_SOURCE_PORT = 49_152;
const SOURCE_PORTS = 16_384;
const PORT_ATTEMPTS = 32;
/** More than any control packet, authentication included. */
const BUFFER = 512;
/** Packets read per wake-up: a flood must not hold the thread. */
const READ_BATCH = 64;

/** Throws SystemCallError-like Errors whose message says what failed on what. */
export function openBfdSender(settings: BfdSessionSettings, random: () => number): BfdSender {
  const neighbor = addressOf(settings.neighbor);
  const isIpv6 = typeof neighbor === 'bigint';
  const scope = settings.interface === undefined ? 0 : indexOf(settings.interface);
  const port = settings.multihop ? MULTIHOP_PORT : SINGLE_HOP_PORT;
  const destination = socketAddress(neighbor, port, scope);
  const doing = `open a BFD socket to ${settings.neighbor}`;
  const fd = checked(libc().socket(isIpv6 ? AF_INET6 : AF_INET, SOCK_DGRAM, 0), doing);
  try {
    if (settings.interface !== undefined && !settings.multihop) {
      const name = new TextEncoder().encode(`${settings.interface}\0`);
      checked(libc().setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name), `${doing} on ${settings.interface}`);
    }
    const [level, ttl, tos] = isIpv6 ? [IPPROTO_IPV6, IPV6_UNICAST_HOPS, IPV6_TCLASS] : [IPPROTO_IP, IP_TTL, IP_TOS];
    checked(libc().setsockopt(fd, level, ttl, intOption(TTL)), doing);
    checked(libc().setsockopt(fd, level, tos, intOption(TRAFFIC_CLASS)), doing);
    const source = settings.source === undefined ? (isIpv6 ? 0n : 0) : addressOf(settings.source);
    bindSourcePort(fd, source, scope, random, doing);
  } catch (error) {
    libc().close(fd);
    throw error;
  }
  return {
    send: (packet) => {
      const sent = libc().sendto(fd, packet, packet.length, 0, destination);
      return sent < 0 ? errnoName(-sent) : undefined;
    },
    close: () => void libc().close(fd),
  };
}

export function openBfdReceiver({ family, multihop }: ReceiverKind, onPacket: OnBfdPacket): BfdReceiver {
  const port = multihop ? MULTIHOP_PORT : SINGLE_HOP_PORT;
  const doing = `listen on UDP port ${port} for IPv${family} (does another BFD daemon run here?)`;
  const fd = checked(libc().socket(family === 6 ? AF_INET6 : AF_INET, SOCK_DGRAM, 0), doing);
  try {
    if (family === 6) checked(libc().setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, intOption(1)), doing);
    // Before it can receive anything.
    attach(fd, neighborFilter(family, []), doing);
    checked(libc().bind(fd, socketAddress(family === 6 ? 0n : 0, port, 0)), doing);
  } catch (error) {
    libc().close(fd);
    throw error;
  }
  const buffer = new Uint8Array(BUFFER);
  const from = new Uint8Array(28);
  /** Interfaces of the sessions, by their numbers. */
  let devices: ReadonlyMap<number, string> = new Map();
  const poll = libc().poll(fd, () => {
    for (let i = 0; i < READ_BATCH; i++) {
      const length = libc().recvfrom(fd, buffer, 0, from);
      if (length < 0) return;
      onPacket(buffer.subarray(0, length), sourceIn(from, family), devices.get(scopeIn(from, family)));
    }
  });
  return {
    expect: (neighbors) => {
      const wanted = neighbors.map(wantedOf);
      devices = new Map(
        neighbors.flatMap(({ interface: name }, index): [number, string][] => {
          const number = wanted[index]?.interfaceIndex;
          return name === undefined || number === undefined || number === 0 ? [] : [[number, name]];
        }),
      );
      attach(fd, neighborFilter(family, wanted), doing);
    },
    close: () => {
      poll.close();
      libc().close(fd);
    },
  };
}

const LOAD_WORD = 0x20;
const LOAD_BYTE = 0x30;
const JUMP_EQUAL = 0x15;
const JUMP_GREATER_OR_EQUAL = 0x35;
const RETURN = 0x06;
const ACCEPT = 0xffffffff;
/** SKF_NET_OFF of linux/filter.h: offsets from here count from the IP header. */
const NETWORK_HEADER = 0xfff0_0000;
/** SKF_AD_OFF + SKF_AD_IFINDEX: over which interface it came. */
const INTERFACE_INDEX = 0xffff_f008;

export interface WantedPackets {
  readonly source: IpAddress;
  readonly leastTtl: number;
  /** Absent: over any interface. */
  readonly interfaceIndex?: number;
}

/** No packet comes over interface 0: an interface that has gone lets nothing in until its session is started again. */
function wantedOf({ address, leastTtl, interface: name }: ExpectedNeighbor): WantedPackets {
  return { source: address, leastTtl, ...(name === undefined ? {} : { interfaceIndex: indexIfPresent(name) }) };
}

/**
 * Packets of these neighbours, over the interface of their session, whose TTL or hop limit is great enough: the security
 * of RFC 5881 section 5 and RFC 5883 section 5.
 */
export function neighborFilter(family: 4 | 6, wanted: readonly WantedPackets[]): readonly FilterInstruction[] {
  const program: FilterInstruction[] = [];
  const ttlOffset = family === 6 ? 7 : 8;
  const sourceOffset = family === 6 ? 8 : 12;
  for (const { source, leastTtl, interfaceIndex } of wanted) {
    const words = wordsOf(source);
    const rest = interfaceIndex === undefined ? 4 : 6;
    for (const [index, word] of words.entries()) {
      // To the next neighbour: over what is left of this one.
      const left = (words.length - index - 1) * 2 + rest;
      program.push([LOAD_WORD, 0, 0, NETWORK_HEADER + sourceOffset + index * 4], [JUMP_EQUAL, 0, left, word]);
    }
    if (interfaceIndex !== undefined) {
      program.push([LOAD_WORD, 0, 0, INTERFACE_INDEX], [JUMP_EQUAL, 0, 4, interfaceIndex]);
    }
    program.push(
      [LOAD_BYTE, 0, 0, NETWORK_HEADER + ttlOffset],
      [JUMP_GREATER_OR_EQUAL, 0, 1, leastTtl],
      [RETURN, 0, 0, ACCEPT],
      [RETURN, 0, 0, 0],
    );
  }
  program.push([RETURN, 0, 0, 0]);
  return program;
}

function wordsOf(address: IpAddress): number[] {
  if (typeof address === 'number') return [address];
  return [96n, 64n, 32n, 0n].map((shift) => Number((address >> shift) & 0xffff_ffffn));
}

function attach(fd: number, program: readonly FilterInstruction[], doing: string): void {
  checked(
    withFilter(program, (option) => libc().setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, option)),
    doing,
  );
}

function bindSourcePort(fd: number, source: IpAddress, scope: number, random: () => number, doing: string): void {
  let result = 0;
  for (let attempt = 0; attempt < PORT_ATTEMPTS; attempt++) {
    const port = FIRST_SOURCE_PORT + (random() % SOURCE_PORTS);
    result = libc().bind(fd, socketAddress(source, port, scope));
    if (result >= 0) return;
    if (-result !== constants.errno.EADDRINUSE) break;
  }
  checked(result, `${doing} from ${formatIp(source)}`);
}

/** struct sockaddr_in or sockaddr_in6. */
function socketAddress(address: IpAddress, port: number, scope: number): Uint8Array {
  const isLittleEndian = endianness() === 'LE';
  const isIpv6 = typeof address === 'bigint';
  const bytes = new Uint8Array(isIpv6 ? 28 : 16);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, isIpv6 ? AF_INET6 : AF_INET, isLittleEndian);
  view.setUint16(2, port);
  if (isIpv6) {
    view.setBigUint64(8, address >> 64n);
    view.setBigUint64(16, address & 0xffff_ffff_ffff_ffffn);
    view.setUint32(24, scope, isLittleEndian);
  } else view.setUint32(4, address);
  return bytes;
}

function sourceIn(from: Uint8Array, family: 4 | 6): IpAddress {
  const view = new DataView(from.buffer);
  if (family === 4) return view.getUint32(4);
  return (view.getBigUint64(8) << 64n) | view.getBigUint64(16);
}

/** sin6_scope_id of ipv6(7): the number of the interface that a link-local address is on, else 0. */
function scopeIn(from: Uint8Array, family: 4 | 6): number {
  return family === 4 ? 0 : new DataView(from.buffer).getUint32(24, endianness() === 'LE');
}

function addressOf(text: string): IpAddress {
  const address = parseIp(text);
  if (address === undefined) throw new TypeError(`"${text}" is not an IP address`);
  return address;
}

function indexOf(name: string): number {
  try {
    return Number(readFileSync(`/sys/class/net/${name}/ifindex`, 'utf8'));
  } catch {
    throw new Error(`there is no interface ${name}`);
  }
}

function indexIfPresent(name: string): number {
  try {
    return indexOf(name);
  } catch {
    return 0;
  }
}

/** The result, or the refusal thrown as an Error with its sentence. */
function checked(result: number, doing: string): number {
  if (result < 0) throw new Error(refusal(-result, doing).message);
  return result;
}
