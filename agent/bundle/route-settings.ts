/** Routes and rules of a bundle in rtnetlink's numbers, and as ip(8) would write them. */
import type { NextHop, Route, Rule } from '../../proto/gen/baton/v1/resources.js';
import { familyOfRoute, familyOfRule, hasWay } from '../../proto/rules/compile-address.js';
import { type Family, formatIp, networkAddressOf, parseIpPrefix } from '../../proto/rules/ip.js';
import {
  ipProtocolNumber,
  KEEPALIVED_PROTOCOL,
  MAIN_TABLE,
  metricOf,
  preferenceNumber,
  protocolName,
  protocolNumber,
  RULE_GOTO,
  RULE_TO_TABLE,
  routeTypeNumber,
  ruleActionNumber,
  scopeName,
  scopeNumber,
  tableName,
  tableNumber,
} from '../../proto/rules/routing-names.js';
import type { RouteSettings, RuleSettings } from '../runtime/messages.js';

/** Receives what cannot be translated, with the field it is in. */
export type Refuse = (field: string, reason: string) => void;

interface Prefix {
  readonly address: string;
  readonly prefixLength: number;
}

const SCOPE_GLOBAL = 0;
const SCOPE_LINK = 253;
const SCOPE_HOST = 254;

/** @param otherwise Family of a default route in which nothing tells. */
export function routeSettings(route: Route, otherwise: Family, refuse: Refuse): RouteSettings {
  const family = familyOfRoute(route, otherwise);
  const to = prefixOf(route.to);
  if (to === undefined && route.to !== 'default') refuse('to', `"${route.to}" is not a prefix`);
  const type = known(routeTypeNumber(route.type), 1, 'type', `"${route.type}" is not a type of routes`, refuse);
  const table = tableOf(route.table, refuse);
  const protocol = known(
    protocolNumber(route.protocol),
    KEEPALIVED_PROTOCOL,
    'protocol',
    `this agent does not know the protocol "${route.protocol}"; give its number`,
    refuse,
  );
  const scope = scopeOfRoute(route, family, refuse);
  const preference = route.preference === '' ? undefined : preferenceNumber(route.preference);
  if (route.preference !== '' && preference === undefined)
    refuse('preference', `"${route.preference}" is no preference`);
  return {
    text: textOfRoute(route, { family, to, table, protocol, scope }),
    family,
    type,
    ...(to === undefined || to.prefixLength === 0 ? {} : { to }),
    ...(route.via === '' ? {} : { via: route.via }),
    ...(route.device === '' ? {} : { device: route.device }),
    ...(route.source === '' ? {} : { source: route.source }),
    table,
    ...(route.metric === undefined ? {} : { metric: route.metric }),
    ...(scope === undefined ? {} : { scope }),
    protocol,
    tos: route.tos,
    onLink: route.onLink,
    nextHops: route.nextHops.map(nextHopSettings),
    metrics: metricsOf(route, refuse),
    lockedMetrics: route.lockedMetrics.reduce((mask, name) => mask | (1 << metricNumber(name, refuse)), 0),
    ...(route.congestionControl === '' ? {} : { congestionControl: route.congestionControl }),
    ...(preference === undefined ? {} : { preference }),
    append: route.append,
    noTrack: route.noTrack,
  };
}

function nextHopSettings(hop: NextHop): RouteSettings['nextHops'][number] {
  return {
    ...(hop.via === '' ? {} : { via: hop.via }),
    ...(hop.device === '' ? {} : { device: hop.device }),
    weight: hop.weight || 1,
    onLink: hop.onLink,
  };
}

/** ip-route(8): by type, and for unicast by whether there is a next hop. IPv6 has no scopes of routes. */
function scopeOfRoute(route: Route, family: Family, refuse: Refuse): number | undefined {
  if (family === 6) return undefined;
  if (route.scope !== '') return known(scopeNumber(route.scope), 0, 'scope', `"${route.scope}" is no scope`, refuse);
  switch (route.type) {
    case 'local':
    case 'nat':
      return SCOPE_HOST;
    case 'broadcast':
    case 'multicast':
    case 'anycast':
      return SCOPE_LINK;
    default:
      return hasWay(route.type) && route.via === '' && route.nextHops.length === 0 ? SCOPE_LINK : SCOPE_GLOBAL;
  }
}

function metricsOf(route: Route, refuse: Refuse): RouteSettings['metrics'] {
  return Object.entries(route.metrics)
    .map(([name, value]) => ({
      metric: metricNumber(name, refuse),
      value: value * (metricOf(name)?.factor ?? 1),
    }))
    .sort((a, b) => a.metric - b.metric);
}

function metricNumber(name: string, refuse: Refuse): number {
  return known(metricOf(name)?.number, 0, 'metrics', `this agent does not know the metric "${name}"`, refuse);
}

interface RouteWords {
  readonly family: Family;
  readonly to: Prefix | undefined;
  readonly table: number;
  readonly protocol: number;
  readonly scope: number | undefined;
}

function textOfRoute(route: Route, { family, to, table, protocol, scope }: RouteWords): string {
  const isDefault = to === undefined || to.prefixLength === 0;
  const tells = [route.via, route.source, ...route.nextHops.map(({ via }) => via)].some((text) => text !== '');
  const words = [
    ...(route.type === '' || route.type === 'unicast' ? [] : [route.type]),
    isDefault ? (family === 6 && !tells ? '::/0' : 'default') : textOfPrefix(to),
    ...(route.tos === 0 ? [] : ['tos', hexByte(route.tos)]),
    ...wayWords(route.via, route.device),
    ...(route.onLink ? ['onlink'] : []),
    ...(table === MAIN_TABLE ? [] : ['table', tableName(table)]),
    'proto',
    protocolName(protocol),
    ...(scope === undefined || scope === SCOPE_GLOBAL ? [] : ['scope', scopeName(scope)]),
    ...(route.source === '' ? [] : ['src', route.source]),
    ...(route.metric === undefined ? [] : ['metric', String(route.metric)]),
    ...metricWords(route),
    ...(route.congestionControl === '' ? [] : ['congctl', route.congestionControl]),
    ...(route.preference === '' ? [] : ['pref', route.preference]),
    ...route.nextHops.flatMap((hop) => [
      'nexthop',
      ...wayWords(hop.via, hop.device),
      'weight',
      String(hop.weight || 1),
      ...(hop.onLink ? ['onlink'] : []),
    ]),
  ];
  return words.join(' ');
}

function wayWords(via: string, device: string): string[] {
  return [...(via === '' ? [] : ['via', via]), ...(device === '' ? [] : ['dev', device])];
}

function metricWords(route: Route): string[] {
  return Object.keys(route.metrics)
    .sort((a, b) => (metricOf(a)?.number ?? 0) - (metricOf(b)?.number ?? 0))
    .flatMap((name) => [
      name,
      ...(route.lockedMetrics.includes(name) ? ['lock'] : []),
      String(route.metrics[name] ?? 0),
    ]);
}

/** @param otherwise Family of a rule in which nothing tells. */
export function ruleSettings(rule: Rule, otherwise: Family, refuse: Refuse): RuleSettings {
  const family = familyOfRule(rule, otherwise);
  const from = rulePrefix(rule.from, 'from', refuse);
  const to = rulePrefix(rule.to, 'to', refuse);
  const { action, target } = actionOf(rule.action, refuse);
  const table = action === RULE_TO_TABLE && !rule.l3mdev ? tableOf(rule.table, refuse) : undefined;
  const sourcePorts = rangeOf(rule.sourcePorts, 'source_ports', refuse);
  const destinationPorts = rangeOf(rule.destinationPorts, 'destination_ports', refuse);
  const users = rangeOf(rule.users, 'users', refuse);
  const ipProtocol = rule.ipProtocol === '' ? undefined : ipProtocolNumber(rule.ipProtocol);
  if (rule.ipProtocol !== '' && ipProtocol === undefined) {
    refuse('ip_protocol', `this agent does not know the protocol "${rule.ipProtocol}"; give its number`);
  }
  return {
    text: textOfRule(rule, family, from, to, table),
    family,
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    ...(rule.priority === undefined ? {} : { priority: rule.priority }),
    not: rule.not,
    ...(rule.inputInterface === '' ? {} : { inputInterface: rule.inputInterface }),
    ...(rule.outputInterface === '' ? {} : { outputInterface: rule.outputInterface }),
    ...(rule.mark === undefined ? {} : { mark: rule.mark }),
    ...(rule.mask === undefined ? {} : { mask: rule.mask }),
    tos: rule.tos,
    ...(ipProtocol === undefined ? {} : { ipProtocol }),
    ...(sourcePorts === undefined ? {} : { sourcePorts }),
    ...(destinationPorts === undefined ? {} : { destinationPorts }),
    ...(users === undefined ? {} : { users }),
    l3mdev: rule.l3mdev,
    ...(table === undefined ? {} : { table }),
    action,
    ...(target === undefined ? {} : { target }),
    ...(rule.suppressPrefixLength === undefined ? {} : { suppressPrefixLength: rule.suppressPrefixLength }),
    ...(rule.suppressGroup === undefined ? {} : { suppressGroup: rule.suppressGroup }),
    noTrack: rule.noTrack,
  };
}

function actionOf(action: string, refuse: Refuse): { readonly action: number; readonly target?: number } {
  if (action === '') return { action: RULE_TO_TABLE };
  const target = /^goto (\d{1,10})$/.exec(action)?.[1];
  if (target !== undefined) return { action: RULE_GOTO, target: Number(target) };
  return { action: known(ruleActionNumber(action), RULE_TO_TABLE, 'action', `"${action}" is no action`, refuse) };
}

function textOfRule(
  rule: Rule,
  family: Family,
  from: Prefix | undefined,
  to: Prefix | undefined,
  table: number | undefined,
): string {
  const words = [
    ...(rule.priority === undefined ? [] : [`${rule.priority}:`]),
    ...(family === 6 && from === undefined && to === undefined ? ['inet6'] : []),
    ...(rule.not ? ['not'] : []),
    'from',
    from === undefined ? 'all' : textOfPrefix(from),
    ...(to === undefined ? [] : ['to', textOfPrefix(to)]),
    ...(rule.tos === 0 ? [] : ['tos', hexByte(rule.tos)]),
    ...(rule.mark === undefined && rule.mask === undefined ? [] : ['fwmark', markText(rule)]),
    ...(rule.inputInterface === '' ? [] : ['iif', rule.inputInterface]),
    ...(rule.outputInterface === '' ? [] : ['oif', rule.outputInterface]),
    ...(rule.users === '' ? [] : ['uidrange', rule.users.includes('-') ? rule.users : `${rule.users}-${rule.users}`]),
    ...(rule.ipProtocol === '' ? [] : ['ipproto', rule.ipProtocol]),
    ...(rule.sourcePorts === '' ? [] : ['sport', rule.sourcePorts]),
    ...(rule.destinationPorts === '' ? [] : ['dport', rule.destinationPorts]),
    ...(rule.l3mdev ? ['lookup', '[l3mdev-table]'] : []),
    ...(table === undefined ? [] : ['lookup', tableName(table)]),
    ...(rule.suppressPrefixLength === undefined ? [] : ['suppress_prefixlength', String(rule.suppressPrefixLength)]),
    ...(rule.suppressGroup === undefined ? [] : ['suppress_ifgroup', String(rule.suppressGroup)]),
    ...(rule.action === '' ? [] : [rule.action]),
  ];
  return words.join(' ');
}

function markText({ mark, mask }: Rule): string {
  const value = `0x${(mark ?? 0).toString(16)}`;
  return mask === undefined ? value : `${value}/0x${mask.toString(16)}`;
}

function rulePrefix(text: string, field: string, refuse: Refuse): Prefix | undefined {
  if (text === '') return undefined;
  const prefix = prefixOf(text);
  if (prefix === undefined) refuse(field, `"${text}" is not a prefix`);
  return prefix;
}

function rangeOf(
  text: string,
  field: string,
  refuse: Refuse,
): { readonly first: number; readonly last: number } | undefined {
  if (text === '') return undefined;
  const [, first, last = first] = /^(\d{1,10})(?:-(\d{1,10}))?$/.exec(text) ?? [];
  if (first === undefined || last === undefined || Number(first) > Number(last)) {
    refuse(field, `"${text}" is neither a number nor a range such as 80-90`);
    return undefined;
  }
  return { first: Number(first), last: Number(last) };
}

/** Only main, local and default are called the same on every host. */
export function tableOf(text: string, refuse: Refuse): number {
  const reason =
    `this agent does not know the table "${text}": names of /etc/iproute2/rt_tables differ between hosts; ` +
    'give its number, or main, local or default';
  return known(tableNumber(text), MAIN_TABLE, 'table', reason, refuse);
}

function known(value: number | undefined, otherwise: number, field: string, reason: string, refuse: Refuse): number {
  if (value === undefined) refuse(field, reason);
  return value ?? otherwise;
}

function prefixOf(text: string): Prefix | undefined {
  const prefix = parseIpPrefix(text);
  return prefix === undefined
    ? undefined
    : { address: formatIp(networkAddressOf(prefix)), prefixLength: prefix.prefixLength };
}

/** ip(8) leaves the length of a whole address out. */
function textOfPrefix({ address, prefixLength }: Prefix): string {
  return prefixLength === (address.includes(':') ? 128 : 32) ? address : `${address}/${prefixLength}`;
}

function hexByte(value: number): string {
  return `0x${value.toString(16).padStart(2, '0')}`;
}
