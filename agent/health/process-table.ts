/**
 * How many processes of the host are as wanted, for any number of checks: counted once from /proc and kept up to date by
 * the kernel's process events; where these cannot be had, counted anew at each check's interval. Zombies do not count.
 */
import type { Millis } from '../../proto/rules/time.js';
import type { OpenProcessConnector, ProcessConnector, ProcessEvent } from '../link/process-connector.js';
import type { CancelTimer, Clock } from '../local/clock.js';
import type { Observation, Watch } from './check-edges.js';
import type { ProcessProbe } from './check-settings.js';
import { isMatch, type ProcFiles } from './process-match.js';
import { Quorum } from './quorum.js';

/** With events: how often everything is counted anew all the same. */
const RECOUNT_MS = 30_000;
/** A count of all processes is used by all checks that want one this soon after. */
const SHARED_LIST_MICROS = 50_000;

export interface ProcessTableOptions {
  readonly clock: Clock;
  readonly proc: ProcFiles;
  readonly openConnector: OpenProcessConnector;
}

export class ProcessTable {
  readonly #options: ProcessTableOptions;
  readonly #watches = new Set<ProcessWatch>();
  #connector: ProcessConnector | undefined;
  /** Why there are no events; empty while there are. */
  #withoutEvents = '';
  #list: { readonly at: number; readonly ids: readonly number[] } | undefined;

  constructor(options: ProcessTableOptions) {
    this.#options = options;
  }

  watch(probe: ProcessProbe, interval: Millis, observed: (observation: Observation) => void): Watch {
    if (this.#watches.size === 0) this.#open();
    const watch = new ProcessWatch(probe, interval, observed, this.#options, {
      hasEvents: () => this.#connector !== undefined,
      withoutEvents: () => this.#withoutEvents,
      list: () => this.#recentList(),
    });
    this.#watches.add(watch);
    return {
      stop: () => {
        watch.stop();
        this.#watches.delete(watch);
        if (this.#watches.size === 0) this.#close();
      },
    };
  }

  #open(): void {
    try {
      this.#connector = this.#options.openConnector({
        onEvent: (event) => {
          for (const watch of this.#watches) watch.event(event);
        },
        onOverrun: () => this.#recountAll(),
        onError: (error) => {
          this.#connector = undefined;
          this.#withoutEvents = error.message;
          this.#recountAll();
        },
      });
      this.#withoutEvents = '';
    } catch (error) {
      this.#withoutEvents = error instanceof Error ? error.message : String(error);
    }
  }

  #close(): void {
    this.#connector?.close();
    this.#connector = undefined;
  }

  #recountAll(): void {
    this.#list = undefined;
    for (const watch of this.#watches) watch.recount();
  }

  #recentList(): readonly number[] {
    const now = this.#options.clock.now();
    if (this.#list === undefined || now - this.#list.at > SHARED_LIST_MICROS) {
      this.#list = { at: now, ids: this.#options.proc.list() };
    }
    return this.#list.ids;
  }
}

interface TableView {
  hasEvents(): boolean;
  withoutEvents(): string;
  /** All processes there are, or were a moment ago. */
  list(): readonly number[];
}

class ProcessWatch {
  readonly #probe: ProcessProbe;
  readonly #interval: Millis;
  readonly #options: ProcessTableOptions;
  readonly #table: TableView;
  readonly #quorum: Quorum;
  #matching = new Set<number>();
  #cancelRecount: CancelTimer;

  constructor(
    probe: ProcessProbe,
    interval: Millis,
    observed: (observation: Observation) => void,
    options: ProcessTableOptions,
    table: TableView,
  ) {
    this.#probe = probe;
    this.#interval = interval;
    this.#options = options;
    this.#table = table;
    this.#quorum = new Quorum(probe, options.clock, (observation) => {
      const reason = table.withoutEvents();
      observed({ ...observation, output: reason === '' ? '' : `counted every ${interval / 1_000} s: ${reason}` });
    });
    this.#cancelRecount = options.clock.after(0, () => this.recount());
  }

  stop(): void {
    this.#cancelRecount();
    this.#quorum.stop();
  }

  recount(): void {
    this.#cancelRecount();
    const wait = this.#table.hasEvents() ? Math.max(RECOUNT_MS, this.#interval) : this.#interval;
    this.#cancelRecount = this.#options.clock.after(wait, () => this.recount());
    this.#matching = new Set(this.#table.list().filter((id) => isMatch(this.#probe, id, this.#options.proc)));
    this.#quorum.count(this.#matching.size);
  }

  event(event: ProcessEvent): void {
    const before = this.#matching.size;
    switch (event.kind) {
      case 'exit':
        this.#matching.delete(event.process);
        break;
      case 'fork':
        if (this.#matching.has(event.parent)) this.#matching.add(event.process);
        break;
      case 'exec':
      case 'comm':
        if (isMatch(this.#probe, event.process, this.#options.proc)) this.#matching.add(event.process);
        else this.#matching.delete(event.process);
        break;
    }
    // Before the first count the numbers mean nothing yet.
    if (this.#matching.size !== before && this.#quorum.hasCount) this.#quorum.count(this.#matching.size);
  }
}
