/** How long a reader takes for one input, and how much memory it allocates. Measured, so never a matter of a test. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Target } from './target.js';

export interface Cost {
  /** The least of several, in milliseconds. */
  readonly ms: number;
  /** Bytes for one input; the least of several. */
  readonly memory: number;
}

const ROUNDS = 5;
const REPEATS = 8;

/** Runs the input some ten times, and more often if it is slow or large. Coverage must not be on. */
export async function costOf(target: Target, input: Uint8Array): Promise<Cost> {
  const most = target.budget.memory + target.budget.memoryPerByte * input.length;
  let ms = Number.POSITIVE_INFINITY;
  let memory = Number.POSITIVE_INFINITY;
  await target.read(input);
  for (let round = 0; round < ROUNDS && (round === 0 || ms > target.budget.ms); round += 1) {
    const started = performance.now();
    await target.read(input);
    ms = Math.min(ms, performance.now() - started);
  }
  for (let round = 0; round < ROUNDS && (round === 0 || memory > most); round += 1) {
    if (round > 0) garbageCollector()();
    const before = allocated();
    for (let repeat = 0; repeat < REPEATS; repeat += 1) await target.read(input);
    // A collection in between makes it less than nothing.
    const each = (allocated() - before) / REPEATS;
    if (each >= 0) memory = Math.min(memory, each);
  }
  return { ms, memory: Number.isFinite(memory) ? memory : 0 };
}

/** Until the next collection, which so few runs of small inputs do not bring about. */
function allocated(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

let collector: (() => void) | undefined;

function garbageCollector(): () => void {
  if (collector === undefined) {
    setFlagsFromString('--expose-gc');
    // Only a context made after the flag has it.
    collector = runInNewContext('gc') as () => void;
  }
  return collector;
}
