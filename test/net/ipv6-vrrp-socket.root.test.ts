import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Lab, labUnavailable } from '../lab/lab.js';
import { ipv6AdvertPacket, ipv6Packet } from '../lab/packet.js';
import { Tap } from '../lab/tap.js';
import { until } from '../lab/until.js';
import { Edge } from './edge.js';

const skip = labUnavailable();
const good = { source: 'fe80::1', vrid: 10, priority: 100, addresses: ['fe80::26'], interval: 100 };
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const mac = (text: string) => Buffer.from(text.replaceAll(':', ''), 'hex');

async function laboratory(t: TestContext) {
  const lab = await Lab.open();
  t.after(() => lab.close());
  const a = await lab.host('a', { addresses: ['10.9.0.1/24', 'fe80::1/64 nodad'] });
  const b = await lab.host('b', { addresses: ['10.9.0.2/24', 'fe80::2/64 nodad'] });
  const [tap, edge] = [await Tap.open(a), await Edge.start(b)];
  await edge.ask('openVrrp', { family: 6 });
  return { lab, a, b, tap, edge };
}

test('what is sent leaves as it is, to the group and to a peer, from any address', { skip }, async (t) => {
  const { a, b, tap, edge } = await laboratory(t);
  const packet = ipv6AdvertPacket({ ...good, source: 'fe80::2' });
  assert.deepEqual(await edge.ask('send', { packet: hex(packet), destination: 'ff02::12' }), { ok: true });
  await until('it', 3000, () => tap.ipv6Adverts('fe80::2').length === 1);
  assert.equal(hex(tap.ipv6Adverts('fe80::2')[0]?.bytes ?? new Uint8Array()), hex(packet));
  const frame = tap.ipv6Frames.find(({ bytes }) => bytes[20] === 112);
  assert.equal(hex(frame?.bytes.subarray(0, 6) ?? new Uint8Array()), '333300000012');

  // Another router's source on the same socket, and back.
  for (const [i, source] of ['fe80::77', 'fe80::2'].entries()) {
    const other = ipv6AdvertPacket({ ...good, source, priority: i });
    assert.deepEqual(await edge.ask('send', { packet: hex(other), destination: 'ff02::12' }), { ok: true });
    await until('it', 3000, () => tap.ipv6Adverts(source).some(({ bytes }) => bytes[42] === i));
  }

  await b.ip(`neighbor replace fe80::1 lladdr ${await a.mac()} dev em1`);
  const unicast = ipv6AdvertPacket({ ...good, source: 'fe80::2', destination: 'fe80::1', ttl: 64 });
  assert.deepEqual(await edge.ask('send', { packet: hex(unicast), destination: 'fe80::1' }), { ok: true });
  await until('it', 3000, () => tap.ipv6Adverts('fe80::2').some(({ bytes }) => hex(bytes) === hex(unicast)));
  // Not looped back to the sender.
  assert.equal(edge.events.filter(({ event }) => event !== 'ready').length, 0);
});

test('a macvlan without any address of its own sends from the base’s address and the virtual MAC', {
  skip,
}, async (t) => {
  const { b, tap, edge } = await laboratory(t);
  await b.ip(
    'link add vrrp6.10 link em1 address 00:00:5e:00:02:0a type macvlan mode private',
    'link set vrrp6.10 addrgenmode none',
    'link set vrrp6.10 up',
  );
  await edge.ask('openSender', { family: 6, name: 'vrrp6.10' });
  const packet = hex(ipv6AdvertPacket({ ...good, source: 'fe80::2' }));
  assert.deepEqual(await edge.ask('sendAlone', { packet, destination: 'ff02::12' }), { ok: true });
  await until('it', 3000, () => tap.ipv6Adverts('fe80::2').length === 1);
  const frame = tap.ipv6Frames.find(({ bytes }) => bytes[20] === 112);
  assert.equal(hex(frame?.bytes.subarray(6, 12) ?? new Uint8Array()), '00005e00020a');

  // IPv4 the same.
  await edge.ask('openSender', { family: 4, name: 'vrrp6.10' });
  const ipv4 = '45c00024000100000070d08c0a090002e0000012310a96020064394a0a09001a0a09001b';
  assert.deepEqual(await edge.ask('sendAlone', { packet: ipv4, destination: '224.0.0.18' }), { ok: true });
  await tap.untilAdvert('10.9.0.2', 3000, 0);
  assert.equal(hex(tap.frames.at(-1)?.bytes.subarray(6, 12) ?? new Uint8Array()), '00005e00020a');
});

test('advertisements are heard while their group is joined', { skip }, async (t) => {
  const { b, tap, edge } = await laboratory(t);
  const ear = await Tap.open(b);
  tap.sendIpv6(ipv6AdvertPacket(good));
  await edge.untilEvent({ event: 'advertisement', source: 'fe80::1', priority: 100 });
  assert.match(await b.run('ip', '-6', 'maddress', 'show', 'dev', 'em1'), /ff02::12/);
  assert.deepEqual(await edge.ask('groups', { groups: ['ff02::abcd'] }), { ok: true });
  assert.doesNotMatch(await b.run('ip', '-6', 'maddress', 'show', 'dev', 'em1'), /ff02::12/);
  tap.sendIpv6(ipv6AdvertPacket({ ...good, priority: 101 }));
  await until('it to be there', 3000, () => ear.ipv6Adverts('fe80::1').some(({ bytes }) => bytes[42] === 101));
  const other = { ...good, vrid: 12, destination: 'ff02::abcd' };
  tap.sendIpv6(ipv6AdvertPacket({ ...other, priority: 102 }), mac('33:33:00:00:ab:cd'));
  await edge.untilEvent({ event: 'advertisement', priority: 102 });
  assert.equal(edge.count({ event: 'advertisement', priority: 101 }), 0);
  assert.deepEqual(await edge.ask('groups', { groups: ['ff02::12', 'ff02::abcd'] }), { ok: true });
  tap.sendIpv6(ipv6AdvertPacket({ ...good, priority: 103 }));
  await edge.untilEvent({ event: 'advertisement', priority: 103 });
});

test('every malformed advertisement reaches the decoder and is named', { skip }, async (t) => {
  const { tap, edge } = await laboratory(t);
  const message = ipv6AdvertPacket(good).subarray(40);
  // RFC 8200 section 4.6: 112 follows, length 8, six bytes of padding.
  const options = Uint8Array.from([112, 0, 1, 4, 0, 0, 0, 0, ...message]);
  // Unknown options that are to be skipped, 512 bytes of them: more than is asked for.
  const manyOptions = Uint8Array.from([
    112,
    63,
    30,
    254,
    ...new Uint8Array(254),
    30,
    250,
    ...new Uint8Array(250),
    1,
    0,
  ]);
  const from = (source: string) => ipv6AdvertPacket({ ...good, source });
  const rows: readonly (readonly [string, Uint8Array])[] = [
    ['truncated', ipv6Packet('fe80::1', 'ff02::12', new Uint8Array(0))],
    ['truncated', ipv6Packet('fe80::1', 'ff02::12', message.subarray(0, 7))],
    ['bad-length', ipv6AdvertPacket({ ...good, truncateTo: 8 })],
    ['bad-length', ipv6AdvertPacket({ ...good, count: 255 })],
    ['bad-length', ipv6Packet('fe80::1', 'ff02::12', Uint8Array.from([...message, ...new Uint8Array(1200)]))],
    ['no-addresses', ipv6AdvertPacket({ ...good, count: 0 })],
    ['bad-checksum', ipv6AdvertPacket({ ...good, checksum: 'wrong' })],
    ['bad-checksum', ipv6AdvertPacket({ ...good, checksum: 'message_only' })],
    ['bad-version', ipv6AdvertPacket({ ...good, version: 15 })],
    ['bad-version', ipv6AdvertPacket({ ...good, version: 2 })],
    ['bad-type', ipv6AdvertPacket({ ...good, type: 0 })],
    ['bad-type', ipv6AdvertPacket({ ...good, type: 2 })],
    ['bad-ttl', ipv6AdvertPacket({ ...good, ttl: 254 })],
    ['bad-ttl', ipv6AdvertPacket({ ...good, ttl: 1 })],
    ['zero-interval', ipv6AdvertPacket({ ...good, interval: 0 })],
    ['unknown-vrid', ipv6AdvertPacket({ ...good, vrid: 0 })],
    ['unknown-vrid', ipv6AdvertPacket({ ...good, vrid: 99 })],
    ['bad-source', from('::')],
    ['off-link-source', from('2001:db8::1')],
    ['wrong-destination', ipv6AdvertPacket({ ...good, destination: 'ff02::1' })],
    ['ip-options', ipv6Packet('fe80::1', 'ff02::12', options, 255, 60)],
    ['ip-options', ipv6Packet('fe80::1', 'ff02::12', options, 255, 0)],
    ['ip-options', ipv6Packet('fe80::1', 'ff02::12', Uint8Array.from([...manyOptions, ...message]), 255, 60)],
  ];
  for (const [reason, packet] of rows) {
    const seen = edge.events.length;
    tap.sendIpv6(packet);
    await edge.untilEvent({ event: 'dropped', reason }, 3000, seen);
  }
  tap.sendIpv6(ipv6AdvertPacket(good));
  await edge.untilEvent({ event: 'advertisement', source: 'fe80::1' });
  assert.equal(edge.count({ event: 'advertisement' }), 1);
});

test('the largest advertisement is whole', { skip }, async (t) => {
  const { b, a, tap, edge } = await laboratory(t);
  for (const host of [a, b]) await host.ip('link set em1 mtu 9000');
  const addresses = Array.from({ length: 80 }, (_, i) => `fe80::${i + 1}`);
  tap.sendIpv6(ipv6AdvertPacket({ ...good, priority: 55, addresses }));
  await edge.untilEvent({ event: 'advertisement', priority: 55 });
});

test('reception outlives garbage collection, even if the owner forgot the socket', { skip }, async (t) => {
  const { b, tap, edge } = await laboratory(t);
  const forgetful = await Edge.start(b);
  await forgetful.ask('openAndForget', { family: 6 });
  for (let round = 1; round <= 3; round++) {
    for (const process of [edge, forgetful]) await process.ask('collectGarbage');
    tap.sendIpv6(ipv6AdvertPacket({ ...good, priority: round }));
    tap.sendIpv6(ipv6AdvertPacket({ ...good, ttl: round }));
    for (const process of [edge, forgetful]) {
      await process.untilEvent({ event: 'advertisement', priority: round });
      await until('the refused one', 3000, () => process.count({ event: 'dropped', reason: 'bad-ttl' }) === round);
    }
  }
});

test('a flood of garbage loses no advertisement and is read at a bounded rate', { skip }, async (t) => {
  const { a, tap, edge } = await laboratory(t);
  const flooder = await Edge.start(a);
  await flooder.ask('openVrrp', { family: 6 });
  const garbage = hex(ipv6AdvertPacket({ ...good, ttl: 7 }));
  for (let round = 1; round <= 20; round++) {
    await flooder.ask('send', { packet: garbage, destination: 'ff02::12', count: 1000 });
    tap.sendIpv6(ipv6AdvertPacket({ ...good, priority: round }));
  }
  for (let round = 1; round <= 20; round++) await edge.untilEvent({ event: 'advertisement', priority: round }, 10_000);
  const drops = async () => (await edge.ask('drops')) as { readonly overruns: number; readonly refuse: number };
  const counted = () => edge.count({ event: 'dropped', reason: 'bad-ttl' });
  await until(
    'the flood to be over',
    5000,
    async () => counted() + (await drops()).refuse >= 20_000,
    async () => [counted(), await drops()],
  );
  assert.ok(counted() >= 64 && counted() < 10_000, `${counted()} of the flood were decoded`);
  assert.equal((await drops()).overruns, 0);
  // It recovers: what comes later is counted again.
  const before = edge.events.length;
  tap.sendIpv6(ipv6AdvertPacket({ ...good, type: 3 }));
  await edge.untilEvent({ event: 'dropped', reason: 'bad-type' }, 3000, before);
});

test('unicast: any hop limit that the peer may have, from the peer only', { skip }, async (t) => {
  const { b, tap, edge } = await laboratory(t);
  const to = mac(await b.mac());
  const unicast = { ...good, vrid: 11, destination: 'fe80::2', ttl: 64 };
  assert.deepEqual(await edge.ask('anyTtl', { on: true }), { ok: true });
  tap.sendIpv6(ipv6AdvertPacket({ ...unicast, priority: 64 }), to);
  await edge.untilEvent({ event: 'advertisement', source: 'fe80::1', priority: 64 });
  tap.sendIpv6(ipv6AdvertPacket({ ...unicast, source: 'fe80::9' }), to);
  await edge.untilEvent({ event: 'dropped', source: 'fe80::9', reason: 'not-a-peer' });
  tap.sendIpv6(ipv6AdvertPacket({ ...unicast, ttl: 9 }), to);
  await edge.untilEvent({ event: 'dropped', source: 'fe80::1', reason: 'bad-ttl' });
  assert.equal(edge.count({ event: 'advertisement', priority: 64 }), 1);
  assert.deepEqual(await edge.ask('anyTtl', { on: false }), { ok: true });
  const seen = edge.events.length;
  tap.sendIpv6(ipv6AdvertPacket({ ...good, ttl: 64 }));
  await edge.untilEvent({ event: 'dropped', reason: 'bad-ttl' }, 3000, seen);
});

test('the interface going down, away and coming back are values', { skip }, async (t) => {
  const { lab, b, tap, edge } = await laboratory(t);
  const packet = hex(ipv6AdvertPacket({ ...good, source: 'fe80::2' }));
  const codeOf = async () =>
    ((await edge.ask('send', { packet, destination: 'ff02::12' })) as { readonly code?: string }).code;
  assert.equal(await codeOf(), undefined);
  await b.ip('link set em1 down');
  assert.ok(['ENETDOWN', 'ENETUNREACH'].includes((await codeOf()) ?? 'sent'), await codeOf());
  await b.ip('link set em1 up');
  await until('the interface to be up', 3000, async () => (await codeOf()) === undefined);
  tap.sendIpv6(ipv6AdvertPacket({ ...good, priority: 1 }));
  await edge.untilEvent({ event: 'advertisement', priority: 1 });

  await b.ip('link delete em1');
  assert.ok(['ENODEV', 'ENXIO', 'ENETUNREACH'].includes((await codeOf()) ?? 'sent'), await codeOf());
  await assert.rejects(edge.ask('openVrrpOn', { family: 6, name: 'em1' }), { code: 'ENODEV' });
  await lab.plug(b);
  await edge.ask('openVrrp', { family: 6 });
  await until('the interface to be up', 3000, async () => (await codeOf()) === undefined);
  tap.sendIpv6(ipv6AdvertPacket({ ...good, priority: 2 }));
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
  await assert.rejects(edge.ask('openVrrp', { family: 6 }), {
    code: 'EPERM',
    message: /open a raw socket.*CAP_NET_RAW/,
  });
});
