/** Everything that goes wrong on a network and its hosts, at random. */
import { FATAL_CHECK, FILE_CHECK, WEIGHTED_CHECK } from './cluster.js';
import { CALM } from './lan.js';
import type { SimNode } from './node.js';
import type { World } from './world.js';

type Disaster = (world: World, node: SimNode) => void;

const DISASTERS: readonly (readonly [weight: number, disaster: Disaster])[] = [
  [3, (_world, node) => node.host.crash('process')],
  [2, (_world, node) => node.host.crash('host')],
  [8, (_world, node) => node.host.start()],
  [3, (_world, node) => node.host.pause()],
  [5, (_world, node) => node.host.resume()],
  [2, (_world, node) => node.host.stop(true)],
  [1, (_world, node) => node.host.stop(false)],
  [2, (_world, node) => node.host.suspend()],
  [2, (world, node) => turnFile(world, node)],
  [3, (world, node) => node.turn(FATAL_CHECK, world.random.chance(0.6) ? 'up' : 'down')],
  [3, (world, node) => node.turn(WEIGHTED_CHECK, world.random.chance(0.5) ? 'up' : 'down')],
  [1, (_world, node) => loseAddress(node)],
  [3, (world, node) => world.lan.cut(node.port, world.random.pick(world.nodes).port)],
  [1, (world) => world.partition(randomSides(world))],
  [3, (world) => world.partition(undefined)],
  [2, (world) => storm(world)],
  [1, (world) => forge(world, world.random.pick([0, 1, 100, 255]), world.random.pick([1, 4095]) * 10_000)],
  [1, (world, node) => reconfigure(world, node)],
];

const TOTAL = DISASTERS.reduce((sum, [weight]) => sum + weight, 0);

/** Disasters, one after another, for some down intervals. */
export function chaos(world: World): void {
  world.log('chaos');
  const count = world.random.between(5, 25);
  for (let index = 0; index < count; index++) {
    disasterOf(world)(world, world.random.pick(world.nodes));
    world.run(world.random.between(0, world.random.pick([world.interval, world.longestDown])));
  }
}

/** Nothing goes wrong any more: calm weather, nobody paused, perhaps a partition that stays. */
export function calm(world: World): void {
  const { random } = world;
  world.lan.weather = CALM;
  world.partition(random.chance(0.25) ? randomSides(world) : undefined);
  for (const node of world.nodes) {
    node.host.resume();
    if (random.chance(0.6)) node.host.start();
    if (random.chance(0.8)) node.turn(FATAL_CHECK, 'up');
    if (random.chance(0.7) && node.reality.has(FILE_CHECK)) node.turn(FILE_CHECK, 0);
  }
  world.log('calm');
}

/** One advertisement from a stranger that every node accepts. */
export function forge(world: World, priority: number, interval: number): void {
  world.log(`forged: priority ${priority}, interval ${interval} us`);
  const version2 = world.nodes[0]?.router.version === 2;
  const addresses = world.nodes[0]?.router.addresses ?? [];
  world.lan.send(-1, {
    kind: 'advertisement',
    source: typeof addresses[0] === 'bigint' ? (0xfebfn << 112n) | 1n : 0xffff_fff0,
    advertisement: { priority, interval: version2 ? world.interval : interval, addresses },
  });
}

function disasterOf(world: World): Disaster {
  let left = world.random.between(1, TOTAL);
  for (const [weight, disaster] of DISASTERS) {
    left -= weight;
    if (left <= 0) return disaster;
  }
  throw new RangeError('the weights do not add up');
}

function randomSides(world: World): readonly number[] {
  return world.nodes.map(() => world.random.between(0, 1));
}

function storm(world: World): void {
  const { random, interval } = world;
  world.lan.weather = {
    loss: random.pick([0, 0.1, 0.4]),
    duplication: random.pick([0, 0.2]),
    longestDelay: random.pick([300, Math.floor(interval / 3), interval]),
    reordering: random.chance(0.5),
  };
}

/** Numbers of both signs; with some weights a fault. */
function turnFile(world: World, node: SimNode): void {
  if (node.reality.has(FILE_CHECK)) node.turn(FILE_CHECK, world.random.pick([0, 0, 1, 7, -30, 60, 300, -300]));
}

function loseAddress(node: SimNode): void {
  if (node.host.process === 'running' && node.active) node.feed({ kind: 'addressLost' });
}

/** Another priority, or (version 3) another interval of at most four times the others'. */
function reconfigure(world: World, node: SimNode): void {
  const { random } = world;
  if (node.router.priority === 255) return;
  if (node.router.version === 3 && random.chance(0.5)) {
    const shortest = Math.min(...world.nodes.map(({ router }) => router.advertisementInterval));
    const advertisementInterval = Math.min(40_950_000, shortest * random.pick([1, 2, 4]));
    node.reconfigure({ ...node.router, advertisementInterval });
  } else {
    node.reconfigure({ ...node.router, priority: random.between(1, 254) });
  }
}
