/**
 * The numbers behind the words of ip-route(8), ip-rule(8) and ip-address(8), from linux/rtnetlink.h and
 * linux/fib_rules.h. Names that a host may give in its own /etc/iproute2 are not known here: such a table or protocol
 * is written as a number, which is the same on every host.
 */

const TABLES: ReadonlyMap<string, number> = new Map([
  ['default', 253],
  ['main', 254],
  ['local', 255],
]);
export const MAIN_TABLE = 254;

const SCOPES: ReadonlyMap<string, number> = new Map([
  ['global', 0],
  ['site', 200],
  ['link', 253],
  ['host', 254],
  ['nowhere', 255],
]);

const ROUTE_TYPES: ReadonlyMap<string, number> = new Map([
  ['unicast', 1],
  ['local', 2],
  ['broadcast', 3],
  ['anycast', 4],
  ['multicast', 5],
  ['blackhole', 6],
  ['unreachable', 7],
  ['prohibit', 8],
  ['throw', 9],
  ['nat', 10],
]);

const PROTOCOLS: ReadonlyMap<string, number> = new Map([
  ['redirect', 1],
  ['kernel', 2],
  ['boot', 3],
  ['static', 4],
  ['gated', 8],
  ['ra', 9],
  ['mrt', 10],
  ['zebra', 11],
  ['bird', 12],
  ['dnrouted', 13],
  ['xorp', 14],
  ['ntk', 15],
  ['dhcp', 16],
  ['mrouted', 17],
  ['keepalived', 18],
  ['babel', 42],
  ['ovn', 84],
  ['openr', 99],
  ['bgp', 186],
  ['isis', 187],
  ['ospf', 188],
  ['rip', 189],
  ['eigrp', 192],
]);
export const KEEPALIVED_PROTOCOL = 18;

/** RTAX_*, with the factor from what ip(8) takes to what the kernel does (round-trip times are in eighths and quarters). */
const METRICS: ReadonlyMap<string, { readonly number: number; readonly factor: number; readonly max: number }> =
  new Map([
    ['mtu', { number: 2, factor: 1, max: 0xffffffff }],
    ['window', { number: 3, factor: 1, max: 0xffffffff }],
    ['rtt', { number: 4, factor: 8, max: 0x1fffffff }],
    ['rttvar', { number: 5, factor: 4, max: 0x3fffffff }],
    ['ssthresh', { number: 6, factor: 1, max: 0xffffffff }],
    ['cwnd', { number: 7, factor: 1, max: 0xffffffff }],
    ['advmss', { number: 8, factor: 1, max: 0xffffffff }],
    ['reordering', { number: 9, factor: 1, max: 0xffffffff }],
    ['hoplimit', { number: 10, factor: 1, max: 255 }],
    ['initcwnd', { number: 11, factor: 1, max: 0xffffffff }],
    ['features', { number: 12, factor: 1, max: 0xffffffff }],
    ['rto_min', { number: 13, factor: 1, max: 0xffffffff }],
    ['initrwnd', { number: 14, factor: 1, max: 0xffffffff }],
    ['quickack', { number: 15, factor: 1, max: 1 }],
    ['fastopen_no_cookie', { number: 17, factor: 1, max: 1 }],
  ]);

/** ICMPV6_ROUTER_PREF_* (RFC 4191 section 2.1). */
const PREFERENCES: ReadonlyMap<string, number> = new Map([
  ['medium', 0],
  ['high', 1],
  ['low', 3],
]);

/** FR_ACT_* of the rules that look no table up. */
const RULE_ACTIONS: ReadonlyMap<string, number> = new Map([
  ['nop', 3],
  ['blackhole', 6],
  ['unreachable', 7],
  ['prohibit', 8],
]);
export const RULE_TO_TABLE = 1;
export const RULE_GOTO = 2;

/** IANA's protocol numbers that have ports, or that people match on. */
const IP_PROTOCOLS: ReadonlyMap<string, number> = new Map([
  ['icmp', 1],
  ['igmp', 2],
  ['ipip', 4],
  ['tcp', 6],
  ['udp', 17],
  ['dccp', 33],
  ['ipv6', 41],
  ['gre', 47],
  ['esp', 50],
  ['ah', 51],
  ['icmpv6', 58],
  ['ipv6-icmp', 58],
  ['ospf', 89],
  ['pim', 103],
  ['vrrp', 112],
  ['sctp', 132],
  ['udplite', 136],
]);

/** A decimal number without sign or leading zeros, up to `max`. */
export function wholeNumber(text: string, max: number): number | undefined {
  if (!/^(0|[1-9]\d{0,9})$/.test(text)) {
    return undefined;
  }
  const value = Number(text);
  return value > max ? undefined : value;
}

/** Number of a table, 1..2^32-1; empty is main. Undefined for a name that is not of every host. */
export function tableNumber(text: string): number | undefined {
  const number = text === '' ? MAIN_TABLE : (TABLES.get(text) ?? wholeNumber(text, 0xffffffff));
  return number === 0 ? undefined : number;
}

/** "main", "local", "default" or the number, as ip(8) writes it. */
export function tableName(number: number): string {
  return nameIn(TABLES, number) ?? String(number);
}

/** Undefined for what is no scope. */
export function scopeNumber(text: string): number | undefined {
  return SCOPES.get(text) ?? wholeNumber(text, 255);
}

export function scopeName(number: number): string {
  return nameIn(SCOPES, number) ?? String(number);
}

/** Empty is unicast. */
export function routeTypeNumber(text: string): number | undefined {
  return text === '' ? 1 : ROUTE_TYPES.get(text);
}

/** Empty is keepalived's own, so that either program knows its routes. */
export function protocolNumber(text: string): number | undefined {
  return text === '' ? KEEPALIVED_PROTOCOL : (PROTOCOLS.get(text) ?? wholeNumber(text, 255));
}

export function protocolName(number: number): string {
  return nameIn(PROTOCOLS, number) ?? String(number);
}

export function metricOf(
  name: string,
): { readonly number: number; readonly factor: number; readonly max: number } | undefined {
  return METRICS.get(name);
}

export function preferenceNumber(text: string): number | undefined {
  return PREFERENCES.get(text);
}

export function ruleActionNumber(text: string): number | undefined {
  return RULE_ACTIONS.get(text);
}

/** 1..255. */
export function ipProtocolNumber(text: string): number | undefined {
  const number = IP_PROTOCOLS.get(text) ?? wholeNumber(text, 255);
  return number === 0 ? undefined : number;
}

export const ROUTE_TYPE_NAMES: readonly string[] = [...ROUTE_TYPES.keys()];
export const SCOPE_NAMES: readonly string[] = [...SCOPES.keys()];
export const METRIC_NAMES: readonly string[] = [...METRICS.keys()];
export const RULE_ACTION_NAMES: readonly string[] = [...RULE_ACTIONS.keys()];

function nameIn(names: ReadonlyMap<string, number>, wanted: number): string | undefined {
  for (const [name, number] of names) {
    if (number === wanted) {
      return name;
    }
  }
  return undefined;
}
