/** IPv4 addresses as numbers: how they compare and how they are written. */
import type { Ipv4 } from './virtual-router.js';

/**
 * Order of two addresses as unsigned 32-bit numbers, most significant byte first, as ties are broken (RFC 9568 section
 * 6.4.3): negative when `a` is the smaller.
 */
export function compareIpv4(a: Ipv4, b: Ipv4): number {
  return (a >>> 0) - (b >>> 0);
}

/** Dotted quad. */
export function formatIpv4(address: Ipv4): string {
  return `${address >>> 24}.${(address >>> 16) & 255}.${(address >>> 8) & 255}.${address & 255}`;
}
