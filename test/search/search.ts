/**
 * Breadth first over everything that can happen, so that the first thing found wrong has a shortest story. Every state
 * reached is checked at once, and for what becomes of it when the faults stop.
 */
import { Calm } from './calm.js';
import { wrongAfterAll, wrongAtOnce } from './invariants.js';
import type { SearchedCore } from './node-machine.js';
import { INTERVAL, type Scenario } from './scenario.js';
import { type Event, SearchWorld, type WorldState } from './world.js';

export interface Found {
  readonly scenario: Scenario;
  readonly states: number;
  readonly transitions: number;
  /** Events on the longest of the shortest ways to a state. */
  readonly depth: number;
  /** Steps that the core was asked for; all others are the same again. */
  readonly asked: number;
  /** Quanta that something was wrong for at most after the faults had stopped. */
  readonly longestWrong: number;
  /** Quanta that it may be. */
  readonly bound: number;
  /** Absent: everything holds. */
  readonly counterexample?: Counterexample;
  /** There is more, which was not looked at. */
  readonly isCut: boolean;
}

export interface Counterexample {
  /** What does not hold. */
  readonly wrong: string;
  /** Events from the start on. */
  readonly trace: readonly (readonly string[])[];
  /** What happens then without any fault, if it is that what goes wrong. */
  readonly continuation: readonly (readonly string[])[];
}

export interface SearchOptions {
  readonly core: SearchedCore;
  /** States; beyond it the search gives up. */
  readonly most?: number;
  /** Called now and then. */
  readonly progress?: (states: number, depth: number) => void;
}

const MOST_STATES = 20_000_000;
const PROGRESS_EVERY = 100_000;
/** Lines of a continuation that nobody needs more of. */
const LONGEST_STORY = 200;

/** By then everything must be right: the longest down interval, and an advertisement interval. */
export function boundOf({ members, quantum }: Scenario): number {
  const downs = members.map(({ router }) => {
    const skew = ((256 - router.priority) * INTERVAL) / 256;
    return Math.ceil((router.downTimerAdvertisements * INTERVAL + skew) / quantum);
  });
  return Math.max(...downs) + INTERVAL / quantum;
}

export function search(scenario: Scenario, { core, most = MOST_STATES, progress }: SearchOptions): Found {
  const world = new SearchWorld(scenario, core);
  const calm = new Calm(scenario, world);
  const bound = boundOf(scenario);
  const first = world.keyOf(world.initial);
  const known = new Map<string, number>([[first, 0]]);
  const keys: string[] = [first];
  const parents: number[] = [-1];
  let transitions = 0;
  let depth = 0;
  let levelEnd = 1;
  let longestWrong = 0;
  const result = (rest: Pick<Found, 'isCut'> & { readonly counterexample?: Counterexample }): Found => ({
    scenario,
    states: keys.length,
    transitions,
    depth,
    asked: world.machines.reduce((sum, { asked }) => sum + asked, 0),
    longestWrong,
    bound,
    ...rest,
  });
  for (let at = 0; at < keys.length; at++) {
    if (at === levelEnd) {
      depth += 1;
      levelEnd = keys.length;
    }
    const key = keys[at] ?? '';
    const state = world.stateOf(key);
    const wrongFor = wrongAtOnce(scenario, world, state) === undefined ? calm.wrongFor(key) : Number.POSITIVE_INFINITY;
    longestWrong = Math.max(longestWrong, wrongFor);
    if (wrongFor > bound) {
      return result({ counterexample: storyOf(world, scenario, calm, ancestors(keys, parents, at)), isCut: false });
    }
    if (at > 0 && at % PROGRESS_EVERY === 0) progress?.(keys.length, depth);
    if (keys.length > most) return result({ isCut: true });
    for (const { to } of world.all(state)) {
      transitions += 1;
      const next = world.keyOf(to);
      if (known.has(next)) continue;
      known.set(next, keys.length);
      keys.push(next);
      parents.push(at);
    }
  }
  return result({ isCut: false });
}

/** Keys from the first state to this one. */
function ancestors(keys: readonly string[], parents: readonly number[], last: number): readonly string[] {
  const way: string[] = [];
  for (let at = last; at >= 0; at = parents[at] ?? -1) way.unshift(keys[at] ?? '');
  return way;
}

function storyOf(world: SearchWorld, scenario: Scenario, calm: Calm, way: readonly string[]): Counterexample {
  const trace: (readonly string[])[] = [];
  for (let at = 1; at < way.length; at++) {
    const event = world.all(world.stateOf(way[at - 1] ?? '')).find(({ to }) => world.keyOf(to) === way[at]);
    trace.push(event?.says() ?? []);
  }
  const last = way.at(-1) ?? '';
  const state = world.stateOf(last);
  const now = wrongAtOnce(scenario, world, state);
  if (now !== undefined) return { wrong: now, trace, continuation: [] };
  return { ...continued(world, scenario, calm, state), trace };
}

/** Without a fault, by the way on which it stays wrong longest. */
function continued(world: SearchWorld, scenario: Scenario, calm: Calm, from: WorldState) {
  const bound = boundOf(scenario);
  const continuation: (readonly string[])[] = [];
  let state = from;
  let passed = 0;
  let wrong: string | undefined;
  while (continuation.length < LONGEST_STORY) {
    const event = worst(world, calm, state);
    if (event.passes) {
      const now = wrongAfterAll(scenario, world, state);
      wrong = now ?? wrong;
      if (now !== undefined && passed >= bound) break;
      passed += 1;
    }
    continuation.push(event.says());
    state = event.to;
  }
  if (passed === 0) return { wrong: 'progress: the same happens again and again, and no time passes', continuation };
  return { wrong: `${wrong ?? 'something'}, ${passed} quanta after the last fault`, continuation };
}

function worst(world: SearchWorld, calm: Calm, state: WorldState): Event {
  const events = world.calm(state);
  const [first] = events;
  if (first === undefined) throw new RangeError('time does not pass');
  let found = first;
  let longest = -1;
  for (const event of events) {
    const wrongFor = calm.wrongFor(world.keyOf(event.to));
    if (wrongFor <= longest) continue;
    longest = wrongFor;
    found = event;
  }
  return found;
}
