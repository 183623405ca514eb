import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type AdvertisementFields, AdvertisementTemplate } from '../../agent/wire/advertisement.js';
import { AdvertisementSet } from '../../agent/wire/advertisement-set.js';
import { addToSum, foldSum } from '../../agent/wire/checksum.js';
import { HmacSigner } from '../../agent/wire/hmac-signer.js';
import {
  anyIp,
  bytesOf,
  ip,
  ip6,
  secret,
  V2_IPV6,
  V2_IPV6_PASS,
  V2_NONE,
  V2_PASS,
  V3_IPV6,
  V3_MESSAGE_ONLY,
  V3_MULTICAST,
  V3_UNICAST,
} from './captured.js';

const base: AdvertisementFields = {
  version: 3,
  vrid: 10,
  interval: 1_000_000,
  addresses: [ip('10.9.0.26'), ip('10.9.0.27')],
  source: ip('10.9.0.1'),
  destination: ip('224.0.0.18'),
  checksum: 'pseudo_header',
};
const ipv6: AdvertisementFields = {
  ...base,
  addresses: [ip6('fe80::aa:26'), ip6('2001:db8::26')],
  source: ip6('fe80::1'),
  destination: ip6('ff02::12'),
};

/** Our packets have no flow label. */
function withoutFlowLabel(packet: Uint8Array): Uint8Array {
  if ((packet[0] ?? 0) >>> 4 === 6) new DataView(packet.buffer).setUint32(0, 0x6c000000);
  return packet;
}

const vectors: readonly {
  readonly name: string;
  readonly fields: AdvertisementFields;
  readonly priority: number;
  readonly hex: string;
}[] = [
  { name: 'v2 PASS', fields: { ...base, version: 2, password: secret('pg-vrrp') }, priority: 100, hex: V2_PASS },
  { name: 'v2 without authentication', fields: { ...base, version: 2 }, priority: 150, hex: V2_NONE },
  { name: 'v3 multicast', fields: base, priority: 150, hex: V3_MULTICAST },
  {
    name: 'v3 unicast at 50 ms',
    fields: { ...base, destination: ip('10.9.0.2'), interval: 50_000 },
    priority: 255,
    hex: V3_UNICAST,
  },
  { name: 'v3 message only', fields: { ...base, checksum: 'message_only' }, priority: 150, hex: V3_MESSAGE_ONLY },
  { name: 'v3 over IPv6', fields: ipv6, priority: 150, hex: V3_IPV6 },
  { name: 'v3 over IPv6 has one form', fields: { ...ipv6, checksum: 'message_only' }, priority: 150, hex: V3_IPV6 },
  { name: 'v2 over IPv6', fields: { ...ipv6, version: 2 }, priority: 150, hex: V2_IPV6 },
  {
    name: 'v2 over IPv6 with PASS',
    fields: { ...ipv6, version: 2, password: secret('pg-vrrp') },
    priority: 150,
    hex: V2_IPV6_PASS,
  },
];

for (const { name, fields, priority, hex } of vectors) {
  test(`${name}: byte for byte as captured`, () => {
    assert.deepEqual(new AdvertisementTemplate(fields).packet(priority), withoutFlowLabel(bytesOf(hex)));
  });
}

test('version 2 does not care for the form of the checksum', () => {
  const fields: AdvertisementFields = { ...base, version: 2 };
  assert.deepEqual(
    new AdvertisementTemplate({ ...fields, checksum: 'message_only' }).packet(100),
    new AdvertisementTemplate({ ...fields, checksum: 'pseudo_header' }).packet(100),
  );
});

test('a TTL or hop limit of its own is in the header', () => {
  const ipv4 = new AdvertisementTemplate({ ...base, ttl: 64 }).packet(100);
  assert.equal(ipv4[8], 64);
  assert.equal(foldSum(addToSum(0, ipv4, 0, 20)), 0xffff);
  assert.equal(new AdvertisementTemplate({ ...ipv6, ttl: 1 }).packet(100)[7], 1);
});

const address = (isIpv6: boolean) => (isIpv6 ? fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }) : fc.nat(0xffffffff));
const fieldsArbitrary: fc.Arbitrary<AdvertisementFields> = fc
  .boolean()
  .chain((isIpv6) =>
    fc.record({
      version: fc.constantFrom<2 | 3>(2, 3),
      vrid: fc.integer({ min: 1, max: 255 }),
      units: fc.integer({ min: 1, max: 4095 }),
      addresses: fc.array<number | bigint>(address(isIpv6), { maxLength: 255 }),
      source: address(isIpv6),
      destination: address(isIpv6),
      ttl: fc.integer({ min: 1, max: 255 }),
      password: fc.option(fc.uint8Array({ minLength: 8, maxLength: 8 }), { nil: undefined }),
      checksum: fc.constantFrom<'message_only' | 'pseudo_header'>('message_only', 'pseudo_header'),
    }),
  )
  .map(({ units, password, ...rest }) => ({
    ...rest,
    interval: rest.version === 2 ? (1 + (units % 255)) * 1_000_000 : units * 10_000,
    ...(password === undefined ? {} : { password }),
  }));

/** By summing all of it anew, not by patching. */
function assertChecksum(packet: Uint8Array, { version, checksum, source }: AdvertisementFields, end: number): void {
  const isIpv6 = typeof source === 'bigint';
  const start = isIpv6 ? 40 : 20;
  const length = end - start;
  const pseudo = isIpv6
    ? addToSum(112 + length, packet, 8, 40)
    : version === 3 && checksum === 'pseudo_header'
      ? addToSum(112 + length, packet, 12, 20)
      : 0;
  assert.equal(foldSum(addToSum(pseudo, packet, start, end)), 0xffff);
}

test('checksums are right, whatever priorities came before', () => {
  fc.assert(
    fc.property(fieldsArbitrary, fc.array(fc.nat(255), { minLength: 1, maxLength: 6 }), (fields, priorities) => {
      const template = new AdvertisementTemplate(fields);
      priorities.forEach((priority, i) => {
        const packet = template.packet(priority);
        assert.equal(packet[template.messageStart + 2], priority);
        assertChecksum(packet, fields, packet.length);
        if (typeof fields.source === 'bigint') return;
        assert.equal(new DataView(packet.buffer).getUint16(4), i + 1);
        assert.equal(foldSum(addToSum(0, packet, 0, 20)), 0xffff);
      });
    }),
    { seed: 22, numRuns: 500 },
  );
});

test('the identification goes around without zero', () => {
  const template = new AdvertisementTemplate(base);
  const idOf = (packet: Uint8Array) => new DataView(packet.buffer, packet.byteOffset).getUint16(4);
  for (let i = 1; i <= 0xffff; i++) if (idOf(template.packet(1)) !== i) assert.fail(`wrong identification at ${i}`);
  const next = template.packet(1);
  assert.equal(idOf(next), 1);
  assert.equal(foldSum(addToSum(0, next, 0, 20)), 0xffff);
});

const refused: readonly (readonly [string, Partial<AdvertisementFields>])[] = [
  ['VRID 0', { vrid: 0 }],
  ['VRID 256', { vrid: 256 }],
  ['256 addresses', { addresses: new Array(256).fill(1) }],
  ['interval 0', { interval: 0 }],
  ['v3 interval over 40.95 s', { interval: 40_960_000 }],
  ['v3 fraction of a centisecond', { interval: 15_000 }],
  ['v2 fraction of a second', { version: 2, interval: 1_500_000 }],
  ['v2 interval over 255 s', { version: 2, interval: 256_000_000 }],
  ['password of 7 bytes', { version: 2, password: new Uint8Array(7) }],
  ['TTL 0', { ttl: 0 }],
  ['TTL 256', { ttl: 256 }],
  ['a source of the other family', { source: ip6('fe80::1') }],
  ['a virtual address of the other family', { addresses: [ip('10.9.0.26'), ip6('fe80::26')] }],
];
for (const [name, change] of refused) {
  test(`${name} is a RangeError`, () => {
    assert.throws(() => new AdvertisementTemplate({ ...base, ...change }), RangeError);
  });
}

test('a priority out of range is a RangeError', () => {
  for (const priority of [-1, 256, 1.5, Number.NaN]) {
    assert.throws(() => new AdvertisementTemplate(base).packet(priority), RangeError);
  }
});

test('a set has one packet for each destination, and one signature for all', () => {
  for (const [fields, peers] of [
    [base, ['10.9.0.2', '10.9.0.3', '10.9.0.4']],
    [ipv6, ['fe80::2', 'fe80::3', 'fe80::4']],
  ] as const) {
    const destinations = peers.map(anyIp);
    let signatures = 0;
    const mac = (bytes: Uint8Array) => {
      signatures += 1;
      return new Uint8Array(32).fill(bytes.length & 0xff);
    };
    const signer = new HmacSigner({ keyId: 3, mac, replayGuard: 'time', timeWindow: 5e6, wallMs: () => 1000 });
    const set = new AdvertisementSet(fields, destinations, signer);
    for (const priority of [100, 0, 200]) {
      const packets = set.packets(priority);
      assert.deepEqual(
        packets.map(({ destination }) => destination),
        destinations,
      );
      const trailers = packets.map(({ bytes }) => Buffer.from(bytes.subarray(-28)).toString('hex'));
      assert.equal(new Set(trailers).size, 1);
      for (const { bytes } of packets) {
        const isIpv6 = typeof fields.source === 'bigint';
        assertChecksum(bytes, fields, bytes.length - (isIpv6 ? 0 : 28));
      }
    }
    assert.equal(signatures, 3);
    const unsigned = new AdvertisementSet(fields, destinations);
    for (const { bytes, destination } of unsigned.packets(7)) {
      assert.deepEqual(bytes, new AdvertisementTemplate({ ...fields, destination }).packet(7));
    }
  }
  assert.deepEqual(new AdvertisementSet(base, []).packets(1), []);
});
