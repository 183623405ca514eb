import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AdvertisementFields, AdvertisementTemplate } from '../../agent/wire/advertisement.js';
import { addToSum, finishChecksum } from '../../agent/wire/checksum.js';
import { HMAC_REFUSALS } from '../../agent/wire/hmac-verifier.js';
import { DROP_REASONS, type DropReason, decodeAdvertisement, type Expectations } from '../../agent/wire/reception.js';
import { bytesOf, ip, secret, V2_NONE, V2_PASS, V3_MESSAGE_ONLY, V3_MULTICAST, V3_UNICAST } from './captured.js';

const IP = 20;
const addresses = [ip('10.9.0.26'), ip('10.9.0.27')];
const multicast: Expectations = {
  version: 3,
  interval: 1_000_000,
  transport: { kind: 'multicast', group: ip('224.0.0.18') },
  ownAddresses: new Set([ip('10.9.0.2')]),
  onLink: [{ address: ip('10.9.0.2'), prefixLength: 24 }],
};
const version2: Expectations = { ...multicast, version: 2 };
const withPassword: Expectations = { ...version2, password: secret('pg-vrrp') };
const unicast: Expectations = {
  ...multicast,
  transport: { kind: 'unicast', peers: new Map([[ip('10.9.0.1'), { least: 0, greatest: 255 }]]) },
};
const receive = (packet: Uint8Array, expected: Expectations) =>
  decodeAdvertisement(4, packet, new Map([[10, expected]]));

const accepted: readonly (readonly [string, string, Expectations, object])[] = [
  ['v2 PASS', V2_PASS, withPassword, { priority: 100, interval: 1_000_000, addresses }],
  ['v2 without authentication', V2_NONE, version2, { priority: 150, interval: 1_000_000, addresses }],
  ['v3 multicast', V3_MULTICAST, multicast, { priority: 150, interval: 1_000_000, addresses }],
  ['v3 unicast', V3_UNICAST, unicast, { priority: 255, interval: 50_000, addresses }],
  ['v3 message only', V3_MESSAGE_ONLY, multicast, { priority: 150, interval: 1_000_000, addresses }],
];
const forms: Readonly<Record<string, string>> = {
  'v3 multicast': 'pseudo_header',
  'v3 unicast': 'pseudo_header',
  'v3 message only': 'message_only',
};
for (const [name, hex, expected, advertisement] of accepted) {
  test(`${name} is accepted as captured`, () => {
    const form = forms[name];
    assert.deepEqual(receive(bytesOf(hex), expected), {
      ok: true,
      vrid: 10,
      source: ip('10.9.0.1'),
      advertisement,
      ...(form === undefined ? {} : { checksumForm: form }),
    });
  });
}

/** Changes bytes of a good packet; `resum` makes its checksums right again, so that only the change is wrong. */
function changed(hex: string, change: (view: DataView) => void, form?: 'message_only' | 'as it is'): Uint8Array {
  const bytes = bytesOf(hex);
  const view = new DataView(bytes.buffer);
  change(view);
  if (form === 'as it is') return bytes;
  view.setUint16(IP + 6, 0);
  view.setUint16(IP + 6, finishChecksum(addToSum(0, bytes, IP, bytes.length)));
  return bytes;
}
const setByte = (at: number, value: number) => (view: DataView) => view.setUint8(at, value);
const setWord = (at: number, value: number) => (view: DataView) => view.setUint16(at, value);
const setSource = (address: string) => (view: DataView) => view.setUint32(12, ip(address));
const setDestination = (address: string) => (view: DataView) => view.setUint32(16, ip(address));

/** Makes the IP total length follow the bytes. */
function resized(hex: string, extra: number): Uint8Array {
  const bytes = bytesOf(hex);
  const larger = new Uint8Array(bytes.length + extra);
  larger.set(bytes.subarray(0, larger.length));
  new DataView(larger.buffer).setUint16(2, larger.length);
  return larger;
}

function believing(...sources: readonly string[]): Expectations {
  return {
    ...multicast,
    transport: { kind: 'multicast', group: ip('224.0.0.18'), believed: new Set(sources.map(ip)) },
  };
}
const anotherGroup: Expectations = { ...multicast, transport: { kind: 'multicast', group: ip('239.1.2.3') } };

/** The same without its two addresses. */
function without(hex: string): Uint8Array {
  const bytes = resized(hex, -8);
  bytes[IP + 3] = 0;
  const view = new DataView(bytes.buffer);
  view.setUint16(IP + 6, 0);
  view.setUint16(IP + 6, finishChecksum(addToSum(0, bytes, IP, bytes.length)));
  return bytes;
}

const rows: readonly (readonly [string, DropReason | 'accepted', Uint8Array, Expectations])[] = [
  ['empty payload', 'truncated', resized(V3_MULTICAST, -16), multicast],
  ...[1, 2, 3, 4, 5, 6, 7].map(
    (length) => [`${length} bytes of VRRP`, 'truncated', resized(V3_MULTICAST, length - 16), multicast] as const,
  ),
  ['header only, count 1', 'bad-length', resized(V3_MULTICAST, -8), multicast],
  ['count 255, two addresses', 'bad-length', changed(V3_MULTICAST, setByte(IP + 3, 255)), multicast],
  ['count 1, two addresses', 'bad-length', changed(V3_MULTICAST, setByte(IP + 3, 1)), multicast],
  ['count 0', 'no-addresses', changed(V3_MULTICAST, setByte(IP + 3, 0)), multicast],
  ['count 0, version 2', 'no-addresses', changed(V2_NONE, setByte(IP + 3, 0)), version2],
  ['wrong checksum', 'bad-checksum', changed(V3_MULTICAST, setWord(IP + 6, 0x1234), 'as it is'), multicast],
  ['checksum 0', 'bad-checksum', changed(V3_MULTICAST, setWord(IP + 6, 0), 'as it is'), multicast],
  ['wrong checksum, version 2', 'bad-checksum', changed(V2_NONE, setWord(IP + 6, 0x1234), 'as it is'), version2],
  [
    'pseudo-header of another destination',
    'bad-checksum',
    changed(V3_UNICAST, setDestination('10.9.0.3'), 'as it is'),
    unicast,
  ],
  ...[0, 1, 2, 4, 15].map(
    (version) =>
      [
        `version ${version} to version 3`,
        'bad-version',
        changed(V3_MULTICAST, setByte(IP, (version << 4) | 1)),
        multicast,
      ] as const,
  ),
  ['version 2 to version 3', 'bad-version', bytesOf(V2_NONE), multicast],
  ['version 3 to version 2', 'bad-version', bytesOf(V3_MULTICAST), version2],
  ...[0, 2, 15].map(
    (type) => [`type ${type}`, 'bad-type', changed(V3_MULTICAST, setByte(IP, 0x30 | type)), multicast] as const,
  ),
  ...[0, 1, 64, 254].map(
    (ttl) => [`TTL ${ttl}`, 'bad-ttl', changed(V3_MULTICAST, setByte(8, ttl)), multicast] as const,
  ),
  ['TTL 254 by unicast', 'accepted', changed(V3_UNICAST, setByte(8, 254)), unicast],
  ...[
    [63, 'bad-ttl'],
    [64, 'accepted'],
    [200, 'accepted'],
    [201, 'bad-ttl'],
  ].map(
    ([ttl, verdict]) =>
      [
        `TTL ${ttl} by unicast, 64 to 200 allowed`,
        verdict as DropReason | 'accepted',
        changed(V3_UNICAST, setByte(8, Number(ttl))),
        {
          ...unicast,
          transport: { kind: 'unicast', peers: new Map([[ip('10.9.0.1'), { least: 64, greatest: 200 }]]) },
        },
      ] as const,
  ),
  ['interval 0', 'zero-interval', changed(V3_MULTICAST, setWord(IP + 4, 0)), multicast],
  ['interval 0 with reserved bits', 'zero-interval', changed(V3_MULTICAST, setWord(IP + 4, 0xf000)), multicast],
  ['interval 0, version 2', 'zero-interval', changed(V2_NONE, setByte(IP + 5, 0)), version2],
  ['interval 2 s, version 2', 'interval-mismatch', changed(V2_NONE, setByte(IP + 5, 2)), version2],
  ['interval 40.95 s, version 3', 'accepted', changed(V3_MULTICAST, setWord(IP + 4, 4095)), multicast],
  ['reserved bits', 'accepted', changed(V3_MULTICAST, setWord(IP + 4, 0xf064)), multicast],
  ['VRID 0', 'unknown-vrid', changed(V3_MULTICAST, setByte(IP + 1, 0)), multicast],
  ['another VRID', 'unknown-vrid', changed(V3_MULTICAST, setByte(IP + 1, 11)), multicast],
  ['priority 0', 'accepted', changed(V3_MULTICAST, setByte(IP + 2, 0)), multicast],
  ['priority 255', 'accepted', changed(V3_MULTICAST, setByte(IP + 2, 255)), multicast],
  ['own source', 'own-source', changed(V3_MULTICAST, setSource('10.9.0.2')), multicast],
  ['own source by unicast', 'own-source', changed(V3_UNICAST, setSource('10.9.0.2')), unicast],
  ...['0.0.0.0', '127.0.0.1', '224.0.0.18', '239.0.0.1', '240.0.0.1', '255.255.255.255', '10.9.0.255', '10.9.0.0'].map(
    (source) => [`source ${source}`, 'bad-source', changed(V3_MULTICAST, setSource(source)), multicast] as const,
  ),
  ['source 192.0.2.66', 'off-link-source', changed(V3_MULTICAST, setSource('192.0.2.66')), multicast],
  [
    'source in a second subnet',
    'accepted',
    changed(V3_MULTICAST, setSource('192.0.2.66')),
    {
      ...multicast,
      onLink: [...multicast.onLink, { address: ip('192.0.2.1'), prefixLength: 24 }],
    },
  ],
  [
    'any source without a subnet',
    'accepted',
    changed(V3_MULTICAST, setSource('192.0.2.66')),
    { ...multicast, onLink: [] },
  ],
  [
    'either end of a /31',
    'accepted',
    changed(V3_MULTICAST, setSource('192.0.2.66')),
    {
      ...multicast,
      onLink: [{ address: ip('192.0.2.67'), prefixLength: 31 }],
    },
  ],
  ['unicast from a stranger', 'not-a-peer', changed(V3_UNICAST, setSource('10.9.0.9')), unicast],
  ['unicast to a multicast router', 'wrong-destination', bytesOf(V3_UNICAST), multicast],
  ['multicast to a unicast router', 'wrong-destination', bytesOf(V3_MULTICAST), unicast],
  ['a believed source', 'accepted', bytesOf(V3_MULTICAST), believing('10.9.0.1', '10.9.0.9')],
  ['a source that is not believed', 'not-a-peer', bytesOf(V3_MULTICAST), believing('10.9.0.9')],
  ['a group of its own', 'accepted', changed(V3_MULTICAST, setDestination('239.1.2.3')), anotherGroup],
  ['the usual group to a router with its own', 'wrong-destination', bytesOf(V3_MULTICAST), anotherGroup],
  ['count 0 to a router without addresses', 'accepted', without(V3_MULTICAST), { ...multicast, mayBeEmpty: true }],
  ['another group', 'wrong-destination', changed(V3_MULTICAST, setDestination('224.0.0.1')), multicast],
  ['total length beyond the datagram', 'truncated', changed(V3_MULTICAST, setWord(2, 37)), multicast],
  ['total length below the IP header', 'bad-ip-header', changed(V3_MULTICAST, setWord(2, 19)), multicast],
  ['Ethernet padding', 'accepted', Uint8Array.from([...bytesOf(V3_MULTICAST), ...new Uint8Array(10)]), multicast],
  ['IP version 6', 'bad-ip-header', changed(V3_MULTICAST, setByte(0, 0x65)), multicast],
  ...[0, 1, 4].map(
    (words) =>
      [
        `IP header of ${words} words`,
        'bad-ip-header',
        changed(V3_MULTICAST, setByte(0, 0x40 | words)),
        multicast,
      ] as const,
  ),
  ...[6, 7, 9].map(
    (words) =>
      [
        `IP header of ${words} words`,
        'ip-options',
        changed(V3_MULTICAST, setByte(0, 0x40 | words)),
        multicast,
      ] as const,
  ),
  ['IP header longer than the packet', 'bad-ip-header', changed(V3_MULTICAST, setByte(0, 0x4f)), multicast],
  ['protocol 17', 'not-vrrp', changed(V3_MULTICAST, setByte(9, 17)), multicast],
  ['first fragment', 'fragment', changed(V3_MULTICAST, setWord(6, 0x2000)), multicast],
  ['later fragment', 'fragment', changed(V3_MULTICAST, setWord(6, 1)), multicast],
  ['do not fragment', 'accepted', changed(V3_MULTICAST, setWord(6, 0x4000)), multicast],
  ...[1, 4, 8, 28, 32, 1200, 8964].map(
    (extra) => [`${extra} trailing bytes`, 'bad-length', resized(V3_MULTICAST, extra), multicast] as const,
  ),
  ['version 2 without authentication data', 'bad-length', resized(V2_NONE, -8), version2],
  ['another password', 'auth-failure', bytesOf(V2_PASS), { ...version2, password: secret('pg-vrrq') }],
  ['a longer password', 'auth-failure', bytesOf(V2_PASS), { ...version2, password: secret('pg-vrrp1') }],
  ['an empty password', 'auth-failure', changed(V2_PASS, (view) => view.setBigUint64(36, 0n)), withPassword],
  ['NULs within the password', 'auth-failure', changed(V2_PASS, setByte(38, 0)), withPassword],
  ['no authentication, one wanted', 'auth-type-mismatch', bytesOf(V2_NONE), withPassword],
  ['authentication, none wanted', 'auth-type-mismatch', bytesOf(V2_PASS), version2],
  ...[2, 9].map(
    (type) =>
      [
        `authentication type ${type}`,
        'auth-type-mismatch',
        changed(V2_PASS, setByte(IP + 4, type)),
        withPassword,
      ] as const,
  ),
  ['data without authentication is ignored', 'accepted', changed(V2_NONE, setByte(40, 7)), version2],
  ['other virtual addresses', 'accepted', changed(V3_MULTICAST, (view) => view.setUint32(28, 0)), multicast],
];

for (const [name, verdict, packet, expected] of rows) {
  test(`${name}: ${verdict}`, () => {
    const reception = receive(packet, expected);
    assert.equal(reception.ok ? 'accepted' : reception.reason, verdict);
  });
}

test('every reason has a row', () => {
  const elsewhere: readonly string[] = [...HMAC_REFUSALS, 'address-not-link-local'];
  const covered = new Set([...rows.map(([, verdict]) => verdict), ...elsewhere]);
  assert.deepEqual(
    DROP_REASONS.filter((reason) => !covered.has(reason)),
    [],
  );
});

test('who sent it is told as far as it could be read', () => {
  assert.deepEqual(receive(bytesOf(V3_MULTICAST).subarray(0, 19), multicast), { ok: false, reason: 'truncated' });
  assert.deepEqual(receive(resized(V3_MULTICAST, -9), multicast), {
    ok: false,
    reason: 'truncated',
    source: ip('10.9.0.1'),
  });
  assert.deepEqual(receive(changed(V3_MULTICAST, setByte(8, 1)), multicast), {
    ok: false,
    reason: 'bad-ttl',
    vrid: 10,
    source: ip('10.9.0.1'),
  });
});

test('checks of the sender come before those of the message', () => {
  const packet = changed(
    V2_PASS,
    (view) => {
      view.setUint8(8, 1);
      view.setUint8(IP, 0xf0);
      view.setUint8(IP + 4, 9);
      view.setUint16(IP + 6, 0);
    },
    'as it is',
  );
  assert.deepEqual(receive(packet, withPassword), { ok: false, reason: 'bad-ttl', vrid: 10, source: ip('10.9.0.1') });
});

test('the list of addresses is returned as it came, duplicates and oddities included', () => {
  const odd = [0, ip('224.0.0.1'), ip('10.9.0.26'), ip('10.9.0.26')];
  const fields: AdvertisementFields = {
    version: 3,
    vrid: 10,
    interval: 1_000_000,
    addresses: odd,
    source: ip('10.9.0.1'),
    destination: ip('224.0.0.18'),
    checksum: 'message_only',
  };
  const reception = receive(new AdvertisementTemplate(fields).packet(100), multicast);
  assert.ok(reception.ok);
  assert.deepEqual(reception.advertisement.addresses, odd);
});

test('a packet within a larger buffer is read at its own offset', () => {
  const around = new Uint8Array(100).fill(0xaa);
  around.set(bytesOf(V3_MULTICAST), 13);
  assert.ok(receive(around.subarray(13, 13 + 36), multicast).ok);
});
