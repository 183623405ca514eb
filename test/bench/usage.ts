/** What processes have used, from the kernel's own account. */
import { readdirSync, readFileSync } from 'node:fs';

/** Linux: USER_HZ. */
const TICKS_PER_SECOND = 100;

/**
 * Processor time in microseconds, user and system, of all threads that these processes have now; exact to the
 * nanosecond. Without IRQ_TIME_ACCOUNTING in the kernel it includes the interrupt work that was done while they ran:
 * whoever sends a packet over a virtual cable pays for its way to the other end.
 */
export function processorMicros(pids: readonly number[]): number {
  let nanos = 0;
  for (const pid of pids) {
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      const [running = '0'] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ');
      nanos += Number(running);
    }
  }
  return nanos / 1000;
}

/** The same of their children that have ended and were waited for; exact to 10 ms. */
export function endedChildrenMicros(pids: readonly number[]): number {
  let ticks = 0;
  for (const pid of pids) {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ');
    // proc(5): cutime and cstime are fields 16 and 17; the state, field 3, is the first one here.
    ticks += Number(fields[13]) + Number(fields[14]);
  }
  return (ticks / TICKS_PER_SECOND) * 1e6;
}

/** MiB. */
export interface Memory {
  /** Pages that several processes share are divided among them. */
  readonly proportional: number;
  /** What nobody else has. */
  readonly own: number;
}

export function memoryOf(pids: readonly number[]): Memory {
  let [proportional, own] = [0, 0];
  for (const pid of pids) {
    const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
    const kib = (field: string) => Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? Number.NaN);
    proportional += kib('Pss') / 1024;
    own += (kib('Private_Clean') + kib('Private_Dirty')) / 1024;
  }
  return { proportional, own };
}
