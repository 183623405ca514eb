/** Experiments with a virtual router that is in no group. */
import { activeDownInterval, pauseLimit } from '../../agent/vrrp/index.js';
import { activeMembers, expectTakeover, membersOf, skew, stays, waitsLongEnough, withoutOutage } from './bounds.js';
import { FATAL_CHECK } from './cluster.js';
import { forge } from './disasters.js';
import type { Experiment, Setting } from './experiments.js';
import { CALM, CALM_DELAY } from './lan.js';
import { type SimNode, TIMER_LAG } from './node.js';
import { apply } from './push.js';
import { SLACK } from './unit.js';

/** The longest interval that fits in a packet of version 3. */
const LONGEST_INTERVAL = 40_950_000;

export const ROUTER_EXPERIMENTS: readonly Experiment[] = [
  ['a fatal check of the active router fails', alone(fatalCheck)],
  ['a backup is paused', alone(backupPaused)],
  ['one forged advertisement', alone(forged)],
  ['all but one advertisement are lost', alone(allButOneLost)],
  ['the active agent is suspended', alone(suspended)],
  ['a backup leaves', backupLeaves],
  ['another priority is pushed', alone(priorityPushed)],
  ['a check is taken away and given back', alone(checkPushed)],
];

/** With the one member of the active team. */
function alone(run: (setting: Setting, node: SimNode) => void): (setting: Setting) => void {
  return (setting) => {
    const [node] = setting.active.nodes;
    if (node !== undefined) run(setting, node);
  };
}

function fatalCheck({ world, unit, active, others }: Setting, node: SimNode): void {
  const since = world.timeline.now;
  node.turn(FATAL_CHECK, 'down');
  world.run(unit.longestSkew + SLACK);
  if (node.active || node.holds) world.violate('I-5', `${node.label} ought to be in fault`);
  expectTakeover(world, unit, others, since, unit.longestSkew);
  world.settle();
  const successor = others.find((team) => team.active);
  world.log(`the check of ${node.label} is good again`);
  node.turn(FATAL_CHECK, 'up');
  if (successor && !unit.preempt && waitsLongEnough(active, successor)) stays(world, successor, 2 * unit.longestDown);
}

/** However long: what it finds queued tells it that the active router is there. */
function backupPaused({ world, unit, others }: Setting): void {
  if (others.length === 0) return;
  const backup = world.random.pick(others);
  const phase = backup.nodes[0]?.member.phase;
  if (phase?.name !== 'backup') return;
  let until = world.timeline.now + world.random.between(0, 5 * unit.longestDown);
  // A timer that is only a little late cannot be told from an ordinary one.
  if (until > phase.activeDownAt - 1_000 && until < phase.activeDownAt + 6_000) until += 8_000;
  world.expectNothing(
    'although only a backup was paused',
    () => {
      backup.host.pause();
      world.timeline.runUntil(until);
      backup.host.resume();
      world.run(2 * unit.interval);
    },
    unit.nodes,
  );
}

/** Only beyond the bound on learned intervals: within it, the cost grows with the interval by up to the bound. */
function forged({ world, unit, active, others }: Setting): void {
  if (4 * unit.interval >= LONGEST_INTERVAL) return;
  const since = world.timeline.now;
  forge(world, unit, { member: 0, priority: 255, interval: LONGEST_INTERVAL, senders: 1, sameAddresses: true });
  world.run(unit.longestDown + unit.probeTime + SLACK);
  if (![active, ...others].some((team) => team.active)) {
    world.violate('I-11', `one forged advertisement costs more than a down interval (since ${since})`);
  }
}

/** A down interval is (usually) three advertisements and the skew: all but one of them may be lost. */
function allButOneLost({ world, unit, others }: Setting, node: SimNode): void {
  const { phase } = node.member;
  const isWhole = world.sides.every((side) => side === 0);
  if (phase.name !== 'active' || !isWhole || membersOf(others).some((other) => skew(unit, other) < SLACK)) return;
  world.timeline.runUntil(phase.adverAt + TIMER_LAG + CALM_DELAY);
  world.expectNothing(
    'although not enough advertisements were lost',
    () => {
      node.lan.weather = { ...CALM, loss: 1 };
      world.run((node.router.downTimerAdvertisements - 1) * node.router.advertisementInterval);
      node.lan.weather = CALM;
      world.run(2 * unit.longestDown);
    },
    unit.nodes,
  );
}

/** The process after it goes on in time, or it is too late and an ordinary takeover. */
function suspended({ world, unit, active, others }: Setting, node: SimNode): void {
  const { router } = node;
  const since = world.timeline.now;
  // Without preemption a backup may be of higher priority, and its timer shorter than our patience.
  const interval = router.advertisementInterval;
  const patience = membersOf(others).map(
    (other) => activeDownInterval(other.router, other.wantedPriority, interval) - SLACK,
  );
  const limit = Math.min(pauseLimit(router, node.wantedPriority), pauseLimit(router, router.priority), ...patience);
  if (limit > 0 && world.random.chance(0.6)) {
    const until = since + world.random.between(0, limit);
    const held = activeMembers(active);
    active.host.suspend();
    withoutOutage(world, [active], held, Math.min(until - since, router.leased ? limit / 4 : limit));
    world.timeline.runUntil(until);
    active.host.start();
    if (!node.active) world.violate('resume', `${node.label} does not go on`);
    if (others.some((team) => team.active)) world.violate('resume', 'somebody else is active');
    world.run(2 * unit.interval);
    return;
  }
  active.host.suspend();
  const bound = unit.takeoverWhileHeld;
  world.run(bound + SLACK);
  expectTakeover(world, unit, others, since, bound);
  active.host.start();
}

function backupLeaves({ world, unit, active, others }: Setting): void {
  if (others.length === 0) return;
  world.random.pick(others).host.stop(world.random.chance(0.5));
  stays(world, active, 2 * unit.longestDown);
}

/** Without an outage the best one is active in the end, or with no preemption the same as before. */
function priorityPushed({ world, unit, active, others }: Setting, node: SimNode): void {
  const to = world.random.pick([active, ...others]);
  const host = to.nodes[0]?.port ?? 0;
  apply(unit, { what: 'priority', host, priority: world.random.between(1, 254) });
  const isWhole = [active, ...others].every((team) => team.isWhole);
  const span = unit.preemptDelay + 2 * unit.longestDown + SLACK;
  if (isWhole) withoutOutage(world, [active, ...others], [0], span);
  if (!unit.preempt && !node.active) world.violate('nopreempt', `${node.label} was preempted`);
}

/** What is known of a check is forgotten with it. */
function checkPushed({ world, unit, active }: Setting, node: SimNode): void {
  apply(unit, { what: 'file check', host: node.port, weight: undefined });
  world.run(unit.interval);
  apply(unit, { what: 'file check', host: node.port, weight: 0 });
  world.run(unit.interval);
  if (!unit.preempt && !active.active) world.violate('nopreempt', `${node.label} was preempted`);
}
