/** What the worker has told of tracks ("check NAME", "bfd NAME"), for routers that have them now or come later. */
import type { Instant } from '../../proto/rules/time.js';
import type { TrackState } from '../vrrp/index.js';
import type { RunningRouter } from './running-router.js';
import type { TrackHolds } from './track-holds.js';

export class TrackStates {
  /** By track id. */
  readonly #states = new Map<string, TrackState>();

  constructor(private readonly holds: TrackHolds) {}

  told(id: string, state: TrackState): void {
    this.#states.set(id, state);
  }

  /** What counts now of the router's tracks and what it has not been told. */
  newsFor(running: RunningRouter, now: Instant): readonly { readonly id: string; readonly state: TrackState }[] {
    const news: { readonly id: string; readonly state: TrackState }[] = [];
    for (const { id } of running.router.tracks) {
      const known = this.#states.get(id);
      const state = known === undefined ? undefined : this.holds.news(running, id, known, now);
      if (state !== undefined) news.push({ id, state });
    }
    return news;
  }

  /** Forgets what no router tracks, of those that run and those that wait: the worker tells of changes alone. */
  keepOnly(routers: Iterable<Pick<RunningRouter, 'router'>>): void {
    const used = new Set<string>();
    for (const { router } of routers) for (const { id } of router.tracks) used.add(id);
    for (const id of this.#states.keys()) if (!used.has(id)) this.#states.delete(id);
  }
}
