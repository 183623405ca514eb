/**
 * Reception of advertisements over IPv4: from a raw packet, IP header included, to an advertisement that its router may
 * believe, or the one reason why not. Pure and total: any bytes give an answer.
 *
 * Checks run in this order, the first that fails names the reason. What guards against strangers is unconditional:
 *
 *   IP header    truncated  bad-ip-header  not-vrrp  fragment  ip-options
 *   router       truncated (below 8 bytes)  unknown-vrid
 *   who and how  own-source  bad-source  wrong-destination  multicast: bad-ttl  off-link-source  unicast: not-a-peer
 *   message      bad-version  bad-type  no-addresses  bad-length  bad-checksum
 *   agreement    v2: auth-type-mismatch  auth-failure   zero-interval   v2: interval-mismatch
 *
 * The list of addresses is returned, not judged: a difference is reported by the core and never drops the packet
 * (RFC 9568 section 7.1). Reserved bits are ignored, as every version of the RFC asks.
 */
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
import { addToSum, foldSum, pseudoHeaderSum } from './checksum.js';
import { type Ipv4Prefix, isHostAddress, isInPrefix, isMulticast } from './ipv4-address.js';
import { type Ipv4Header, readIpv4Header, VRRP_PROTOCOL, VRRP_TTL } from './ipv4-header.js';

/** Why an advertisement was dropped; each is the name of a counter. */
export const DROP_REASONS = [
  /** Shorter than its IP header says, or than the headers of IP and VRRP. */
  'truncated',
  /** Not IP version 4, or header and total length contradict each other. */
  'bad-ip-header',
  /** IP protocol is not 112. */
  'not-vrrp',
  'fragment',
  /** Deviation: IP options are refused, docs/decisions/0013-what-is-not-heard.md. */
  'ip-options',
  /** No virtual router with this VRID on the interface. */
  'unknown-vrid',
  /** From an address of this host: our own packet sent back, or forged. */
  'own-source',
  /** 0.0.0.0, loopback, multicast, broadcast or reserved. */
  'bad-source',
  /** Multicast to a unicast router, the reverse, or another group. */
  'wrong-destination',
  /** RFC 9568 section 7.1: TTL must be 255. Multicast only: unicast may be routed, and has a list of peers instead. */
  'bad-ttl',
  /** In no subnet of the interface. */
  'off-link-source',
  /** Unicast: not in the list of peers. */
  'not-a-peer',
  'bad-version',
  'bad-type',
  'no-addresses',
  /** Not exactly as long as the number of addresses makes it. */
  'bad-length',
  'bad-checksum',
  'auth-type-mismatch',
  /** The password is wrong. */
  'auth-failure',
  'zero-interval',
  /** RFC 3768 section 7.1: version 2 intervals must be equal. */
  'interval-mismatch',
] as const;

export type DropReason = (typeof DROP_REASONS)[number];

/** What a virtual router expects of advertisements for its VRID. */
export interface Expectations {
  readonly version: Version;
  /** Configured interval; a version 2 advertisement must have the same. */
  readonly interval: Micros;
  /** Version 2 PASS: exactly 8 bytes. Absent: no authentication. */
  readonly password?: Uint8Array;
  readonly transport:
    | { readonly kind: 'multicast'; readonly group: Ipv4 }
    | { readonly kind: 'unicast'; readonly peers: ReadonlySet<Ipv4> };
  /** Addresses of this host: nobody else may send from them. */
  readonly ownAddresses: ReadonlySet<Ipv4>;
  /** Subnets of the interface, in one of which a multicast source must be. Empty: not checked. */
  readonly onLink: readonly Ipv4Prefix[];
}

type Reception =
  | {
      readonly ok: true;
      readonly vrid: number;
      readonly source: Ipv4;
      readonly advertisement: Advertisement;
      /** Absent in version 2, where there is one form. */
      readonly checksumForm?: ChecksumForm;
    }
  | {
      readonly ok: false;
      readonly reason: DropReason;
      /** Absent if it could not be read. */
      readonly vrid?: number;
      readonly source?: Ipv4;
    };

/**
 * Decodes a packet and judges it by the expectations of the router that it is for. Called for every packet of protocol
 * 112 on the interface.
 */
export function decodeAdvertisement(packet: Uint8Array, routers: ReadonlyMap<number, Expectations>): Reception {
  const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
  const header = readIpv4Header(view);
  if (typeof header === 'string') return { ok: false, reason: header };

  const { source, payloadStart, payloadEnd } = header;
  if (payloadEnd - payloadStart < VRRP_HEADER_LENGTH) return { ok: false, reason: 'truncated', source };
  const message = new DataView(packet.buffer, packet.byteOffset + payloadStart, payloadEnd - payloadStart);
  const vrid = message.getUint8(VRRP_OFFSET.vrid);
  const expected = routers.get(vrid);
  if (expected === undefined) return { ok: false, reason: 'unknown-vrid', vrid, source };

  const drop = (reason: DropReason): Reception => ({ ok: false, reason, vrid, source });
  const stranger = judgeSender(header, expected);
  if (stranger !== undefined) return drop(stranger);

  const form = judgeMessage(message, header, expected.version);
  if (form !== 'message_only' && form !== 'pseudo_header') return drop(form);

  const disagreement = judgeAgreement(message, expected);
  if (disagreement !== undefined) return drop(disagreement);

  const advertisement: Advertisement = {
    priority: message.getUint8(VRRP_OFFSET.priority),
    interval: readInterval(message, expected.version),
    addresses: readAddresses(message),
  };
  return expected.version === 3
    ? { ok: true, vrid, source, advertisement, checksumForm: form }
    : { ok: true, vrid, source, advertisement };
}

function judgeSender(header: Ipv4Header, expected: Expectations): DropReason | undefined {
  const { source, destination } = header;
  if (expected.ownAddresses.has(source)) return 'own-source';
  if (!isHostAddress(source)) return 'bad-source';
  const transport = expected.transport;
  if (transport.kind === 'unicast') {
    if (isMulticast(destination)) return 'wrong-destination';
    return transport.peers.has(source) ? undefined : 'not-a-peer';
  }
  if (destination !== transport.group) return 'wrong-destination';
  if (header.ttl !== VRRP_TTL) return 'bad-ttl';
  return judgeLink(source, expected.onLink);
}

/** A subnet's own broadcast and network addresses are no hosts; /31 and /32 have none (RFC 3021). */
function judgeLink(source: Ipv4, onLink: readonly Ipv4Prefix[]): DropReason | undefined {
  if (onLink.length === 0) return undefined;
  let reason: DropReason = 'off-link-source';
  for (const prefix of onLink) {
    if (!isInPrefix(source, prefix)) continue;
    const hostMask = prefix.prefixLength >= 31 ? 0 : 0xffffffff >>> prefix.prefixLength;
    const host = (source & hostMask) >>> 0;
    if (hostMask === 0 || (host !== 0 && host !== hostMask)) return undefined;
    reason = 'bad-source';
  }
  return reason;
}

/** The form of the checksum, if the message is whole and right. */
function judgeMessage(message: DataView, header: Ipv4Header, version: Version): ChecksumForm | DropReason {
  const versionAndType = message.getUint8(VRRP_OFFSET.versionAndType);
  if (versionAndType >>> 4 !== version) return 'bad-version';
  if ((versionAndType & 0x0f) !== TYPE_ADVERTISEMENT) return 'bad-type';
  const count = message.getUint8(VRRP_OFFSET.addressCount);
  if (count === 0) return 'no-addresses';
  if (message.byteLength !== messageLength(version, count)) return 'bad-length';

  const bytes = new Uint8Array(message.buffer, message.byteOffset, message.byteLength);
  const sum = addToSum(0, bytes, 0, bytes.length);
  if (foldSum(sum) === 0xffff) return 'message_only';
  if (version === 2) return 'bad-checksum';
  // Deviation: both forms are accepted whichever is sent, docs/decisions/0006-both-checksum-forms.md.
  const pseudo = pseudoHeaderSum(header.source, header.destination, VRRP_PROTOCOL, bytes.length);
  return foldSum(sum + pseudo) === 0xffff ? 'pseudo_header' : 'bad-checksum';
}

function judgeAgreement(message: DataView, expected: Expectations): DropReason | undefined {
  if (expected.version === 2) {
    const authType = message.getUint8(VRRP_OFFSET.authType);
    if (authType !== (expected.password === undefined ? AUTH_NONE : AUTH_PASS)) return 'auth-type-mismatch';
    if (expected.password !== undefined && !endsWithPassword(message, expected.password)) return 'auth-failure';
  }
  const interval = readInterval(message, expected.version);
  // Deviation from RFC 5798: an interval of zero is dropped (RFC 9568 erratum 8301), docs/decisions/0013-what-is-not-heard.md.
  if (interval === 0) return 'zero-interval';
  if (expected.version === 2 && interval !== expected.interval) return 'interval-mismatch';
  return undefined;
}

/** Compares all 8 bytes whatever they are, so that the time taken tells nothing about where they differ. */
function endsWithPassword(message: DataView, password: Uint8Array): boolean {
  const start = message.byteLength - AUTH_DATA_LENGTH;
  let difference = password.length ^ AUTH_DATA_LENGTH;
  for (let i = 0; i < AUTH_DATA_LENGTH; i++) difference |= message.getUint8(start + i) ^ (password[i] ?? 0);
  return difference === 0;
}

function readInterval(message: DataView, version: Version): Micros {
  return version === 2
    ? message.getUint8(VRRP_OFFSET.interval) * MICROS_PER_SECOND
    : (message.getUint16(VRRP_OFFSET.maxInterval) & 0x0fff) * MICROS_PER_CENTISECOND;
}

function readAddresses(message: DataView): readonly Ipv4[] {
  const count = message.getUint8(VRRP_OFFSET.addressCount);
  const addresses: Ipv4[] = [];
  for (let i = 0; i < count; i++) addresses.push(message.getUint32(VRRP_OFFSET.addresses + i * 4));
  return addresses;
}
