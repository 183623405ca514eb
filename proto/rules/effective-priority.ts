/**
 * Effective priority: base plus what each tracked thing contributes, between 1 and 254. Semantics of weights are
 * keepalived's, so that an imported file keeps its meaning. The election computes with it, and whoever wants to know
 * what would happen if.
 */

/** Something that moves the priority or puts the router in fault; weight 0 means fault. */
export interface WeightedTrack {
  /** "check NAME", "interface NAME" and so on. */
  readonly id: string;
  readonly weight: number;
  readonly reverse: boolean;
}

/**
 * What is known of a tracked thing. Unknown is only ever the state before the first result. A number is a file check's
 * value: it counts as value x weight, or with weight 0 as a fault if it is not 0 (keepalived's track_file).
 */
export type TrackState = 'unknown' | 'up' | 'down' | number;

export interface Weighted {
  /** Base priority, 1..255. */
  readonly priority: number;
  readonly tracks: readonly WeightedTrack[];
}

/** The owner of the addresses; its priority nothing moves (RFC 9568 section 5.2.4). */
export const OWNER_PRIORITY = 255;

type Tracks = Readonly<Record<string, TrackState>>;

/** The most that one value can add, and from which sum on it is a fault instead (keepalived's track_file). */
const HIGHEST_VALUE = 253;
const FAULT_VALUE = -254;

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
    const why = owner ? 'the priority of an address owner does not move' : configured(track, state);
    terms.push({ term: track.id, value, reason: `${stateInWords(state)}, ${why}` });
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

/** Ids of the tracks that ask for fault now: weight-0 ones that are bad, values that weigh -254 or less. One is enough. */
export function failedTracks(router: Weighted, tracks: Tracks): readonly string[] {
  return router.tracks.filter((track) => isFailed(router, track, tracks[track.id])).map((track) => track.id);
}

function isFailed(router: Weighted, track: WeightedTrack, state: TrackState | undefined): boolean {
  if (track.weight === 0) {
    const isBad = typeof state === 'number' ? state !== 0 : state === 'down';
    const isGood = typeof state === 'number' ? state === 0 : state === 'up';
    return track.reverse ? isGood : isBad;
  }
  if (typeof state !== 'number' || router.priority === OWNER_PRIORITY) return false;
  return weighed(track, state) <= FAULT_VALUE;
}

/** Ids of the weight-0 tracks without a result. They hold a router that is starting, never one that runs. */
export function pendingTracks(router: Pick<Weighted, 'tracks'>, tracks: Tracks): readonly string[] {
  return router.tracks
    .filter((track) => track.weight === 0 && (tracks[track.id] ?? 'unknown') === 'unknown')
    .map((track) => track.id);
}

/**
 * A positive weight counts while the thing is up, a negative one while it is down; reversal turns the sign. A value
 * counts as value x weight. Without a result neither counts, as in keepalived.
 */
function contribution(track: WeightedTrack, state: TrackState | undefined): number {
  if (typeof state === 'number') return Math.max(FAULT_VALUE, Math.min(HIGHEST_VALUE, weighed(track, state)));
  if (state !== (track.weight > 0 ? 'up' : 'down')) return 0;
  return track.reverse ? -track.weight : track.weight;
}

/** Weight 0 moves nothing, whatever the value; 0 is never -0. */
function weighed({ weight, reverse }: WeightedTrack, value: number): number {
  return (reverse ? -weight : weight) * value + 0;
}

function configured(track: WeightedTrack, state: TrackState): string {
  const weight = `weight ${signed(track.weight)}${track.reverse ? ' reversed' : ''}`;
  if (typeof state !== 'number') return weight;
  const product = weighed(track, state);
  if (product <= FAULT_VALUE) return `${weight}: ${FAULT_VALUE} or less is a fault`;
  return product > HIGHEST_VALUE ? `${weight}, at most ${HIGHEST_VALUE}` : weight;
}

function stateInWords(state: TrackState): string {
  if (typeof state === 'number') return `value ${state}`;
  return state === 'unknown' ? 'no result yet' : state;
}

function signed(weight: number): string {
  return weight > 0 ? `+${weight}` : `${weight}`;
}
