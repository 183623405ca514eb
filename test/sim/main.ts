/** Many schedules of the production core, on all processors; see USAGE. */
import { runProgram, UsageError, wholeNumber } from './command-line.js';
import type { Failure } from './minimise.js';
import { type Batch, minimised, runBatches, usualJobs } from './pool.js';

const USAGE = `usage: npm run sim -- [--schedules N] [--from SEED] [--jobs N]
  Runs N (10000) schedules, those of the seeds from SEED (0) on, in as many threads (one a processor), and checks every
  invariant in each. A schedule that fails is made smaller and printed with its story and the command that replays it.
  Stops after 10 failures. The last line is "N passed, N failed"; exit 1 if any failed.`;

const MOST_FAILURES = 10;
const MINIMISE_MS = 5_000;
/** Small enough for all threads to end at about the same time. */
const BATCH = 50;
const PROGRESS_MS = 5_000;

await runProgram(
  USAGE,
  { schedules: { type: 'string' }, from: { type: 'string' }, jobs: { type: 'string' } },
  async ({ schedules = '10000', from = '0', jobs = String(usualJobs()) }, positionals) => {
    if (positionals.length > 0) throw new UsageError(`what is "${positionals.join(' ')}"?`);
    const first = wholeNumber('--from', from, 0);
    const count = wholeNumber('--schedules', schedules, 1);
    return simulateAll(first, first + count, wholeNumber('--jobs', jobs, 1));
  },
);

async function simulateAll(first: number, end: number, jobs: number): Promise<number> {
  const started = performance.now();
  const failures: Failure[] = [];
  let ran = 0;
  let told = started;
  await runBatches(batchesOf(first, end), jobs, (result) => {
    ran += result.ran;
    failures.push(...result.failures);
    if (performance.now() - told >= PROGRESS_MS) {
      told = performance.now();
      const perSecond = Math.round((ran * 1_000) / (told - started));
      process.stderr.write(`${ran} of ${end - first} schedules, ${failures.length} failed, ${perSecond} a second\n`);
    }
    return failures.length < MOST_FAILURES;
  });
  for (const { seed } of failures.slice(0, MOST_FAILURES)) await tell(seed);
  if (ran < end - first) process.stdout.write(`stopped after ${ran} of ${end - first} schedules\n`);
  const seconds = (performance.now() - started) / 1_000;
  process.stdout.write(
    `seeds ${first} to ${end - 1}, ${seconds.toFixed(1)} s, ${Math.round(ran / seconds)} schedules a second\n` +
      `${ran - failures.length} passed, ${failures.length} failed\n`,
  );
  return failures.length > 0 ? 1 : 0;
}

async function tell(seed: number): Promise<void> {
  const { minimal, story } = await minimised(seed, MINIMISE_MS);
  if (minimal === undefined) {
    process.stdout.write(`\nseed ${seed} failed once and holds now: the simulation is not deterministic\n`);
    return;
  }
  const { part, isMinimal, runs, message } = minimal;
  process.stdout.write(
    `\nFAILED ${message}\n${part.decisions.size} decisions remain after ${runs} runs${isMinimal ? '' : ' (out of time)'}:\n` +
      `${story.map((line) => `  ${line}\n`).join('')}`,
  );
}

function* batchesOf(first: number, end: number): Generator<Batch> {
  for (let from = first; from < end; from += BATCH) yield { from, to: Math.min(end, from + BATCH) };
}
