/**
 * Addresses and prefixes of either family: text on the outside, a number inside (most significant byte first, as on the
 * wire). IPv4 is a number 0..2^32-1, IPv6 a bigint 0..2^128-1, so the type tells the family, and <, > and === compare
 * within one. Text goes out as RFC 5952 has it.
 */
import { formatIpv4, parseIpv4 } from './ipv4.js';

export type IpAddress = number | bigint;
export type Family = 4 | 6;

export interface IpPrefix {
  readonly address: IpAddress;
  /** 0..32 or 0..128. */
  readonly prefixLength: number;
}

const GROUP = /^[0-9a-f]{1,4}$/i;

export function familyOf(address: IpAddress): Family {
  return typeof address === 'bigint' ? 6 : 4;
}

/** Bits of an address of the family. */
export function bitsOf(family: Family): 32 | 128 {
  return family === 6 ? 128 : 32;
}

/** An address of either family. Zones ("%eth0") and prefix lengths are not part of an address: undefined. */
export function parseIp(text: string): IpAddress | undefined {
  return text.includes(':') ? parseIpv6(text) : parseIpv4(text);
}

/** RFC 4291 section 2.2, with an IPv4 tail where that is written. Undefined for anything else. */
export function parseIpv6(text: string): bigint | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const [head = '', tail] = halves;
  const before = groupsOf(head, tail === undefined);
  const after = tail === undefined ? [] : groupsOf(tail, true);
  if (before === undefined || after === undefined) return undefined;
  const missing = 8 - before.length - after.length;
  if (tail === undefined ? missing !== 0 : missing < 1) return undefined;
  let address = 0n;
  for (const group of [...before, ...new Array<number>(missing).fill(0), ...after]) {
    address = (address << 16n) | BigInt(group);
  }
  return address;
}

/** The 16-bit groups of a run without "::"; only the last run may end in an IPv4 address. */
function groupsOf(run: string, mayEndInIpv4: boolean): number[] | undefined {
  if (run === '') return [];
  const groups: number[] = [];
  const parts = run.split(':');
  for (const [index, part] of parts.entries()) {
    if (GROUP.test(part)) {
      groups.push(Number.parseInt(part, 16));
      continue;
    }
    const ipv4 = mayEndInIpv4 && index === parts.length - 1 ? parseIpv4(part) : undefined;
    if (ipv4 === undefined) return undefined;
    groups.push(ipv4 >>> 16, ipv4 & 0xffff);
  }
  return groups;
}

export function formatIp(address: IpAddress): string {
  return typeof address === 'bigint' ? formatIpv6(address) : formatIpv4(address);
}

/** RFC 5952: lower case, the first longest run of two or more zero groups as "::", an IPv4-mapped tail in dots. */
export function formatIpv6(address: bigint): string {
  if (address >> 32n === 0xffffn) return `::ffff:${formatIpv4(Number(address & 0xffff_ffffn))}`;
  const groups: string[] = [];
  for (let shift = 112n; shift >= 0n; shift -= 16n) groups.push(((address >> shift) & 0xffffn).toString(16));
  let start = 0;
  let length = 0;
  for (let i = 0; i < 8; i++) {
    let end = i;
    while (end < 8 && groups[end] === '0') end += 1;
    if (end - i > length) {
      start = i;
      length = end - i;
    }
  }
  if (length < 2) return groups.join(':');
  return `${groups.slice(0, start).join(':')}::${groups.slice(start + length).join(':')}`;
}

/** "192.0.2.1/24", "2001:db8::1/64"; without a prefix length the whole address. Host bits are kept. */
export function parseIpPrefix(text: string): IpPrefix | undefined {
  const slash = text.indexOf('/');
  const address = parseIp(slash === -1 ? text : text.slice(0, slash));
  if (address === undefined) return undefined;
  const bits = bitsOf(familyOf(address));
  if (slash === -1) return { address, prefixLength: bits };
  const length = text.slice(slash + 1);
  if (!/^(0|[1-9]\d{0,2})$/.test(length) || Number(length) > bits) return undefined;
  return { address, prefixLength: Number(length) };
}

export function formatIpPrefix({ address, prefixLength }: IpPrefix): string {
  return `${formatIp(address)}/${prefixLength}`;
}

/** The prefix's address with its host bits cleared. */
export function networkAddressOf({ address, prefixLength }: IpPrefix): IpAddress {
  if (typeof address === 'bigint') {
    const hostBits = BigInt(128 - prefixLength);
    return (address >> hostBits) << hostBits;
  }
  return prefixLength === 0 ? 0 : (address & (0xffffffff << (32 - prefixLength))) >>> 0;
}

/** Whether an address lies in a prefix; never one of the other family. */
export function prefixContains(prefix: IpPrefix, address: IpAddress): boolean {
  if (typeof address !== typeof prefix.address) return false;
  return networkAddressOf({ address, prefixLength: prefix.prefixLength }) === networkAddressOf(prefix);
}

/** fe80::/10. */
export function isLinkLocal(address: IpAddress): boolean {
  return typeof address === 'bigint' && address >> 118n === 0x3fan;
}

/** 224.0.0.0/4 or ff00::/8. */
export function isMulticastIp(address: IpAddress): boolean {
  return typeof address === 'bigint' ? address >> 120n === 0xffn : address >>> 28 === 0xe;
}
