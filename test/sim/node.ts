/**
 * One host of a simulation: the election core, a runtime that carries out its effects, and a kernel that holds the
 * virtual addresses (as one) for as long as their lease. It watches every step for what must hold on one host alone.
 */
import {
  type Effect,
  type Input,
  type Instant,
  type Ipv4,
  initialMember,
  leaseDuration,
  type Member,
  type Micros,
  type Outcome,
  pauseLimit,
  type TrackState,
  type VirtualRouter,
} from '../../agent/vrrp/index.js';
import type { Frame, Lan } from './lan.js';
import { failsFatally, wantedPriority } from './oracle.js';
import type { Random } from './random.js';
import type { Timeline } from './timeline.js';

/** The core under test; a mutation is another one. */
export interface Core {
  step(router: VirtualRouter, member: Member, input: Input, now: Instant): Outcome;
  nextDeadline(router: VirtualRouter, member: Member): Instant | undefined;
}

/** What a node needs of the world around it. */
export interface Surroundings {
  readonly core: Core;
  readonly timeline: Timeline;
  readonly random: Random;
  readonly lan: Lan;
  /** Whether others' gratuitous ARP is seen at all. */
  readonly announcementsHeard: boolean;
  violate(invariant: string, what: string): void;
  transitioned(node: SimNode, effect: Extract<Effect, { readonly kind: 'transitioned' }>): void;
  trace(node: SimNode, line: string): void;
}

/** The longest that a healthy host's timer is late. */
export const TIMER_LAG = 400;
/** The longest from an agent's start to the first result of a check. */
export const FIRST_RESULT = 300_000;
const KERNEL_SLOWNESS = 360_000;
const SOCKET_BUFFER = 512;

export class SimNode {
  readonly port: number;
  readonly source: Ipv4;
  router: VirtualRouter;
  member: Member;
  process: 'running' | 'paused' | 'dead' = 'dead';
  /** A planned stop is under way. */
  stopping = false;
  /** What the tracked things really are. */
  readonly reality = new Map<string, 'up' | 'down'>();
  /** When the kernel lets go of the addresses; undefined while it does not hold them. */
  heldUntil: Instant | undefined;
  /** What the core believes is installed. */
  #installed = false;
  #listening = false;
  #lastSent: Instant | undefined;
  #timer = 0;
  #timerMissed = false;
  #leaseEndedInPause = false;
  /** Results that the agent has been told. */
  readonly #told = new Map<string, TrackState>();
  readonly #inbox: (() => void)[] = [];
  readonly #world: Surroundings;
  #life = 0;

  constructor(world: Surroundings, port: number, source: Ipv4, router: VirtualRouter) {
    this.#world = world;
    this.port = port;
    this.source = source;
    this.router = router;
    this.member = initialMember(router);
    for (const track of router.tracks) this.reality.set(track.id, track.reverse ? 'down' : 'up');
    world.lan.attach((frame) => this.#receive(frame));
  }

  /** Active and not on its way out. */
  get active(): boolean {
    return this.process !== 'dead' && this.member.phase.name === 'active' && !this.member.phase.handover;
  }

  get holds(): boolean {
    return this.heldUntil !== undefined;
  }

  /** Whether it could be active: it runs, and nothing that really is keeps it in fault. */
  get candidate(): boolean {
    return this.process === 'running' && !this.stopping && !failsFatally(this.router, (id) => this.reality.get(id));
  }

  /** The priority that it ought to have, worked out apart from the core. */
  get wantedPriority(): number {
    return wantedPriority(this.router, (id) => this.reality.get(id));
  }

  start(): void {
    if (this.process !== 'dead') return;
    this.#life += 1;
    this.process = 'running';
    this.stopping = false;
    this.member = initialMember(this.router);
    // Leftovers of a former run are removed at start.
    this.heldUntil = undefined;
    this.#installed = false;
    this.#listening = false;
    this.#inbox.length = 0;
    this.#told.clear();
    this.#world.trace(this, 'starts');
    this.feed({ kind: 'startup' });
    for (const id of this.reality.keys()) this.#report(id, this.#world.random.between(0, FIRST_RESULT));
  }

  /** Ends the process at once; with its host, the addresses go as well. */
  crash(what: 'process' | 'host'): void {
    if (what === 'host') this.heldUntil = undefined;
    if (this.process === 'dead') return;
    this.#world.trace(this, `${what} dies`);
    this.process = 'dead';
    this.stopping = false;
    this.#life += 1;
    this.#inbox.length = 0;
  }

  pause(): void {
    if (this.process !== 'running') return;
    this.#world.trace(this, 'paused');
    this.process = 'paused';
  }

  /** What came meanwhile is handled after the timer or before it, as chance has it. */
  resume(): void {
    if (this.process !== 'paused') return;
    this.#world.trace(this, 'resumes');
    this.process = 'running';
    const queued = this.#inbox.splice(0);
    const timer = () => {
      if (this.#timerMissed) this.feed({ kind: 'tick' });
      this.#timerMissed = false;
    };
    if (this.#world.random.chance(0.7)) queued.unshift(timer);
    else queued.push(timer);
    for (const handle of queued) if (this.process === 'running') handle();
  }

  stop(handover: boolean): void {
    if (this.process !== 'running' || this.stopping) return;
    this.#world.trace(this, handover ? 'planned stop' : 'abrupt stop');
    this.stopping = true;
    this.feed({ kind: 'shutdown', handover });
  }

  /** A tracked thing changes. */
  turn(id: string, state: 'up' | 'down'): void {
    if (this.reality.get(id) === state) return;
    this.#world.trace(this, `${id} is ${state}`);
    this.reality.set(id, state);
    if (this.process !== 'dead') this.#report(id, 0);
  }

  reconfigure(router: VirtualRouter): void {
    const previous = this.router;
    this.router = router;
    this.#world.trace(this, `reconfigured: priority ${router.priority}, interval ${router.advertisementInterval}`);
    if (this.process === 'dead') return;
    // What counts as a pause is measured by the new interval from now on.
    this.#lastSent = undefined;
    this.#handle(() => this.feed({ kind: 'reconfigured', previous }));
  }

  feed(input: Input): void {
    const { core, timeline, random } = this.#world;
    const { now } = timeline;
    const before = this.member;
    if (input.kind === 'track') this.#told.set(input.id, input.state);
    const deadline = core.nextDeadline(this.router, before);
    if (random.chance(0.01) && deadline !== undefined && now < deadline) this.#checkEarlyTick(before, now);
    const { member, effects } = core.step(this.router, before, input, now);
    this.member = member;
    for (const effect of effects) this.#carryOut(effect, before);
    this.#checkStep(before, input, effects);
    const next = core.nextDeadline(this.router, member);
    if (input.kind === 'tick' && next !== undefined && next <= now) {
      this.#violate('progress', 'a tick left a deadline that is not in the future');
    }
    if (this.stopping && member.phase.name === 'initialize') {
      this.process = 'dead';
      this.stopping = false;
      this.#life += 1;
      this.#world.trace(this, 'stopped');
      return;
    }
    this.#arm(next);
  }

  #arm(deadline: Instant | undefined): void {
    this.#timer += 1;
    const { timeline, random } = this.#world;
    if (deadline === undefined) return;
    const armed = this.#timer;
    const life = this.#life;
    timeline.at(deadline + random.between(0, TIMER_LAG), () => {
      if (armed !== this.#timer || life !== this.#life) return;
      if (this.process === 'running') this.feed({ kind: 'tick' });
      else this.#timerMissed = true;
    });
  }

  #receive(frame: Frame): void {
    if (frame.kind === 'advertisement') {
      const { source, advertisement } = frame;
      this.#handle(() => this.feed({ kind: 'advertisement', source, local: this.source, advertisement }));
    } else {
      this.#handle(() => {
        if (this.#listening && this.#world.announcementsHeard) this.feed({ kind: 'announcementHeard' });
      });
    }
  }

  #report(id: string, delay: number): void {
    const life = this.#life;
    this.#world.timeline.after(delay, () => {
      if (life !== this.#life) return;
      this.#handle(() => this.feed({ kind: 'track', id, state: this.reality.get(id) ?? 'unknown' }));
    });
  }

  #handle(input: () => void): void {
    if (this.process === 'running') input();
    else if (this.process === 'paused' && this.#inbox.length < SOCKET_BUFFER) this.#inbox.push(input);
  }

  #carryOut(effect: Effect, before: Member): void {
    const { timeline, lan } = this.#world;
    switch (effect.kind) {
      case 'advertise':
        this.#checkAdvertisement(effect.priority, before);
        this.#lastSent = timeline.now;
        lan.send(this.port, {
          kind: 'advertisement',
          source: this.source,
          advertisement: {
            priority: effect.priority,
            interval: this.router.advertisementInterval,
            addresses: this.router.addresses,
          },
        });
        return;
      case 'addAddresses':
        if (this.#installed) this.#violate('effects', 'addresses are added twice');
        this.#installed = true;
        this.#hold();
        return;
      case 'removeAddresses':
        if (!this.#installed) this.#violate('effects', 'addresses are removed that were not added');
        this.#installed = false;
        this.heldUntil = undefined;
        return;
      case 'renewAddresses':
      case 'syncAddresses':
        if (!this.#installed) this.#violate('effects', `${effect.kind} without addresses`);
        this.#hold();
        return;
      case 'announceAddresses':
        if (!this.#installed) this.#violate('effects', 'addresses are announced that are not there');
        lan.send(this.port, { kind: 'announcement' });
        return;
      case 'listenForAnnouncements':
        this.#listening = effect.on;
        return;
      case 'transitioned':
        this.#world.trace(this, `${effect.from} -> ${effect.to} (${effect.reason.code})`);
        this.#world.transitioned(this, effect);
        return;
      case 'probeAddresses':
      case 'pausedTooLong':
      case 'noticed':
      case 'lowerPriorityHeard':
        return;
      default:
        throw new TypeError(`unknown effect ${JSON.stringify(effect satisfies never)}`);
    }
  }

  /** Adds or renews the addresses in the kernel. */
  #hold(): void {
    const { timeline, random } = this.#world;
    this.#leaseEndedInPause = false;
    if (!this.router.leased) {
      this.heldUntil = Number.POSITIVE_INFINITY;
      return;
    }
    const until = timeline.now + leaseDuration(this.router) + random.between(0, KERNEL_SLOWNESS);
    this.heldUntil = until;
    timeline.at(until, () => {
      if (this.heldUntil !== until) return;
      this.heldUntil = undefined;
      this.#world.trace(this, 'lease ends');
      if (this.process === 'running') this.#violate('I-4', 'the lease of a running active router ran out');
      this.#leaseEndedInPause = true;
    });
  }

  #checkAdvertisement(priority: number, before: Member): void {
    const { now } = this.#world.timeline;
    if (priority === 0) return;
    const wanted = wantedPriority(this.router, (id) => this.#told.get(id));
    if (priority !== wanted) this.#violate('priority', `advertises ${priority}, ought to be ${wanted}`);
    if (this.member.phase.name !== 'active' || this.member.phase.handover) {
      this.#violate('effects', `advertises ${priority} while ${this.member.phase.name}`);
    }
    if (before.phase.name !== 'active' || this.#lastSent === undefined) return;
    const silent = now - this.#lastSent;
    if (silent > pauseLimit(this.router, wanted)) {
      this.#violate('P2', `advertises after ${silent} us of silence without having stepped down`);
    }
  }

  #checkStep(before: Member, input: Input, effects: readonly Effect[]): void {
    const { phase, tracks, noticed } = this.member;
    let name = before.phase.name;
    for (const effect of effects) {
      if (effect.kind !== 'transitioned') continue;
      if (effect.from !== name || effect.to === name)
        this.#violate('effects', `reports ${effect.from} -> ${effect.to}`);
      const left = effect.from === 'initialize' && effect.to !== 'fault' && effect.to !== 'initialize';
      if (left && this.router.tracks.some(({ id, weight }) => weight === 0 && !this.#told.has(id))) {
        this.#violate('init', `becomes ${effect.to} before every check has a result`);
      }
      if (left && this.router.priority === 255 && effect.to !== 'active') {
        this.#violate('init', `the owner becomes ${effect.to}`);
      }
      name = effect.to;
    }
    if (name !== phase.name) this.#violate('I-7', `${name} became ${phase.name} without a transition (${input.kind})`);
    if (this.#installed !== (phase.name === 'active')) {
      this.#violate(phase.name === 'fault' ? 'I-5' : 'I-4', `${phase.name}, addresses ${this.#installed}`);
    }
    if (this.holds && !this.#installed) this.#violate('I-4', `holds the addresses while ${phase.name}`);
    if (this.#installed && !this.holds && !this.#leaseEndedInPause)
      this.#violate('I-4', 'active without the addresses');
    this.#checkYielding(before, input, effects);
    const failed = failsFatally(this.router, (id) => this.#told.get(id));
    if (failed && (phase.name === 'active' || phase.name === 'backup')) {
      this.#violate('I-5', `${phase.name} although a check of weight 0 fails`);
    }
    if (noticed.length > 64 || Object.keys(tracks).length > this.router.tracks.length) {
      this.#violate('I-10', 'the state grows');
    }
  }

  /** Who of two active routers yields (RFC 9568 section 6.4.3), apart from the core. */
  #checkYielding(before: Member, input: Input, effects: readonly Effect[]): void {
    if (input.kind !== 'advertisement' || before.phase.name !== 'active' || before.phase.handover) return;
    if (effects.some((effect) => effect.kind === 'pausedTooLong')) return;
    const own = wantedPriority(this.router, (id) => this.#told.get(id));
    const { priority } = input.advertisement;
    const better = priority > own || (priority === own && input.source > input.local);
    const yielded = this.member.phase.name === 'backup';
    const ownersMeet = own === 255 && priority === 255;
    if (better && !yielded) this.#violate('election', `stays active although ${priority} was heard and it has ${own}`);
    const answers = effects.some((effect) => effect.kind === 'advertise' && effect.priority > 0);
    if (!better && !yielded && !answers && !this.#answersWithin(1_000)) {
      this.#violate('election', `does not answer the lower priority ${priority}`);
    }
    if (yielded && !better && !ownersMeet) this.#violate('election', `yields to ${priority} although it has ${own}`);
  }

  /** Whether it has just advertised and will again, at most so long after. */
  #answersWithin(pause: Micros): boolean {
    const next = this.#world.core.nextDeadline(this.router, this.member);
    return this.#lastSent !== undefined && next !== undefined && next <= this.#lastSent + pause;
  }

  #checkEarlyTick(before: Member, now: Instant): void {
    const { member, effects } = this.#world.core.step(this.router, before, { kind: 'tick' }, now);
    // Coming back from a pause, any input steps down, ticks too.
    if (effects.some((effect) => effect.kind === 'pausedTooLong')) return;
    if (effects.length > 0 || JSON.stringify(member) !== JSON.stringify(before)) {
      this.#violate('tick', 'an early tick changed something');
    }
  }

  #violate(invariant: string, what: string): void {
    this.#world.violate(invariant, `node ${this.port}: ${what}`);
  }
}
