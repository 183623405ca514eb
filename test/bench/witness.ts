/**
 * Whether the machine itself stood still: one process for each processor, with the highest real-time priority, that notes
 * when it could not run. A virtual machine's processor can be away for tens of milliseconds, and a timer of 10 ms with it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('witness-main.js', import.meta.url));
/** What is shorter is not noted. */
const LEAST_MS = 4;
const PRIORITY = 99;

/** At least from when to when; it may have begun up to one sleep sooner. Wall clock, milliseconds with fractions. */
export interface Standstill {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Standstills of each processor. */
export type Standstills = readonly (readonly Standstill[])[];

export class Witness {
  readonly #children: ChildProcess[] = [];
  readonly #said: string[] = [];
  readonly #onExit = () => this.#kill();

  private constructor() {
    process.on('exit', this.#onExit);
  }

  /** Resolves when all of them watch. */
  static async start(): Promise<Witness> {
    const witness = new Witness();
    const ready: Promise<void>[] = [];
    for (let processor = 0; processor < availableParallelism(); processor += 1) {
      const words = ['-c', String(processor), 'chrt', '--fifo', String(PRIORITY)];
      const child = spawn('taskset', [...words, process.execPath, PROGRAM, String(LEAST_MS)], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      witness.#children.push(child);
      witness.#said.push('');
      ready.push(
        new Promise((resolve, reject) => {
          child.stdout.setEncoding('utf8').on('data', (text: string) => {
            witness.#said[processor] += text;
            resolve();
          });
          child.on('error', reject);
          child.on('exit', (code) => reject(new Error(`the witness of processor ${processor} ended with ${code}`)));
        }),
      );
    }
    try {
      await Promise.all(ready);
    } catch (error) {
      witness.stop();
      throw error;
    }
    return witness;
  }

  /** Ends them. */
  stop(): Standstills {
    process.removeListener('exit', this.#onExit);
    this.#kill();
    return this.#said.map((text) =>
      text
        .split('\n')
        .filter((line) => line.startsWith('{'))
        .map((line): Standstill => JSON.parse(line)),
    );
  }

  #kill(): void {
    for (const child of this.#children) child.kill('SIGKILL');
  }
}

/** For how long of the span the processor that stood still longest did. Milliseconds. */
export function stoodStill(standstills: Standstills, fromMs: number, toMs: number): number {
  const each = standstills.map((ofOne) =>
    ofOne.reduce((sum, still) => sum + Math.max(0, Math.min(still.toMs, toMs) - Math.max(still.fromMs, fromMs)), 0),
  );
  return Math.max(0, ...each);
}
