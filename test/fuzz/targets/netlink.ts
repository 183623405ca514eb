/** Datagrams of the kernel: messages, attributes, errors, addresses, interfaces, routes, rules, processes. */
import {
  attributesOf,
  messagesOf,
  type NetlinkMessage,
  NetlinkWriter,
  readError,
} from '../../../agent/wire/netlink-message.js';
import { readProcessEvent } from '../../../agent/wire/process-event.js';
import { detectionOf, readAddress, writeAddressRequest } from '../../../agent/wire/rtnetlink-address.js';
import { readIpv4Conf, readLink, writeLinkChange } from '../../../agent/wire/rtnetlink-link.js';
import { readRoute, routeSelector, writeRouteRequest } from '../../../agent/wire/rtnetlink-route.js';
import { isRequestedRoute, routeDestination, routeKey } from '../../../agent/wire/rtnetlink-route-key.js';
import { isRequestedRule, readRule, writeRuleRequest } from '../../../agent/wire/rtnetlink-rule.js';
import { type IpPrefix, networkAddressOf } from '../../../proto/rules/ip.js';
import type { Random } from '../../sim/random.js';
import { joined } from '../mutator.js';
import { addressIn, attributesIn, errorIn, messagesIn, processEventIn } from '../reference/netlink.js';
import { must, mustEqual, PACKET_BUDGET, type Repair, type Target } from '../target.js';
import { netlinkSeeds } from './netlink-seeds.js';

const FILES = [
  'agent/wire/netlink-message.ts',
  'agent/wire/rtnetlink-family.ts',
  'agent/wire/rtnetlink-address.ts',
  'agent/wire/rtnetlink-link.ts',
  'agent/wire/rtnetlink-route.ts',
  'agent/wire/rtnetlink-route-key.ts',
  'agent/wire/rtnetlink-rule.ts',
  'agent/wire/process-event.ts',
];

/** What takes a datagram apart, or one with a bug put in. */
export interface NetlinkReaders {
  readonly messagesOf: (datagram: Uint8Array) => Iterable<NetlinkMessage>;
  readonly attributesOf: typeof attributesOf;
}

export function netlinkTarget(readers: NetlinkReaders = { messagesOf, attributesOf }): Target {
  return {
    name: 'netlink',
    what: 'netlink datagrams: interfaces, addresses, routes, rules, errors, processes',
    files: FILES,
    group: 'decoders',
    seeds: netlinkSeeds(),
    dictionary: [
      Buffer.from('080001000a09001a', 'hex'),
      Buffer.from('1400020020010db8000000000000000000000026', 'hex'),
    ],
    repairs: [types, lengths],
    maxLength: 1_024,
    isText: false,
    budget: PACKET_BUDGET,
    read: (datagram) => {
      for (const message of readers.messagesOf(datagram)) {
        readError(message);
        readAddress(message);
        readLink(message);
        readIpv4Conf(message);
        readRoute(message);
        readRule(message);
        readProcessEvent(message);
      }
    },
    run: (datagram) => {
      const messages = [...readers.messagesOf(datagram)];
      mustEqual(messages, messagesIn(datagram), 'messages as netlink(7) has them');
      const verdicts = messages.slice(0, 3).map((message) => {
        const start = message.payload.length >= 8 ? 8 : 0;
        mustEqual(
          readers.attributesOf(message.payload, start),
          attributesIn(message.payload.subarray(start)),
          'attributes as netlink(7) has them',
        );
        mustEqual(readError(message), errorIn(message), 'errors as netlink(7) has them');
        mustEqual(readProcessEvent(message), processEventIn(message), 'events as linux/cn_proc.h has them');
        return (
          judgeAddress(message) ?? judgeLink(message) ?? judgeRoute(message) ?? judgeRule(message) ?? other(message)
        );
      });
      return verdicts[0] ?? 'nothing';
    },
  };
}

function other(message: NetlinkMessage): string {
  return readError(message) !== undefined ? 'error' : (readProcessEvent(message)?.kind ?? 'other');
}

/** What a writer wrote, as the only message of its datagram. */
function written(write: (writer: NetlinkWriter) => void): NetlinkMessage {
  const writer = new NetlinkWriter();
  write(writer);
  const [message, second] = messagesOf(writer.datagram());
  if (message === undefined || second !== undefined) throw new Error('a request is not exactly one message');
  return message;
}

function judgeAddress(message: NetlinkMessage): string | undefined {
  const address = readAddress(message);
  mustEqual(address, addressIn(message), 'addresses as rtnetlink(7) has them');
  if (address === undefined) return undefined;
  const { validLifetime, preferredLifetime, flags, protocol, ...rest } = address;
  const request = {
    ...rest,
    lifetime: validLifetime,
    preferredLifetime,
    noDad: (flags & 0x02) !== 0,
    noPrefixRoute: (flags & 0x200) !== 0,
    optimistic: (flags & 0x04) !== 0,
    home: (flags & 0x10) !== 0,
    manageTemporary: (flags & 0x100) !== 0,
    autojoin: (flags & 0x400) !== 0,
  };
  const again = readAddress(written((writer) => writeAddressRequest(writer, 'add', request, 1, true)));
  const seconds = (lifetime: number | 'forever') => (lifetime === 'forever' ? 0xffffffff : lifetime);
  const preferred = Math.min(seconds(validLifetime), seconds(preferredLifetime));
  mustEqual(
    again,
    {
      ...address,
      flags: flags & 0x716,
      protocol: 18,
      preferredLifetime: preferred === 0xffffffff ? 'forever' : preferred,
    },
    'decode(encode(address))',
  );
  const removed = readAddress(written((writer) => writeAddressRequest(writer, 'delete', address, 1, false)));
  mustEqual([removed?.address, removed?.peer], [address.address, address.peer], 'decode(encode(address to remove))');
  return `address ${detectionOf(address)}${protocol === undefined ? '' : ' of somebody'}`;
}

function judgeLink(message: NetlinkMessage): string | undefined {
  const link = readLink(message);
  const conf = readIpv4Conf(message);
  if (conf !== undefined) {
    must(Object.values(conf).every(Number.isInteger), 'settings are numbers', () => JSON.stringify(conf));
  }
  if (link === undefined) return conf === undefined ? undefined : 'settings';
  const { name, hardwareAddress, alias, mtu } = link;
  const change = {
    mtu,
    ...(hardwareAddress === undefined ? {} : { hardwareAddress }),
    ...(alias === undefined ? {} : { alias }),
  };
  const again = readLink(written((writer) => writeLinkChange(writer, name, change, 1)));
  mustEqual(
    [again?.name, again?.hardwareAddress, again?.alias, again?.mtu],
    [name, hardwareAddress, alias, mtu],
    'decode(encode(link))',
  );
  const isUp = (link.flags & 0x41) === 0x41;
  mustEqual(link.isUp, isUp, 'up and running');
  return `link${isUp ? ' up' : ''}${link.parentIndex === undefined ? '' : ' on another'}${conf === undefined ? '' : ' with settings'}`;
}

const network = (prefix: IpPrefix | undefined) =>
  prefix === undefined ? undefined : { ...prefix, address: networkAddressOf(prefix) };

function judgeRoute(message: NetlinkMessage): string | undefined {
  const route = readRoute(message);
  const everything = routeSelector({
    ...(message.flags === 0 ? {} : { protocol: message.payload[5] ?? 0 }),
    table: 300,
  });
  everything(message);
  if (route === undefined) return undefined;
  const { isDead, ...rest } = route;
  const request = { ...rest, append: false };
  const again = readRoute(written((writer) => writeRouteRequest(writer, 'add', request, 1, true)));
  const canonical = { ...rest, destination: network(route.destination) };
  mustEqual(again === undefined ? undefined : { ...again, isDead: undefined }, canonical, 'decode(encode(route))');
  if (again !== undefined) {
    must(isRequestedRoute(request, again), 'a route is the one that was asked for', () => routeKey(again));
    const wanted = { family: route.family, protocol: route.protocol, table: route.table };
    const encoded = written((writer) => writeRouteRequest(writer, 'replace', request, 1, false));
    const selects = (destinations: readonly IpPrefix[]) => routeSelector({ ...wanted, destinations })(encoded);
    must(selects([routeDestination(route)]), 'a route is selected by what it has', () => routeKey(again));
    must(!selects([]), 'a route is not selected by destinations it has not', () => routeKey(again));
    must(!routeSelector({ protocol: route.protocol ^ 1 })(encoded), 'nor by another protocol', () => routeKey(again));
    must(!routeSelector({ table: route.table ^ 1 })(encoded), 'nor by another table', () => routeKey(again));
  }
  return `route ${route.family}${isDead ? ' dead' : ''}${route.nextHops.length > 0 ? ' by several' : ''}`;
}

function judgeRule(message: NetlinkMessage): string | undefined {
  const rule = readRule(message);
  if (rule === undefined) return undefined;
  const again = readRule(written((writer) => writeRuleRequest(writer, 'add', rule, 1, true)));
  mustEqual(again, { ...rule, from: network(rule.from), to: network(rule.to) }, 'decode(encode(rule))');
  if (again !== undefined) {
    must(isRequestedRule(rule, again), 'a rule is the one that was asked for', () => JSON.stringify(rule));
    must(!isRequestedRule({ ...rule, not: !rule.not }, again), 'and not another', () => JSON.stringify(rule));
  }
  return `rule ${rule.family}`;
}

/** Fixed parts by type of message: interfaces, addresses, routes, rules, errors. */
const FIXED = new Map([
  [2, 4],
  [16, 16],
  [20, 8],
  [24, 12],
  [32, 12],
]);

const types: Repair = (datagram, random) => {
  if (datagram.length < 20 || !random.chance(0.5)) return datagram;
  if (random.chance(0.3)) datagram.set([random.pick([2, 3, 16, 17, 20, 21, 24, 25, 32, 33]), 0], 4);
  const type = datagram[4] ?? 0;
  if (type >= 20 && type < 40) datagram[16] = random.pick([2, 10, 10, 2, 0]);
  else if (type === 16 || type === 17) datagram[16] = 0;
  return datagram;
};

/** The first message takes all there is, and its attributes fit, two levels deep. */
const lengths: Repair = (datagram, random) => {
  if (datagram.length < 20) return datagram;
  const whole = joined(datagram, new Uint8Array((4 - (datagram.length % 4)) % 4));
  const view = new DataView(whole.buffer);
  // Else another message may follow.
  const length = random.chance(0.6) ? whole.length : random.between(16, whole.length);
  if (random.chance(0.8)) view.setUint32(0, length, true);
  fitAttributes(
    view,
    16 + (FIXED.get(whole[4] ?? 0) ?? FIXED.get((whole[4] ?? 0) & 0xfe) ?? 4),
    whole.length,
    random,
    0,
  );
  return whole;
};

function fitAttributes(view: DataView, start: number, end: number, random: Random, depth: number): void {
  let at = start;
  while (at + 4 <= end) {
    const length = view.getUint16(at, true);
    const fits = length >= 4 && at + length <= end;
    const mended = fits ? length : Math.min(end - at, random.pick([4, 5, 8, 8, 12, 20, end - at]));
    view.setUint16(at, mended, true);
    if (depth < 2 && mended > 8 && random.chance(0.4)) fitAttributes(view, at + 4, at + mended, random, depth + 1);
    at += (mended + 3) & ~3;
  }
}
