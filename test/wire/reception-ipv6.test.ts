import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addToSum, finishChecksum } from '../../agent/wire/checksum.js';
import { type DropReason, decodeAdvertisement, type Expectations } from '../../agent/wire/reception.js';
import { bytesOf, ip6, secret, V2_IPV6, V2_IPV6_PASS, V3_IPV6, V3_MULTICAST } from './captured.js';

const IP = 40;
const addresses = [ip6('fe80::aa:26'), ip6('2001:db8::26')];
const multicast: Expectations = {
  version: 3,
  interval: 1_000_000,
  transport: { kind: 'multicast', group: ip6('ff02::12') },
  ownAddresses: new Set([ip6('fe80::2'), ip6('2001:db8::2')]),
  onLink: [],
};
const version2: Expectations = { ...multicast, version: 2 };
const strict: Expectations = { ...multicast, linkLocalFirst: true };
const unicast: Expectations = {
  ...multicast,
  transport: {
    kind: 'unicast',
    peers: new Map([
      [ip6('fe80::1'), { least: 0, greatest: 255 }],
      [ip6('2001:db8::1'), { least: 64, greatest: 64 }],
    ]),
  },
};
const receive = (packet: Uint8Array, expected: Expectations) =>
  decodeAdvertisement(6, packet, new Map([[10, expected]]));

test('version 3 is accepted as captured', () => {
  assert.deepEqual(receive(bytesOf(V3_IPV6), multicast), {
    ok: true,
    vrid: 10,
    source: ip6('fe80::1'),
    advertisement: { priority: 150, interval: 1_000_000, addresses },
  });
});

test('version 2 is accepted as captured', () => {
  const advertisement = { priority: 150, interval: 1_000_000, addresses };
  const accepted = { ok: true, vrid: 10, source: ip6('fe80::1'), advertisement };
  assert.deepEqual(receive(bytesOf(V2_IPV6), version2), accepted);
  assert.deepEqual(receive(bytesOf(V2_IPV6_PASS), { ...version2, password: secret('any') }), accepted);
});

/** Changes bytes of a good packet and makes its checksum right again, so that only the change is wrong. */
function changed(hex: string, change: (view: DataView) => void): Uint8Array {
  const bytes = bytesOf(hex);
  change(new DataView(bytes.buffer));
  return summed(bytes);
}
function summed(bytes: Uint8Array): Uint8Array {
  const view = new DataView(bytes.buffer);
  view.setUint16(IP + 6, 0);
  const pseudo = addToSum(112 + bytes.length - IP, bytes, 8, 40);
  view.setUint16(IP + 6, finishChecksum(addToSum(pseudo, bytes, IP, bytes.length)));
  return bytes;
}
const setByte = (at: number, value: number) => (view: DataView) => view.setUint8(at, value);
const setWord = (at: number, value: number) => (view: DataView) => view.setUint16(at, value);
const setAddress = (at: number, text: string) => (view: DataView) => {
  view.setBigUint64(at, ip6(text) >> 64n);
  view.setBigUint64(at + 8, ip6(text) & 0xffff_ffff_ffff_ffffn);
};
const from = (source: string) => changed(V3_IPV6, setAddress(8, source));
const to = (destination: string) => changed(V3_IPV6, setAddress(24, destination));

/** Makes the payload length follow the bytes. */
function resized(hex: string, extra: number): Uint8Array {
  const bytes = bytesOf(hex);
  const larger = new Uint8Array(bytes.length + extra);
  larger.set(bytes.subarray(0, larger.length));
  new DataView(larger.buffer).setUint16(4, larger.length - IP);
  return larger.length >= IP + 8 ? summed(larger) : larger;
}

/** From fe80::1 to fe80::2 or so, with this hop limit. */
const unicastPacket = (source: string, destination: string, hopLimit: number) =>
  changed(V3_IPV6, (view) => {
    setAddress(8, source)(view);
    setAddress(24, destination)(view);
    view.setUint8(7, hopLimit);
  });

const rows: readonly (readonly [string, DropReason | 'accepted', Uint8Array, Expectations])[] = [
  ['empty payload', 'truncated', resized(V3_IPV6, -40), multicast],
  ...[1, 2, 3, 4, 5, 6, 7].map(
    (length) => [`${length} bytes of VRRP`, 'truncated', resized(V3_IPV6, length - 40), multicast] as const,
  ),
  ['half a header', 'truncated', bytesOf(V3_IPV6).subarray(0, 39), multicast],
  ['payload length beyond the datagram', 'truncated', changed(V3_IPV6, setWord(4, 41)), multicast],
  ['link-layer padding', 'accepted', Uint8Array.from([...bytesOf(V3_IPV6), ...new Uint8Array(10)]), multicast],
  ['an IPv4 packet', 'truncated', bytesOf(V3_MULTICAST), multicast],
  ['IP version 4', 'bad-ip-header', changed(V3_IPV6, setByte(0, 0x4c)), multicast],
  ['protocol 17', 'not-vrrp', changed(V3_IPV6, setByte(6, 17)), multicast],
  ['fragment', 'fragment', changed(V3_IPV6, setByte(6, 44)), multicast],
  ...[0, 43, 60].map(
    (next) => [`extension header ${next}`, 'ip-options', changed(V3_IPV6, setByte(6, next)), multicast] as const,
  ),
  ['header only, count 2', 'bad-length', resized(V3_IPV6, -32), multicast],
  ['count 255, two addresses', 'bad-length', changed(V3_IPV6, setByte(IP + 3, 255)), multicast],
  ['count 1, two addresses', 'bad-length', changed(V3_IPV6, setByte(IP + 3, 1)), multicast],
  ['count 0', 'no-addresses', changed(V3_IPV6, setByte(IP + 3, 0)), multicast],
  ['IPv4 addresses', 'bad-length', resized(V3_IPV6, -24), multicast],
  ...[1, 4, 8, 28, 32, 1200].map(
    (extra) => [`${extra} trailing bytes`, 'bad-length', resized(V3_IPV6, extra), multicast] as const,
  ),
  ['version 2 with authentication data', 'bad-length', resized(V2_IPV6, 8), version2],
  ['PASS, none wanted', 'auth-type-mismatch', bytesOf(V2_IPV6_PASS), version2],
  ['no authentication, PASS wanted', 'auth-type-mismatch', bytesOf(V2_IPV6), { ...version2, password: secret('any') }],
  ['interval 2 s, version 2', 'interval-mismatch', changed(V2_IPV6, setByte(IP + 5, 2)), version2],
  ['wrong checksum', 'bad-checksum', bytesOf(V3_IPV6.replace('0d30', '0d31')), multicast],
  ['checksum 0', 'bad-checksum', bytesOf(V3_IPV6.replace('0d30', '0000')), multicast],
  // 310a + 9602 + 0064 + fe80 + 00aa + 0026 + 2001 + 0db8 + 0026 folded is f4a0, complement 0b5f.
  ['a checksum of the message alone', 'bad-checksum', bytesOf(V3_IPV6.replace('0d30', '0b5f')), multicast],
  ...[0, 1, 2, 4, 15].map(
    (version) =>
      [`version ${version}`, 'bad-version', changed(V3_IPV6, setByte(IP, (version << 4) | 1)), multicast] as const,
  ),
  ...[0, 2, 15].map(
    (type) => [`type ${type}`, 'bad-type', changed(V3_IPV6, setByte(IP, 0x30 | type)), multicast] as const,
  ),
  ...[0, 1, 64, 254].map(
    (hopLimit) => [`hop limit ${hopLimit}`, 'bad-ttl', changed(V3_IPV6, setByte(7, hopLimit)), multicast] as const,
  ),
  ['interval 0', 'zero-interval', changed(V3_IPV6, setWord(IP + 4, 0)), multicast],
  ['reserved bits', 'accepted', changed(V3_IPV6, setWord(IP + 4, 0xf064)), multicast],
  ['VRID 0', 'unknown-vrid', changed(V3_IPV6, setByte(IP + 1, 0)), multicast],
  ['another VRID', 'unknown-vrid', changed(V3_IPV6, setByte(IP + 1, 11)), multicast],
  ['own source', 'own-source', from('fe80::2'), multicast],
  ...['::', '::1', 'ff02::12', 'ff0e::1', '::ffff:10.9.0.1'].map(
    (source) => [`source ${source}`, 'bad-source', from(source), multicast] as const,
  ),
  ...['2001:db8::1', 'fd00::1', 'fec0::1', '::10.9.0.1'].map(
    (source) => [`source ${source}`, 'off-link-source', from(source), multicast] as const,
  ),
  ['the end of fe80::/10', 'accepted', from('febf::1'), multicast],
  ['another group', 'wrong-destination', to('ff02::1'), multicast],
  ['unicast to a multicast router', 'wrong-destination', to('fe80::2'), multicast],
  ['multicast to a unicast router', 'wrong-destination', bytesOf(V3_IPV6), unicast],
  [
    'a group of its own',
    'accepted',
    to('ff05::abcd'),
    { ...multicast, transport: { kind: 'multicast', group: ip6('ff05::abcd') } },
  ],
  [
    'a source that is not believed',
    'not-a-peer',
    bytesOf(V3_IPV6),
    { ...multicast, transport: { kind: 'multicast', group: ip6('ff02::12'), believed: new Set([ip6('fe80::9')]) } },
  ],
  ['unicast from a peer, any hop limit', 'accepted', unicastPacket('fe80::1', 'fe80::2', 3), unicast],
  ['unicast from a routed peer', 'accepted', unicastPacket('2001:db8::1', '2001:db8::2', 64), unicast],
  ['unicast from too far', 'bad-ttl', unicastPacket('2001:db8::1', '2001:db8::2', 63), unicast],
  ['unicast from too near', 'bad-ttl', unicastPacket('2001:db8::1', '2001:db8::2', 65), unicast],
  ['unicast from a stranger', 'not-a-peer', unicastPacket('2001:db8::9', '2001:db8::2', 64), unicast],
  ['unicast from an IPv4-mapped peer', 'bad-source', unicastPacket('::ffff:10.9.0.1', 'fe80::2', 64), unicast],
  [
    'a first address that is not link-local',
    'accepted',
    changed(V3_IPV6, setAddress(IP + 8, '2001:db8::1')),
    multicast,
  ],
  ['the same in strict mode', 'address-not-link-local', changed(V3_IPV6, setAddress(IP + 8, '2001:db8::1')), strict],
  ['a link-local first address in strict mode', 'accepted', bytesOf(V3_IPV6), strict],
  ['other virtual addresses', 'accepted', changed(V3_IPV6, setAddress(IP + 24, 'ff02::1')), multicast],
];

for (const [name, verdict, packet, expected] of rows) {
  test(`${name}: ${verdict}`, () => {
    const reception = receive(packet, expected);
    assert.equal(reception.ok ? 'accepted' : reception.reason, verdict);
  });
}

test('addresses come in the order of the message', () => {
  const swapped = changed(V3_IPV6, (view) => {
    setAddress(IP + 8, '2001:db8::26')(view);
    setAddress(IP + 24, 'fe80::aa:26')(view);
  });
  const reception = receive(swapped, multicast);
  assert.ok(reception.ok);
  assert.deepEqual(reception.advertisement.addresses, [addresses[1], addresses[0]]);
});

test('who sent it is told as far as it could be read', () => {
  assert.deepEqual(receive(bytesOf(V3_IPV6).subarray(0, 39), multicast), { ok: false, reason: 'truncated' });
  assert.deepEqual(receive(changed(V3_IPV6, setByte(7, 1)), multicast), {
    ok: false,
    reason: 'bad-ttl',
    vrid: 10,
    source: ip6('fe80::1'),
  });
});
