/** Reads lists of routes, one a line in ip-route(8)'s words: virtual_routes and static_routes. */
import { NextHop, Route } from '../gen/baton/v1/resources.js';
import { reportNested } from './block.js';
import type { Item } from './config.js';
import { OptionReader, Unreadable } from './option-reader.js';
import { MAX_U32 } from './read-number.js';
import { quoted, type Remarks } from './remarks.js';
import { dsfieldOf, parseUnsigned, scopeOf, type TableNames, tableOf } from './rtnetlink-names.js';
import type { Statement } from './tree.js';

const MAX_ROUTES = 4_096;
const MAX_NEXT_HOPS = 256;
/** RTPROT_KEEPALIVED. */
const KEEPALIVED_PROTOCOL = '18';

const TYPES: ReadonlySet<string> = new Set([
  'unicast',
  'local',
  'broadcast',
  'anycast',
  'multicast',
  'nat',
  'blackhole',
  'unreachable',
  'prohibit',
  'throw',
]);

/** Metrics that are plain numbers, with their greatest value. */
const NUMBERS: ReadonlyMap<string, number> = new Map([
  ['mtu', MAX_U32],
  ['advmss', MAX_U32],
  ['window', MAX_U32],
  ['ssthresh', MAX_U32],
  ['cwnd', MAX_U32],
  ['initcwnd', MAX_U32],
  ['initrwnd', MAX_U32],
  ['reordering', MAX_U32],
  ['hoplimit', 255],
  ['quickack', 1],
  ['fastopen_no_cookie', 1],
]);

/** Metrics that are times: without unit the kernel's own, of which there are so many in a millisecond. */
const TIMES: ReadonlyMap<string, number> = new Map([
  ['rtt', 8],
  ['rttvar', 4],
  ['rto_min', 1],
]);

const LOCKABLE: ReadonlySet<string> = new Set([
  'mtu',
  'advmss',
  'rtt',
  'rttvar',
  'reordering',
  'cwnd',
  'ssthresh',
  'rto_min',
]);

const FEATURES: ReadonlyMap<string, number> = new Map([['ecn', 1]]);

/** What is known while a line is read. */
interface Draft {
  readonly route: Route;
  family: 4 | 6 | undefined;
  hasDestination: boolean;
  trackGroup: string | undefined;
}

/** Adds the routes of one block. `isStatic`: they may belong to a track_group. */
export function readRoutes(
  statement: Statement,
  into: Item<Route>[],
  isStatic: boolean,
  tables: TableNames,
  remarks: Remarks,
): void {
  for (const line of statement.block ?? []) {
    reportNested(line, remarks);
    if (into.length === MAX_ROUTES) {
      remarks.error(line.origin, `more than ${MAX_ROUTES} routes; this one and those below it are left out`);
      return;
    }
    const reader = new OptionReader(line, statement.words[0], remarks);
    try {
      into.push({ ...readRoute(reader, isStatic, tables), origin: line.origin });
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
    }
  }
}

function readRoute(reader: OptionReader, isStatic: boolean, tables: TableNames): Omit<Item<Route>, 'origin'> {
  const draft: Draft = { route: Route.create(), family: undefined, hasDestination: false, trackGroup: undefined };
  const { route } = draft;
  for (let word = reader.next(); word !== undefined; word = reader.next()) {
    if (word === 'nexthop') {
      readNextHops(reader, draft);
      break;
    }
    readOption(reader, word, draft, isStatic, tables);
  }
  if (!draft.hasDestination) reader.error('a route needs a destination');
  if (route.to === '') route.to = draft.family === 6 ? '::/0' : 'default';
  if (route.protocol !== '' && !route.noTrack) {
    reader.warn("protocol is left out, as in keepalived: a route that is watched has keepalived's number, 18");
    route.protocol = '';
  }
  if (draft.trackGroup !== undefined && route.device === '') {
    reader.warn('track_group needs dev; it is left out, as in keepalived');
    draft.trackGroup = undefined;
  }
  return { value: route, trackGroup: draft.trackGroup };
}

function readOption(reader: OptionReader, word: string, draft: Draft, isStatic: boolean, tables: TableNames): void {
  const { route } = draft;
  switch (word) {
    case 'inet':
    case 'inet6':
      reader.warn(
        `keepalived's manual has the word ${word}, and so has Baton; keepalived itself skips the word after it`,
      );
      agree(reader, draft, word === 'inet' ? 4 : 6);
      return;
    case 'src': {
      const { address, family } = reader.address(word);
      agree(reader, draft, family);
      route.source = address;
      return;
    }
    case 'gw':
    case 'via':
      if (word === 'gw') reader.warn('gw is deprecated; write via');
      route.via = readGateway(reader, draft, word);
      return;
    case 'or':
      reader.warn('or is deprecated; write nexthop');
      if (route.nextHops.length > 0) reader.error('or is given twice');
      route.nextHops = [route.via, readGateway(reader, draft, word)].map((via) => NextHop.create({ via }));
      route.via = '';
      return;
    case 'tos':
    case 'dsfield':
      route.tos = readTos(reader, word);
      return;
    case 'table':
      route.table = readTable(reader, word, tables);
      if (route.table === 'main') route.table = '';
      return;
    case 'protocol': {
      const protocol = reader.value(word);
      route.protocol = protocol === KEEPALIVED_PROTOCOL || protocol === 'keepalived' ? '' : protocol;
      return;
    }
    case 'scope': {
      const scope = reader.value(word);
      route.scope = scopeOf(scope) ?? reader.error(`scope ${quoted(scope)} is not known`);
      return;
    }
    case 'metric':
    case 'priority':
    case 'preference':
      route.metric = reader.number(word, 0, MAX_U32);
      return;
    case 'dev':
    case 'oif':
      route.device = reader.interface(word);
      return;
    case 'onlink':
      route.onLink = true;
      return;
    case 'features': {
      const feature = reader.value(word);
      const bit = FEATURES.get(feature);
      if (bit === undefined) reader.warn(`feature ${quoted(feature)} is not known; it is left out, as in keepalived`);
      else route.metrics['features'] = (route.metrics['features'] ?? 0) | bit;
      return;
    }
    case 'congctl':
      if (reader.takes('lock')) route.lockedMetrics.push('congctl');
      route.congestionControl = reader.value(word);
      return;
    case 'pref': {
      const preference = reader.value(word);
      agree(reader, draft, 6);
      if (!['low', 'medium', 'high'].includes(preference)) {
        reader.error(`pref ${quoted(preference)} is not low, medium or high`);
      }
      route.preference = preference;
      return;
    }
    case 'append':
    case 'prepend':
      route.append = word === 'append';
      return;
    case 'no_track':
      route.noTrack = true;
      return;
    case 'track_group':
      if (!isStatic) break;
      draft.trackGroup = reader.value(word);
      return;
  }
  const times = TIMES.get(word);
  const maximum = NUMBERS.get(word);
  if (times !== undefined || maximum !== undefined) {
    if (LOCKABLE.has(word) && reader.takes('lock')) route.lockedMetrics.push(word);
    route.metrics[word] = times === undefined ? reader.number(word, 0, maximum ?? 0) : readMillis(reader, word, times);
    return;
  }
  if (word === 'from' || word === 'realms' || word === 'expires' || word === 'ttl-propagate' || word === 'vrf') {
    reader.skips('route option', word, 1);
    return;
  }
  if (word === 'as') {
    reader.skips('route option', word, reader.peek() === 'to' ? 2 : 1);
    return;
  }
  if (word === 'encap') {
    reader.skips('route option', word, 0);
    reader.error('the words after encap are not read');
  }
  if (reader.skips('route option', word, 0)) return;
  readDestination(reader, word, draft);
}

/** `[to] [TYPE] PREFIX`. */
function readDestination(reader: OptionReader, first: string, draft: Draft): void {
  let word = first === 'to' ? reader.value(first) : first;
  if (TYPES.has(word)) {
    draft.route.type = word === 'unicast' ? '' : word;
    word = reader.value(word);
  }
  if (!/^(?:default6?|any|all|[0-9a-fA-F:.]+(?:\/.*)?)$/u.test(word)) reader.unknown('route option', word);
  const { prefix, family } = reader.prefix('the destination', word);
  if (family !== undefined) agree(reader, draft, family);
  draft.route.to = prefix;
  draft.hasDestination = true;
}

/** keepalived takes a next hop of the route's own family only. */
function readGateway(reader: OptionReader, draft: Draft, option: string): string {
  const named = reader.takes('inet') ? 4 : reader.takes('inet6') ? 6 : undefined;
  if (named !== undefined) agree(reader, draft, named);
  const { address, family } = reader.address(option);
  agree(reader, draft, family);
  return address;
}

function agree(reader: OptionReader, draft: Draft, family: 4 | 6): void {
  if (draft.family !== undefined && draft.family !== family) reader.error('IPv4 and IPv6 are mixed');
  draft.family = family;
}

function readNextHops(reader: OptionReader, draft: Draft): void {
  const { route } = draft;
  if (route.nextHops.length > 0) reader.error('nexthop cannot stand beside or');
  let hop = NextHop.create();
  route.nextHops.push(hop);
  for (let word = reader.next(); word !== undefined; word = reader.next()) {
    if (word === 'nexthop') {
      if (route.nextHops.length === MAX_NEXT_HOPS) reader.error(`more than ${MAX_NEXT_HOPS} next hops`);
      hop = NextHop.create();
      route.nextHops.push(hop);
    } else if (word === 'via') hop.via = readGateway(reader, draft, word);
    else if (word === 'dev') hop.device = reader.interface(word);
    else if (word === 'weight') hop.weight = reader.number(word, 1, 256);
    else if (word === 'onlink') hop.onLink = true;
    else if (word === 'realms') reader.skips('next hop option', word, 1);
    else if (reader.skips('next hop option', word, 0)) reader.error(`the words after ${word} are not read`);
    else reader.unknown('next hop option', word);
  }
}

/** Also of rules. */
export function readTos(reader: OptionReader, option: string): number {
  const word = reader.value(option);
  return dsfieldOf(word) ?? reader.error(`${option} ${quoted(word)} is not known`);
}

/** Also of rules. */
export function readTable(reader: OptionReader, option: string, tables: TableNames): string {
  const word = reader.value(option);
  const table = tableOf(word, tables);
  if (table !== undefined) return table;
  const isNumber = parseUnsigned(word, MAX_U32) !== undefined;
  return reader.error(
    isNumber
      ? `${option} ${word} is no table`
      : `${option} ${quoted(word)} is a name that is not known here; write the table's number (/etc/iproute2/rt_tables)`,
  );
}

/** Milliseconds of "3s", "200ms", or of the kernel's own unit. */
function readMillis(reader: OptionReader, option: string, perMilli: number): number {
  const word = reader.value(option);
  const [, number, unit = ''] = /^(\d{1,7}(?:\.\d{1,6})?)(s|secs?|ms|msecs?)?$/iu.exec(word) ?? [];
  if (number === undefined) reader.error(`${option} ${quoted(word)} is not a time such as 200ms or 3s`);
  const exact =
    unit === ''
      ? Number(number) / perMilli
      : unit.toLowerCase().startsWith('m')
        ? Number(number)
        : Number(number) * 1_000;
  const millis = Math.max(1, Math.round(exact));
  if (millis !== exact) reader.warn(`${option} ${word} is taken as ${millis}ms`);
  return millis;
}
