/** What every simulated world has: a clock, randomness, the log, and the report of what does not hold. */
import type { Instant, Micros } from '../../agent/vrrp/index.js';
import type { SimNode } from './node.js';
import { Random } from './random.js';
import type { Core, Surroundings, Transitioned } from './surroundings.js';
import { Timeline } from './timeline.js';

/** Something that must hold did not. */
export class Violation extends Error {
  readonly code = 'SIM_VIOLATION';
  readonly invariant: string;

  constructor(invariant: string, what: string, seed: number, at: Instant) {
    super(
      `${invariant}: ${what}, at ${(at / 1e6).toFixed(6)} s of seed ${seed}; replay: node dist/test/sim/replay.js ${seed}`,
    );
    this.name = 'Violation';
    this.invariant = invariant;
  }
}

export interface Transition {
  readonly at: Instant;
  readonly node: SimNode;
  readonly to: string;
  readonly cause: string;
}

/** Frames on their way and timers that are late: what a bound on a calm LAN must allow on top of the protocol's. */
export const SLACK: Micros = 5_000;

export abstract class Stage implements Surroundings {
  readonly seed: number;
  readonly core: Core;
  readonly random: Random;
  readonly timeline = new Timeline();
  readonly announcementsHeard: boolean;
  /** Since the last call of `expectNothing` or `forgetTransitions`. */
  transitions: Transition[] = [];
  abstract readonly nodes: readonly SimNode[];
  /** While set, any transition is a violation (I-7): nothing has happened that could cause one. */
  #nothingExpected: string | undefined;
  readonly #log: ((line: string) => void) | undefined;

  constructor(seed: number, core: Core, log?: (line: string) => void) {
    this.seed = seed;
    this.core = core;
    this.#log = log;
    this.random = new Random(seed);
    this.announcementsHeard = this.random.chance(0.8);
  }

  log(line: string): void {
    this.#log?.(`${(this.timeline.now / 1e6).toFixed(6)} ${line}`);
  }

  trace(who: string, line: string): void {
    if (this.#log) this.log(`${who}: ${line}`);
  }

  violate(invariant: string, what: string): never {
    const violation = new Violation(invariant, what, this.seed, this.timeline.now);
    this.log(violation.message);
    throw violation;
  }

  transitioned(node: SimNode, effect: Transitioned): void {
    if (this.#nothingExpected !== undefined) {
      this.violate('I-7', `${node.label} becomes ${effect.to} (${effect.reason.code}) ${this.#nothingExpected}`);
    }
    this.transitions.push({ at: this.timeline.now, node, to: effect.to, cause: effect.reason.code });
  }

  /** Whether another host that it hears, and that hears it, answers for its addresses. */
  isAnswered(asking: SimNode): boolean {
    const { lan, port } = asking;
    return this.nodes.some(
      (node) =>
        node !== asking && node.lan === lan && node.holds && lan.hears(node.port, port) && lan.hears(port, node.port),
    );
  }

  run(span: Micros): void {
    this.timeline.runUntil(this.timeline.now + span);
  }

  /** Any transition during the action is a violation. */
  expectNothing(why: string, action: () => void): void {
    this.#nothingExpected = why;
    action();
    this.#nothingExpected = undefined;
    this.transitions = [];
  }

  forgetTransitions(): void {
    this.transitions = [];
  }
}
