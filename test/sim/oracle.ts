/** What ought to be, worked out apart from the core and without its code. */
import type { TrackState, VirtualRouter } from '../../agent/vrrp/index.js';

type StateOf = (id: string) => TrackState | undefined;

/** The table of weights, apart from the core's: what is up adds, what is down takes away, reversal turns the sign. */
export function wantedPriority(router: VirtualRouter, state: StateOf): number {
  if (router.priority === 255) return 255;
  let sum = router.priority;
  for (const { id, weight, reverse } of router.tracks) {
    const known = state(id);
    const amount = Math.abs(weight);
    if (weight > 0 && known === 'up') sum += reverse ? -amount : amount;
    if (weight < 0 && known === 'down') sum += reverse ? amount : -amount;
  }
  if (sum < 1) return 1;
  return sum > 254 ? 254 : sum;
}

/** Whether a track of weight 0 is bad. */
export function failsFatally(router: VirtualRouter, state: StateOf): boolean {
  return router.tracks.some(({ id, weight, reverse }) => weight === 0 && state(id) === (reverse ? 'up' : 'down'));
}
