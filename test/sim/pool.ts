/** Schedules on all processors: batches of seeds, and seeded bugs, handed to worker threads as they get free. */
import os from 'node:os';
import { Worker } from 'node:worker_threads';
import type { Failure, Minimal } from './minimise.js';

/** Seeds from `from` up to but without `to`; with a bug, until the first that catches it. */
export interface Batch {
  readonly from: number;
  readonly to: number;
  readonly bug?: string;
}

export interface BatchResult {
  readonly batch: Batch;
  /** How many schedules were run. */
  readonly ran: number;
  readonly failures: readonly Failure[];
}

export interface MinimalResult {
  readonly minimal: Minimal | undefined;
  /** The story of what remains, line by line. */
  readonly story: readonly string[];
}

export type Job = { readonly kind: 'batch'; readonly batch: Batch } | MinimiseJob;

export interface MinimiseJob {
  readonly kind: 'minimise';
  readonly seed: number;
  readonly bug?: string;
  readonly limitMs: number;
}

export type Answer = { readonly kind: 'batch'; readonly result: BatchResult } | MinimisedAnswer;

export interface MinimisedAnswer {
  readonly kind: 'minimise';
  readonly result: MinimalResult;
}

/** As many as there are processors. */
export function usualJobs(): number {
  return os.availableParallelism();
}

/** Runs the batches; results come as they are done. Stops when `seen` returns false. */
export async function runBatches(
  batches: Iterable<Batch>,
  jobs: number,
  seen: (result: BatchResult) => boolean,
): Promise<void> {
  const queue = batches[Symbol.iterator]();
  let isOver = false;
  await Promise.all(
    Array.from({ length: jobs }, async () => {
      const worker = new SimWorker();
      try {
        for (let next = queue.next(); !isOver && !next.done; next = queue.next()) {
          const answer = await worker.do({ kind: 'batch', batch: next.value });
          if (answer.kind === 'batch' && !isOver && !seen(answer.result)) isOver = true;
        }
      } finally {
        await worker.end();
      }
    }),
  );
}

/** A failing seed made small, within so long. */
export async function minimised(seed: number, limitMs: number, bug?: string): Promise<MinimalResult> {
  const worker = new SimWorker();
  try {
    const answer = await worker.do({ kind: 'minimise', seed, limitMs, ...(bug !== undefined && { bug }) });
    if (answer.kind === 'minimise') return answer.result;
    throw new TypeError(`a worker answered ${answer.kind} to minimise`);
  } finally {
    await worker.end();
  }
}

/** One thread, one job at a time. */
class SimWorker {
  readonly #thread = new Worker(new URL('./worker-main.js', import.meta.url));
  #waiting: { readonly resolve: (answer: Answer) => void; readonly reject: (error: unknown) => void } | undefined;

  constructor() {
    this.#thread.on('message', (answer: Answer) => this.#waiting?.resolve(answer));
    this.#thread.on('error', (error) => this.#waiting?.reject(error));
    this.#thread.on('exit', (code) => this.#waiting?.reject(new WorkerEnded(code)));
  }

  do(job: Job): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#thread.postMessage(job);
    });
  }

  async end(): Promise<void> {
    this.#waiting = undefined;
    await this.#thread.terminate();
  }
}

/** A thread of the simulation ended without an answer. */
export class WorkerEnded extends Error {
  readonly code = 'SIM_WORKER_ENDED';

  constructor(exit: number) {
    super(`a simulation thread ended with ${exit} in the middle of its work; run it with --jobs 1 to see more`);
    this.name = 'WorkerEnded';
  }
}
