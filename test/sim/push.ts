/** Configurations that are pushed while routers run, as data. */
import type { IpAddress, Track, VirtualRouter } from '../../agent/vrrp/index.js';
import { FILE_CHECK } from './cluster.js';
import type { Random } from './random.js';
import type { Unit } from './unit.js';
import type { UnitSpec } from './world-spec.js';

/** Of one host, or of all (`host` absent). What members have to agree on is pushed to all. */
export type Push =
  | { readonly what: 'priority'; readonly host: number; readonly priority: number }
  | { readonly what: 'interval'; readonly host?: number; readonly member: number; readonly times: number }
  | { readonly what: 'preempt mode'; readonly preemptMode: boolean }
  | { readonly what: 'preempt delay'; readonly intervals: number }
  | { readonly what: 'addresses'; readonly host?: number; readonly member: number; readonly more: boolean }
  | { readonly what: 'file check'; readonly host: number; readonly weight: number | undefined }
  | { readonly what: 'leases'; readonly leased: boolean }
  | { readonly what: 'advertisements that may be missed'; readonly count: number }
  | { readonly what: 'announcements'; readonly repeat: number };

export function randomPush({ isGroup, teams, lans }: UnitSpec, random: Random): Push {
  const { host } = random.pick(teams);
  const member = random.between(0, lans.length - 1);
  const what = random.pick([
    ...(['priority', 'priority', 'interval', 'interval', 'preempt mode', 'addresses', 'addresses', 'leases'] as const),
    ...(['advertisements that may be missed', 'announcements'] as const),
    // The members of a group rank alike, and preempt at once.
    ...(isGroup ? [] : (['file check', 'file check', 'preempt delay'] as const)),
  ]);
  switch (what) {
    case 'priority':
      return { what, host, priority: isGroup ? random.between(40, 200) : random.between(1, 254) };
    case 'interval':
      return { what, ...(random.chance(0.5) && { host }), member, times: random.pick([1, 2, 4]) };
    case 'preempt mode':
      return { what, preemptMode: random.chance(0.5) };
    case 'preempt delay':
      return { what, intervals: random.pick([0, 2, 5]) };
    case 'addresses':
      return { what, ...(random.chance(0.3) && { host }), member, more: random.chance(0.6) };
    case 'file check':
      return { what, host, weight: random.chance(0.3) ? undefined : random.pick([0, 1, -10]) };
    case 'leases':
      return { what, leased: random.chance(0.7) };
    case 'advertisements that may be missed':
      return { what, count: random.pick([2, 3, 5]) };
    case 'announcements':
      return { what, repeat: random.between(0, 3) };
    default:
      throw new TypeError(`unknown push ${what satisfies never}`);
  }
}

/** Tells every host that it concerns. */
export function apply(unit: Unit, push: Push): void {
  for (const team of unit.teams) {
    if ('host' in push && push.host !== undefined && push.host !== team.nodes[0]?.port) continue;
    for (const [member, node] of team.nodes.entries()) {
      if ('member' in push && push.member !== member) continue;
      const offset = node.initialRouter.priority - (team.nodes[0]?.initialRouter.priority ?? 0);
      node.reconfigure((router) => changed(unit, member, offset, router, push));
    }
  }
}

/** @param offset what the priorities of the members of its group differ by, which stays */
function changed(unit: Unit, member: number, offset: number, router: VirtualRouter, push: Push): VirtualRouter {
  switch (push.what) {
    case 'priority':
      return router.priority === 255 ? router : { ...router, priority: push.priority + offset };
    case 'interval':
      return withInterval(unit, member, router, push.times);
    case 'preempt mode':
      return { ...router, preemptMode: push.preemptMode };
    case 'preempt delay':
      return { ...router, preemptDelay: push.intervals * router.advertisementInterval };
    case 'addresses':
      return { ...router, addresses: push.more ? oneMore(router.addresses) : oneLess(router.addresses) };
    case 'file check':
      return { ...router, tracks: withFileCheck(router.tracks, push.weight) };
    case 'leases':
      // Without leases an agent that died would be asked for ever.
      return router.duplicateProbe === 'refuse' ? router : { ...router, leased: push.leased };
    case 'advertisements that may be missed':
      return { ...router, downTimerAdvertisements: push.count };
    case 'announcements':
      return { ...router, announcements: { ...router.announcements, repeat: push.repeat } };
    default:
      throw new TypeError(`unknown push ${JSON.stringify(push satisfies never)}`);
  }
}

/** Version 3: so many times the shortest that any member had at first; four times that is what all would learn. */
function withInterval(unit: Unit, member: number, router: VirtualRouter, times: number): VirtualRouter {
  if (router.version === 2) return router;
  const all = unit.teams.flatMap(({ nodes }) => nodes[member]?.initialRouter.advertisementInterval ?? []);
  return { ...router, advertisementInterval: Math.min(...all) * times };
}

function oneMore(addresses: readonly IpAddress[]): readonly IpAddress[] {
  const [first] = addresses;
  if (first === undefined || addresses.length >= 20) return addresses;
  const offset = 1_000 * addresses.length;
  return [...addresses, typeof first === 'bigint' ? first + BigInt(offset) : first + offset];
}

function oneLess(addresses: readonly IpAddress[]): readonly IpAddress[] {
  return addresses.length > 1 ? addresses.slice(0, -1) : addresses;
}

function withFileCheck(tracks: readonly Track[], weight: number | undefined): readonly Track[] {
  const others = tracks.filter(({ id }) => id !== FILE_CHECK);
  return weight === undefined ? others : [...others, { id: FILE_CHECK, weight, reverse: false }];
}
