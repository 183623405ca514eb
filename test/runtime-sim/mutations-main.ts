/** node dist/test/runtime-sim/mutations-main.js: bugs around the production loop, and the seed that catches each. */
import { MUTATIONS } from './mutations.js';
import { simulateRuntime } from './simulate-runtime.js';
import { RuntimeViolation } from './violation.js';

const MOST_SEEDS = 300;

/** The first seed that finds something, and what; undefined: none does. */
function caughtBy(name: string): { readonly seed: number; readonly invariant: string } | undefined {
  for (let seed = 0; seed < MOST_SEEDS; seed++) {
    try {
      simulateRuntime(seed, undefined, MUTATIONS[name]);
    } catch (error) {
      if (!(error instanceof RuntimeViolation)) throw error;
      return { seed, invariant: error.invariant };
    }
  }
  return undefined;
}

function main(): number {
  if (process.argv.length > 2) {
    process.stderr.write('usage: node dist/test/runtime-sim/mutations-main.js\n');
    return process.argv[2] === '--help' ? 0 : 2;
  }
  let missed = 0;
  process.stdout.write('| bug | caught by seed | invariant | schedules |\n|---|---|---|---|\n');
  for (const name of Object.keys(MUTATIONS)) {
    const caught = caughtBy(name);
    if (caught === undefined) missed += 1;
    const { seed = 'none', invariant = '' } = caught ?? {};
    process.stdout.write(
      `| ${name} | ${seed} | ${invariant} | ${caught === undefined ? MOST_SEEDS : caught.seed + 1} |\n`,
    );
  }
  process.stdout.write(`${Object.keys(MUTATIONS).length - missed} passed, ${missed} failed\n`);
  return missed > 0 ? 1 : 0;
}

process.exitCode = main();
