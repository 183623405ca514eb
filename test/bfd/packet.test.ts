import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type ControlPacket, decodePacket, describeDiagnostic, encodePacket, STATES } from '../../agent/bfd/packet.js';

const SEED = 20261122;
const uint32 = fc.integer({ min: 0, max: 0xffffffff });
const packets: fc.Arbitrary<ControlPacket> = fc.record(
  {
    diagnostic: fc.integer({ min: 0, max: 31 }),
    state: fc.constantFrom(...STATES),
    poll: fc.boolean(),
    final: fc.boolean(),
    demand: fc.boolean(),
    multiplier: fc.integer({ min: 1, max: 255 }),
    myDiscriminator: fc.integer({ min: 1, max: 0xffffffff }),
    yourDiscriminator: fc.integer({ min: 1, max: 0xffffffff }),
    desiredMinTx: uint32,
    requiredMinRx: uint32,
    requiredMinEchoRx: uint32,
  },
  { noNullPrototype: true },
);

const UP: ControlPacket = {
  diagnostic: 0,
  state: 'up',
  poll: true,
  final: false,
  demand: false,
  multiplier: 3,
  myDiscriminator: 0x01020304,
  yourDiscriminator: 0x0a0b0c0d,
  desiredMinTx: 50_000,
  requiredMinRx: 60_000,
  requiredMinEchoRx: 0,
};

test('the bytes are those of RFC 5880 section 4.1', () => {
  const hex = Buffer.from(encodePacket(UP)).toString('hex');
  assert.equal(hex, '20e003180102030' + '40a0b0c0d0000c3500000ea6000000000');
});

test('a packet survives being written and read', () => {
  fc.assert(
    fc.property(packets, (packet) => {
      assert.deepEqual(decodePacket(encodePacket(packet)), { ok: true, packet });
    }),
    { seed: SEED },
  );
});

test('whatever arrives, decoding gives a packet or a reason', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      const decoded = decodePacket(bytes);
      assert.equal(typeof decoded.ok, 'boolean');
    }),
    { seed: SEED, numRuns: 2_000 },
  );
});

test('what RFC 5880 section 6.8.6 discards is discarded, for its reason', () => {
  const rows: readonly (readonly [reason: string, at: number, bytes: readonly number[]])[] = [
    ['bad-version', 0, [0x40]],
    ['bad-length', 3, [23]],
    ['bad-length', 3, [25]],
    ['zero-multiplier', 2, [0]],
    ['multipoint', 1, [0xe1]],
    ['zero-discriminator', 4, [0, 0, 0, 0]],
    ['no-session', 8, [0, 0, 0, 0]],
  ];
  for (const [reason, at, spoilt] of rows) {
    const bytes = encodePacket(UP);
    bytes.set(spoilt, at);
    assert.deepEqual(decodePacket(bytes), { ok: false, fault: reason });
  }
  assert.deepEqual(decodePacket(encodePacket(UP).subarray(0, 23)), { ok: false, fault: 'truncated' });
  const authenticated = new Uint8Array(26);
  authenticated.set(encodePacket(UP));
  authenticated[1] = (authenticated[1] ?? 0) | 0x04;
  authenticated[3] = 26;
  assert.deepEqual(decodePacket(authenticated), { ok: false, fault: 'authenticated' });
});

test('a neighbour that knows no session of ours yet is down or administratively down', () => {
  for (const state of ['down', 'admin-down'] as const) {
    assert.ok(decodePacket(encodePacket({ ...UP, state, yourDiscriminator: 0 })).ok, state);
  }
});

test('bytes after the packet are none of it', () => {
  const longer = new Uint8Array(60);
  longer.set(encodePacket(UP));
  assert.deepEqual(decodePacket(longer), { ok: true, packet: UP });
});

test('diagnostics in words, known or not', () => {
  assert.equal(describeDiagnostic(1), 'control detection time expired');
  assert.equal(describeDiagnostic(30), 'diagnostic 30');
});
