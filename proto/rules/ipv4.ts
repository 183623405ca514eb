/**
 * IPv4 addresses and prefixes: text on the outside, a number 0..2^32-1 inside (most significant byte first, as on the
 * wire). Only the canonical dotted quad is read: no octal, no hexadecimal, no missing parts, no blanks.
 */

/** Numeric IPv4 address, 0..2^32-1. */
export type Ipv4 = number;

export interface Cidr {
  readonly address: Ipv4;
  /** 0..32 */
  readonly prefixLength: number;
}

const QUAD = /^(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})$/;

/** Undefined for anything that is not a canonical dotted quad. */
export function parseIpv4(text: string): Ipv4 | undefined {
  const parts = QUAD.exec(text);
  if (parts === null) {
    return undefined;
  }
  let address = 0;
  for (const part of parts.slice(1)) {
    const byte = Number(part);
    if (byte > 255) {
      return undefined;
    }
    address = address * 256 + byte;
  }
  return address;
}

export function formatIpv4(address: Ipv4): string {
  return `${address >>> 24}.${(address >>> 16) & 255}.${(address >>> 8) & 255}.${address & 255}`;
}

/** "192.0.2.1/24"; without a prefix length /32. Host bits are kept. Undefined for anything else. */
export function parseCidr(text: string): Cidr | undefined {
  const slash = text.indexOf('/');
  const address = parseIpv4(slash === -1 ? text : text.slice(0, slash));
  const length = slash === -1 ? '32' : text.slice(slash + 1);
  if (address === undefined || !/^(0|[1-9]\d?)$/.test(length) || Number(length) > 32) {
    return undefined;
  }
  return { address, prefixLength: Number(length) };
}

export function formatCidr(cidr: Cidr): string {
  return `${formatIpv4(cidr.address)}/${cidr.prefixLength}`;
}

/** Network mask of a prefix length 0..32. */
export function maskOf(prefixLength: number): Ipv4 {
  return prefixLength === 0 ? 0 : (0xffffffff << (32 - prefixLength)) >>> 0;
}

/** The prefix with its host bits cleared. */
export function networkOf(cidr: Cidr): Ipv4 {
  return (cidr.address & maskOf(cidr.prefixLength)) >>> 0;
}

/** The prefix with its host bits set. */
export function broadcastOf(cidr: Cidr): Ipv4 {
  return (cidr.address | ~maskOf(cidr.prefixLength)) >>> 0;
}

/** Whether an address lies in a prefix. */
export function contains(prefix: Cidr, address: Ipv4): boolean {
  return (address & maskOf(prefix.prefixLength)) >>> 0 === networkOf(prefix);
}

/**
 * Whether text is meant as an IPv6 address, so that the refusal can say that and not just "not an address".
 * Not a validation: colons and hexadecimal digits are enough, with zone or prefix length.
 */
export function looksLikeIpv6(text: string): boolean {
  return /^[0-9a-f:.]*:[0-9a-f:.]*(%[^/\s]+)?(\/\d+)?$/i.test(text);
}
