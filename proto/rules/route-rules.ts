/** What routes and policy rules may hold, in the words of ip-route(8) and ip-rule(8). */
import type { NextHop, Route, Rule } from '../gen/baton/v1/resources.js';
import { checkAddress, checkPrefix } from './address-rules.js';
import { familyOfRoute, familyOfRule, hasWay } from './compile-address.js';
import { checkInterface, checkWhole, quote, type Report, within } from './field-rules.js';
import { bitsOf, type Family, familyOf } from './ip.js';
import {
  ipProtocolNumber,
  METRIC_NAMES,
  metricOf,
  preferenceNumber,
  protocolNumber,
  ROUTE_TYPE_NAMES,
  RULE_ACTION_NAMES,
  routeTypeNumber,
  ruleActionNumber,
  SCOPE_NAMES,
  scopeNumber,
  tableNumber,
  wholeNumber,
} from './routing-names.js';

const MAX_UINT32 = 0xffffffff;

/** Tables by name are of one host's /etc/iproute2; only three are everywhere. */
export function checkTable(text: string, path: string, report: Report): void {
  if (tableNumber(text) === undefined) {
    report(
      path,
      `${quote(text)} is no table: give its number, 1 to ${MAX_UINT32}, or main, local or default (names of ` +
        "/etc/iproute2/rt_tables are a host's own)",
    );
  }
}

/** @param otherwise Family of a default route in which nothing tells; @param needsDevice No interface stands in. */
export function checkRoutes(routes: readonly Route[], otherwise: Family, needsDevice: boolean, report: Report): void {
  const seen = new Map<string, number>();
  for (const [index, route] of routes.entries()) {
    const at = within(report, `routes[${index}]`);
    checkRoute(route, otherwise, needsDevice, at);
    const identity = JSON.stringify([
      route.to,
      familyOfRoute(route, otherwise),
      tableNumber(route.table) ?? route.table,
      route.metric ?? 0,
      route.tos,
      ...(route.append ? [index] : []),
    ]);
    const twin = seen.get(identity);
    if (twin !== undefined) {
      at(
        'to',
        `${quote(route.to)} is the route of routes[${twin}] again; give another metric, table or tos, or append`,
      );
    }
    seen.set(identity, index);
  }
}

function checkRoute(route: Route, otherwise: Family, needsDevice: boolean, report: Report): void {
  const family = familyOfRoute(route, otherwise);
  if (route.to === '') {
    report('to', 'is missing; give a prefix, or "default"');
  } else if (route.to !== 'default') {
    checkPrefix(route.to, 'to', report);
  }
  if (route.type === 'nat') {
    report('type', 'nat routes are not known to any kernel of today; use nftables');
  } else if (routeTypeNumber(route.type) === undefined) {
    report('type', `${quote(route.type)} is no type of routes: give ${ROUTE_TYPE_NAMES.join(', ')}`);
  }
  checkWay(route, family, needsDevice, report);
  if (route.source !== '') {
    checkAddress(route.source, 'source', report, family);
  }
  checkTable(route.table, 'table', report);
  if (route.metric !== undefined) {
    checkWhole(route.metric, 0, MAX_UINT32, 'metric', report);
  }
  if (route.scope !== '' && scopeNumber(route.scope) === undefined) {
    report('scope', `${quote(route.scope)} is no scope: give ${SCOPE_NAMES.join(', ')} or a number up to 255`);
  }
  if (protocolNumber(route.protocol) === undefined) {
    report('protocol', `${quote(route.protocol)} is no routing protocol of every host; give its number, 0 to 255`);
  }
  if (family === 6 && route.tos !== 0) {
    report('tos', 'exists for IPv4 routes only; remove it');
  } else {
    checkWhole(route.tos, 0, 255, 'tos', report);
  }
  checkMetrics(route, report);
  if (route.preference !== '' && preferenceNumber(route.preference) === undefined) {
    report('preference', `${quote(route.preference)} is no preference: give low, medium or high`);
  } else if (route.preference !== '' && family === 4) {
    report('preference', 'exists for IPv6 routes only; remove it');
  }
}

function checkWay(route: Route, family: Family, needsDevice: boolean, report: Report): void {
  const { via, device, nextHops, onLink } = route;
  if (!hasWay(route.type)) {
    if (via !== '' || device !== '' || nextHops.length > 0 || onLink) {
      report('type', `${route.type} leads nowhere; remove via, device, nextHops and onLink`);
    }
    return;
  }
  if (nextHops.length > 0 && (via !== '' || device !== '' || onLink)) {
    report('nextHops', 'stands instead of via, device and onLink; remove those');
  }
  if (via === '' && device === '' && nextHops.length === 0 && needsDevice) {
    report('device', 'is missing; give the interface, or a next hop with via');
  }
  checkHop({ via, device, onLink }, family, report);
  for (const [index, hop] of nextHops.entries()) {
    const at = within(report, `nextHops[${index}]`);
    if (hop.via === '' && hop.device === '') {
      at('via', 'is missing; give the address of the next hop, or a device');
    }
    checkHop(hop, family, at);
    checkWhole(hop.weight, 0, 256, 'weight', at);
  }
}

/** The kernel leads IPv4 over IPv6 next hops (RFC 5549), not the other way round. */
function checkHop({ via, device, onLink }: Omit<NextHop, 'weight'>, family: Family, report: Report): void {
  if (device !== '') {
    checkInterface(device, 'device', report);
  }
  if (via === '') {
    if (onLink) {
      report('onLink', 'is for a next hop; give via, or remove it');
    }
    return;
  }
  const address = checkAddress(via, 'via', report);
  if (address !== undefined && familyOf(address) === 4 && family === 6) {
    report('via', `${via} is an IPv4 address; an IPv6 route needs a next hop of IPv6`);
  }
  if (onLink && device === '') {
    report('device', 'is missing; a next hop that is taken to be on the link needs its interface');
  }
}

function checkMetrics(route: Route, report: Report): void {
  for (const [name, value] of Object.entries(route.metrics)) {
    const metric = metricOf(name);
    const path = `metrics.${/^[a-z_]{1,30}$/.test(name) ? name : '?'}`;
    if (metric === undefined) {
      report(path, `${quote(name)} is no metric: give ${METRIC_NAMES.join(', ')}`);
    } else {
      checkWhole(value, 0, metric.max, path, report);
    }
  }
  for (const [index, name] of route.lockedMetrics.entries()) {
    if (route.metrics[name] === undefined) {
      report(`lockedMetrics[${index}]`, `${quote(name)} is not among metrics; give it a value there`);
    }
  }
  if (route.congestionControl !== '' && !/^[A-Za-z0-9_-]{1,15}$/.test(route.congestionControl)) {
    report('congestionControl', `${quote(route.congestionControl)} cannot be the name of an algorithm`);
  }
}

/** @param otherwise Family of a rule in which nothing tells. */
export function checkRules(rules: readonly Rule[], otherwise: Family, report: Report): void {
  const seen = new Map<string, number>();
  for (const [index, rule] of rules.entries()) {
    const at = within(report, `rules[${index}]`);
    checkRule(rule, otherwise, at);
    const identity = JSON.stringify({ ...rule, noTrack: false });
    const twin = seen.get(identity);
    if (twin !== undefined) {
      at('', `is rules[${twin}] again; remove one`);
    }
    seen.set(identity, index);
  }
}

function checkRule(rule: Rule, otherwise: Family, report: Report): void {
  if (!['', 'inet', 'inet6'].includes(rule.family)) {
    report('family', `${quote(rule.family)} is no family: give inet or inet6`);
  }
  const family = familyOfRule(rule, otherwise);
  for (const name of ['from', 'to'] as const) {
    if (!['', 'all', 'any', 'default'].includes(rule[name])) {
      checkPrefix(rule[name], name, report, family);
    }
  }
  for (const name of ['inputInterface', 'outputInterface'] as const) {
    if (rule[name] !== '') {
      checkInterface(rule[name], name, report);
    }
  }
  checkMatches(rule, report);
  checkAction(rule, family, report);
}

function checkMatches(rule: Rule, report: Report): void {
  if (rule.priority !== undefined) {
    checkWhole(rule.priority, 1, MAX_UINT32, 'priority', report);
  }
  for (const name of ['mark', 'mask'] as const) {
    if (rule[name] !== undefined) {
      checkWhole(rule[name], 0, MAX_UINT32, name, report);
    }
  }
  if (rule.mask !== undefined && rule.mark === undefined) {
    report('mark', 'is missing; a mask needs the mark that it is applied to');
  }
  checkWhole(rule.tos, 0, 255, 'tos', report);
  if (rule.ipProtocol !== '' && ipProtocolNumber(rule.ipProtocol) === undefined) {
    report('ipProtocol', `${quote(rule.ipProtocol)} is not known; give its number, 1 to 255, or a name such as tcp`);
  }
  checkRange(rule.sourcePorts, 1, 65_535, 'sourcePorts', report);
  checkRange(rule.destinationPorts, 1, 65_535, 'destinationPorts', report);
  checkRange(rule.users, 0, MAX_UINT32 - 1, 'users', report);
}

function checkRange(text: string, min: number, max: number, path: string, report: Report): void {
  if (text === '') {
    return;
  }
  const [first, last = first, ...rest] = text.split('-').map((part) => wholeNumber(part, max));
  if (first === undefined || last === undefined || rest.length > 0 || first < min || last < first) {
    report(path, `${quote(text)} must be a number from ${min} to ${max}, or two of them as "80-90"`);
  }
}

function checkAction(rule: Rule, family: Family, report: Report): void {
  const ways = [rule.table !== '' && 'table', rule.action !== '' && 'action', rule.l3mdev && 'l3mdev'].filter(
    (way) => way !== false,
  );
  if (ways.length !== 1) {
    report(
      'table',
      ways.length === 0
        ? 'is missing; give the table that is looked up, or an action, or l3mdev'
        : `cannot stand beside the others: give one of ${ways.join(' and ')}`,
    );
  }
  checkTable(rule.table, 'table', report);
  if (rule.action !== '') {
    checkActionWord(rule, report);
  }
  const looksUp = rule.action === '';
  if (!looksUp && (rule.suppressPrefixLength !== undefined || rule.suppressGroup !== undefined)) {
    report(
      'action',
      'looks no table up, so there is nothing to suppress; remove suppressPrefixLength and suppressGroup',
    );
  }
  if (rule.suppressPrefixLength !== undefined) {
    checkWhole(rule.suppressPrefixLength, 0, bitsOf(family), 'suppressPrefixLength', report);
  }
  if (rule.suppressGroup !== undefined) {
    checkWhole(rule.suppressGroup, 0, MAX_UINT32 - 1, 'suppressGroup', report);
  }
}

function checkActionWord({ action, priority }: Rule, report: Report): void {
  if (!action.startsWith('goto ')) {
    if (ruleActionNumber(action) === undefined) {
      report('action', `${quote(action)} is no action: give ${RULE_ACTION_NAMES.join(', ')} or "goto PRIORITY"`);
    }
    return;
  }
  const target = wholeNumber(action.slice('goto '.length), MAX_UINT32);
  if (target === undefined) {
    report('action', `${quote(action)} must name the priority of a rule, such as "goto 1000"`);
  } else if (priority === undefined || target <= priority) {
    report('priority', `must be given and be less than ${target}: the kernel goes forward only`);
  }
}

/** What a route has that does nothing. */
export function lintRoute(route: Route, otherwise: Family, warn: Report): void {
  if (route.scope !== '' && familyOfRoute(route, otherwise) === 6) {
    warn('scope', 'has no effect: IPv6 routes have no scope');
  }
}
