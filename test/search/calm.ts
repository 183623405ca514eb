/**
 * For how long something is still wrong after the faults have stopped: over every order in which timers and deliveries
 * of one moment can come, the longest. Nodes that are paused or dead stay so.
 */
import { wrongAfterAll } from './invariants.js';
import type { Scenario } from './scenario.js';
import type { SearchWorld } from './world.js';

/** Still being looked at. */
const OPEN = -1;

interface Open {
  readonly key: string;
  /** It comes again although nothing has happened. */
  isRepeated: boolean;
}

export class Calm {
  /** Quanta until everything is right for ever, by state; Infinity: never. */
  readonly #known = new Map<string, number>();
  readonly #open: Open[] = [];

  constructor(
    private readonly scenario: Scenario,
    private readonly world: SearchWorld,
  ) {}

  get states(): number {
    return this.#known.size;
  }

  /** Quanta from this state until everything is right for ever; Infinity: it may go wrong again and again. */
  wrongFor(key: string): number {
    const known = this.#known.get(key);
    if (known !== undefined && known !== OPEN) return known;
    if (known === OPEN) return this.#repeated(key);
    this.#known.set(key, OPEN);
    const open: Open = { key, isRepeated: false };
    this.#open.push(open);
    const state = this.world.stateOf(key);
    let longest = 0;
    for (const { to, passes } of this.world.calm(state)) {
      const rest = this.wrongFor(this.world.keyOf(to));
      const isWrong = passes && wrongAfterAll(this.scenario, this.world, state) !== undefined;
      const here = passes && (rest > 0 || isWrong) ? rest + 1 : rest;
      if (here > longest) longest = here;
    }
    this.#open.pop();
    // What can come again and again and go wrong from there can go wrong at any time.
    const result = open.isRepeated && longest > 0 ? Number.POSITIVE_INFINITY : longest;
    this.#known.set(key, result);
    return result;
  }

  /** A circle: if it goes through anything wrong, there is no end to that. */
  #repeated(key: string): number {
    const start = this.#open.findIndex((each) => each.key === key);
    const circle = this.#open.slice(start);
    for (const each of circle) each.isRepeated = true;
    // Timers and deliveries that call each other forth for ever.
    if (!circle.some((each) => this.#passes(each.key))) return Number.POSITIVE_INFINITY;
    const isWrong = circle.some(
      (each) =>
        wrongAfterAll(this.scenario, this.world, this.world.stateOf(each.key)) !== undefined && this.#passes(each.key),
    );
    return isWrong ? Number.POSITIVE_INFINITY : 0;
  }

  #passes(key: string): boolean {
    return this.world.calm(this.world.stateOf(key)).some(({ passes }) => passes);
  }
}
