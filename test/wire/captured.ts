/**
 * Frames' payloads captured with tcpdump from Debian's keepalived 2.2.7: VRID 10, source 10.9.0.1, virtual addresses
 * 10.9.0.26 and 10.9.0.27, the first advertisement after start (IP identification 1).
 */
import { parseIpv4 } from '../../agent/wire/ipv4-address.js';

export function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(hex.replaceAll(/\s/g, '').match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
}

export function ip(text: string): number {
  const address = parseIpv4(text);
  if (address === undefined) throw new RangeError(`${text} is not an IPv4 address`);
  return address;
}

/** Exactly 8 bytes, padded with zeros. */
export function secret(text: string): Uint8Array {
  const bytes = new Uint8Array(8);
  bytes.set(new TextEncoder().encode(text));
  return bytes;
}

/** version 2, priority 100, 1 s, auth_type PASS, auth_pass pg-vrrp */
export const V2_PASS = `45c0002c 00010000 ff70d084 0a090001 e0000012
  210a6402 0101e55a 0a09001a 0a09001b 70672d76 72727000`;

/** version 2, priority 150, 1 s, no authentication */
export const V2_NONE = `45c0002c 00010000 ff70d084 0a090001 e0000012
  210a9602 000134ab 0a09001a 0a09001b 00000000 00000000`;

/** version 3, priority 150, 1 s */
export const V3_MULTICAST = `45c00024 00010000 ff70d08c 0a090001 e0000012
  310a9602 006439ab 0a09001a 0a09001b`;

/** version 3, priority 255, 0.05 s, unicast to 10.9.0.2 */
export const V3_UNICAST = `45c00024 00010000 ff70a694 0a090001 0a090002
  310aff02 0005a711 0a09001a 0a09001b`;

/**
 * V3_MULTICAST with the checksum of RFC 9568, worked by hand:
 * 310a + 9602 + 0064 + 0a09 + 001a + 0a09 + 001b = dbb7, complement 2448.
 */
export const V3_MESSAGE_ONLY = `45c00024 00010000 ff70d08c 0a090001 e0000012
  310a9602 00642448 0a09001a 0a09001b`;

/** Ethernet frame: gratuitous ARP for 10.9.0.26 from 72:ed:e7:c2:a8:e9 */
export const GRATUITOUS_ARP = `ffffffffffff 72ede7c2a8e9 0806 0001 0800 06 04 0001
  72ede7c2a8e9 0a09001a ffffffffffff 0a09001a`;
