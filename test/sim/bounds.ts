/** What has to come of an experiment, by when: who takes over, who stays, and that nobody is without an answer. */
import type { Instant, Micros } from '../../agent/vrrp/index.js';
import { skewTime } from '../../agent/vrrp/index.js';
import type { SimNode } from './node.js';
import type { Team } from './team.js';
import { SLACK, type Unit } from './unit.js';
import type { World } from './world.js';

/** Somebody becomes active within the bound; the best of them, and nobody else, if their timers lie apart. */
export function expectTakeover(world: World, unit: Unit, others: readonly Team[], since: Instant, bound: Micros): void {
  if (unit.isGroup) expectGroupTakeover(world, others, since, bound);
  else expectRouterTakeover(world, unit, membersOf(others), since, bound);
}

function expectRouterTakeover(
  world: World,
  unit: Unit,
  others: readonly SimNode[],
  since: Instant,
  bound: Micros,
): void {
  if (others.length === 0) return;
  const taken = world.transitions.filter(({ to, node }) => to === 'active' && others.includes(node));
  if (!taken.some(({ at }) => at <= since + bound + SLACK)) {
    world.violate('I-2', `nobody took over within ${bound} us`);
  }
  const ranked = [...others].sort((a, b) => skew(unit, a) - skew(unit, b));
  const [best, second] = ranked;
  if (best === undefined || second === undefined) return;
  const { interval } = unit;
  const uniform = unit.nodes.every(({ router }) => router.advertisementInterval === interval);
  // One that asked in vain asks again later than others may.
  if (!uniform || unit.refuses || skew(unit, second) - skew(unit, best) < SLACK) return;
  const wrong = taken.find(({ node }) => node !== best);
  if (wrong) world.violate('skew', `${wrong.node.label} took over before ${best.label} could`);
}

/** A whole group takes over. Where members may be missing, one that is not does. */
function expectGroupTakeover(world: World, others: readonly Team[], since: Instant, bound: Micros): void {
  if (others.length === 0 || !others.every((team) => team.isWhole)) return;
  const taken = world.transitions.filter(
    ({ to, node, at }) => to === 'active' && others.includes(node.team) && at <= since + bound + SLACK,
  );
  if (taken.length === 0) world.violate('I-2', `nobody took over within ${bound} us`);
  const successor = others.find(({ nodes }) => nodes.every((node) => node.active));
  if (successor === undefined) world.violate('I-6', 'nobody took over all members');
}

export function skew(unit: Unit, node: SimNode): Micros {
  return skewTime(node.router, node.wantedPriority, unit.interval);
}

/** It stays active for so long. */
export function stays(world: World, team: Team, span: Micros): void {
  const active = team.nodes.filter((node) => node.active);
  world.expectNothing('although nobody is to preempt', () => world.run(span), active, 'nopreempt');
}

/** Not so an owner, nor one whose own interval is shorter than that of the router that is active. */
export function waitsLongEnough(team: Team, active: Team): boolean {
  return team.nodes.every(({ router }, index) => {
    const interval = active.nodes[index]?.router.advertisementInterval ?? 0;
    return router.priority !== 255 && router.advertisementInterval >= interval;
  });
}

/** At every moment somebody of these teams holds the addresses of each member that the first one was active in. */
export function withoutOutage(world: World, teams: readonly Team[], members: readonly number[], span: Micros): void {
  const holders = members.map((member) => teams.flatMap(({ nodes }) => nodes.slice(member, member + 1)));
  world.withoutOutage(holders, () => world.run(span));
}

/** The numbers of the members that are active on a host. */
export function activeMembers({ nodes }: Team): readonly number[] {
  return nodes.flatMap((node, index) => (node.active ? [index] : []));
}

export function membersOf(teams: readonly Team[]): readonly SimNode[] {
  return teams.flatMap(({ nodes }) => nodes);
}
