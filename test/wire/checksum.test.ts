import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { addToSum, finishChecksum, foldSum, patchChecksum, pseudoHeaderSum } from '../../agent/wire/checksum.js';
import { bytesOf, V3_IPV6, V3_MULTICAST } from './captured.js';

const checksumOf = (hex: string): number => {
  const bytes = bytesOf(hex);
  return finishChecksum(addToSum(0, bytes, 0, bytes.length));
};

test('the example of RFC 1071 section 3', () => {
  const bytes = bytesOf('0001 f203 f4f5 f6f7');
  assert.equal(foldSum(addToSum(0, bytes, 0, 8)), 0xddf2);
});

test('an odd last byte is the high half of a word', () => {
  assert.equal(checksumOf('01'), 0xfeff);
  assert.equal(checksumOf('0102 03'), checksumOf('0102 0300'));
});

test('carries fold until none is left', () => {
  assert.equal(foldSum(0x1ffff), 1);
  assert.equal(foldSum(0xffff_ffff), 0xffff);
  assert.equal(checksumOf('ffff ffff'), 0);
  assert.equal(checksumOf(''), 0xffff);
});

test('a range leaves out what is around it', () => {
  assert.equal(addToSum(0, bytesOf('ffff 0102 ffff'), 2, 4), 0x0102);
});

test('the pseudo-header sums source, destination, protocol and length', () => {
  // 0a09 + 0001 + e000 + 0012 + 0070 + 0010
  assert.equal(pseudoHeaderSum(bytesOf(V3_MULTICAST), 12, 20, 16), 0xea9c);
  // fe80 + 0001 + ff02 + 0012 + 0070 + 0028
  assert.equal(pseudoHeaderSum(bytesOf(V3_IPV6), 8, 40, 40), 0x1fe2d);
});

test('a patched checksum is right wherever the whole one is', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 4, maxLength: 40 }),
      fc.nat(0xffff),
      fc.nat(1000),
      (body, word, somewhere) => {
        const bytes = Uint8Array.from([0, 0, ...body.subarray(0, body.length & ~1)]);
        const view = new DataView(bytes.buffer);
        view.setUint16(0, finishChecksum(addToSum(0, bytes, 0, bytes.length)));
        const at = 2 + 2 * (somewhere % ((bytes.length - 2) / 2));
        view.setUint16(0, patchChecksum(view.getUint16(0), view.getUint16(at), word));
        view.setUint16(at, word);
        // All-zero messages have two checksums, 0 and ffff, in ones' complement; either sums to zero.
        const sum = foldSum(addToSum(0, bytes, 0, bytes.length));
        assert.ok(sum === 0xffff || sum === 0, sum.toString(16));
        if (bytes.some((byte, i) => i >= 2 && byte !== 0)) assert.equal(sum, 0xffff);
      },
    ),
    { seed: 20, numRuns: 2000 },
  );
});
