/**
 * One thing done to a settled cluster, and what has to come of it: how fast, by whom, and what must not happen.
 */
import type { Instant, Micros } from '../../agent/vrrp/index.js';
import { activeDownInterval, pauseLimit, skewTime } from '../../agent/vrrp/index.js';
import { forge } from './chaos.js';
import { FATAL_CHECK, WEIGHTED_CHECK } from './cluster.js';
import { CALM, CALM_DELAY } from './lan.js';
import { type SimNode, TIMER_LAG } from './node.js';
import { SLACK } from './stage.js';
import type { World } from './world.js';

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
  ['all but one advertisement are lost', allButOneLost],
  ['the active agent is suspended', suspended],
  ['a node comes back', comesBack],
  ['a backup leaves', backupLeaves],
];

/** One experiment at random, in the component of a random active router. */
export function experiment(world: World): void {
  const active = world.nodes.filter((node) => node.active);
  if (active.length === 0) return;
  const subject = world.random.pick(active);
  const component = world.components().find((nodes) => nodes.includes(subject)) ?? [];
  const others = component.filter((node) => node !== subject && node.host.candidate);
  const [name, run] = world.random.pick(EXPERIMENTS);
  world.log(`experiment: ${name}, active is ${subject.port}`);
  world.forgetTransitions();
  run(world, subject, others);
  world.settle();
}

function hostDies(world: World, active: SimNode, others: readonly SimNode[]): void {
  const since = world.timeline.now;
  const bound = world.longestDown + world.probeTime;
  active.host.crash('host');
  world.run(bound + SLACK);
  expectTakeover(world, others, since, bound);
}

function agentKilled(world: World, active: SimNode, others: readonly SimNode[]): void {
  const since = world.timeline.now;
  active.host.crash('process');
  const bound = whileHeld(world);
  world.run(bound + SLACK);
  expectTakeover(world, others, since, bound);
  world.run(Math.max(0, since + world.longestLease + 1_000_000 - world.timeline.now));
  if (active.router.leased && active.holds) world.violate('P2', `node ${active.port} is dead and holds the addresses`);
}

/** How long a takeover takes at most from one that goes on holding its addresses until its lease ends. */
function whileHeld(world: World): Micros {
  return world.longestDown + (world.refuses ? world.longestLease + 1_000_000 + world.probeTime : 0);
}

function plannedStop(world: World, active: SimNode, others: readonly SimNode[]): void {
  const since = world.timeline.now;
  active.host.stop(true);
  if (others.length === 0) {
    world.run(world.longestDown + SLACK);
    if (active.host.process !== 'dead') world.violate('P8', `node ${active.port} waits for a successor for ever`);
    return;
  }
  withoutOutage(world, [active, ...others], world.longestSkew + SLACK);
  expectTakeover(world, others, since, world.longestSkew);
  world.run(50_000);
  if (active.host.process !== 'dead') world.violate('P8', `node ${active.port} has a successor and does not stop`);
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
    backup.host.pause();
    world.timeline.runUntil(until);
    backup.host.resume();
    world.run(2 * world.interval);
  });
}

function activePaused(world: World, active: SimNode, others: readonly SimNode[]): void {
  const since = world.timeline.now;
  active.host.pause();
  const bound = whileHeld(world);
  const away = world.random.between(bound + SLACK, bound + 4 * world.longestLease);
  world.run(bound + SLACK);
  expectTakeover(world, others, since, bound);
  world.timeline.runUntil(Math.max(world.timeline.now, since + away));
  const leaseEnd = since + world.longestLease + 1_000_000;
  if (active.router.leased && active.holds && world.timeline.now > leaseEnd) {
    world.violate('P2', `node ${active.port} is frozen and holds the addresses`);
  }
  active.host.resume();
}

/** Only beyond the bound on learned intervals: within it, the cost grows with the interval by up to the bound. */
function forged(world: World, active: SimNode, others: readonly SimNode[]): void {
  const longest = 40_950_000;
  if (4 * world.interval >= longest) return;
  const since = world.timeline.now;
  forge(world, 255, longest);
  world.run(world.longestDown + world.probeTime + SLACK);
  if (![active, ...others].some((node) => node.active)) {
    world.violate('I-11', `one forged advertisement costs more than a down interval (since ${since})`);
  }
}

/** A down interval is (usually) three advertisements and the skew: all but one of them may be lost. */
function allButOneLost(world: World, active: SimNode, others: readonly SimNode[]): void {
  const { phase } = active.member;
  if (phase.name !== 'active' || world.components().length > 1 || others.some((node) => skew(world, node) < SLACK))
    return;
  world.timeline.runUntil(phase.adverAt + TIMER_LAG + CALM_DELAY);
  world.expectNothing('although not enough advertisements were lost', () => {
    world.lan.weather = { ...CALM, loss: 1 };
    world.run((active.router.downTimerAdvertisements - 1) * active.router.advertisementInterval);
    world.lan.weather = CALM;
    world.run(2 * world.longestDown);
  });
}

/** The process after it goes on in time, or it is too late and an ordinary takeover. */
function suspended(world: World, active: SimNode, others: readonly SimNode[]): void {
  const { router } = active;
  const since = world.timeline.now;
  // Without preemption a backup may be of higher priority, and its timer shorter than our patience.
  const interval = router.advertisementInterval;
  const patience = others.map((node) => activeDownInterval(node.router, node.wantedPriority, interval) - SLACK);
  const limit = Math.min(pauseLimit(router, active.wantedPriority), pauseLimit(router, router.priority), ...patience);
  if (limit > 0 && world.random.chance(0.6)) {
    const until = since + world.random.between(0, limit);
    active.host.suspend();
    withoutOutage(world, [active], Math.min(until - since, router.leased ? limit / 4 : limit));
    world.timeline.runUntil(until);
    active.host.start();
    if (!active.active) world.violate('resume', `node ${active.port} does not go on`);
    if (others.some((node) => node.active)) world.violate('resume', 'somebody else is active');
    world.run(2 * world.interval);
    return;
  }
  active.host.suspend();
  const bound = whileHeld(world);
  world.run(bound + SLACK);
  expectTakeover(world, others, since, bound);
  active.host.start();
}

function comesBack(world: World, active: SimNode): void {
  const component = world.components().find((nodes) => nodes.includes(active)) ?? [];
  const gone = component.filter((node) => node.host.process === 'dead');
  if (gone.length === 0) return;
  const back = world.random.pick(gone);
  back.host.start();
  if (!waitsLongEnough(back, active)) return;
  if (!world.preempt) stays(world, active, 2 * world.longestDown);
  else stays(world, active, Math.min(...world.nodes.map(({ router }) => router.preemptDelay)));
}

function backupLeaves(world: World, active: SimNode, others: readonly SimNode[]): void {
  if (others.length === 0) return;
  world.random.pick(others).host.stop(world.random.chance(0.5));
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
  // One that asked in vain asks again later than others may.
  if (!uniform || world.refuses || skew(world, second) - skew(world, best) < SLACK) return;
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
