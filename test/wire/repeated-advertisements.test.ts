import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeAdvertisement, type Expectations } from '../../agent/wire/reception.js';
import { RepeatedAdvertisements } from '../../agent/wire/repeated-advertisements.js';
import type { Family } from '../../proto/rules/ip.js';
import { bytesOf, HMAC_V3, secret, V2_NONE, V2_PASS, V3_IPV6, V3_MULTICAST } from './captured.js';
import { MULTICAST, MULTICAST_IPV6 } from './expected.js';
import { hmacOf } from './hmac-fixture.js';

const KINDS: readonly (readonly [family: Family, packet: Uint8Array, expected: Expectations])[] = [
  [4, bytesOf(V3_MULTICAST), MULTICAST],
  [4, bytesOf(V2_NONE), { ...MULTICAST, version: 2 }],
  [4, bytesOf(V2_PASS), { ...MULTICAST, version: 2, password: secret('pg-vrrp') }],
  [6, bytesOf(V3_IPV6), MULTICAST_IPV6],
];
const VRID_AT = { 4: 21, 6: 41 };

/** Another value in one place, sometimes in two. */
const change = fc.array(fc.tuple(fc.nat(79), fc.nat(255)), { maxLength: 2 });

function changed(packet: Uint8Array, changes: readonly (readonly [number, number])[], length: number): Uint8Array {
  const copy = packet.slice(0, length);
  for (const [at, value] of changes) if (at < copy.length) copy[at] = value;
  return copy;
}

test('whatever comes, in whatever order, it answers as the decoder does', () => {
  for (const [family, packet, expected] of KINDS) {
    const vrid = packet[VRID_AT[family]] ?? 0;
    const act = fc.tuple(change, fc.integer({ min: packet.length - 2, max: packet.length }), fc.boolean());
    fc.assert(
      fc.property(fc.array(act, { maxLength: 20 }), (acts) => {
        const decoder = new RepeatedAdvertisements(family);
        let routers = new Map([[vrid, expected]]);
        const check = (received: Uint8Array) =>
          assert.deepEqual(decoder.decode(received, routers), decodeAdvertisement(family, received, routers));
        for (const [changes, length, isReplaced] of acts) {
          if (isReplaced) routers = new Map([[vrid, { ...expected, ownAddresses: new Set(expected.ownAddresses) }]]);
          check(packet);
          check(changed(packet, changes, length));
        }
        check(packet);
      }),
    );
  }
});

test('what repeats is not decoded again, also with another identification', () => {
  for (const [family, packet, expected] of KINDS) {
    if (expected.password !== undefined) continue;
    const decoder = new RepeatedAdvertisements(family);
    const routers = new Map([[packet[VRID_AT[family]] ?? 0, expected]]);
    const first = decoder.decode(packet, routers);
    assert.ok(first.ok);
    assert.equal(decoder.decode(packet.slice(), routers), first);
    if (family === 4) {
      const numbered = changed(
        packet,
        [
          [4, 0x12],
          [5, 0x34],
          [10, 0],
          [11, 0],
        ],
        packet.length,
      );
      assert.equal(decoder.decode(numbered, routers), first);
    }
  }
});

test('what is expected now counts, not what was when the same bytes came before', () => {
  const packet = bytesOf(V3_MULTICAST);
  const vrid = packet[VRID_AT[4]] ?? 0;
  const decoder = new RepeatedAdvertisements(4);
  const first = decoder.decode(packet, new Map([[vrid, MULTICAST]]));
  assert.ok(first.ok && typeof first.source === 'number');
  const own = { ...MULTICAST, ownAddresses: new Set([first.source]) };
  const second = decoder.decode(packet, new Map([[vrid, own]]));
  assert.equal(second.ok ? '' : second.reason, 'own-source');
  const third = decoder.decode(packet, new Map());
  assert.equal(third.ok ? '' : third.reason, 'unknown-vrid');
});

test('a password is compared each time, and a signature counts once', () => {
  const password = secret('pg-vrrp');
  const packet = bytesOf(V2_PASS);
  const decoder = new RepeatedAdvertisements(4);
  const routers = new Map([[packet[VRID_AT[4]] ?? 0, { ...MULTICAST, version: 2, password } as const]]);
  assert.ok(decoder.decode(packet, routers).ok);
  password.fill(0);
  const wrong = decoder.decode(packet, routers);
  assert.equal(wrong.ok ? '' : wrong.reason, 'auth-failure');

  const signed = bytesOf(HMAC_V3);
  const verified = new Map([[signed[VRID_AT[4]] ?? 0, { ...MULTICAST, hmac: hmacOf({}).verifier }]]);
  assert.ok(decoder.decode(signed, verified).ok);
  const again = decoder.decode(signed, verified);
  assert.equal(again.ok ? '' : again.reason, 'auth-replay');
});
