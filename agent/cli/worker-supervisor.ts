/**
 * Keeps a worker running beside the elections: a worker that died is replaced, later and later while it keeps dying,
 * and gets what its predecessor had put in force. The elections notice nothing.
 */
import { getPriority } from 'node:os';
import process from 'node:process';
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import type { FromProcess, InForce, ToProcess, WorkerData } from '../local/worker-protocol.js';
import type { Election } from '../runtime/election.js';

export type RunOptions = Omit<WorkerData, 'process' | 'inForce' | 'lastWords' | 'startedWallMs' | 'startedNice'>;

/** A worker that died is replaced after so long, doubling up to a limit while it keeps dying. */
const FIRST_RESTART_MS = 100;
const LAST_RESTART_MS = 30_000;
/** A worker that has lived for so long has its next restart at once again. */
const LIVED_LONG_MS = 60_000;

/** The worker makes little garbage at a time; with the usual young generation it keeps 5 MB more for it. */
const LIMITS = { maxYoungGenerationSizeMb: 2 };

/** Why the agent cannot run, and the exit code that says so. */
export interface GivenUp {
  readonly exitCode: number;
  readonly lines: readonly string[];
}

export class WorkerSupervisor {
  readonly gaveUp: Promise<GivenUp>;
  readonly #options: RunOptions;
  readonly #entry: URL;
  readonly #startedWallMs = Date.now();
  readonly #startedNice = getPriority();
  #giveUp: (given: GivenUp) => void = () => undefined;
  #election: Election | undefined;
  #worker: Worker | undefined;
  #process: MessagePort | undefined;
  #inForce: InForce | undefined;
  /** What the worker before died of, for the next one to tell. */
  #lastWords: string | undefined;
  #restartMs = FIRST_RESTART_MS;
  #mayRestart = true;
  #isAbandoned = false;
  #onEnded: () => void = () => undefined;

  /** @param entry the worker's module */
  constructor(options: RunOptions, entry: URL) {
    this.#options = options;
    this.#entry = entry;
    this.gaveUp = new Promise((resolve) => {
      this.#giveUp = resolve;
    });
  }

  /** Starts the elections with a worker. Throws what starting them throws; no worker is left then. */
  serve(start: (worker: Worker) => Election): Election {
    const worker = this.#start();
    try {
      this.#election = start(worker);
      return this.#election;
    } catch (error) {
      void this.terminate();
      throw error;
    }
  }

  #start(): Worker {
    const { port1, port2 } = new MessageChannel();
    const workerData: WorkerData = {
      ...this.#options,
      startedWallMs: this.#startedWallMs,
      startedNice: this.#startedNice,
      process: port2,
      ...(this.#inForce === undefined ? {} : { inForce: this.#inForce }),
      ...(this.#lastWords === undefined ? {} : { lastWords: this.#lastWords }),
    };
    const worker = new Worker(this.#entry, { workerData, transferList: [port2], resourceLimits: LIMITS });
    const startedAt = performance.now();
    this.#worker = worker;
    this.#process = port1;
    port1.on('message', (message: ToProcess) => this.#received(message));
    worker.on('error', (error) => this.#died(describe(error)));
    worker.on('exit', () => this.#exited(worker, port1, performance.now() - startedAt));
    return worker;
  }

  tell(message: FromProcess): void {
    this.#process?.postMessage(message);
  }

  stopRestarting(): void {
    this.#mayRestart = false;
  }

  /** Ends the worker wherever it stands. */
  async terminate(): Promise<void> {
    this.#mayRestart = false;
    await this.#worker?.terminate();
  }

  /** The worker is not waited for any more. */
  abandon(): void {
    this.#isAbandoned = true;
    this.#onEnded();
  }

  /** Resolves when no worker runs that is waited for, at the latest after `limit` ms. */
  async ended(limit: number): Promise<void> {
    if (this.#worker === undefined || this.#isAbandoned) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, limit);
      this.#onEnded = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #received(message: ToProcess): void {
    switch (message.kind) {
      case 'inForce':
        this.#inForce = message.inForce;
        break;
      case 'suspending':
        this.#mayRestart = false;
        break;
      case 'finished':
        this.abandon();
        break;
      case 'giveUp':
        // While elections run, a worker that cannot go on is no reason to end them.
        if (this.#inForce === undefined) this.#giveUp(message);
        else {
          this.#lastWords = message.lines.join('\n');
          void this.#worker?.terminate();
        }
        break;
    }
  }

  #died(reason: string): void {
    this.#lastWords = reason;
    // A reader that stands still would hold up this thread, so that this is only said while nothing is elected.
    if (this.#inForce === undefined) process.stderr.write(`baton-agent: the worker thread died: ${reason}\n`);
  }

  #exited(worker: Worker, port: MessagePort, livedMs: number): void {
    port.close();
    this.#election?.detach(worker);
    if (this.#worker === worker) this.#worker = undefined;
    this.#onEnded();
    if (!this.#mayRestart) return;
    if (livedMs > LIVED_LONG_MS) this.#restartMs = FIRST_RESTART_MS;
    setTimeout(() => {
      if (this.#mayRestart) this.#election?.attach(this.#start());
    }, this.#restartMs);
    this.#restartMs = Math.min(this.#restartMs * 2, LAST_RESTART_MS);
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
