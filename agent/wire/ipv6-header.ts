/**
 * The IPv6 header (RFC 8200 section 3) of advertisements, and addresses in bytes. Offsets are bytes from its start; all
 * fields big-endian. Pure.
 */
import type { Ipv6 } from '../vrrp/virtual-router.js';
import { type IpHeader, type IpHeaderFault, TRAFFIC_CLASS, VRRP_PROTOCOL } from './ip-header.js';

/** Without extension headers, as we send it. */
export const IPV6_HEADER_LENGTH = 40;
export const IPV6_ADDRESS_LENGTH = 16;

export const IPV6_OFFSET = {
  payloadLength: 4,
  nextHeader: 6,
  hopLimit: 7,
  source: 8,
  destination: 24,
} as const;

/** Extension headers (RFC 8200 section 4): hop-by-hop and destination options, routing. */
export const IPV6_EXTENSION = { hopByHop: 0, routing: 43, fragment: 44, destination: 60 } as const;

const LOW_64_BITS = 0xffff_ffff_ffff_ffffn;

/** Writes the header of a packet that fills `packet`; VRRP, as network control, unless told otherwise. */
export function writeIpv6Header(
  packet: DataView,
  source: Ipv6,
  destination: Ipv6,
  hopLimit: number,
  nextHeader: number = VRRP_PROTOCOL,
  trafficClass: number = TRAFFIC_CLASS,
): void {
  packet.setUint32(0, (6 << 28) | (trafficClass << 20));
  packet.setUint16(IPV6_OFFSET.payloadLength, packet.byteLength - IPV6_HEADER_LENGTH);
  packet.setUint8(IPV6_OFFSET.nextHeader, nextHeader);
  packet.setUint8(IPV6_OFFSET.hopLimit, hopLimit);
  writeIpv6Address(packet, IPV6_OFFSET.source, source);
  writeIpv6Address(packet, IPV6_OFFSET.destination, destination);
}

/** Reads the header of a received packet, whether from the wire or made by the receiving socket of what it was told. */
export function readIpv6Header(packet: DataView): IpHeader | IpHeaderFault {
  if (packet.byteLength < IPV6_HEADER_LENGTH) return 'truncated';
  if (packet.getUint8(0) >>> 4 !== 6) return 'bad-ip-header';
  const payloadEnd = IPV6_HEADER_LENGTH + packet.getUint16(IPV6_OFFSET.payloadLength);
  if (payloadEnd > packet.byteLength) return 'truncated';
  switch (packet.getUint8(IPV6_OFFSET.nextHeader)) {
    case VRRP_PROTOCOL:
      break;
    case IPV6_EXTENSION.fragment:
      return 'fragment';
    case IPV6_EXTENSION.hopByHop:
    case IPV6_EXTENSION.routing:
    case IPV6_EXTENSION.destination:
      return 'ip-options';
    default:
      return 'not-vrrp';
  }
  return {
    source: readIpv6Address(packet, IPV6_OFFSET.source),
    destination: readIpv6Address(packet, IPV6_OFFSET.destination),
    ttl: packet.getUint8(IPV6_OFFSET.hopLimit),
    payloadStart: IPV6_HEADER_LENGTH,
    payloadEnd,
    addressesStart: IPV6_OFFSET.source,
    addressesEnd: IPV6_HEADER_LENGTH,
  };
}

export function writeIpv6Address(bytes: DataView, at: number, address: Ipv6): void {
  bytes.setBigUint64(at, address >> 64n);
  bytes.setBigUint64(at + 8, address & LOW_64_BITS);
}

export function readIpv6Address(bytes: DataView, at: number): Ipv6 {
  return (bytes.getBigUint64(at) << 64n) | bytes.getBigUint64(at + 8);
}
