import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type FileNumber, parseFileNumber } from '../../agent/health/file-number.js';

test('numbers in C’s notation, whatever follows', () => {
  for (const [text, value] of [
    ['5', 5],
    ['5\n', 5],
    [' \t\n-17 and more', -17],
    ['+3', 3],
    ['0', 0],
    ['-0', 0],
    ['010', 8],
    ['09', 0],
    ['0x1F', 31],
    ['-0x10', -16],
    ['0x', 0],
    ['12abc', 12],
    ['2147483647', 2_147_483_647],
    ['-2147483648', -2_147_483_648],
  ] as const) {
    assert.deepEqual(parseFileNumber(text), { kind: 'number', value } satisfies FileNumber, JSON.stringify(text));
  }
});

test('what is no number of 32 bits is told apart', () => {
  for (const text of ['', ' \n\t', '\0\0']) assert.equal(parseFileNumber(text).kind, 'empty', JSON.stringify(text));
  for (const text of ['up', '-', '+ 5', 'x10']) assert.equal(parseFileNumber(text).kind, 'not-a-number', text);
  for (const text of ['2147483648', '-2147483649', '0xffffffff', '9'.repeat(128)]) {
    assert.equal(parseFileNumber(text).kind, 'out-of-range', text);
  }
});
