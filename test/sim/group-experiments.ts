/** Experiments with sync groups. */
import { activeDownInterval, pauseLimit } from '../../agent/vrrp/index.js';
import { expectTakeover } from './bounds.js';
import { FATAL_CHECK } from './cluster.js';
import { forge } from './disasters.js';
import type { Experiment, Setting } from './experiments.js';
import { SLACK } from './unit.js';

export const GROUP_EXPERIMENTS: readonly Experiment[] = [
  ['a fatal check of one member fails', fatalCheck],
  ['one LAN is cut', oneLanCut],
  ['the active agent is suspended', suspended],
  ['one forged advertisement to one member', forged],
];

function fatalCheck({ world, unit, active, others }: Setting): void {
  const since = world.timeline.now;
  const failing = world.random.pick(active.nodes);
  const serving = active.nodes.filter((node) => node.active && node !== failing);
  failing.turn(FATAL_CHECK, 'down');
  world.run(SLACK);
  if (unit.policy === 'all') {
    if (active.nodes.some((node) => node.active || node.holds)) {
      world.violate('I-5', `${active.label} ought to be in fault`);
    }
    world.run(unit.longestSkew + SLACK);
    expectTakeover(world, unit, others, since, unit.longestSkew);
  } else {
    world.run(unit.longestDown + SLACK);
    if (!serving.every((node) => node.active)) world.violate('any', `${active.label}: the others do not go on`);
  }
  world.settle();
  failing.turn(FATAL_CHECK, 'up');
}

/** The others miss the active host in one member only: it stays, and nothing moves when the LAN is whole again. */
function oneLanCut({ world, unit, active }: Setting): void {
  const isWhole = world.sides.every((side) => side === 0) && unit.nodes.every((node) => !node.fails);
  const areApart = new Set(unit.lans).size === unit.lans.length;
  const port = active.nodes[0]?.port;
  if (!isWhole || !areApart || port === undefined) return;
  const lan = world.random.pick(unit.lans);
  world.expectNothing(
    'although only one LAN was cut',
    () => {
      for (const other of world.hosts.keys()) if (other !== port) lan.cut(port, other);
      world.run(2 * unit.longestDown + SLACK);
      lan.heal();
      world.run(2 * unit.interval);
    },
    unit.nodes,
  );
}

function suspended({ world, unit, active, others }: Setting): void {
  const since = world.timeline.now;
  const serving = active.nodes.filter((node) => node.active);
  const limits = active.nodes.map(({ router }) => pauseLimit(router, router.priority));
  const patience = others.map(({ nodes }) =>
    Math.max(...nodes.map((node) => activeDownInterval(node.router, 254, node.router.advertisementInterval))),
  );
  const limit = Math.min(...limits, ...patience) - SLACK;
  if (limit > 0 && world.random.chance(0.6)) {
    const until = since + world.random.between(0, limit);
    active.host.suspend();
    if (active.nodes.some((node) => node.active)) world.violate('resume', 'a suspended member is active');
    if (!serving.every((node) => node.holds)) world.violate('resume', 'a suspended member has let go');
    world.timeline.runUntil(until);
    active.host.start();
    if (!serving.every((node) => node.active)) world.violate('resume', `${active.label} does not go on`);
    const vrid = serving[0]?.router.vrid;
    if (others.some(({ nodes }) => nodes.some((node) => node.active && node.router.vrid === vrid))) {
      world.violate('resume', 'somebody else is active');
    }
    world.run(2 * unit.interval);
    return;
  }
  active.host.suspend();
  world.run(unit.longestDown + SLACK);
  expectTakeover(world, unit, others, since, unit.longestDown);
  active.host.start();
}

function forged({ world, unit }: Setting): void {
  const member = world.random.between(0, unit.lans.length - 1);
  forge(world, unit, { member, priority: 255, interval: unit.interval, senders: 1, sameAddresses: true });
}
