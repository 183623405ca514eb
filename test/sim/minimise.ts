/**
 * Makes a schedule that fails smaller: decisions, hosts and units are left out for as long as the same thing does not
 * hold (Zeller's delta debugging, then one by one). What remains is 1-minimal: without any one decision of it nothing, or
 * something else, fails.
 */
import type { Core } from './core.js';
import { scheduleOf } from './schedule.js';
import { type Part, run } from './simulate.js';
import { Violation } from './violation.js';

export interface Failure {
  readonly seed: number;
  /** What did not hold; of an exception that is no violation, its name. */
  readonly invariant: string;
  readonly message: string;
}

export interface Minimal extends Failure {
  readonly part: Required<Part>;
  /** Whether nothing more could be left out; else the time was over. */
  readonly isMinimal: boolean;
  readonly runs: number;
}

export interface Suspect {
  /** Made anew for every run: a broken core may remember something. */
  readonly core: () => Core;
  readonly bug?: string;
}

/** What is wrong with (a part of) a schedule, if anything is. */
export function failureOf(seed: number, { core, bug }: Suspect, part: Part = {}): Failure | undefined {
  try {
    run(scheduleOf(seed), { core: core(), part, bug });
    return undefined;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const invariant = error instanceof Violation ? error.invariant : error.name;
    return { seed, invariant, message: error instanceof Violation ? error.message : (error.stack ?? error.message) };
  }
}

/**
 * @param isOver asked before every run: whether to be content with what there is
 * @returns undefined if the whole schedule does not fail
 */
export function minimise(seed: number, suspect: Suspect, isOver: () => boolean): Minimal | undefined {
  const schedule = scheduleOf(seed);
  const whole = failureOf(seed, suspect);
  if (whole === undefined) return undefined;
  const search = new Search(suspect, whole, isOver, {
    decisions: range(schedule.decisions.length),
    hosts: range(schedule.world.hosts),
    units: range(schedule.world.units.length),
  });
  search.shorten();
  // Each of them makes the others smaller.
  for (let size = Number.POSITIVE_INFINITY; search.size < size; ) {
    size = search.size;
    search.reduce('units');
    search.reduce('decisions');
    search.reduce('hosts');
  }
  return search.result();
}

type Kind = keyof Part;
type Kept = Readonly<Record<Kind, readonly number[]>>;

class Search {
  #kept: Kept;
  #failure: Failure;
  #runs = 0;
  #wasCut = false;
  readonly #suspect: Suspect;
  readonly #isOver: () => boolean;

  constructor(suspect: Suspect, failure: Failure, isOver: () => boolean, kept: Kept) {
    this.#suspect = suspect;
    this.#failure = failure;
    this.#isOver = isOver;
    this.#kept = kept;
  }

  get size(): number {
    return this.#kept.decisions.length + this.#kept.hosts.length + this.#kept.units.length;
  }

  result(): Minimal {
    return { ...this.#failure, part: partOf(this.#kept), isMinimal: !this.#wasCut, runs: this.#runs };
  }

  /** Whatever comes after the failure: by halves, to the shortest beginning that fails. */
  shorten(): void {
    const all = this.#kept.decisions;
    let [fits, tooFew] = [all.length, -1];
    while (fits - tooFew > 1) {
      const middle = Math.floor((fits + tooFew) / 2);
      if (this.#try({ ...this.#kept, decisions: all.slice(0, middle) })) fits = middle;
      else tooFew = middle;
    }
  }

  /** Leaves out parts of the list, halves at first, single ones in the end, until none can be left out. */
  reduce(kind: Kind): void {
    let size = Math.ceil(this.#kept[kind].length / 2);
    while (size > 0) {
      let isSmaller = false;
      for (let start = 0; start < this.#kept[kind].length; ) {
        const list = this.#kept[kind];
        const rest = [...list.slice(0, start), ...list.slice(start + size)];
        if (this.#try({ ...this.#kept, [kind]: rest })) isSmaller = true;
        else start += size;
      }
      if (size > 1) size = Math.ceil(size / 2);
      else if (!isSmaller) size = 0;
    }
  }

  /** Whether it fails in the same way; if so, it is what is kept. */
  #try(kept: Kept): boolean {
    if (this.#isOver()) {
      this.#wasCut = true;
      return false;
    }
    this.#runs += 1;
    const failure = failureOf(this.#failure.seed, this.#suspect, partOf(kept));
    if (failure?.invariant !== this.#failure.invariant) return false;
    this.#kept = kept;
    this.#failure = failure;
    return true;
  }
}

function partOf({ decisions, hosts, units }: Kept): Required<Part> {
  return { decisions: new Set(decisions), hosts: new Set(hosts), units: new Set(units) };
}

function range(length: number): readonly number[] {
  return Array.from({ length }, (_, index) => index);
}
