/** Random members of one virtual router, as an operator could have configured them. */
import type { IpAddress, Micros, Track, TrackState, VirtualRouter } from '../../agent/vrrp/index.js';
import { intervalAt, type Pace } from './pace.js';
import type { Random } from './random.js';
import type { MemberSpec } from './world-spec.js';

const SECOND: Micros = 1_000_000;

/** The tracks that members have: one whose failure is a fault, one that moves the priority, sometimes one with a value. */
export const FATAL_CHECK = 'check fatal';
export const WEIGHTED_CHECK = 'check weighted';
/** A file with a number in it. */
export const FILE_CHECK = 'check file';

/** Members of one virtual router that agree on everything except priority (and, sometimes, interval). */
export function randomCluster(
  random: Random,
  { count, vrid, pace }: { readonly count: number; readonly vrid: number; readonly pace: Pace },
): readonly MemberSpec[] {
  // Version 2 knows whole seconds only.
  const version = pace === 'usual' && random.chance(0.5) ? 2 : 3;
  const interval = version === 2 ? SECOND : intervalAt(random, pace);
  const mixed = version === 3 && random.chance(0.25);
  const mode = random.pick(['preempt', 'preempt', 'nopreempt', 'delay'] as const);
  const priorities = randomPriorities(random, count);
  const weight = random.pick([-60, -2, 40]);
  const reverse = random.chance(0.2);
  const leased = random.chance(0.9);
  const isIpv6 = version === 3 && random.chance(0.3);
  const downTimerAdvertisements = random.pick([3, 3, 3, 2, 5]);
  // Without leases an agent that died would be asked for ever.
  const duplicateProbe = random.pick(leased ? (['off', 'off', 'warn', 'refuse'] as const) : (['off', 'warn'] as const));
  const file: Track | undefined = random.chance(0.4)
    ? { id: FILE_CHECK, weight: random.pick([0, 1, -10]), reverse: random.chance(0.2) }
    : undefined;
  const lowerPriorityNoAdvertisement = random.chance(0.1);
  const ownerIgnoresAdvertisements = random.chance(0.6) && priorities.filter((each) => each === 255).length === 1;
  const sources = isIpv6 ? randomSources6(random, count) : randomSources(random, count);
  return sources.map((source, index) => {
    const tracks: Track[] = [
      { id: FATAL_CHECK, weight: 0, reverse: false },
      { id: WEIGHTED_CHECK, weight, reverse },
      ...(file === undefined ? [] : [file]),
    ];
    const router: VirtualRouter = {
      name: `router-${vrid}`,
      vrid,
      version,
      priority: priorities[index] ?? 100,
      advertisementInterval: mixed && random.chance(0.5) ? 4 * interval : interval,
      preemptMode: mode !== 'nopreempt',
      preemptDelay: mode === 'delay' ? 5 * interval : 0,
      strictRfc: false,
      addresses: virtualAddresses(isIpv6, vrid),
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
      downTimerAdvertisements,
      lowerPriorityNoAdvertisement,
      higherPrioritySendAdvertisement: random.chance(0.2),
      ownerIgnoresAdvertisements,
      timerExpiredBackup: random.pick([0, 0, 1, 254]),
      duplicateProbe,
    };
    return { source, router };
  });
}

function virtualAddresses(isIpv6: boolean, vrid: number): readonly IpAddress[] {
  if (!isIpv6) return [0xc0a8_0100 + vrid];
  return [(0xfe80n << 112n) | BigInt(0x100 + vrid), (0x2001_0db8n << 96n) | BigInt(vrid)];
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
function randomSources(random: Random, count: number): readonly IpAddress[] {
  const sources = new Set<number>();
  while (sources.size < count)
    sources.add(random.pick([0x0a00_0000, 0x7fff_ff00, 0x8000_0000, 0xc0a8_0100]) + random.between(1, 60));
  return [...sources];
}

/** Link-local addresses that a float cannot tell apart, and that turn around if only the low half is compared. */
function randomSources6(random: Random, count: number): readonly IpAddress[] {
  const sources = new Set<bigint>();
  while (sources.size < count) {
    const middle = BigInt(random.pick([0, 0, 0x7fff, 0xffff])) << 48n;
    sources.add((0xfe80n << 112n) | middle | BigInt(random.between(1, 60)));
  }
  return [...sources];
}

/** What neither is a fault nor moves the priority of a check that is named for it. */
export function goodState({ id, weight, reverse }: Track): TrackState {
  if (id === FILE_CHECK) return weight === 0 && reverse ? 1 : 0;
  return reverse ? 'down' : 'up';
}
