import assert from 'node:assert/strict';
import { test } from 'node:test';
import { printableLines, singleLine } from '../../proto/rules/printable-text.js';

test('one line, whatever is in it', () => {
  const rows: [string, string][] = [
    ['a\r\nb\tc', 'a b c'],
    ['  a  ', 'a'],
    ['\u001b[2J\u009b31m\u0000\u007f', '[2J 31m'],
    ['a\u2028b\u202ec\u200bd\ufeff', 'a b c d'],
    ['數據 é 👍', '數據 é 👍'],
    ['\ud800', '\ufffd'],
  ];
  for (const [text, line] of rows) assert.equal(singleLine(text), line);
});

test('a limit counts characters and never cuts one in half', () => {
  assert.equal(singleLine('abcdef', 4), 'abc…');
  assert.equal(singleLine('abcd', 4), 'abcd');
  assert.equal(singleLine('👍👍👍👍👍', 3), '👍👍…');
});

test('several lines keep their ends and nothing else', () => {
  assert.equal(printableLines('a\r\nb\rc\td\u001b[2J'), 'a\nb\nc d\ufffd[2J');
});
