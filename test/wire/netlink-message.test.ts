import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  attributesOf,
  messagesOf,
  NetlinkWriter,
  readError,
  textBytes,
  textOf,
} from '../../agent/wire/netlink-message.js';
import { bytesOf } from './captured.js';

test('messages and attributes are laid out with their padding', () => {
  const writer = new NetlinkWriter();
  writer.begin(20, 0x505, 7);
  writer.bytes(Uint8Array.of(1, 2, 3, 4));
  writer.attribute(3, textBytes('v0:1'));
  writer.end();
  writer.begin(18, 0x301, 8);
  writer.end();
  assert.deepEqual(
    writer.datagram(),
    bytesOf(`20000000 1400 0505 07000000 00000000 01020304 0900 0300 76303a31 00 000000
      10000000 1200 0103 08000000 00000000`),
  );
  const [first, second, ...none] = [...messagesOf(writer.datagram())];
  assert.equal(none.length, 0);
  assert.equal(first?.type, 20);
  assert.equal(first?.flags, 0x505);
  assert.equal(first?.sequence, 7);
  assert.equal(textOf(attributesOf(first?.payload ?? new Uint8Array(), 4).get(3) ?? new Uint8Array()), 'v0:1');
  assert.equal(second?.sequence, 8);
});

test('a cleared writer leaves nothing of the last datagram, a long one grows', () => {
  const writer = new NetlinkWriter();
  writer.begin(1, 0, 1);
  writer.attribute(1, new Uint8Array(5000).fill(0xff));
  writer.end();
  assert.equal(writer.datagram().length, 16 + 4 + 5000);
  writer.clear();
  writer.begin(2, 0, 2);
  writer.attribute(1, Uint8Array.of(1));
  writer.end();
  assert.deepEqual(writer.datagram(), bytesOf('18000000 0200 0000 02000000 00000000 0500 0100 01000000'));
});

test('every kind of attribute is whole where the buffer grows under it', () => {
  const kinds: readonly (readonly [number, (writer: NetlinkWriter) => void])[] = [
    [8, (writer) => writer.uint8(1, 0xff)],
    [8, (writer) => writer.uint32(1, 0xffffffff)],
    [8, (writer) => writer.bigEndian32(1, 0xffffffff)],
    [8, (writer) => writer.ipAddress(1, 0xffffffff)],
    [20, (writer) => writer.ipAddress(1, (1n << 128n) - 1n)],
    [12, (writer) => writer.text(1, 'eight888', false)],
    [4, (writer) => writer.close(writer.open(1))],
  ];
  for (const [length, write] of kinds) {
    const once = new NetlinkWriter();
    write(once);
    const one = once.datagram().slice();
    assert.equal(one.length, length);
    const many = new NetlinkWriter();
    for (let i = 0; i < 1000; i++) write(many);
    const all = many.datagram();
    for (let i = 0; i < 1000; i++) assert.deepEqual(all.subarray(i * one.length, (i + 1) * one.length), one, `${i}`);
  }
});

test('impossible lengths end the reading', () => {
  assert.deepEqual([...messagesOf(bytesOf('0f000000 0200 0000 01000000 00000000'))], []);
  assert.deepEqual([...messagesOf(bytesOf('11000000 0200 0000 01000000 00000000'))], []);
  assert.deepEqual([...messagesOf(bytesOf('ffffffff 0200 0000 01000000 00000000'))], []);
  assert.equal(attributesOf(bytesOf('0300 0100 0400 0200'), 0).size, 0);
  assert.equal(attributesOf(bytesOf('0400 0100 ffff 0200'), 0).size, 1);
  assert.equal(attributesOf(bytesOf('0400 0100'), 9).size, 0);
});

test('an error is read with and without the words of the kernel', () => {
  const read = (hex: string) => [...messagesOf(bytesOf(hex))].map(readError);
  // -17, the refused header only (capped), no attributes
  const capped = '24000000 0200 0001 05000000 00000000 efffffff 58000000 1400 0506 05000000 00000000';
  assert.deepEqual(read(capped), [{ errno: 17 }]);
  const withWords = `30000000 0200 0003 05000000 00000000 efffffff 58000000 1400 0506 05000000 00000000
    0a00 0100 746865726521 0000`;
  assert.deepEqual(read(withWords), [{ errno: 17, message: 'there!' }]);
  // Not capped: 20 bytes of the refused message come before the attributes.
  const echoed = `34000000 0200 0002 05000000 00000000 efffffff 14000000 1400 0506 05000000 00000000 99999999
    0a00 0100 746865726521 0000`;
  assert.deepEqual(read(echoed), [{ errno: 17, message: 'there!' }]);
  // A refused message whose length lies.
  const lying = `24000000 0200 0002 05000000 00000000 efffffff ffffffff 1400 0506 05000000 00000000`;
  assert.deepEqual(read(lying), [{ errno: 17 }]);
  assert.deepEqual(read('14000000 0200 0000 05000000 00000000 00000000'), [{ errno: 0 }]);
  assert.deepEqual(read('14000000 0300 0000 05000000 00000000 f0ffffff'), [{ errno: 16 }]);
  assert.deepEqual(read('10000000 0200 0000 05000000 00000000'), [undefined]);
  assert.deepEqual(read('14000000 1400 0000 05000000 00000000 00000000'), [undefined]);
});

test('names with bytes outside of ASCII are made harmless', () => {
  assert.equal(textOf(bytesOf('61 1b 5b 33 ff 00 62')), 'a?[3?');
  assert.deepEqual(textBytes('é\n'), bytesOf('3f 3f 00'));
});

test('any bytes give an answer', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(220), (bytes, length) => {
      // A plausible first length, so that the rest is looked at.
      if (bytes.length >= 4) new DataView(bytes.buffer, bytes.byteOffset).setUint32(0, length, true);
      for (const message of messagesOf(bytes)) {
        readError({ ...message, type: 2 });
        attributesOf(message.payload, 0);
      }
    }),
    { seed: 27, numRuns: 2000 },
  );
});
