/**
 * One node of the search as numbers: each of its states has one, and what an input makes of a state is asked of the core
 * once and then remembered, which is exact since the core is a function.
 *
 * A state is what the core has of it, relative to now, and what the host has besides: whether the process runs, how long
 * the kernel still holds the addresses, whether the check really is good. Left out is what no decision depends on here:
 * who was heard last, the reason that goes with an expired timer, notices that were given.
 */
import {
  type Effect,
  type Input,
  type Instant,
  initialMember,
  leaseDuration,
  type Member as MemberState,
  type Micros,
  type Phase,
  pauseLimit,
} from '../../agent/vrrp/index.js';
import { CHECK, INTERVAL, type Member } from './scenario.js';

/** What is searched of a core. */
export interface SearchedCore {
  step(
    router: Member['router'],
    member: MemberState,
    input: Input,
    now: Instant,
  ): { readonly member: MemberState; readonly effects: readonly Effect[] };
  nextDeadline(router: Member['router'], member: MemberState): Instant | undefined;
}

export interface NodeState {
  readonly process: 'running' | 'paused' | 'dead';
  /** Relative to NOW. */
  readonly member: MemberState;
  /** Quanta that the kernel still holds the addresses for; 0: it does not. */
  readonly lease: number;
  readonly isHealthy: boolean;
  /** What the core was told of the check last. */
  readonly told: 'up' | 'down' | undefined;
}

/** What a step did. */
export interface Move {
  readonly to: number;
  /** Priorities of the advertisements that were sent. */
  readonly sent: readonly number[];
  /** For people. */
  readonly says: readonly string[];
}

/** The core has got into a state that this search has no number for. */
export class Unmodelled extends Error {
  readonly code = 'SEARCH_UNMODELLED';
  override readonly name = 'Unmodelled';
}

/** Every state is looked at at this instant. */
const NOW: Instant = 1_000_000_000;
/** A timer that is so late is as late as can be: the core asks whether by more than 5 ms. */
const LATEST_DOWN = -1;

type Active = Extract<Phase, { readonly name: 'active' }>;
type Backup = Extract<Phase, { readonly name: 'backup' }>;

export class NodeMachine {
  readonly states: NodeState[] = [];
  /** Steps that the core was asked for. */
  asked = 0;
  readonly #member: Member;
  readonly #core: SearchedCore;
  readonly #quantum: Micros;
  readonly #lease: number;
  /** An active router that was silent for longer was silent for ever. */
  readonly #longestSilence: number;
  readonly #numbers = new Map<string, number>();
  readonly #moves = new Map<string, Move>();
  readonly #changes = new Map<string, Map<number, number>>();
  readonly #isDue: boolean[] = [];
  readonly #aged: (number | undefined)[] = [];

  constructor(member: Member, core: SearchedCore, quantum: Micros) {
    this.#quantum = quantum;
    this.#member = member;
    this.#core = core;
    const { router } = member;
    this.#lease = Math.ceil(leaseDuration(router) / quantum);
    this.#longestSilence = Math.ceil(pauseLimit(router, router.priority) / quantum) + 1;
  }

  /** Before its first start. */
  get initial(): number {
    const member = initialMember(this.#member.router);
    return this.#numberOf({ process: 'dead', member, lease: 0, isHealthy: true, told: undefined }, NOW);
  }

  state(number: number): NodeState {
    const state = this.states[number];
    if (state === undefined) throw new RangeError(`there is no state ${number}`);
    return state;
  }

  /** Whether its timer is due. */
  isDue(number: number): boolean {
    const known = this.#isDue[number];
    if (known !== undefined) return known;
    const { process, member } = this.state(number);
    const deadline = this.#core.nextDeadline(this.#member.router, member);
    const due = process === 'running' && deadline !== undefined && deadline <= NOW;
    this.#isDue[number] = due;
    return due;
  }

  /** Whether the core has not been told yet how the check is. */
  isToBeTold(number: number): boolean {
    const { process, isHealthy, told } = this.state(number);
    return process === 'running' && told !== (isHealthy ? 'up' : 'down');
  }

  /** A quantum passes. */
  aged(number: number): number {
    const known = this.#aged[number];
    if (known !== undefined) return known;
    const state = this.state(number);
    const aged = this.#numberOf({ ...state, lease: Math.max(0, state.lease - 1) }, NOW + this.#quantum);
    this.#aged[number] = aged;
    return aged;
  }

  tick(number: number): Move {
    return this.#remembered(`t${number}`, () => this.#fed(number, [{ kind: 'tick' }]));
  }

  hear(number: number, from: Member, priority: number): Move {
    return this.#remembered(`h${number} ${from.name} ${priority}`, () =>
      this.#fed(number, [
        {
          kind: 'advertisement',
          source: from.source,
          local: this.#member.source,
          advertisement: { priority, interval: INTERVAL, addresses: this.#member.router.addresses },
        },
      ]),
    );
  }

  tell(number: number): Move {
    return this.#remembered(`c${number}`, () => this.#fed(number, [this.#checkResult(this.state(number))]));
  }

  start(number: number): Move {
    return this.#remembered(`s${number}`, () => {
      const state: NodeState = { ...this.state(number), process: 'running' };
      const started = this.#run(state, [this.#checkResult(state), { kind: 'startup' }]);
      // The runtime removes what a former process left.
      const lease = started.state.member.phase.name === 'active' ? started.state.lease : 0;
      return { ...started.move, to: this.#numberOf({ ...started.state, lease }, NOW) };
    });
  }

  /** A planned stop. */
  stop(number: number): Move {
    return this.#remembered(`x${number}`, () => this.#fed(number, [{ kind: 'shutdown', handover: true }]));
  }

  crash(number: number): number {
    return this.#become(number, 'dead', () => ({
      process: 'dead',
      member: initialMember(this.#member.router),
      told: undefined,
    }));
  }

  /** The process is not scheduled any more, or again. */
  schedule(number: number, process: 'running' | 'paused'): number {
    return this.#become(number, process, () => ({ process }));
  }

  health(number: number, isHealthy: boolean): number {
    return this.#become(number, isHealthy ? 'well' : 'ill', () => ({ isHealthy }));
  }

  #become(number: number, what: string, change: () => Partial<NodeState>): number {
    const known = (this.#changes.get(what) ?? new Map<number, number>()).get(number);
    if (known !== undefined) return known;
    const changed = this.#numberOf({ ...this.state(number), ...change() }, NOW);
    const changes = this.#changes.get(what) ?? new Map<number, number>();
    this.#changes.set(what, changes.set(number, changed));
    return changed;
  }

  #checkResult({ isHealthy }: NodeState): Extract<Input, { readonly kind: 'track' }> {
    return { kind: 'track', id: CHECK, state: isHealthy ? 'up' : 'down' };
  }

  #remembered(question: string, answer: () => Move): Move {
    const known = this.#moves.get(question);
    if (known !== undefined) return known;
    const move = answer();
    this.#moves.set(question, move);
    return move;
  }

  #fed(number: number, inputs: readonly Input[]): Move {
    const { state, move } = this.#run(this.state(number), inputs);
    return { ...move, to: this.#numberOf(state, NOW) };
  }

  #run(before: NodeState, inputs: readonly Input[]): { readonly state: NodeState; readonly move: Omit<Move, 'to'> } {
    let { process, member, lease, told } = before;
    const sent: number[] = [];
    const says: string[] = [];
    for (const input of inputs) {
      this.asked += 1;
      const wasStarted: boolean = member.phase.name !== 'initialize';
      const outcome = this.#core.step(this.#member.router, member, input, NOW);
      member = outcome.member;
      if (input.kind === 'track') told = input.state === 'up' ? 'up' : 'down';
      for (const effect of outcome.effects) {
        switch (effect.kind) {
          case 'advertise':
            sent.push(effect.priority);
            says.push(`advertises ${effect.priority}`);
            break;
          case 'addAddresses':
          case 'renewAddresses':
            lease = this.#lease;
            says.push(effect.kind === 'addAddresses' ? 'adds the addresses' : 'renews the lease');
            break;
          case 'removeAddresses':
            lease = 0;
            says.push('removes the addresses');
            break;
          case 'transitioned':
            says.push(`${effect.from} -> ${effect.to} (${effect.reason.code})`);
            break;
          case 'pausedTooLong':
            says.push('was away too long');
            break;
          case 'noticed':
          case 'lowerPriorityHeard':
          case 'listenForAnnouncements':
          case 'announceAddresses':
            break;
          case 'probeAddresses':
          case 'syncAddresses':
            throw new Unmodelled(`the effect ${effect.kind}`);
        }
      }
      // Stopped: the process ends.
      if (wasStarted && member.phase.name === 'initialize') {
        process = 'dead';
        told = undefined;
        member = initialMember(this.#member.router);
      }
    }
    return { state: { ...before, process, member, lease, told }, move: { sent, says } };
  }

  #numberOf(state: NodeState, now: Instant): number {
    const { process, member, lease, isHealthy, told } = state;
    const phase = this.#normal(member.phase, now);
    const track = member.tracks[CHECK];
    const key = `${process} ${told} ${track} ${lease} ${isHealthy} ${JSON.stringify(phase)}`;
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    const tracks: MemberState['tracks'] = track === undefined ? {} : { [CHECK]: track };
    const number = this.states.length;
    this.states.push({ process, lease, isHealthy, told, member: { phase, tracks, noticed: [] } });
    this.#numbers.set(key, number);
    return number;
  }

  /** Relative to NOW what was relative to `now`; deadlines are on a quantum, or on the next one. */
  #normal(phase: Phase, now: Instant): Phase {
    switch (phase.name) {
      case 'initialize':
      case 'fault':
        return phase;
      case 'backup':
        return this.#normalBackup(phase, now);
      case 'active':
        return this.#normalActive(phase, now);
    }
  }

  #normalActive(phase: Active, now: Instant): Phase {
    requireNone(phase, ['announceAt', 'announceRepeat', 'refreshAt', 'answered', 'ownerConflict']);
    const { handover, renewAt } = phase;
    const silence = Math.floor((now - phase.lastAdvertAt) / this.#quantum);
    return {
      name: 'active',
      lastAdvertAt: NOW - Math.min(silence, this.#longestSilence) * this.#quantum,
      // Its grid is what matters of an advertisement that is overdue, and that ends with an interval.
      adverAt: this.#onQuantum(phase.adverAt, now, -INTERVAL / this.#quantum),
      ...(renewAt !== undefined && { renewAt: this.#onQuantum(renewAt, now, -this.#lease) }),
      ...(handover !== undefined && {
        handover: {
          until: this.#onQuantum(handover.until, now, 0),
          ...(handover.repeatAt !== undefined && { repeatAt: this.#onQuantum(handover.repeatAt, now, 0) }),
          ...(handover.releaseAt !== undefined && { releaseAt: this.#onQuantum(handover.releaseAt, now, 0) }),
        },
      }),
    };
  }

  #normalBackup(phase: Backup, now: Instant): Phase {
    requireNone(phase, ['preemptAt', 'wantsActive', 'probing']);
    if (phase.activeAdverInterval !== INTERVAL) throw new Unmodelled('a learned interval');
    return {
      name: 'backup',
      activeDownAt: this.#onQuantum(phase.activeDownAt, now, LATEST_DOWN),
      activeAdverInterval: INTERVAL,
      ...(phase.listening && { listening: true }),
    };
  }

  /** The quantum of a deadline or the next one; so many quanta ago at the least. */
  #onQuantum(at: Instant, now: Instant, least: number): Instant {
    return NOW + Math.max(least, Math.ceil((at - now) / this.#quantum)) * this.#quantum;
  }
}

function requireNone<P extends Phase>(phase: P, fields: readonly (keyof P & string)[]): void {
  for (const field of fields) if (phase[field] !== undefined) throw new Unmodelled(`${phase.name} with ${field}`);
}
