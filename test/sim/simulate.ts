/**
 * One schedule: hosts start, everything settles, then experiments and disasters in turn. Throws a Violation. Parts of a
 * schedule run as well, and mean the same.
 */
import { type Core, PRODUCTION_CORE } from './core.js';
import { recover, strike } from './disasters.js';
import { experiment } from './experiments.js';
import { derivedSeed } from './random.js';
import { type Decision, type Schedule, scheduleOf } from './schedule.js';
import { World } from './world.js';

/** What of a schedule is run; absent, all. Everything goes by its number. */
export interface Part {
  readonly decisions?: ReadonlySet<number>;
  readonly hosts?: ReadonlySet<number>;
  readonly units?: ReadonlySet<number>;
}

export interface Options {
  readonly core?: Core;
  /** Gets the story, line by line. */
  readonly log?: ((line: string) => void) | undefined;
  readonly part?: Part;
  /** Name of the seeded bug, for the command that runs it again. */
  readonly bug?: string | undefined;
}

/** Not any decision's own. */
const NOISE_PART = 1_000_000;

export function simulate(seed: number, options: Options = {}): void {
  run(scheduleOf(seed), options);
}

export function run(schedule: Schedule, options: Options = {}): void {
  const { seed } = schedule;
  const { core = PRODUCTION_CORE, log, part = {}, bug } = options;
  const replay = replayCommand(seed, part, bug);
  const world = new World(schedule.world, {
    seed,
    core,
    replay,
    log,
    ...(part.hosts && { hosts: part.hosts }),
    ...(part.units && { units: part.units }),
  });
  for (const [number, host] of world.hosts) {
    host.start();
    world.run(schedule.boots[number] ?? 0);
  }
  world.settle();
  let isCalm = true;
  const calmDown = (): void => {
    if (isCalm) return;
    world.calm();
    world.settle();
    isCalm = true;
  };
  for (const [number, decision] of schedule.decisions.entries()) {
    if (part.decisions !== undefined && !part.decisions.has(number)) continue;
    world.random.reseed(derivedSeed(seed, NOISE_PART + number));
    if (world.isTraced) world.log(`decision ${number}: ${describe(decision)}`);
    switch (decision.kind) {
      case 'disaster':
        isCalm = false;
        strike(world, decision.disaster);
        world.run(decision.after);
        break;
      case 'calm':
        recover(world, decision);
        world.settle();
        isCalm = true;
        break;
      case 'experiment': {
        calmDown();
        const unit = world.units.get(decision.unit);
        if (unit !== undefined) experiment(world, unit, decision.which);
        break;
      }
      default:
        throw new TypeError(`unknown decision ${JSON.stringify(decision satisfies never)}`);
    }
  }
  calmDown();
}

/** The command line that runs this again and prints its story. */
export function replayCommand(seed: number, { decisions, hosts, units }: Part, bug?: string): string {
  const list = (name: string, numbers: ReadonlySet<number> | undefined): string =>
    numbers === undefined ? '' : ` --${name} ${numbers.size === 0 ? 'none' : [...numbers].join(',')}`;
  const parts = `${list('keep', decisions)}${list('hosts', hosts)}${list('units', units)}`;
  return `node dist/test/sim/replay.js ${seed}${parts}${bug === undefined ? '' : ` --bug '${bug}'`}`;
}

function describe(decision: Decision): string {
  const { kind, ...rest } = decision.kind === 'disaster' ? decision.disaster : decision;
  const words = Object.entries(rest).map(([key, value]) => `${key} ${JSON.stringify(value)}`);
  return [kind, ...words].join(', ');
}
