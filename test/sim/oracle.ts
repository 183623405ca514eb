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
    if (typeof known === 'number') {
      const product = known * weight * (reverse ? -1 : 1);
      sum += product > 253 ? 253 : product;
    }
    if (weight > 0 && known === 'up') sum += reverse ? -amount : amount;
    if (weight < 0 && known === 'down') sum += reverse ? amount : -amount;
  }
  if (sum < 1) return 1;
  return sum > 254 ? 254 : sum;
}

/** Whether a track of weight 0 is bad, or a value weighs so much that it is a fault. */
export function failsFatally(router: VirtualRouter, state: StateOf): boolean {
  return router.tracks.some(({ id, weight, reverse }) => {
    const known = state(id);
    if (typeof known !== 'number') return weight === 0 && known === (reverse ? 'up' : 'down');
    if (weight === 0) return (known === 0) === reverse;
    return router.priority !== 255 && known * weight * (reverse ? -1 : 1) < -253;
  });
}
