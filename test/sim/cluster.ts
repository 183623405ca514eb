/** Random members of one virtual router, as an operator could have configured them. */
import type { Ipv4, Micros, Track, VirtualRouter } from '../../agent/vrrp/index.js';
import type { Random } from './random.js';

export interface MemberSpec {
  readonly source: Ipv4;
  readonly router: VirtualRouter;
}

const SECOND: Micros = 1_000_000;
const VIRTUAL: readonly Ipv4[] = [0xc0a8_011a];

/** The tracks that every member has: one whose failure is a fault, one that moves the priority. */
export const FATAL_CHECK = 'check fatal';
export const WEIGHTED_CHECK = 'check weighted';

/** Two to five members of one virtual router that agree on everything except priority (and, sometimes, interval). */
export function randomCluster(random: Random): readonly MemberSpec[] {
  const count = random.between(2, 5);
  const version = random.chance(0.4) ? 2 : 3;
  const interval = version === 2 ? SECOND : random.pick([20_000, 100_000, SECOND, SECOND]);
  const mixed = version === 3 && random.chance(0.25);
  const mode = random.pick(['preempt', 'preempt', 'nopreempt', 'delay'] as const);
  const priorities = randomPriorities(random, count);
  const weight = random.pick([-60, -2, 40]);
  const reverse = random.chance(0.2);
  const leased = random.chance(0.9);
  return randomSources(random, count).map((source, index) => {
    const tracks: Track[] = [
      { id: FATAL_CHECK, weight: 0, reverse: false },
      { id: WEIGHTED_CHECK, weight, reverse },
    ];
    const router: VirtualRouter = {
      name: 'sim',
      vrid: 10,
      version,
      priority: priorities[index] ?? 100,
      advertisementInterval: mixed && random.chance(0.5) ? 4 * interval : interval,
      preemptMode: mode !== 'nopreempt',
      preemptDelay: mode === 'delay' ? 5 * interval : 0,
      strictRfc: false,
      addresses: VIRTUAL,
      tracks,
      announcements: {
        repeat: 2,
        delay: 5 * interval,
        refresh: random.chance(0.2) ? 7 * interval : 0,
        refreshRepeat: 1,
        lowerPriorityRepeat: random.between(0, 2),
        lowerPriorityDelay: 2 * interval,
      },
      leased,
      downTimerAdvertisements: 3,
      lowerPriorityNoAdvertisement: false,
      higherPrioritySendAdvertisement: false,
      ownerIgnoresAdvertisements: false,
      timerExpiredBackup: 0,
      duplicateProbe: 'off',
    };
    return { source, router };
  });
}

function randomPriorities(random: Random, count: number): readonly number[] {
  if (random.chance(0.25)) return Array.from({ length: count }, () => 100);
  const base = random.pick([2, 90, 150]);
  const gap = random.pick([1, 10, 25]);
  const priorities = Array.from({ length: count }, (_, index) => base + gap * index);
  if (random.chance(0.15)) priorities[0] = 255;
  return random.shuffle(priorities);
}

/** Addresses on both sides of the middle of the number range, where a signed comparison turns around. */
function randomSources(random: Random, count: number): readonly Ipv4[] {
  const sources = new Set<Ipv4>();
  while (sources.size < count)
    sources.add(random.pick([0x0a00_0000, 0x7fff_ff00, 0x8000_0000, 0xc0a8_0100]) + random.between(1, 60));
  return [...sources];
}
