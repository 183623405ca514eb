import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MUTATIONS } from './mutations.js';
import { simulateRuntime } from './simulate-runtime.js';
import { RuntimeViolation } from './violation.js';

const SEEDS = 150;
/** The rarest of them, a refusal of the kernel that is taken for success, shows in one seed of fifty. */
const SEEDS_PER_BUG = 200;

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

for (const [name, sabotage] of Object.entries(MUTATIONS)) {
  test(`a bug around the loop is caught: ${name}`, (context) => {
    for (let seed = 0; seed < SEEDS_PER_BUG; seed++) {
      try {
        simulateRuntime(seed, undefined, sabotage);
      } catch (error) {
        if (!(error instanceof RuntimeViolation)) throw error;
        assert.match(error.message, new RegExp(`replay: node dist/test/runtime-sim/replay.js ${seed}$`));
        context.diagnostic(`caught at seed ${seed} by ${error.invariant}`);
        return;
      }
    }
    assert.fail(`${SEEDS_PER_BUG} seeds found nothing wrong`);
  });
}
