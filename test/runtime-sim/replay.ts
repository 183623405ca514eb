/** node dist/test/runtime-sim/replay.js SEED: runs one seed with its whole story printed; exit 1 if something does not hold. */
import { simulateRuntime } from './simulate-runtime.js';
import { RuntimeViolation } from './violation.js';

const seed = Number(process.argv.at(-1));
if (!Number.isSafeInteger(seed) || seed < 0 || process.argv.length < 3) {
  process.stderr.write(
    'usage: node dist/test/runtime-sim/replay.js SEED (a whole number, as a failing test prints it)\n',
  );
  process.exitCode = 2;
} else {
  try {
    simulateRuntime(seed, (line) => process.stdout.write(`${line}\n`));
    process.stdout.write(`seed ${seed}: everything holds\n`);
  } catch (error) {
    if (!(error instanceof RuntimeViolation)) throw error;
    process.exitCode = 1;
  }
}
