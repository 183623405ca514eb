/** Whether the runtime of the agent grows: a simulated day of churn, and the heap after each hour of it. */
import { spawn } from 'node:child_process';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Row } from './row.js';
import { slope } from './statistics.js';

/** What the process says after each simulated hour. */
export interface ChurnHour {
  readonly hour: number;
  /** On the heap and beside it, after garbage was collected. */
  readonly bytes: number;
  /** Since the beginning, on both hosts. */
  readonly adverts: number;
  readonly transitions: number;
  readonly happenings: number;
}

const HOURS = { quick: 4, usual: 24 };
/**
 * Without a compiler the heap is the program's data and nothing else: what V8 learns about code that runs often grows for
 * days of simulated time, to a bound.
 */
const FLAGS = ['--expose-gc', '--jitless', '--no-expose-wasm', '--no-flush-bytecode', '--no-lazy-feedback-allocation'];
/** Before that tables fill to their bounds. */
const WARM_HOURS = 1;
const KIB = 1024;
/** What is measured moves by about so much from one hour to the next, up and down. */
const WANTED_KIB = 64;

export const CHURN: Row = {
  name: 'churn',
  summary: 'memory over a simulated day of churn: does it grow',
  run: async ({ quick, say }) => {
    const count = quick ? HOURS.quick : HOURS.usual;
    const hours = await simulate(count);
    const last = hours.at(-1);
    if (last === undefined || hours.length < count) throw new Error(`the simulation ended after ${hours.length} hours`);
    const kib = hours.slice(WARM_HOURS).map(({ bytes }) => bytes / KIB);
    const growth = slope(kib) * count;
    const summary = `${last.adverts} adverts, ${last.transitions} transitions, ${last.happenings} disturbances`;
    say(`${count} h simulated: ${summary}; the heap grew by ${growth.toFixed(1)} KiB`);
    return {
      figures: [
        {
          what: `growth of the heap in ${count} h of simulated churn, by its slope`,
          unit: 'KiB',
          keepalived: { reason: 'keepalived runs in real time only' },
          baton: { values: [growth] },
          goal: { kind: 'atMost', limit: WANTED_KIB },
        },
      ],
      turns: [{ round: 1, kind: 'baton', samples: { 'KiB after each hour': hours.map(({ bytes }) => bytes / KIB) } }],
      notes: [`${summary}; the runtime with virtual sockets, not the worker thread`],
    };
  },
};

async function simulate(hours: number): Promise<readonly ChurnHour[]> {
  const module = fileURLToPath(new URL('./churn-main.js', import.meta.url));
  const child = spawn(process.execPath, [...FLAGS, module, String(hours)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const seen: ChurnHour[] = [];
  // Each line is written by the module beside this one.
  for await (const line of createInterface({ input: child.stdout })) seen.push(JSON.parse(line) as ChurnHour);
  return seen;
}
