import assert from 'node:assert/strict';
import { test } from 'node:test';
import { simulateRuntime } from './simulate-runtime.js';

const SEEDS = 200;

test(`${SEEDS} seeds of the production election loop: every invariant holds`, () => {
  // A violation names its seed and the command that replays it.
  for (let seed = 0; seed < SEEDS; seed++) simulateRuntime(seed);
});

test('the same seed tells the same story', () => {
  const story = () => {
    const lines: string[] = [];
    simulateRuntime(11, (line) => lines.push(line));
    return lines;
  };
  const first = story();
  assert.ok(first.length > 50, 'a story of some length');
  assert.deepEqual(story(), first);
});
