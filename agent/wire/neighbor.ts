/**
 * IPv6 neighbour discovery (RFC 4861) over Ethernet: the unsolicited advertisement that announces an address, the
 * solicitation that asks for other holders of it, and reading of others' frames. Pure.
 *
 *      0                   1                   2                   3
 *      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *     +---------------+---------------+-------------------------------+
 *     | Type 135, 136 |     Code 0    |           Checksum            |
 *     +---------------+---------------+-------------------------------+
 *     |R|S|O|                       reserved                          |  flags of advertisements only
 *     +---------------------------------------------------------------+
 *     |                   target address, 16 bytes                    |
 *     +---------------+---------------+-------------------------------+
 *     | Option 1 or 2 | length in 8 B |      hardware address         |
 */
import { isMulticastIp } from '../../proto/rules/ip.js';
import type { Ipv6 } from '../vrrp/virtual-router.js';
import { addToSum, finishChecksum, foldSum, pseudoHeaderSum } from './checksum.js';
import {
  ETHERNET_ADDRESS_LENGTH,
  ETHERNET_HEADER_LENGTH,
  ETHERNET_OFFSET,
  ETHERTYPE_IPV6,
  newFrame,
} from './ethernet.js';
import {
  IPV6_ADDRESS_LENGTH,
  IPV6_HEADER_LENGTH,
  IPV6_OFFSET,
  readIpv6Address,
  writeIpv6Address,
  writeIpv6Header,
} from './ipv6-header.js';

export const ICMPV6 = 58;
export const NEIGHBOR_SOLICITATION = 135;
export const NEIGHBOR_ADVERTISEMENT = 136;

/** ff02::1 */
const ALL_NODES: Ipv6 = (0xff02n << 112n) | 1n;
/** ff02::1:ff00:0/104 (RFC 4291 section 2.7.1), completed by the low 24 bits of an address. */
const SOLICITED_NODE: Ipv6 = (0xff02n << 112n) | 0x1_ff00_0000n;
const UNSPECIFIED: Ipv6 = 0n;
const LOW_24_BITS = 0xffffffn;
/** What no router can have forwarded (RFC 4861 section 7.1). */
const HOP_LIMIT = 255;

const FLAG = { router: 0x80, solicited: 0x40, override: 0x20 } as const;
const OPTION_SOURCE = 1;
const OPTION_TARGET = 2;
const OPTION_UNIT = 8;

/** Bytes from the start of the ICMPv6 message. */
const OFFSET = { type: 0, code: 1, checksum: 2, flags: 4, target: 8, options: 24 } as const;
const MESSAGE_START = ETHERNET_HEADER_LENGTH + IPV6_HEADER_LENGTH;

export interface NeighborMessage {
  readonly kind: 'solicitation' | 'advertisement';
  readonly source: Ipv6;
  readonly destination: Ipv6;
  /** The address that is asked for or told of. */
  readonly target: Ipv6;
  /** From the option; where there is none, the sender's as the frame has it. */
  readonly hardwareAddress: Uint8Array;
  /** Of an advertisement. */
  readonly isRouter: boolean;
  readonly isSolicited: boolean;
  readonly isOverride: boolean;
}

/** The group that is asked who has the address (RFC 4291 section 2.7.1). */
export function solicitedNodeGroup(address: Ipv6): Ipv6 {
  return SOLICITED_NODE | (address & LOW_24_BITS);
}

/**
 * A whole Ethernet frame, 86 bytes: unsolicited neighbour advertisement for `address` from it to all nodes, with the
 * override flag (RFC 9568 section 6.4.2), so that every cache that has the address takes the new hardware address.
 * Throws RangeError if the hardware address is not six bytes.
 *
 * @param isRouter whether the host forwards on this interface: a wrong flag makes others add or drop a default router
 */
export function encodeNeighborAdvertisement(hardwareAddress: Uint8Array, address: Ipv6, isRouter: boolean): Uint8Array {
  const frame = newNeighborFrame(hardwareAddress, address, ALL_NODES, OFFSET.options + OPTION_UNIT);
  const message = new DataView(frame.buffer, MESSAGE_START);
  message.setUint8(OFFSET.type, NEIGHBOR_ADVERTISEMENT);
  message.setUint8(OFFSET.flags, FLAG.override | (isRouter ? FLAG.router : 0));
  writeIpv6Address(message, OFFSET.target, address);
  message.setUint8(OFFSET.options, OPTION_TARGET);
  message.setUint8(OFFSET.options + 1, 1);
  frame.set(hardwareAddress, MESSAGE_START + OFFSET.options + 2);
  return withChecksum(frame);
}

/**
 * A whole Ethernet frame, 78 bytes: neighbour solicitation for `address` from no address, as duplicate address
 * detection asks (RFC 4862 section 5.4.2). Who has the address answers to all nodes. Throws RangeError if the hardware
 * address is not six bytes.
 */
export function encodeNeighborProbe(hardwareAddress: Uint8Array, address: Ipv6): Uint8Array {
  const destination = solicitedNodeGroup(address);
  const frame = newNeighborFrame(hardwareAddress, UNSPECIFIED, destination, OFFSET.options);
  const message = new DataView(frame.buffer, MESSAGE_START);
  message.setUint8(OFFSET.type, NEIGHBOR_SOLICITATION);
  writeIpv6Address(message, OFFSET.target, address);
  return withChecksum(frame);
}

/**
 * A whole Ethernet frame, 86 bytes: neighbour solicitation for `address` from the own address `source`, as a host asks
 * that wants to reach it (RFC 4861 section 7.2.2). Who has the address answers to the asker alone; a host that is just
 * looking for duplicates of it takes no notice, while a probe would be one (RFC 4862 section 5.4.3). Throws RangeError if
 * the hardware address is not six bytes.
 */
export function encodeNeighborSolicitation(hardwareAddress: Uint8Array, source: Ipv6, address: Ipv6): Uint8Array {
  const destination = solicitedNodeGroup(address);
  const frame = newNeighborFrame(hardwareAddress, source, destination, OFFSET.options + OPTION_UNIT);
  const message = new DataView(frame.buffer, MESSAGE_START);
  message.setUint8(OFFSET.type, NEIGHBOR_SOLICITATION);
  writeIpv6Address(message, OFFSET.target, address);
  message.setUint8(OFFSET.options, OPTION_SOURCE);
  message.setUint8(OFFSET.options + 1, 1);
  frame.set(hardwareAddress, MESSAGE_START + OFFSET.options + 2);
  return withChecksum(frame);
}

/**
 * Reads a whole Ethernet frame; undefined unless it is a neighbour solicitation or advertisement that RFC 4861 sections
 * 7.1.1 and 7.1.2 call valid.
 */
export function decodeNeighbor(frame: Uint8Array): NeighborMessage | undefined {
  if (frame.length < MESSAGE_START + OFFSET.options) return undefined;
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  if (view.getUint16(ETHERNET_OFFSET.etherType) !== ETHERTYPE_IPV6) return undefined;
  const header = new DataView(frame.buffer, frame.byteOffset + ETHERNET_HEADER_LENGTH, IPV6_HEADER_LENGTH);
  if (header.getUint8(0) >>> 4 !== 6 || header.getUint8(IPV6_OFFSET.nextHeader) !== ICMPV6) return undefined;
  if (header.getUint8(IPV6_OFFSET.hopLimit) !== HOP_LIMIT) return undefined;
  const length = header.getUint16(IPV6_OFFSET.payloadLength);
  if (length < OFFSET.options || MESSAGE_START + length > frame.length) return undefined;
  const message = new DataView(frame.buffer, frame.byteOffset + MESSAGE_START, length);
  const type = message.getUint8(OFFSET.type);
  if ((type !== NEIGHBOR_SOLICITATION && type !== NEIGHBOR_ADVERTISEMENT) || message.getUint8(OFFSET.code) !== 0) {
    return undefined;
  }
  if (foldSum(checksumOf(frame, length)) !== 0xffff) return undefined;

  const source = readIpv6Address(header, IPV6_OFFSET.source);
  const destination = readIpv6Address(header, IPV6_OFFSET.destination);
  const target = readIpv6Address(message, OFFSET.target);
  const isAdvertisement = type === NEIGHBOR_ADVERTISEMENT;
  const flags = isAdvertisement ? message.getUint8(OFFSET.flags) : 0;
  const isSolicited = (flags & FLAG.solicited) !== 0;
  if (isMulticastIp(target) || (isSolicited && isMulticastIp(destination))) return undefined;
  const option = findOption(message, isAdvertisement ? OPTION_TARGET : OPTION_SOURCE);
  if (option === 'invalid') return undefined;
  // Who has no address yet looks for duplicates of the target: in its group, and without a hardware address.
  const isFromNobody = !isAdvertisement && source === UNSPECIFIED;
  if (isFromNobody && (option !== undefined || solicitedNodeGroup(destination) !== destination)) return undefined;
  const at = option === undefined ? ETHERNET_OFFSET.source : MESSAGE_START + option;
  return {
    kind: isAdvertisement ? 'advertisement' : 'solicitation',
    source,
    destination,
    target,
    hardwareAddress: frame.slice(at, at + ETHERNET_ADDRESS_LENGTH),
    isRouter: (flags & FLAG.router) !== 0,
    isSolicited,
    isOverride: (flags & FLAG.override) !== 0,
  };
}

/** Where the hardware address of the option begins in the message. Options of length 0 or beyond the end are invalid. */
function findOption(message: DataView, wanted: number): number | 'invalid' | undefined {
  let found: number | undefined;
  for (let at: number = OFFSET.options; at < message.byteLength; ) {
    if (at + OPTION_UNIT > message.byteLength) return 'invalid';
    const length = message.getUint8(at + 1) * OPTION_UNIT;
    if (length === 0 || at + length > message.byteLength) return 'invalid';
    if (message.getUint8(at) === wanted && length === OPTION_UNIT) found ??= at + 2;
    at += length;
  }
  return found;
}

function newNeighborFrame(
  hardwareAddress: Uint8Array,
  source: Ipv6,
  destination: Ipv6,
  messageLength: number,
): Uint8Array<ArrayBuffer> {
  // RFC 2464 section 7: 33:33 and the last four bytes of the group.
  const group = new Uint8Array(ETHERNET_ADDRESS_LENGTH).fill(0x33, 0, 2);
  new DataView(group.buffer).setUint32(2, Number(destination & 0xffff_ffffn));
  const frame = newFrame(group, hardwareAddress, ETHERTYPE_IPV6, IPV6_HEADER_LENGTH + messageLength);
  writeIpv6Header(new DataView(frame.buffer, ETHERNET_HEADER_LENGTH), source, destination, HOP_LIMIT, ICMPV6, 0);
  return frame;
}

function withChecksum(frame: Uint8Array<ArrayBuffer>): Uint8Array {
  const sum = checksumOf(frame, frame.length - MESSAGE_START);
  new DataView(frame.buffer, MESSAGE_START).setUint16(OFFSET.checksum, finishChecksum(sum));
  return frame;
}

/** RFC 4443 section 2.3. */
function checksumOf(frame: Uint8Array, length: number): number {
  const addresses = ETHERNET_HEADER_LENGTH + IPV6_OFFSET.source;
  const pseudo = pseudoHeaderSum(frame, addresses, addresses + 2 * IPV6_ADDRESS_LENGTH, length, ICMPV6);
  return addToSum(pseudo, frame, MESSAGE_START, MESSAGE_START + length);
}
