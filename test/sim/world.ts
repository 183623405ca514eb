/**
 * A whole run: a LAN, its hosts, the log, and what must hold between hosts once nothing disturbs them. What happens in
 * it is decided in chaos.ts and experiments.ts.
 */
import type { Effect, Instant, Micros } from '../../agent/vrrp/index.js';
import { formatIp } from '../../proto/rules/ip.js';
import { randomCluster } from './cluster.js';
import { Lan } from './lan.js';
import { type Core, FIRST_RESULT, SimNode, type Surroundings } from './node.js';
import { Random } from './random.js';
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

export class World implements Surroundings {
  readonly seed: number;
  readonly core: Core;
  readonly random: Random;
  readonly timeline = new Timeline();
  readonly lan: Lan;
  readonly nodes: readonly SimNode[];
  readonly announcementsHeard: boolean;
  /** Since the last call of `expectNothing` or `forgetTransitions`. */
  transitions: Transition[] = [];
  /** While set, any transition is a violation (I-7): nothing has happened that could cause one. */
  #nothingExpected: string | undefined;
  readonly #log: ((line: string) => void) | undefined;
  /** Which side of a partition each port is on; all zero without one. */
  #sides: readonly number[];

  constructor(seed: number, core: Core, log?: (line: string) => void) {
    this.seed = seed;
    this.core = core;
    this.#log = log;
    this.random = new Random(seed);
    this.announcementsHeard = this.random.chance(0.8);
    this.lan = new Lan(this.timeline, this.random);
    this.nodes = randomCluster(this.random).map(({ source, router }, port) => new SimNode(this, port, source, router));
    this.#sides = this.nodes.map(() => 0);
    for (const { port, source, router } of this.nodes) {
      this.log(
        `node ${port}: ${formatIp(source)}, version ${router.version}, priority ${router.priority}, ` +
          `interval ${router.advertisementInterval} us, preempt ${router.preemptMode} after ${router.preemptDelay} us, ` +
          `weight ${router.tracks[1]?.weight}${router.tracks[1]?.reverse ? ' reversed' : ''}, leased ${router.leased}`,
      );
    }
  }

  log(line: string): void {
    this.#log?.(`${(this.timeline.now / 1e6).toFixed(6)} ${line}`);
  }

  trace(node: SimNode, line: string): void {
    if (this.#log) this.log(`node ${node.port}: ${line}`);
  }

  violate(invariant: string, what: string): never {
    const violation = new Violation(invariant, what, this.seed, this.timeline.now);
    this.log(violation.message);
    throw violation;
  }

  transitioned(node: SimNode, effect: Extract<Effect, { readonly kind: 'transitioned' }>): void {
    if (this.#nothingExpected !== undefined) {
      this.violate('I-7', `node ${node.port} becomes ${effect.to} (${effect.reason.code}) ${this.#nothingExpected}`);
    }
    this.transitions.push({ at: this.timeline.now, node, to: effect.to, cause: effect.reason.code });
  }

  get interval(): Micros {
    return Math.max(...this.nodes.map(({ router }) => router.advertisementInterval));
  }

  /** The longest Active_Down_Interval that any member can have, by the formula at priority 1. */
  get longestDown(): Micros {
    return 3 * this.interval + this.longestSkew;
  }

  get longestSkew(): Micros {
    return this.nodes[0]?.router.version === 2 ? 1_000_000 : this.interval;
  }

  get longestLease(): Micros {
    return Math.max(2_000_000, this.longestDown);
  }

  get preempt(): boolean {
    return this.nodes.every(({ router }) => router.preemptMode);
  }

  get preemptDelay(): Micros {
    return Math.max(...this.nodes.map(({ router }) => router.preemptDelay));
  }

  /** By when everything must be as it ought to be, from when nothing disturbs any more (I-2: two down intervals). */
  get settleTime(): Micros {
    const election = 2 * this.longestDown + this.interval;
    const delay = this.preemptDelay > 0 ? this.preemptDelay + this.longestDown : 0;
    return Math.max(election, this.longestLease + 1_000_000) + delay + FIRST_RESULT + SLACK;
  }

  run(span: Micros): void {
    this.timeline.runUntil(this.timeline.now + span);
  }

  /** Splits the LAN by a side (0 or 1) per port, or heals it. */
  partition(sides: readonly number[] | undefined): void {
    this.#sides = sides ?? this.nodes.map(() => 0);
    if (sides === undefined) this.lan.heal();
    else this.lan.partition(new Set(sides.flatMap((side, port) => (side === 1 ? [port] : []))));
  }

  /** The nodes that hear each other. */
  components(): readonly (readonly SimNode[])[] {
    return [0, 1]
      .map((side) => this.nodes.filter(({ port }) => this.#sides[port] === side))
      .filter((component) => component.length > 0);
  }

  /** Lets everything settle, then checks it, and that it stays so for some intervals. */
  settle(): void {
    this.run(this.settleTime);
    this.checkSettled();
    this.expectNothing('although nothing has happened', () => this.run(5 * this.interval));
    this.checkSettled();
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

  checkSettled(): void {
    for (const component of this.components()) {
      const who = component.map(({ port }) => port).join(', ');
      const active = component.filter((node) => node.active);
      const ports = active.map(({ port }) => port).join(', ');
      if (active.length > 1) this.violate('I-1', `of the nodes ${who} all of ${ports} are active`);
      const best = bestOf(component.filter((node) => node.candidate));
      if (best && active.length === 0) this.violate('I-2', `none of the nodes ${who} is active`);
      // Equal priority does not preempt, whatever the address (RFC 9568 section 6.4.2).
      if (best && this.preempt && active[0]?.wantedPriority !== best.wantedPriority) {
        this.violate('I-3', `of the nodes ${who}, ${ports} is active instead of ${best.port}`);
      }
      const holders = component.filter((node) => node.holds && (node.router.leased || node.process !== 'dead'));
      const strangers = holders.filter((node) => !node.active);
      if (strangers.length > 0) {
        this.violate('I-4', `${strangers.map(({ port }) => port).join(', ')} hold the addresses without being active`);
      }
    }
  }
}

/** The one that ought to be active: of greatest priority; of equals any. */
function bestOf(nodes: readonly SimNode[]): SimNode | undefined {
  return [...nodes].sort((a, b) => b.wantedPriority - a.wantedPriority)[0];
}
