import assert from 'node:assert/strict';
import { test } from 'node:test';
import { attributesOf, messagesOf, NetlinkWriter, textOf } from '../../agent/wire/netlink-message.js';
import {
  compareByte,
  DROP,
  HOOK_INPUT,
  KEY_INTERFACE,
  KEY_IPV6,
  keyPair,
  loadMeta,
  loadPayload,
  lookUp,
  META_PROTOCOL,
  NftablesBatch,
} from '../../agent/wire/nftables-message.js';
import { bytesOf } from './captured.js';

function batchOf(fill: (batch: NftablesBatch) => void) {
  const writer = new NetlinkWriter();
  const batch = new NftablesBatch(writer, 't', 100);
  fill(batch);
  batch.end();
  return { bytes: writer.datagram(), sequences: batch.sequences };
}
/** Begin and end of a batch, sequence 100 and `last`. */
const BEGIN = '14000000 1000 0100 64000000 00000000 00 00 000a';
const END = (last: string) => `14000000 1100 0100 ${last}000000 00000000 00 00 000a`;

test('a transaction begins, ends with the sequence of its last message, and is acknowledged by that', () => {
  const { bytes, sequences } = batchOf((batch) => {
    batch.addTable(true);
    batch.removeTable(true);
  });
  assert.equal(sequences, 3);
  assert.deepEqual(
    bytes,
    bytesOf(`${BEGIN}
      24000000 000a 0104 65000000 00000000 01 00 0000 0600 0100 74000000 0800 0200 00000002
      1c000000 020a 0500 66000000 00000000 01 00 0000 0600 0100 74000000
      ${END('66')}`),
  );
});

test('a set, a chain and elements, byte by byte', () => {
  const { bytes } = batchOf((batch) => {
    batch.addSet({ name: 's', keyType: keyPair(KEY_IPV6, KEY_INTERFACE), keyLength: 20, byteOrder: 'network' });
    batch.addChain('c', HOOK_INPUT, -1);
    batch.changeElements('add', 's', [bytesOf('01000000')]);
    batch.changeElements('remove', 's', [bytesOf('01000000'), bytesOf('02000000')], true);
  });
  assert.deepEqual(
    bytes,
    bytesOf(`${BEGIN}
      50000000 090a 0104 65000000 00000000 01 00 0000 0600 0100 74000000 0600 0200 73000000
        0800 0300 00000000 0800 0400 00000214 0800 0500 00000014 0800 0a00 00000002 0a00 0d00 000402000000 0000
      4c000000 030a 0104 66000000 00000000 01 00 0000 0600 0100 74000000 0600 0300 63000000
        1400 0480 0800 0100 00000001 0800 0200 ffffffff 0800 0500 00000001 0b00 0700 66696c74657200 00
      38000000 0c0a 0104 67000000 00000000 01 00 0000 0600 0100 74000000 0600 0200 73000000
        1400 0380 1000 0180 0c00 0180 0800 0100 01000000
      48000000 0e0a 0500 68000000 00000000 01 00 0000 0600 0100 74000000 0600 0200 73000000
        2400 0380 1000 0180 0c00 0180 0800 0100 01000000 1000 0180 0c00 0180 0800 0100 02000000
      ${END('68')}`),
  );
});

test('the expressions of a rule', () => {
  const { bytes } = batchOf((batch) =>
    batch.addRule('c', [
      loadMeta(META_PROTOCOL),
      compareByte('at least', 58),
      loadPayload(1, 24, 16),
      lookUp('s'),
      DROP,
    ]),
  );
  const [, rule] = [...messagesOf(bytes)];
  assert.equal(rule?.type, 0x0a06);
  assert.equal(rule?.flags, 0xc01);
  const attributes = attributesOf(rule?.payload ?? new Uint8Array(), 4);
  assert.equal(textOf(attributes.get(2) ?? new Uint8Array()), 'c');
  assert.deepEqual(
    attributes.get(4),
    bytesOf(`2400 0180 0900 0100 6d65746100 000000 1400 0280 0800 0100 00000001 0800 0200 00000010
      2c00 0180 0800 0100 636d7000 2000 0280 0800 0100 00000001 0800 0200 00000005 0c00 0380 0500 0100 3a000000
      3400 0180 0c00 0100 7061796c6f616400 2400 0280 0800 0100 00000001 0800 0200 00000001 0800 0300 00000018
        0800 0400 00000010
      2400 0180 0b00 0100 6c6f6f6b757000 00 1400 0280 0600 0100 73000000 0800 0200 00000001
      3000 0180 0e00 0100 696d6d656469617465 00 0000 1c00 0280 0800 0100 00000000 1000 0280 0c00 0280 0800 0100 00000000`),
  );
});
