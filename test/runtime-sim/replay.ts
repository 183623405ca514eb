/**
 * node dist/test/runtime-sim/replay.js [--control] SEED: runs one seed with its whole story printed, of the election loop
 * or of the cluster with its controller; exit 1 if something does not hold.
 */
import { simulateControl } from './simulate-control.js';
import { simulateRuntime } from './simulate-runtime.js';
import { RuntimeViolation } from './violation.js';

const USAGE =
  'usage: node dist/test/runtime-sim/replay.js [--control] SEED (a whole number, as a failing test prints it)\n';

async function main(words: readonly string[]): Promise<number> {
  const isControl = words[0] === '--control';
  const [text, ...rest] = isControl ? words.slice(1) : words;
  const seed = Number(text);
  if (text === '--help') {
    process.stdout.write(USAGE);
    return 0;
  }
  if (text === undefined || rest.length > 0 || !Number.isSafeInteger(seed) || seed < 0) {
    process.stderr.write(USAGE);
    return 2;
  }
  const write = (line: string) => void process.stdout.write(`${line}\n`);
  try {
    if (isControl) await simulateControl(seed, write);
    else simulateRuntime(seed, write);
  } catch (error) {
    if (!(error instanceof RuntimeViolation)) throw error;
    return 1;
  }
  write(`seed ${seed}: everything holds`);
  return 0;
}

process.exitCode = await main(process.argv.slice(2));
