/** What is done to sync groups: disasters of every kind, and single events with what has to come of them. */
import type { Instant, Micros } from '../../agent/vrrp/index.js';
import { activeDownInterval, pauseLimit } from '../../agent/vrrp/index.js';
import { FATAL_CHECK, WEIGHTED_CHECK } from './cluster.js';
import type { GroupWorld } from './group-world.js';
import type { SimHost } from './host.js';
import { CALM } from './lan.js';
import { SLACK } from './stage.js';

type Disaster = (world: GroupWorld, host: SimHost) => void;
type Experiment = (world: GroupWorld, active: SimHost, others: readonly SimHost[]) => void;

const DISASTERS: readonly Disaster[] = [
  (_world, host) => host.crash('process'),
  (_world, host) => host.crash('host'),
  (_world, host) => host.start(),
  (_world, host) => host.start(),
  (_world, host) => host.start(),
  (_world, host) => host.pause(),
  (_world, host) => host.resume(),
  (_world, host) => host.resume(),
  (_world, host) => host.stop(true),
  (_world, host) => host.suspend(),
  (world, host) => world.random.pick(host.nodes).turn(FATAL_CHECK, world.random.chance(0.6) ? 'up' : 'down'),
  (world, host) => turnWeighted(host, world.random.chance(0.5) ? 'up' : 'down'),
  (world, host) => loseAddress(world, host),
  (world, host) => world.random.pick(world.lans).cut(world.hosts.indexOf(host), world.random.between(0, 3)),
  (world) => world.partition(world.hosts.map(() => world.random.between(0, 1))),
  (world) => world.partition(undefined),
  (world) => storm(world),
  (world) => forge(world, world.random.pick([0, 1, 255])),
  (world) => {
    const policy = world.random.pick(['all', 'any'] as const);
    for (const host of world.hosts) host.regroup(policy);
  },
];

const EXPERIMENTS: readonly (readonly [name: string, experiment: Experiment])[] = [
  ['the active host dies', hostDies],
  ['planned stop', plannedStop],
  ['a fatal check of one member fails', fatalCheck],
  ['a weighted check of the active host changes', weightedCheck],
  ['one LAN is cut', oneLanCut],
  ['the active agent is suspended', suspended],
  ['the active agent is paused', activePaused],
  ['one forged advertisement to one member', (world) => forge(world, 255)],
  ['a host comes back', comesBack],
];

export function groupExperiment(world: GroupWorld): void {
  const active = world.hosts.filter((host) => host.nodes.some((node) => node.active));
  if (active.length === 0) return;
  const subject = world.random.pick(active);
  const component = world.components().find((hosts) => hosts.includes(subject)) ?? [];
  const others = component.filter((host) => host !== subject && host.candidate);
  const [name, run] = world.random.pick(EXPERIMENTS);
  world.log(`experiment: ${name}, active is ${subject.label}`);
  world.forgetTransitions();
  run(world, subject, others);
  world.settle();
}

export function groupChaos(world: GroupWorld): void {
  world.log('chaos');
  const count = world.random.between(5, 20);
  for (let index = 0; index < count; index++) {
    world.random.pick(DISASTERS)(world, world.random.pick(world.hosts));
    world.run(world.random.between(0, world.random.pick([world.interval, world.longestDown])));
  }
}

export function groupCalm(world: GroupWorld): void {
  const { random } = world;
  for (const lan of world.lans) lan.weather = CALM;
  world.partition(random.chance(0.2) ? world.hosts.map(() => random.between(0, 1)) : undefined);
  for (const host of world.hosts) {
    host.resume();
    if (random.chance(0.7)) host.start();
    for (const node of host.nodes) if (random.chance(0.85)) node.turn(FATAL_CHECK, 'up');
  }
  world.log('calm');
}

function hostDies(world: GroupWorld, active: SimHost, others: readonly SimHost[]): void {
  const since = world.timeline.now;
  active.crash(world.random.pick(['host', 'process'] as const));
  world.run(world.longestDown + SLACK);
  expectTakeover(world, others, since, world.longestDown);
}

/** Every address is answered for at every moment, until the last successor has it. */
function plannedStop(world: GroupWorld, active: SimHost, others: readonly SimHost[]): void {
  const since = world.timeline.now;
  const held = active.nodes.flatMap((node, index) => (node.active ? [index] : []));
  active.stop(true);
  // A successor of policy `any` may be without some of its members.
  const successors = others.filter(({ nodes }) => nodes.every((node) => !node.fails));
  if (successors.length === 0 || successors.length < others.length) {
    world.run(world.longestDown + SLACK);
    return;
  }
  withoutOutage(world, [active, ...others], held, world.longestSkew + SLACK);
  expectTakeover(world, others, since, world.longestSkew);
  world.run(50_000);
  if (active.process !== 'dead') world.violate('P8', `${active.label} has a successor and does not stop`);
}

function fatalCheck(world: GroupWorld, active: SimHost, others: readonly SimHost[]): void {
  const since = world.timeline.now;
  const failing = world.random.pick(active.nodes);
  const serving = active.nodes.filter((node) => node.active && node !== failing);
  failing.turn(FATAL_CHECK, 'down');
  world.run(SLACK);
  if (world.policy === 'all') {
    if (active.nodes.some((node) => node.active || node.holds))
      world.violate('I-5', `${active.label} ought to be in fault`);
    world.run(world.longestSkew + SLACK);
    expectTakeover(world, others, since, world.longestSkew);
  } else {
    world.run(world.longestDown + SLACK);
    if (!serving.every((node) => node.active)) world.violate('any', `${active.label}: the others do not go on`);
  }
  world.settle();
  failing.turn(FATAL_CHECK, 'up');
}

function weightedCheck(world: GroupWorld, active: SimHost, others: readonly SimHost[]): void {
  const held = active.nodes.flatMap((node, index) => (node.active ? [index] : []));
  const isWhole = [active, ...others].every(({ nodes }) => nodes.every((node) => !node.fails));
  turnWeighted(active, active.nodes[0]?.reality.get(WEIGHTED_CHECK) === 'up' ? 'down' : 'up');
  if (isWhole) withoutOutage(world, [active, ...others], held, 2 * world.longestDown + SLACK);
  if (!world.preempt && !active.nodes.some((node) => node.active)) world.violate('nopreempt', 'it was preempted');
}

/** The others miss the active host in one member only: it stays, and nothing moves when the LAN is whole again. */
function oneLanCut(world: GroupWorld, active: SimHost): void {
  if (world.components().length > 1 || world.nodes.some((node) => node.fails)) return;
  const port = world.hosts.indexOf(active);
  const lan = world.random.pick(world.lans);
  world.expectNothing('although only one LAN was cut', () => {
    for (const other of world.hosts.keys()) if (other !== port) lan.cut(port, other);
    world.run(2 * world.longestDown + SLACK);
    lan.heal();
    world.run(2 * world.interval);
  });
}

function suspended(world: GroupWorld, active: SimHost, others: readonly SimHost[]): void {
  const since = world.timeline.now;
  const serving = active.nodes.filter((node) => node.active);
  const limits = active.nodes.map(({ router }) => pauseLimit(router, router.priority));
  const patience = others.map(({ nodes }) =>
    Math.max(...nodes.map((node) => activeDownInterval(node.router, 254, node.router.advertisementInterval))),
  );
  const limit = Math.min(...limits, ...patience) - SLACK;
  if (limit > 0 && world.random.chance(0.6)) {
    const until = since + world.random.between(0, limit);
    active.suspend();
    if (active.nodes.some((node) => node.active)) world.violate('resume', 'a suspended member is active');
    if (!serving.every((node) => node.holds)) world.violate('resume', 'a suspended member has let go');
    world.timeline.runUntil(until);
    active.start();
    if (!serving.every((node) => node.active)) world.violate('resume', `${active.label} does not go on`);
    if (others.some(({ nodes }) => nodes.some((node) => node.active && node.lan === serving[0]?.lan))) {
      world.violate('resume', 'somebody else is active');
    }
    world.run(2 * world.interval);
    return;
  }
  active.suspend();
  world.run(world.longestDown + SLACK);
  expectTakeover(world, others, since, world.longestDown);
  active.start();
}

function activePaused(world: GroupWorld, active: SimHost, others: readonly SimHost[]): void {
  const since = world.timeline.now;
  active.pause();
  world.run(world.longestDown + SLACK);
  expectTakeover(world, others, since, world.longestDown);
  world.run(world.random.between(0, 3 * world.longestLease));
  active.resume();
  if (others.length > 0 && active.nodes.some((node) => node.active)) {
    world.violate('P2', `${active.label} goes on after a pause`);
  }
}

function comesBack(world: GroupWorld, active: SimHost): void {
  const gone = world.hosts.filter((host) => host.process === 'dead');
  if (gone.length === 0) return;
  const back = world.random.pick(gone);
  back.start();
  if (world.preempt || back.nodes.some(({ router }) => router.priority === 255)) return;
  world.run(2 * world.longestDown);
  if (!active.nodes.some((node) => node.active)) world.violate('nopreempt', `${active.label} is no longer active`);
}

/** A whole group takes over within the bound. Where members may be missing, one that is not does. */
function expectTakeover(world: GroupWorld, others: readonly SimHost[], since: Instant, bound: Micros): void {
  const whole = others.filter(({ nodes }) => nodes.every((node) => !node.fails));
  if (whole.length === 0 || whole.length < others.length) return;
  const taken = world.transitions.filter(
    ({ to, node, at }) => to === 'active' && others.includes(node.host) && at <= since + bound + SLACK,
  );
  if (taken.length === 0) world.violate('I-2', `nobody took over within ${bound} us`);
  const successor = others.find(({ nodes }) => nodes.every((node) => node.active));
  if (successor === undefined) world.violate('I-6', 'nobody took over all members');
}

function withoutOutage(world: GroupWorld, hosts: readonly SimHost[], members: readonly number[], span: Micros): void {
  const end = world.timeline.now + span;
  const step = Math.max(200, Math.floor(span / 1_000));
  while (world.timeline.now < end) {
    world.run(step);
    for (const index of members) {
      if (!hosts.some(({ nodes }) => nodes[index]?.holds)) world.violate('P8', `nobody holds member ${index}`);
    }
  }
}

function turnWeighted(host: SimHost, state: 'up' | 'down'): void {
  for (const node of host.nodes) node.turn(WEIGHTED_CHECK, state);
}

function loseAddress(world: GroupWorld, host: SimHost): void {
  const node = world.random.pick(host.nodes);
  if (host.process === 'running' && node.active) node.feed({ kind: 'addressLost' });
}

function storm(world: GroupWorld): void {
  const { random } = world;
  const lan = random.pick(world.lans);
  lan.weather = {
    loss: random.pick([0, 0.2, 0.4]),
    duplication: 0.1,
    longestDelay: random.pick([300, 5_000]),
    reordering: random.chance(0.5),
  };
}

/** One advertisement from a stranger to the members of one virtual router. */
function forge(world: GroupWorld, priority: number): void {
  const target = world.random.pick(world.nodes);
  const { addresses, advertisementInterval: interval } = target.router;
  world.log(`forged: priority ${priority} to the LAN of ${target.label}`);
  target.lan.send(-1, {
    kind: 'advertisement',
    source: typeof target.source === 'bigint' ? (0xfebfn << 112n) | 1n : 0xffff_fff0,
    advertisement: { priority, interval, addresses },
  });
}
