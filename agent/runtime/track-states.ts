/** What the worker has told of tracks ("check NAME", "bfd NAME"), for routers that have them now or come later. */
import type { TrackState } from '../vrrp/index.js';
import type { RunningRouter } from './running-router.js';

export class TrackStates {
  /** By track id. */
  readonly #states = new Map<string, TrackState>();

  told(id: string, state: TrackState): void {
    this.#states.set(id, state);
  }

  /** The router's tracks of which something else is known than it has. */
  newsFor({ router, member }: RunningRouter): readonly { readonly id: string; readonly state: TrackState }[] {
    const news: { readonly id: string; readonly state: TrackState }[] = [];
    for (const { id } of router.tracks) {
      const state = this.#states.get(id);
      if (state !== undefined && member.tracks[id] !== state) news.push({ id, state });
    }
    return news;
  }

  /** Forgets what no router tracks. */
  keepOnly(routers: Iterable<RunningRouter>): void {
    const used = new Set<string>();
    for (const { router } of routers) for (const { id } of router.tracks) used.add(id);
    for (const id of this.#states.keys()) if (!used.has(id)) this.#states.delete(id);
  }
}
