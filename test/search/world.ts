/**
 * All nodes and the advertisements between them: what can happen next, one thing at a time.
 *
 * An advertisement to a node that runs is delivered, lost, or delayed by a quantum; one to a node that is paused waits for
 * it. Timers are punctual while a node runs: time passes only when nothing is due.
 */
import { type Move, NodeMachine, type NodeState, type SearchedCore } from './node-machine.js';
import type { Fault, Scenario } from './scenario.js';

/** Advertisements from one node to another that are under way at most; the oldest is lost. */
const MOST_UNDER_WAY = 1;
/** Quanta that one may be under way for. */
const LONGEST_DELAY = 1;

interface Advertisement {
  readonly from: number;
  readonly to: number;
  readonly priority: number;
  /** Quanta. */
  readonly age: number;
}

/** Numbers of the nodes' states, and what is under way in a canonical order. */
export interface WorldState {
  readonly nodes: readonly number[];
  readonly underWay: readonly Advertisement[];
  /** Faults that may still happen; Infinity: any number. */
  readonly budget: number;
}

export interface Event {
  readonly to: WorldState;
  /** Time passed. */
  readonly passes: boolean;
  /** For people; made when it is asked for. */
  readonly says: () => readonly string[];
}

export class SearchWorld {
  readonly machines: readonly NodeMachine[];
  readonly #scenario: Scenario;
  readonly #names: readonly string[];

  constructor(scenario: Scenario, core: SearchedCore) {
    this.#scenario = scenario;
    this.#names = scenario.members.map(({ name }) => name);
    this.machines = scenario.members.map((member) => new NodeMachine(member, core, scenario.quantum));
  }

  get initial(): WorldState {
    return {
      nodes: this.machines.map(({ initial }) => initial),
      underWay: [],
      budget: this.#scenario.budget ?? Number.POSITIVE_INFINITY,
    };
  }

  /** The same text for the same state. */
  keyOf({ nodes, underWay, budget }: WorldState): string {
    const codes = [budget === Number.POSITIVE_INFINITY ? 0 : budget + 1, ...nodes];
    for (const { from, to, priority, age } of underWay) {
      codes.push((from * this.#names.length + to) * 2 + age, priority);
    }
    return String.fromCharCode(...codes);
  }

  stateOf(key: string): WorldState {
    const count = this.#names.length;
    const budget = key.charCodeAt(0);
    const underWay: Advertisement[] = [];
    for (let at = 1 + count; at < key.length; at += 2) {
      const code = key.charCodeAt(at);
      const link = code >> 1;
      const from = Math.floor(link / count);
      underWay.push({ from, to: link % count, priority: key.charCodeAt(at + 1), age: code & 1 });
    }
    return {
      nodes: Array.from({ length: count }, (_, index) => key.charCodeAt(1 + index)),
      underWay,
      budget: budget === 0 ? Number.POSITIVE_INFINITY : budget - 1,
    };
  }

  node(state: WorldState, index: number): NodeState {
    const number = state.nodes[index];
    const machine = this.machines[index];
    if (number === undefined || machine === undefined) throw new RangeError(`there is no node ${index}`);
    return machine.state(number);
  }

  /** What can happen without a fault. Where several things can, each may be the first. */
  calm(state: WorldState): readonly Event[] {
    const events = this.#dueEvents(state);
    return events.length > 0 ? events : [this.#timePasses(state)];
  }

  /** What can happen. */
  all(state: WorldState): readonly Event[] {
    const events = [...this.#dueEvents(state), ...this.#delays(state), ...this.#losses(state)];
    // A moment earlier or later is the same to within a quantum, and there are far fewer orders of things.
    if (this.#isAnythingDue(state)) return events;
    for (let node = 0; node < this.machines.length; node++) this.#faultsOf(state, node, events);
    return events;
  }

  /** Timers, deliveries and news, each of which must come before time passes without a fault. */
  #dueEvents(state: WorldState): Event[] {
    const events: Event[] = [];
    for (const [node, machine] of this.machines.entries()) {
      const number = state.nodes[node] ?? 0;
      if (machine.isDue(number)) events.push(this.#moved(state, node, machine.tick(number), 'timer'));
      if (machine.isToBeTold(number))
        events.push(this.#moved(state, node, machine.tell(number), 'learns of its check'));
    }
    for (const [index, each] of state.underWay.entries()) {
      if (this.#isSame(state, index) || this.node(state, each.to).process !== 'running') continue;
      events.push(this.#delivery(state, index, each));
    }
    return events;
  }

  #isAnythingDue({ nodes }: WorldState): boolean {
    return this.machines.some(
      (machine, node) => machine.isDue(nodes[node] ?? 0) || machine.isToBeTold(nodes[node] ?? 0),
    );
  }

  /** Whether the one before it is the same. */
  #isSame({ underWay }: WorldState, index: number): boolean {
    const [one, other] = [underWay[index], underWay[index - 1]];
    return one !== undefined && other !== undefined && order(one, other) === 0;
  }

  #delivery(state: WorldState, index: number, { from, to, priority }: Advertisement): Event {
    const sender = this.#scenario.members[from];
    if (sender === undefined) throw new RangeError(`there is no node ${from}`);
    const without = { ...state, underWay: state.underWay.filter((_, at) => at !== index) };
    const move = this.machines[to]?.hear(state.nodes[to] ?? 0, sender, priority);
    if (move === undefined) throw new RangeError(`there is no node ${to}`);
    return this.#moved(without, to, move, `hears ${sender.name}'s ${priority}`);
  }

  #moved(state: WorldState, node: number, move: Move, what: string): Event {
    let { underWay } = state;
    for (const priority of move.sent) underWay = this.#sent(state, underWay, node, priority);
    // What was on its way to it finds nobody.
    const hasEnded = this.machines[node]?.state(move.to).process === 'dead';
    if (hasEnded) underWay = underWay.filter(({ to }) => to !== node);
    const to: WorldState = { ...state, nodes: replaced(state.nodes, node, move.to), underWay };
    return { to, passes: false, says: () => [`${this.#names[node]}: ${[what, ...move.says].join('; ')}`] };
  }

  #sent(state: WorldState, before: readonly Advertisement[], from: number, priority: number): readonly Advertisement[] {
    let underWay = [...before];
    for (let to = 0; to < this.#names.length; to++) {
      if (to === from || this.node(state, to).process === 'dead') continue;
      const onLink = underWay.filter((each) => each.from === from && each.to === to);
      const [oldest] = onLink.sort((one, other) => other.age - one.age);
      if (oldest !== undefined && onLink.length >= MOST_UNDER_WAY)
        underWay = underWay.filter((each) => each !== oldest);
      underWay.push({ from, to, priority, age: 0 });
    }
    return underWay.sort(order);
  }

  #timePasses(state: WorldState): Event {
    const nodes = state.nodes.map((number, index) => this.machines[index]?.aged(number) ?? number);
    return {
      to: { ...state, nodes },
      passes: true,
      says: () => [`-- a quantum passes${this.#leasesEnded(state, nodes)}`],
    };
  }

  #leasesEnded(before: WorldState, nodes: readonly number[]): string {
    const ended = this.#names.filter((_, index) => {
      const now = this.machines[index]?.state(nodes[index] ?? 0).lease;
      return this.node(before, index).lease > 0 && now === 0;
    });
    return ended.length === 0 ? '' : `; the lease of ${ended.join(' and ')} ends`;
  }

  /** Time passes: with nothing under way as ever, otherwise what is under way is delayed. */
  #delays(state: WorldState): Event[] {
    if (this.#isAnythingDue(state)) return [];
    const late = state.underWay.filter(({ to }) => this.node(state, to).process === 'running');
    if (late.length === 0) return [this.#timePasses(state)];
    if (!this.#may(state, 'delay', late.length) || late.some(({ age }) => age >= LONGEST_DELAY)) return [];
    const underWay = state.underWay.map((each) => (late.includes(each) ? { ...each, age: each.age + 1 } : each));
    const delayed = { ...state, underWay: underWay.sort(order), budget: state.budget - late.length };
    const { to } = this.#timePasses(delayed);
    const says = (): readonly string[] => [
      `-- a quantum passes, with ${late.length} advertisement${late.length === 1 ? '' : 's'} still under way`,
    ];
    return [{ to, passes: true, says }];
  }

  /** Lost on the way or at once is the same to whoever does not hear it. */
  #losses(state: WorldState): Event[] {
    if (!this.#may(state, 'loss')) return [];
    return state.underWay.flatMap((each, index): Event[] => {
      if (each.age > 0 || this.#isSame(state, index)) return [];
      const underWay = state.underWay.filter((_, at) => at !== index);
      const says = () => [`LOST: ${this.#names[each.from]}'s ${each.priority} to ${this.#names[each.to]}`];
      return [{ to: { ...state, underWay, budget: state.budget - 1 }, passes: false, says }];
    });
  }

  /** What befalls a node, and what ends it, which is no fault. */
  #faultsOf(state: WorldState, node: number, events: Event[]): void {
    const machine = this.machines[node];
    const number = state.nodes[node];
    if (machine === undefined || number === undefined) return;
    const { process, isHealthy, member } = machine.state(number);
    const befalls = (fault: Fault | undefined, says: string, to: number, underWay = state.underWay): void => {
      if (fault !== undefined && !this.#may(state, fault)) return;
      const budget = fault === undefined ? state.budget : state.budget - 1;
      const next = { nodes: replaced(state.nodes, node, to), underWay, budget };
      events.push({ to: next, passes: false, says: () => [says] });
    };
    const name = this.#names[node] ?? '';
    if (process === 'dead') {
      events.push(this.#moved(state, node, machine.start(number), 'STARTS'));
      return;
    }
    const unheard = state.underWay.filter(({ to }) => to !== node);
    befalls('crash', `CRASH: ${name}`, machine.crash(number), unheard);
    if (process === 'paused') befalls(undefined, `RESUMED: ${name}`, machine.schedule(number, 'running'));
    else befalls('pause', `PAUSED: ${name}`, machine.schedule(number, 'paused'));
    if (isHealthy) befalls('check', `CHECK FAILS: ${name}`, machine.health(number, false));
    else befalls(undefined, `CHECK RECOVERS: ${name}`, machine.health(number, true));
    const isLeaving = member.phase.name === 'active' && member.phase.handover !== undefined;
    if (process === 'running' && !isLeaving && this.#may(state, 'stop')) {
      const stopped = this.#moved(
        { ...state, budget: state.budget - 1 },
        node,
        machine.stop(number),
        'STOPS as planned',
      );
      events.push(stopped);
    }
  }

  #may({ budget }: WorldState, fault: Fault, times = 1): boolean {
    return this.#scenario.faults.has(fault) && budget >= times;
  }
}

function replaced(nodes: readonly number[], index: number, by: number): readonly number[] {
  return nodes.map((number, at) => (at === index ? by : number));
}

function order(one: Advertisement, other: Advertisement): number {
  return one.from - other.from || one.to - other.to || one.age - other.age || one.priority - other.priority;
}
