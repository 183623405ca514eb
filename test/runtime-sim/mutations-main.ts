/**
 * node dist/test/runtime-sim/mutations-main.js: bugs around the production loop and in what an agent tells its
 * controller, and the seed that catches each.
 */
import { CONTROL_MUTATIONS } from './control-mutations.js';
import { MUTATIONS } from './mutations.js';
import { simulateControl } from './simulate-control.js';
import { simulateRuntime } from './simulate-runtime.js';
import { RuntimeViolation } from './violation.js';

const MOST_SEEDS = 300;
const MOST_CONTROL_SEEDS = 20;

/** The first seed that finds something, and what it finds; undefined: none does. */
async function caughtBy(simulate: (seed: number) => Promise<unknown>, seeds: number) {
  for (let seed = 0; seed < seeds; seed++) {
    try {
      await simulate(seed);
    } catch (error) {
      if (!(error instanceof RuntimeViolation)) throw error;
      return { seed, invariant: error.invariant };
    }
  }
  return undefined;
}

async function main(words: readonly string[]): Promise<number> {
  if (words.length > 0) {
    process.stderr.write('usage: node dist/test/runtime-sim/mutations-main.js\n');
    return words[0] === '--help' ? 0 : 2;
  }
  let [caught, missed] = [0, 0];
  process.stdout.write('| bug | caught by seed | invariant | schedules |\n|---|---|---|---|\n');
  const row = async (name: string, simulate: (seed: number) => Promise<unknown>, seeds: number): Promise<void> => {
    const found = await caughtBy(simulate, seeds);
    if (found === undefined) missed += 1;
    else caught += 1;
    const cells = found === undefined ? `none | | ${seeds}` : `${found.seed} | ${found.invariant} | ${found.seed + 1}`;
    process.stdout.write(`| ${name} | ${cells} |\n`);
  };
  for (const [name, sabotage] of Object.entries(MUTATIONS)) {
    await row(name, async (seed) => simulateRuntime(seed, undefined, sabotage), MOST_SEEDS);
  }
  for (const [name, spoil] of Object.entries(CONTROL_MUTATIONS)) {
    await row(name, (seed) => simulateControl(seed, undefined, spoil), MOST_CONTROL_SEEDS);
  }
  process.stdout.write(`${caught} passed, ${missed} failed\n`);
  return missed > 0 ? 1 : 0;
}

process.exitCode = await main(process.argv.slice(2));
