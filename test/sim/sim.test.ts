import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GROUP_MUTATIONS } from './group-mutations.js';
import { MUTATIONS } from './mutations.js';
import { simulate } from './simulate.js';
import { Violation } from './stage.js';

const SEEDS = 400;
const SEEDS_PER_MUTATION = 400;

test(`${SEEDS} seeds of the production core: every invariant holds`, () => {
  // A violation names its seed and the command that replays it.
  for (let seed = 0; seed < SEEDS; seed++) simulate(seed);
});

test('the same seed tells the same story', () => {
  const story = () => {
    const lines: string[] = [];
    simulate(7, undefined, (line) => lines.push(line));
    return lines;
  };
  const first = story();
  assert.ok(first.length > 50, 'a story of some length');
  assert.deepEqual(story(), first);
});

for (const [name, core] of Object.entries({ ...MUTATIONS, ...GROUP_MUTATIONS })) {
  test(`a broken core is caught: ${name}`, (context) => {
    for (let seed = 0; seed < SEEDS_PER_MUTATION; seed++) {
      try {
        simulate(seed, core);
      } catch (error) {
        if (!(error instanceof Violation)) throw error;
        assert.match(error.message, new RegExp(`replay: node dist/test/sim/replay.js ${seed}$`));
        context.diagnostic(`caught at seed ${seed} by ${error.invariant}`);
        return;
      }
    }
    assert.fail(`${SEEDS_PER_MUTATION} seeds found nothing wrong`);
  });
}
