/** Everything that goes wrong on a network and its hosts, as it is done to a world. */
import type { IpAddress, Micros } from '../../agent/vrrp/index.js';
import { FATAL_CHECK, FILE_CHECK } from './cluster.js';
import type { SimHost } from './host.js';
import { STRANGER } from './lan.js';
import type { SimNode } from './node.js';
import { apply } from './push.js';
import type { Decision, Disaster } from './schedule.js';
import type { Unit } from './unit.js';
import type { World } from './world.js';

/** Between the advertisements of a flood. */
const FLOOD_PACE: Micros = 300;

/** What concerns a host or a unit that is not there does nothing. */
export function strike(world: World, disaster: Disaster): void {
  switch (disaster.kind) {
    case 'crash':
      world.hosts.get(disaster.host)?.crash(disaster.what);
      return;
    case 'start':
    case 'pause':
    case 'resume':
    case 'suspend':
    case 'sleep':
    case 'wake':
      world.hosts.get(disaster.host)?.[disaster.kind]();
      return;
    case 'stop':
      world.hosts.get(disaster.host)?.stop(disaster.handover);
      return;
    case 'clock':
      world.hosts.get(disaster.host)?.stepClock(disaster.by);
      return;
    case 'turn':
      for (const node of nodesAt(world, disaster)) node.turn(disaster.track, disaster.state);
      return;
    case 'lose address':
      for (const node of nodesAt(world, disaster)) loseAddress(node);
      return;
    case 'cut':
      world.lans[disaster.lan]?.cut(disaster.from, disaster.to);
      return;
    case 'partition':
      world.partition(disaster.sides);
      return;
    case 'heal':
      world.partition(undefined);
      return;
    case 'weather': {
      const lan = world.lans[disaster.lan];
      if (lan !== undefined) lan.weather = disaster.weather;
      return;
    }
    case 'forge': {
      const unit = world.units.get(disaster.unit);
      if (unit !== undefined) forge(world, unit, disaster);
      return;
    }
    case 'push': {
      const unit = world.units.get(disaster.unit);
      if (unit !== undefined) apply(unit, disaster.push);
      return;
    }
    case 'regroup':
      for (const team of world.units.get(disaster.unit)?.teams ?? []) team.regroup(disaster.policy);
      return;
    default:
      throw new TypeError(`unknown disaster ${JSON.stringify(disaster satisfies never)}`);
  }
}

/** Calm weather, nobody paused, and what is put right on top of that. */
export function recover(world: World, { starts, repairs, sides }: Extract<Decision, { readonly kind: 'calm' }>): void {
  world.calm();
  world.partition(sides);
  for (const number of starts) world.hosts.get(number)?.start();
  for (const number of repairs) repair(world.hosts.get(number));
}

function repair(host: SimHost | undefined): void {
  for (const node of host?.nodes ?? []) {
    node.turn(FATAL_CHECK, 'up');
    node.turn(FILE_CHECK, 0);
  }
}

export interface Forgery {
  readonly member: number;
  readonly priority: number;
  readonly interval: Micros;
  readonly senders: number;
  readonly sameAddresses: boolean;
}

/** Advertisements from strangers that every member accepts. */
export function forge(world: World, unit: Unit, { member, priority, interval, senders, sameAddresses }: Forgery): void {
  const target = unit.teams[0]?.nodes[member];
  if (target === undefined) return;
  const { router, lan } = target;
  const addresses: readonly IpAddress[] = sameAddresses ? router.addresses : [];
  const advertisement = {
    priority,
    interval: router.version === 2 ? router.advertisementInterval : interval,
    addresses,
  };
  for (let index = 0; index < senders; index++) {
    const source: IpAddress =
      typeof router.addresses[0] === 'bigint' ? (0xfebfn << 112n) | BigInt(index + 1) : 0xffff_fff0 - index;
    world.timeline.after(index * FLOOD_PACE, () =>
      lan.send(STRANGER, router.vrid, { kind: 'advertisement', source, advertisement }),
    );
  }
}

function loseAddress(node: SimNode): void {
  if (node.host.process === 'running' && node.active) node.feed({ kind: 'addressLost' });
}

function nodesAt(
  world: World,
  { host, unit, member }: { readonly host: number; readonly unit: number; readonly member?: number },
): readonly SimNode[] {
  const team = world.units.get(unit)?.teams.find(({ nodes: [first] }) => first?.port === host);
  if (team === undefined) return [];
  return member === undefined ? team.nodes : team.nodes.slice(member, member + 1);
}
