/**
 * The Internet checksum (RFC 1071): ones' complement of the ones' complement sum of big-endian 16-bit words. Pure.
 */
import { VRRP_PROTOCOL } from './ip-header.js';

/**
 * Adds bytes [start, end) to a running sum, an odd last byte padded with zero. `sum` may be any number that earlier
 * calls returned; at most 2^16 words may be added before `finishChecksum`.
 */
export function addToSum(sum: number, bytes: Uint8Array, start: number, end: number): number {
  let total = sum;
  let at = start;
  for (; at + 1 < end; at += 2) total += ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
  if (at < end) total += (bytes[at] ?? 0) << 8;
  return total;
}

/** Folds a sum to 16 bits. A message whose checksum field is right sums to 0xffff. */
export function foldSum(sum: number): number {
  let total = sum;
  while (total > 0xffff) total = (total & 0xffff) + Math.floor(total / 0x10000);
  return total;
}

/** The value for a checksum field that was zero while summing. */
export function finishChecksum(sum: number): number {
  return ~foldSum(sum) & 0xffff;
}

/** The new checksum after one 16-bit word changed (RFC 1624, equation 3). */
export function patchChecksum(checksum: number, oldWord: number, newWord: number): number {
  return ~foldSum((~checksum & 0xffff) + (~oldWord & 0xffff) + newWord) & 0xffff;
}

/**
 * Sum of the pseudo-header of a VRRP packet: source and destination address, which are at [start, end) of the packet one
 * after the other, the protocol, and the length of the message. For IPv6 RFC 8200 section 8.1; for IPv4 RFC 5798 section
 * 5.2.8 as most read it. The headers differ in where they put zeros, which add nothing.
 */
export function pseudoHeaderSum(
  packet: Uint8Array,
  start: number,
  end: number,
  length: number,
  protocol: number = VRRP_PROTOCOL,
): number {
  return addToSum(protocol + length, packet, start, end);
}
