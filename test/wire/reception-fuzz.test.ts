import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { AdvertisementFields } from '../../agent/wire/advertisement.js';
import { AdvertisementSet } from '../../agent/wire/advertisement-set.js';
import { DROP_REASONS, decodeAdvertisement, type Expectations } from '../../agent/wire/reception.js';
import type { Family } from '../../proto/rules/ip.js';
import {
  bytesOf,
  HMAC_V3,
  HMAC_V3_IPV6,
  ip,
  ip6,
  secret,
  V2_NONE,
  V2_PASS,
  V3_IPV6,
  V3_MULTICAST,
  V3_UNICAST,
} from './captured.js';
import { MULTICAST, MULTICAST_IPV6 } from './expected.js';
import { hmacOf } from './hmac-fixture.js';

/** A new one each time: it remembers what it has heard. */
type Good = readonly [name: string, family: Family, packet: Uint8Array, expected: () => Expectations];
const good: readonly Good[] = [
  ['v2 PASS', 4, bytesOf(V2_PASS), () => ({ ...MULTICAST, version: 2, password: secret('pg-vrrp') })],
  ['v2', 4, bytesOf(V2_NONE), () => ({ ...MULTICAST, version: 2 })],
  ['v3', 4, bytesOf(V3_MULTICAST), () => MULTICAST],
  [
    'v3 unicast',
    4,
    bytesOf(V3_UNICAST),
    () => ({
      ...MULTICAST,
      transport: { kind: 'unicast', peers: new Map([[ip('10.9.0.1'), { least: 0, greatest: 255 }]]) },
    }),
  ],
  ['v3 over IPv6', 6, bytesOf(V3_IPV6), () => MULTICAST_IPV6],
  ['signed v3', 4, bytesOf(HMAC_V3), () => ({ ...MULTICAST, hmac: hmacOf({}).verifier })],
  ['signed v3 over IPv6', 6, bytesOf(HMAC_V3_IPV6), () => ({ ...MULTICAST_IPV6, hmac: hmacOf({}).verifier })],
];
const receive = (family: Family, packet: Uint8Array, expected: Expectations) =>
  decodeAdvertisement(family, packet, new Map([[10, expected]]));

for (const [name, family, packet, expected] of good) {
  const headerLength = family === 6 ? 40 : 20;
  const setLength = (bytes: Uint8Array, length: number) =>
    new DataView(bytes.buffer).setUint16(family === 6 ? 4 : 2, family === 6 ? Math.max(0, length - 40) : length);

  test(`${name}: cut at every offset it is dropped`, () => {
    assert.ok(receive(family, packet, expected()).ok);
    for (let length = 0; length < packet.length; length++) {
      const cut = packet.slice(0, length);
      assert.deepEqual(receive(family, cut, expected()).ok, false, `${length} bytes`);
      if (length < 6) continue;
      // The same with an IP header that agrees with the cut.
      setLength(cut, length);
      assert.deepEqual(receive(family, cut, expected()).ok, false, `${length} bytes, total length corrected`);
    }
  });

  test(`${name}: one flipped bit of the VRRP message never passes`, () => {
    for (let bit = headerLength * 8; bit < packet.length * 8; bit++) {
      const flipped = packet.slice();
      const at = bit >> 3;
      flipped[at] = (flipped[at] ?? 0) ^ (0x80 >> (bit & 7));
      assert.equal(receive(family, flipped, expected()).ok, false, `bit ${bit}`);
    }
  });

  test(`${name}: any mutation gives an answer of the closed list`, () => {
    const mutation = fc.record({ at: fc.nat(packet.length - 1), value: fc.nat(255) });
    fc.assert(
      fc.property(fc.array(mutation, { maxLength: 6 }), fc.nat(packet.length + 40), (mutations, length) => {
        const mutant = new Uint8Array(length);
        mutant.set(packet.subarray(0, length));
        for (const { at, value } of mutations) if (at < length) mutant[at] = value;
        const reception = receive(family, mutant, expected());
        if (!reception.ok) assert.ok(DROP_REASONS.includes(reception.reason));
        else assert.ok(reception.advertisement.priority <= 255 && reception.advertisement.interval > 0);
      }),
      { seed: 24, numRuns: 2000 },
    );
  });
}

test('any bytes at all give an answer', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 120 }), (bytes) => {
      assert.equal(receive(4, bytes, MULTICAST).ok, false);
      assert.equal(receive(6, bytes, MULTICAST_IPV6).ok, false);
    }),
    { seed: 25, numRuns: 3000 },
  );
});

test('what is encoded is decoded', () => {
  const fields = fc.boolean().chain((isIpv6) => {
    const address: fc.Arbitrary<number | bigint> = isIpv6
      ? fc.bigInt({ min: 0n, max: (1n << 128n) - 1n })
      : fc.nat(0xffffffff);
    return fc.record({
      version: fc.constantFrom<2 | 3>(2, 3),
      vrid: fc.integer({ min: 1, max: 255 }),
      units: fc.integer({ min: 1, max: 255 }),
      priority: fc.nat(255),
      addresses: fc.array(address, { minLength: 1, maxLength: 255 }),
      source: isIpv6
        ? fc.bigInt({ min: ip6('fe80::3'), max: ip6('febf::ffff') })
        : fc.integer({ min: ip('1.0.0.0'), max: ip('9.255.255.255') }),
      password: fc.option(fc.uint8Array({ minLength: 8, maxLength: 8 }), { nil: undefined }),
      checksum: fc.constantFrom<'message_only' | 'pseudo_header'>('message_only', 'pseudo_header'),
      isSigned: fc.boolean(),
    });
  });
  fc.assert(
    fc.property(fields, ({ units, password, priority, isSigned, ...rest }) => {
      const family = typeof rest.source === 'bigint' ? 6 : 4;
      const base = family === 6 ? MULTICAST_IPV6 : MULTICAST;
      const interval = units * (rest.version === 2 ? 1_000_000 : 10_000);
      const optional = password === undefined || isSigned ? {} : { password };
      const destination = family === 6 ? ip6('ff02::12') : ip('224.0.0.18');
      const { signer, verifier } = hmacOf({});
      const advertisement: Omit<AdvertisementFields, 'destination'> = { ...rest, ...optional, interval };
      const expected: Expectations = {
        ...base,
        version: rest.version,
        interval,
        ...optional,
        ...(isSigned ? { hmac: verifier } : {}),
      };
      const set = new AdvertisementSet(advertisement, [destination], isSigned ? signer : undefined);
      const [packet] = set.packets(priority);
      assert.ok(packet !== undefined);
      const reception = decodeAdvertisement(family, packet.bytes, new Map([[rest.vrid, expected]]));
      assert.deepEqual(reception, {
        ok: true,
        vrid: rest.vrid,
        source: rest.source,
        advertisement: { priority, interval, addresses: rest.addresses },
        ...(rest.version === 3 && family === 4 ? { checksumForm: rest.checksum } : {}),
        ...(isSigned ? { isSigned: true } : {}),
      });
    }),
    { seed: 26, numRuns: 500 },
  );
});
