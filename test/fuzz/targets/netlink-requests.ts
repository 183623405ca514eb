/**
 * Requests to the kernel, whose choices come from the input: each must be one well-formed message that says what was asked
 * for, as an independent reading of it finds.
 */
import { NetlinkWriter } from '../../../agent/wire/netlink-message.js';
import {
  ACCEPT,
  compareByte,
  DROP,
  type Expression,
  HOOK_INPUT,
  KEY_IPV4,
  keyPair,
  loadMeta,
  loadPayload,
  lookUp,
  META_FAMILY,
  NftablesBatch,
} from '../../../agent/wire/nftables-message.js';
import { writeProcessListening } from '../../../agent/wire/process-event.js';
import { readAddress, writeAddressDump, writeAddressRequest } from '../../../agent/wire/rtnetlink-address.js';
import {
  type Ipv4Conf,
  readLink,
  writeLinkChange,
  writeLinkDump,
  writeLinkQuestion,
  writeLinkRemoval,
  writeMacvlan,
} from '../../../agent/wire/rtnetlink-link.js';
import {
  type NextHop,
  type RouteRequest,
  readRoute,
  routeSelector,
  writeRouteDump,
  writeRouteRequest,
} from '../../../agent/wire/rtnetlink-route.js';
import { isRequestedRoute, routeDestination } from '../../../agent/wire/rtnetlink-route-key.js';
import {
  isRequestedRule,
  type RuleRequest,
  readRule,
  writeRuleDump,
  writeRuleRequest,
} from '../../../agent/wire/rtnetlink-rule.js';
import type { IpPrefix } from '../../../proto/rules/ip.js';
import { ByteSource, present } from '../byte-source.js';
import { attributeList, attributesIn, little, messagesIn, type ReferenceMessage } from '../reference/netlink.js';
import { must, mustEqual, type Target, TEXT_BUDGET } from '../target.js';

const SEQUENCE = 7;

export function netlinkRequestsTarget(): Target {
  return {
    name: 'netlink-requests',
    what: 'requests to the kernel: what is encoded is decoded, and well-formed',
    files: [
      'agent/wire/nftables-message.ts',
      'agent/wire/netlink-message.ts',
      'agent/wire/rtnetlink-family.ts',
      'agent/wire/rtnetlink-address.ts',
      'agent/wire/rtnetlink-link.ts',
      'agent/wire/rtnetlink-route.ts',
      'agent/wire/rtnetlink-route-key.ts',
      'agent/wire/rtnetlink-rule.ts',
      'agent/wire/process-event.ts',
    ],
    group: 'decoders',
    seeds: Array.from({ length: 10 * 4 }, (_, i) =>
      Uint8Array.from({ length: 160 }, (_, at) => (at === 0 ? i : (at * 37 + i * 11) % 251)),
    ),
    dictionary: [],
    repairs: [],
    maxLength: 512,
    isText: false,
    // Of what is judged here, not of a reader.
    budget: { ...TEXT_BUDGET, memory: 1_048_576, steps: 100_000 },
    read: (input) => judge(new ByteSource(input)),
    run: (input) => judge(new ByteSource(input)),
  };
}

function judge(source: ByteSource): string {
  switch (source.byte() % 10) {
    case 0:
      return judgeAddress(source);
    case 1:
      return judgeLinkChange(source);
    case 2:
      return judgeMacvlan(source);
    case 3:
      return judgeQuestions(source);
    case 4:
    case 5:
      return judgeRoute(source);
    case 6:
      return judgeRule(source);
    case 7:
      return judgeListening(source);
    default:
      return judgeBatch(source);
  }
}

/** The messages that were written, each of which must be well-formed from its fixed part on. */
function messagesOf(write: (writer: NetlinkWriter) => void): readonly ReferenceMessage[] {
  const writer = new NetlinkWriter();
  write(writer);
  const datagram = writer.datagram().slice();
  mustEqual(writer.length, datagram.length, 'the length of a datagram');
  writer.clear();
  mustEqual(writer.length, 0, 'nothing is left');
  const messages = messagesIn(datagram);
  const covered = messages.reduce((sum, { payload }) => sum + 16 + Math.ceil(payload.length / 4) * 4, 0);
  mustEqual(covered, datagram.length, 'messages fill their datagram');
  return messages;
}

function oneOf(messages: readonly ReferenceMessage[], fixed: number): ReferenceMessage {
  const [message] = messages;
  if (message === undefined) throw new Error('nothing was written');
  mustEqual(messages.length, 1, 'one request is one message');
  mustEqual(message.sequence, SEQUENCE, 'its sequence number');
  mustFill(message.payload.subarray(fixed));
  return message;
}

/** Attributes fill what they are in, to the last byte of padding. */
function mustFill(bytes: Uint8Array): void {
  const covered = attributeList(bytes).reduce((sum, { value }) => sum + 4 + Math.ceil(value.length / 4) * 4, 0);
  must(covered === Math.ceil(bytes.length / 4) * 4, 'attributes are well-formed', () =>
    Buffer.from(bytes).toString('hex'),
  );
}

const NLM_F_ACK = 4;

function prefixFrom(source: ByteSource, family: 4 | 6): IpPrefix {
  return { address: source.address(family), prefixLength: source.byte() % (family === 4 ? 33 : 129) };
}

function judgeAddress(source: ByteSource): string {
  const family = source.pick([4, 6]);
  const lifetime = () => (source.flag() ? ('forever' as const) : source.long() % 0xffffffff);
  const request = present({
    interfaceIndex: source.long(),
    address: source.address(family),
    prefixLength: source.byte() % (family === 4 ? 33 : 129),
    peer: source.maybe(() => source.address(family)),
    lifetime: lifetime(),
    preferredLifetime: source.maybe(lifetime),
    label: source.maybe(() => source.text(15)),
    broadcast: family === 4 ? source.maybe(() => source.address(4)) : undefined,
    scope: source.maybe(() => source.byte()),
    noPrefixRoute: source.flag(),
    noDad: source.flag(),
    optimistic: source.flag(),
    home: source.flag(),
    manageTemporary: source.flag(),
    autojoin: source.flag(),
  } as Parameters<typeof writeAddressRequest>[2]);
  const verb = source.pick(['add', 'renew', 'delete']);
  const acknowledge = source.flag();
  const message = oneOf(
    messagesOf((writer) => writeAddressRequest(writer, verb, request, SEQUENCE, acknowledge)),
    8,
  );
  mustEqual((message.flags & NLM_F_ACK) !== 0, acknowledge, 'acknowledged if asked for');
  const read = readAddress(message);
  const peer = request.peer === request.address ? undefined : request.peer;
  mustEqual(
    [read?.interfaceIndex, read?.address, read?.prefixLength, read?.peer],
    [request.interfaceIndex, request.address, request.prefixLength, peer],
    'decode(encode(address))',
  );
  return `${verb} address`;
}

function judgeLinkChange(source: ByteSource): string {
  const key = source.pick<number | string>([source.long() & 0x7fffffff, source.text(15)]);
  const names = ['forwarding', 'acceptRedirects', 'sendRedirects', 'rpFilter', 'arpFilter', 'arpAnnounce', 'arpIgnore'];
  const change = present({
    up: source.maybe(() => source.flag()),
    hardwareAddress: source.maybe(() => source.bytes(6)),
    alias: source.maybe(() => source.text(255)),
    mtu: source.maybe(() => source.long()),
    ipv4Conf: source.maybe(
      () => Object.fromEntries(names.filter(() => source.flag()).map((name) => [name, source.long()])) as Ipv4Conf,
    ),
    noLinkLocal: source.flag(),
  } as Parameters<typeof writeLinkChange>[2]);
  const message = oneOf(
    messagesOf((writer) => writeLinkChange(writer, key, change, SEQUENCE)),
    16,
  );
  const attributes = attributesIn(message.payload.subarray(16));
  const read = readLink(message);
  mustEqual(read?.name, typeof key === 'string' ? key : undefined, 'decode(encode(name))');
  mustEqual(attributes.get(1), change.hardwareAddress, 'the hardware address');
  mustEqual(Buffer.from(attributes.get(20) ?? []).toString(), change.alias ?? '', 'the alias');
  const specific = attributes.get(26);
  mustEqual(specific !== undefined, change.ipv4Conf !== undefined || change.noLinkLocal === true, 'settings if any');
  const inet = attributesIn(specific ?? new Uint8Array(0)).get(2);
  const values = attributesIn(attributesIn(inet ?? new Uint8Array(0)).get(1) ?? new Uint8Array(0));
  mustEqual(values.size, Object.keys(change.ipv4Conf ?? {}).length, 'as many settings as asked for');
  return `change of ${typeof key === 'string' ? 'a name' : 'an index'}`;
}

function judgeMacvlan(source: ByteSource): string {
  const request = {
    name: `v${source.text(14)}`,
    baseIndex: 1 + (source.long() % 1000),
    address: source.bytes(6),
    alias: source.text(255),
  };
  const link = readLink(
    oneOf(
      messagesOf((writer) => writeMacvlan(writer, request, SEQUENCE)),
      16,
    ),
  );
  mustEqual(
    [link?.name, link?.parentIndex, link?.hardwareAddress, link?.kind],
    [request.name, request.baseIndex, request.address, 'macvlan'],
    'decode(encode(macvlan))',
  );
  return 'macvlan';
}

function judgeQuestions(source: ByteSource): string {
  const family = source.pick([4, 6]);
  const key = source.pick<number | string>([source.long() & 0x7fffffff, source.text(15)]);
  const selection = present({ protocol: source.maybe(() => source.byte()), table: source.maybe(() => source.long()) });
  const [fixed, write] = source.pick<readonly [number, (writer: NetlinkWriter) => void]>([
    [8, (writer) => writeAddressDump(writer, family, SEQUENCE)],
    [16, (writer) => writeLinkDump(writer, SEQUENCE)],
    [16, (writer) => writeLinkQuestion(writer, key, SEQUENCE)],
    [16, (writer) => writeLinkRemoval(writer, key, SEQUENCE)],
    [12, (writer) => writeRouteDump(writer, family, selection as { protocol?: number; table?: number }, SEQUENCE)],
    [12, (writer) => writeRuleDump(writer, family, SEQUENCE)],
  ]);
  const { type, flags } = oneOf(messagesOf(write), fixed);
  must((flags & 1) === 1, 'it is a request', () => String(flags));
  return `question of type ${type}`;
}

function judgeRoute(source: ByteSource): string {
  const verb = source.pick(['add', 'replace', 'delete']);
  const family = source.pick([4, 6]);
  const gateway = () => source.address(family === 4 ? source.pick([4, 4, 6]) : source.pick([6, 6, 4]));
  const hop = (): NextHop =>
    present({
      gateway: source.maybe(gateway),
      interfaceIndex: source.maybe(() => 1 + (source.long() & 0x3fffffff)),
      weight: 1 + source.byte(),
      onLink: source.flag(),
    } as NextHop);
  const request = present({
    family,
    type: source.byte() % 12,
    // The default route has none.
    destination: source.maybe(() => ({
      address: source.address(family),
      prefixLength: 1 + (source.byte() % (family === 4 ? 32 : 128)),
    })),
    gateway: source.maybe(gateway),
    interfaceIndex: source.maybe(() => source.long()),
    source: source.maybe(() => source.address(family)),
    table: 1 + (source.flag() ? source.byte() % 255 : source.long() % 0xffffffff),
    metric: source.maybe(() => source.long()),
    scope: source.maybe(() => source.byte()),
    protocol: source.byte(),
    tos: family === 4 ? source.byte() : 0,
    onLink: source.flag(),
    nextHops: Array.from({ length: source.byte() % 4 }, hop),
    metrics: source.flag() ? [{ metric: 2 + (source.byte() % 14), value: source.long() }] : [],
    lockedMetrics: source.flag() ? source.word() : 0,
    congestionControl: source.maybe(() => source.text(15)),
    preference: source.maybe(() => source.byte() % 4),
    append: source.flag(),
  } as RouteRequest);
  const message = oneOf(
    messagesOf((writer) => writeRouteRequest(writer, verb, request, SEQUENCE, source.flag())),
    12,
  );
  const route = readRoute(message);
  if (route === undefined) throw new Error('a route that was written cannot be read');
  if (verb !== 'delete')
    must(isRequestedRoute(request, route), 'decode(encode(route)) is it', () => JSON.stringify(message.type));
  const destinations = [routeDestination(request)];
  must(routeSelector({ table: request.table, destinations })(message), 'it is selected', () => String(request.table));
  must(routeSelector({ table: request.table })(message), 'its table is selected', () => String(request.table));
  must(!routeSelector({ table: request.table + 1 })(message), 'no other table is', () => String(request.table));
  must(
    !isRequestedRoute({ ...request, protocol: request.protocol ^ 1 }, route),
    'another route is not it',
    () => 'protocol',
  );
  return `${verb} route`;
}

function judgeRule(source: ByteSource): string {
  const family = source.pick([4, 6]);
  const range = (most: number) => ({ first: source.long() % most, last: source.long() % most });
  const prefix = () => ({ ...prefixFrom(source, family) });
  const number = () => source.long() % 0xffffffff;
  const request = present({
    family,
    from: source.maybe(prefix),
    to: source.maybe(prefix),
    priority: source.maybe(number),
    not: source.flag(),
    inputInterface: source.maybe(() => source.text(15)),
    outputInterface: source.maybe(() => source.text(15)),
    mark: source.maybe(() => source.long()),
    mask: source.maybe(() => source.long()),
    tos: source.byte(),
    ipProtocol: source.maybe(() => source.byte()),
    sourcePorts: source.maybe(() => range(65_536)),
    destinationPorts: source.maybe(() => range(65_536)),
    users: source.maybe(() => range(2 ** 32)),
    l3mdev: source.flag(),
    table: source.maybe(() => 1 + (source.flag() ? source.byte() % 255 : source.long() % 0xfffffffe)),
    action: source.byte(),
    target: source.maybe(number),
    suppressPrefixLength: source.maybe(number),
    suppressGroup: source.maybe(number),
    protocol: source.maybe(() => source.byte()),
  } as RuleRequest);
  const verb = source.pick(['add', 'delete']);
  const rule = readRule(
    oneOf(
      messagesOf((writer) => writeRuleRequest(writer, verb, request, SEQUENCE, source.flag())),
      12,
    ),
  );
  if (rule === undefined) throw new Error('a rule that was written cannot be read');
  must(isRequestedRule(request, rule), 'decode(encode(rule)) is it', () => JSON.stringify(request));
  must(!isRequestedRule({ ...request, action: request.action + 1 }, rule), 'another rule is not it', () => 'action');
  return `${verb} rule`;
}

function judgeListening(source: ByteSource): string {
  const on = source.flag();
  const tag = source.long();
  const [message] = messagesOf((writer) => writeProcessListening(writer, on, tag));
  const { payload } = message ?? { payload: new Uint8Array(0) };
  mustEqual(
    [payload.length, little(payload, 0, 4), little(payload, 4, 4), little(payload, 12, 4), little(payload, 20, 4)],
    [24, 1, 1, tag, on ? 1 : 2],
    'as linux/connector.h has it',
  );
  return on ? 'listen' : 'do not listen';
}

function judgeBatch(source: ByteSource): string {
  let sequences = 0;
  const asked: string[] = [];
  const messages = messagesOf((writer) => {
    const batch = new NftablesBatch(writer, 'baton', 1000);
    const expressions = (): readonly Expression[] =>
      Array.from({ length: source.byte() % 5 }, () =>
        source.pick<Expression>([
          ACCEPT,
          DROP,
          loadMeta(META_FAMILY),
          loadPayload(source.pick([1, 2]), source.byte(), 1 + (source.byte() % 16)),
          compareByte(source.pick(['equal', 'at most', 'at least']), source.byte()),
          lookUp(`set${source.byte()}`),
        ]),
      );
    for (let left = source.byte() % 12; left > 0; left -= 1) {
      switch (source.byte() % 6) {
        case 0:
          asked.push('0');
          batch.addTable(source.flag());
          break;
        case 1:
          asked.push('2');
          batch.removeTable(source.flag());
          break;
        case 2:
          asked.push('9');
          batch.addSet({
            name: source.pick(['set1', 's\u00e4t']),
            keyType: keyPair(KEY_IPV4, KEY_IPV4),
            keyLength: 8,
            byteOrder: source.pick(['host', 'network']),
          });
          break;
        case 3:
          asked.push('3');
          batch.addChain('input', HOOK_INPUT, source.byte() - 128);
          break;
        case 4:
          asked.push('6');
          batch.addRule('input', expressions());
          break;
        default: {
          const change = source.pick(['add', 'remove']);
          asked.push(change === 'add' ? '12' : '14');
          batch.changeElements(
            change,
            'set1',
            Array.from({ length: source.byte() % 80 }, () => source.bytes(4)),
            source.flag(),
          );
        }
      }
    }
    batch.end();
    sequences = batch.sequences;
  });
  // linux/netfilter/nfnetlink.h: NFNL_MSG_BATCH_BEGIN and _END around messages of subsystem 10.
  mustEqual(
    messages.map(({ type }) => type),
    [16, ...asked.map((number) => 10 * 256 + Number(number)), 17],
    'a batch is begun, filled and ended',
  );
  for (const { payload } of messages) mustNest(payload.subarray(4));
  mustEqual(sequences, new Set(messages.map(({ sequence }) => sequence)).size, 'sequence numbers taken');
  return asked.length > 0 ? 'batch' : 'empty batch';
}

/** Attributes with the flag for it hold attributes. */
function mustNest(bytes: Uint8Array): void {
  mustFill(bytes);
  for (const { type, value } of attributeList(bytes)) if (type >= 0x8000) mustNest(value);
}
