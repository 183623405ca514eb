/**
 * A whole run: a LAN, its hosts, the log, and what must hold between hosts once nothing disturbs them. What happens in
 * it is decided in chaos.ts and experiments.ts.
 */
import type { Micros } from '../../agent/vrrp/index.js';
import { formatIp } from '../../proto/rules/ip.js';
import { randomCluster } from './cluster.js';
import { SimHost } from './host.js';
import { Lan } from './lan.js';
import { FIRST_RESULT, PROBE_TIME, SimNode } from './node.js';
import { SLACK, Stage } from './stage.js';
import type { Core } from './surroundings.js';

export class World extends Stage {
  readonly lan: Lan;
  readonly nodes: readonly SimNode[];
  /** Which side of a partition each port is on; all zero without one. */
  #sides: readonly number[];

  constructor(seed: number, core: Core, log?: (line: string) => void) {
    super(seed, core, log);
    this.lan = new Lan(this.timeline, this.random);
    const { lan } = this;
    this.nodes = randomCluster(this.random).map(({ source, router }, port) => {
      const label = `node ${port}`;
      const place = { world: this, host: new SimHost(this, label), lan, port, label, source };
      return new SimNode(place, router);
    });
    this.#sides = this.nodes.map(() => 0);
    for (const { label, source, router } of this.nodes) {
      this.log(
        `${label}: ${formatIp(source)}, version ${router.version}, priority ${router.priority}, ` +
          `interval ${router.advertisementInterval} us, ${router.downTimerAdvertisements} may be missed, ` +
          `preempt ${router.preemptMode} after ${router.preemptDelay} us, ` +
          `${router.tracks.map(({ id, weight, reverse }) => `${id} ${weight}${reverse ? ' reversed' : ''}`).join(', ')}, ` +
          `leased ${router.leased}, probe ${router.duplicateProbe}`,
      );
    }
  }

  get interval(): Micros {
    return Math.max(...this.nodes.map(({ router }) => router.advertisementInterval));
  }

  /** The longest Active_Down_Interval that any member can have, by the formula at priority 1. All miss as many. */
  get longestDown(): Micros {
    return (this.nodes[0]?.router.downTimerAdvertisements ?? 3) * this.interval + this.longestSkew;
  }

  get longestSkew(): Micros {
    return this.nodes[0]?.router.version === 2 ? 1_000_000 : this.interval;
  }

  get longestLease(): Micros {
    return Math.max(2_000_000, this.longestDown);
  }

  get preempt(): boolean {
    return this.nodes.every(({ router }) => router.preemptMode);
  }

  get preemptDelay(): Micros {
    return Math.max(...this.nodes.map(({ router }) => router.preemptDelay));
  }

  get refuses(): boolean {
    return this.nodes.some(({ router }) => router.duplicateProbe === 'refuse');
  }

  /** How much longer a takeover takes than the protocol's bound: an agent that died is asked until its lease ends. */
  get probeTime(): Micros {
    return this.refuses ? PROBE_TIME : 0;
  }

  /** By when everything must be as it ought to be, from when nothing disturbs any more (I-2: two down intervals). */
  get settleTime(): Micros {
    const election = 2 * this.longestDown + this.interval;
    const delay = this.preemptDelay > 0 ? this.preemptDelay + this.longestDown : 0;
    const leases = this.longestLease + 1_000_000;
    const probes = this.refuses ? leases + this.longestDown + 2 * PROBE_TIME : 0;
    return Math.max(election, leases) + delay + probes + FIRST_RESULT + SLACK;
  }

  /** Splits the LAN by a side (0 or 1) per port, or heals it. */
  partition(sides: readonly number[] | undefined): void {
    this.#sides = sides ?? this.nodes.map(() => 0);
    if (sides === undefined) this.lan.heal();
    else this.lan.partition(new Set(sides.flatMap((side, port) => (side === 1 ? [port] : []))));
  }

  /** The nodes that hear each other. */
  components(): readonly (readonly SimNode[])[] {
    return [0, 1]
      .map((side) => this.nodes.filter(({ port }) => this.#sides[port] === side))
      .filter((component) => component.length > 0);
  }

  /** Lets everything settle, then checks it, and that it stays so for some intervals. */
  settle(): void {
    this.run(this.settleTime);
    this.checkSettled();
    this.expectNothing('although nothing has happened', () => this.run(5 * this.interval));
    this.checkSettled();
  }

  checkSettled(): void {
    for (const component of this.components()) {
      const who = component.map(({ port }) => port).join(', ');
      const active = component.filter((node) => node.active);
      const ports = active.map(({ port }) => port).join(', ');
      if (active.length > 1) this.violate('I-1', `of the nodes ${who} all of ${ports} are active`);
      const best = bestOf(component.filter((node) => node.host.candidate));
      if (best && active.length === 0) this.violate('I-2', `none of the nodes ${who} is active`);
      // Equal priority does not preempt, whatever the address (RFC 9568 section 6.4.2).
      if (best && this.preempt && active[0]?.wantedPriority !== best.wantedPriority) {
        this.violate('I-3', `of the nodes ${who}, ${ports} is active instead of ${best.port}`);
      }
      const holders = component.filter((node) => node.holds && (node.router.leased || node.host.process !== 'dead'));
      const strangers = holders.filter((node) => !node.active);
      if (strangers.length > 0) {
        this.violate('I-4', `${strangers.map(({ port }) => port).join(', ')} hold the addresses without being active`);
      }
    }
  }
}

/** The one that ought to be active: of greatest priority; of equals any. */
function bestOf(nodes: readonly SimNode[]): SimNode | undefined {
  return [...nodes].sort((a, b) => b.wantedPriority - a.wantedPriority)[0];
}
