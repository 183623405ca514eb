/**
 * Hold times of tracks: a change counts only after it has lasted for its delay, and is forgotten if the track goes back
 * before. A change for the better waits for the up delay, one for the worse for the down delay; the first result, and a
 * change that means nothing to the priority, count at once.
 */
import type { Instant, Micros } from '../../proto/rules/time.js';
import { effectivePriority, type TrackState } from '../vrrp/index.js';
import { patienceOf } from './interface-delays.js';
import type { RunningRouter } from './running-router.js';
import type { Timed } from './timed.js';

interface Pending {
  state: TrackState;
  readonly isBetter: boolean;
  readonly since: Instant;
  countsAt: Instant;
}

/** A change that does not count yet. */
export type PendingChange = Readonly<Pick<Pending, 'isBetter' | 'countsAt'>>;

export class TrackHolds implements Timed {
  /** Only routers and tracks that wait for something. */
  readonly #pending = new Map<RunningRouter, Map<string, Pending>>();

  /**
   * @param onDue a change has lasted: the router is to be told
   * @param interfaceDelay for how long a failure of the interface has been held back already
   */
  constructor(
    private readonly onDue: (router: RunningRouter, id: string, state: TrackState, now: Instant) => void,
    private readonly interfaceDelay: (name: string) => Micros,
  ) {}

  /** What the router is to be told of a track that has this state; undefined: nothing now. */
  news(router: RunningRouter, id: string, state: TrackState, now: Instant): TrackState | undefined {
    const counted = router.member.tracks[id] ?? 'unknown';
    const isNews = state !== counted;
    const change = isNews ? this.#changeOf(router, id, counted, state) : undefined;
    if (change === undefined || change.delay === 0) {
      this.#forget(router, id);
      return isNews ? state : undefined;
    }
    const known = this.#pending.get(router)?.get(id);
    // Other values that are as good or bad as the first one have lasted as long as it has.
    const since = known?.isBetter === change.isBetter ? known.since : now;
    const countsAt = since + change.delay;
    if (countsAt <= now) {
      this.#forget(router, id);
      return state;
    }
    const tracks = this.#pending.get(router) ?? new Map<string, Pending>();
    tracks.set(id, { state, isBetter: change.isBetter, since, countsAt });
    this.#pending.set(router, tracks);
    return undefined;
  }

  /** The change of a track that has to last longer, if there is one. */
  pending(router: RunningRouter, id: string): PendingChange | undefined {
    return this.#pending.get(router)?.get(id);
  }

  /** Forgets all other routers, and what these do not track any more. */
  keepOnly(routers: Iterable<RunningRouter>): void {
    const kept = new Set(routers);
    for (const [router, tracks] of this.#pending) {
      for (const id of tracks.keys()) {
        if (!kept.has(router) || !router.router.tracks.some((track) => track.id === id)) this.#forget(router, id);
      }
    }
  }

  get nextAt(): Instant | undefined {
    let next: Instant | undefined;
    for (const tracks of this.#pending.values()) {
      for (const { countsAt } of tracks.values()) if (next === undefined || countsAt < next) next = countsAt;
    }
    return next;
  }

  onTime(now: Instant): void {
    for (const [router, tracks] of this.#pending) {
      for (const [id, { state, countsAt }] of tracks) {
        if (now < countsAt) continue;
        this.#forget(router, id);
        this.onDue(router, id, state, now);
      }
    }
  }

  /** Undefined: it is the first result, or makes no difference. */
  #changeOf(
    router: RunningRouter,
    id: string,
    from: TrackState,
    to: TrackState,
  ): { readonly isBetter: boolean; readonly delay: Micros } | undefined {
    const delays = router.settings.trackDelays.find((each) => each.id === id);
    if (delays === undefined || from === 'unknown' || to === 'unknown') return undefined;
    const [before, after] = [worthOf(router, id, from), worthOf(router, id, to)];
    if (before === after) return undefined;
    if (after > before) return { isBetter: true, delay: delays.up };
    const name = router.settings.interface;
    if (id !== `interface ${name}`) return { isBetter: false, delay: delays.down };
    const most = Math.max(0, patienceOf(router.router) - this.interfaceDelay(name));
    return { isBetter: false, delay: Math.min(delays.down, most) };
  }

  #forget(router: RunningRouter, id: string): void {
    const tracks = this.#pending.get(router);
    if (tracks?.delete(id) === true && tracks.size === 0) this.#pending.delete(router);
  }
}

/** What the state contributes to the router's priority; a fault is worse than anything. */
function worthOf({ router }: RunningRouter, id: string, state: TrackState): number {
  const tracks = router.tracks.filter((track) => track.id === id);
  // An owner's priority does not move, and its tracks may be in fault nevertheless.
  const { terms, faults } = effectivePriority({ priority: 1, tracks }, { [id]: state });
  if (faults.length > 0) return Number.NEGATIVE_INFINITY;
  return terms.reduce((sum, { term, value }) => (term === id ? sum + value : sum), 0);
}
