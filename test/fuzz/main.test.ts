/** The program as people call it. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('main.js', import.meta.url));

function fuzz(...words: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...words], { encoding: 'utf8' });
  return { status, stdout, stderr, last: stdout.trimEnd().split('\n').at(-1) };
}

test('what cannot be done is refused with what to do instead', () => {
  for (const [words, message] of [
    [['--nonsense'], /Unknown option '--nonsense'.*see --help/],
    [['--target', 'nothing'], /there is no target "nothing", --list shows them/],
    [['--target', 'arp', '--seconds', '0'], /--seconds is "0", must be a whole number from 1/],
    [['--target', 'arp', '--input', 'xy'], /--input: neither hexadecimal bytes nor a JSON string/],
  ] as const) {
    const { status, stderr, stdout } = fuzz(...words);
    assert.deepEqual([status, stdout], [2, '']);
    assert.match(stderr, message);
  }
});

test('an input is replayed, a target is explored, and the last line counts', () => {
  const replayed = fuzz('--target', 'bfd', '--input', '20c0031800000001000000020000c3500000c35000000000');
  assert.deepEqual([replayed.status, replayed.stdout], [0, 'bfd: up\n1 passed, 0 failed\n']);
  const explored = fuzz('--target', 'bfd', '--iterations', '64', '--seed', '3');
  assert.deepEqual([explored.status, explored.last], [0, '1 passed, 0 failed'], explored.stdout + explored.stderr);
  assert.match(explored.stdout, /^bfd: 64 inputs, \d+ kinds of answer, \d+\.\d % of \d+ blocks/);
});
