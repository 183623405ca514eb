/** Advertisements that are used although something about them does not fit the configuration. */
import { OWNER_PRIORITY } from './priority.js';
import type { Effect, Input, Notice } from './state.js';
import { longestLearnedInterval } from './timers.js';
import type { Outcome } from './transitions.js';
import type { IpAddress, VirtualRouter } from './virtual-router.js';

type AdvertisementInput = Extract<Input, { readonly kind: 'advertisement' }>;

/** So many (notice, source) pairs are remembered; beyond, forged sources could only fill memory, and nothing is said. */
const MOST_NOTICED = 64;

const NONE: readonly Notice[] = [];

/** What does not fit. Allocates nothing while everything does. */
export function noticesOf(router: VirtualRouter, input: AdvertisementInput): readonly Notice[] {
  const { advertisement, source, local } = input;
  const intervalDiffers = advertisement.interval !== router.advertisementInterval;
  const addressesDiffer = !sameAddresses(advertisement.addresses, router.addresses);
  const owners = advertisement.priority === OWNER_PRIORITY && router.priority === OWNER_PRIORITY;
  if (!intervalDiffers && !addressesDiffer && !owners && source !== local) return NONE;
  const notices: Notice[] = [];
  if (intervalDiffers) {
    const bounded = router.version === 3 && advertisement.interval > longestLearnedInterval(router);
    notices.push(bounded ? 'interval-bounded' : 'interval-mismatch');
  }
  if (addressesDiffer) notices.push('address-list-mismatch');
  if (source === local) notices.push('equal-priority-and-address');
  else if (owners) notices.push('owner-conflict');
  return notices;
}

/** The outcome with a `noticed` effect for each notice that this source has not been given since the last transition. */
export function withNotices(outcome: Outcome, notices: readonly Notice[], source?: IpAddress): Outcome {
  let { noticed } = outcome.member;
  const effects: Effect[] = [];
  for (const notice of notices) {
    if (noticed.length >= MOST_NOTICED) break;
    if (noticed.some((known) => known.notice === notice && known.source === source)) continue;
    const told = source === undefined ? { notice } : { notice, source };
    noticed = [...noticed, told];
    effects.push({ kind: 'noticed', ...told });
  }
  if (effects.length === 0) return outcome;
  return { member: { ...outcome.member, noticed }, effects: [...outcome.effects, ...effects] };
}

/** Whether two lists name the same addresses, in whatever order. */
export function sameAddresses(a: readonly IpAddress[], b: readonly IpAddress[]): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  if (a.every((address, index) => address === b[index])) return true;
  const sorted = [...b].sort(ascending);
  return [...a].sort(ascending).every((address, index) => address === sorted[index]);
}

function ascending(a: IpAddress, b: IpAddress): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
