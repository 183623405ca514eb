/**
 * Effective priority: base plus what each tracked thing contributes, between 1 and 254. Semantics of weights are
 * keepalived's, so that an imported file keeps its meaning.
 */
import type { Track, TrackState, VirtualRouter } from './virtual-router.js';

/** The owner of the addresses; its priority nothing moves (RFC 9568 section 5.2.4). */
export const OWNER_PRIORITY = 255;

type Tracks = Readonly<Record<string, TrackState>>;
type Weighted = Pick<VirtualRouter, 'priority' | 'tracks'>;

export interface EffectivePriority {
  /** 1..255 */
  readonly priority: number;
  /** Their values add up to `priority`. */
  readonly terms: readonly PriorityTerm[];
  /** Ids of tracks that hold the router in fault. */
  readonly faults: readonly string[];
  /** Ids of tracks whose failure would be a fault and that have no result yet. */
  readonly pending: readonly string[];
}

export interface PriorityTerm {
  /** "base", a track's id, or "clamp" */
  readonly term: string;
  readonly value: number;
  readonly reason: string;
}

/** Effective priority with its explanation, for status and `explain`. The election itself uses `currentPriority`. */
export function effectivePriority(router: Weighted, tracks: Tracks): EffectivePriority {
  const owner = router.priority === OWNER_PRIORITY;
  const terms: PriorityTerm[] = [{ term: 'base', value: router.priority, reason: 'configured priority' }];
  for (const track of router.tracks) {
    if (track.weight === 0) continue;
    const state = tracks[track.id] ?? 'unknown';
    const value = owner ? 0 : contribution(track, state);
    const configured = `weight ${signed(track.weight)}${track.reverse ? ' reversed' : ''}`;
    const why = owner ? 'the priority of an address owner does not move' : configured;
    terms.push({ term: track.id, value, reason: `${state === 'unknown' ? 'no result yet' : state}, ${why}` });
  }
  const sum = terms.reduce((total, { value }) => total + value, 0);
  const priority = currentPriority(router, tracks);
  if (sum !== priority) terms.push({ term: 'clamp', value: priority - sum, reason: 'kept between 1 and 254' });
  return { priority, terms, faults: failedTracks(router, tracks), pending: pendingTracks(router, tracks) };
}

/** Effective priority, 1..255. */
export function currentPriority(router: Weighted, tracks: Tracks): number {
  if (router.priority === OWNER_PRIORITY) return OWNER_PRIORITY;
  let sum = router.priority;
  for (const track of router.tracks) sum += contribution(track, tracks[track.id]);
  return Math.min(254, Math.max(1, sum));
}

/** Ids of the weight-0 tracks that are bad now; one is enough for fault. */
export function failedTracks(router: Pick<VirtualRouter, 'tracks'>, tracks: Tracks): readonly string[] {
  return router.tracks
    .filter((track) => track.weight === 0 && tracks[track.id] === (track.reverse ? 'up' : 'down'))
    .map((track) => track.id);
}

/** Ids of the weight-0 tracks without a result. They hold a router that is starting, never one that runs. */
export function pendingTracks(router: Pick<VirtualRouter, 'tracks'>, tracks: Tracks): readonly string[] {
  return router.tracks
    .filter((track) => track.weight === 0 && (tracks[track.id] ?? 'unknown') === 'unknown')
    .map((track) => track.id);
}

/**
 * A positive weight counts while the thing is up, a negative one while it is down; reversal turns the sign. Without a
 * result neither counts, as in keepalived.
 */
function contribution(track: Track, state: TrackState | undefined): number {
  if (state !== (track.weight > 0 ? 'up' : 'down')) return 0;
  return track.reverse ? -track.weight : track.weight;
}

function signed(weight: number): string {
  return weight > 0 ? `+${weight}` : `${weight}`;
}
