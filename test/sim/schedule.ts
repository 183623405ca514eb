/**
 * A schedule: what one seed does to one world, as data. Every decision is drawn from a stream of its own, so that without
 * one of them the others stay what they are, and a schedule that fails can be made smaller.
 */
import type { Micros, TrackState } from '../../agent/vrrp/index.js';
import { FATAL_CHECK, FILE_CHECK, WEIGHTED_CHECK } from './cluster.js';
import type { Weather } from './lan.js';
import { type Push, randomPush } from './push.js';
import { derivedSeed, Random } from './random.js';
import { randomWorld, type UnitSpec, type WorldSpec } from './world-spec.js';

/** Something that goes wrong, and how long until the next thing does. Hosts, LANs and units go by their numbers. */
export type Disaster =
  | { readonly kind: 'crash'; readonly host: number; readonly what: 'process' | 'host' }
  | { readonly kind: 'start' | 'pause' | 'resume' | 'suspend' | 'sleep' | 'wake'; readonly host: number }
  | { readonly kind: 'stop'; readonly host: number; readonly handover: boolean }
  | { readonly kind: 'clock'; readonly host: number; readonly by: Micros }
  | {
      readonly kind: 'turn';
      readonly host: number;
      readonly unit: number;
      /** Which of the unit's routers; absent, all of them. */
      readonly member?: number;
      readonly track: string;
      readonly state: TrackState;
    }
  | { readonly kind: 'lose address'; readonly host: number; readonly unit: number; readonly member: number }
  | { readonly kind: 'cut'; readonly lan: number; readonly from: number; readonly to: number }
  | { readonly kind: 'partition'; readonly sides: readonly number[] }
  | { readonly kind: 'heal' }
  | { readonly kind: 'weather'; readonly lan: number; readonly weather: Weather }
  | {
      readonly kind: 'forge';
      readonly unit: number;
      readonly member: number;
      readonly priority: number;
      /** In version 3. */
      readonly interval: Micros;
      /** From so many senders, one after another. */
      readonly senders: number;
      readonly sameAddresses: boolean;
    }
  | { readonly kind: 'push'; readonly unit: number; readonly push: Push }
  | { readonly kind: 'regroup'; readonly unit: number; readonly policy: 'all' | 'any' };

export type Decision =
  | { readonly kind: 'disaster'; readonly disaster: Disaster; readonly after: Micros }
  /** The end of the disasters: what is put right again, and whether a partition stays. */
  | {
      readonly kind: 'calm';
      readonly starts: readonly number[];
      readonly repairs: readonly number[];
      readonly sides: readonly number[] | undefined;
    }
  /** One thing done to a settled unit; `which` chooses among the experiments that there are for it. */
  | { readonly kind: 'experiment'; readonly unit: number; readonly which: number };

export interface Schedule {
  readonly seed: number;
  readonly world: WorldSpec;
  /** How long after the one before each host starts. */
  readonly boots: readonly Micros[];
  readonly decisions: readonly Decision[];
}

const ROUNDS = 2;
const WORLD_PART = 0;
const BOOTS_PART = 1;
const FIRST_DECISION_PART = 2;

/** The same for a seed on every machine. */
export function scheduleOf(seed: number): Schedule {
  const random = new Random(derivedSeed(seed, WORLD_PART));
  const world = randomWorld(random);
  const scope = scopeOf(world);
  const kinds: Decision['kind'][] = [];
  const experiments = (count: number) => {
    for (let index = 0; index < count; index++) kinds.push('experiment');
  };
  for (let round = 0; round < ROUNDS; round++) {
    experiments(random.between(2, 3));
    const disasters = random.between(5, 25);
    for (let index = 0; index < disasters; index++) kinds.push('disaster');
    kinds.push('calm');
  }
  experiments(1);
  const boots = new Random(derivedSeed(seed, BOOTS_PART));
  return {
    seed,
    world,
    boots: Array.from({ length: world.hosts }, () => boots.between(0, scope.interval)),
    decisions: kinds.map((kind, index) =>
      decide(kind, scope, new Random(derivedSeed(seed, FIRST_DECISION_PART + index))),
    ),
  };
}

/** What decisions are drawn with. */
interface Scope {
  readonly world: WorldSpec;
  readonly interval: Micros;
  readonly longestDown: Micros;
}

function scopeOf(world: WorldSpec): Scope {
  const routers = world.units.flatMap(({ teams }) =>
    teams.flatMap(({ members }) => members.map(({ router }) => router)),
  );
  const interval = Math.max(...routers.map(({ advertisementInterval }) => advertisementInterval));
  return { world, interval, longestDown: 4 * interval };
}

function decide(kind: Decision['kind'], scope: Scope, random: Random): Decision {
  const { world, interval, longestDown } = scope;
  const hosts = Array.from({ length: world.hosts }, (_, index) => index);
  switch (kind) {
    case 'experiment':
      return { kind, unit: random.between(0, world.units.length - 1), which: random.between(0, 1_000_000) };
    case 'calm':
      return {
        kind,
        starts: hosts.filter(() => random.chance(0.65)),
        repairs: hosts.filter(() => random.chance(0.8)),
        sides: random.chance(0.25) ? hosts.map(() => random.between(0, 1)) : undefined,
      };
    case 'disaster': {
      const disaster = weighted(random)(scope, random);
      return { kind, disaster, after: random.between(0, random.pick([interval, longestDown])) };
    }
    default:
      throw new TypeError(`unknown decision ${kind satisfies never}`);
  }
}

type Draw = (scope: Scope, random: Random) => Disaster;

const DRAWS: readonly (readonly [weight: number, draw: Draw])[] = [
  [3, (scope, random) => ({ kind: 'crash', host: anyHost(scope, random), what: 'process' })],
  [2, (scope, random) => ({ kind: 'crash', host: anyHost(scope, random), what: 'host' })],
  [8, (scope, random) => ({ kind: 'start', host: anyHost(scope, random) })],
  [3, (scope, random) => ({ kind: 'pause', host: anyHost(scope, random) })],
  [5, (scope, random) => ({ kind: 'resume', host: anyHost(scope, random) })],
  [1, (scope, random) => ({ kind: 'sleep', host: anyHost(scope, random) })],
  [3, (scope, random) => ({ kind: 'wake', host: anyHost(scope, random) })],
  [2, (scope, random) => ({ kind: 'stop', host: anyHost(scope, random), handover: true })],
  [1, (scope, random) => ({ kind: 'stop', host: anyHost(scope, random), handover: false })],
  [2, (scope, random) => ({ kind: 'suspend', host: anyHost(scope, random) })],
  [1, (scope, random) => ({ kind: 'clock', host: anyHost(scope, random), by: clockStep(random) })],
  [2, (scope, random) => ({ ...one(scope, random), kind: 'turn', track: FILE_CHECK, state: fileValue(random) })],
  [3, (scope, random) => ({ ...one(scope, random), kind: 'turn', track: FATAL_CHECK, state: upOr(0.6, random) })],
  [3, (scope, random) => ({ ...all(scope, random), kind: 'turn', track: WEIGHTED_CHECK, state: upOr(0.5, random) })],
  [1, (scope, random) => ({ ...one(scope, random), kind: 'lose address' })],
  [3, (scope, random) => cut(scope, random)],
  [1, (scope, random) => ({ kind: 'partition', sides: randomSides(scope, random) })],
  [3, () => ({ kind: 'heal' })],
  [2, (scope, random) => ({ kind: 'weather', lan: anyLan(scope, random), weather: storm(scope, random) })],
  [1, (scope, random) => forgery(scope, random)],
  [2, (scope, random) => push(scope, random)],
  [1, (scope, random) => ({ kind: 'regroup', unit: anyUnit(scope, random), policy: random.pick(['all', 'any']) })],
];

const TOTAL = DRAWS.reduce((sum, [weight]) => sum + weight, 0);

function weighted(random: Random): Draw {
  let left = random.between(1, TOTAL);
  for (const [weight, draw] of DRAWS) {
    left -= weight;
    if (left <= 0) return draw;
  }
  throw new RangeError('the weights do not add up');
}

function anyHost({ world }: Scope, random: Random): number {
  return random.between(0, world.hosts - 1);
}

function anyLan({ world }: Scope, random: Random): number {
  return random.between(0, world.lans - 1);
}

function anyUnit({ world }: Scope, random: Random): number {
  return random.between(0, world.units.length - 1);
}

function unitAt({ world }: Scope, unit: number): UnitSpec {
  const found = world.units[unit];
  if (found === undefined) throw new RangeError(`no unit ${unit}`);
  return found;
}

/** All members of a unit on a host that has it. */
function all(scope: Scope, random: Random): { readonly host: number; readonly unit: number } {
  const unit = anyUnit(scope, random);
  return { host: random.pick(unitAt(scope, unit).teams).host, unit };
}

function one(scope: Scope, random: Random): { readonly host: number; readonly unit: number; readonly member: number } {
  const { host, unit } = all(scope, random);
  return { host, unit, member: random.between(0, unitAt(scope, unit).lans.length - 1) };
}

function upOr(probability: number, random: Random): 'up' | 'down' {
  return random.chance(probability) ? 'up' : 'down';
}

/** Numbers of both signs; with some weights a fault. */
function fileValue(random: Random): number {
  return random.pick([0, 0, 1, 7, -30, 60, 300, -300]);
}

/** Forwards and back, from a slew to years. */
function clockStep(random: Random): Micros {
  const seconds = random.pick([0.05, 1, 30, 3_600, 400_000_000]);
  return Math.round((random.chance(0.5) ? -1 : 1) * seconds * 1e6);
}

function randomSides({ world }: Scope, random: Random): readonly number[] {
  return Array.from({ length: world.hosts }, () => random.between(0, 1));
}

/** In one direction only. */
function cut(scope: Scope, random: Random): Disaster {
  return { kind: 'cut', lan: anyLan(scope, random), from: anyHost(scope, random), to: anyHost(scope, random) };
}

function storm({ interval }: Scope, random: Random): Weather {
  return {
    loss: random.pick([0, 0.1, 0.4]),
    duplication: random.pick([0, 0.2]),
    longestDelay: random.pick([300, 5_000, Math.floor(interval / 3), interval]),
    reordering: random.chance(0.5),
  };
}

function forgery(scope: Scope, random: Random): Disaster {
  const unit = anyUnit(scope, random);
  return {
    kind: 'forge',
    unit,
    member: random.between(0, unitAt(scope, unit).lans.length - 1),
    priority: random.pick([0, 1, 100, 255]),
    interval: random.pick([10_000, 40_950_000]),
    senders: random.pick([1, 1, 1, 100]),
    sameAddresses: random.chance(0.7),
  };
}

function push(scope: Scope, random: Random): Disaster {
  const unit = anyUnit(scope, random);
  return { kind: 'push', unit, push: randomPush(unitAt(scope, unit), random) };
}
