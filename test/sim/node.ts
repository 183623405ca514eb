/**
 * One member of a virtual router on one host: the election core's state, a runtime that carries out its effects, and a
 * kernel that holds the virtual addresses (as one) for as long as their lease. It watches every step for what must hold
 * on one host alone.
 */
import {
  type Effect,
  type Input,
  type Instant,
  type IpAddress,
  initialMember,
  leaseDuration,
  type Member,
  type Micros,
  type Outcome,
  pauseLimit,
  type TrackState,
  type VirtualRouter,
} from '../../agent/vrrp/index.js';
import { goodState } from './cluster.js';
import type { SimHost } from './host.js';
import { Kernel } from './kernel.js';
import type { Frame, Lan } from './lan.js';
import { failsFatally, wantedPriority, wrongAnswer } from './oracle.js';
import type { Surroundings, Transitioned } from './surroundings.js';

type AdvertisementInput = Extract<Input, { readonly kind: 'advertisement' }>;

/** The longest that a healthy host's timer is late. */
export const TIMER_LAG = 400;
/** The longest from an agent's start to the first result of a check. */
export const FIRST_RESULT = 300_000;
/** How long a router that refuses to share its addresses asks for other holders. */
export const PROBE_TIME = 300_000;

export interface NodePlace {
  readonly world: Surroundings;
  readonly host: SimHost;
  readonly lan: Lan;
  /** Of the LAN. */
  readonly port: number;
  readonly label: string;
  readonly source: IpAddress;
}

export class SimNode {
  readonly host: SimHost;
  readonly lan: Lan;
  readonly port: number;
  readonly label: string;
  readonly source: IpAddress;
  router: VirtualRouter;
  member: Member;
  /** What the tracked things really are. */
  readonly reality = new Map<string, TrackState>();
  /** The addresses in the kernel of its host. */
  readonly #kernel: Kernel;
  /** Suspended while active: when it last advertised. */
  #resumable: Instant | undefined;
  /** What the core believes is installed. */
  #installed = false;
  #listening = false;
  #lastSent: Instant | undefined;
  /** Whether somebody answers the probe that is under way. */
  #probe: 'answered' | 'unanswered' | undefined;
  #timer = 0;
  #timerMissed = false;
  /** Results that the agent has been told. */
  readonly #told = new Map<string, TrackState>();
  readonly #world: Surroundings;

  constructor({ world, host, lan, port, label, source }: NodePlace, router: VirtualRouter) {
    this.#world = world;
    this.host = host;
    this.lan = lan;
    this.port = port;
    this.label = label;
    this.source = source;
    this.router = router;
    this.member = initialMember(router);
    for (const track of router.tracks) this.reality.set(track.id, goodState(track));
    this.#kernel = new Kernel(world, () => this.#leaseEnded());
    host.add(this);
    lan.attach((frame) => this.#receive(frame));
  }

  /** Active and not on its way out. */
  get active(): boolean {
    return this.host.process !== 'dead' && this.member.phase.name === 'active' && !this.member.phase.handover;
  }

  get holds(): boolean {
    return this.#kernel.holds;
  }

  /** Whether something that really is keeps it in fault. */
  get fails(): boolean {
    return failsFatally(this.router, (id) => this.reality.get(id));
  }

  /** The priority that it ought to have, worked out apart from the core. */
  get wantedPriority(): number {
    return wantedPriority(this.router, (id) => this.reality.get(id));
  }

  /** A new process: nothing is known but what the one before it left for it. */
  reset(): void {
    this.member = initialMember(this.router);
    // Leftovers of a former run are removed at start, unless they are gone on with.
    if (this.#resumable === undefined) this.#kernel.letGo();
    this.#installed = false;
    this.#listening = false;
    this.#probe = undefined;
    this.#timerMissed = false;
    this.#told.clear();
  }

  startUp(): void {
    const lastAdvertAt = this.#resumable;
    this.feed({ kind: 'startup', ...(lastAdvertAt !== undefined && { resume: { lastAdvertAt } }) });
  }

  removeLeftovers(): void {
    this.#resumable = undefined;
    if (this.member.phase.name !== 'active') this.#kernel.letGo();
  }

  reportAll(): void {
    for (const id of this.reality.keys()) this.#report(id, this.#world.random.between(0, FIRST_RESULT));
  }

  powerOff(): void {
    this.#kernel.letGo();
    this.#resumable = undefined;
  }

  /** The timer that expired during a pause. */
  catchUp(): void {
    if (this.#timerMissed) this.feed({ kind: 'tick' });
    this.#timerMissed = false;
  }

  /** A tracked thing changes. */
  turn(id: string, state: TrackState): void {
    if (this.reality.get(id) === state) return;
    this.#world.trace(this.label, `${id} is ${state}`);
    this.reality.set(id, state);
    if (this.host.process !== 'dead') this.#report(id, 0);
  }

  reconfigure(router: VirtualRouter): void {
    const previous = this.router;
    this.router = router;
    this.#world.trace(
      this.label,
      `reconfigured: priority ${router.priority}, interval ${router.advertisementInterval}`,
    );
    if (this.host.process === 'dead') return;
    // What counts as a pause is measured by the new interval from now on.
    this.#lastSent = undefined;
    this.host.handle(() => this.feed({ kind: 'reconfigured', previous }));
  }

  feed(input: Input): void {
    const { core, timeline, random } = this.#world;
    const { now } = timeline;
    if (input.kind === 'track') this.#told.set(input.id, input.state);
    const deadline = core.nextDeadline(this.router, this.member);
    if (random.chance(0.01) && deadline !== undefined && now < deadline) this.#checkEarlyTick(this.member, now);
    this.host.decide(this, input);
  }

  /** What was decided for it; without an input it is another member of its group that moved it. */
  take({ member, effects }: Outcome, input: Input | undefined): void {
    const before = this.member;
    this.member = member;
    for (const effect of effects) this.#carryOut(effect, before);
    this.#checkStep(before, input, effects);
    const next = this.#world.core.nextDeadline(this.router, member);
    if (input?.kind === 'tick' && next !== undefined && next <= this.#world.timeline.now) {
      this.#violate('progress', 'a tick left a deadline that is not in the future');
    }
    this.#arm(next);
  }

  #arm(deadline: Instant | undefined): void {
    this.#timer += 1;
    const { timeline, random } = this.#world;
    if (deadline === undefined) return;
    const armed = this.#timer;
    const { life } = this.host;
    timeline.at(deadline + random.between(0, TIMER_LAG), () => {
      if (armed !== this.#timer || life !== this.host.life) return;
      if (this.host.process === 'running') this.feed({ kind: 'tick' });
      else this.#timerMissed = true;
    });
  }

  #receive(frame: Frame): void {
    if (frame.kind === 'advertisement') {
      const { source, advertisement } = frame;
      this.host.handle(() => this.feed({ kind: 'advertisement', source, local: this.source, advertisement }));
    } else {
      this.host.handle(() => {
        if (this.#listening && this.#world.announcementsHeard) this.feed({ kind: 'announcementHeard' });
      });
    }
  }

  #report(id: string, delay: Micros): void {
    this.host.later(delay, () => this.feed({ kind: 'track', id, state: this.reality.get(id) ?? 'unknown' }));
  }

  /** Whoever holds the addresses now answers in a moment. */
  #ask(): void {
    const isAnswered = this.#world.isAnswered(this);
    this.#probe = isAnswered ? 'answered' : 'unanswered';
    if (isAnswered) this.host.later(this.#world.random.between(40, 600), () => this.feed({ kind: 'addressConflict' }));
  }

  #carryOut(effect: Effect, before: Member): void {
    const { lan } = this;
    const { timeline } = this.#world;
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
        this.#kernel.letGo();
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
        this.#world.trace(this.label, `${effect.from} -> ${effect.to} (${effect.reason.code})`);
        this.#checkTransition(effect);
        if (effect.reason.code === 'suspended' && effect.from === 'active') {
          // What the kernel has is nobody's until somebody goes on with it.
          this.#installed = false;
          this.#resumable = timeline.now;
        }
        this.#world.transitioned(this, effect);
        return;
      case 'probeAddresses':
        if (this.#installed) this.#violate('probe', 'asked after it was claimed');
        this.#ask();
        return;
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
    this.#kernel.hold(this.router.leased ? leaseDuration(this.router) : undefined);
  }

  #leaseEnded(): void {
    this.#world.trace(this.label, 'lease ends');
    if (this.#resumable === undefined && this.host.process === 'running') {
      this.#violate('I-4', 'the lease of a running active router ran out');
    }
  }

  #checkAdvertisement(priority: number, before: Member): void {
    const { now } = this.#world.timeline;
    if (priority === 0) return;
    const wanted = wantedPriority(this.router, (id) => this.#told.get(id));
    if (priority !== wanted) this.#violate('priority', `advertises ${priority}, ought to be ${wanted}`);
    const isOnItsWay =
      before.phase.name === 'active' && (this.router.higherPrioritySendAdvertisement || this.host.stopping);
    if ((this.member.phase.name !== 'active' && !isOnItsWay) || isHandingOver(this.member)) {
      this.#violate('effects', `advertises ${priority} while ${this.member.phase.name}`);
    }
    if (before.phase.name !== 'active' || this.#lastSent === undefined) return;
    const silent = now - this.#lastSent;
    if (silent > pauseLimit(this.router, wanted)) {
      this.#violate('P2', `advertises after ${silent} us of silence without having stepped down`);
    }
  }

  #checkStep(before: Member, input: Input | undefined, effects: readonly Effect[]): void {
    const { phase, tracks, noticed } = this.member;
    let name = before.phase.name;
    for (const effect of effects) {
      if (effect.kind !== 'transitioned') continue;
      if (effect.from !== name || effect.to === name)
        this.#violate('effects', `reports ${effect.from} -> ${effect.to}`);
      const left = effect.from === 'initialize' && effect.to !== 'fault' && effect.reason.code !== 'resumed';
      if (left && this.router.tracks.some(({ id, weight }) => weight === 0 && !this.#told.has(id))) {
        this.#violate('init', `becomes ${effect.to} before every check has a result`);
      }
      const startsActive = this.router.priority === 255 && this.router.duplicateProbe !== 'refuse';
      if (left && startsActive && effect.to !== 'active' && this.host.group === undefined) {
        this.#violate('init', `the owner becomes ${effect.to}`);
      }
      this.#checkYieldingAlong(effect, effects);
      name = effect.to;
    }
    if (name !== phase.name) this.#violate('I-7', `${name} became ${phase.name} without a transition (${input?.kind})`);
    if (this.#installed !== (phase.name === 'active')) {
      this.#violate(phase.name === 'fault' ? 'I-5' : 'I-4', `${phase.name}, addresses ${this.#installed}`);
    }
    if (this.holds && !this.#installed && this.#resumable === undefined)
      this.#violate('I-4', `holds the addresses while ${phase.name}`);
    if (this.#installed && !this.holds && !this.#kernel.isLeaseOver)
      this.#violate('I-4', 'active without the addresses');
    if (input?.kind === 'advertisement') this.#checkYielding(before, input, effects);
    const failed = failsFatally(this.router, (id) => this.#told.get(id));
    if (failed && (phase.name === 'active' || phase.name === 'backup')) {
      this.#violate('I-5', `${phase.name} although a check of weight 0 fails`);
    }
    if (noticed.length > 64 || Object.keys(tracks).length > this.router.tracks.length) {
      this.#violate('I-10', 'the state grows');
    }
  }

  /** What may be resumed, and that nobody is active at an address that somebody else answered for. */
  #checkTransition({ to, reason }: Transitioned): void {
    if (to !== 'active') return;
    if (reason.code === 'resumed') {
      const away = this.#world.timeline.now - (this.#resumable ?? Number.NEGATIVE_INFINITY);
      const limit = pauseLimit(
        this.router,
        wantedPriority(this.router, (id) => this.#told.get(id)),
      );
      if (away > limit) this.#violate('P2', `goes on after ${away} us of silence`);
    }
    const wantsToKnow = reason.code === 'active-down' || reason.code === 'owner-startup';
    if (this.router.duplicateProbe === 'refuse' && wantsToKnow && this.#probe !== 'unanswered') {
      this.#violate('probe', `active although its probe is ${this.#probe ?? 'not sent'}`);
    }
    this.#probe = undefined;
  }

  #checkYielding(before: Member, input: AdvertisementInput, effects: readonly Effect[]): void {
    if (before.phase.name !== 'active' || before.phase.handover) return;
    if (effects.some((effect) => effect.kind === 'pausedTooLong')) return;
    const own = wantedPriority(this.router, (id) => this.#told.get(id));
    const wrong = wrongAnswer(this.router, own, input, {
      hasYielded: this.member.phase.name === 'backup',
      hasAnswered: effects.some((effect) => effect.kind === 'advertise' && effect.priority > 0),
      willAnswer: this.#answersWithin(1_000),
    });
    if (wrong !== undefined) this.#violate('election', wrong);
  }

  /** Whoever yields with its group is silent: somebody else has said that it is active. */
  #checkYieldingAlong({ from, to, reason }: Transitioned, effects: readonly Effect[]): void {
    if (from !== 'active' || to !== 'backup' || reason.code !== 'group' || reason.why?.code === 'address-lost') return;
    if (effects.some((effect) => effect.kind === 'advertise')) this.#violate('group', 'does not yield in silence');
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
    if (effects.length > 0 || asText(member) !== asText(before)) {
      this.#violate('tick', 'an early tick changed something');
    }
  }

  #violate(invariant: string, what: string): void {
    this.#world.violate(invariant, `${this.label}: ${what}`);
  }
}

function isHandingOver({ phase }: Member): boolean {
  return phase.name === 'active' && phase.handover !== undefined;
}

/** Addresses of IPv6 are no JSON. */
function asText(member: Member): string {
  return JSON.stringify(member, (_key, value: unknown) => (typeof value === 'bigint' ? value.toString() : value));
}
