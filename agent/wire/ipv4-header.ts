/**
 * The IPv4 header (RFC 791) of advertisements. Offsets are bytes from its start; all fields big-endian. Pure.
 */
import type { Ipv4 } from '../vrrp/virtual-router.js';
import { addToSum, finishChecksum } from './checksum.js';

/** Without options, as we send it. */
export const IPV4_HEADER_LENGTH = 20;

export const VRRP_PROTOCOL = 112;

/** RFC 9568 section 5.1.1.3. */
export const VRRP_TTL = 255;

/** DSCP CS6, network control. */
const TYPE_OF_SERVICE = 0xc0;

export const IPV4_OFFSET = {
  totalLength: 2,
  identification: 4,
  fragment: 6,
  ttl: 8,
  protocol: 9,
  checksum: 10,
  source: 12,
  destination: 16,
} as const;

export interface Ipv4Header {
  readonly source: Ipv4;
  readonly destination: Ipv4;
  readonly ttl: number;
  /** Where the payload begins and ends in the packet; what follows its end is link-layer padding. */
  readonly payloadStart: number;
  readonly payloadEnd: number;
}

/** Why a header is not that of one whole VRRP packet. */
type Ipv4HeaderFault = 'truncated' | 'bad-ip-header' | 'not-vrrp' | 'fragment' | 'ip-options';

/** Writes the header of a VRRP packet that fills `packet`, checksum included. The fields must be zero before. */
export function writeIpv4Header(packet: DataView, source: Ipv4, destination: Ipv4, identification: number): void {
  packet.setUint8(0, 0x45);
  packet.setUint8(1, TYPE_OF_SERVICE);
  packet.setUint16(IPV4_OFFSET.totalLength, packet.byteLength);
  packet.setUint16(IPV4_OFFSET.identification, identification);
  packet.setUint8(IPV4_OFFSET.ttl, VRRP_TTL);
  packet.setUint8(IPV4_OFFSET.protocol, VRRP_PROTOCOL);
  packet.setUint32(IPV4_OFFSET.source, source);
  packet.setUint32(IPV4_OFFSET.destination, destination);
  const bytes = new Uint8Array(packet.buffer, packet.byteOffset, IPV4_HEADER_LENGTH);
  packet.setUint16(IPV4_OFFSET.checksum, finishChecksum(addToSum(0, bytes, 0, IPV4_HEADER_LENGTH)));
}

/**
 * Reads the header of a received packet. The header checksum is not looked at: the kernel drops what fails it before a
 * raw socket sees it, and a packet captured on its way out may not have one yet.
 */
export function readIpv4Header(packet: DataView): Ipv4Header | Ipv4HeaderFault {
  if (packet.byteLength < IPV4_HEADER_LENGTH) return 'truncated';
  const versionAndLength = packet.getUint8(0);
  const headerLength = (versionAndLength & 0x0f) * 4;
  const totalLength = packet.getUint16(IPV4_OFFSET.totalLength);
  if (versionAndLength >>> 4 !== 4 || headerLength < IPV4_HEADER_LENGTH) return 'bad-ip-header';
  if (totalLength < headerLength) return 'bad-ip-header';
  if (totalLength > packet.byteLength) return 'truncated';
  if (packet.getUint8(IPV4_OFFSET.protocol) !== VRRP_PROTOCOL) return 'not-vrrp';
  // More-fragments flag or an offset. The kernel reassembles before a raw socket sees it; no advertisement needs it.
  if ((packet.getUint16(IPV4_OFFSET.fragment) & 0x3fff) !== 0) return 'fragment';
  if (headerLength > IPV4_HEADER_LENGTH) return 'ip-options';
  return {
    source: packet.getUint32(IPV4_OFFSET.source),
    destination: packet.getUint32(IPV4_OFFSET.destination),
    ttl: packet.getUint8(IPV4_OFFSET.ttl),
    payloadStart: headerLength,
    payloadEnd: totalLength,
  };
}
