/** A thread of the simulation: takes jobs from pool.ts, one at a time. */
import { parentPort } from 'node:worker_threads';
import { bugNamed } from './bugs.js';
import { PRODUCTION_CORE } from './core.js';
import { type Failure, failureOf, minimise, type Suspect } from './minimise.js';
import type { Answer, Batch, BatchResult, Job, MinimalResult, MinimiseJob } from './pool.js';
import { simulate } from './simulate.js';

parentPort?.on('message', (job: Job) => {
  parentPort?.postMessage(answerTo(job));
});

function answerTo(job: Job): Answer {
  switch (job.kind) {
    case 'batch':
      return { kind: 'batch', result: runBatch(job.batch) };
    case 'minimise':
      return { kind: 'minimise', result: minimal(job) };
    default:
      throw new TypeError(`unknown job ${JSON.stringify(job satisfies never)}`);
  }
}

function runBatch(batch: Batch): BatchResult {
  const suspect = suspectOf(batch.bug);
  const failures: Failure[] = [];
  let ran = 0;
  for (let seed = batch.from; seed < batch.to; seed++) {
    ran += 1;
    const failure = failureOf(seed, suspect);
    if (failure === undefined) continue;
    failures.push(failure);
    if (batch.bug !== undefined) break;
  }
  return { batch, ran, failures };
}

function minimal({ seed, bug, limitMs }: MinimiseJob): MinimalResult {
  const suspect = suspectOf(bug);
  const end = performance.now() + limitMs;
  const result = minimise(seed, suspect, () => performance.now() > end);
  const story: string[] = [];
  if (result !== undefined) {
    try {
      simulate(seed, { core: suspect.core(), part: result.part, bug, log: (line) => story.push(line) });
    } catch {
      // That it fails is known; the last line of the story says how.
    }
  }
  return { minimal: result, story };
}

function suspectOf(bug: string | undefined): Suspect {
  return bug === undefined ? { core: () => PRODUCTION_CORE } : { core: bugNamed(bug), bug };
}
