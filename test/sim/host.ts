/**
 * One host of a simulation: a machine that can die or be suspended, with clocks that can be set, and on it an agent that
 * can die, pause, stop or be suspended, with everything that it runs.
 */
import { BootClock } from '../../agent/runtime/boot-clock.js';
import type { Input, Instant, Micros } from '../../agent/vrrp/index.js';
import type { HostClocks } from './core.js';
import type { SimNode } from './node.js';
import type { Surroundings } from './surroundings.js';
import type { Team } from './team.js';

/** Frames that wait while the agent does not read. */
const SOCKET_BUFFER = 512;
/**
 * No machine is suspended for less. The agent's clock would not see it: what clocks differ by may be 100 ms, and may have
 * been as much to the other side before.
 */
export const SHORTEST_SLEEP: Micros = 250_000;

export class SimHost implements HostClocks {
  process: 'running' | 'paused' | 'dead' = 'dead';
  /** The whole machine, its kernel and network included. */
  isAsleep = false;
  /** A stop is under way. */
  stopping = false;
  /** Counts the runs of the process: what was begun in one is nothing to the next. */
  life = 0;
  readonly teams: Team[] = [];
  readonly label: string;
  readonly #world: Surroundings;
  readonly #inbox: { readonly handle: () => void; readonly isFrame: boolean }[] = [];
  #framesQueued = 0;
  #pausedBeforeSleep = false;
  #asleepSince: Instant = 0;
  #slept: Micros = 0;
  #wallOffset: Micros;
  readonly #clock: BootClock;
  /** What the clock showed at that instant; it is read often. */
  #elections: Instant = 0;
  #readAt: Instant | undefined;

  constructor(world: Surroundings, label: string, wallOffset: Micros) {
    this.#world = world;
    this.label = label;
    this.#wallOffset = wallOffset;
    this.#clock = new BootClock({
      counted: () => this.monotonic,
      wallMs: () => Math.floor(this.wall / 1_000),
      boot: () => world.timeline.now,
    });
  }

  get nodes(): readonly SimNode[] {
    return this.teams.flatMap(({ nodes }) => nodes);
  }

  get elections(): Instant {
    const { now } = this.#world.timeline;
    if (now !== this.#readAt) {
      this.#readAt = now;
      this.#elections = this.#clock.now();
    }
    return this.#elections;
  }

  get monotonic(): Instant {
    return this.#world.timeline.now - this.#slept;
  }

  get wall(): Instant {
    return this.#world.timeline.now + this.#wallOffset;
  }

  /** Somebody sets the wall clock, forwards or back; of a machine that sleeps nobody does. */
  stepClock(by: Micros): void {
    if (this.isAsleep) return;
    this.#world.trace(this.label, `the wall clock is set by ${by} us`);
    this.#wallOffset += by;
    this.#readAt = undefined;
  }

  start(): void {
    if (this.process !== 'dead' || this.isAsleep) return;
    this.life += 1;
    this.process = 'running';
    this.stopping = false;
    this.#forgetInbox();
    const { nodes } = this;
    for (const node of nodes) node.reset();
    this.#world.trace(this.label, 'starts');
    for (const node of nodes) node.startUp();
    for (const node of nodes) node.removeLeftovers();
    for (const node of nodes) node.reportAll();
  }

  /** Ends the process at once; with its host, the addresses go as well. */
  crash(what: 'process' | 'host'): void {
    if (this.isAsleep) return;
    if (what === 'host') for (const node of this.nodes) node.powerOff();
    if (this.process === 'dead') return;
    this.#world.trace(this.label, `${what} dies`);
    this.#end();
  }

  pause(): void {
    if (this.process !== 'running' || this.isAsleep) return;
    this.#world.trace(this.label, 'paused');
    this.process = 'paused';
  }

  /** What came meanwhile is handled after the timers or before them, as chance has it. */
  resume(): void {
    if (this.process !== 'paused' || this.isAsleep) return;
    this.#world.trace(this.label, 'resumes');
    this.#goOn();
  }

  /** The machine is suspended and does nothing at all until it wakes. */
  sleep(): void {
    if (this.isAsleep) return;
    this.#world.trace(this.label, 'the machine is suspended');
    // A step of the wall clock that undoes just what the sleep adds to it would hide the sleep (docs/decisions/0002):
    // the agent has looked at the clock between the two.
    this.#readAt = undefined;
    this.#elections = this.elections;
    this.isAsleep = true;
    this.#asleepSince = this.#world.timeline.now;
    this.#pausedBeforeSleep = this.process === 'paused';
    if (this.process === 'running') this.process = 'paused';
    for (const node of this.nodes) node.freeze();
  }

  /** Not before it has slept at all. */
  wake(): void {
    const { now } = this.#world.timeline;
    if (!this.isAsleep || now < this.#asleepSince + SHORTEST_SLEEP) return;
    this.#world.trace(this.label, 'the machine wakes');
    this.isAsleep = false;
    this.#slept += now - this.#asleepSince;
    this.#readAt = undefined;
    for (const node of this.nodes) node.thaw();
    if (this.process === 'paused' && !this.#pausedBeforeSleep) this.#goOn();
  }

  #goOn(): void {
    this.process = 'running';
    const queued = [...this.#inbox];
    this.#forgetInbox();
    const timers = this.nodes.map((node) => ({ handle: () => node.catchUp(), isFrame: true }));
    const handlers = this.#world.random.chance(0.7) ? [...timers, ...queued] : [...queued, ...timers];
    // A configuration is in force at the next start, if the process ends before it comes to read it.
    for (const { handle, isFrame } of handlers) if (this.process === 'running' || !isFrame) handle();
  }

  stop(handover: boolean): void {
    this.#stop(handover ? 'planned stop' : 'abrupt stop', { kind: 'shutdown', handover });
  }

  /** Stops with everything left in place; the next start goes on with it. */
  suspend(): void {
    this.#stop('suspended', { kind: 'suspend' });
  }

  #stop(how: string, input: Input): void {
    if (this.process !== 'running' || this.stopping) return;
    this.#world.trace(this.label, how);
    this.stopping = true;
    for (const node of this.nodes) if (this.process === 'running') node.feed(input);
  }

  /** A frame that the agent does not read now; one that nobody reads in time is lost. */
  queue(input: () => void): void {
    if (this.process === 'paused' && !this.isAsleep && this.#framesQueued < SOCKET_BUFFER) {
      this.#framesQueued += 1;
      this.#inbox.push({ handle: input, isFrame: true });
    }
  }

  /** Something from the host itself. Without an agent it is done as well, for the next one. */
  handle(input: () => void): void {
    if (this.process === 'paused') this.#inbox.push({ handle: input, isFrame: false });
    else input();
  }

  /** After some time, unless the process ends before. */
  later(delay: Micros, input: () => void): void {
    const { life } = this;
    this.#world.timeline.after(delay, () => {
      if (life === this.life && this.process !== 'dead') this.handle(input);
    });
  }

  /** Everybody has stopped: so does the process. */
  endIfStopped(): void {
    if (!this.nodes.every(({ member: { phase } }) => phase.name === 'initialize')) return;
    this.#end();
    this.#world.trace(this.label, 'stopped');
  }

  #end(): void {
    this.process = 'dead';
    this.stopping = false;
    this.life += 1;
    for (const node of this.nodes) node.disarm();
    const configuration = this.#inbox.filter(({ isFrame }) => !isFrame);
    this.#forgetInbox();
    for (const { handle } of configuration) handle();
  }

  #forgetInbox(): void {
    this.#inbox.length = 0;
    this.#framesQueued = 0;
  }
}
