/** One seed: a cluster of routers or of sync groups, then chaos, calm and experiments in turn. Throws a Violation. */
import { nextDeadline, step, stepGroup } from '../../agent/vrrp/index.js';
import { calm, chaos } from './chaos.js';
import { experiment } from './experiments.js';
import { groupCalm, groupChaos, groupExperiment } from './group-experiments.js';
import { GroupWorld } from './group-world.js';
import type { Core } from './surroundings.js';
import { World } from './world.js';

export const PRODUCTION_CORE: Core = { step, nextDeadline, stepGroup };

/** Every fourth seed is of sync groups. */
export function simulate(seed: number, core: Core = PRODUCTION_CORE, log?: (line: string) => void): void {
  if (seed % 4 === 3) simulateGroups(seed, core, log);
  else simulateRouters(seed, core, log);
}

function simulateRouters(seed: number, core: Core, log?: (line: string) => void): void {
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

function simulateGroups(seed: number, core: Core, log?: (line: string) => void): void {
  const world = new GroupWorld(seed, core, log);
  for (const host of world.hosts) {
    host.start();
    world.run(world.random.between(0, world.interval));
  }
  world.settle();
  for (let round = 0; round < 2; round++) {
    for (let count = 0; count < 2; count++) groupExperiment(world);
    groupChaos(world);
    groupCalm(world);
    world.settle();
  }
  groupExperiment(world);
}
