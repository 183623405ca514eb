/**
 * A whole run: hosts, LANs, the units that run on them, a clock, the log, and the report of what does not hold. What
 * happens in it is decided in disasters.ts and in the experiments.
 */
import type { Instant, Micros } from '../../agent/vrrp/index.js';
import { formatIp } from '../../proto/rules/ip.js';
import type { Core } from './core.js';
import { SHORTEST_SLEEP, SimHost } from './host.js';
import { CALM, Lan } from './lan.js';
import { SimNode } from './node.js';
import { derivedSeed, Random } from './random.js';
import type { Surroundings, Transitioned } from './surroundings.js';
import { Team } from './team.js';
import { Timeline } from './timeline.js';
import { Unit } from './unit.js';
import { Violation } from './violation.js';
import type { UnitSpec, WorldSpec } from './world-spec.js';

export interface Transition {
  readonly at: Instant;
  readonly node: SimNode;
  readonly to: string;
}

/** How a world is run. */
export interface Run {
  readonly seed: number;
  readonly core: Core;
  /** The command that does it again. */
  readonly replay: string;
  /** Which hosts and units there are, by their numbers; absent, all. */
  readonly hosts?: ReadonlySet<number>;
  readonly units?: ReadonlySet<number>;
  readonly log?: ((line: string) => void) | undefined;
}

interface Guard {
  readonly invariant: string;
  readonly why: string;
  readonly nodes: ReadonlySet<SimNode> | undefined;
}

/** Wall clocks of hosts, microseconds since 1970, before anybody sets them. */
const WALL: Instant = 1_700_000_000_000_000;
/** Noise of the run itself, apart from every decision's own. */
const BOOT_PART = -1;

export class World implements Surroundings {
  readonly core: Core;
  readonly timeline = new Timeline();
  /** What nobody decides: delays, losses, the lag of timers. Begun anew with every decision. */
  readonly random: Random;
  readonly announcementsHeard: boolean;
  readonly lans: readonly Lan[];
  /** By number; there may be gaps. */
  readonly hosts: ReadonlyMap<number, SimHost>;
  readonly units: ReadonlyMap<number, Unit>;
  readonly nodes: readonly SimNode[];
  /** Since the last call of `expectNothing` or `forgetTransitions`. */
  transitions: Transition[] = [];
  /** Which side of a partition each host is on; all zero without one. */
  sides: readonly number[];
  /** While set, a transition of these nodes is a violation. */
  #nothing: Guard | undefined;
  /** While set, somebody of these has to hold the addresses at every moment. */
  #held: readonly (readonly SimNode[])[] = [];
  readonly #run: Run;

  constructor(spec: WorldSpec, run: Run) {
    this.#run = run;
    this.core = run.core;
    this.random = new Random(derivedSeed(run.seed, BOOT_PART));
    this.announcementsHeard = spec.announcementsHeard;
    this.lans = Array.from({ length: spec.lans }, () => new Lan(this.timeline, this.random));
    const hosts = Array.from({ length: spec.hosts }, (_, index) => index).filter(
      (host) => run.hosts?.has(host) ?? true,
    );
    this.hosts = new Map(hosts.map((index) => [index, new SimHost(this, `host ${index}`, WALL)]));
    this.sides = Array.from({ length: spec.hosts }, () => 0);
    const units = [...spec.units.entries()].filter(([index]) => run.units?.has(index) ?? true);
    this.units = new Map(
      units
        .map(([index, unit]) => [index, this.#unit(index, unit)] as const)
        .filter(([, { teams }]) => teams.length > 0),
    );
    this.nodes = [...this.units.values()].flatMap(({ nodes }) => nodes);
    if (this.isTraced) this.#describe();
  }

  #unit(index: number, { isGroup, lans: numbers, teams }: UnitSpec): Unit {
    const lans = numbers.flatMap((number) => this.lans[number] ?? []);
    const made = teams.flatMap(({ host: number, group, members }) => {
      const host = this.hosts.get(number);
      if (host === undefined) return [];
      const team = new Team(this, host, `host ${number} unit ${index}`, group);
      for (const [place, { source, router }] of members.entries()) {
        const lan = lans[place];
        if (lan === undefined) throw new RangeError('every member has a LAN');
        const label = `host ${number} ${router.name}`;
        new SimNode({ world: this, team, lan, port: number, label, source }, router);
      }
      return [team];
    });
    return new Unit(`unit ${index}`, isGroup, lans, made);
  }

  #describe(): void {
    for (const { label, source, router, team, lan } of this.nodes) {
      const tracks = router.tracks.map(({ id, weight, reverse }) => `${id} ${weight}${reverse ? ' reversed' : ''}`);
      this.log(
        `${label}: ${formatIp(source)} on LAN ${this.lans.indexOf(lan)}, version ${router.version}, ` +
          `priority ${router.priority}, interval ${router.advertisementInterval} us, ` +
          `${router.downTimerAdvertisements} may be missed, preempt ${router.preemptMode} after ` +
          `${router.preemptDelay} us, ${tracks.join(', ')}, leased ${router.leased}, ` +
          `probe ${router.duplicateProbe}${team.group ? `, in ${team.group.name} (${team.group.policy})` : ''}`,
      );
    }
  }

  get isTraced(): boolean {
    return this.#run.log !== undefined;
  }

  log(line: string): void {
    this.#run.log?.(`${(this.timeline.now / 1e6).toFixed(6)} ${line}`);
  }

  trace(who: string, line: string): void {
    if (this.isTraced) this.log(`${who}: ${line}`);
  }

  violate(invariant: string, what: string): never {
    const violation = new Violation(invariant, what, this.timeline.now, this.#run.replay);
    this.log(violation.message);
    throw violation;
  }

  transitioned(node: SimNode, effect: Transitioned): void {
    const guard = this.#nothing;
    if (guard !== undefined && (guard.nodes?.has(node) ?? true)) {
      this.violate(guard.invariant, `${node.label} becomes ${effect.to} (${effect.reason.code}) ${guard.why}`);
    }
    this.transitions.push({ at: this.timeline.now, node, to: effect.to });
  }

  letGo(node: SimNode): void {
    for (const holders of this.#held) {
      // Whatever else happens at this instant may put it right.
      if (holders.includes(node)) this.timeline.after(0, () => this.#checkHeld(holders));
    }
  }

  #checkHeld(holders: readonly SimNode[]): void {
    if (!this.#held.includes(holders) || holders.some((node) => node.holds)) return;
    this.violate('P8', `none of ${holders.map(({ label }) => label).join(', ')} holds the addresses`);
  }

  /** Whether another host that it hears, and that hears it, answers for its addresses. */
  isAnswered(asking: SimNode): boolean {
    const { lan, port, router } = asking;
    return this.nodes.some(
      (node) =>
        node !== asking &&
        node.router.vrid === router.vrid &&
        node.holds &&
        !node.host.isAsleep &&
        lan.hears(node.port, port) &&
        lan.hears(port, node.port),
    );
  }

  /** The longest advertisement interval of all. */
  get interval(): Micros {
    return Math.max(0, ...[...this.units.values()].map(({ interval }) => interval));
  }

  run(span: Micros): void {
    this.timeline.runUntil(this.timeline.now + span);
  }

  /** Any transition (of these nodes) during the action is a violation. */
  expectNothing(why: string, action: () => void, nodes?: readonly SimNode[], invariant = 'I-7'): void {
    this.#nothing = { invariant, why, nodes: nodes && new Set(nodes) };
    action();
    this.#nothing = undefined;
    this.transitions = [];
  }

  /** During the action there is somebody in each of the lists who holds the addresses. */
  withoutOutage(held: readonly (readonly SimNode[])[], action: () => void): void {
    this.#held = held;
    for (const holders of held) this.#checkHeld(holders);
    action();
    this.#held = [];
  }

  forgetTransitions(): void {
    this.transitions = [];
  }

  /** Splits all LANs alike by a side (0 or 1) per host, or heals them. */
  partition(sides: readonly number[] | undefined): void {
    this.sides = sides ?? this.sides.map(() => 0);
    for (const lan of this.lans) {
      if (sides === undefined) lan.heal();
      else lan.partition(new Set(sides.flatMap((side, port) => (side === 1 ? [port] : []))));
    }
  }

  /** Nothing goes wrong any more. */
  calm(): void {
    for (const lan of this.lans) lan.weather = CALM;
    this.partition(undefined);
    if ([...this.hosts.values()].some((host) => host.isAsleep)) this.run(SHORTEST_SLEEP);
    for (const host of this.hosts.values()) {
      host.wake();
      host.resume();
    }
    this.log('calm');
  }

  /** Lets everything settle, then checks it, and that it stays so for some intervals. */
  settle(): void {
    const units = [...this.units.values()];
    this.#settleDown(units);
    for (const unit of units) unit.checkSettled(this.sides, this);
    this.expectNothing('although nothing has happened', () => this.run(4 * this.interval));
    for (const unit of units) unit.checkSettled(this.sides, this);
  }

  /** For as long as it may take; shorter if nothing happens any more and everything is as it ought to be. */
  #settleDown(units: readonly Unit[]): void {
    const latest = this.timeline.now + Math.max(0, ...units.map(({ settleTime }) => settleTime));
    const quietTime = Math.max(0, ...units.map((unit) => unit.quietTime));
    for (let quiet = this.timeline.now + quietTime; quiet < latest; ) {
      this.timeline.runUntil(quiet);
      const last = this.transitions.at(-1)?.at ?? 0;
      if (last + quietTime > this.timeline.now) quiet = last + quietTime;
      else if (units.every((unit) => unit.isSettled(this.sides))) return;
      else break;
    }
    this.timeline.runUntil(latest);
  }
}
