/**
 * Classic BPF programs that the kernel runs on each packet before it is queued to a socket (linux/filter.h). What they
 * refuse costs no wake-up and no room in the queue.
 */
import { endianness } from 'node:os';
import type { Family } from '../../proto/rules/ip.js';
import type { Ipv4, Ipv6 } from '../vrrp/virtual-router.js';
import { ICMPV6, NEIGHBOR_ADVERTISEMENT, NEIGHBOR_SOLICITATION } from '../wire/neighbor.js';
import { libc } from './libc.js';

/** One instruction: code, jump if true, jump if false, operand. */
export type FilterInstruction = readonly [code: number, jumpTrue: number, jumpFalse: number, operand: number];

const LOAD_WORD = 0x20;
const LOAD_HALF = 0x28;
const LOAD_BYTE = 0x30;
const LOAD_LENGTH = 0x80;
const JUMP = 0x05;
const JUMP_EQUAL = 0x15;
const JUMP_GREATER_OR_EQUAL = 0x35;
const JUMP_ANY_BIT = 0x45;
const RETURN = 0x06;

const ACCEPT = 0xffffffff;
/** SKF_NET_OFF: offsets from here on count from the IP header, wherever the packet's data begin. */
const IP_HEADER = 0xfff0_0000;
/** SKF_AD_OFF + SKF_AD_PKTTYPE: whom the frame was sent to (linux/if_packet.h). */
const PACKET_TYPE = 0xffff_f004;
const PACKET_OTHERHOST = 3;
/**
 * With more addresses than these a filter looks at the kind of message alone: a socket's filter has to fit in 20 KiB
 * (net.core.optmem_max of older kernels), an instruction of ours takes two of 8 bytes, an IPv6 address 18 of ours.
 */
const MOST_FILTERED: Readonly<Record<Family, number>> = { 4: 200, 6: 48 };

/** Takes nothing: for the time before a socket is bound to its interface. */
export const NOTHING: readonly FilterInstruction[] = [[RETURN, 0, 0, 0]];

/**
 * Packets that look like VRRP advertisements (`like`) or all others: TTL or hop limit 255 unless any is wanted, long
 * enough, version 2 or 3 and type 1; IPv4 without options and not a fragment, IPv6 without extension headers.
 */
export function advertisementFilter(
  family: Family,
  take: 'like' | 'unlike',
  anyTtl: boolean,
): readonly FilterInstruction[] {
  const match = take === 'like' ? ACCEPT : 0;
  const rest = take === 'like' ? 0 : ACCEPT;
  const program: FilterInstruction[] = [];
  /** Jumps to the last instruction unless the test holds; resolved below. */
  const REST = -1;
  const require = (load: FilterInstruction, test: number, operand: number, holds: boolean) => {
    program.push(load, holds ? [test, 0, REST, operand] : [test, REST, 0, operand]);
  };
  if (family === 4) {
    require([LOAD_LENGTH, 0, 0, 0], JUMP_GREATER_OR_EQUAL, 28, true);
    require([LOAD_BYTE, 0, 0, 0], JUMP_EQUAL, 0x45, true);
    require([LOAD_HALF, 0, 0, 6], JUMP_ANY_BIT, 0x3fff, false);
    if (!anyTtl) require([LOAD_BYTE, 0, 0, 8], JUMP_EQUAL, 255, true);
    program.push([LOAD_BYTE, 0, 0, 20]);
  } else {
    require([LOAD_HALF, 0, 0, IP_HEADER + 4], JUMP_GREATER_OR_EQUAL, 8, true);
    require([LOAD_BYTE, 0, 0, IP_HEADER + 6], JUMP_EQUAL, 112, true);
    if (!anyTtl) require([LOAD_BYTE, 0, 0, IP_HEADER + 7], JUMP_EQUAL, 255, true);
    program.push([LOAD_BYTE, 0, 0, IP_HEADER + 40]);
  }
  program.push([JUMP_EQUAL, 1, 0, 0x31], [JUMP_EQUAL, 0, REST, 0x21]);
  program.push([RETURN, 0, 0, match], [RETURN, 0, 0, rest]);
  const last = program.length - 1;
  return program.map(([code, yes, no, operand], at) => {
    const target = (jump: number) => (jump === REST ? last - at - 1 : jump);
    return [code, target(yes), target(no), operand];
  });
}

/** For a packet socket without the frames' headers: of IPv4 packets, those of protocol 112 that came to this host. */
export function vrrpFrameFilter(then: readonly FilterInstruction[]): readonly FilterInstruction[] {
  const program: FilterInstruction[] = [
    [LOAD_BYTE, 0, 0, PACKET_TYPE],
    [JUMP_EQUAL, 0, 1, PACKET_OTHERHOST],
    [RETURN, 0, 0, 0],
  ];
  requireEqual(program, LOAD_BYTE, 9, 112);
  return [...program, ...then];
}

/** Ethernet frames of ARP whose sender has one of these addresses. */
export function arpClaimFilter(addresses: readonly Ipv4[]): readonly FilterInstruction[] {
  const program: FilterInstruction[] = [];
  requireEqual(program, LOAD_HALF, 12, 0x0806);
  program.push([LOAD_WORD, 0, 0, 28]);
  if (addresses.length > MOST_FILTERED[4]) program.push([RETURN, 0, 0, ACCEPT]);
  else for (const address of addresses) program.push([JUMP_EQUAL, 0, 1, address], [RETURN, 0, 0, ACCEPT]);
  program.push([RETURN, 0, 0, 0]);
  return program;
}

/** Ethernet frames of neighbour advertisements of these addresses, and of solicitations from them. */
export function neighborClaimFilter(addresses: readonly Ipv6[]): readonly FilterInstruction[] {
  const TYPE = 54;
  const SOURCE = 22;
  const TARGET = 62;
  const program: FilterInstruction[] = [];
  requireEqual(program, LOAD_BYTE, 20, ICMPV6);
  const advertised = anyOf(addresses, TARGET);
  program.push([LOAD_BYTE, 0, 0, TYPE], [JUMP_EQUAL, 1, 0, NEIGHBOR_ADVERTISEMENT], [JUMP, 0, 0, advertised.length]);
  program.push(...advertised);
  program.push([JUMP_EQUAL, 1, 0, NEIGHBOR_SOLICITATION], [RETURN, 0, 0, 0], ...anyOf(addresses, SOURCE));
  return program;
}

/** Accepts if one of the addresses is at the offset, else refuses. */
function anyOf(addresses: readonly Ipv6[], offset: number): readonly FilterInstruction[] {
  if (addresses.length > MOST_FILTERED[6]) return [[RETURN, 0, 0, ACCEPT]];
  const WORDS = 4;
  const program: FilterInstruction[] = [];
  for (const address of addresses) {
    // The last word differs most often.
    for (let word = WORDS - 1; word >= 0; word--) {
      const value = Number((address >> BigInt(32 * (WORDS - 1 - word))) & 0xffff_ffffn);
      program.push([LOAD_WORD, 0, 0, offset + 4 * word], [JUMP_EQUAL, 0, 2 * word + 1, value]);
    }
    program.push([RETURN, 0, 0, ACCEPT]);
  }
  program.push([RETURN, 0, 0, 0]);
  return program;
}

/** Refuses unless the value at the offset is this one. */
function requireEqual(program: FilterInstruction[], load: number, offset: number, value: number): void {
  program.push([load, 0, 0, offset], [JUMP_EQUAL, 1, 0, value], [RETURN, 0, 0, 0]);
}

/**
 * Calls `attach` with the option value for SO_ATTACH_FILTER (struct sock_fprog). It points into other memory, which is
 * kept until `attach` returns; the kernel has copied it by then.
 */
export function withFilter<Result>(
  program: readonly FilterInstruction[],
  attach: (option: Uint8Array) => Result,
): Result {
  const littleEndian = endianness() === 'LE';
  const instructions = new Uint8Array(program.length * 8);
  const code = new DataView(instructions.buffer);
  for (const [i, [operation, yes, no, operand]] of program.entries()) {
    code.setUint16(i * 8, operation, littleEndian);
    code.setUint8(i * 8 + 2, yes);
    code.setUint8(i * 8 + 3, no);
    code.setUint32(i * 8 + 4, operand, littleEndian);
  }
  const option = new Uint8Array(16);
  const view = new DataView(option.buffer);
  view.setUint16(0, program.length, littleEndian);
  view.setBigUint64(8, libc().addressOf(instructions), littleEndian);
  const result = attach(option);
  // Reading it after the call keeps the memory that the option points to.
  if (instructions.length === 0) throw new RangeError('an empty packet filter');
  return result;
}
