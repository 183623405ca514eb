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

/** An input that takes longer, however often it is measured, is a finding. */
export const MOST_MS = 5;
const ROUNDS = 5;
const REPEATS = 8;

/** Runs the input some 50 times. Coverage must not be on. */
export async function costOf(target: Target, input: Uint8Array): Promise<Cost> {
  const collect = garbageCollector();
  let ms = Number.POSITIVE_INFINITY;
  let memory = Number.POSITIVE_INFINITY;
  await target.read(input);
  for (let round = 0; round < ROUNDS; round += 1) {
    const started = performance.now();
    await target.read(input);
    ms = Math.min(ms, performance.now() - started);
    collect();
    const before = allocated();
    for (let repeat = 0; repeat < REPEATS; repeat += 1) await target.read(input);
    memory = Math.min(memory, Math.max(0, allocated() - before) / REPEATS);
  }
  return { ms, memory };
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
