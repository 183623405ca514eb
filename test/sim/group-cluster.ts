/** Random hosts that share two or three virtual routers, which move together as a sync group. */
import type { IpAddress, Micros, SyncGroup, Track, VirtualRouter } from '../../agent/vrrp/index.js';
import { FATAL_CHECK, WEIGHTED_CHECK } from './cluster.js';
import { intervalAt, type Pace } from './pace.js';
import type { Random } from './random.js';
import type { MemberSpec } from './world-spec.js';

/** What one host runs; the same number of routers on every host. */
interface HostSpec {
  readonly group: SyncGroup;
  readonly members: readonly MemberSpec[];
}

const SECOND: Micros = 1_000_000;

/**
 * Hosts that agree on everything but priority. They rank alike in every member, and where priorities are
 * equal their addresses do: hosts of which each is the better one in another member cannot agree (decision 0009).
 */
export function randomGroups(
  random: Random,
  { hosts, vrid, pace }: { readonly hosts: number; readonly vrid: number; readonly pace: Pace },
): readonly HostSpec[] {
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
  const kinds = Array.from({ length: routers }, (_, index) => randomKind(random, vrid + index, pace));
  const names = kinds.map(({ name }) => name);
  return order.map((rank) => ({
    group: { name: `group-${vrid}`, policy, routers: random.shuffle(names) },
    members: kinds.map(({ name, vrid: own, version, interval, isIpv6, offset }, index) => {
      const tracks: Track[] = [
        { id: FATAL_CHECK, weight: 0, reverse: false },
        { id: WEIGHTED_CHECK, weight, reverse: false },
      ];
      const usual = base + (isTied ? 0 : gap * rank) + offset;
      const router: VirtualRouter = {
        name,
        vrid: own,
        version,
        priority: owners && rank === hosts - 1 ? 255 : usual,
        advertisementInterval: interval,
        preemptMode,
        preemptDelay: 0,
        strictRfc: false,
        addresses: isIpv6 ? [(0xfe80n << 112n) | BigInt(0x100 + own)] : [0xc0a8_0100 + own],
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
        group: `group-${vrid}`,
      };
      const source: IpAddress = isIpv6 ? (0xfe80n << 112n) | BigInt(rank + 1) : 0x0a00_0001 + 256 * index + rank;
      return { source, router };
    }),
  }));
}

interface Kind {
  readonly name: string;
  readonly vrid: number;
  readonly version: 2 | 3;
  readonly interval: Micros;
  readonly isIpv6: boolean;
  /** What priorities in this member differ by from the others'. */
  readonly offset: number;
}

function randomKind(random: Random, vrid: number, pace: Pace): Kind {
  const version = pace === 'usual' && random.chance(0.4) ? 2 : 3;
  return {
    name: `router-${vrid}`,
    vrid,
    version,
    interval: version === 2 ? SECOND : intervalAt(random, pace),
    isIpv6: version === 3 && random.chance(0.4),
    offset: random.pick([0, 0, 3]),
  };
}
