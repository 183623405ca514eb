/**
 * A whole run: networks, hosts with the production election loop on each, and what must hold between the hosts once
 * nothing disturbs them. What happens in it is decided in chaos.ts and experiments.ts.
 */

import type { Occurrence } from '../../agent/runtime/messages.js';
import { renewInterval } from '../../agent/vrrp/timers.js';
import { DuplicateProbe } from '../../proto/gen/baton/v1/resources.js';
import { formatIp, parseIp } from '../../proto/rules/ip.js';
import type { Instant, Micros } from '../../proto/rules/time.js';
import { wantedPriority } from '../sim/oracle.js';
import { Random } from '../sim/random.js';
import { Timeline } from '../sim/timeline.js';
import { SimHost, WORKER_START } from './host.js';
import { LEASE_SLOWNESS } from './kernel.js';
import { addressesOf, type ClusterPlan, FATAL, type RouterPlan, randomPlan, routerOf, settingsFor } from './plan.js';
import type { Sabotage } from './sabotage.js';
import { CALM, Segment } from './segment.js';
import { RuntimeViolation } from './violation.js';

/** Frames on their way and timers that are late: what a bound on a calm network must allow on top of the protocol's. */
export const SLACK: Micros = 6_000;
/** What could not be opened is tried again this often. */
const RETRY: Micros = 1_000_000;
const PROBE_TIME: Micros = 300_000;
const MOST_HOSTS = 7;

export interface Transition {
  readonly at: Instant;
  readonly host: SimHost;
  readonly router: string;
  readonly to: string;
  readonly cause: string;
}

export class World {
  readonly timeline = new Timeline();
  readonly random: Random;
  readonly segments: ReadonlyMap<string, Segment>;
  readonly hosts: readonly SimHost[];
  /** What everybody is to run in the end. */
  plan: ClusterPlan;
  /** Bundles come from a controller, which pushes only what has changed for a host. */
  isControlled = false;
  /** Since the last call of `expectNothing` or `forgetTransitions`. */
  transitions: Transition[] = [];
  #sides: readonly number[];
  /** While set, any transition is a violation (I-7): nothing has happened that could cause one. */
  #nothingExpected: string | undefined;
  #violation: RuntimeViolation | undefined;

  constructor(
    readonly seed: number,
    sabotage: Sabotage,
    private readonly write: ((line: string) => void) | undefined,
    mostHosts = MOST_HOSTS,
  ) {
    this.random = new Random(seed);
    const plan = randomPlan(this.random, mostHosts);
    this.plan = plan;
    this.segments = new Map(plan.devices.map((device) => [device, new Segment(this.timeline, this.random)]));
    const { timeline, random, segments } = this;
    this.hosts = plan.hosts.map((_, number) => {
      const place = {
        number,
        timeline,
        random,
        sabotage,
        segments,
        violate: (invariant: string, what: string) => this.violate(invariant, what),
        rethrow: () => {
          if (this.#violation !== undefined) throw this.#violation;
        },
        note: (invariant: string, what: string) => void this.note(invariant, what),
        trace: (who: string, line: string) => this.trace(who, line),
        transitioned: (host: SimHost, occurrence: Extract<Occurrence, { kind: 'transition' }>) =>
          this.#transitioned(host, occurrence),
      };
      return new SimHost(place, plan);
    });
    this.#sides = this.hosts.map(() => 0);
    this.#describe();
  }

  log(line: string): void {
    this.write?.(`${(this.timeline.now / 1e6).toFixed(6)} ${line}`);
  }

  trace(who: string, line: string): void {
    if (this.write) this.log(`${who}: ${line}`);
  }

  violate(invariant: string, what: string): never {
    throw this.note(invariant, what);
  }

  /** For where nobody would catch it: thrown at the next turn. */
  note(invariant: string, what: string): RuntimeViolation {
    const part = this.isControlled ? 'control' : 'election';
    const violation = new RuntimeViolation(invariant, what, this.seed, this.timeline.now, part);
    this.#violation ??= violation;
    this.log(violation.message);
    return violation;
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

  // Times

  get interval(): Micros {
    return Math.max(...this.plan.routers.map((router) => router.interval));
  }

  /** The longest Active_Down_Interval that any member can have, by the formula at priority 1. */
  get longestDown(): Micros {
    return Math.max(...this.plan.routers.map(longestDown));
  }

  get longestLease(): Micros {
    return Math.max(2_000_000, this.longestDown) + LEASE_SLOWNESS;
  }

  get probes(): boolean {
    return this.plan.routers.some(({ probe }) => probe === DuplicateProbe.REFUSE);
  }

  /** By when everything must be as it ought to be, from when nothing disturbs any more (I-2: two down intervals). */
  get settleTime(): Micros {
    const election = 2 * this.longestDown + this.interval;
    const delay = Math.max(...this.plan.routers.map(({ preemptDelay }) => preemptDelay));
    const probes = this.probes ? this.longestLease + this.longestDown + 2 * PROBE_TIME : 0;
    const start = WORKER_START + RETRY;
    return Math.max(election, this.longestLease) + (delay > 0 ? delay + this.longestDown : 0) + probes + start + SLACK;
  }

  // The network

  /** Splits all networks by a side (0 or 1) per host, or heals them. */
  partition(sides: readonly number[] | undefined): void {
    this.#sides = sides ?? this.hosts.map(() => 0);
    for (const segment of this.segments.values()) {
      if (sides === undefined) segment.heal();
      else segment.partition(sides);
    }
    this.log(sides === undefined ? 'the network is whole' : `the network is split: ${sides.join('')}`);
  }

  get isSplit(): boolean {
    return new Set(this.#sides).size > 1;
  }

  /** The hosts that hear each other. */
  components(): readonly (readonly SimHost[])[] {
    return [0, 1]
      .map((side) => this.hosts.filter(({ place }) => this.#sides[place.number] === side))
      .filter((component) => component.length > 0);
  }

  calmWeather(): void {
    for (const segment of this.segments.values()) segment.weather = CALM;
  }

  // Who ought to be what

  /** Whether nothing that really is keeps the host's router in fault, or its host from running it. */
  isFit(host: SimHost, router: RouterPlan): boolean {
    if (!host.isRunning || host.isStopping || host.reality.get(FATAL) !== 'up') return false;
    return host.kernel.links.get(router.device)?.isUp === true && host.sourceFor(router) !== undefined;
  }

  isCandidate(host: SimHost, router: RouterPlan): boolean {
    const { policy, routers } = this.plan;
    if (policy === 'all') return routers.every((each) => this.isFit(host, each));
    return this.isFit(host, router);
  }

  priorityOf(host: SimHost, { name }: RouterPlan): number {
    const { router } = routerOf(settingsFor(this.plan, host.place.number), name);
    return wantedPriority(router, (id) => host.reality.get(id));
  }

  activeOf(router: RouterPlan, among: readonly SimHost[] = this.hosts): readonly SimHost[] {
    return among.filter((host) => host.isActive(router.name));
  }

  // Settling

  /** Lets everything settle, then checks it, and that it stays so for some intervals. */
  settle(): void {
    this.run(this.settleTime);
    this.checkSettled();
    const before = this.hosts.map((host) => ({
      host,
      adverts: host.process?.adverts ?? 0,
      writes: host.kernel.writes,
    }));
    const span = 4 * this.interval;
    this.expectNothing('although nothing has happened', () => this.run(span));
    for (const each of before) this.#checkPace(each.host, each.adverts, each.writes, span);
    this.checkSettled();
  }

  checkSettled(): void {
    for (const component of this.components()) {
      for (const router of this.plan.routers) this.#checkRouter(component, router);
    }
    for (const host of this.hosts) this.#checkHost(host);
  }

  /** Advertisements come as often as they should, and nothing is done more often than that (I-10). */
  #checkPace(host: SimHost, adverts: number, writes: number, span: Micros): void {
    let least = 0;
    let most = 0;
    let mostWrites = 0;
    for (const router of this.plan.routers) {
      if (!host.isActive(router.name)) continue;
      const copies = router.isUnicast ? this.hosts.length - 1 : 1;
      least += copies * (Math.floor(span / router.interval) - 1);
      most += copies * (Math.ceil(span / router.interval) + 1);
      const settings = routerOf(settingsFor(this.plan, host.place.number), router.name).router;
      mostWrites += router.addresses.length * (Math.ceil(span / (renewInterval(settings) / 2)) + 1);
    }
    const sent = (host.process?.adverts ?? adverts) - adverts;
    const isRunning = host.process?.state === 'running';
    if (sent > most || (isRunning && sent < least)) {
      this.violate('I-10', `${host.label} advertises ${sent} times within ${span} us, not ${least} to ${most}`);
    }
    const written = host.kernel.writes - writes;
    if (written > mostWrites)
      this.violate('I-10', `${host.label} writes addresses ${written} times, not ${mostWrites}`);
    const descriptors = host.process?.open ?? 0;
    if (descriptors > 6 + 4 * this.plan.devices.length + 2 * this.plan.routers.length) {
      this.violate('I-10', `${host.label} has ${descriptors} descriptors open`);
    }
  }

  #checkRouter(component: readonly SimHost[], router: RouterPlan): void {
    const who = `${router.name} on ${labels(component)}`;
    const active = this.activeOf(router, component);
    if (active.length > 1) this.violate('I-1', `${who}: all of ${labels(active)} are active`);
    const candidates = component.filter((host) => this.isCandidate(host, router));
    const best = Math.max(0, ...candidates.map((host) => this.priorityOf(host, router)));
    const [holder] = active;
    if (candidates.length > 0 && holder === undefined && !this.#mayBeNobodys(component)) {
      this.violate('I-2', `${who}: nobody is active`);
    }
    // Members of a group of which some are in fault elsewhere may have to give way; equal priority does not preempt.
    if (holder !== undefined && router.preempt && this.plan.policy !== 'any') {
      const has = this.priorityOf(holder, router);
      if (has < best) this.violate('I-3', `${who}: ${holder.label} (${has}) is active instead of one with ${best}`);
    }
    for (const host of component) {
      if (host !== holder && host.holdsAny(router) && (router.leased || host.process !== undefined)) {
        this.violate('I-4', `${host.label} holds addresses of ${router.name} without being active`);
      }
    }
    if (holder !== undefined && !holder.holds(router)) {
      this.violate('I-4', `${holder.label} is active for ${router.name} without its addresses`);
    }
  }

  /** With the policy any, a host that serves some members keeps the others from hosts that could have all (decision 0009). */
  #mayBeNobodys(component: readonly SimHost[]): boolean {
    const { policy, routers } = this.plan;
    if (policy !== 'any') return false;
    return component.some((host) => routers.some(({ name }) => host.isActive(name)));
  }

  /** What the election says of itself is what the kernel has, and what the worker was told. */
  #checkHost(host: SimHost): void {
    this.#checkStrays(host);
    const status = host.status();
    if (status === undefined) {
      if (host.isRunning) this.violate('status', `${host.label} does not answer`);
      return;
    }
    if (!this.isControlled && host.inForce?.generation !== this.plan.generation) {
      this.violate('I-8', `${host.label} runs generation ${host.inForce?.generation} of ${this.plan.generation}`);
    }
    for (const router of this.plan.routers) {
      const said = status.routers.find(({ name }) => name === router.name);
      const told = host.states.get(router.name)?.name ?? 'initialize';
      if (said?.state !== told) {
        this.violate('status', `${host.label} says that ${router.name} is ${said?.state}, and has told of ${told}`);
      }
      const held = said?.heldAddresses.flatMap((text) => parseIp(text.split('/')[0] ?? '') ?? []) ?? [];
      const missing = held.filter((address) => !host.kernel.holds(address));
      if (missing.length > 0 || held.length !== (told === 'active' ? router.addresses.length : 0)) {
        this.violate(
          'status',
          `${host.label} says that it holds ${said?.heldAddresses.join(' ') || 'nothing'} of ${router.name} in ${told}, and ${missing.length} of these are not there`,
        );
      }
    }
  }

  /** Nothing is in the kernel that is neither the host's own nor of a router that is active. */
  #checkStrays(host: SimHost): void {
    // Without a lease, what a process that was killed had by an older configuration is there for ever: decision 0002.
    if (this.plan.routers.some(({ leased }) => !leased)) return;
    const known = new Set(ownOf(this.plan, host));
    for (const router of this.plan.routers) {
      if (host.isActive(router.name)) for (const address of addressesOf(router)) known.add(address);
    }
    const strays = host.kernel.addresses.filter(({ address }) => !known.has(address));
    if (strays.length > 0) {
      this.violate('I-4', `${host.label} has ${strays.map(({ address }) => formatIp(address)).join(' ')} for nothing`);
    }
    const isFiltering = this.plan.routers.some((router) => !router.accept && host.isActive(router.name));
    if (!isFiltering && host.kernel.filtered.size > 0 && host.process !== undefined) {
      this.violate('I-4', `${host.label} still drops traffic to ${[...host.kernel.filtered].join(' ')}`);
    }
  }

  #transitioned(host: SimHost, occurrence: Extract<Occurrence, { kind: 'transition' }>): void {
    const { router, to, cause } = occurrence;
    if (this.#nothingExpected !== undefined) {
      this.violate('I-7', `${host.label}: ${router} becomes ${to} (${cause}) ${this.#nothingExpected}`);
    }
    this.transitions.push({ at: this.timeline.now, host, router, to, cause });
  }

  #describe(): void {
    if (this.write === undefined) return;
    for (const { name, ...router } of this.plan.routers) this.log(`${name}: ${JSON.stringify(router)}`);
    for (const host of this.hosts) {
      this.log(
        `${host.label}: ${ownOf(this.plan, host)
          .map((address) => formatIp(address))
          .join(', ')}`,
      );
    }
  }
}

/** Priority 1's Active_Down_Interval. */
export function longestDown({ missed, interval, version }: RouterPlan): Micros {
  return missed * interval + (version === 2 ? 1_000_000 : interval);
}

function ownOf(plan: ClusterPlan, host: SimHost) {
  return (plan.hosts[host.place.number] ?? []).map(({ address }) => address);
}

export function labels(hosts: readonly SimHost[]): string {
  return hosts.map(({ label }) => label).join(', ');
}
