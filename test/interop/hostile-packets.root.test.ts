/**
 * Malformed and forged advertisements from a raw sender, in both families, against a live active router and a live backup:
 * neither crashes nor changes its state, each packet is counted under its own reason, and what is right is still heard
 * after each. The packets would win the election if they were believed.
 */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { HmacSigner } from '../../agent/wire/hmac-signer.js';
import { Flood } from '../faults/flood.js';
import { LabElection, type LabRouter, labRouter } from '../lab/election.js';
import { Lab, labUnavailable } from '../lab/lab.js';
import {
  type AdvertFields,
  advertPacket,
  ipv4Packet,
  ipv6AdvertPacket,
  ipv6Packet,
  VRRP_GROUP,
  VRRP_IPV6_GROUP,
} from '../lab/packet.js';
import { Tap } from '../lab/tap.js';
import { throughout, until } from '../lab/until.js';

const skip = labUnavailable();
const VIP = '10.9.0.100';
const FORGER = '10.9.0.66';
const VIP6 = 'fe80::100';
const FORGER6 = 'fe80::66';
const KEY = 'a key for signing, of 33 bytes...';
const GROUP = Uint8Array.of(0x01, 0x00, 0x5e, 0x00, 0x00, 0x12);

/** What would depose an active router. */
const WINNING: AdvertFields = { source: FORGER, vrid: 10, priority: 255, addresses: [VIP], interval: 20 };
const WINNING6: AdvertFields = { ...WINNING, source: FORGER6, addresses: [VIP6] };
const V2: AdvertFields = { ...WINNING, vrid: 12, version: 2, interval: 1, addresses: ['10.9.0.101'] };
const UNICAST: AdvertFields = { ...WINNING, vrid: 14, addresses: ['10.9.0.102'] };
const SIGNED: AdvertFields = { ...WINNING, vrid: 16, addresses: ['10.9.0.103'] };

/** Routers by name; each is active on host a and backup on host b. */
const ROUTERS: readonly LabRouter[] = [
  { name: 'v3', vrid: 10, interval: 200_000, addresses: [VIP] },
  { name: 'v2', vrid: 12, version: 2, password: 'secret', addresses: ['10.9.0.101'] },
  { name: 'unicast', vrid: 14, interval: 200_000, addresses: ['10.9.0.102'] },
  {
    name: 'signed',
    vrid: 16,
    interval: 200_000,
    addresses: ['10.9.0.103'],
    hmac: { keys: [{ id: 1, key: KEY }], activeKey: 1, replayGuard: 'time', timeWindow: 5_000_000, mode: 'enforce' },
  },
  { name: 'v6', vrid: 10, interval: 200_000, addresses: [VIP6] },
];

type At = 'v3' | 'v2' | 'unicast' | 'signed' | 'v6' | 'interface';

interface Row {
  readonly title: string;
  /** IPv4 or IPv6 packets to the group, or whole Ethernet frames. */
  readonly packets?: readonly Uint8Array[];
  readonly frames?: readonly Uint8Array[];
  readonly at: At;
  /** Absent: the kernel throws it away before anybody could count it, or it is no offence. */
  readonly counter?: string;
  /** Only on these hosts; the others do not get it, or have no reason to refuse it. */
  readonly hosts?: readonly ('a' | 'b')[];
}

const changed = (...changes: readonly Partial<AdvertFields>[]) =>
  changes.map((change) => advertPacket({ ...WINNING, ...change }));
const changed6 = (...changes: readonly Partial<AdvertFields>[]) =>
  changes.map((change) => ipv6AdvertPacket({ ...WINNING6, ...change }));

const message = advertPacket(WINNING).subarray(20);
const message6 = ipv6AdvertPacket(WINNING6).subarray(40);
const zeros = (count: number) => new Uint8Array(count);
const joined = (...parts: readonly Uint8Array[]) => Uint8Array.from(parts.flatMap((part) => [...part]));
/** The message with a number of bytes after it. */
const trailing = (...counts: readonly number[]) =>
  counts.map((count) => ipv4Packet(FORGER, VRRP_GROUP, joined(message, zeros(count))));
const trailing6 = (...counts: readonly number[]) =>
  counts.map((count) => ipv6Packet(FORGER6, VRRP_IPV6_GROUP, joined(message6, zeros(count))));

/** Bytes of the IPv4 header changed and its checksum mended. */
function headed(packet: Uint8Array, change: (header: DataView) => void): Uint8Array {
  const copy = Uint8Array.from(packet);
  const view = new DataView(copy.buffer);
  change(view);
  const length = (view.getUint8(0) & 15) * 4;
  view.setUint16(10, 0);
  let sum = 0;
  for (let at = 0; at < length; at += 2) sum += view.getUint16(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  view.setUint16(10, ~sum & 0xffff);
  return copy;
}

/** An IPv4 header of so many words, filled with options that do nothing. */
function withOptions(words: number): Uint8Array {
  const [good] = changed({}) as [Uint8Array];
  const options = new Uint8Array((words - 5) * 4).fill(1);
  return headed(joined(good.subarray(0, 20), options, good.subarray(20)), (header) => {
    header.setUint8(0, 0x40 | words);
    header.setUint16(2, header.byteLength);
  });
}

/** The packet with its signature, and what is to be wrong with it. */
function signed(
  fields: Partial<AdvertFields>,
  { aheadMs = 0, keyId = 1, spoil }: { aheadMs?: number; keyId?: number; spoil?: (trailer: Uint8Array) => void } = {},
): Uint8Array {
  const packet = advertPacket({ ...SIGNED, ...fields });
  const signer = new HmacSigner({
    keyId,
    mac: (bytes) => createHmac('sha256', KEY).update(bytes).digest(),
    replayGuard: 'time',
    timeWindow: 5_000_000,
    wallMs: () => Date.now() + aheadMs,
  });
  const trailer = Uint8Array.from(signer.trailerOf(packet, 20, packet.length));
  spoil?.(trailer);
  return ipv4Packet(fields.source ?? FORGER, VRRP_GROUP, joined(packet.subarray(20), trailer));
}

const rows: readonly Row[] = [
  {
    title: 'I01 an empty payload',
    packets: [ipv4Packet(FORGER, VRRP_GROUP, zeros(0))],
    at: 'interface',
    counter: 'truncated',
  },
  {
    title: 'I01 an empty payload, IPv6',
    packets: [ipv6Packet(FORGER6, VRRP_IPV6_GROUP, zeros(0))],
    at: 'interface',
    counter: 'truncated',
  },
  {
    title: 'I02 cut at each length from 1 to 7',
    packets: changed(...[1, 2, 3, 4, 5, 6, 7].map((truncateTo) => ({ truncateTo }))),
    at: 'interface',
    counter: 'truncated',
  },
  {
    title: 'I02 cut at each length from 1 to 7, IPv6',
    packets: changed6(...[1, 2, 3, 4, 5, 6, 7].map((truncateTo) => ({ truncateTo }))),
    at: 'interface',
    counter: 'truncated',
  },
  {
    title: 'I03 a count of one address and none there',
    packets: changed({ addresses: [], count: 1 }),
    at: 'v3',
    counter: 'rejected.bad-length',
  },
  {
    title: 'I03 a count of one address and none there, IPv6',
    packets: changed6({ addresses: [], count: 1 }),
    at: 'v6',
    counter: 'rejected.bad-length',
  },
  {
    title: 'I04 a count of 255 addresses and one there',
    packets: changed({ count: 255 }),
    at: 'v3',
    counter: 'rejected.bad-length',
  },
  {
    title: 'I04 a count of 255 addresses and one there, IPv6',
    packets: changed6({ count: 255 }),
    at: 'v6',
    counter: 'rejected.bad-length',
  },
  {
    title: 'I05 a count of one address and two there',
    packets: changed({ addresses: [VIP, VIP], count: 1 }),
    at: 'v3',
    counter: 'rejected.bad-length',
  },
  {
    title: 'I05 a count of one address and two there, IPv6',
    packets: changed6({ addresses: [VIP6, VIP6], count: 1 }),
    at: 'v6',
    counter: 'rejected.bad-length',
  },
  {
    title: 'I06 no addresses',
    packets: changed({ addresses: [] }, { count: 0 }),
    at: 'v3',
    counter: 'rejected.no-addresses',
  },
  {
    title: 'I06 no addresses, IPv6',
    packets: changed6({ addresses: [] }, { count: 0 }),
    at: 'v6',
    counter: 'rejected.no-addresses',
  },
  {
    title: 'I07 a wrong checksum',
    packets: changed({ checksum: 'wrong' }),
    at: 'v3',
    counter: 'rejected.bad-checksum',
  },
  {
    title: 'I07 a wrong checksum, IPv6',
    packets: changed6({ checksum: 'wrong' }),
    at: 'v6',
    counter: 'rejected.bad-checksum',
  },
  {
    title: 'I08 a checksum without pseudo-header, IPv6',
    packets: changed6({ checksum: 'message_only' }),
    at: 'v6',
    counter: 'rejected.bad-checksum',
  },
  {
    title: 'I08 a checksum without pseudo-header is another form of a right one',
    packets: changed({ checksum: 'message_only', priority: 1 }),
    at: 'v3',
  },
  {
    title: 'I09 versions 0, 1, 4 and 15',
    packets: changed(...[0, 1, 4, 15].map((version) => ({ version }))),
    at: 'v3',
    counter: 'rejected.bad-version',
  },
  {
    title: 'I09 versions 0, 1, 4 and 15, IPv6',
    packets: changed6(...[0, 1, 4, 15].map((version) => ({ version }))),
    at: 'v6',
    counter: 'rejected.bad-version',
  },
  {
    title: 'I10 version 2 to a router of version 3',
    packets: [advertPacket({ ...V2, vrid: 10 })],
    at: 'v3',
    counter: 'rejected.bad-version',
  },
  {
    title: 'I10 version 2 to a router of version 3, IPv6',
    packets: changed6({ version: 2, interval: 1 }),
    at: 'v6',
    counter: 'rejected.bad-version',
  },
  {
    title: 'I10 version 3 to a router of version 2',
    packets: [advertPacket({ ...WINNING, vrid: 12 })],
    at: 'v2',
    counter: 'rejected.bad-version',
  },
  {
    title: 'I11 types 0, 2 and 15',
    packets: changed(...[0, 2, 15].map((type) => ({ type }))),
    at: 'v3',
    counter: 'rejected.bad-type',
  },
  {
    title: 'I11 types 0, 2 and 15, IPv6',
    packets: changed6(...[0, 2, 15].map((type) => ({ type }))),
    at: 'v6',
    counter: 'rejected.bad-type',
  },
  { title: 'I12 TTL 254 and 1', packets: changed({ ttl: 254 }, { ttl: 1 }), at: 'v3', counter: 'rejected.bad-ttl' },
  {
    title: 'I13 hop limit 254 and 1, IPv6',
    packets: changed6({ ttl: 254 }, { ttl: 1 }),
    at: 'v6',
    counter: 'rejected.bad-ttl',
  },
  { title: 'I14 an interval of 0', packets: changed({ interval: 0 }), at: 'v3', counter: 'rejected.zero-interval' },
  {
    title: 'I14 an interval of 0, IPv6',
    packets: changed6({ interval: 0 }),
    at: 'v6',
    counter: 'rejected.zero-interval',
  },
  { title: 'I16 set reserved bits', packets: changed({ reserved: 15, priority: 1 }), at: 'v3' },
  { title: 'I16 set reserved bits, IPv6', packets: changed6({ reserved: 15, priority: 1 }), at: 'v6' },
  { title: 'I17 VRID 0', packets: changed({ vrid: 0 }), at: 'interface', counter: 'unknown-vrid' },
  { title: 'I17 VRID 0, IPv6', packets: changed6({ vrid: 0 }), at: 'interface', counter: 'unknown-vrid' },
  { title: 'I18 another VRID', packets: changed({ vrid: 200 }), at: 'interface', counter: 'unknown-vrid' },
  { title: 'I18 another VRID, IPv6', packets: changed6({ vrid: 201 }), at: 'interface', counter: 'unknown-vrid' },
  {
    title: 'I19 priority 0 from another than the active router',
    packets: changed({ priority: 0 }),
    at: 'v3',
    counter: 'advertisements-received',
    hosts: ['a'],
  },
  {
    title: 'I19 priority 0 from another than the active router, IPv6',
    packets: changed6({ priority: 0 }),
    at: 'v6',
    counter: 'advertisements-received',
    hosts: ['a'],
  },
  {
    title: "I21 the active router's own source address",
    packets: changed({ source: '10.9.0.1' }),
    at: 'v3',
    counter: 'rejected.own-source',
    hosts: ['a'],
  },
  {
    title: "I21 the active router's own source address, IPv6",
    packets: changed6({ source: 'fe80::1' }),
    at: 'v6',
    counter: 'rejected.own-source',
    hosts: ['a'],
  },
  {
    title: "I22 the source addresses 0.0.0.0 and the subnet's broadcast",
    packets: changed({ source: '0.0.0.0' }, { source: '10.9.0.255' }),
    at: 'v3',
    counter: 'rejected.bad-source',
  },
  {
    title: 'I22 multicast and limited broadcast as the source address: the kernel drops it',
    packets: changed({ source: '224.0.0.18' }, { source: '255.255.255.255' }),
    at: 'v3',
  },
  {
    title: 'I22 an off-link source address',
    packets: changed({ source: '192.0.2.66' }),
    at: 'v3',
    counter: 'rejected.off-link-source',
  },
  {
    title: 'I23 a source address that is not link-local, IPv6',
    packets: changed6({ source: 'fd09::66' }),
    at: 'v6',
    counter: 'rejected.off-link-source',
  },
  {
    title: 'I23 the unspecified and an IPv4-mapped source address, IPv6',
    packets: changed6({ source: '::' }, { source: '::ffff:a09:42' }),
    at: 'v6',
    counter: 'rejected.bad-source',
  },
  {
    title: 'I24 unicast to a multicast router',
    packets: changed({ destination: '10.9.0.1' }),
    at: 'v3',
    counter: 'rejected.wrong-destination',
    hosts: ['a'],
  },
  {
    title: 'I24 multicast to a unicast router',
    packets: [advertPacket(UNICAST)],
    at: 'unicast',
    counter: 'rejected.wrong-destination',
  },
  {
    title: 'I24 unicast from another than the peers',
    packets: [advertPacket({ ...UNICAST, destination: '10.9.0.1' })],
    at: 'unicast',
    counter: 'rejected.not-a-peer',
    hosts: ['a'],
  },
  {
    title: 'I24 another group, IPv6',
    packets: changed6({ destination: 'ff02::1' }),
    at: 'v6',
    counter: 'rejected.wrong-destination',
  },
  {
    title: 'I25 a length greater than the packet: the kernel drops it',
    packets: changed({}).map((packet) => headed(packet, (header) => header.setUint16(2, 200))),
    at: 'v3',
  },
  {
    title: 'I25 a length smaller than the packet',
    packets: changed({}).map((packet) => headed(packet, (header) => header.setUint16(2, 24))),
    at: 'interface',
    counter: 'truncated',
  },
  {
    title: 'I25 Ethernet padding is no part of the packet',
    packets: changed({ priority: 1 }).map((packet) => joined(packet, zeros(14))),
    at: 'v3',
  },
  {
    title: 'I26 IP options, header lengths 6 to 15',
    packets: [6, 7, 8, 9, 10, 11, 12, 13, 14, 15].map(withOptions),
    at: 'interface',
    counter: 'ip-options',
  },
  {
    title: 'I26 header lengths 0 to 4: the kernel drops them',
    packets: [0, 1, 2, 3, 4].map((words) => {
      const [good] = changed({}) as [Uint8Array];
      return joined(Uint8Array.of(0x40 | words), good.subarray(1));
    }),
    at: 'v3',
  },
  {
    title: 'I26 extension headers, IPv6',
    packets: [ipv6Packet(FORGER6, VRRP_IPV6_GROUP, joined(Uint8Array.of(112, 0, 1, 4, 0, 0, 0, 0), message6), 255, 60)],
    at: 'interface',
    counter: 'ip-options',
  },
  {
    title: 'I27 a first and a later fragment: the kernel keeps them',
    packets: changed({}).flatMap((packet) => [
      headed(packet, (header) => header.setUint16(6, 0x2000)),
      headed(packet, (header) => header.setUint16(6, 0x0010)),
    ]),
    at: 'v3',
  },
  {
    title: 'I28 4, 32 and 1200 bytes after the message',
    packets: trailing(4, 32, 1200),
    at: 'v3',
    counter: 'rejected.bad-length',
  },
  {
    title: 'I28 4, 32 and 1200 bytes after the message, IPv6',
    packets: trailing6(4, 32, 1200),
    at: 'v6',
    counter: 'rejected.bad-length',
  },
  {
    title: 'I29 a list that differs, has duplicates, multicast and 0.0.0.0 in it',
    packets: changed(
      { addresses: ['10.9.0.7'], priority: 1 },
      { addresses: [VIP, VIP], priority: 1 },
      { addresses: ['224.0.0.1', '0.0.0.0'], priority: 1 },
    ),
    at: 'v3',
  },
  {
    title: 'I30 a list whose first address is not link-local, IPv6',
    packets: changed6({ addresses: ['fd09::7', VIP6], priority: 1 }),
    at: 'v6',
  },
  {
    title: 'I31 a wrong password, and one with NULs',
    packets: [
      advertPacket({ ...V2, password: 'wrong' }),
      advertPacket({ ...V2, password: 'se\0ret' }),
      advertPacket({ ...V2, password: 'secret\0x' }),
    ],
    at: 'v2',
    counter: 'rejected.auth-failure',
  },
  {
    title: 'I31 authentication types 0, 2 and 9',
    packets: [
      advertPacket(V2),
      ...[2, 9].map((authenticationType) => advertPacket({ ...V2, password: 'secret', authenticationType })),
    ],
    at: 'v2',
    counter: 'rejected.auth-type-mismatch',
  },
  {
    title: 'I32 another interval, version 2',
    packets: [advertPacket({ ...V2, password: 'secret', interval: 3 })],
    at: 'v2',
    counter: 'rejected.interval-mismatch',
  },
  {
    title: 'I34 a VLAN tag: the kernel drops it',
    frames: [joined(GROUP, Uint8Array.of(2, 0, 0, 0, 0, 9, 0x81, 0, 0, 5, 8, 0), changed({})[0] ?? zeros(0))],
    at: 'v3',
  },
  {
    title: 'I34 another source MAC address',
    frames: [joined(GROUP, Uint8Array.of(2, 0, 0, 0, 0, 9, 8, 0), changed({ priority: 1 })[0] ?? zeros(0))],
    at: 'v3',
  },
  { title: 'I35 no signature', packets: [advertPacket(SIGNED)], at: 'signed', counter: 'rejected.auth-missing' },
  {
    title: 'I35 a trailer of another type',
    packets: [signed({}, { spoil: (trailer) => trailer.set([2]) })],
    at: 'signed',
    counter: 'rejected.auth-malformed',
  },
  {
    title: 'I35 a trailer of another length',
    packets: [ipv4Packet(FORGER, VRRP_GROUP, joined(advertPacket(SIGNED).subarray(20), zeros(32)))],
    at: 'signed',
    counter: 'rejected.bad-length',
  },
  {
    title: 'I35 an unknown key',
    packets: [signed({}, { keyId: 99 })],
    at: 'signed',
    counter: 'rejected.auth-unknown-key',
  },
];

/** Hosts a (active) and b (backup) with all routers, and a forger. */
async function stage(t: TestContext, routers: readonly LabRouter[] = ROUTERS) {
  const lab = await Lab.open();
  t.after(() => lab.close());
  const [a, b, forger] = [
    await lab.host('a', { addresses: ['10.9.0.1/24', 'fe80::1/64 nodad'] }),
    await lab.host('b', { addresses: ['10.9.0.2/24', 'fe80::2/64 nodad'] }),
    await lab.host('forger', { addresses: [`${FORGER}/24`, `${FORGER6}/64 nodad`] }),
  ];
  for (const host of [a, b]) {
    // By default the kernel itself throws away what comes from its own addresses or off-link; the agent must not rely on it.
    await host.run('sysctl', '-q', '-w', 'net.ipv4.conf.em1.accept_local=1', 'net.ipv4.conf.em1.rp_filter=0');
    await host.untilIpv6Ready();
    const own = (await host.kernelAddresses(6))
      .map(({ address }) => address)
      .filter((each) => each.startsWith('fe80::'));
    // One link-local address alone, so that it is known which is the source.
    const kept = host === a ? 'fe80::1' : 'fe80::2';
    await host.ip(...own.filter((each) => each !== kept).map((each) => `address delete ${each}/64 dev em1`));
  }
  const on = (priority: number, peer: string) =>
    routers.map((each) => labRouter({ ...each, priority, ...(each.name === 'unicast' ? { peers: [peer] } : {}) }));
  const agentA = await LabElection.start(a, ...on(150, '10.9.0.2'));
  for (const { name } of routers) await agentA.untilState('active', 8000, name);
  const agentB = await LabElection.start(b, ...on(100, '10.9.0.1'));
  for (const { name } of routers) await agentB.untilState('backup', 5000, name);
  const mouth = await Tap.open(forger);
  const agents = { a: agentA, b: agentB };
  const transitions = () => [agentA, agentB].map((agent) => agent.occurrences('transition').length);
  return { lab, a, b, forger, mouth, agents, transitions };
}

function send(mouth: Tap, packet: Uint8Array): void {
  if ((packet[0] ?? 0) >> 4 === 6) mouth.sendIpv6(packet);
  else mouth.send(packet);
}

async function counted(agent: LabElection, at: At, counter: string): Promise<number> {
  const status = await agent.status();
  const from = at === 'interface' ? status.interfaces[0] : status.routers.find(({ name }) => name === at);
  return from?.counters[counter] ?? 0;
}

/** Something that is right is heard by both after all that was sent before. */
async function untilStillHeard(mouth: Tap, agents: readonly LabElection[]): Promise<void> {
  for (const [name, source, packet] of [
    ['v3', FORGER, advertPacket({ ...WINNING, priority: 2 })],
    ['v6', FORGER6, ipv6AdvertPacket({ ...WINNING6, priority: 2 })],
  ] as const) {
    const heard = async (agent: LabElection) =>
      (await agent.router(name)).peers.find(({ address }) => address === source)?.advertisements ?? 0;
    const before = await Promise.all(agents.map(heard));
    send(mouth, packet);
    for (const [index, agent] of agents.entries()) {
      await until(`${name} to hear what is right`, 3000, async () => (await heard(agent)) > (before[index] ?? 0));
    }
  }
}

test('what is wrong is dropped and counted, and moves nothing', { skip }, async (t) => {
  const { mouth, agents, transitions } = await stage(t);
  const before = transitions();
  for (const row of rows) {
    await t.test(row.title, async () => {
      const hosts = row.hosts ?? ['a', 'b'];
      const { counter, packets = [], frames = [] } = row;
      const counts =
        counter === undefined ? [] : await Promise.all(hosts.map((host) => counted(agents[host], row.at, counter)));
      for (const packet of packets) send(mouth, packet);
      for (const frame of frames) mouth.sendFrame(frame);
      for (const [index, host] of hosts.entries()) {
        if (counter === undefined) break;
        const wanted = (counts[index] ?? 0) + packets.length;
        let seen = 0;
        await until(
          `${counter} on ${host} to reach ${wanted}`,
          3000,
          async () => {
            seen = await counted(agents[host], row.at, counter);
            return seen >= wanted;
          },
          () => seen,
        );
        assert.equal(seen, wanted);
      }
      await untilStillHeard(mouth, [agents.a, agents.b]);
      assert.deepEqual(transitions(), before);
    });
  }

  await t.test('I35 bad, stale, future and repeated signatures', async () => {
    const spoil = (trailer: Uint8Array) => trailer.set([1, 2, 3, 4], 20);
    const good = signed({ priority: 1 });
    for (const [packet, counter] of [
      [signed({}, { spoil }), 'rejected.auth-invalid'],
      [signed({}, { aheadMs: -3_600_000 }), 'rejected.auth-stale'],
      [signed({}, { aheadMs: 3_600_000 }), 'rejected.auth-stale'],
      [good, undefined],
      [good, 'rejected.auth-replay'],
    ] as const) {
      for (const agent of [agents.a, agents.b]) {
        const counts = counter === undefined ? 0 : await counted(agent, 'signed', counter);
        if (agent === agents.a) send(mouth, packet);
        if (counter === undefined) continue;
        const wanted = agent === agents.a ? counts + 1 : 1;
        await until(`${counter}`, 3000, async () => (await counted(agent, 'signed', counter)) >= wanted);
      }
      await untilStillHeard(mouth, [agents.a, agents.b]);
    }
    const heard = (await agents.a.router('signed')).peers.find(({ address }) => address === FORGER);
    assert.equal(heard?.authentication, 'signed');
    assert.deepEqual(transitions(), before);
  });

  await t.test('each reason was reported once, with its source', () => {
    const told = agents.a.occurrences('rejected').map(({ router, reason, source }) => `${router} ${reason} ${source}`);
    assert.equal(new Set(told).size, told.length);
    for (const each of [`v3 bad-checksum ${FORGER}`, 'v3 own-source 10.9.0.1', `v6 bad-ttl ${FORGER6}`]) {
      assert.ok(told.includes(each), each);
    }
  });

  await t.test('I18 the other VRIDs were kept with their sources', async () => {
    const foreign =
      (await agents.b.status()).interfaces[0]?.foreign.map(({ vrid, source }) => `${vrid} ${source}`) ?? [];
    for (const each of [`200 ${FORGER}`, `201 ${FORGER6}`]) assert.ok(foreign.includes(each), foreign.join());
  });

  await t.test('I19 a thousand of priority 0 a second', async () => {
    const flood = await Flood.open(mouth.host);
    const rate = await flood.send(
      [
        flood.ipv4(advertPacket({ ...WINNING, priority: 0 })),
        flood.ipv6(ipv6AdvertPacket({ ...WINNING6, priority: 0 })),
      ],
      2000,
      1000,
    );
    t.diagnostic(`I19: ${rate.toFixed(0)} a second`);
    await untilStillHeard(mouth, [agents.a, agents.b]);
    assert.deepEqual(transitions(), before);
    await flood.close();
  });

  await t.test('I33 100,000 packets of garbage a second: the election is on time', async () => {
    const flood = await Flood.open(mouth.host);
    const garbage = [
      ...changed({ checksum: 'wrong' }, { ttl: 3 }, { truncateTo: 5 }, { version: 7 }, { vrid: 99 }).map((packet) =>
        flood.ipv4(packet),
      ),
      ...changed6({ checksum: 'wrong' }, { ttl: 3 }, { type: 4 }).map((packet) => flood.ipv6(packet)),
    ];
    const lost = async () => (await agents.b.router('v3')).peers.find(({ address }) => address === '10.9.0.1')?.lost;
    const sent = async () => (await agents.a.router('v3')).counters['advertisements-sent'] ?? 0;
    const [lostBefore, sentBefore, startedAt] = [await lost(), await sent(), performance.now()];
    const rate = await flood.send(garbage, 200_000, 100_000);
    const intervals = Math.floor((performance.now() - startedAt) / 200);
    t.diagnostic(`I33: ${rate.toFixed(0)} a second`);
    assert.deepEqual(transitions(), before);
    assert.ok((await sent()) - sentBefore >= intervals - 1, `${(await sent()) - sentBefore} in ${intervals} intervals`);
    // What a queue has no room for while other programs have the processor is lost and counted; that moves nothing either.
    t.diagnostic(`I33: b missed ${((await lost()) ?? 0) - (lostBefore ?? 0)} of them`);
    for (const agent of [agents.a, agents.b])
      t.diagnostic(`I33: overruns ${await counted(agent, 'interface', 'overruns')}`);
    await untilStillHeard(mouth, [agents.a, agents.b]);

    // And a takeover in the middle of it.
    const storm = flood.send(garbage, 200_000, 100_000);
    const failedAt = performance.now();
    await agents.a.kill();
    await agents.b.untilState('active', 1022, 'v3');
    t.diagnostic(`I33: taken over after ${(performance.now() - failedAt).toFixed(0)} ms`);
    await storm;
    await flood.close();
  });
});

test('what wins by the rules costs no more than the rules say', { skip }, async (t) => {
  const { a, b, forger, mouth, agents } = await stage(t, ROUTERS.slice(0, 1));
  const holders = async () => [await a.holds(VIP), await b.holds(VIP)];

  await t.test('I15 an interval of 4095 centiseconds with the highest priority, once', async () => {
    const startedAt = performance.now();
    mouth.send(advertPacket({ ...WINNING, interval: 4095 }));
    await agents.a.untilState('backup', 3000, 'v3');
    // The learned interval is bounded to a second more than the configured one (decision 0003): 3 x 1.2 s and the skew.
    await agents.a.untilState('active', 6000, 'v3');
    const out = performance.now() - startedAt;
    t.diagnostic(`I15: out for ${out.toFixed(0)} ms`);
    assert.ok(out < 3 * 1200 + 1200 + 500, `out for ${out} ms`);
    await until('a alone to hold it', 3000, async () => (await holders()).join() === 'true,false');
    assert.ok(agents.a.occurrences('notice').some(({ notice }) => notice === 'interval-bounded'));
  });

  await t.test('I20 priority 255 from somebody who is not the owner is named, and gone when it stops', async () => {
    mouth.send(advertPacket(WINNING));
    await agents.a.untilState('backup', 3000, 'v3');
    const [told] = agents.a.occurrences('transition').slice(-1);
    assert.equal(told?.peer, forger.address);
    await agents.a.untilState('active', 3000, 'v3');
    await throughout('a stays active', 800, async () => (await agents.a.router('v3')).state === 'active');
  });
});

test('with a list of believed sources, nothing that wins by the rules is heard', { skip }, async (t) => {
  const believing = { ...ROUTERS[0], more: { believedSources: ['10.9.0.1', '10.9.0.2'] } };
  const { mouth, agents, transitions } = await stage(t, [believing]);
  const before = transitions();
  const refused = async (agent: LabElection) => await counted(agent, 'v3', 'rejected.not-a-peer');
  for (const packet of changed({}, { interval: 4095 }, { priority: 0 })) mouth.send(packet);
  for (const agent of [agents.a, agents.b]) {
    await until('all to be refused', 3000, async () => (await refused(agent)) === 3);
  }
  assert.deepEqual(transitions(), before);
});
