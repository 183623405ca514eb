import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { addToSum, finishChecksum } from '../../agent/wire/checksum.js';
import {
  decodeNeighbor,
  encodeNeighborAdvertisement,
  encodeNeighborProbe,
  encodeNeighborSolicitation,
} from '../../agent/wire/neighbor.js';
import { bytesOf, ip6, KERNEL_PROBE, NEIGHBOR_ADVERTISEMENT } from './captured.js';

const mac = bytesOf('020000000001');
const virtual = ip6('fe80::aa:26');
/** Where the ICMPv6 message begins in a frame. */
const ICMP = 54;

/** Changes a good frame and makes its checksum right again, so that only the change is wrong. */
function changed(frame: Uint8Array, change: (view: DataView) => void): Uint8Array {
  const bytes = frame.slice();
  const view = new DataView(bytes.buffer);
  change(view);
  const length = view.getUint16(18);
  view.setUint16(ICMP + 2, 0);
  view.setUint16(ICMP + 2, finishChecksum(addToSum(addToSum(58 + length, bytes, 22, 54), bytes, ICMP, ICMP + length)));
  return bytes;
}

test('an unsolicited advertisement is byte for byte as captured from keepalived', () => {
  assert.deepEqual(encodeNeighborAdvertisement(mac, virtual, false), bytesOf(NEIGHBOR_ADVERTISEMENT));
});

test('of a router it says so', () => {
  const frame = encodeNeighborAdvertisement(mac, virtual, true);
  assert.equal(frame[ICMP + 4], 0xa0);
  assert.deepEqual(decodeNeighbor(frame), {
    kind: 'advertisement',
    source: virtual,
    destination: ip6('ff02::1'),
    target: virtual,
    hardwareAddress: mac,
    isRouter: true,
    isSolicited: false,
    isOverride: true,
  });
});

test('a probe is the question of a kernel, without its nonce', () => {
  const target = ip6('fe80::d494:cfff:fe95:73f7');
  const kernel = bytesOf(KERNEL_PROBE);
  const expected = changed(kernel.subarray(0, 78), (view) => view.setUint16(18, 24));
  assert.deepEqual(encodeNeighborProbe(bytesOf('d694cf9573f7'), target), expected);
  const message = decodeNeighbor(kernel);
  assert.deepEqual([message?.kind, message?.source, message?.target], ['solicitation', 0n, target]);
});

test('a question from an own address is as RFC 4861 section 4.3 draws it', () => {
  const frame = encodeNeighborSolicitation(mac, ip6('fe80::1'), virtual);
  const address = (last: string) => `fe80${'0'.repeat(28 - last.length)}${last}`;
  const expected =
    `3333ffaa0026${'020000000001'}86dd6000000000203aff${address('0001')}ff02${'0'.repeat(19)}1ffaa0026` +
    `8700${Buffer.from(frame.subarray(ICMP + 2, ICMP + 4)).toString('hex')}00000000${address('00aa0026')}0101020000000001`;
  assert.equal(Buffer.from(frame).toString('hex'), expected);
  const message = decodeNeighbor(frame);
  assert.deepEqual(
    [message?.kind, message?.source, message?.target, message?.hardwareAddress],
    ['solicitation', ip6('fe80::1'), virtual, mac],
  );
});

test('only Ethernet addresses are announced', () => {
  assert.throws(() => encodeNeighborAdvertisement(mac.subarray(1), virtual, false), RangeError);
  assert.throws(() => encodeNeighborProbe(mac.subarray(1), virtual), RangeError);
  assert.throws(() => encodeNeighborSolicitation(mac.subarray(1), virtual, virtual), RangeError);
});

test('without the option, the hardware address is the frame’s', () => {
  const bare = changed(bytesOf(NEIGHBOR_ADVERTISEMENT).subarray(0, 78), (view) => view.setUint16(18, 24));
  assert.deepEqual(decodeNeighbor(bare)?.hardwareAddress, mac);
  const other = changed(bytesOf(NEIGHBOR_ADVERTISEMENT), (view) => view.setUint8(ICMP + 31, 0x99));
  assert.deepEqual(decodeNeighbor(other)?.hardwareAddress, bytesOf('020000000099'));
});

const good = bytesOf(NEIGHBOR_ADVERTISEMENT);
const invalid: readonly (readonly [string, Uint8Array])[] = [
  ['another ethertype', changed(good, (view) => view.setUint16(12, 0x0800))],
  ['IP version 4', changed(good, (view) => view.setUint8(14, 0x40))],
  ['another protocol', changed(good, (view) => view.setUint8(20, 17))],
  ['hop limit 254', changed(good, (view) => view.setUint8(21, 254))],
  ['a payload beyond the frame', changed(good, (view) => view.setUint16(18, 33))],
  ['a payload that is too short', changed(good, (view) => view.setUint16(18, 23))],
  ['another type', changed(good, (view) => view.setUint8(ICMP, 134))],
  ['another code', changed(good, (view) => view.setUint8(ICMP + 1, 1))],
  ['a multicast target', changed(good, (view) => view.setUint8(ICMP + 8, 0xff))],
  ['solicited, to all nodes', changed(good, (view) => view.setUint8(ICMP + 4, 0x60))],
  ['an option of no length', changed(good, (view) => view.setUint8(ICMP + 25, 0))],
  ['an option beyond the end', changed(good, (view) => view.setUint8(ICMP + 25, 2))],
  [
    'a question from nobody with a source option',
    changed(bytesOf(KERNEL_PROBE), (view) => view.setUint8(ICMP + 24, 1)),
  ],
  ['a question from nobody to all nodes', changed(bytesOf(KERNEL_PROBE), (view) => view.setBigUint64(ICMP - 8, 1n))],
];
for (const [what, frame] of invalid) test(`${what} is not read`, () => assert.equal(decodeNeighbor(frame), undefined));

test('a wrong checksum is not read', () => {
  const frame = good.slice();
  frame[ICMP + 2] = 0;
  assert.equal(decodeNeighbor(frame), undefined);
});

test('any bytes give an answer, truncated and flipped ones none', () => {
  for (let length = 0; length < good.length; length++)
    assert.equal(decodeNeighbor(good.subarray(0, length)), undefined);
  for (let bit = ICMP * 8; bit < good.length * 8; bit++) {
    const flipped = good.slice();
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (0x80 >> (bit & 7));
    assert.equal(decodeNeighbor(flipped), undefined, `bit ${bit}`);
  }
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 120 }), (bytes) => {
      decodeNeighbor(Uint8Array.from([...good.subarray(0, 20), ...bytes]));
    }),
    { seed: 27, numRuns: 1000 },
  );
});

test('what is encoded is decoded', () => {
  const address = fc.bigInt({ min: 1n, max: ip6('fe80::ffff') });
  fc.assert(
    fc.property(address, fc.uint8Array({ minLength: 6, maxLength: 6 }), fc.boolean(), (target, hardware, isRouter) => {
      const advertisement = decodeNeighbor(encodeNeighborAdvertisement(hardware, target, isRouter));
      assert.deepEqual(
        [advertisement?.source, advertisement?.target, advertisement?.isRouter, advertisement?.isOverride],
        [target, target, isRouter, true],
      );
      assert.deepEqual(advertisement?.hardwareAddress, hardware);
      const probe = decodeNeighbor(encodeNeighborProbe(hardware, target));
      assert.deepEqual([probe?.kind, probe?.source, probe?.target], ['solicitation', 0n, target]);
      assert.equal(probe?.destination, ip6('ff02::1:ff00:0') | (target & 0xffffffn));
    }),
    { seed: 28, numRuns: 300 },
  );
});
