/**
 * A whole run of sync groups: each virtual router has a LAN of its own, each host is on all of them. What happens in it is
 * decided in group-experiments.ts.
 */
import type { Micros } from '../../agent/vrrp/index.js';
import { formatIp } from '../../proto/rules/ip.js';
import { randomGroups } from './group-cluster.js';
import { SimHost } from './host.js';
import { Lan } from './lan.js';
import { FIRST_RESULT, SimNode } from './node.js';
import { SLACK, Stage } from './stage.js';
import type { Core } from './surroundings.js';

export class GroupWorld extends Stage {
  readonly lans: readonly Lan[];
  readonly hosts: readonly SimHost[];
  readonly nodes: readonly SimNode[];
  #sides: readonly number[];

  constructor(seed: number, core: Core, log?: (line: string) => void) {
    super(seed, core, log);
    const specs = randomGroups(this.random);
    const lans = (specs[0]?.members ?? []).map(() => new Lan(this.timeline, this.random));
    this.lans = lans;
    this.hosts = specs.map(({ group, members }, port) => {
      const host = new SimHost(this, `host ${port}`, group);
      for (const [index, { source, router }] of members.entries()) {
        const lan = lans[index];
        if (lan === undefined) throw new RangeError('every host has as many members');
        new SimNode({ world: this, host, lan, port, label: `node ${port}.${index}`, source }, router);
      }
      return host;
    });
    this.nodes = this.hosts.flatMap(({ nodes }) => nodes);
    this.#sides = this.hosts.map(() => 0);
    for (const { label, source, router, host } of this.nodes) {
      this.log(
        `${label}: ${formatIp(source)}, version ${router.version}, priority ${router.priority}, ` +
          `interval ${router.advertisementInterval} us, ${router.downTimerAdvertisements} may be missed, ` +
          `preempt ${router.preemptMode}, leased ${router.leased}, policy ${host.group?.policy}`,
      );
    }
  }

  get policy(): 'all' | 'any' {
    return this.hosts[0]?.group?.policy ?? 'all';
  }

  get preempt(): boolean {
    return this.nodes.every(({ router }) => router.preemptMode);
  }

  get interval(): Micros {
    return Math.max(...this.nodes.map(({ router }) => router.advertisementInterval));
  }

  /** Of the slowest member, by the formula at priority 1. */
  get longestDown(): Micros {
    return Math.max(
      ...this.nodes.map(
        (node) => node.router.downTimerAdvertisements * node.router.advertisementInterval + skewOf(node),
      ),
    );
  }

  get longestSkew(): Micros {
    return Math.max(...this.nodes.map(skewOf));
  }

  get longestLease(): Micros {
    return Math.max(2_000_000, this.longestDown);
  }

  get settleTime(): Micros {
    return Math.max(2 * this.longestDown + this.interval, this.longestLease + 1_000_000) + FIRST_RESULT + SLACK;
  }

  /** Splits all LANs alike by a side (0 or 1) per host, or heals them. */
  partition(sides: readonly number[] | undefined): void {
    this.#sides = sides ?? this.hosts.map(() => 0);
    for (const lan of this.lans) {
      if (sides === undefined) lan.heal();
      else lan.partition(new Set(sides.flatMap((side, port) => (side === 1 ? [port] : []))));
    }
  }

  components(): readonly (readonly SimHost[])[] {
    return [0, 1]
      .map((side) => this.hosts.filter((_host, port) => this.#sides[port] === side))
      .filter((component) => component.length > 0);
  }

  settle(): void {
    this.run(this.settleTime);
    this.checkSettled();
    this.expectNothing('although nothing has happened', () => this.run(3 * this.interval));
    this.checkSettled();
  }

  checkSettled(): void {
    for (const component of this.components()) {
      const who = component.map(({ label }) => label).join(', ');
      const active = component.filter((host) => host.nodes.some((node) => node.active));
      for (const [index] of this.lans.entries()) {
        const both = component.filter(({ nodes }) => nodes[index]?.active);
        if (both.length > 1) this.violate('I-1', `of ${who}, several are active in member ${index}`);
      }
      const candidates = component.filter((host) => host.candidate);
      if (candidates.length > 0 && active.length === 0) this.violate('I-2', `none of ${who} is active`);
      if (this.policy === 'all') this.#checkBest(candidates, active);
      for (const { nodes, process } of component) {
        const stranger = nodes.find((node) => node.holds && !node.active && (node.router.leased || process !== 'dead'));
        if (stranger) this.violate('I-4', `${stranger.label} holds the addresses without being active`);
      }
    }
  }

  /** One host has everything, and with preemption none is better than it in every member. */
  #checkBest(candidates: readonly SimHost[], active: readonly SimHost[]): void {
    const [only] = active;
    if (only === undefined) return;
    if (active.length > 1) this.violate('I-1', `${active.map(({ label }) => label).join(', ')} are active`);
    if (!only.nodes.every((node) => node.active)) this.violate('I-6', `${only.label} is active in part`);
    const better = candidates.find((host) =>
      host.nodes.every((node, index) => node.wantedPriority > (only.nodes[index]?.wantedPriority ?? 255)),
    );
    if (this.preempt && better) this.violate('I-3', `${only.label} is active instead of ${better.label}`);
  }
}

function skewOf({ router }: SimNode): Micros {
  return router.version === 2 ? 1_000_000 : router.advertisementInterval;
}
