/**
 * What a world is made of, as data: hosts, LANs, and units. A unit is what moves together: one virtual router by itself,
 * or several as a sync group. Several units may be on one host and on one LAN.
 */
import type { IpAddress, SyncGroup, VirtualRouter } from '../../agent/vrrp/index.js';
import { randomCluster } from './cluster.js';
import { randomGroups } from './group-cluster.js';
import { type Pace, randomPace } from './pace.js';
import type { Random } from './random.js';

export interface MemberSpec {
  readonly source: IpAddress;
  readonly router: VirtualRouter;
}

/** What one host runs of a unit: one member of each of its virtual routers. */
export interface TeamSpec {
  readonly host: number;
  readonly group?: SyncGroup;
  readonly members: readonly MemberSpec[];
}

export interface UnitSpec {
  readonly isGroup: boolean;
  /** Which LAN each of its virtual routers is on. */
  readonly lans: readonly number[];
  readonly teams: readonly TeamSpec[];
}

export interface WorldSpec {
  readonly hosts: number;
  readonly lans: number;
  readonly units: readonly UnitSpec[];
  /** Whether others' gratuitous ARP is seen at all. */
  readonly announcementsHeard: boolean;
}

/** One virtual router, one sync group, or several of either beside each other on the same hosts. */
export function randomWorld(random: Random): WorldSpec {
  const announcementsHeard = random.chance(0.8);
  const pace = randomPace(random);
  const kind = random.pick(['router', 'router', 'group', 'several'] as const);
  if (kind === 'router') {
    const hosts = random.pick([2, 2, 3, 3, 4, 5, 6, 7]);
    return { hosts, lans: 1, announcementsHeard, units: [soloUnit(random, pace, range(hosts), 10, 0)] };
  }
  if (kind === 'group') {
    const hosts = random.pick([2, 2, 3, 3, 4, 5]);
    const unit = groupUnit(random, pace, range(hosts), 10, (index) => index);
    return { hosts, lans: unit.lans.length, announcementsHeard, units: [unit] };
  }
  const hosts = random.pick([2, 3, 3, 4, 5]);
  const lans = random.between(1, 3);
  const units = Array.from({ length: random.between(2, 3) }, (_, index): UnitSpec => {
    const few = hosts === 2 ? hosts : random.between(2, hosts);
    const on = random.shuffle(range(hosts)).slice(0, few);
    const vrid = 10 * (index + 1);
    return random.chance(0.65)
      ? soloUnit(random, pace, on, vrid, random.between(0, lans - 1))
      : groupUnit(random, pace, on, vrid, () => random.between(0, lans - 1));
  });
  return { hosts, lans, announcementsHeard, units };
}

function soloUnit(random: Random, pace: Pace, hosts: readonly number[], vrid: number, lan: number): UnitSpec {
  const members = randomCluster(random, { count: hosts.length, vrid, pace });
  const teams = hosts.map((host, index) => ({ host, members: members.slice(index, index + 1) }));
  return { isGroup: false, lans: [lan], teams };
}

function groupUnit(
  random: Random,
  pace: Pace,
  hosts: readonly number[],
  vrid: number,
  lanOf: (index: number) => number,
): UnitSpec {
  const specs = randomGroups(random, { hosts: hosts.length, vrid, pace });
  const teams = specs.map(({ group, members }, index) => ({ host: hosts[index] ?? 0, group, members }));
  return { isGroup: true, lans: (specs[0]?.members ?? []).map((_, index) => lanOf(index)), teams };
}

function range(length: number): readonly number[] {
  return Array.from({ length }, (_, index) => index);
}
