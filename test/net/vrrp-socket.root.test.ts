import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Lab, labUnavailable } from '../lab/lab.js';
import { advertPacket, ipv4Packet } from '../lab/packet.js';
import { Tap } from '../lab/tap.js';
import { until } from '../lab/until.js';
import { Edge } from './edge.js';

const skip = labUnavailable();
const good = { source: '10.9.0.1', vrid: 10, priority: 100, addresses: ['10.9.0.26'], interval: 100 };
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const mac = (text: string) => Buffer.from(text.replaceAll(':', ''), 'hex');

async function laboratory(t: TestContext) {
  const lab = await Lab.open();
  t.after(() => lab.close());
  const a = await lab.host('a', { addresses: ['10.9.0.1/24'] });
  const b = await lab.host('b', { addresses: ['10.9.0.2/24'] });
  const [tap, edge] = [await Tap.open(a), await Edge.start(b)];
  await edge.ask('openVrrp');
  return { lab, a, b, tap, edge };
}

test('what is sent leaves as it is, to the group and to a peer', { skip }, async (t) => {
  const { a, b, tap, edge } = await laboratory(t);
  const packet = advertPacket({ ...good, source: '10.9.0.2' });
  // The kernel must not choose an identification.
  packet[5] = 1;
  assert.deepEqual(await edge.ask('send', { packet: hex(packet) }), { ok: true });
  const heard = await tap.untilAdvert('10.9.0.2', 3000, 0);
  const withChecksum = packet.slice();
  withChecksum.set(heard.subarray(10, 12), 10);
  assert.deepEqual([...heard], [...withChecksum]);
  assert.deepEqual([...(tap.frames.at(-1)?.bytes.subarray(0, 6) ?? [])], [0x01, 0, 0x5e, 0, 0, 0x12]);

  await b.ip(`neighbor replace 10.9.0.1 lladdr ${await a.mac()} dev em1`);
  const unicast = advertPacket({ ...good, source: '10.9.0.2', destination: '10.9.0.1' });
  assert.deepEqual(await edge.ask('send', { packet: hex(unicast), destination: '10.9.0.1' }), { ok: true });
  await tap.untilAdvert('10.9.0.2', 3000, 1);
  assert.deepEqual([...(tap.frames.at(-1)?.bytes.subarray(0, 6) ?? [])], [...mac(await a.mac())]);
  // Not looped back to the sender.
  assert.equal(edge.events.filter(({ event }) => event !== 'ready').length, 0);
});

test('advertisements are heard while the group is joined', { skip }, async (t) => {
  const { b, tap, edge } = await laboratory(t);
  const ear = await Tap.open(b);
  tap.send(advertPacket(good));
  await edge.untilEvent({ event: 'advertisement', source: '10.9.0.1', priority: 100 });
  assert.deepEqual(await edge.ask('groups', { groups: [] }), { ok: true });
  assert.deepEqual(await edge.ask('groups', { groups: [] }), { ok: true });
  const arrived = ear.untilAdvert('10.9.0.1', 3000);
  tap.send(advertPacket({ ...good, priority: 101 }));
  await arrived;
  assert.deepEqual(await edge.ask('groups', { groups: ['224.0.0.18'] }), { ok: true });
  tap.send(advertPacket({ ...good, priority: 102 }));
  await edge.untilEvent({ event: 'advertisement', priority: 102 });
  assert.equal(edge.count({ event: 'advertisement', priority: 101 }), 0);
});

test('several groups are joined and left one by one', { skip }, async (t) => {
  const { tap, edge } = await laboratory(t);
  const groupMac = mac('01:00:5e:01:02:03');
  const other = { ...good, vrid: 12, destination: '239.1.2.3' };
  assert.deepEqual(await edge.ask('groups', { groups: ['224.0.0.18', '239.1.2.3'] }), { ok: true });
  tap.send(advertPacket({ ...other, priority: 1 }), groupMac);
  tap.send(advertPacket({ ...good, priority: 2 }));
  for (const priority of [1, 2]) await edge.untilEvent({ event: 'advertisement', priority });
  assert.deepEqual(await edge.ask('groups', { groups: ['239.1.2.3'] }), { ok: true });
  tap.send(advertPacket({ ...good, priority: 3 }));
  tap.send(advertPacket({ ...other, priority: 4 }), groupMac);
  await edge.untilEvent({ event: 'advertisement', priority: 4 });
  assert.equal(edge.count({ event: 'advertisement', priority: 3 }), 0);
  const refused = (await edge.ask('groups', { groups: ['10.9.0.1', '224.0.0.18'] })) as { readonly code: string };
  assert.equal(refused.code, 'EINVAL');
  // What could be joined was.
  tap.send(advertPacket({ ...good, priority: 5 }));
  await edge.untilEvent({ event: 'advertisement', priority: 5 });
});

test('every malformed advertisement reaches the decoder and is named', { skip }, async (t) => {
  const { tap, edge } = await laboratory(t);
  const message = advertPacket(good).subarray(20);
  const withOptions = Uint8Array.from([...advertPacket(good).subarray(0, 20), 1, 1, 1, 1, ...message]);
  withOptions[0] = 0x46;
  new DataView(withOptions.buffer).setUint16(2, withOptions.length);
  checksumIpHeader(withOptions, 24);
  const rows: readonly (readonly [string, Uint8Array])[] = [
    ['truncated', ipv4Packet('10.9.0.1', '224.0.0.18', new Uint8Array(0))],
    ['truncated', ipv4Packet('10.9.0.1', '224.0.0.18', message.subarray(0, 7))],
    ['bad-length', ipv4Packet('10.9.0.1', '224.0.0.18', message.subarray(0, 8))],
    ['bad-length', advertPacket({ ...good, count: 255 })],
    ['bad-length', ipv4Packet('10.9.0.1', '224.0.0.18', Uint8Array.from([...message, ...new Uint8Array(1200)]))],
    ['no-addresses', advertPacket({ ...good, count: 0 })],
    ['bad-checksum', advertPacket({ ...good, checksum: 'wrong' })],
    ['bad-version', advertPacket({ ...good, version: 15 })],
    ['bad-version', advertPacket({ ...good, version: 2 })],
    ['bad-type', advertPacket({ ...good, type: 0 })],
    ['bad-type', advertPacket({ ...good, type: 2 })],
    ['bad-ttl', advertPacket({ ...good, ttl: 254 })],
    ['bad-ttl', advertPacket({ ...good, ttl: 1 })],
    ['zero-interval', advertPacket({ ...good, interval: 0 })],
    ['unknown-vrid', advertPacket({ ...good, vrid: 0 })],
    ['unknown-vrid', advertPacket({ ...good, vrid: 99 })],
    ['bad-source', advertPacket({ ...good, source: '0.0.0.0' })],
    ['ip-options', withOptions],
  ];
  for (const [reason, packet] of rows) {
    const seen = edge.events.length;
    tap.send(packet);
    await edge.untilEvent({ event: 'dropped', reason }, 3000, seen);
  }
  tap.send(advertPacket(good));
  await edge.untilEvent({ event: 'advertisement', source: '10.9.0.1' });
});

test('reception outlives garbage collection, even if the owner forgot the socket', { skip }, async (t) => {
  const { b, tap, edge } = await laboratory(t);
  const forgetful = await Edge.start(b);
  await forgetful.ask('openAndForget');
  await edge.ask('monitor');
  for (let round = 1; round <= 3; round++) {
    for (const process of [edge, forgetful]) await process.ask('collectGarbage');
    tap.send(advertPacket({ ...good, priority: round }));
    tap.send(advertPacket({ ...good, ttl: round }));
    await b.ip(`address add 10.8.0.${round}/32 dev em1`);
    for (const process of [edge, forgetful]) {
      await process.untilEvent({ event: 'advertisement', priority: round });
      await process.untilEvent({ event: 'addressAdded', address: `10.8.0.${round}/32` });
      await until('the refused one', 3000, () => process.count({ event: 'dropped', reason: 'bad-ttl' }) === round);
    }
  }
});

test('a macvlan without an address hears those with its MAC address, however strict the host is about sources', {
  skip,
}, async (t) => {
  const lab = await Lab.open();
  t.after(() => lab.close());
  const a = await lab.host('a', { addresses: ['10.9.0.1/24'] });
  const b = await lab.host('b', { addresses: ['10.9.0.2/24'] });
  await a.ip('link set em1 address 00:00:5e:00:01:0a');
  await b.ip(
    'link add vrrp.10 link em1 address 00:00:5e:00:01:0a type macvlan mode private',
    'link set vrrp.10 addrgenmode none',
    'link set vrrp.10 up',
  );
  const [tap, edge] = [await Tap.open(a), await Edge.start(b)];
  await edge.ask('openVrrpOnMacvlan', { name: 'vrrp.10' });
  for (const [round, filter] of ['0', '1', '2'].entries()) {
    for (const name of ['all', 'em1', 'vrrp/10'])
      await b.run('sysctl', '-qw', `net.ipv4.conf.${name}.rp_filter=${filter}`);
    const seen = edge.events.length;
    const spoiled = advertPacket({ ...good, priority: 40 + round });
    spoiled[10] = (spoiled[10] ?? 0) ^ 1;
    tap.send(spoiled);
    const ospf = ipv4Packet('10.9.0.1', '224.0.0.18', new Uint8Array(24));
    ospf[9] = 89;
    checksumIpHeader(ospf, 20);
    tap.send(ospf);
    tap.send(advertPacket({ ...good, ttl: 254 }));
    await edge.untilEvent({ event: 'dropped', reason: 'bad-ttl' }, 3000, seen);
    // A frame is not shorter than 60 bytes; what fills it up is none of the packet's.
    tap.send(Buffer.concat([advertPacket({ ...good, priority: 100 + round }), Buffer.alloc(14, 0x55)]));
    await edge.untilEvent({ event: 'advertisement', source: '10.9.0.1', priority: 100 + round });
    assert.equal(edge.events.length, seen + 2, JSON.stringify(edge.events.slice(seen)));
  }
  assert.match(await b.run('ip', 'maddress', 'show', 'dev', 'vrrp.10'), /224\.0\.0\.18/);
  await b.ip('link set vrrp.10 down', 'link set vrrp.10 up');
  tap.send(advertPacket({ ...good, priority: 200 }));
  await edge.untilEvent({ event: 'advertisement', priority: 200 });
  // Without an address it cannot send as an ordinary socket would; the sender can.
  const own = hex(advertPacket({ ...good, source: '10.9.0.2' }));
  assert.deepEqual(await edge.ask('send', { packet: own }), { ok: true });
  await tap.untilAdvert('10.9.0.2', 3000, 0);
  assert.equal(edge.count({ event: 'advertisement', source: '10.9.0.2' }), 0, 'its own are not heard');
});

test('a program that is started inherits no socket', { skip }, async (t) => {
  const { edge } = await laboratory(t);
  for (const ask of ['openArp', 'openNeighbor', 'monitor', 'openAndForget']) await edge.ask(ask);
  await edge.ask('openAndForget', { family: 6 });
  await edge.ask('watch', { addresses: ['10.9.0.9'] });
  await edge.ask('watchNeighbor', { addresses: ['fe80::9'] });
  assert.deepEqual(await edge.ask('inheritedSockets'), []);
});

test('a flood of garbage loses no advertisement and is read at a bounded rate', { skip }, async (t) => {
  const { a, tap, edge } = await laboratory(t);
  const flooder = await Edge.start(a);
  await flooder.ask('openVrrp');
  const garbage = hex(advertPacket({ ...good, ttl: 7 }));
  for (let round = 1; round <= 20; round++) {
    await flooder.ask('send', { packet: garbage, count: 1000 });
    tap.send(advertPacket({ ...good, priority: round }));
  }
  for (let round = 1; round <= 20; round++) await edge.untilEvent({ event: 'advertisement', priority: round }, 10_000);
  // Each was either decoded and counted or, by the kernel, not.
  const drops = async () => (await edge.ask('drops')) as { readonly overruns: number; readonly refuse: number };
  const counted = () => edge.count({ event: 'dropped', reason: 'bad-ttl' });
  // (Recent kernels count the 20 good ones too, for the socket that is not to have them, while its queue is full.)
  await until(
    'the flood to be over',
    5000,
    async () => counted() + (await drops()).refuse >= 20_000,
    async () => [counted(), await drops()],
  );
  assert.ok(counted() + (await drops()).refuse <= 20_020);
  assert.ok(counted() >= 64 && counted() < 10_000, `${counted()} of the flood were decoded`);
  assert.equal((await drops()).overruns, 0);
  // It recovers: what comes later is counted again.
  const before = edge.events.length;
  tap.send(advertPacket({ ...good, type: 3 }));
  await edge.untilEvent({ event: 'dropped', reason: 'bad-type' }, 3000, before);
});

test('unicast: any TTL, from the peer only', { skip }, async (t) => {
  const { b, tap, edge } = await laboratory(t);
  const to = mac(await b.mac());
  const unicast = { ...good, vrid: 11, destination: '10.9.0.2', ttl: 64 };
  tap.send(advertPacket(unicast), to);
  await edge.untilEvent({ event: 'advertisement', priority: 100 });
  assert.deepEqual(await edge.ask('anyTtl', { on: true }), { ok: true });
  tap.send(advertPacket({ ...unicast, priority: 64 }), to);
  await edge.untilEvent({ event: 'advertisement', source: '10.9.0.1', priority: 64 });
  tap.send(advertPacket({ ...unicast, source: '10.9.0.9' }), to);
  await edge.untilEvent({ event: 'dropped', source: '10.9.0.9', reason: 'not-a-peer' });
  assert.equal(edge.count({ event: 'advertisement', priority: 64 }), 1);
  tap.send(advertPacket({ ...unicast, ttl: 9 }), to);
  await edge.untilEvent({ event: 'dropped', source: '10.9.0.1', reason: 'bad-ttl' });
  assert.deepEqual(await edge.ask('anyTtl', { on: false }), { ok: true });
  tap.send(advertPacket({ ...good, ttl: 64 }));
  await edge.untilEvent({ event: 'dropped', reason: 'bad-ttl' });
});

test('what comes in by another interface is not heard', { skip }, async (t) => {
  const { b, tap, edge } = await laboratory(t);
  await b.ip('link add em2 type veth peer name em3', 'link set em2 up', 'link set em3 up');
  await b.ip('address add 10.8.0.1/24 dev em2');
  const other = await b.run(
    process.execPath,
    '--input-type=module',
    '-e',
    `const { vrrpSockets } = await import(${JSON.stringify(new URL('../../agent/net/vrrp-socket.js', import.meta.url).href)});
     const { ReceiveRounds } = await import(${JSON.stringify(new URL('../../agent/net/receive-rounds.js', import.meta.url).href)});
     const { openRtnetlink } = await import(${JSON.stringify(new URL('../../agent/link/rtnetlink.js', import.meta.url).href)});
     const socket = vrrpSockets(new ReceiveRounds())({ family: 4, interfaceName: 'em3', interfaceIndex: openRtnetlink().link('em3').index,
       groups: [0xe0000012], anyTtl: false, onPackets: () => {}, onError: () => {} });
     console.log(JSON.stringify(socket.send(Buffer.from('${hex(advertPacket({ ...good, priority: 77 }))}', 'hex'), 0xe0000012)));
     process.exit();`,
  );
  assert.equal(other.trim(), '{"ok":true}');
  tap.send(advertPacket(good));
  await edge.untilEvent({ event: 'advertisement', priority: 100 });
  assert.equal(edge.count({ event: 'advertisement', priority: 77 }), 0);
});

test('the interface going down, away and coming back are values', { skip }, async (t) => {
  const { lab, b, tap, edge } = await laboratory(t);
  const packet = hex(advertPacket({ ...good, source: '10.9.0.2' }));
  const codeOf = async () => ((await edge.ask('send', { packet })) as { readonly code?: string }).code;
  await b.ip('link set em1 down');
  assert.ok(['ENETDOWN', 'ENETUNREACH'].includes((await codeOf()) ?? 'sent'), await codeOf());
  await b.ip('link set em1 up');
  await until('the interface to be up', 3000, async () => (await codeOf()) === undefined);
  tap.send(advertPacket({ ...good, priority: 1 }));
  await edge.untilEvent({ event: 'advertisement', priority: 1 });

  await b.ip('link delete em1');
  assert.ok(['ENODEV', 'ENXIO'].includes((await codeOf()) ?? 'sent'), await codeOf());
  await assert.rejects(edge.ask('openVrrpOn', { name: 'em1' }), { code: 'ENODEV' });
  await lab.plug(b);
  await edge.ask('openVrrp');
  assert.equal(await codeOf(), undefined);
  tap.send(advertPacket({ ...good, priority: 2 }));
  await edge.untilEvent({ event: 'advertisement', priority: 2 });
  assert.equal(edge.count({ event: 'vrrpError' }), 0);
  await edge.ask('quit');
  // Nothing keeps the process alive.
  await until('the process to end', 3000, () => !edge.program.running);
  assert.equal(await edge.program.ended, 'exit 0');
});

test('without the capability there is a clear error', { skip }, async (t) => {
  const { edge } = await laboratory(t);
  await edge.ask('dropPrivileges');
  await assert.rejects(edge.ask('openVrrp'), { code: 'EPERM', message: /open a raw socket.*CAP_NET_RAW/ });
});

function checksumIpHeader(packet: Uint8Array, length: number): void {
  const view = new DataView(packet.buffer);
  view.setUint16(10, 0);
  let sum = 0;
  for (let at = 0; at < length; at += 2) sum += view.getUint16(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  view.setUint16(10, ~sum & 0xffff);
}
