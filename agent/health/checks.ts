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
import { WatchedCheck } from './watched-check.js';

export class CheckSupervisor {
  readonly #edges: CheckEdges;
  readonly #listener: CheckListener;
  readonly #checks = new Map<string, { readonly check: SupervisedCheck; readonly isWatched: boolean }>();

  constructor(edges: CheckEdges, listener: CheckListener) {
    this.#edges = edges;
    this.#listener = listener;
  }

  /**
   * Puts a whole set of checks in force; new ones run within their start jitter. `known` are states that routers rely
   * on already although this supervisor has never run the check: they hold until its first result.
   */
  configure(checks: readonly CheckSettings[], known: ReadonlyMap<string, TrackState> = new Map()): void {
    const wanted = new Map(checks.map((check) => [check.name, check]));
    const states = new Map(known);
    for (const [name, { check, isWatched }] of this.#checks) {
      const settings = wanted.get(name);
      if (settings !== undefined && isWatchedKind(settings.probe) === isWatched) continue;
      check.stop();
      this.#checks.delete(name);
      // A check that became one of another kind: what the routers know of it holds until the new kind's first result.
      if (settings !== undefined) states.set(name, stateOf(check.status().state));
    }
    for (const settings of wanted.values()) {
      const present = this.#checks.get(settings.name);
      if (present !== undefined) present.check.reconfigure(settings);
      else this.#start(settings, states.get(settings.name) ?? 'unknown');
    }
  }

  /** Sorted by name. */
  statuses(): CheckStatus[] {
    return [...this.#checks.values()]
      .map(({ check }) => check.status())
      .sort((left, right) => (left.name < right.name ? -1 : 1));
  }

  /** Ends every run. */
  stop(): void {
    this.configure([]);
  }

  #start(settings: CheckSettings, known: TrackState): void {
    const isWatched = isWatchedKind(settings.probe);
    const kind = isWatched ? WatchedCheck : PolledCheck;
    this.#checks.set(settings.name, { check: new kind(settings, known, this.#edges, this.#listener), isWatched });
  }
}

function stateOf(text: string): TrackState {
  return text === 'up' || text === 'down' || text === 'unknown' ? text : Number(text);
}
