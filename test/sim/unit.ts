/**
 * What moves together: one virtual router by itself or a sync group, on all hosts that have it. It knows how long
 * things may take, and checks what must hold between hosts once nothing disturbs them.
 */
import type { Micros } from '../../agent/vrrp/index.js';
import type { Lan } from './lan.js';
import { FIRST_RESULT, PROBE_TIME, type SimNode } from './node.js';
import type { Team } from './team.js';

/** Frames on their way and timers that are late: what a bound on a calm LAN must allow on top of the protocol's. */
export const SLACK: Micros = 5_000;
/** The longest that addresses outlast the lease that they were given. */
const LEASE_SLACK: Micros = 1_000_000;

interface Judge {
  violate(invariant: string, what: string): never;
}

class Unsettled extends Error {
  readonly code = 'SIM_UNSETTLED';
}

const UNSETTLED: Judge = {
  violate(_invariant, what) {
    throw new Unsettled(what);
  },
};

export class Unit {
  readonly label: string;
  readonly isGroup: boolean;
  /** Of each of its virtual routers. */
  readonly lans: readonly Lan[];
  readonly teams: readonly Team[];
  readonly nodes: readonly SimNode[];

  constructor(label: string, isGroup: boolean, lans: readonly Lan[], teams: readonly Team[]) {
    this.label = label;
    this.isGroup = isGroup;
    this.lans = lans;
    this.teams = teams;
    this.nodes = teams.flatMap(({ nodes }) => nodes);
  }

  get policy(): 'all' | 'any' {
    return this.teams[0]?.group?.policy ?? 'all';
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

  get interval(): Micros {
    return Math.max(...this.nodes.map(({ router }) => router.advertisementInterval));
  }

  /** The longest Active_Down_Interval that any member can have, by the formula at priority 1. */
  get longestDown(): Micros {
    return Math.max(...this.#routers().map((nodes) => Math.max(...nodes.map(missable)) + longestSkewOf(nodes)));
  }

  get longestSkew(): Micros {
    return Math.max(...this.#routers().map(longestSkewOf));
  }

  get longestLease(): Micros {
    return Math.max(2_000_000, this.longestDown);
  }

  /** By when the addresses of an agent that is gone now are gone. */
  get leaseEnd(): Micros {
    return this.longestLease + LEASE_SLACK;
  }

  /** How much longer a takeover takes than the protocol's bound: an agent that died is asked until its lease ends. */
  get probeTime(): Micros {
    return this.refuses ? PROBE_TIME : 0;
  }

  /** How long a takeover takes at most from one that goes on holding its addresses until its lease ends. */
  get takeoverWhileHeld(): Micros {
    return this.longestDown + (this.refuses ? this.leaseEnd + this.probeTime : 0);
  }

  /** By when everything must be as it ought to be, from when nothing disturbs any more (I-2: two down intervals). */
  get settleTime(): Micros {
    const { preemptDelay } = this;
    const longestDown = Math.max(this.longestDown, ...this.nodes.map(longestWait));
    const leases = this.nodes.some((node) => node.holds && !node.active) ? this.leaseEnd : 0;
    const delay = preemptDelay > 0 ? preemptDelay + longestDown : 0;
    const probes = this.refuses ? leases + longestDown + 2 * PROBE_TIME : 0;
    return Math.max(2 * longestDown + this.interval, leases) + delay + probes + this.#results + SLACK;
  }

  /** How long until every agent knows a result of each of its checks. */
  get #results(): Micros {
    return this.nodes.every((node) => node.host.process === 'dead' || node.knowsAll) ? 0 : FIRST_RESULT;
  }

  /** Within so long every timer has expired: if nothing has happened since, nothing is under way but leases that end. */
  get quietTime(): Micros {
    return this.longestDown + this.interval + this.preemptDelay + this.probeTime + this.#results + SLACK;
  }

  /** The teams that hear each other. */
  components(sides: readonly number[]): readonly (readonly Team[])[] {
    return [0, 1]
      .map((side) => this.teams.filter(({ nodes: [first] }) => sides[first?.port ?? 0] === side))
      .filter((component) => component.length > 0);
  }

  isSettled(sides: readonly number[]): boolean {
    try {
      this.checkSettled(sides, UNSETTLED);
      return true;
    } catch (error) {
      if (error instanceof Unsettled) return false;
      throw error;
    }
  }

  checkSettled(sides: readonly number[], judge: Judge): void {
    for (const component of this.components(sides)) {
      if (this.isGroup) this.#checkGroup(component, judge);
      else this.#checkRouter(component, judge);
      const stranger = component
        .flatMap(({ nodes }) => nodes)
        .find((node) => node.holds && !node.active && (node.kernel.isLeased || node.host.process !== 'dead'));
      if (stranger) judge.violate('I-4', `${stranger.label} holds the addresses without being active`);
    }
  }

  #checkRouter(component: readonly Team[], judge: Judge): void {
    const who = labels(component);
    const active = component.filter((team) => team.active);
    if (active.length > 1) judge.violate('I-1', `of ${who} all of ${labels(active)} are active`);
    const candidates = component.filter((team) => team.candidate).flatMap(({ nodes }) => nodes);
    const [best] = [...candidates].sort((a, b) => b.wantedPriority - a.wantedPriority);
    if (best === undefined) return;
    const only = active[0]?.nodes[0];
    if (only === undefined) judge.violate('I-2', `none of ${who} is active`);
    // Equal priority does not preempt, whatever the address (RFC 9568 section 6.4.2).
    if (this.preempt && only.wantedPriority !== best.wantedPriority) {
      judge.violate('I-3', `of ${who}, ${only.label} is active instead of ${best.label}`);
    }
  }

  #checkGroup(component: readonly Team[], judge: Judge): void {
    const who = labels(component);
    const active = component.filter((team) => team.active);
    for (const [index] of this.lans.entries()) {
      const both = component.filter(({ nodes }) => nodes[index]?.active);
      if (both.length > 1) judge.violate('I-1', `of ${who}, several are active in member ${index}`);
    }
    const candidates = component.filter((team) => team.candidate);
    if (candidates.length > 0 && active.length === 0) judge.violate('I-2', `none of ${who} is active`);
    const [only] = active;
    if (this.policy === 'any' || only === undefined) return;
    // One host has everything, and with preemption none is better than it in every member.
    if (active.length > 1) judge.violate('I-1', `${labels(active)} are active`);
    if (!only.nodes.every((node) => node.active)) judge.violate('I-6', `${only.label} is active in part`);
    const better = candidates.find(({ nodes }) =>
      nodes.every((node, index) => node.wantedPriority > (only.nodes[index]?.wantedPriority ?? 255)),
    );
    if (this.preempt && better) judge.violate('I-3', `${only.label} is active instead of ${better.label}`);
  }

  /** The members of each of its virtual routers. */
  #routers(): readonly (readonly SimNode[])[] {
    return this.lans.map((_, index) => this.teams.flatMap(({ nodes }) => nodes.slice(index, index + 1)));
  }
}

/** Of one that heard slower advertisements than anybody sends now. Beyond four intervals none are learned. */
function longestWait({ router, member: { phase } }: SimNode): Micros {
  if (phase.name !== 'backup') return 0;
  const learned = Math.min(phase.activeAdverInterval, 4 * router.advertisementInterval);
  return (router.downTimerAdvertisements + 1) * learned;
}

function missable({ router }: SimNode, _index: number, nodes: readonly SimNode[]): Micros {
  return router.downTimerAdvertisements * longestIntervalOf(nodes);
}

function longestSkewOf(nodes: readonly SimNode[]): Micros {
  return nodes[0]?.router.version === 2 ? 1_000_000 : longestIntervalOf(nodes);
}

/** Others learn it. */
function longestIntervalOf(nodes: readonly SimNode[]): Micros {
  return Math.max(...nodes.map(({ router }) => router.advertisementInterval));
}

function labels(teams: readonly Team[]): string {
  return teams.map(({ label }) => label).join(', ');
}
