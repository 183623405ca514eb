/**
 * Runs the checks: the polled ones each at a fixed rate and never twice at once, their results counted by rise and fall;
 * files and processes as they change. A state is told when it changes. Changing one check disturbs no other, and
 * changing only its limits or times keeps its standing.
 */
import type { CheckStatus } from '../../proto/gen/baton/v1/status.js';
import type { TrackState } from '../vrrp/index.js';
import { type CheckEdges, type CheckListener, isWatchedKind, type SupervisedCheck } from './check-edges.js';
import type { CheckSettings } from './check-settings.js';
import { PolledCheck } from './polled-check.js';
import { type OneRun, RunOnce } from './run-once.js';
import { StuckChecks } from './stuck-checks.js';
import { WatchedCheck } from './watched-check.js';

export class CheckSupervisor {
  readonly #edges: CheckEdges;
  readonly #listener: CheckListener;
  readonly #checks = new Map<string, { readonly check: SupervisedCheck; readonly isWatched: boolean }>();
  readonly #stuck: StuckChecks;
  readonly #once: RunOnce;
  #settings: ReadonlyMap<string, CheckSettings> = new Map();
  /** Checks ever. */
  #started = 0;

  constructor(edges: CheckEdges, listener: CheckListener) {
    this.#edges = edges;
    this.#stuck = new StuckChecks(edges.clock, (name) => {
      const status = this.#statusOf(name);
      if (status === undefined) return;
      listener.stuckChanged(status);
      listener.statusChanged(name);
    });
    this.#once = new RunOnce(edges);
    this.#listener = {
      stateChanged: (name, state, status, previous) => listener.stateChanged(name, state, status, previous),
      statusChanged: (name) => {
        const status = this.#statusOf(name);
        if (status !== undefined) this.#stuck.changed(status);
        listener.statusChanged(name);
      },
      stuckChanged: (status) => listener.stuckChanged(status),
    };
  }

  /**
   * Puts a whole set of checks in force; new ones run within their start jitter. `known` are states that routers rely
   * on already although this supervisor has never run the check: they hold until its first result.
   */
  configure(checks: readonly CheckSettings[], known: ReadonlyMap<string, TrackState> = new Map()): void {
    const wanted = new Map(checks.map((check) => [check.name, check]));
    const states = new Map(known);
    this.#settings = wanted;
    this.#once.keep(wanted);
    for (const [name, { check, isWatched }] of this.#checks) {
      const settings = wanted.get(name);
      if (settings !== undefined && isWatchedKind(settings.probe) === isWatched) continue;
      check.stop();
      this.#stuck.forget(name);
      this.#checks.delete(name);
      // A check that became one of another kind: what the routers know of it holds until the new kind's first result.
      if (settings !== undefined) states.set(name, stateOf(check.status().state));
    }
    for (const settings of wanted.values()) {
      const present = this.#checks.get(settings.name);
      if (present !== undefined) present.check.reconfigure(settings);
      else this.#start(settings, states.get(settings.name) ?? 'unknown');
      this.#stuck.expect(settings);
    }
  }

  /** Sorted by name. */
  statuses(): CheckStatus[] {
    return [...this.#checks.keys()]
      .map((name) => this.#statusOf(name))
      .filter((status) => status !== undefined)
      .sort((left, right) => (left.name < right.name ? -1 : 1));
  }

  /**
   * Runs a check now, beside its schedule: its result counts for nothing and is not remembered. One at a time of each.
   * Rejects with a RunOnceError.
   */
  async runOnce(name: string): Promise<OneRun> {
    return await this.#once.run(name, this.#settings);
  }

  /** Ends every run. */
  stop(): void {
    this.configure([]);
  }

  #statusOf(name: string): CheckStatus | undefined {
    const status = this.#checks.get(name)?.check.status();
    return status && { ...status, stuck: this.#stuck.reasonOf(name) };
  }

  #start(settings: CheckSettings, known: TrackState): void {
    const isWatched = isWatchedKind(settings.probe);
    const check = isWatched
      ? new WatchedCheck(settings, known, this.#edges, this.#listener)
      : new PolledCheck(settings, known, this.#edges, this.#listener, this.#started);
    this.#started += 1;
    this.#checks.set(settings.name, { check, isWatched });
  }
}

function stateOf(text: string): TrackState {
  return text === 'up' || text === 'down' || text === 'unknown' ? text : Number(text);
}
