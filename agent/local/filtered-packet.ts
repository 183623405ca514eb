/**
 * A packet that is taken through a host's packet filter in thought, to see whether it gets through. What of the rules is
 * not understood is given the benefit of the doubt, so that what is reported is so. Pure.
 */
import { type IpAddress, parseIpPrefix, prefixContains } from '../../proto/rules/ip.js';

/** What kind of packet is taken through. */
export interface FilteredPacket {
  /** "VRRP (protocol 112)", "neighbour discovery": for people. */
  readonly what: string;
  readonly family: 4 | 6;
  readonly direction: 'input' | 'output';
  readonly interface: string;
  /** IP protocol number. */
  readonly protocol: number;
  /** ICMPv6. */
  readonly icmpType?: number;
  /** Absent: not known. */
  readonly sources?: readonly IpAddress[];
  readonly destinations?: readonly IpAddress[];
  readonly isMulticast: boolean;
}

export interface Drop {
  /** "nftables inet filter input", "iptables filter INPUT". */
  readonly chain: string;
  /** "its policy is drop", "its rule 3 drops it". */
  readonly why: string;
}

/** Of a match: yes, no, or not understood. */
export type Truth = boolean | undefined;

/** 'unsure': a rule that was not understood may have decided. */
export type Fate = 'accepted' | 'dropped' | 'unsure' | 'through';

export interface Verdict {
  readonly fate: Fate;
  readonly why: string;
}

export const THROUGH: Verdict = { fate: 'through', why: '' };
/** Of jumps into jumps. */
export const DEEPEST = 16;

export const PROTOCOLS: Readonly<Record<string, number>> = {
  icmp: 1,
  igmp: 2,
  tcp: 6,
  udp: 17,
  gre: 47,
  esp: 50,
  ah: 51,
  icmpv6: 58,
  'ipv6-icmp': 58,
  ospf: 89,
  vrrp: 112,
  carp: 112,
  sctp: 132,
};

export const ICMP6_TYPES: Readonly<Record<string, number>> = {
  'destination-unreachable': 1,
  'packet-too-big': 2,
  'time-exceeded': 3,
  'parameter-problem': 4,
  'echo-request': 128,
  'echo-reply': 129,
  'mld-listener-query': 130,
  'mld-listener-report': 131,
  'mld-listener-done': 132,
  'nd-router-solicit': 133,
  'nd-router-advert': 134,
  'nd-neighbor-solicit': 135,
  'nd-neighbor-advert': 136,
  'nd-redirect': 137,
  'neighbour-solicitation': 135,
  'neighbor-solicitation': 135,
  'neighbour-advertisement': 136,
  'neighbor-advertisement': 136,
};

/** An accept that may be meant is enough to be silent; a drop that may be meant is not enough to speak. */
export function certain(truth: Truth, fate: Fate, why: string): Verdict {
  return truth === true ? { fate, why } : { fate: 'unsure', why: '' };
}

export function both(one: Truth, other: Truth): Truth {
  if (one === false || other === false) return false;
  return one === undefined || other === undefined ? undefined : true;
}

export function either(one: Truth, other: Truth): Truth {
  if (one === true || other === true) return true;
  return one === undefined || other === undefined ? undefined : false;
}

/** Whether the prefix has all of the addresses; undefined where it has some, or none are known. */
export function covers(prefix: string, addresses: readonly IpAddress[] | undefined): Truth {
  const wanted = parseIpPrefix(prefix);
  if (wanted === undefined || addresses === undefined || addresses.length === 0) return undefined;
  const inside = addresses.filter((address) => prefixContains(wanted, address));
  return inside.length === addresses.length ? true : inside.length === 0 ? false : undefined;
}

export function isInterface(pattern: string, name: string): boolean {
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : pattern === name;
}

export function protocolOf(value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  const text = String(value);
  return /^\d+$/.test(text) ? Number(text) : PROTOCOLS[text];
}
