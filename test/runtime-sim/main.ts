/**
 * npm run runtime-sim: many seeds of the production election loop on virtual hosts, and of clusters with
 * their controller. Every failing seed is told with the command that tells its story; the last line is the verdict.
 */
import { parseArgs } from 'node:util';
import type { AlarmCounts } from './alarms.js';
import { type ControlResult, simulateControl } from './simulate-control.js';
import { simulateRuntime } from './simulate-runtime.js';
import { RuntimeViolation } from './violation.js';

const USAGE = `usage: npm run runtime-sim -- [--schedules N] [--control N] [--from SEED]
  --schedules N   seeds of the election loop; default 500
  --control N     seeds of clusters with a controller; default 20
  --from SEED     the first one; default 0
`;

interface Wanted {
  readonly schedules: number;
  readonly control: number;
  readonly from: number;
}

function wholeNumber(text: string, name: string): number {
  const number = Number(text);
  if (text === '' || !Number.isSafeInteger(number) || number < 0) {
    throw new RangeError(`--${name} wants a whole number, not "${text}"`);
  }
  return number;
}

/** Undefined: help was asked for. Throws what is wrong with the words. */
function wanted(): Wanted | undefined {
  const { values } = parseArgs({
    options: {
      help: { type: 'boolean', default: false },
      schedules: { type: 'string', default: '500' },
      control: { type: 'string', default: '20' },
      from: { type: 'string', default: '0' },
    },
  });
  if (values.help) return undefined;
  return {
    schedules: wholeNumber(values.schedules, 'schedules'),
    control: wholeNumber(values.control, 'control'),
    from: wholeNumber(values.from, 'from'),
  };
}

async function main(): Promise<number> {
  let counts: Wanted | undefined;
  try {
    counts = wanted();
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
    return 2;
  }
  if (counts === undefined) {
    process.stdout.write(USAGE);
    return 0;
  }
  const { schedules, control, from } = counts;
  const loop = await tryAll('the election loop', from, schedules, async (seed) => simulateRuntime(seed));
  const results: ControlResult[] = [];
  const cluster = await tryAll('clusters with a controller', from, control, async (seed) => {
    results.push(await simulateControl(seed));
  });
  if (control > 0) {
    report(
      'two active routers',
      results.map(({ two }) => two),
    );
    report(
      'no active router',
      results.map(({ none }) => none),
    );
  }
  const failed = loop + cluster;
  process.stdout.write(`${schedules + control - failed} passed, ${failed} failed\n`);
  return failed > 0 ? 1 : 0;
}

/** How many failed. */
async function tryAll(what: string, from: number, count: number, simulate: (seed: number) => Promise<void>) {
  const startedAt = performance.now();
  let failed = 0;
  for (let seed = from; seed < from + count; seed++) {
    try {
      await simulate(seed);
    } catch (error) {
      if (!(error instanceof RuntimeViolation)) throw error;
      failed += 1;
      process.stdout.write(`${error.message}\n`);
    }
  }
  const each = (performance.now() - startedAt) / Math.max(1, count);
  process.stdout.write(`${what}: ${count} seeds, ${each.toFixed(1)} ms a seed\n`);
  return failed;
}

/** How good the controller's alarms were, over all seeds. */
function report(what: string, all: readonly AlarmCounts[]): void {
  const sum = (of: (counts: AlarmCounts) => number) => all.reduce((total, counts) => total + of(counts), 0);
  const [real, detected, raised, mistaken, outdated] = [
    sum(({ real: count }) => count),
    sum(({ detected: count }) => count),
    sum(({ raised: count }) => count),
    sum(({ mistaken: count }) => count),
    sum(({ outdated: count }) => count),
  ];
  const delays = all.flatMap((counts) => counts.delays).sort((a, b) => a - b);
  const within = delays.length === 0 ? '-' : `${((delays.at(-1) ?? 0) / 1_000).toFixed(0)} ms at most`;
  process.stdout.write(
    `alarm "${what}": ${detected} of ${real} detected (recall ${ratio(detected, real)}), told within ${within}; ` +
      `${raised} raised, ${mistaken} without cause (precision ${ratio(raised - mistaken, raised)}), ` +
      `${outdated} on the last words of agents that were paused, cut off or dead\n`,
  );
}

function ratio(part: number, whole: number): string {
  return whole === 0 ? '-' : (part / whole).toFixed(3);
}

process.exitCode = await main();
