/** Everything that goes wrong on a network, its hosts and their kernels, at random. */
import { constants } from 'node:os';
import { forge, malformed } from './forgery.js';
import type { SimHost } from './host.js';
import type { Verb } from './kernel.js';
import { addressesOf, changedPlan, FATAL, WEIGHTED } from './plan.js';
import type { World } from './world.js';

type Disaster = (world: World, host: SimHost) => void;

const { EPERM, ENOBUFS, ENODEV } = constants.errno;

const DISASTERS: readonly (readonly [weight: number, disaster: Disaster])[] = [
  [3, (_world, host) => host.crash('process')],
  [2, (_world, host) => host.crash('host')],
  [8, (_world, host) => host.start()],
  [3, (_world, host) => host.pause()],
  [5, (_world, host) => host.resume()],
  [2, (_world, host) => host.stop(true)],
  [1, (_world, host) => host.stop(false)],
  [2, (_world, host) => host.suspend()],
  [2, (_world, host) => host.loseWorker()],
  [3, (world, host) => host.turn(FATAL, world.random.chance(0.6) ? 'up' : 'down')],
  [3, (world, host) => host.turn(WEIGHTED, world.random.chance(0.5) ? 'up' : 'down')],
  [2, (world, host) => loseAddress(world, host)],
  [1, (world, host) => loseOwnAddress(world, host)],
  [3, (world, host) => turnLink(world, host)],
  [2, (world, host) => remakeLink(world, host)],
  [3, (world, host) => refuse(world, host)],
  [1, (_world, host) => host.process?.breakSockets()],
  [2, (world, host) => stepClock(world, host)],
  [3, (world, host) => cut(world, host)],
  [1, (world) => world.partition(randomSides(world))],
  [3, (world) => world.partition(undefined)],
  [2, (world) => storm(world)],
  [2, (world) => forge(world, world.random.pick([0, 1, 100, 255]), world.random.pick([1, 4095]) * 10_000)],
  [2, (world) => malformed(world, 5)],
  [2, (world) => pushSomewhere(world)],
];

const TOTAL = DISASTERS.reduce((sum, [weight]) => sum + weight, 0);

/** Disasters, one after another, for some down intervals. */
export function chaos(world: World): void {
  const { random } = world;
  world.log('chaos');
  const count = random.between(5, 20);
  for (let index = 0; index < count; index++) {
    disasterOf(world)(world, random.pick(world.hosts));
    world.run(random.between(0, random.pick([world.interval, world.longestDown])));
  }
}

/** Nothing goes wrong any more: everybody runs the newest configuration, and perhaps a partition stays. */
export function calm(world: World): void {
  const { random, plan } = world;
  world.calmWeather();
  world.partition(random.chance(0.2) ? randomSides(world) : undefined);
  for (const host of world.hosts) {
    host.wallError = 0;
    host.kernel.refusal = undefined;
    for (const device of plan.devices) {
      host.kernel.makeLink(device);
      if (random.chance(0.8)) host.kernel.setLink(device, true);
    }
    host.kernel.restoreOwn();
    host.resume();
    if (random.chance(0.6)) host.start();
    if (random.chance(0.8)) host.turn(FATAL, 'up');
    host.push(plan);
  }
  // A planned stop and a worker that is coming are over by then.
  world.run(world.longestDown + 3_000_000);
  for (const host of world.hosts) host.push(plan);
  world.log('calm');
}

function disasterOf(world: World): Disaster {
  let left = world.random.between(1, TOTAL);
  for (const [weight, disaster] of DISASTERS) {
    left -= weight;
    if (left <= 0) return disaster;
  }
  throw new RangeError('the weights do not add up');
}

export function randomSides(world: World): readonly number[] {
  return world.hosts.map(() => world.random.between(0, 1));
}

function storm(world: World): void {
  const { random, interval } = world;
  const segment = random.pick([...world.segments.values()]);
  segment.weather = {
    loss: random.pick([0, 0.1, 0.4]),
    duplication: random.pick([0, 0.2]),
    longestDelay: random.pick([300, Math.floor(interval / 3), interval]),
    reordering: random.chance(0.5),
  };
  world.log(`weather: ${JSON.stringify(segment.weather)}`);
}

function cut(world: World, host: SimHost): void {
  const to = world.random.pick(world.hosts);
  world.log(`${to.label} does not hear ${host.label}`);
  world.random.pick([...world.segments.values()]).cut(host.place.number, to.place.number);
}

function loseAddress(world: World, host: SimHost): void {
  const address = world.random.pick(addressesOf(world.random.pick(world.plan.routers)));
  if (host.kernel.removeAddress(address)) world.log(`${host.label}: an address is removed by hand`);
}

function loseOwnAddress(world: World, host: SimHost): void {
  const own = world.random.pick(world.plan.hosts[host.place.number] ?? []);
  if (host.kernel.removeAddress(own.address)) world.log(`${host.label}: one of its own addresses is removed`);
}

function turnLink(world: World, host: SimHost): void {
  const device = world.random.pick(world.plan.devices);
  const isUp = world.random.chance(0.6);
  world.log(`${host.label}: ${device} is ${isUp ? 'up' : 'down'}`);
  host.kernel.setLink(device, isUp);
}

function remakeLink(world: World, host: SimHost): void {
  const device = world.random.pick(world.plan.devices);
  world.log(`${host.label}: ${device} is ${host.kernel.links.has(device) ? 'deleted' : 'made'}`);
  if (host.kernel.links.has(device)) host.kernel.removeLink(device);
  else host.kernel.makeLink(device);
}

function refuse(world: World, host: SimHost): void {
  const { random } = world;
  const verbs = random.pick<readonly Verb[]>([['add', 'renew'], ['renew'], ['add']]);
  const errno = random.pick([EPERM, ENOBUFS, ENODEV]);
  host.kernel.refusal = random.chance(0.5) ? undefined : { errno, verbs: new Set(verbs) };
  world.log(`${host.label}: netlink ${host.kernel.refusal ? `fails to ${verbs.join(' and ')} (${errno})` : 'works'}`);
}

function stepClock(world: World, host: SimHost): void {
  host.wallError = world.random.pick([0, 3_600_000, -3_600_000, 5_000, -86_400_000]);
  world.log(`${host.label}: wall clock off by ${host.wallError} ms`);
}

function pushSomewhere(world: World): void {
  world.plan = changedPlan(world.random, world.plan);
  world.log(`generation ${world.plan.generation}: ${JSON.stringify(world.plan.routers)}`);
  for (const host of world.hosts) if (world.random.chance(0.6)) host.push(world.plan);
}
