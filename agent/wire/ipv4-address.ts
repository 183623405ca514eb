/**
 * IPv4 addresses as unsigned 32-bit numbers: text in and out, and the ranges that matter on receipt. Pure.
 */
import type { Ipv4 } from '../vrrp/virtual-router.js';

export { formatIpv4 } from '../vrrp/ipv4.js';

/** The VRRP multicast group (RFC 9568 section 5.1.1.2). */
export const VRRP_GROUP: Ipv4 = 0xe0000012;

/** A subnet: the address as configured (host bits allowed) and the number of leading bits, 0..32. */
export interface Ipv4Prefix {
  readonly address: Ipv4;
  readonly prefixLength: number;
}

/** Strict dotted quad: four decimal numbers 0..255 without leading zeros, signs or spaces. Undefined for all else. */
export function parseIpv4(text: string): Ipv4 | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (match === null) return undefined;
  let address = 0;
  for (const part of match.slice(1)) {
    const byte = Number(part);
    if (byte > 255 || String(byte) !== part) return undefined;
    address = address * 256 + byte;
  }
  return address;
}

export function isInPrefix(address: Ipv4, prefix: Ipv4Prefix): boolean {
  if (prefix.prefixLength <= 0) return true;
  const shift = 32 - prefix.prefixLength;
  return address >>> shift === prefix.address >>> shift;
}

/** 224.0.0.0/4. */
export function isMulticast(address: Ipv4): boolean {
  return address >>> 28 === 0xe;
}

/**
 * Whether a host may have this address as its source: not 0.0.0.0/8, not 127.0.0.0/8, not multicast, not reserved
 * (240.0.0.0/4, which holds the limited broadcast address). RFC 1122 section 3.2.1.3.
 */
export function isHostAddress(address: Ipv4): boolean {
  const first = address >>> 24;
  return first !== 0 && first !== 127 && first < 224;
}
