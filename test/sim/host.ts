/**
 * One host of a simulation: a process that can die, pause, stop or be suspended, and the members of virtual routers that
 * run in it, each by itself or as a sync group. It watches what must hold between the members of a group.
 */
import type { Input, Micros, SyncGroup } from '../../agent/vrrp/index.js';
import type { SimNode } from './node.js';
import { failsFatally } from './oracle.js';
import type { Surroundings } from './surroundings.js';

const SOCKET_BUFFER = 512;

export class SimHost {
  process: 'running' | 'paused' | 'dead' = 'dead';
  /** A stop is under way. */
  stopping = false;
  /** Counts the runs of the process: what was begun in one is nothing to the next. */
  life = 0;
  group: SyncGroup | undefined;
  readonly nodes: SimNode[] = [];
  readonly #members = new Map<string, SimNode>();
  readonly label: string;
  readonly #world: Surroundings;
  readonly #inbox: (() => void)[] = [];

  constructor(world: Surroundings, label: string, group?: SyncGroup) {
    this.#world = world;
    this.label = label;
    this.group = group;
  }

  add(node: SimNode): void {
    this.nodes.push(node);
    this.#members.set(node.router.name, node);
  }

  /** Whether its group, or its only member, could be active: nothing that really is keeps it in fault. */
  get candidate(): boolean {
    if (this.process !== 'running' || this.stopping) return false;
    const isFit = (node: SimNode) => !node.fails;
    return this.group?.policy === 'any' ? this.nodes.some(isFit) : this.nodes.every(isFit);
  }

  start(): void {
    if (this.process !== 'dead') return;
    this.life += 1;
    this.process = 'running';
    this.stopping = false;
    this.#inbox.length = 0;
    for (const node of this.nodes) node.reset();
    this.#world.trace(this.label, 'starts');
    for (const node of this.nodes) node.startUp();
    for (const node of this.nodes) node.removeLeftovers();
    for (const node of this.nodes) node.reportAll();
  }

  /** Ends the process at once; with its host, the addresses go as well. */
  crash(what: 'process' | 'host'): void {
    if (what === 'host') for (const node of this.nodes) node.powerOff();
    if (this.process === 'dead') return;
    this.#world.trace(this.label, `${what} dies`);
    this.#end();
  }

  pause(): void {
    if (this.process !== 'running') return;
    this.#world.trace(this.label, 'paused');
    this.process = 'paused';
  }

  /** What came meanwhile is handled after the timers or before them, as chance has it. */
  resume(): void {
    if (this.process !== 'paused') return;
    this.#world.trace(this.label, 'resumes');
    this.process = 'running';
    const queued = this.#inbox.splice(0);
    const timers = this.nodes.map((node) => () => node.catchUp());
    const handlers = this.#world.random.chance(0.7) ? [...timers, ...queued] : [...queued, ...timers];
    for (const handle of handlers) if (this.process === 'running') handle();
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

  /** Another policy, in force at once. */
  regroup(policy: SyncGroup['policy']): void {
    if (this.group === undefined) return;
    this.group = { ...this.group, policy };
    const [first] = this.nodes;
    if (first !== undefined && this.process !== 'dead') {
      this.handle(() => first.feed({ kind: 'reconfigured', previous: first.router }));
    }
  }

  handle(input: () => void): void {
    if (this.process === 'running') input();
    else if (this.process === 'paused' && this.#inbox.length < SOCKET_BUFFER) this.#inbox.push(input);
  }

  /** After some time, unless the process ends before. */
  later(delay: Micros, input: () => void): void {
    const { life } = this;
    this.#world.timeline.after(delay, () => {
      if (life === this.life) this.handle(input);
    });
  }

  /** An input for one of the members, decided and carried out. */
  decide(node: SimNode, input: Input): void {
    const { core, timeline } = this.#world;
    if (this.group === undefined) {
      node.take(core.step(node.router, node.member, input, timeline.now), input);
    } else {
      const { name } = node.router;
      const from = node.member.phase.name;
      const steps = core.stepGroup(this.group, this.#members, name, input, timeline.now);
      for (const step of steps) this.#members.get(step.name)?.take(step, step.name === name ? input : undefined);
      if (steps.length > 1 || node.member.phase.name !== from) this.#checkGroup(this.group);
    }
    if (this.stopping && this.nodes.every(({ member: { phase } }) => phase.name === 'initialize')) {
      this.#end();
      this.#world.trace(this.label, 'stopped');
    }
  }

  #end(): void {
    this.process = 'dead';
    this.stopping = false;
    this.life += 1;
    this.#inbox.length = 0;
  }

  /** I-5 and I-6: members are active together, and in fault together if that is the policy. */
  #checkGroup({ policy }: SyncGroup): void {
    const inPhase = (name: string) => this.nodes.filter(({ member: { phase } }) => phase.name === name);
    const serving = this.nodes.filter((node) => node.active);
    const [backups, faults] = [inPhase('backup'), inPhase('fault')];
    const isFailing = (node: SimNode) => failsFatally(node.router, (id) => node.member.tracks[id]);
    if (serving.length > 0 && backups.length > 0) {
      this.#violate('I-6', `${labels(serving)} active, ${labels(backups)} backup`);
    }
    if (policy === 'all' && faults.length > 0 && serving.length + backups.length > 0) {
      this.#violate('I-6', `${labels(faults)} in fault, ${labels([...serving, ...backups])} not`);
    }
    const heldForNothing = policy === 'all' && faults.some(isFailing) ? [] : faults.filter((node) => !isFailing(node));
    if (heldForNothing.length > 0) this.#violate('I-5', `${labels(heldForNothing)} in fault for nothing`);
  }

  #violate(invariant: string, what: string): void {
    this.#world.violate(invariant, `${this.label}: ${what}`);
  }
}

function labels(nodes: readonly SimNode[]): string {
  return nodes.map(({ label }) => label).join(', ');
}
