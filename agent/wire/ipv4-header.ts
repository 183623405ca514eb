/**
 * The IPv4 header (RFC 791) of advertisements. Offsets are bytes from its start; all fields big-endian. Pure.
 */
import type { Ipv4 } from '../vrrp/virtual-router.js';
import { byteAt, uint16At, uint32At } from './big-endian.js';
import { addToSum, finishChecksum } from './checksum.js';
import { type IpHeader, type IpHeaderFault, TRAFFIC_CLASS, VRRP_PROTOCOL } from './ip-header.js';

/** Without options, as we send it. */
export const IPV4_HEADER_LENGTH = 20;

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

/** Writes the header of a VRRP packet that fills `packet`, checksum included. The other fields must be zero before. */
export function writeIpv4Header(packet: DataView, source: Ipv4, destination: Ipv4, ttl: number): void {
  packet.setUint8(0, 0x45);
  packet.setUint8(1, TRAFFIC_CLASS);
  packet.setUint16(IPV4_OFFSET.totalLength, packet.byteLength);
  packet.setUint8(IPV4_OFFSET.ttl, ttl);
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
export function readIpv4Header(packet: Uint8Array): IpHeader | IpHeaderFault {
  if (packet.length < IPV4_HEADER_LENGTH) return 'truncated';
  const versionAndLength = byteAt(packet, 0);
  const headerLength = (versionAndLength & 0x0f) * 4;
  const totalLength = uint16At(packet, IPV4_OFFSET.totalLength);
  if (versionAndLength >>> 4 !== 4 || headerLength < IPV4_HEADER_LENGTH) return 'bad-ip-header';
  if (totalLength < headerLength) return 'bad-ip-header';
  if (totalLength > packet.length) return 'truncated';
  if (byteAt(packet, IPV4_OFFSET.protocol) !== VRRP_PROTOCOL) return 'not-vrrp';
  // More-fragments flag or an offset. The kernel reassembles before a raw socket sees it; no advertisement needs it.
  if ((uint16At(packet, IPV4_OFFSET.fragment) & 0x3fff) !== 0) return 'fragment';
  if (headerLength > IPV4_HEADER_LENGTH) return 'ip-options';
  return {
    source: uint32At(packet, IPV4_OFFSET.source),
    destination: uint32At(packet, IPV4_OFFSET.destination),
    ttl: byteAt(packet, IPV4_OFFSET.ttl),
    payloadStart: headerLength,
    payloadEnd: totalLength,
    addressesStart: IPV4_OFFSET.source,
    addressesEnd: IPV4_HEADER_LENGTH,
  };
}
