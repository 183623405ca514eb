/** What ought to be, worked out apart from the core and without its code. */
import type { Input, TrackState, VirtualRouter } from '../../agent/vrrp/index.js';

type AdvertisementInput = Extract<Input, { readonly kind: 'advertisement' }>;

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

/** What an active router did when it heard another one. */
interface Answer {
  readonly hasYielded: boolean;
  readonly hasAnswered: boolean;
  /** It has just advertised, and will again in a moment. */
  readonly willAnswer: boolean;
}

/** Who of two active routers yields, and who answers (RFC 9568 section 6.4.3); undefined if that is what it did. */
export function wrongAnswer(
  router: VirtualRouter,
  own: number,
  { source, local, advertisement: { priority } }: AdvertisementInput,
  { hasYielded, hasAnswered, willAnswer }: Answer,
): string | undefined {
  if (own === 255 && router.ownerIgnoresAdvertisements) {
    return hasYielded ? 'an owner that ignores others yields' : undefined;
  }
  if (priority > own || (priority === own && source > local)) {
    return hasYielded ? undefined : `stays active although ${priority} was heard and it has ${own}`;
  }
  // Of two owners that do not agree, the better one yields in the end.
  if (hasYielded) return own === 255 && priority === 255 ? undefined : `yields to ${priority} although it has ${own}`;
  const isSilent = router.lowerPriorityNoAdvertisement && priority > 0;
  if (isSilent) return hasAnswered ? `answers the lower priority ${priority}` : undefined;
  return hasAnswered || willAnswer ? undefined : `does not answer the lower priority ${priority}`;
}
