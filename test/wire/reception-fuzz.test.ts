import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type AdvertisementFields, encodeAdvertisement } from '../../agent/wire/advertisement.js';
import { DROP_REASONS, decodeAdvertisement, type Expectations } from '../../agent/wire/reception.js';
import { bytesOf, ip, secret, V2_NONE, V2_PASS, V3_MULTICAST, V3_UNICAST } from './captured.js';

const multicast: Expectations = {
  version: 3,
  interval: 1_000_000,
  transport: { kind: 'multicast', group: ip('224.0.0.18') },
  ownAddresses: new Set([ip('10.9.0.2')]),
  onLink: [],
};
const good: readonly (readonly [string, Uint8Array, Expectations])[] = [
  ['v2 PASS', bytesOf(V2_PASS), { ...multicast, version: 2, password: secret('pg-vrrp') }],
  ['v2', bytesOf(V2_NONE), { ...multicast, version: 2 }],
  ['v3', bytesOf(V3_MULTICAST), multicast],
  [
    'v3 unicast',
    bytesOf(V3_UNICAST),
    { ...multicast, transport: { kind: 'unicast', peers: new Set([ip('10.9.0.1')]) } },
  ],
];
const receive = (packet: Uint8Array, expected: Expectations) => decodeAdvertisement(packet, new Map([[10, expected]]));

for (const [name, packet, expected] of good) {
  test(`${name}: cut at every offset it is dropped`, () => {
    assert.ok(receive(packet, expected).ok);
    for (let length = 0; length < packet.length; length++) {
      const cut = packet.slice(0, length);
      assert.deepEqual(receive(cut, expected).ok, false, `${length} bytes`);
      if (length < 4) continue;
      // The same with an IP header that agrees with the cut.
      new DataView(cut.buffer).setUint16(2, length);
      assert.deepEqual(receive(cut, expected).ok, false, `${length} bytes, total length corrected`);
    }
  });

  test(`${name}: one flipped bit of the VRRP message never passes`, () => {
    for (let bit = 20 * 8; bit < packet.length * 8; bit++) {
      const flipped = packet.slice();
      const at = bit >> 3;
      flipped[at] = (flipped[at] ?? 0) ^ (0x80 >> (bit & 7));
      assert.equal(receive(flipped, expected).ok, false, `bit ${bit}`);
    }
  });

  test(`${name}: any mutation gives an answer of the closed list`, () => {
    const mutation = fc.record({ at: fc.nat(packet.length - 1), value: fc.nat(255) });
    fc.assert(
      fc.property(fc.array(mutation, { maxLength: 6 }), fc.nat(packet.length + 40), (mutations, length) => {
        const mutant = new Uint8Array(length);
        mutant.set(packet.subarray(0, length));
        for (const { at, value } of mutations) if (at < length) mutant[at] = value;
        const reception = receive(mutant, expected);
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
      assert.equal(receive(bytes, multicast).ok, false);
    }),
    { seed: 25, numRuns: 3000 },
  );
});

test('what is encoded is decoded', () => {
  const fields = fc.record({
    version: fc.constantFrom<2 | 3>(2, 3),
    vrid: fc.integer({ min: 1, max: 255 }),
    units: fc.integer({ min: 1, max: 255 }),
    priority: fc.nat(255),
    addresses: fc.array(fc.nat(0xffffffff), { minLength: 1, maxLength: 255 }),
    source: fc.integer({ min: ip('1.0.0.0'), max: ip('9.255.255.255') }),
    password: fc.option(fc.uint8Array({ minLength: 8, maxLength: 8 }), { nil: undefined }),
    checksum: fc.constantFrom<'message_only' | 'pseudo_header'>('message_only', 'pseudo_header'),
  });
  fc.assert(
    fc.property(fields, ({ units, password, priority, ...rest }) => {
      const interval = units * (rest.version === 2 ? 1_000_000 : 10_000);
      const optional = password === undefined ? {} : { password };
      const advertisement: AdvertisementFields = { ...rest, ...optional, interval, destination: ip('224.0.0.18') };
      const expected: Expectations = { ...multicast, version: rest.version, interval, ...optional };
      const reception = decodeAdvertisement(
        encodeAdvertisement(advertisement, priority, 7),
        new Map([[rest.vrid, expected]]),
      );
      assert.deepEqual(reception, {
        ok: true,
        vrid: rest.vrid,
        source: rest.source,
        advertisement: { priority, interval, addresses: rest.addresses },
        ...(rest.version === 3 ? { checksumForm: rest.checksum } : {}),
      });
    }),
    { seed: 26, numRuns: 500 },
  );
});
