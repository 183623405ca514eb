/**
 * One member of a virtual router on one host: the election core's state, a runtime that carries out its effects, and a
 * kernel that holds the virtual addresses for as long as their lease. What must hold is watched in watch.ts.
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
  type TrackState,
  type VirtualRouter,
} from '../../agent/vrrp/index.js';
import { goodState } from './cluster.js';
import type { SimHost } from './host.js';
import { Kernel } from './kernel.js';
import type { Frame, Lan } from './lan.js';
import { failsFatally, wantedPriority } from './oracle.js';
import type { Surroundings } from './surroundings.js';
import type { Team } from './team.js';
import { Watch } from './watch.js';

/** The longest that a healthy host's timer is late. */
export const TIMER_LAG = 400;
/** The longest from an agent's start to the first result of a check. */
export const FIRST_RESULT = 300_000;
/** How long a router that refuses to share its addresses asks for other holders. */
export const PROBE_TIME = 300_000;
/** So many inputs are preceded by an early tick, which must change nothing. */
const EARLY_TICKS = 0.01;

export interface NodePlace {
  readonly world: Surroundings;
  readonly team: Team;
  readonly lan: Lan;
  /** Of the LAN. */
  readonly port: number;
  readonly label: string;
  readonly source: IpAddress;
}

export class SimNode {
  readonly team: Team;
  readonly host: SimHost;
  readonly lan: Lan;
  readonly port: number;
  readonly label: string;
  readonly source: IpAddress;
  /** What it was configured with at first. */
  readonly initialRouter: VirtualRouter;
  router: VirtualRouter;
  member: Member;
  /** What the tracked things really are. */
  readonly reality = new Map<string, TrackState>();
  /** The addresses in the kernel of its host. */
  readonly kernel: Kernel;
  /** What the core believes is installed. */
  installed = false;
  /** Suspended while active: when it last advertised, by the world's time and by the agent's clock. */
  resumable: { readonly at: Instant; readonly stamp: Instant } | undefined;
  lastSent: Instant | undefined;
  /** Since when its silence counts as a pause. */
  silentSince: Instant | undefined;
  /** Whether somebody answers the probe that is under way. */
  probe: 'answered' | 'unanswered' | undefined;
  #listening = false;
  /** When its timer is to fire, and when the entry that looks after it is due: never later. */
  #fireAt: Instant = Number.POSITIVE_INFINITY;
  #entryAt: Instant = Number.POSITIVE_INFINITY;
  #deadline: Instant | undefined;
  #timerMissed = false;
  /** Results that the agent has been told, and what it ought to make of them. */
  readonly #told = new Map<string, TrackState>();
  #judged: { readonly priority: number; readonly fails: boolean } | undefined;
  readonly #watch: Watch;
  readonly #world: Surroundings;
  readonly #fire = () => this.#expire();
  readonly #toldState = (id: string) => this.#told.get(id);
  readonly #realState = (id: string) => this.reality.get(id);

  constructor({ world, team, lan, port, label, source }: NodePlace, router: VirtualRouter) {
    this.#world = world;
    this.team = team;
    this.host = team.host;
    this.lan = lan;
    this.port = port;
    this.label = label;
    this.source = source;
    this.initialRouter = router;
    this.router = router;
    this.member = initialMember(router);
    for (const track of router.tracks) this.reality.set(track.id, goodState(track));
    this.kernel = new Kernel(world, () => this.#leaseEnded());
    this.#watch = new Watch(world, this);
    team.add(this);
    lan.attach(port, router.vrid, (frame) => this.#receive(frame));
  }

  /** Active and not on its way out. */
  get active(): boolean {
    return this.host.process !== 'dead' && this.member.phase.name === 'active' && !this.member.phase.handover;
  }

  get holds(): boolean {
    return this.kernel.holds;
  }

  /** Whether something that really is keeps it in fault. */
  get fails(): boolean {
    return failsFatally(this.router, this.#realState);
  }

  /** The priority that it ought to have, worked out apart from the core. */
  get wantedPriority(): number {
    return wantedPriority(this.router, this.#realState);
  }

  /** What it ought to make of what the agent was told. */
  get judged(): { readonly priority: number; readonly fails: boolean } {
    this.#judged ??= {
      priority: wantedPriority(this.router, this.#toldState),
      fails: failsFatally(this.router, this.#toldState),
    };
    return this.#judged;
  }

  /** Whether the agent has been told a result of each of its checks. */
  get knowsAll(): boolean {
    return this.router.tracks.every(({ id }) => this.#told.has(id));
  }

  knows(id: string): boolean {
    return this.#told.has(id);
  }

  /** A new process: nothing is known but what the one before it left for it. */
  reset(): void {
    this.member = initialMember(this.router);
    // Leftovers of a former run are removed at start, unless they are gone on with.
    if (this.resumable === undefined) this.#letGo();
    this.installed = false;
    this.#listening = false;
    this.probe = undefined;
    this.#timerMissed = false;
    this.#told.clear();
    this.#judged = undefined;
  }

  startUp(): void {
    const lastAdvertAt = this.resumable?.stamp;
    this.feed({ kind: 'startup', ...(lastAdvertAt !== undefined && { resume: { lastAdvertAt } }) });
  }

  removeLeftovers(): void {
    this.resumable = undefined;
    if (this.member.phase.name !== 'active') this.#letGo();
  }

  reportAll(): void {
    for (const id of this.reality.keys()) this.#report(id, this.#world.random.between(0, FIRST_RESULT));
  }

  powerOff(): void {
    this.#letGo();
    this.resumable = undefined;
  }

  freeze(): void {
    this.kernel.freeze();
  }

  thaw(): void {
    this.kernel.thaw();
  }

  /** The timer that expired during a pause. */
  catchUp(): void {
    const isMissed = this.#timerMissed;
    this.#timerMissed = false;
    if (isMissed) this.feed({ kind: 'tick' });
  }

  /** A tracked thing changes. */
  turn(id: string, state: TrackState): void {
    if (!this.reality.has(id) || this.reality.get(id) === state) return;
    this.#world.trace(this.label, `${id} is ${state}`);
    this.reality.set(id, state);
    if (this.host.process !== 'dead') this.#report(id, 0);
  }

  /** Another configuration, in force when the agent comes to read it. */
  reconfigure(change: (router: VirtualRouter) => VirtualRouter): void {
    this.host.handle(() => {
      const previous = this.router;
      const router = change(previous);
      if (router === previous) return;
      this.router = router;
      this.#judged = undefined;
      if (this.#world.isTraced) this.#world.trace(this.label, `reconfigured: ${differences(previous, router)}`);
      this.#turnToTracks();
      if (this.host.process === 'dead') return;
      // What counts as a pause is measured by the new interval from now on.
      this.silentSince = undefined;
      this.feed({ kind: 'reconfigured', previous });
    });
  }

  #turnToTracks(): void {
    const { tracks } = this.router;
    for (const id of this.reality.keys()) {
      if (tracks.some((track) => track.id === id)) continue;
      this.reality.delete(id);
      this.#told.delete(id);
    }
    for (const track of tracks) {
      if (this.reality.has(track.id)) continue;
      this.reality.set(track.id, goodState(track));
      if (this.host.process !== 'dead') this.#report(track.id, this.#world.random.between(0, FIRST_RESULT));
    }
  }

  feed(input: Input): void {
    if (this.host.process === 'dead') return;
    if (input.kind === 'track') {
      this.#told.set(input.id, input.state);
      this.#judged = undefined;
    }
    if (this.#world.random.chance(EARLY_TICKS)) this.#watch.earlyTick();
    this.team.decide(this, input);
  }

  /** What was decided for it; without an input it is another member of its group that moved it. */
  take({ member, effects }: Outcome, input: Input | undefined): void {
    const before = this.member;
    this.member = member;
    for (const effect of effects) this.#carryOut(effect, before, input);
    this.#watch.step(before, input, effects);
    this.#arm(input);
  }

  /** The process is gone, and its timer with it. */
  disarm(): void {
    this.#fireAt = Number.POSITIVE_INFINITY;
    this.#deadline = undefined;
  }

  #arm(input: Input | undefined): void {
    const { core, timeline, random } = this.#world;
    const deadline = core.nextDeadline(this.router, this.member);
    if (deadline === undefined) {
      this.disarm();
      return;
    }
    if (deadline === this.#deadline && input?.kind !== 'tick') return;
    const left = deadline - core.now(this.host);
    if (input?.kind === 'tick' && left <= 0) {
      this.violate('progress', 'a tick left a deadline that is not in the future');
    }
    this.#deadline = deadline;
    this.#fireAt = timeline.now + Math.max(0, left) + random.between(0, TIMER_LAG);
    this.#await();
  }

  /** An entry that is due earlier looks after it. */
  #await(): void {
    if (this.#entryAt <= this.#fireAt) return;
    this.#entryAt = this.#fireAt;
    this.#world.timeline.at(this.#entryAt, this.#fire);
  }

  #expire(): void {
    const { now } = this.#world.timeline;
    if (now !== this.#entryAt) return;
    this.#entryAt = Number.POSITIVE_INFINITY;
    if (now < this.#fireAt) {
      if (this.#fireAt !== Number.POSITIVE_INFINITY) this.#await();
      return;
    }
    this.disarm();
    if (this.host.process === 'running') this.feed({ kind: 'tick' });
    else this.#timerMissed = true;
  }

  #receive(frame: Frame): void {
    if (this.host.process === 'running') this.#hear(frame);
    else this.host.queue(() => this.#hear(frame));
  }

  #hear(frame: Frame): void {
    if (frame.kind === 'advertisement') {
      const { source, advertisement } = frame;
      this.feed({ kind: 'advertisement', source, local: this.source, advertisement });
    } else if (this.#listening && this.#world.announcementsHeard) this.feed({ kind: 'announcementHeard' });
  }

  #report(id: string, delay: Micros): void {
    this.host.later(delay, () => {
      if (this.reality.has(id)) this.feed({ kind: 'track', id, state: this.reality.get(id) ?? 'unknown' });
    });
  }

  /** Whoever holds the addresses now answers in a moment. */
  #ask(): void {
    const isAnswered = this.#world.isAnswered(this);
    this.probe = isAnswered ? 'answered' : 'unanswered';
    if (isAnswered) this.host.later(this.#world.random.between(40, 600), () => this.feed({ kind: 'addressConflict' }));
  }

  #carryOut(effect: Effect, before: Member, input: Input | undefined): void {
    const { lan } = this;
    const { timeline } = this.#world;
    switch (effect.kind) {
      case 'advertise':
        this.#watch.advertisement(effect.priority, before, input);
        this.lastSent = timeline.now;
        this.silentSince = timeline.now;
        lan.send(this.port, this.router.vrid, {
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
        if (this.installed) this.violate('effects', 'addresses are added twice');
        this.installed = true;
        this.kernel.hold(this.router.addresses, this.#lease);
        return;
      case 'removeAddresses':
        if (!this.installed) this.violate('effects', 'addresses are removed that were not added');
        this.installed = false;
        this.#letGo();
        return;
      case 'renewAddresses':
        if (!this.installed) this.violate('effects', 'leases are renewed without addresses');
        this.kernel.renew(this.#lease);
        return;
      case 'syncAddresses':
        if (!this.installed) this.violate('effects', 'addresses are changed that are not there');
        this.kernel.hold(this.router.addresses, this.#lease);
        return;
      case 'announceAddresses':
        if (!this.installed) this.violate('effects', 'addresses are announced that are not there');
        lan.send(this.port, this.router.vrid, { kind: 'announcement' });
        return;
      case 'listenForAnnouncements':
        this.#listening = effect.on;
        return;
      case 'transitioned':
        if (this.#world.isTraced) {
          this.#world.trace(this.label, `${effect.from} -> ${effect.to} (${effect.reason.code})`);
        }
        this.#watch.transition(effect);
        if (effect.reason.code === 'suspended' && effect.from === 'active') {
          // What the kernel has is nobody's until somebody goes on with it.
          this.installed = false;
          this.resumable = { at: timeline.now, stamp: this.#world.core.now(this.host) };
        }
        this.#world.transitioned(this, effect);
        return;
      case 'probeAddresses':
        if (this.installed) this.violate('probe', 'asked after it was claimed');
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

  get #lease(): Micros | undefined {
    return this.router.leased ? leaseDuration(this.router) : undefined;
  }

  #letGo(): void {
    if (!this.kernel.holds) return;
    this.kernel.letGo();
    this.#world.letGo(this);
  }

  #leaseEnded(): void {
    this.#world.trace(this.label, 'lease ends');
    this.#world.letGo(this);
    if (this.resumable === undefined && this.host.process === 'running') {
      this.violate('I-4', 'the lease of a running active router ran out');
    }
  }

  violate(invariant: string, what: string): never {
    return this.#world.violate(invariant, `${this.label}: ${what}`);
  }
}

/** What of a configuration became what. */
function differences(before: VirtualRouter, after: VirtualRouter): string {
  const old = new Map<string, unknown>(Object.entries(before));
  return Object.entries(after)
    .filter(([key, value]) => asText(old.get(key)) !== asText(value))
    .map(([key, value]) => `${key} ${asText(value)}`)
    .join(', ');
}

/** Addresses of IPv6 are no JSON. */
function asText(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => (typeof part === 'bigint' ? `0x${part.toString(16)}` : part));
}
