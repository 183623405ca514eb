/**
 * When V8 collects garbage to give memory back. By itself it does so some eight seconds after a start and whenever a
 * thread has been idle for a while, on whatever thread: on that of the elections a takeover then waits for milliseconds. So
 * its own way is turned off once the start is over, and each thread collects when nothing waits for it. What V8 collects
 * because room is wanted is not affected.
 */
import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** By then a start is over, and what it needed is garbage. */
const AFTER_START_MS = 3_000;
const INTERVAL_MS = 60_000;
/** Bytes of growth that are worth a collection. */
const WORTHWHILE = 2 << 20;

/**
 * On the thread of the elections, once. Not at once: a thread that starts under other flags than the program was built
 * with does not take the code that Node.js has compiled beforehand, which costs it megabytes.
 */
export function collectAfterStart(): void {
  setTimeout(() => {
    // A takeover after a quiet month is as fast as the last rehearsal.
    setFlagsFromString('--no-flush-bytecode');
    setFlagsFromString('--no-memory-reducer');
    collectNow();
  }, AFTER_START_MS).unref();
}

/** On a thread on which nothing waits for milliseconds: after the start, and whenever there is much to collect. */
export function collectRegularly(): void {
  let least = 0;
  const collect = (): void => {
    if (getHeapStatistics().used_heap_size < least + WORTHWHILE) return;
    collectNow();
    least = getHeapStatistics().used_heap_size;
  };
  setTimeout(collect, AFTER_START_MS).unref();
  setInterval(collect, INTERVAL_MS).unref();
}

/** Collects what this thread does not use, and gives the memory back. Blocks for some milliseconds. */
function collectNow(): void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as (options: Readonly<Record<string, string>>) => void;
  collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}
