/**
 * The classic BPF program (linux/filter.h) that the kernel runs on each notification before it is queued to the link
 * monitor: what it refuses costs no wake-up and no room in the queue. Loads are big-endian, netlink is little-endian.
 */
import { familyOf, type IpPrefix, networkAddressOf } from '../../proto/rules/ip.js';
import type { FilterInstruction } from '../net/packet-filter.js';
import {
  ADDRESS_PROTOCOL,
  IFA_F_DADFAILED,
  IFA_F_NODAD,
  IFA_F_TENTATIVE,
  IFA_PROTO,
  RTM_NEWADDR,
} from '../wire/rtnetlink-address.js';
import { AF_INET6, familyNumber } from '../wire/rtnetlink-family.js';
import { RTA_DST, RTM_DELROUTE, RTM_NEWROUTE } from '../wire/rtnetlink-route.js';
import { RTM_NEWRULE } from '../wire/rtnetlink-rule.js';

const LOAD_WORD = 0x20;
const LOAD_HALF = 0x28;
const LOAD_BYTE = 0x30;
const LOAD_WORD_INDEXED = 0x40;
const LOAD_BYTE_INDEXED = 0x50;
const AND = 0x54;
const LOAD_IMMEDIATE = 0x00;
const LOAD_X_IMMEDIATE = 0x01;
const A_TO_X = 0x07;
const JUMP = 0x05;
const JUMP_EQUAL = 0x15;
const RETURN = 0x06;
/** SKF_AD_OFF + SKF_AD_NLATTR: A becomes the offset of the first attribute of type X from offset A on, or 0. */
const FIND_ATTRIBUTE = 0xfffff00c;

const ACCEPT: FilterInstruction = [RETURN, 0, 0, 0xffffffff];
const REFUSE: FilterInstruction = [RETURN, 0, 0, 0];

/** In a netlink message: type and port id of its header, family and prefix length of what follows, the attributes. */
const TYPE = 4;
const PORT_ID = 12;
const FAMILY = 16;
const FAMILY_AND_PREFIX_LENGTH = 16;
const ADDRESS_FLAGS = 18;
const ADDRESS_ATTRIBUTES = 24;
const ROUTE_ATTRIBUTES = 28;

/** With more destinations only their families and prefix lengths are looked at: programs are limited in size. */
const MAX_DESTINATIONS = 64;

/**
 * Refuses additions (and changes) of addresses, routes and rules that `portId` made, and routes to other destinations
 * than these. Some that should be refused may pass.
 */
export function notificationFilter(portId: number, destinations: readonly IpPrefix[]): readonly FilterInstruction[] {
  const own: FilterInstruction[] = [[LOAD_WORD, 0, 0, PORT_ID], ...whenEqual(swap32(portId), [REFUSE])];
  const routes = routeFilter(destinations);
  return [
    [LOAD_HALF, 0, 0, TYPE],
    ...whenEqual(swap16(RTM_NEWADDR), [...own, ...OWN_IPV6, ACCEPT]),
    ...whenEqual(swap16(RTM_NEWRULE), [...own, ACCEPT]),
    ...whenEqual(swap16(RTM_NEWROUTE), [...own, ...routes]),
    ...whenEqual(swap16(RTM_DELROUTE), routes),
    ACCEPT,
  ];
}

/**
 * Of IPv6 addresses the kernel does not say who changed them. Those that are marked as ours, and that never are
 * tentative, are refused unless duplicate address detection has something to say.
 */
const OWN_IPV6: readonly FilterInstruction[] = [
  [LOAD_BYTE, 0, 0, FAMILY],
  ...whenEqual(AF_INET6, [
    [LOAD_BYTE, 0, 0, ADDRESS_FLAGS],
    [AND, 0, 0, IFA_F_NODAD | IFA_F_TENTATIVE | IFA_F_DADFAILED],
    ...whenEqual(IFA_F_NODAD, [
      [LOAD_X_IMMEDIATE, 0, 0, IFA_PROTO],
      [LOAD_IMMEDIATE, 0, 0, ADDRESS_ATTRIBUTES],
      [LOAD_WORD, 0, 0, FIND_ATTRIBUTE],
      ...whenEqual(0, [ACCEPT]),
      [A_TO_X, 0, 0, 0],
      [LOAD_BYTE_INDEXED, 0, 0, 4],
      ...whenEqual(ADDRESS_PROTOCOL, [REFUSE]),
    ]),
  ]),
];

/** Ends in every case. */
function routeFilter(destinations: readonly IpPrefix[]): readonly FilterInstruction[] {
  const byKind = new Map<number, IpPrefix[]>();
  for (const destination of destinations) {
    const kind = (familyNumber(familyOf(destination.address)) << 8) | destination.prefixLength;
    const others = byKind.get(kind);
    if (others === undefined) byKind.set(kind, [destination]);
    else others.push(destination);
  }
  const isExact = destinations.length <= MAX_DESTINATIONS;
  const program: FilterInstruction[] = [[LOAD_HALF, 0, 0, FAMILY_AND_PREFIX_LENGTH]];
  for (const [kind, ofKind] of byKind) {
    // A default route has no destination to compare.
    const isAny = !isExact || (kind & 0xff) === 0;
    program.push(...whenEqual(kind, isAny ? [ACCEPT] : addressFilter(ofKind)));
  }
  return [...program, REFUSE];
}

/** Ends in every case. */
function addressFilter(destinations: readonly IpPrefix[]): readonly FilterInstruction[] {
  return [
    [LOAD_X_IMMEDIATE, 0, 0, RTA_DST],
    [LOAD_IMMEDIATE, 0, 0, ROUTE_ATTRIBUTES],
    [LOAD_WORD, 0, 0, FIND_ATTRIBUTE],
    ...whenEqual(0, [REFUSE]),
    [A_TO_X, 0, 0, 0],
    ...destinations.flatMap((destination) =>
      wordsOf(networkAddressOf(destination)).reduceRight<readonly FilterInstruction[]>(
        (rest, word, index) => [[LOAD_WORD_INDEXED, 0, 0, 4 + index * 4], ...whenEqual(word, rest)],
        [ACCEPT],
      ),
    ),
    REFUSE,
  ];
}

/** If A is `value` then `block`, which need not end; else what follows. Far jumps are unconditional ones only. */
function whenEqual(value: number, block: readonly FilterInstruction[]): readonly FilterInstruction[] {
  return [[JUMP_EQUAL, 1, 0, value], [JUMP, 0, 0, block.length], ...block];
}

function wordsOf(address: number | bigint): readonly number[] {
  if (typeof address === 'number') return [address];
  return [96n, 64n, 32n, 0n].map((shift) => Number((address >> shift) & 0xffff_ffffn));
}

function swap16(value: number): number {
  return ((value & 0xff) << 8) | (value >>> 8);
}

function swap32(value: number): number {
  return ((swap16(value & 0xffff) << 16) | swap16(value >>> 16)) >>> 0;
}
