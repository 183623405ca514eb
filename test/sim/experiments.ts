/**
 * One thing done to a settled cluster, and what has to come of it: how fast, by whom, and what must not happen.
 */
import type { Instant, Micros } from '../../agent/vrrp/index.js';
import { skewTime } from '../../agent/vrrp/index.js';
import { forge } from './chaos.js';
import { FATAL_CHECK, WEIGHTED_CHECK } from './cluster.js';
import { CALM, CALM_DELAY } from './lan.js';
import { type SimNode, TIMER_LAG } from './node.js';
import { SLACK, type World } from './world.js';

/** Runs if the cluster is fit for it. */
type Experiment = (world: World, active: SimNode, others: readonly SimNode[]) => void;

const EXPERIMENTS: readonly (readonly [name: string, experiment: Experiment])[] = [
  ['the host of the active router dies', hostDies],
  ['the active agent is killed', agentKilled],
  ['planned stop', plannedStop],
  ['a fatal check of the active router fails', fatalCheck],
  ['a weighted check of the active router fails', weightedCheck],
  ['a backup is paused', backupPaused],
  ['the active router is paused', activePaused],
  ['one forged advertisement', forged],
  ['two advertisements are lost', twoLost],
  ['a node comes back', comesBack],
  ['a backup leaves', backupLeaves],
];

/** One experiment at random, in the component of a random active router. */
export function experiment(world: World): void {
  const active = world.nodes.filter((node) => node.active);
  if (active.length === 0) return;
  const subject = world.random.pick(active);
  const component = world.components().find((nodes) => nodes.includes(subject)) ?? [];
  const others = component.filter((node) => node !== subject && node.candidate);
  const [name, run] = world.random.pick(EXPERIMENTS);
  world.log(`experiment: ${name}, active is ${subject.port}`);
  world.forgetTransitions();
  run(world, subject, others);
  world.settle();
}

function hostDies(world: World, active: SimNode, others: readonly SimNode[]): void {
  const since = world.timeline.now;
  active.crash('host');
  world.run(world.longestDown + SLACK);
  expectTakeover(world, others, since, world.longestDown);
}

function agentKilled(world: World, active: SimNode, others: readonly SimNode[]): void {
  const since = world.timeline.now;
  active.crash('process');
  world.run(world.longestDown + SLACK);
  expectTakeover(world, others, since, world.longestDown);
  world.run(Math.max(0, since + world.longestLease + 1_000_000 - world.timeline.now));
  if (active.router.leased && active.holds) world.violate('P2', `node ${active.port} is dead and holds the addresses`);
}

function plannedStop(world: World, active: SimNode, others: readonly SimNode[]): void {
  const since = world.timeline.now;
  active.stop(true);
  if (others.length === 0) {
    world.run(world.longestDown + SLACK);
    if (active.process !== 'dead') world.violate('P8', `node ${active.port} waits for a successor for ever`);
    return;
  }
  withoutOutage(world, [active, ...others], world.longestSkew + SLACK);
  expectTakeover(world, others, since, world.longestSkew);
  world.run(50_000);
  if (active.process !== 'dead') world.violate('P8', `node ${active.port} has a successor and does not stop`);
}

function fatalCheck(world: World, active: SimNode, others: readonly SimNode[]): void {
  const since = world.timeline.now;
  active.turn(FATAL_CHECK, 'down');
  world.run(world.longestSkew + SLACK);
  if (active.active || active.holds) world.violate('I-5', `node ${active.port} ought to be in fault`);
  expectTakeover(world, others, since, world.longestSkew);
  world.settle();
  const successor = world.nodes.find((node) => node.active && others.includes(node));
  world.log(`the check of ${active.port} is good again`);
  active.turn(FATAL_CHECK, 'up');
  if (successor && !world.preempt && waitsLongEnough(active, successor)) stays(world, successor, 2 * world.longestDown);
}

function weightedCheck(world: World, active: SimNode, others: readonly SimNode[]): void {
  active.turn(WEIGHTED_CHECK, active.reality.get(WEIGHTED_CHECK) === 'up' ? 'down' : 'up');
  withoutOutage(world, [active, ...others], world.preemptDelay + 2 * world.longestDown + SLACK);
  if (!world.preempt && !active.active) world.violate('nopreempt', `node ${active.port} was preempted`);
}

/** However long: what it finds queued tells it that the active router is there. */
function backupPaused(world: World, _active: SimNode, others: readonly SimNode[]): void {
  if (others.length === 0) return;
  const backup = world.random.pick(others);
  const { phase } = backup.member;
  if (phase.name !== 'backup') return;
  let until = world.timeline.now + world.random.between(0, 5 * world.longestDown);
  // A timer that is only a little late cannot be told from an ordinary one.
  if (until > phase.activeDownAt - 1_000 && until < phase.activeDownAt + 6_000) until += 8_000;
  world.expectNothing('although only a backup was paused', () => {
    backup.pause();
    world.timeline.runUntil(until);
    backup.resume();
    world.run(2 * world.interval);
  });
}

function activePaused(world: World, active: SimNode, others: readonly SimNode[]): void {
  const since = world.timeline.now;
  active.pause();
  const away = world.random.between(world.longestDown + SLACK, 4 * world.longestLease);
  world.run(world.longestDown + SLACK);
  expectTakeover(world, others, since, world.longestDown);
  world.timeline.runUntil(Math.max(world.timeline.now, since + away));
  const leaseEnd = since + world.longestLease + 1_000_000;
  if (active.router.leased && active.holds && world.timeline.now > leaseEnd) {
    world.violate('P2', `node ${active.port} is frozen and holds the addresses`);
  }
  active.resume();
}

/** Only beyond the bound on learned intervals: within it, the cost grows with the interval by up to the bound. */
function forged(world: World, active: SimNode, others: readonly SimNode[]): void {
  const longest = 40_950_000;
  if (4 * world.interval >= longest) return;
  const since = world.timeline.now;
  forge(world, 255, longest);
  world.run(world.longestDown + SLACK);
  if (![active, ...others].some((node) => node.active)) {
    world.violate('I-11', `one forged advertisement costs more than a down interval (since ${since})`);
  }
}

/** A down interval is three advertisements and the skew: two of them may be lost. */
function twoLost(world: World, active: SimNode, others: readonly SimNode[]): void {
  const { phase } = active.member;
  if (phase.name !== 'active' || world.components().length > 1 || others.some((node) => skew(world, node) < SLACK))
    return;
  world.timeline.runUntil(phase.adverAt + TIMER_LAG + CALM_DELAY);
  world.expectNothing('although only two advertisements were lost', () => {
    world.lan.weather = { ...CALM, loss: 1 };
    world.run(2 * active.router.advertisementInterval);
    world.lan.weather = CALM;
    world.run(2 * world.longestDown);
  });
}

function comesBack(world: World, active: SimNode): void {
  const component = world.components().find((nodes) => nodes.includes(active)) ?? [];
  const gone = component.filter((node) => node.process === 'dead');
  if (gone.length === 0) return;
  const back = world.random.pick(gone);
  back.start();
  if (!waitsLongEnough(back, active)) return;
  if (!world.preempt) stays(world, active, 2 * world.longestDown);
  else stays(world, active, Math.min(...world.nodes.map(({ router }) => router.preemptDelay)));
}

function backupLeaves(world: World, active: SimNode, others: readonly SimNode[]): void {
  if (others.length === 0) return;
  world.random.pick(others).stop(world.random.chance(0.5));
  stays(world, active, 2 * world.longestDown);
}

/** Not so an owner, nor one whose own interval is shorter than that of the router that is active. */
function waitsLongEnough({ router }: SimNode, active: SimNode): boolean {
  return router.priority !== 255 && router.advertisementInterval >= active.router.advertisementInterval;
}

function stays(world: World, active: SimNode, span: Micros): void {
  const end = world.timeline.now + span;
  while (world.timeline.now < end) {
    world.run(Math.min(world.interval, end - world.timeline.now));
    if (!active.active) world.violate('nopreempt', `node ${active.port} is no longer active`);
  }
}

/** Somebody becomes active within the bound; the best of them, and nobody else, if their timers lie apart. */
function expectTakeover(world: World, others: readonly SimNode[], since: Instant, bound: Micros): void {
  if (others.length === 0) return;
  const taken = world.transitions.filter(({ to, node }) => to === 'active' && others.includes(node));
  if (!taken.some(({ at }) => at <= since + bound + SLACK)) {
    world.violate('I-2', `nobody took over within ${bound} us`);
  }
  const ranked = [...others].sort((a, b) => skew(world, a) - skew(world, b));
  const [best, second] = ranked;
  if (best === undefined || second === undefined) return;
  const uniform = world.nodes.every(({ router }) => router.advertisementInterval === world.interval);
  if (!uniform || skew(world, second) - skew(world, best) < SLACK) return;
  const wrong = taken.find(({ node }) => node !== best);
  if (wrong) world.violate('skew', `node ${wrong.node.port} took over before ${best.port} could`);
}

function skew(world: World, node: SimNode): Micros {
  return skewTime(node.router, node.wantedPriority, world.interval);
}

/** At every moment somebody of these who runs holds the addresses. */
function withoutOutage(world: World, nodes: readonly SimNode[], span: Micros): void {
  const end = world.timeline.now + span;
  const step = Math.max(100, Math.floor(span / 2_000));
  while (world.timeline.now < end) {
    world.run(step);
    if (!nodes.some((node) => node.holds)) world.violate('P8', 'nobody holds the addresses for a moment');
  }
}
