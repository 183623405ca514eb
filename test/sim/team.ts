/**
 * What one host runs of a unit: one virtual router's member, or the members of a sync group. It puts inputs to the core
 * and watches what must hold between the members of a group.
 */
import type { Input, SyncGroup } from '../../agent/vrrp/index.js';
import type { SimHost } from './host.js';
import type { SimNode } from './node.js';
import { failsFatally } from './oracle.js';
import type { Surroundings } from './surroundings.js';

export class Team {
  readonly host: SimHost;
  readonly label: string;
  readonly nodes: SimNode[] = [];
  group: SyncGroup | undefined;
  readonly #members = new Map<string, SimNode>();
  readonly #world: Surroundings;

  constructor(world: Surroundings, host: SimHost, label: string, group?: SyncGroup) {
    this.#world = world;
    this.host = host;
    this.label = label;
    this.group = group;
    host.teams.push(this);
  }

  add(node: SimNode): void {
    this.nodes.push(node);
    this.#members.set(node.router.name, node);
  }

  /** Whether it could be active: nothing that really is keeps it in fault. */
  get candidate(): boolean {
    if (this.host.process !== 'running' || this.host.stopping) return false;
    return this.group?.policy === 'any' ? this.nodes.some((node) => !node.fails) : this.isWhole;
  }

  /** Whether no member is to be in fault. */
  get isWhole(): boolean {
    return this.nodes.every((node) => !node.fails);
  }

  /** Whether any member is active and not on its way out. */
  get active(): boolean {
    return this.nodes.some((node) => node.active);
  }

  /** Another policy, in force at once. */
  regroup(policy: SyncGroup['policy']): void {
    if (this.group === undefined) return;
    this.host.handle(() => {
      if (this.group !== undefined) this.group = { ...this.group, policy };
      const [first] = this.nodes;
      if (first !== undefined && this.host.process !== 'dead') {
        first.feed({ kind: 'reconfigured', previous: first.router });
      }
    });
  }

  /** An input for one of the members, decided and carried out. */
  decide(node: SimNode, input: Input): void {
    const { core } = this.#world;
    const now = core.now(this.host);
    if (this.group === undefined) {
      node.take(core.step(node.router, node.member, input, now), input);
    } else {
      const { name } = node.router;
      const from = node.member.phase.name;
      const steps = core.stepGroup(this.group, this.#members, name, input, now);
      for (const step of steps) this.#members.get(step.name)?.take(step, step.name === name ? input : undefined);
      if (steps.length > 1 || node.member.phase.name !== from) this.#checkGroup(this.group);
    }
    if (this.host.stopping) this.host.endIfStopped();
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
