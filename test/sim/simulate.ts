/** One seed: a cluster, then chaos, calm and experiments in turn. Throws a Violation. */
import { nextDeadline, step, stepGroup } from '../../agent/vrrp/index.js';
import { calm, chaos } from './chaos.js';
import { experiment } from './experiments.js';
import type { Core } from './surroundings.js';
import { World } from './world.js';

export const PRODUCTION_CORE: Core = { step, nextDeadline, stepGroup };

export function simulate(seed: number, core: Core = PRODUCTION_CORE, log?: (line: string) => void): void {
  const world = new World(seed, core, log);
  for (const node of world.nodes) {
    node.host.start();
    world.run(world.random.between(0, world.interval));
  }
  world.settle();
  for (let round = 0; round < 2; round++) {
    for (let count = 0; count < 3; count++) experiment(world);
    chaos(world);
    calm(world);
    world.settle();
  }
  experiment(world);
}
