/** node dist/test/sim/replay.js SEED: runs one seed with its whole story printed; exit 1 if something does not hold. */
import { simulate } from './simulate.js';
import { Violation } from './stage.js';

const seed = Number(process.argv[2]);
if (!Number.isSafeInteger(seed) || seed < 0) {
  process.stderr.write('usage: node dist/test/sim/replay.js SEED (a whole number, as a failing test prints it)\n');
  process.exitCode = 2;
} else {
  try {
    simulate(seed, undefined, (line) => process.stdout.write(`${line}\n`));
    process.stdout.write(`seed ${seed}: everything holds\n`);
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
    process.exitCode = 1;
  }
}
