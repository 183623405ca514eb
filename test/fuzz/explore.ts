/**
 * The coverage-guided loop: inputs that reach new blocks, or get a new kind of answer, are kept and changed further. The
 * same seed and number of inputs give the same inputs on every machine.
 */
import { readFileSync } from 'node:fs';
import type { CoverageMap, Sample, Sampler } from './coverage.js';
import { literalsOf, Mutator } from './mutator.js';
import type { Target } from './target.js';
import { attempt, minimised } from './trial.js';

export interface Discovery {
  readonly oracle: string;
  readonly message: string;
  /** Made as small as it goes. */
  readonly input: Uint8Array;
  /** How many inputs had been tried when it was found, the corpus not counted. */
  readonly after: number;
}

export interface Exploration {
  /** Inputs tried, without the corpus. */
  readonly inputs: number;
  /** The corpus and what was found worth keeping, in that order. */
  readonly kept: readonly Uint8Array[];
  /** How many of `kept` are new. */
  readonly fresh: number;
  /** Kinds of answer. */
  readonly verdicts: ReadonlySet<string>;
  readonly discoveries: readonly Discovery[];
  /** Of the corpus: groups of inputs that together take more steps than they may. */
  readonly overBudget: readonly (readonly Uint8Array[])[];
}

export interface ExploreOptions {
  readonly target: Target;
  readonly seed: number;
  /** Tried in any case first. */
  readonly corpus: readonly Uint8Array[];
  readonly sampler: Sampler;
  readonly map: CoverageMap;
  /** Gets every sample too: of several targets together. */
  readonly total?: CoverageMap;
  /** Asked between batches, with the number of inputs tried. */
  readonly goesOn: (inputs: number) => boolean;
}

/** Asking V8 costs as much as a hundred small inputs, so it is asked once for so many. */
const BATCH = 32;
/** Kinds of broken promises after which the loop ends. */
const MOST_DISCOVERIES = 8;

export async function explore(options: ExploreOptions): Promise<Exploration> {
  const { target, sampler, map, total, goesOn } = options;
  const remember = (sample: Sample): boolean => {
    total?.add(sample);
    return map.add(sample);
  };
  const verdicts = new Set<string>();
  const discoveries = new Map<string, Discovery>();
  const kept: Uint8Array[] = [];
  const overBudget: (readonly Uint8Array[])[] = [];
  let inputs = 0;

  /** Whether the answer is of a new kind. */
  const run = async (input: Uint8Array): Promise<boolean> => {
    const trial = await attempt(target, input);
    if (!trial.ok) {
      if (discoveries.has(trial.oracle)) return false;
      const after = inputs;
      discoveries.set(trial.oracle, { ...trial, input, after });
      const small = await minimised(target, input, trial.oracle);
      const again = await attempt(target, small);
      if (!again.ok) discoveries.set(trial.oracle, { ...again, input: small, after });
      return false;
    }
    if (verdicts.has(trial.verdict)) return false;
    verdicts.add(trial.verdict);
    return true;
  };

  const reachesNew = async (input: Uint8Array): Promise<boolean> => {
    sampler.take();
    await attempt(target, input);
    return remember(sampler.take());
  };

  sampler.take();
  for (const group of groupsOf([...options.corpus, ...target.seeds])) {
    for (const input of group) await run(input);
    const sample = sampler.take();
    remember(sample);
    kept.push(...group);
    const most = group.reduce((sum, { length }) => sum + stepsAllowed(target, length), 0);
    if (map.stepsOf(sample) > most) overBudget.push(group);
  }
  const before = kept.length;
  const dictionary = [...target.dictionary, ...literalsOf(target.files.map(compiledText))];
  const mutator = new Mutator(options.seed, { ...target, dictionary });
  while (goesOn(inputs) && discoveries.size < MOST_DISCOVERIES) {
    const batch = Array.from({ length: BATCH }, () => mutator.next(kept));
    const ofNewKind = new Set<Uint8Array>();
    for (const input of batch) {
      if (await run(input)) ofNewKind.add(input);
      inputs += 1;
    }
    const sample = sampler.take();
    if (ofNewKind.size === 0 && !map.hasNews(sample)) continue;
    for (const input of batch) {
      // Until it is known which of them had the news.
      const isNews = map.hasNews(sample) && (await reachesNew(input));
      if (isNews || ofNewKind.has(input)) kept.push(input);
    }
    // What was reached once and cannot be reached again is not searched for time after time.
    remember(sample);
  }
  return { inputs, kept, fresh: kept.length - before, verdicts, discoveries: [...discoveries.values()], overBudget };
}

/**
 * The inputs without those that add no block and no kind of answer to those before them, texts beginning with the longest
 * and packets with the shortest, and without those that take more
 * steps than they may, which are nothing to keep.
 *
 * @param map one that has seen nothing yet
 */
export async function essential(
  target: Target,
  inputs: readonly Uint8Array[],
  sampler: Sampler,
  map: CoverageMap,
): Promise<readonly Uint8Array[]> {
  const verdicts = new Set<string>();
  const left: Uint8Array[] = [];
  for (const input of [...inputs].sort((a, b) => (a.length - b.length) * (target.isText ? -1 : 1))) {
    sampler.take();
    const trial = await attempt(target, input);
    const sample = sampler.take();
    if (map.stepsOf(sample) > stepsAllowed(target, input.length)) continue;
    const reachesNew = map.add(sample);
    const isNewKind = trial.ok && !verdicts.has(trial.verdict);
    if (trial.ok) verdicts.add(trial.verdict);
    if (reachesNew || isNewKind) left.push(input);
  }
  return left;
}

function stepsAllowed({ budget }: Target, length: number): number {
  return budget.steps + budget.stepsPerByte * length;
}

/** Of the corpus so many are run before V8 is asked what they reached. */
const GROUP = 8;

function groupsOf(inputs: readonly Uint8Array[]): readonly (readonly Uint8Array[])[] {
  return Array.from({ length: Math.ceil(inputs.length / GROUP) }, (_, i) => inputs.slice(i * GROUP, (i + 1) * GROUP));
}

function compiledText(file: string): string {
  return readFileSync(new URL(`../../${file.replace(/\.ts$/, '.js')}`, import.meta.url), 'utf8');
}
