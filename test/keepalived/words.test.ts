import assert from 'node:assert/strict';
import { test } from 'node:test';
import { splitCommandLine, splitEscapedWords, splitWords, type Words } from '../../proto/keepalived/words.js';

function wordsOf(split: Words): readonly string[] | string {
  return split.ok ? split.words : split.reason;
}

test('ordinary keywords: double quotes protect blanks, single quotes and backslashes mean nothing', () => {
  for (const [text, expected] of [
    ['priority 100', ['priority', '100']],
    ['  a\t b ', ['a', 'b']],
    ['router_id "a b"', ['router_id', 'a b']],
    ["router_id 'a b'", ['router_id', "'a", "b'"]],
    ['x "a b"c', ['x', 'a bc']],
    ['x a"b c"d', ['x', 'ab cd']],
    ['x ""', ['x', '']],
    ['x a\\ b', ['x', 'a\\', 'b']],
    ['x "a', 'unterminated-quote'],
    ['', []],
  ] as const) {
    assert.deepEqual(wordsOf(splitWords(text)), expected, text);
  }
});

test('only parts that touch are joined', () => {
  const joined = (text: string): boolean => {
    const split = splitWords(text);
    return split.ok && split.joined;
  };
  assert.equal(joined('x "a" "b"'), false);
  assert.equal(joined('x "a""b"'), true);
  assert.equal(joined('x a"b"'), true);
  assert.equal(joined('x "b"a'), true);
});

test('keywords that name a program: escapes and both quotes', () => {
  for (const [text, expected] of [
    ['"/bin/x a b" root', ['/bin/x a b', 'root']],
    ["'/bin/x a b'", ['/bin/x a b']],
    ['"a \\"x y\\" b"', ['a "x y" b']],
    ['"a "b" c"', ['a b c']],
    ['\\x41\\102\\t\\cA\\q', ['AB\t\x01q']],
    ['a\\ b', ['a b']],
    ['"\\x4g"', ['\x04g']],
    ['"a', 'unterminated-quote'],
    ['\'a"', 'unterminated-quote'],
    ['a\\', ['a\\']],
  ] as const) {
    assert.deepEqual(wordsOf(splitEscapedWords(text)), expected, text);
  }
});

test('a command line is split once more, and quotes inside it protect blanks', () => {
  for (const [text, expected] of [
    ['/bin/echo  a b', ['/bin/echo', 'a', 'b']],
    ["/bin/echo 'a b'c", ['/bin/echo', 'a bc']],
    ['/bin/echo "\'" x', ['/bin/echo', "'", 'x']],
    ["/bin/echo ''", ['/bin/echo', '']],
    ["/bin/echo 'a", 'unterminated-quote'],
  ] as const) {
    assert.deepEqual(wordsOf(splitCommandLine(text)), expected, text);
  }
});
