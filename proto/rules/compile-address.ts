/** Addresses, routes and rules of resources as a bundle has them: devices, lengths and families filled in. */
import type { Address, Route, Rule } from '../gen/baton/v1/resources.js';
import {
  type Family,
  familyOf,
  formatIp,
  formatIpPrefix,
  type IpPrefix,
  networkAddressOf,
  parseIp,
  parseIpPrefix,
} from './ip.js';
import { broadcastOf, formatIpv4, networkOf } from './ipv4.js';
import { tableName, tableNumber } from './routing-names.js';

/** @param device Interface where the address names none. Options that its family does not have are dropped. */
export function compileAddress(given: Address, device: string): Address {
  const prefix = parseIpPrefix(given.address);
  if (prefix === undefined) {
    throw new RangeError(`cannot compile the address ${JSON.stringify(given.address)}: validate resources first`);
  }
  const peer = given.peer === '' ? undefined : parseIpPrefix(given.peer);
  const isIpv6 = familyOf(prefix.address) === 6;
  return {
    address: formatIpPrefix(prefix),
    device: given.device === '' ? device : given.device,
    label: isIpv6 ? '' : given.label,
    broadcast: isIpv6 ? '' : compileBroadcast(given.broadcast, prefix),
    scope: isIpv6 ? '' : given.scope,
    peer: peer === undefined ? '' : formatIpPrefix(peer),
    noPrefixRoute: given.noPrefixRoute,
    preferredLifetime: isIpv6 ? given.preferredLifetime : undefined,
    home: isIpv6 && given.home,
    noDad: isIpv6 && given.noDad,
    manageTemporary: isIpv6 && given.manageTemporary,
    autojoin: given.autojoin,
    noTrack: given.noTrack,
    virtualMac: given.virtualMac,
  };
}

/** ip-address(8): "+" sets the host bits, "-" clears them; a prefix of 31 or 32 bits has no host bits to speak of. */
function compileBroadcast(given: string, { address, prefixLength }: IpPrefix): string {
  if ((given !== '+' && given !== '-') || typeof address === 'bigint') {
    return given;
  }
  if (prefixLength > 30) {
    return '';
  }
  const cidr = { address, prefixLength };
  return formatIpv4(given === '+' ? broadcastOf(cidr) : networkOf(cidr));
}

/**
 * A route with its prefix in full ("0.0.0.0/0" for default), its table by its usual name and, if it has no next hop,
 * its device.
 * @param device Interface of a route without next hop and device; empty: none.
 * @param family What "default" is of when nothing in the route tells.
 */
export function compileRoute(given: Route, device: string, family: Family): Route {
  const needsDevice = given.via === '' && given.nextHops.length === 0 && hasWay(given.type);
  return {
    ...given,
    to: routePrefixText(given, family),
    type: given.type === '' ? 'unicast' : given.type,
    via: canonicalIp(given.via),
    device: given.device === '' && needsDevice ? device : given.device,
    source: canonicalIp(given.source),
    table: given.table === '' && isLocalType(given.type) ? 'local' : tableText(given.table),
    nextHops: given.nextHops.map((hop) => ({ ...hop, via: canonicalIp(hop.via), weight: hop.weight || 1 })),
    lockedMetrics: [...new Set(given.lockedMetrics)].sort(),
  };
}

/** Types that ip-route(8) puts in the table "local" if none is named. */
function isLocalType(type: string): boolean {
  return ['local', 'broadcast', 'anycast', 'nat'].includes(type);
}

/** Whether routes of this type lead somewhere. */
export function hasWay(type: string): boolean {
  return !['blackhole', 'unreachable', 'prohibit', 'throw'].includes(type);
}

/** The family that a route is of: its prefix', else its preferred source's or next hop's, else the given one. */
export function familyOfRoute(route: Route, otherwise: Family): Family {
  for (const text of [route.to, route.source, route.via, ...route.nextHops.map(({ via }) => via)]) {
    const address = parseIpPrefix(text)?.address;
    if (address !== undefined) {
      return familyOf(address);
    }
  }
  return otherwise;
}

function routePrefixText(route: Route, otherwise: Family): string {
  if (route.to === 'default') {
    return familyOfRoute(route, otherwise) === 6 ? '::/0' : '0.0.0.0/0';
  }
  return prefixText(route.to);
}

/** The prefix with its host bits cleared, or unchanged what is none. */
export function prefixText(text: string): string {
  const prefix = parseIpPrefix(text);
  return prefix === undefined
    ? text
    : formatIpPrefix({ address: networkAddressOf(prefix), prefixLength: prefix.prefixLength });
}

/** "main" and its like by name, others by number; unchanged what is no table. */
export function tableText(text: string): string {
  const number = tableNumber(text);
  return number === undefined ? text : tableName(number);
}

/** The address as RFC 5952 writes it, or unchanged what is none. */
export function canonicalIp(text: string): string {
  const address = parseIp(text);
  return address === undefined ? text : formatIp(address);
}

/** A rule with its family and the table that it looks up. */
export function compileRule(given: Rule, family: Family): Rule {
  return {
    ...given,
    from: anyPrefix(given.from),
    to: anyPrefix(given.to),
    family: familyOfRule(given, family) === 6 ? 'inet6' : 'inet',
    table: given.action === '' && !given.l3mdev ? tableText(given.table) : '',
  };
}

/** "all" and a prefix of length 0 match everything, as does nothing at all. */
function anyPrefix(text: string): string {
  if (text === '' || text === 'all' || text === 'any' || text === 'default') {
    return '';
  }
  const prefix = parseIpPrefix(text);
  return prefix?.prefixLength === 0 ? '' : prefixText(text);
}

/** What the rule says, else its prefixes, else the given one. */
export function familyOfRule(rule: Rule, otherwise: Family): Family {
  if (rule.family !== '') {
    return rule.family === 'inet6' ? 6 : 4;
  }
  for (const text of [rule.from, rule.to]) {
    const address = parseIpPrefix(text)?.address;
    if (address !== undefined) {
      return familyOf(address);
    }
  }
  return otherwise;
}
