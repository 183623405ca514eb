/**
 * The BFD sessions as the worker sees them: a thread that exists only while there are sessions, replaced when it dies.
 * A session whose thread died is down until the new one has brought it up again.
 */
import { Worker } from 'node:worker_threads';
import type { BfdStatus } from '../../proto/gen/baton/v1/status.js';
import { microsToDuration } from '../../proto/rules/duration.js';
import type { Clock } from '../local/clock.js';
import type { FromBfd, ToBfd } from './protocol.js';
import type { BfdSessionSettings } from './settings.js';
import type { BfdListener, BfdReport } from './speaker.js';

const RESTART_MS = 1_000;
/** A thread that has almost nothing to remember. */
const LIMITS = { maxYoungGenerationSizeMb: 1, maxOldGenerationSizeMb: 64 };

/** What of a worker thread is used. */
export interface BfdThread {
  postMessage(message: ToBfd): void;
  on(event: 'message', listener: (message: FromBfd) => void): unknown;
  on(event: 'error', listener: (error: unknown) => void): unknown;
  on(event: 'exit', listener: () => void): unknown;
}

export function startBfdThread(): BfdThread {
  return new Worker(new URL('./thread.js', import.meta.url), { resourceLimits: LIMITS });
}

export class BfdSessions {
  readonly #listener: BfdListener;
  readonly #clock: Clock;
  readonly #startThread: () => BfdThread;
  #thread: BfdThread | undefined;
  #wanted: readonly BfdSessionSettings[] = [];
  #reports: readonly BfdReport[] = [];
  #isStopped = false;

  constructor(listener: BfdListener, clock: Clock, startThread = startBfdThread) {
    this.#listener = listener;
    this.#clock = clock;
    this.#startThread = startThread;
  }

  /** Puts a whole set of sessions in force. */
  configure(wanted: readonly BfdSessionSettings[]): void {
    this.#wanted = wanted;
    const names = new Set(wanted.map(({ name }) => name));
    this.#reports = this.#reports.filter(({ name }) => names.has(name));
    if (wanted.length === 0) this.#end();
    else this.#run().postMessage({ kind: 'configure', sessions: wanted });
  }

  /** Sorted by name. One of which nothing was reported yet is down. */
  statuses(): BfdStatus[] {
    const reports = new Map(this.#reports.map((report) => [report.name, report]));
    return this.#wanted
      .map((settings) => this.#statusOf(settings, reports.get(settings.name)))
      .sort((left, right) => (left.name < right.name ? -1 : 1));
  }

  stop(): void {
    this.#isStopped = true;
    this.#end();
  }

  #run(): BfdThread {
    if (this.#thread !== undefined) return this.#thread;
    const thread = this.#startThread();
    this.#thread = thread;
    thread.on('message', (message) => {
      if (this.#thread === thread) this.#received(message);
    });
    thread.on('error', (error) => this.#listener.failed(`the BFD thread died: ${String(error)}`));
    thread.on('exit', () => {
      if (this.#thread !== thread) return;
      this.#thread = undefined;
      for (const { name } of this.#wanted) this.#listener.stateChanged(name, 'down', 'the BFD thread ended');
      this.#reports = [];
      this.#clock.after(RESTART_MS, () => {
        if (!this.#isStopped && this.#wanted.length > 0) this.configure(this.#wanted);
      });
    });
    return thread;
  }

  #end(): void {
    this.#thread?.postMessage({ kind: 'stop' });
    this.#thread = undefined;
    this.#reports = [];
  }

  #received(message: FromBfd): void {
    switch (message.kind) {
      case 'state':
        this.#listener.stateChanged(message.session, message.state, message.diagnostic);
        break;
      case 'failed':
        this.#listener.failed(message.sentence);
        break;
      case 'reports':
        this.#reports = message.reports;
        break;
    }
  }

  #statusOf({ name, neighbor, source = '' }: BfdSessionSettings, report: BfdReport | undefined): BfdStatus {
    const wallAt = (instant: number): Date =>
      new Date(this.#clock.wallMs() - Math.max(0, this.#clock.now() - instant) / 1_000);
    return {
      name,
      state: report?.state ?? 'down',
      diagnostic: report?.diagnostic ?? '',
      remoteDiagnostic: report?.remoteDiagnostic ?? '',
      since: report === undefined ? undefined : wallAt(report.since),
      neighbor,
      source,
      transmitInterval: microsToDuration(report?.transmitInterval ?? 0),
      detectionTime: microsToDuration(report?.detectionTime ?? 0),
      counters: { ...report?.counters },
    };
  }
}
