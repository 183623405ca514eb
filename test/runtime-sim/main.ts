/**
 * node dist/test/runtime-sim/main.js: many seeds of the production election loop on virtual hosts. Every failing seed is
 * told with the command that tells its story; the last line is the verdict.
 */
import { parseArgs } from 'node:util';
import { simulateRuntime } from './simulate-runtime.js';
import { RuntimeViolation } from './violation.js';

const USAGE = `usage: node dist/test/runtime-sim/main.js [--schedules N] [--from SEED]
  --schedules N   how many seeds; default 500
  --from SEED     the first one; default 0
`;

function wholeNumber(text: string, name: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 0) throw new RangeError(`--${name} wants a whole number, not ${text}`);
  return number;
}

function main(): number {
  let schedules: number;
  let from: number;
  try {
    const { values } = parseArgs({
      options: {
        help: { type: 'boolean', default: false },
        schedules: { type: 'string', default: '500' },
        from: { type: 'string', default: '0' },
      },
    });
    if (values.help) {
      process.stdout.write(USAGE);
      return 0;
    }
    schedules = wholeNumber(values.schedules, 'schedules');
    from = wholeNumber(values.from, 'from');
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
    return 2;
  }
  const startedAt = performance.now();
  let failed = 0;
  for (let seed = from; seed < from + schedules; seed++) {
    try {
      simulateRuntime(seed);
    } catch (error) {
      if (!(error instanceof RuntimeViolation)) throw error;
      failed += 1;
      process.stdout.write(`${error.message}\n`);
    }
  }
  const each = (performance.now() - startedAt) / Math.max(1, schedules);
  process.stdout.write(`${each.toFixed(1)} ms a seed\n${schedules - failed} passed, ${failed} failed\n`);
  return failed > 0 ? 1 : 0;
}

process.exitCode = main();
