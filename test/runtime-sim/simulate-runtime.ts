/**
 * One seed of the production election loop on virtual hosts: a start, chaos, calm and experiments in turn, and an end that
 * leaves nothing behind. Throws a RuntimeViolation.
 */
import { formatIp } from '../../proto/rules/ip.js';
import { calm, chaos } from './chaos.js';
import { experiment } from './experiments.js';
import { PRODUCTION, type Sabotage } from './sabotage.js';
import { World } from './world.js';

export function simulateRuntime(seed: number, log?: (line: string) => void, sabotage: Sabotage = PRODUCTION): void {
  const world = new World(seed, sabotage, log);
  for (const host of world.hosts) {
    host.start();
    world.run(world.random.between(0, world.interval));
  }
  world.settle();
  for (let round = 0; round < 2; round++) {
    for (let count = 0; count < 2; count++) {
      if (experiment(world)) world.settle();
    }
    chaos(world);
    calm(world);
    world.settle();
  }
  experiment(world);
  end(world);
}

/** Everybody stops, and every host is as it was before. */
function end(world: World): void {
  world.log('end');
  world.calmWeather();
  world.partition(undefined);
  for (const host of world.hosts) {
    host.kernel.refusal = undefined;
    host.resume();
  }
  world.run(1_000_000);
  for (const host of world.hosts) host.stop(world.random.chance(0.5));
  world.run(2 * world.longestDown + 1_000_000);
  world.run(world.longestLease);
  for (const host of world.hosts) {
    const { kernel, label, place } = host;
    if (host.process !== undefined) world.violate('stop', `${label} does not come to an end`);
    if (kernel.listeners.size !== 1) world.violate('leak', `${label} is still watched`);
    for (const device of world.plan.devices) kernel.makeLink(device);
    kernel.restoreOwn();
    const own = new Set(world.plan.hosts[place.number]?.map(({ address }) => address));
    const left = kernel.addresses.filter(({ address }) => !own.has(address));
    // Without leases a process that was killed leaves its addresses for ever: decision 0002.
    const isLeased = world.plan.routers.every(({ leased }) => leased);
    if (isLeased && left.length > 0) {
      world.violate('I-4', `${label} keeps ${left.map(({ address }) => formatIp(address)).join(' ')}`);
    }
    if (isLeased && kernel.filtered.size > 0 && left.length > 0) {
      world.violate('I-4', `${label} still drops traffic to ${[...kernel.filtered].join(' ')}`);
    }
  }
}
