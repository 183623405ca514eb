/**
 * One thing done to a settled unit, and what has to come of it: how fast, by whom, and what must not happen. These are
 * for a router by itself and for a sync group alike; group-experiments.ts and router-experiments.ts have the others.
 */
import { activeMembers, expectTakeover, stays, waitsLongEnough, withoutOutage } from './bounds.js';
import { WEIGHTED_CHECK } from './cluster.js';
import { forge } from './disasters.js';
import { GROUP_EXPERIMENTS } from './group-experiments.js';
import { SHORTEST_SLEEP } from './host.js';
import { apply } from './push.js';
import { ROUTER_EXPERIMENTS } from './router-experiments.js';
import type { Team } from './team.js';
import { SLACK, type Unit } from './unit.js';
import type { World } from './world.js';

/** What an experiment is done with. It does nothing if the unit is not fit for it. */
export interface Setting {
  readonly world: World;
  readonly unit: Unit;
  /** One that is active, at least in part. */
  readonly active: Team;
  /** Those that it hears, and that could be active. */
  readonly others: readonly Team[];
}

export type Experiment = readonly [name: string, run: (setting: Setting) => void];

const EXPERIMENTS: readonly Experiment[] = [
  ['the host of the active router dies', hostDies],
  ['the active agent is killed', agentKilled],
  ['planned stop', plannedStop],
  ['a weighted check of the active router fails', weightedCheck],
  ['the active agent is paused', activePaused],
  ['the machine of the active router is suspended', machineSleeps],
  ['wall clocks are set', clocksStep],
  ['a flood of forged advertisements of lower priority', flood],
  ['another list of addresses is pushed', addressesPushed],
  ['the active router dies while configurations are pushed', pushedMeanwhile],
  ['a host comes back', comesBack],
];

const OF_ROUTERS = [...EXPERIMENTS, ...ROUTER_EXPERIMENTS];
const OF_GROUPS = [...EXPERIMENTS, ...GROUP_EXPERIMENTS];

/** One experiment, at a random active member of the unit; then everything settles. */
export function experiment(world: World, unit: Unit, which: number): void {
  const active = unit.teams.filter((team) => team.active);
  if (active.length === 0) return;
  const subject = world.random.pick(active);
  const component = unit.components(world.sides).find((teams) => teams.includes(subject)) ?? [];
  const others = component.filter((team) => team !== subject && team.candidate);
  const experiments = unit.isGroup ? OF_GROUPS : OF_ROUTERS;
  const [name, run] = experiments[which % experiments.length] ?? EXPERIMENTS[0] ?? ['', () => {}];
  if (world.isTraced) world.log(`experiment: ${name}, active is ${subject.label}`);
  world.forgetTransitions();
  run({ world, unit, active: subject, others });
  world.settle();
}

function hostDies({ world, unit, active, others }: Setting): void {
  const since = world.timeline.now;
  const bound = unit.longestDown + unit.probeTime;
  active.host.crash('host');
  world.run(bound + SLACK);
  expectTakeover(world, unit, others, since, bound);
}

function agentKilled({ world, unit, active, others }: Setting): void {
  const since = world.timeline.now;
  active.host.crash('process');
  const bound = unit.takeoverWhileHeld;
  world.run(bound + SLACK);
  expectTakeover(world, unit, others, since, bound);
  world.timeline.runUntil(Math.max(world.timeline.now, since + unit.leaseEnd));
  const holder = active.nodes.find((node) => node.holds && node.kernel.isLeased);
  if (holder) world.violate('P2', `${holder.label} is dead and holds the addresses`);
}

/** Every address is answered for at every moment, until the last successor has it. */
function plannedStop({ world, unit, active, others }: Setting): void {
  const since = world.timeline.now;
  const held = activeMembers(active);
  active.host.stop(true);
  const hasStopped = () => active.nodes.every(({ member: { phase } }) => phase.name === 'initialize');
  // Without a successor, or with one that may be without some of the members.
  if (others.length === 0 || !others.every((team) => team.isWhole)) {
    world.run(unit.longestDown + SLACK);
    if (others.length === 0 && !hasStopped()) world.violate('P8', `${active.label} waits for a successor for ever`);
    return;
  }
  withoutOutage(world, [active, ...others], held, unit.longestSkew + SLACK);
  expectTakeover(world, unit, others, since, unit.longestSkew);
  world.run(50_000);
  if (!hasStopped()) world.violate('P8', `${active.label} has a successor and does not stop`);
}

function weightedCheck({ world, unit, active, others }: Setting): void {
  const teams = [active, ...others];
  const held = activeMembers(active);
  const state = active.nodes[0]?.reality.get(WEIGHTED_CHECK) === 'up' ? 'down' : 'up';
  const isWhole = teams.every((team) => team.isWhole);
  for (const node of active.nodes) node.turn(WEIGHTED_CHECK, state);
  const span = unit.preemptDelay + 2 * unit.longestDown + SLACK;
  if (isWhole) withoutOutage(world, teams, held, span);
  if (!unit.preempt && !active.active) world.violate('nopreempt', `${active.label} was preempted`);
}

function activePaused({ world, unit, active, others }: Setting): void {
  const since = world.timeline.now;
  active.host.pause();
  const bound = unit.takeoverWhileHeld;
  world.run(bound + SLACK);
  expectTakeover(world, unit, others, since, bound);
  const away = world.random.between(bound + SLACK, bound + 3 * unit.longestLease);
  world.timeline.runUntil(Math.max(world.timeline.now, since + away));
  const holder = active.nodes.find((node) => node.holds && node.kernel.isLeased);
  if (holder && world.timeline.now > since + unit.leaseEnd) {
    world.violate('P2', `${holder.label} is frozen and holds the addresses`);
  }
  active.host.resume();
  if (others.length > 0 && active.active) world.violate('P2', `${active.label} goes on after a pause`);
}

/** Its lifetimes stand still meanwhile, and nobody can ask it anything. */
function machineSleeps({ world, unit, active, others }: Setting): void {
  const since = world.timeline.now;
  active.host.sleep();
  const bound = unit.longestDown + unit.probeTime;
  const isLong = world.random.chance(0.7);
  const longest = Math.max(SHORTEST_SLEEP, bound + SLACK);
  world.run(isLong ? longest : world.random.between(SHORTEST_SLEEP, longest));
  if (isLong) {
    expectTakeover(world, unit, others, since, bound);
    world.run(world.random.between(0, 3 * unit.longestLease));
  }
  active.host.wake();
  if (isLong && others.length > 0 && active.active) {
    world.violate('P2', `${active.label} goes on after its machine was suspended`);
  }
}

/** An election knows no time of day. */
function clocksStep({ world, unit }: Setting): void {
  const { random } = world;
  world.expectNothing('although only wall clocks were set', () => {
    for (const { host } of unit.teams) {
      if (random.chance(0.7)) host.stepClock(random.pick([-86_400_000_000, -5_000_000, 120_000, 3_600_000_000]));
      world.run(random.between(0, unit.interval));
    }
    world.run(2 * unit.longestDown);
  });
}

/** It changes nothing, and fills nothing. */
function flood({ world, unit, active }: Setting): void {
  // On the other side of a partition there is another one.
  if (unit.nodes.some((node) => node.active && node.wantedPriority <= 1)) return;
  const member = world.random.between(0, active.nodes.length - 1);
  // A backup that does not preempt learns the interval of whoever advertises.
  const interval = active.nodes[member]?.router.advertisementInterval ?? unit.interval;
  // What takes longer than a timer may start one.
  const nodes = unit.preemptDelay > 0 ? active.nodes : unit.nodes;
  world.expectNothing(
    'although only lower priorities were advertised',
    () => {
      forge(world, unit, { member, priority: 1, interval, senders: 100, sameAddresses: false });
      world.run(2 * unit.interval);
    },
    nodes,
  );
}

/** The active router has the new addresses at once, and stays active. */
function addressesPushed({ world, unit, active }: Setting): void {
  const member = world.random.between(0, unit.lans.length - 1);
  const node = active.nodes[member];
  const more = world.random.chance(0.6);
  const before = node?.router.addresses.length ?? 0;
  world.expectNothing(
    'although only addresses were pushed',
    () => {
      apply(unit, { what: 'addresses', member, more });
      const has = node?.kernel.addresses.length ?? 0;
      const wanted = more ? Math.min(20, before + 1) : Math.max(1, before - 1);
      if (node?.active && has !== wanted) {
        world.violate('I-4', `${node.label} has ${has} addresses and ought to have ${wanted}`);
      }
      world.run(2 * unit.longestDown);
    },
    unit.nodes,
  );
}

/** A push that concerns no timer moves none, however often it comes. */
function pushedMeanwhile({ world, unit, active, others }: Setting): void {
  const since = world.timeline.now;
  const bound = unit.longestDown + unit.probeTime;
  active.host.crash('host');
  const end = since + bound + SLACK;
  for (let repeat = 0; world.timeline.now < end; repeat++) {
    // One that asks whether an address is in use asks anew after a push.
    if (!unit.refuses) apply(unit, { what: 'announcements', repeat: 1 + (repeat % 3) });
    world.timeline.runUntil(Math.min(end, world.timeline.now + unit.interval));
  }
  expectTakeover(world, unit, others, since, bound);
}

function comesBack({ world, unit, active }: Setting): void {
  const component = unit.components(world.sides).find((teams) => teams.includes(active)) ?? [];
  const gone = component.filter((team) => team.host.process === 'dead');
  if (gone.length === 0) return;
  const back = world.random.pick(gone);
  back.host.start();
  if (!waitsLongEnough(back, active)) return;
  if (!unit.preempt) stays(world, active, 2 * unit.longestDown);
  else if (!unit.isGroup) stays(world, active, Math.min(...unit.nodes.map(({ router }) => router.preemptDelay)));
}
