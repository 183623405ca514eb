import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  type AdvertisementFields,
  AdvertisementTemplate,
  encodeAdvertisement,
} from '../../agent/wire/advertisement.js';
import { addToSum, foldSum } from '../../agent/wire/checksum.js';
import { bytesOf, ip, secret, V2_NONE, V2_PASS, V3_MESSAGE_ONLY, V3_MULTICAST, V3_UNICAST } from './captured.js';

const base: AdvertisementFields = {
  version: 3,
  vrid: 10,
  interval: 1_000_000,
  addresses: [ip('10.9.0.26'), ip('10.9.0.27')],
  source: ip('10.9.0.1'),
  destination: ip('224.0.0.18'),
  checksum: 'pseudo_header',
};

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
];

for (const { name, fields, priority, hex } of vectors) {
  test(`${name}: byte for byte as captured`, () => {
    assert.deepEqual(encodeAdvertisement(fields, priority, 1), bytesOf(hex));
    assert.deepEqual(new AdvertisementTemplate(fields).packet(priority), bytesOf(hex));
  });
}

test('version 2 does not care for the form of the checksum', () => {
  const fields: AdvertisementFields = { ...base, version: 2 };
  assert.deepEqual(
    encodeAdvertisement({ ...fields, checksum: 'message_only' }, 100, 1),
    encodeAdvertisement({ ...fields, checksum: 'pseudo_header' }, 100, 1),
  );
});

const fieldsArbitrary: fc.Arbitrary<AdvertisementFields> = fc
  .record({
    version: fc.constantFrom<2 | 3>(2, 3),
    vrid: fc.integer({ min: 1, max: 255 }),
    units: fc.integer({ min: 1, max: 4095 }),
    addresses: fc.array(fc.nat(0xffffffff), { minLength: 1, maxLength: 255 }),
    source: fc.nat(0xffffffff),
    destination: fc.nat(0xffffffff),
    password: fc.option(fc.uint8Array({ minLength: 8, maxLength: 8 }), { nil: undefined }),
    checksum: fc.constantFrom<'message_only' | 'pseudo_header'>('message_only', 'pseudo_header'),
  })
  .map(({ units, password, ...rest }) => ({
    ...rest,
    interval: rest.version === 2 ? (1 + (units % 255)) * 1_000_000 : units * 10_000,
    ...(password === undefined ? {} : { password }),
  }));

test('a template gives what encoding anew gives, whatever priorities came before', () => {
  fc.assert(
    fc.property(fieldsArbitrary, fc.array(fc.nat(255), { minLength: 1, maxLength: 6 }), (fields, priorities) => {
      const template = new AdvertisementTemplate(fields);
      priorities.forEach((priority, i) => {
        assert.deepEqual(template.packet(priority), encodeAdvertisement(fields, priority, i + 1));
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

const refused: readonly (readonly [string, Partial<AdvertisementFields>, number])[] = [
  ['VRID 0', { vrid: 0 }, 100],
  ['VRID 256', { vrid: 256 }, 100],
  ['priority 256', {}, 256],
  ['priority -1', {}, -1],
  ['no addresses', { addresses: [] }, 100],
  ['256 addresses', { addresses: new Array(256).fill(1) }, 100],
  ['interval 0', { interval: 0 }, 100],
  ['v3 interval over 40.95 s', { interval: 40_960_000 }, 100],
  ['v3 fraction of a centisecond', { interval: 15_000 }, 100],
  ['v2 fraction of a second', { version: 2, interval: 1_500_000 }, 100],
  ['v2 interval over 255 s', { version: 2, interval: 256_000_000 }, 100],
  ['password of 7 bytes', { version: 2, password: new Uint8Array(7) }, 100],
];
for (const [name, change, priority] of refused) {
  test(`${name} is a RangeError`, () => {
    assert.throws(() => encodeAdvertisement({ ...base, ...change }, priority, 1), RangeError);
  });
}
