import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CONTROL_MUTATIONS } from './control-mutations.js';
import { simulateControl } from './simulate-control.js';
import { RuntimeViolation } from './violation.js';

const SEEDS = 5;
const SEEDS_PER_BUG = 4;

test(`${SEEDS} seeds of clusters with a controller: generations never go back, and what is shown is what is`, async (context) => {
  let splits = 0;
  for (let seed = 0; seed < SEEDS; seed++) {
    // A violation names its seed and the command that replays it, a missed or mistaken alarm is one.
    const { two } = await simulateControl(seed);
    splits += two.real;
    assert.equal(two.detected, two.real);
    assert.equal(two.mistaken, 0);
  }
  context.diagnostic(`${splits} splits of which the controller was told`);
  assert.ok(splits > 0);
});

test('the same seed tells the same story', async () => {
  const story = async () => {
    const lines: string[] = [];
    await simulateControl(2, (line) => lines.push(line));
    return lines;
  };
  const first = await story();
  assert.ok(first.length > 50, 'a story of some length');
  assert.deepEqual(await story(), first);
});

for (const [name, spoil] of Object.entries(CONTROL_MUTATIONS)) {
  test(`a fault of the agent's control side is caught: ${name}`, async (context) => {
    for (let seed = 0; seed < SEEDS_PER_BUG; seed++) {
      try {
        await simulateControl(seed, undefined, spoil);
      } catch (error) {
        if (!(error instanceof RuntimeViolation)) throw error;
        assert.match(error.message, new RegExp(`replay: node dist/test/runtime-sim/replay.js --control ${seed}$`));
        context.diagnostic(`caught at seed ${seed} by ${error.invariant}`);
        return;
      }
    }
    assert.fail(`${SEEDS_PER_BUG} seeds found nothing wrong`);
  });
}
