/** Random hosts that share two or three virtual routers, which move together as a sync group. */
import type { IpAddress, Micros, SyncGroup, Track, VirtualRouter } from '../../agent/vrrp/index.js';
import { FATAL_CHECK, WEIGHTED_CHECK } from './cluster.js';
import type { Random } from './random.js';

/** What one host runs; the same number of routers on every host. */
export interface HostSpec {
  readonly group: SyncGroup;
  readonly members: readonly { readonly source: IpAddress; readonly router: VirtualRouter }[];
}

const SECOND: Micros = 1_000_000;

/**
 * Two to four hosts that agree on everything but priority. They rank alike in every member, and where priorities are
 * equal their addresses do: hosts of which each is the better one in another member cannot agree (decision 0009).
 */
export function randomGroups(random: Random): readonly HostSpec[] {
  const hosts = random.between(2, 4);
  const routers = random.between(2, 3);
  const policy = random.chance(0.7) ? 'all' : 'any';
  const preemptMode = random.chance(0.6);
  const isTied = random.chance(0.2);
  const gap = random.pick([5, 20]);
  const base = random.pick([60, 150]);
  const weight = random.pick([-30, 40]);
  const leased = random.chance(0.8);
  const downTimerAdvertisements = random.pick([3, 3, 2]);
  const owners = random.chance(0.1);
  const order = random.shuffle(Array.from({ length: hosts }, (_, index) => index));
  const isFast = random.chance(0.2);
  const kinds = Array.from({ length: routers }, (_, index) => randomKind(random, index, isFast));
  const names = kinds.map(({ name }) => name);
  return order.map((rank) => ({
    group: { name: 'group', policy, routers: random.shuffle(names) },
    members: kinds.map(({ name, version, interval, isIpv6, offset }, index) => {
      const tracks: Track[] = [
        { id: FATAL_CHECK, weight: 0, reverse: false },
        { id: WEIGHTED_CHECK, weight, reverse: false },
      ];
      const usual = base + (isTied ? 0 : gap * rank) + offset;
      const router: VirtualRouter = {
        name,
        vrid: 10 + index,
        version,
        priority: owners && rank === hosts - 1 ? 255 : usual,
        advertisementInterval: interval,
        preemptMode,
        preemptDelay: 0,
        strictRfc: false,
        addresses: isIpv6 ? [(0xfe80n << 112n) | BigInt(0x100 + index)] : [0xc0a8_0100 + index],
        tracks,
        announcements: {
          repeat: 2,
          delay: 5 * interval,
          refresh: 0,
          refreshRepeat: 1,
          lowerPriorityRepeat: 1,
          lowerPriorityDelay: 2 * interval,
        },
        leased,
        downTimerAdvertisements,
        lowerPriorityNoAdvertisement: false,
        higherPrioritySendAdvertisement: random.chance(0.2),
        ownerIgnoresAdvertisements: false,
        timerExpiredBackup: 0,
        duplicateProbe: random.pick(['off', 'warn'] as const),
        group: 'group',
      };
      const source: IpAddress = isIpv6 ? (0xfe80n << 112n) | BigInt(rank + 1) : 0x0a00_0001 + 256 * index + rank;
      return { source, router };
    }),
  }));
}

interface Kind {
  readonly name: string;
  readonly version: 2 | 3;
  readonly interval: Micros;
  readonly isIpv6: boolean;
  /** What priorities in this member differ by from the others'. */
  readonly offset: number;
}

function randomKind(random: Random, index: number, isFast: boolean): Kind {
  const version = random.chance(0.3) && !isFast ? 2 : 3;
  return {
    name: `router-${index}`,
    version,
    interval: version === 2 ? SECOND : random.pick(isFast ? [20_000, 50_000] : [250_000, SECOND]),
    isIpv6: version === 3 && random.chance(0.4),
    offset: random.pick([0, 0, 3]),
  };
}
