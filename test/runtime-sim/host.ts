/** A simulated host: its kernel, the agent's process on it, and the worker thread as the election sees it. */
import type { Election } from '../../agent/runtime/election.js';
import type {
  ElectionStatus,
  FromElection,
  Occurrence,
  ResumedRouter,
  ToElection,
} from '../../agent/runtime/messages.js';
import type { StateName, TrackState } from '../../agent/vrrp/index.js';
import type { Family, IpAddress } from '../../proto/rules/ip.js';
import type { Instant, Micros, Millis } from '../../proto/rules/time.js';
import type { Random } from '../sim/random.js';
import type { Timeline } from '../sim/timeline.js';
import { Conduct } from './conduct.js';
import { SimKernel } from './kernel.js';
import { addressesOf, type ClusterPlan, FATAL, type RouterPlan, settingsFor, WEIGHTED } from './plan.js';
import { type ProcessHost, SimProcess } from './process.js';
import type { Sabotage } from './sabotage.js';
import type { Frame, Segment } from './segment.js';

/** A worker listens, has its configuration and its first results by then. */
export const WORKER_START: Micros = 300_000;
/** Messages between the threads. */
const LONGEST_MESSAGE: Micros = 300;
const WALL_START: Millis = 1_700_000_000_000;

export interface Place {
  readonly number: number;
  readonly timeline: Timeline;
  readonly random: Random;
  readonly sabotage: Sabotage;
  readonly segments: ReadonlyMap<string, Segment>;
  violate(invariant: string, what: string): never;
  /** The same where nobody would catch it. */
  note(invariant: string, what: string): void;
  /** Throws what was violated inside the election loop, which takes it for a fault of its own. */
  rethrow(): void;
  trace(who: string, line: string): void;
  transitioned(host: SimHost, occurrence: Extract<Occurrence, { kind: 'transition' }>): void;
}

type Transition = Extract<Occurrence, { kind: 'transition' }>;

/** The worker thread's part in a simulation that has controllers; without one the host's plan is put in force. */
export interface HostWorker {
  /** It runs and the election listens to it. */
  started(): void;
  received(message: FromElection): void;
  /** It died, alone or with its process. */
  ended(): void;
}

export class SimHost implements ProcessHost {
  readonly label: string;
  readonly timeline: Timeline;
  readonly random: Random;
  readonly sabotage: Sabotage;
  readonly kernel: SimKernel;
  process: SimProcess | undefined;
  isStopping = false;
  /** How far the wall clock is off. */
  wallError: Millis = 0;
  /** What its checks would find. */
  readonly reality = new Map<string, TrackState>([
    [FATAL, 'up'],
    [WEIGHTED, 'up'],
  ]);
  /** What the worker was told last to run, and what the election has put in force. */
  plan: ClusterPlan;
  inForce: ClusterPlan | undefined;
  worker: HostWorker | undefined;
  /** By router, as the worker was told; only what this process has said. */
  readonly states = new Map<string, { readonly name: StateName; readonly cause: string; readonly since: Instant }>();
  /** Occurrences that waited while no worker listened, told to the last one that came. */
  backlog = 0;
  /** For how long its processes have been paused in all. */
  pausedFor: Micros = 0;
  #pausedAt: Instant = 0;
  /** Since when the process runs without a pause. */
  calmSince: Instant = 0;
  readonly #conduct: Conduct;
  #isWorkerUp = false;
  #isListening = false;
  /** Counts workers, so that what one was about to say dies with it. */
  #workers = 0;
  #nonce = 0;
  #status: ElectionStatus | undefined;
  #ending: SimProcess | undefined;
  #resumable: readonly ResumedRouter[] = [];

  constructor(
    readonly place: Place,
    plan: ClusterPlan,
  ) {
    const { number, timeline, random, sabotage } = place;
    this.label = `host ${number}`;
    this.timeline = timeline;
    this.random = random;
    this.sabotage = sabotage;
    this.plan = plan;
    const own = plan.hosts[number] ?? [];
    this.kernel = new SimKernel(timeline, random, number, own, (address) => this.#conduct.leaseEnded(address));
    this.#conduct = new Conduct(this);
    this.kernel.listeners.add(() => this.#conduct.moved());
    for (const [device, segment] of place.segments) {
      segment.attach((frame, from) => this.#receive(frame, from, device, segment));
    }
  }

  get isRunning(): boolean {
    return this.process?.state === 'running';
  }

  get isListening(): boolean {
    return this.#isListening;
  }

  isActive(router: string): boolean {
    return this.process !== undefined && this.process.state !== 'dead' && this.states.get(router)?.name === 'active';
  }

  holds(router: RouterPlan): boolean {
    return addressesOf(router).every((address) => this.kernel.holds(address));
  }

  holdsAny(router: RouterPlan): boolean {
    return addressesOf(router).some((address) => this.kernel.holds(address));
  }

  // Its life

  start(): void {
    if (this.process !== undefined) return;
    this.place.trace(this.label, 'starts');
    this.states.clear();
    this.#conduct.forget();
    this.inForce = undefined;
    this.isStopping = false;
    this.calmSince = this.timeline.now;
    this.process = new SimProcess(this);
    this.#startWorker();
  }

  /** SIGKILL; with the host, the addresses go as well. */
  crash(what: 'process' | 'host'): void {
    if (what === 'host') this.kernel.reboot();
    if (this.process === undefined) return;
    this.place.trace(this.label, `${what} dies`);
    this.#resumable = [];
    this.#end();
  }

  pause(): void {
    if (!this.isRunning) return;
    this.place.trace(this.label, 'paused');
    this.#pausedAt = this.timeline.now;
    this.process?.pause();
  }

  resume(): void {
    if (this.process?.state !== 'paused') return;
    this.place.trace(this.label, 'resumes');
    this.pausedFor += this.timeline.now - this.#pausedAt;
    this.calmSince = this.timeline.now;
    this.process.resume();
  }

  stop(handover: boolean): void {
    this.#act(handover ? 'planned stop' : 'abrupt stop', (election) => election.shutdown(handover));
  }

  suspend(): void {
    this.#act('suspended', (election) => election.suspend());
  }

  /** The worker thread dies; another one comes soon. */
  loseWorker(): void {
    if (!this.isRunning || !this.#isWorkerUp) return;
    this.place.trace(this.label, 'the worker dies');
    this.#isWorkerUp = false;
    this.#isListening = false;
    this.#workers += 1;
    this.worker?.ended();
    this.process?.loseWorker();
    const { process } = this;
    this.timeline.after(this.random.between(50_000, 3_000_000), () => {
      if (process === undefined || process !== this.process || process.state === 'dead') return;
      process.newWorker();
      this.#startWorker();
    });
  }

  /** Another configuration comes to the worker. */
  push(plan: ClusterPlan): void {
    if (plan.generation <= this.plan.generation) return;
    this.plan = plan;
    if (!this.#isWorkerUp) return;
    this.place.trace(this.label, `configuration ${plan.generation}`);
    this.#configure();
  }

  /** A message of the worker that the simulation has put in the place of its own; with a configuration its plan. */
  say(message: ToElection, plan: ClusterPlan | undefined): void {
    this.#say(() => {
      if (plan !== undefined) {
        this.plan = plan;
        this.inForce = plan;
      }
      this.process?.tell(message);
    });
  }

  /** What a former process left; once. */
  takeResumable(): readonly ResumedRouter[] {
    const resumed = this.#resumable;
    this.#resumable = [];
    return resumed;
  }

  /** What a check finds changes. */
  turn(check: string, state: TrackState): void {
    if (this.reality.get(check) === state) return;
    this.reality.set(check, state);
    this.place.trace(this.label, `${check} is ${state}`);
    if (this.#isWorkerUp) this.#report(check);
  }

  /** The election's own account of itself; undefined while it cannot be asked. */
  status(): ElectionStatus | undefined {
    if (!this.isRunning || !this.#isWorkerUp) return undefined;
    this.#status = undefined;
    this.#nonce += 1;
    this.process?.tell({ kind: 'statusRequest', id: this.#nonce });
    return this.#status;
  }

  // ProcessHost

  wallMs(): Millis {
    return WALL_START + Math.floor(this.timeline.now / 1_000) + this.wallError;
  }

  transmit(device: string, frame: Frame): void {
    if (frame.kind === 'announcement') this.#conduct.announced(frame.address);
    this.place.segments.get(device)?.broadcast(this.place.number, frame);
  }

  advertised(bytes: Uint8Array, family: Family, device: string): void {
    this.#conduct.advertised(bytes, family, device);
  }

  told(message: FromElection): void {
    this.worker?.received(message);
    switch (message.kind) {
      case 'configured':
        if (message.problems.length > 0 && !this.isStopping) {
          this.place.violate('I-8', `${this.label} refuses its configuration: ${message.problems[0]?.reason}`);
        }
        return;
      case 'status':
        this.#status = message.status;
        return;
      case 'occurrence':
        this.#occurred(message.occurrence);
        return;
      case 'stopped':
        this.#resumable = message.resumable;
        return;
    }
  }

  settled(): void {
    this.place.rethrow();
    if (this.isStopping && this.process?.open === 0) this.#stopped();
    this.#conduct.settled();
  }

  /** The address that it can send from at present. */
  sourceFor(router: RouterPlan): IpAddress | undefined {
    const own = this.plan.hosts[this.place.number]?.find(
      ({ device, address }) => device === router.device && (typeof address === 'bigint' ? 6 : 4) === router.family,
    );
    return own !== undefined && this.kernel.holds(own.address) ? own.address : undefined;
  }

  // Inside

  #act(how: string, action: (election: Election) => void): void {
    if (!this.isRunning || this.isStopping) return;
    this.place.trace(this.label, how);
    this.isStopping = true;
    this.process?.act(action);
  }

  #startWorker(): void {
    this.#isWorkerUp = true;
    const worker = this.#workers;
    const later = (least: Micros, most: Micros, what: () => void) =>
      this.timeline.after(this.random.between(least, most), () => {
        if (worker === this.#workers && this.#isWorkerUp) what();
      });
    later(1_000, WORKER_START / 3, () => {
      this.backlog = 0;
      this.process?.tell({ kind: 'workerReady' });
      // What was kept until now is history, and is not judged by what is done in the same turn.
      this.process?.act(() => {
        if (worker === this.#workers) this.#isListening = true;
      });
      if (this.worker === undefined) this.#configure();
      else this.worker.started();
      for (const check of this.reality.keys()) later(1_000, (WORKER_START * 2) / 3, () => this.#report(check));
    });
  }

  #configure(): void {
    const { plan } = this;
    const { number } = this.place;
    const resumed = this.takeResumable();
    this.#nonce += 1;
    const nonce = this.#nonce;
    const settings = settingsFor(plan, number);
    this.#say(() => {
      // Before the transitions that it causes are judged.
      this.inForce = plan;
      this.process?.tell({ kind: 'configure', nonce, settings, ...(resumed.length > 0 && { resumed }) });
    });
  }

  #report(id: string): void {
    this.#say(() => {
      const state = this.reality.get(id);
      if (state !== undefined) this.process?.tell({ kind: 'track', id, state });
    });
  }

  /** A message of the worker is on its way. */
  #say(what: () => void): void {
    const worker = this.#workers;
    this.timeline.after(LONGEST_MESSAGE, () => {
      if (worker === this.#workers) what();
    });
  }

  #occurred(occurrence: Occurrence): void {
    this.backlog += 1;
    if (occurrence.kind === 'transition') this.#transitioned(occurrence);
    if (occurrence.kind === 'leaseLost')
      this.place.trace(this.label, `${occurrence.router} was away for ${occurrence.away} us`);
    if (occurrence.kind === 'log' && /fault of the program/.test(occurrence.message)) {
      this.place.violate('fault', `${this.label}: ${occurrence.message}: ${String(occurrence.fields['detail'])}`);
    }
  }

  #transitioned(occurrence: Transition): void {
    const { router, from, to, cause, sentence } = occurrence;
    this.states.set(router, { name: to, cause, since: occurrence.at });
    this.#conduct.moved();
    this.place.trace(this.label, `${router} ${from} -> ${to}: ${sentence}`);
    this.place.transitioned(this, occurrence);
  }

  /** Everything is closed: the process ends, whether or not there is a worker to tell. */
  #stopped(): void {
    const { process } = this;
    if (process === this.#ending) return;
    this.#ending = process;
    this.place.trace(this.label, 'stopped');
    this.timeline.at(this.timeline.now, () => {
      if (process === this.process) this.#end();
    });
  }

  #end(): void {
    this.process?.die();
    this.process = undefined;
    this.isStopping = false;
    if (this.#isWorkerUp) this.worker?.ended();
    this.#isWorkerUp = false;
    this.#isListening = false;
    this.#workers += 1;
    this.inForce = undefined;
    this.states.clear();
    this.#conduct.forget();
  }

  #receive(frame: Frame, from: number, device: string, segment: Segment): void {
    if (frame.kind === 'question') {
      const hardwareAddress = this.kernel.answerFor(frame.address, device);
      const answer: Frame = {
        kind: 'answer',
        address: frame.address,
        hardwareAddress: hardwareAddress ?? new Uint8Array(6),
      };
      if (hardwareAddress !== undefined && from >= 0) segment.send(this.place.number, from, answer);
      return;
    }
    const isOurs = frame.kind !== 'packet' || isGroup(frame.destination) || this.kernel.holds(frame.destination);
    if (isOurs) this.process?.receive(frame, device);
  }
}

function isGroup(address: IpAddress): boolean {
  return typeof address === 'bigint' ? address >> 120n === 0xffn : address >>> 28 === 14;
}
