/**
 * Started by witness.ts for one processor, before all other programs there: sleeps for some milliseconds at a time and says,
 * a line of JSON each, from when to when it was late. Nobody but the kernel or the machine below it can have kept it.
 */
import { writeSync } from 'node:fs';
import process from 'node:process';

/** Every waking makes the kernel choose anew who runs, which helps whoever waits: the fewer the better. */
const SLEEP_MS = 25;
const [leastMs = ''] = process.argv.slice(2);
const never = new Int32Array(new SharedArrayBuffer(4));

// Ends by itself when the bench has ended in a way that left it no time to end this.
const bench = process.ppid;

writeSync(1, 'ready\n');
for (let before = performance.now(); process.ppid === bench; ) {
  Atomics.wait(never, 0, 0, SLEEP_MS);
  const now = performance.now();
  if (now - before - SLEEP_MS > Number(leastMs)) {
    const [fromMs, toMs] = [before + SLEEP_MS, now].map((ms) => performance.timeOrigin + ms);
    writeSync(1, `${JSON.stringify({ fromMs, toMs })}\n`);
  }
  before = now;
}
