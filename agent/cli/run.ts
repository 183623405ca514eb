/**
 * "baton-agent run": the elections on this thread, a supervised worker for everything else. This thread loads only what
 * elections need, reads no file and writes no log; what it has to say goes through the worker.
 */
import process from 'node:process';
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import type { FromProcess, InForce, ToProcess, WorkerData } from '../local/worker-protocol.js';
import { type Election, startElection } from '../runtime/election.js';
import { hostEdges, monotonicClock } from '../runtime/host-edges.js';

export type RunOptions = Omit<WorkerData, 'process' | 'inForce' | 'startedWallMs'>;

/** A worker that died is replaced after so long, doubling up to a limit while it keeps dying. */
const FIRST_RESTART_MS = 100;
const LAST_RESTART_MS = 30_000;
/** A worker that has lived for so long has its next restart at once again. */
const LIVED_LONG_MS = 60_000;
/** A worker that does not end after the elections have is left behind. Longer than it waits for its last hooks. */
const WORKER_END_MS = 10_000;

/** Runs until a signal stops it; resolves with the exit code. Throws when elections are not possible on this host. */
export async function run(options: RunOptions): Promise<number> {
  const supervisor = new WorkerSupervisor(options);
  const election = supervisor.serve((port) => startElection({ port, clock: monotonicClock, edges: hostEdges }));
  let isStopping = false;
  const stop = (): void => {
    supervisor.stopRestarting();
    // A second signal waits neither for a successor nor for the last hooks.
    election.shutdown(!isStopping);
    if (isStopping) supervisor.abandon();
    isStopping = true;
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  process.on('SIGHUP', () => supervisor.tell({ kind: 'reload' }));
  const given = await Promise.race([supervisor.gaveUp, election.stopped]);
  if (given === undefined) {
    await supervisor.ended(WORKER_END_MS);
    return 0;
  }
  supervisor.stopRestarting();
  election.shutdown(false);
  for (const line of given.lines) process.stderr.write(`${line}\n`);
  return given.exitCode;
}

interface GivenUp {
  readonly exitCode: number;
  readonly lines: readonly string[];
}

class WorkerSupervisor {
  readonly gaveUp: Promise<GivenUp>;
  readonly #options: RunOptions;
  readonly #startedWallMs = Date.now();
  #giveUp: (given: GivenUp) => void = () => undefined;
  #election: Election | undefined;
  #worker: Worker | undefined;
  #process: MessagePort | undefined;
  #inForce: InForce | undefined;
  #restartMs = FIRST_RESTART_MS;
  #mayRestart = true;
  #isAbandoned = false;
  #onEnded: () => void = () => undefined;

  constructor(options: RunOptions) {
    this.#options = options;
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
      this.#mayRestart = false;
      void worker.terminate();
      throw error;
    }
  }

  #start(): Worker {
    const { port1, port2 } = new MessageChannel();
    const workerData: WorkerData = {
      ...this.#options,
      startedWallMs: this.#startedWallMs,
      process: port2,
      ...(this.#inForce === undefined ? {} : { inForce: this.#inForce }),
    };
    const worker = new Worker(new URL('../worker.js', import.meta.url), { workerData, transferList: [port2] });
    const startedAt = performance.now();
    this.#worker = worker;
    this.#process = port1;
    port1.on('message', (message: ToProcess) => this.#received(message));
    // Told on standard error, since what writes the log has just died.
    worker.on('error', (error) => process.stderr.write(`baton-agent: the worker thread died: ${describe(error)}\n`));
    worker.on('exit', () => this.#exited(worker, port1, performance.now() - startedAt));
    return worker;
  }

  tell(message: FromProcess): void {
    this.#process?.postMessage(message);
  }

  stopRestarting(): void {
    this.#mayRestart = false;
  }

  /** The worker is not waited for any more. */
  abandon(): void {
    this.#isAbandoned = true;
    this.#onEnded();
  }

  /** Resolves when no worker runs, at the latest after `limit` ms. */
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
      case 'giveUp':
        // While elections run, a worker that cannot go on is no reason to end them.
        if (this.#inForce === undefined) this.#giveUp(message);
        else void this.#worker?.terminate();
        break;
    }
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
