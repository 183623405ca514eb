/** npm run fuzz: looks for inputs that break what a reader promises; --help says how. */
import process from 'node:process';
import { parseArgs } from 'node:util';
import { CorpusError, inputOf, lineOf, readCorpus, writeCorpus } from './corpus.js';
import { CoverageMap, Sampler, shareOf } from './coverage.js';
import { type Discovery, essential, explore } from './explore.js';
import { costOf } from './measure.js';
import type { Target } from './target.js';
import { attempt } from './trial.js';

const USAGE = `usage: npm run fuzz -- [--target NAME]... [--seconds N | --iterations N] [--seed N] [--write]
       npm run fuzz -- --target NAME --input HEX
       npm run fuzz -- --list

Gives random inputs to everything that reads bytes from outside, guided by which blocks of the
code they reach, and judges every answer. Without --target: all targets, one after the other.

  --target NAME    only this one; may be given several times
  --seconds N      time for each target, 1 to 86400 (default: 10)
  --iterations N   instead: so many inputs for each target; the same seed then gives the same inputs
  --seed N         0 to 4294967295 (default: 1)
  --write          keep what reached something new: rewrites test/fuzz/corpus/NAME.txt
  --input HEX      replay one input, as a finding prints it, or a line of a corpus
  --missing        also list the blocks that were not reached
  --list           the targets

The last line is "N passed, N failed", which counts targets. Exit: 0 nothing found, 1 something found, 2 bad usage.
`;

interface Options {
  readonly targets: readonly Target[];
  readonly seconds: number;
  readonly iterations: number | undefined;
  readonly seed: number;
  readonly write: boolean;
  readonly missing: boolean;
  readonly input: Uint8Array | undefined;
}

class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly code = 'usage';
}

const sampler = new Sampler();
// The sources must be compiled after the sampler has begun.
const { TARGETS } = await import('./targets.js');

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof UsageError) && !(error instanceof CorpusError)) throw error;
  process.stderr.write(`fuzz: ${error.message}; see --help\n`);
  process.exitCode = 2;
}
// A target may hold a socket or a timer open.
process.exit();

async function main(words: readonly string[]): Promise<number> {
  const flags = readFlags(words);
  if (flags.help === true) {
    process.stdout.write(USAGE);
    return 0;
  }
  if (flags.list === true) {
    for (const { name, what } of TARGETS) process.stdout.write(`${name.padEnd(18)} ${what}\n`);
    return 0;
  }
  const options = optionsOf(flags);
  if (options.input !== undefined) return await replay(options.targets, options.input);
  const explored: Explored[] = [];
  const total = new CoverageMap(options.targets.flatMap(({ files }) => files));
  for (const target of options.targets) explored.push(await exploreOne(target, options, total));
  tellCoverage(options, total);
  // Counters cost time and memory, so that both are measured without them.
  sampler.stop();
  let failed = 0;
  for (const one of explored) if (!(await judge(one))) failed += 1;
  process.stdout.write(`${explored.length - failed} passed, ${failed} failed\n`);
  return failed > 0 ? 1 : 0;
}

interface Explored {
  readonly target: Target;
  readonly inputs: number;
  readonly fresh: number;
  readonly verdicts: number;
  readonly kept: readonly Uint8Array[];
  readonly discoveries: readonly Discovery[];
}

async function exploreOne(target: Target, options: Options, total: CoverageMap): Promise<Explored> {
  const map = new CoverageMap(target.files);
  // From when the corpus has been replayed.
  let until: number | undefined;
  const goesOn = (inputs: number): boolean => {
    until ??= performance.now() + options.seconds * 1_000;
    return options.iterations === undefined ? performance.now() < until : inputs < options.iterations;
  };
  const corpus = readCorpus(target);
  const result = await explore({ target, seed: options.seed, corpus, sampler, map, total, goesOn });
  const files = map.report();
  const blocks = files.reduce((sum, file) => sum + file.blocks, 0);
  const share = (shareOf(files) * 100).toFixed(1);
  const { inputs, fresh, verdicts } = result;
  process.stdout.write(
    `${target.name}: ${inputs} inputs, ${verdicts.size} kinds of answer, ${share} % of ${blocks} blocks, ${fresh} inputs new\n`,
  );
  if (options.write) {
    const kept = await essential(target, [...corpus, ...result.kept], sampler, new CoverageMap(target.files));
    writeCorpus(target, kept);
    process.stdout.write(`  corpus written: ${kept.length} inputs\n`);
  }
  return { ...result, target, verdicts: verdicts.size };
}

/** Of the targets together: one source is read by several of them. */
function tellCoverage({ targets, missing: isWanted }: Options, total: CoverageMap): void {
  for (const group of new Set(targets.map((target) => target.group))) {
    const sources = new Set(targets.flatMap((target) => (target.group === group ? target.files : [])));
    const files = total.report().filter(({ file }) => sources.has(file));
    process.stdout.write(`\n${group}: ${(shareOf(files) * 100).toFixed(1)} % of the blocks together\n`);
    for (const { file, reached, blocks, missing } of files) {
      process.stdout.write(`  ${file.padEnd(44)} ${String(reached).padStart(4)} of ${String(blocks).padStart(4)}\n`);
      if (isWanted) for (const line of missing) process.stdout.write(`      ${line}\n`);
    }
  }
  process.stdout.write('\n');
}

/** Prints what is wrong with a target. Whether nothing is. */
async function judge({ target, kept, discoveries }: Explored): Promise<boolean> {
  for (const { oracle, message, input, after } of discoveries) {
    process.stdout.write(`${target.name}: FOUND after ${after} inputs: ${oracle}\n`);
    for (const line of message.split('\n').slice(0, 8)) process.stdout.write(`    ${line.slice(0, 400)}\n`);
    tellReplay(target, input);
  }
  let isGood = discoveries.length === 0;
  let slowest = 0;
  let largest = 0;
  for (const input of kept) {
    if (!(await attempt(target, input)).ok) continue;
    const { ms, memory } = await costOf(target, input);
    slowest = Math.max(slowest, ms);
    largest = Math.max(largest, memory);
    const most = target.budget.memory + target.budget.memoryPerByte * input.length;
    if (ms <= target.budget.ms && memory <= most) continue;
    isGood = false;
    const what = ms > target.budget.ms ? `takes ${ms.toFixed(1)} ms` : `allocates ${Math.round(memory / 1024)} KiB`;
    process.stdout.write(`${target.name}: FOUND an input of ${input.length} bytes that ${what} each time\n`);
    tellReplay(target, input);
  }
  process.stdout.write(
    `${target.name}: ${isGood ? 'ok' : 'FAILED'}; slowest ${slowest.toFixed(2)} ms, most memory ${Math.ceil(largest / 1024)} KiB\n`,
  );
  return isGood;
}

function tellReplay(target: Target, input: Uint8Array): void {
  const line = lineOf({ isText: false }, input);
  process.stdout.write(`    replay: npm run fuzz -- --target ${target.name} --input ${line}\n`);
}

async function replay(targets: readonly Target[], input: Uint8Array): Promise<number> {
  let failed = 0;
  for (const target of targets) {
    const trial = await attempt(target, input);
    if (trial.ok) process.stdout.write(`${target.name}: ${trial.verdict}\n`);
    else {
      failed += 1;
      process.stdout.write(`${target.name}: ${trial.oracle}: ${trial.message}\n`);
    }
  }
  process.stdout.write(`${targets.length - failed} passed, ${failed} failed\n`);
  return failed > 0 ? 1 : 0;
}

function readFlags(words: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...words],
      options: {
        target: { type: 'string', multiple: true },
        seconds: { type: 'string' },
        iterations: { type: 'string' },
        seed: { type: 'string' },
        write: { type: 'boolean' },
        input: { type: 'string' },
        missing: { type: 'boolean' },
        list: { type: 'boolean' },
        help: { type: 'boolean' },
      },
    });
    return values;
  } catch (error) {
    throw new UsageError((error as Error).message.split('\n', 1)[0] ?? '');
  }
}

function optionsOf(flags: ReturnType<typeof readFlags>): Options {
  if (flags.seconds !== undefined && flags.iterations !== undefined) {
    throw new UsageError('--seconds and --iterations exclude each other');
  }
  const names = flags.target ?? [];
  const targets = names.map((name) => {
    const found = TARGETS.find((one) => one.name === name);
    if (found === undefined) throw new UsageError(`there is no target "${name}", --list shows them`);
    return found;
  });
  if (flags.input !== undefined && targets.length === 0) throw new UsageError('--input needs --target');
  return {
    targets: targets.length === 0 ? TARGETS : targets,
    seconds: numberIn('--seconds', flags.seconds ?? '10', 1, 86_400),
    iterations:
      flags.iterations === undefined ? undefined : numberIn('--iterations', flags.iterations, 0, 1_000_000_000),
    seed: numberIn('--seed', flags.seed ?? '1', 0, 0xffff_ffff),
    write: flags.write === true,
    missing: flags.missing === true,
    input: flags.input === undefined ? undefined : inputOf(flags.input, '--input'),
  };
}

function numberIn(option: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value <= most) return value;
  throw new UsageError(`${option} is "${text}", must be a whole number from ${least} to ${most}`);
}
