/**
 * One seed of a cluster with its controller: production sessions, configuration and overview over connections that drop,
 * overlap and are slow. I-8: the generation in force never goes back, and the newest one gets everywhere. I-9: what the
 * controller shows is what is. Throws a RuntimeViolation.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { pino } from 'pino';
import { openStore } from '../../controller/store/database.js';
import { MemberState } from '../../proto/gen/baton/v1/status.js';
import type { Micros } from '../../proto/rules/time.js';
import { type AlarmCounts, Alarms } from './alarms.js';
import { randomSides } from './chaos.js';
import { KEEPALIVE } from './connection.js';
import { type AgentSpoils, ControlledAgent } from './controlled-agent.js';
import { Controller, nameOf } from './controller.js';
import type { SimHost } from './host.js';
import { changedPlan, FATAL, WEIGHTED } from './plan.js';
import { PRODUCTION } from './sabotage.js';
import { CALM } from './segment.js';
import { World } from './world.js';

/** Promises are carried on this often, and alarms looked at every so many times. */
const STEP: Micros = 25_000;
const STEPS_A_LOOK = 4;
const MOST_HOSTS = 3;
/** Both sides have noticed that a connection is gone, and the agent has dialled again, by then. */
const RECONNECTED: Micros = 2 * KEEPALIVE + 15_000_000;
/** What nobody announces is looked for this often. */
const LOOK: Micros = 11_000_000;

export interface ControlResult {
  readonly two: AlarmCounts;
  readonly none: AlarmCounts;
}

interface Cluster {
  readonly world: World;
  readonly controller: Controller;
  readonly agents: readonly ControlledAgent[];
  readonly alarms: Alarms;
}

type Disaster = (cluster: Cluster, host: SimHost, agent: ControlledAgent) => Promise<void> | void;

const DISASTERS: readonly (readonly [weight: number, disaster: Disaster])[] = [
  [4, (_cluster, _host, agent) => agent.connection?.cut()],
  [2, (_cluster, _host, agent) => slowDown(agent)],
  [3, ({ world }, _host, agent) => slowDisk(world, agent)],
  [6, (cluster) => apply(cluster)],
  [2, ({ controller }) => controller.stop()],
  [4, ({ controller }) => controller.start()],
  [2, (_cluster, host) => host.crash('process')],
  [5, (_cluster, host) => host.start()],
  [2, (_cluster, host) => host.pause()],
  [4, (_cluster, host) => host.resume()],
  [1, (_cluster, host) => host.stop(true)],
  [1, (_cluster, host) => host.suspend()],
  [2, (_cluster, host) => host.loseWorker()],
  [2, ({ world }, host) => host.turn(FATAL, world.random.chance(0.5) ? 'up' : 'down')],
  [2, ({ world }, host) => host.turn(WEIGHTED, world.random.chance(0.5) ? 'up' : 'down')],
  [2, ({ world }) => world.partition(randomSides(world))],
  [2, ({ world }) => world.partition(undefined)],
  [1, ({ world }) => storm(world)],
];

const TOTAL = DISASTERS.reduce((sum, [weight]) => sum + weight, 0);

export async function simulateControl(
  seed: number,
  write?: (line: string) => void,
  spoil: () => AgentSpoils = () => ({}),
): Promise<ControlResult> {
  const directory = mkdtempSync(path.join(tmpdir(), 'baton-runtime-sim-'));
  const store = await openStore(directory);
  const log = pino({ level: 'silent' });
  const world = new World(seed, PRODUCTION, write, MOST_HOSTS);
  world.isControlled = true;
  const controller = new Controller(store, world.timeline, world.random, log);
  const agents = world.hosts.map((host) => agentOf(host, controller, log, spoil()));
  const cluster: Cluster = { world, controller, agents, alarms: new Alarms(world, controller, agents) };
  try {
    await controller.open(world.plan);
    for (const host of world.hosts) host.start();
    await settle(cluster);
    for (let round = 0; round < 2; round++) {
      await split(cluster);
      await alone(cluster);
      await overlap(cluster);
      await chaos(cluster);
      await calm(cluster);
      await settle(cluster);
    }
    for (const host of world.hosts) host.crash('process');
    await run(cluster, STEP);
    const { two, none } = cluster.alarms.counts;
    return { two, none };
  } finally {
    await controller.stop();
    await store.destroy();
    rmSync(directory, { recursive: true, force: true });
  }
}

function agentOf(host: SimHost, controller: Controller, log: pino.Logger, spoil: AgentSpoils): ControlledAgent {
  let newest = 0;
  const agent = new ControlledAgent({
    host,
    log,
    spoil,
    dial: () => controller.dial(host.place.number),
    planOf: (hash) => controller.plans.get(hash),
    applied: ({ identity: { generation } }) => {
      host.place.trace(host.label, `generation ${generation} is in force`);
      if (generation < newest) {
        host.place.note('I-8', `${host.label} goes back from generation ${newest} to ${generation}`);
      }
      newest = generation;
    },
  });
  host.worker = agent;
  return agent;
}

async function run({ world, alarms }: Cluster, span: Micros): Promise<void> {
  const until = world.timeline.now + span;
  let steps = 0;
  while (world.timeline.now < until) {
    world.run(Math.min(STEP, until - world.timeline.now));
    await turn();
    for (const host of world.hosts) host.place.rethrow();
    steps += 1;
    if (steps % STEPS_A_LOOK === 0) alarms.sample();
  }
}

async function apply({ world, controller }: Cluster): Promise<void> {
  world.plan = changedPlan(world.random, world.plan);
  world.log(`generation ${world.plan.generation}`);
  await controller.apply(world.plan);
}

function slowDown({ connection }: ControlledAgent): void {
  if (connection !== undefined) connection.longestDelay = 4_000_000;
}

function slowDisk({ random }: World, agent: ControlledAgent): void {
  agent.slowestWriteMs = random.pick([20, 3_000, 20_000]);
}

function storm(world: World): void {
  const { random } = world;
  const segment = random.pick([...world.segments.values()]);
  segment.weather = { ...CALM, loss: random.pick([0.1, 0.3]), longestDelay: random.pick([300, 50_000]) };
}

async function chaos(cluster: Cluster): Promise<void> {
  const { world, agents, alarms } = cluster;
  const { random } = world;
  world.log('chaos');
  const count = random.between(5, 20);
  for (let index = 0; index < count; index++) {
    const host = random.pick(world.hosts);
    const agent = agents[host.place.number];
    alarms.disturbedAt = world.timeline.now;
    if (agent !== undefined) await disasterOf(world)(cluster, host, agent);
    await run(cluster, random.between(0, random.pick([200_000, 3_000_000])));
  }
  alarms.disturbedAt = world.timeline.now;
}

async function calm(cluster: Cluster): Promise<void> {
  const { world, controller, agents } = cluster;
  world.calmWeather();
  world.partition(undefined);
  await controller.start();
  for (const agent of agents) {
    agent.slowestWriteMs = 20;
    if (agent.connection !== undefined) agent.connection.longestDelay = 20_000;
  }
  for (const host of world.hosts) {
    host.resume();
    host.start();
    host.turn(FATAL, 'up');
  }
  await run(cluster, world.longestDown + 3_000_000);
  for (const host of world.hosts) host.start();
  world.log('calm');
}

/** The network between the hosts breaks and the way to the controller does not: it must be told of, and of its end. */
async function split(cluster: Cluster): Promise<void> {
  const { world, alarms } = cluster;
  world.partition(world.hosts.map((_, index) => index % 2));
  await run(cluster, 2 * world.longestDown + 2_000_000);
  world.partition(undefined);
  await run(cluster, world.settleTime);
  if (alarms.present.length > 0) world.violate('I-9', `after a split there still is: ${alarms.present.join('; ')}`);
}

/** A host that starts while the controller is away runs what it ran. */
async function alone(cluster: Cluster): Promise<void> {
  const { world, controller, agents, alarms } = cluster;
  const host = world.random.pick(world.hosts);
  const agent = agents[host.place.number];
  const before = agent?.configuration?.inForce?.identity.hash;
  alarms.disturbedAt = world.timeline.now;
  await controller.stop();
  host.crash('process');
  await run(cluster, world.random.between(100_000, 2_000_000));
  host.start();
  await run(cluster, 2_000_000);
  const now = agent?.configuration?.inForce?.identity.hash;
  if (now !== before) world.violate('P1', `${host.label} starts without a controller and has not what it had`);
  await controller.start();
}

/** A slow disk, and a connection that breaks while one configuration is being put in force and another one waits. */
async function overlap(cluster: Cluster): Promise<void> {
  const { world, agents, alarms } = cluster;
  const agent = world.random.pick(agents);
  const slow = 1_000 * world.random.between(3, 6);
  alarms.disturbedAt = world.timeline.now;
  agent.slowestWriteMs = slow;
  for (let count = 0; count < 3; count++) {
    await apply(cluster);
    await run(cluster, world.random.between(50_000, 500_000));
  }
  agent.connection?.cut(500_000);
  await run(cluster, world.random.between(0, 3_000_000));
  await apply(cluster);
  await run(cluster, 4 * 1_000 * slow);
  agent.slowestWriteMs = 20;
}

async function settle(cluster: Cluster): Promise<void> {
  const { world, controller, agents, alarms } = cluster;
  await run(cluster, Math.max(world.settleTime, RECONNECTED + LOOK));
  for (const host of world.hosts) {
    const { number } = host.place;
    const hash = agents[number]?.configuration?.inForce?.identity.hash;
    if (hash !== controller.wantedOf(number)) {
      world.violate(
        'I-8',
        `${host.label} runs ${hash?.slice(0, 8)}, and ${controller.wantedOf(number)?.slice(0, 8)} is wanted`,
      );
    }
  }
  world.checkSettled();
  for (const host of world.hosts) checkView(cluster, host);
  if (alarms.present.length > 0) world.violate('I-9', `in the calm there is: ${alarms.present.join('; ')}`);
}

/** What the controller knows of the host is what the host is. */
function checkView({ world, controller }: Cluster, host: SimHost): void {
  const view = controller.hub?.node(nameOf(host.place.number));
  if (view?.connected !== true) world.violate('I-9', `${host.label} runs and is not connected`);
  for (const router of world.plan.routers) {
    const seen = view?.status?.routers.find(({ name }) => name === router.name);
    const isActive = host.isActive(router.name);
    if ((seen?.state === MemberState.ACTIVE) !== isActive) {
      world.violate(
        'I-9',
        `${router.name} is ${isActive ? '' : 'not '}active on ${host.label}, and shown as ${seen?.state}`,
      );
    }
    const held = seen?.heldAddresses.length ?? 0;
    if (held > 0 !== host.holds(router)) {
      world.violate('I-9', `${host.label} is shown with ${held} addresses of ${router.name}, which is not so`);
    }
  }
}

function disasterOf(world: World): Disaster {
  let left = world.random.between(1, TOTAL);
  for (const [weight, disaster] of DISASTERS) {
    left -= weight;
    if (left <= 0) return disaster;
  }
  throw new RangeError('the weights do not add up');
}
