import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeArp, encodeArpProbe, encodeGratuitousArp, isAnnouncement } from '../../agent/wire/arp.js';
import { bytesOf, GRATUITOUS_ARP, ip } from './captured.js';

const mac = bytesOf('72ede7c2a8e9');

test('a gratuitous request is byte for byte as captured', () => {
  assert.deepEqual(encodeGratuitousArp(mac, ip('10.9.0.26')), bytesOf(GRATUITOUS_ARP));
});

test('a probe asks for the address and tells of none (RFC 5227 section 2.1.1)', () => {
  const frame = encodeArpProbe(mac, ip('10.9.0.26'));
  assert.deepEqual(
    frame,
    bytesOf(`ffffffffffff 72ede7c2a8e9 0806 0001 0800 06 04 0001
      72ede7c2a8e9 00000000 000000000000 0a09001a`),
  );
  const message = decodeArp(frame);
  assert.ok(message !== undefined && !isAnnouncement(message));
});

test('only Ethernet addresses are announced', () => {
  assert.throws(() => encodeArpProbe(mac.subarray(1), 1), RangeError);
  assert.throws(() => encodeGratuitousArp(mac.subarray(1), 1), RangeError);
});

test('it is read back', () => {
  const message = decodeArp(bytesOf(GRATUITOUS_ARP));
  assert.deepEqual(message, {
    operation: 'request',
    senderHardware: mac,
    senderAddress: ip('10.9.0.26'),
    targetHardware: bytesOf('ffffffffffff'),
    targetAddress: ip('10.9.0.26'),
  });
  assert.ok(message !== undefined && isAnnouncement(message));
});

test('Ethernet padding is no matter; an ordinary question is no announcement', () => {
  const question = bytesOf(`ffffffffffff 72ede7c2a8e9 0806 0001 0800 06 04 0001
    72ede7c2a8e9 0a090001 000000000000 0a090002 ${'00'.repeat(18)}`);
  const message = decodeArp(question);
  assert.ok(message !== undefined && !isAnnouncement(message));
});

test('a gratuitous reply is an announcement', () => {
  const message = decodeArp(bytesOf(GRATUITOUS_ARP.replace('06 04 0001', '06 04 0002')));
  assert.equal(message?.operation, 'reply');
  assert.ok(message !== undefined && isAnnouncement(message));
});

for (const [what, from, to] of [
  ['ethertype', '0806 0001', '0800 0001'],
  ['hardware', '0806 0001', '0806 0006'],
  ['protocol', '0001 0800', '0001 86dd'],
  ['hardware length', '0800 06', '0800 08'],
  ['protocol length', '06 04', '06 10'],
  ['operation', '04 0001', '04 0003'],
] as const) {
  test(`another ${what} is not read`, () => {
    assert.equal(decodeArp(bytesOf(GRATUITOUS_ARP.replace(from, to))), undefined);
  });
}

test('any bytes give an answer, truncated ones none', () => {
  const frame = bytesOf(GRATUITOUS_ARP);
  for (let length = 0; length < frame.length; length++) assert.equal(decodeArp(frame.subarray(0, length)), undefined);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
      decodeArp(bytes);
    }),
    { seed: 23, numRuns: 500 },
  );
});
