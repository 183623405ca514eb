/**
 * Reception of advertisements over IPv4: from a raw packet, IP header included, to an advertisement that its router may
 * believe, or the one reason why not. Pure and total: any bytes give an answer.
 *
 * Checks run in this order, the first that fails names the reason. What guards against strangers is unconditional:
 *
 *   IP header    truncated  bad-ip-header  not-vrrp  fragment  ip-options
 *   router       truncated (below 8 bytes)  unknown-vrid
 *   who and how  own-source  bad-source  wrong-destination
 *                multicast: bad-ttl  off-link-source  not-a-peer   unicast: not-a-peer  bad-ttl
 *   message      bad-version  bad-type  no-addresses  bad-length  bad-checksum  address-not-link-local
 *   signature    auth-missing  auth-malformed  auth-unknown-key  auth-stale  auth-replay  auth-invalid
 *   agreement    v2: auth-type-mismatch  auth-failure   zero-interval   v2: interval-mismatch
 *
 * The list of addresses is returned, not judged: a difference is reported by the core and never drops the packet
 * (RFC 9568 section 7.1). Reserved bits are ignored, as every version of the RFC asks.
 */

import { type Family, type IpAddress, type IpPrefix, isLinkLocal, isMulticastIp } from '../../proto/rules/ip.js';
import { MICROS_PER_CENTISECOND, MICROS_PER_SECOND, type Micros } from '../../proto/rules/time.js';
import type { Advertisement } from '../vrrp/state.js';
import type { Ipv4, Version } from '../vrrp/virtual-router.js';
import {
  AUTH_DATA_LENGTH,
  AUTH_NONE,
  AUTH_PASS,
  type ChecksumForm,
  messageLength,
  TYPE_ADVERTISEMENT,
  VRRP_HEADER_LENGTH,
  VRRP_OFFSET,
} from './advertisement.js';
import { byteAt, uint16At, uint32At } from './big-endian.js';
import { addToSum, foldSum, pseudoHeaderSum } from './checksum.js';
import { HMAC_TRAILER_LENGTH } from './hmac-trailer.js';
import { HMAC_REFUSALS, type HmacVerifier } from './hmac-verifier.js';
import { type IpHeader, VRRP_TTL } from './ip-header.js';
import { readIpv4Header } from './ipv4-header.js';
import { IPV6_ADDRESS_LENGTH, readIpv6Address, readIpv6Header } from './ipv6-header.js';

/** Why an advertisement was dropped; each is the name of a counter. */
export const DROP_REASONS = [
  /** Shorter than its IP header says, or than the headers of IP and VRRP. */
  'truncated',
  /** Not of the IP version that was asked for, or header and total length contradict each other. */
  'bad-ip-header',
  /** IP protocol or next header is not 112. */
  'not-vrrp',
  'fragment',
  /** Deviation: IP options and extension headers are refused, docs/decisions/0013-what-is-not-heard.md. */
  'ip-options',
  /** No virtual router with this VRID on the interface. */
  'unknown-vrid',
  /** From an address of this host: our own packet sent back, or forged. */
  'own-source',
  /** Unspecified, loopback, multicast, broadcast, reserved or IPv4-mapped. */
  'bad-source',
  /** Multicast to a unicast router, the reverse, or another group. */
  'wrong-destination',
  /** RFC 9568 section 7.1: TTL or hop limit must be 255. Unicast may be routed: not within the peer's limits. */
  'bad-ttl',
  /** In no subnet of the interface; IPv6: not link-local. */
  'off-link-source',
  /** Not in the list of peers, or of believed sources. */
  'not-a-peer',
  'bad-version',
  'bad-type',
  'no-addresses',
  /** Not exactly as long as the number of addresses, and a trailer, make it. */
  'bad-length',
  'bad-checksum',
  /** IPv6 in strict mode: the first virtual address must be (RFC 9568 section 5.2.9). */
  'address-not-link-local',
  ...HMAC_REFUSALS,
  'auth-type-mismatch',
  /** The password is wrong. */
  'auth-failure',
  'zero-interval',
  /** RFC 3768 section 7.1: version 2 intervals must be equal. */
  'interval-mismatch',
] as const;

export type DropReason = (typeof DROP_REASONS)[number];

/** TTLs or hop limits that are accepted, 0..255. */
export interface TtlRange {
  readonly least: number;
  readonly greatest: number;
}

/** What a virtual router expects of advertisements for its VRID. All addresses are of its family. */
export interface Expectations {
  readonly version: Version;
  /** Configured interval; a version 2 advertisement must have the same. */
  readonly interval: Micros;
  /** Version 2 PASS: exactly 8 bytes. Absent: no authentication. */
  readonly password?: Uint8Array;
  readonly transport:
    | {
        readonly kind: 'multicast';
        readonly group: IpAddress;
        /** Absent: every source on the link is believed. */
        readonly believed?: ReadonlySet<IpAddress>;
      }
    | { readonly kind: 'unicast'; readonly peers: ReadonlyMap<IpAddress, TtlRange> };
  /** Addresses of this host: nobody else may send from them. */
  readonly ownAddresses: ReadonlySet<IpAddress>;
  /** IPv4: subnets of the interface, in one of which a multicast source must be. Empty: not checked. */
  readonly onLink: readonly IpPrefix[];
  /** The router has no addresses itself, so that others of its kind may advertise none. */
  readonly mayBeEmpty?: boolean;
  /** IPv6: the first address must be link-local. */
  readonly linkLocalFirst?: boolean;
  /** Absent: a trailer is not expected, and makes a message too long. */
  readonly hmac?: HmacVerifier;
}

export type Reception =
  | {
      readonly ok: true;
      readonly vrid: number;
      readonly source: IpAddress;
      readonly advertisement: Advertisement;
      /** Absent in version 2 and over IPv6, where there is one form. */
      readonly checksumForm?: ChecksumForm;
      /** Whether it has a good signature. Absent: none was expected. */
      readonly isSigned?: boolean;
    }
  | {
      readonly ok: false;
      readonly reason: DropReason;
      /** Absent if it could not be read. */
      readonly vrid?: number;
      readonly source?: IpAddress;
    };

/**
 * Decodes a packet and judges it by the expectations of the router that it is for. Called for every packet of protocol
 * 112 on the interface.
 *
 * @param family of the socket that received the packet
 * @param routers of that family, by VRID
 */
export function decodeAdvertisement(
  family: Family,
  packet: Uint8Array,
  routers: ReadonlyMap<number, Expectations>,
): Reception {
  const header = family === 6 ? readIpv6Header(viewOf(packet)) : readIpv4Header(packet);
  if (typeof header === 'string') return { ok: false, reason: header };

  const { source, payloadStart, payloadEnd } = header;
  if (payloadEnd - payloadStart < VRRP_HEADER_LENGTH) return { ok: false, reason: 'truncated', source };
  const vrid = byteAt(packet, payloadStart + VRRP_OFFSET.vrid);
  const expected = routers.get(vrid);
  if (expected === undefined) return { ok: false, reason: 'unknown-vrid', vrid, source };

  const drop = (reason: DropReason): Reception => ({ ok: false, reason, vrid, source });
  const stranger = family === 6 ? judgeIpv6Sender(header, expected) : judgeIpv4Sender(header, expected);
  if (stranger !== undefined) return drop(stranger);

  const form = judgeMessage(family, packet, header, expected);
  if (form !== 'message_only' && form !== 'pseudo_header') return drop(form);

  const refusal = judgeSignature(family, packet, header, expected);
  if (refusal !== undefined) return drop(refusal);
  const disagreement = judgeAgreement(family, packet, payloadStart, expected);
  if (disagreement !== undefined) return drop(disagreement);

  const advertisement: Advertisement = {
    priority: byteAt(packet, payloadStart + VRRP_OFFSET.priority),
    interval: readInterval(packet, payloadStart, expected.version),
    addresses: family === 6 ? readIpv6Addresses(packet, payloadStart) : readIpv4Addresses(packet, payloadStart),
  };
  const hasForms = expected.version === 3 && family === 4;
  if (expected.hmac === undefined) {
    return hasForms
      ? { ok: true, vrid, source, advertisement, checksumForm: form }
      : { ok: true, vrid, source, advertisement };
  }
  const isSigned = payloadEnd - payloadStart > unsignedLength(family, packet, payloadStart, expected);
  return { ok: true, vrid, source, advertisement, isSigned, ...(hasForms ? { checksumForm: form } : {}) };
}

function judgeIpv4Sender(header: IpHeader, expected: Expectations): DropReason | undefined {
  if (expected.ownAddresses.has(header.source)) return 'own-source';
  if (typeof header.source !== 'number' || !isHostAddress(header.source)) return 'bad-source';
  const other = judgeTransport(header, expected);
  if (other !== undefined || expected.transport.kind === 'unicast') return other;
  return judgeLink(header.source, expected.onLink) ?? judgeBelief(header.source, expected);
}

function judgeIpv6Sender(header: IpHeader, expected: Expectations): DropReason | undefined {
  const { source } = header;
  if (expected.ownAddresses.has(source)) return 'own-source';
  if (typeof source !== 'bigint' || !isIpv6HostAddress(source)) return 'bad-source';
  const other = judgeTransport(header, expected);
  if (other !== undefined || expected.transport.kind === 'unicast') return other;
  // RFC 9568 section 5.1.2.1.
  return isLinkLocal(source) ? judgeBelief(source, expected) : 'off-link-source';
}

function judgeTransport({ source, destination, ttl }: IpHeader, { transport }: Expectations): DropReason | undefined {
  if (transport.kind === 'unicast') {
    if (isMulticastIp(destination)) return 'wrong-destination';
    const range = transport.peers.get(source);
    if (range === undefined) return 'not-a-peer';
    return ttl >= range.least && ttl <= range.greatest ? undefined : 'bad-ttl';
  }
  if (destination !== transport.group) return 'wrong-destination';
  return ttl === VRRP_TTL ? undefined : 'bad-ttl';
}

function judgeBelief(source: IpAddress, { transport }: Expectations): DropReason | undefined {
  if (transport.kind === 'unicast' || transport.believed === undefined) return undefined;
  return transport.believed.has(source) ? undefined : 'not-a-peer';
}

/**
 * Whether a host may have this address as its source: not 0.0.0.0/8, not 127.0.0.0/8, not multicast, not reserved
 * (240.0.0.0/4, which holds the limited broadcast address). RFC 1122 section 3.2.1.3.
 */
function isHostAddress(address: Ipv4): boolean {
  const first = address >>> 24;
  return first !== 0 && first !== 127 && first < 224;
}

/** The same of IPv6 (RFC 4291 section 2.4): neither unspecified, loopback nor multicast, nor an IPv4 address in disguise. */
function isIpv6HostAddress(address: bigint): boolean {
  return address > 1n && !isMulticastIp(address) && address >> 32n !== 0xffffn;
}

/** A subnet's own broadcast and network addresses are no hosts; /31 and /32 have none (RFC 3021). */
function judgeLink(source: Ipv4, onLink: readonly IpPrefix[]): DropReason | undefined {
  if (onLink.length === 0) return undefined;
  let reason: DropReason = 'off-link-source';
  for (const { address, prefixLength } of onLink) {
    if (typeof address !== 'number') continue;
    const hostMask = prefixLength >= 32 ? 0 : 0xffffffff >>> prefixLength;
    if ((source & ~hostMask) !== (address & ~hostMask)) continue;
    const host = (source & hostMask) >>> 0;
    if (prefixLength >= 31 || (host !== 0 && host !== hostMask)) return undefined;
    reason = 'bad-source';
  }
  return reason;
}

/** Bytes of the message without a trailer, by its number of addresses. */
function unsignedLength(family: Family, packet: Uint8Array, start: number, { version }: Expectations): number {
  return messageLength(family, version, byteAt(packet, start + VRRP_OFFSET.addressCount));
}

/** The form of the checksum, if the message is whole and right. */
function judgeMessage(
  family: Family,
  packet: Uint8Array,
  header: IpHeader,
  expected: Expectations,
): ChecksumForm | DropReason {
  const { version } = expected;
  const { payloadStart, payloadEnd } = header;
  const versionAndType = byteAt(packet, payloadStart + VRRP_OFFSET.versionAndType);
  if (versionAndType >>> 4 !== version) return 'bad-version';
  if ((versionAndType & 0x0f) !== TYPE_ADVERTISEMENT) return 'bad-type';
  const count = byteAt(packet, payloadStart + VRRP_OFFSET.addressCount);
  if (count === 0 && expected.mayBeEmpty !== true) return 'no-addresses';
  const length = messageLength(family, version, count);
  const received = payloadEnd - payloadStart;
  if (received !== length) {
    if (expected.hmac === undefined || received !== length + HMAC_TRAILER_LENGTH) return 'bad-length';
  }
  const form = judgeChecksum(family, version, packet, header, length);
  if (form === 'bad-checksum' || family === 4 || expected.linkLocalFirst !== true || count === 0) return form;
  const first = readIpv6Address(viewOf(packet), payloadStart + VRRP_OFFSET.addresses);
  return isLinkLocal(first) ? form : 'address-not-link-local';
}

/** @param length of the message without a trailer */
function judgeChecksum(
  family: Family,
  version: Version,
  packet: Uint8Array,
  header: IpHeader,
  length: number,
): ChecksumForm | 'bad-checksum' {
  const { payloadStart, payloadEnd, addressesStart, addressesEnd } = header;
  const end = payloadStart + length;
  const sum = addToSum(0, packet, payloadStart, end);
  if (family === 4) {
    if (foldSum(sum) === 0xffff) return 'message_only';
    if (version === 2) return 'bad-checksum';
  }
  // Deviation: both forms are accepted whichever is sent, docs/decisions/0006-both-checksum-forms.md.
  const pseudo = pseudoHeaderSum(packet, addressesStart, addressesEnd, length);
  if (foldSum(sum + pseudo) === 0xffff) return 'pseudo_header';
  if (family === 4 || end === payloadEnd) return 'bad-checksum';
  // The kernel's checksum covers a trailer too, and the pseudo-header has the length of both.
  const whole = addToSum(sum + pseudo + (payloadEnd - end), packet, end, payloadEnd);
  return foldSum(whole) === 0xffff ? 'pseudo_header' : 'bad-checksum';
}

function judgeSignature(
  family: Family,
  packet: Uint8Array,
  header: IpHeader,
  expected: Expectations,
): DropReason | undefined {
  if (expected.hmac === undefined) return undefined;
  const { source, payloadStart, payloadEnd } = header;
  const end = payloadStart + unsignedLength(family, packet, payloadStart, expected);
  if (end === payloadEnd) return expected.hmac.judgeUnsigned();
  return expected.hmac.judgeSigned(packet, source, payloadStart, end);
}

function judgeAgreement(
  family: Family,
  packet: Uint8Array,
  start: number,
  expected: Expectations,
): DropReason | undefined {
  const { version, password } = expected;
  if (version === 2) {
    const authType = byteAt(packet, start + VRRP_OFFSET.authType);
    if (authType !== (password === undefined ? AUTH_NONE : AUTH_PASS)) return 'auth-type-mismatch';
    // Over IPv6 there is no authentication data.
    if (family === 4 && password !== undefined && !hasPassword(packet, start, password)) return 'auth-failure';
  }
  const interval = readInterval(packet, start, version);
  // Deviation from RFC 5798: an interval of zero is dropped (RFC 9568 erratum 8301), docs/decisions/0013-what-is-not-heard.md.
  if (interval === 0) return 'zero-interval';
  if (version === 2 && interval !== expected.interval) return 'interval-mismatch';
  return undefined;
}

/** Compares all 8 bytes whatever they are, so that the time taken tells nothing about where they differ. */
function hasPassword(packet: Uint8Array, start: number, password: Uint8Array): boolean {
  const at = start + VRRP_OFFSET.addresses + byteAt(packet, start + VRRP_OFFSET.addressCount) * 4;
  let difference = password.length ^ AUTH_DATA_LENGTH;
  for (let i = 0; i < AUTH_DATA_LENGTH; i++) difference |= byteAt(packet, at + i) ^ (password[i] ?? 0);
  return difference === 0;
}

function readInterval(packet: Uint8Array, start: number, version: Version): Micros {
  return version === 2
    ? byteAt(packet, start + VRRP_OFFSET.interval) * MICROS_PER_SECOND
    : (uint16At(packet, start + VRRP_OFFSET.maxInterval) & 0x0fff) * MICROS_PER_CENTISECOND;
}

function readIpv4Addresses(packet: Uint8Array, start: number): readonly Ipv4[] {
  const count = byteAt(packet, start + VRRP_OFFSET.addressCount);
  const addresses: Ipv4[] = [];
  for (let i = 0; i < count; i++) addresses.push(uint32At(packet, start + VRRP_OFFSET.addresses + i * 4));
  return addresses;
}

function readIpv6Addresses(packet: Uint8Array, start: number): readonly bigint[] {
  const view = viewOf(packet);
  const count = byteAt(packet, start + VRRP_OFFSET.addressCount);
  const addresses: bigint[] = [];
  for (let i = 0; i < count; i++) {
    addresses.push(readIpv6Address(view, start + VRRP_OFFSET.addresses + i * IPV6_ADDRESS_LENGTH));
  }
  return addresses;
}

function viewOf(packet: Uint8Array): DataView {
  return new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
}
