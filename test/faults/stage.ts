/**
 * The stage of the fault tests: two hosts with election threads of which `a` is active, a client, who held each address
 * when, and an audit of all of it.
 */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { GroupSettings } from '../../agent/runtime/messages.js';
import { type LabConfiguration, LabElection, type LabRouter, labRouter } from '../lab/election.js';
import { Holders } from '../lab/holders.js';
import type { Host } from '../lab/host.js';
import { Lab } from '../lab/lab.js';
import { Tap } from '../lab/tap.js';
import { until } from '../lab/until.js';
import { whoAnswers } from './answers.js';
import { Audit } from './audit.js';

export const VIP4 = '10.9.0.100';
export const VIP6 = 'fd09::100';
export const INTERVAL_MS = 200;
/** 3 intervals and the skew of priority 100. */
export const DOWN_MS = 3 * INTERVAL_MS + (156 / 256) * INTERVAL_MS;
/** Of the rows' criteria. */
export const MARGIN_MS = 300;
export const LEASE_MS = 2000;
/** For what has no criterion of its own. */
export const SLACK_MS = 5000;

/** A way of running a virtual router; faults befall each of them. */
export interface Kind {
  readonly title: string;
  readonly address: string;
  readonly router: LabRouter;
  /** The MAC address that answers whoever is active. */
  readonly virtualMac?: string;
}

const virtualMac = { name: 'vrrp.10', address: '00:00:5e:00:01:0a', transmitOnBase: false };

export const IPV4: Kind = { title: 'IPv4', address: VIP4, router: { addresses: [VIP4] } };
export const IPV6: Kind = { title: 'IPv6', address: VIP6, router: { addresses: ['fe80::100', `${VIP6}/64`] } };
export const VIRTUAL_MAC: Kind = {
  title: 'virtual MAC',
  address: VIP4,
  virtualMac: virtualMac.address,
  router: {
    addresses: [VIP4],
    more: { virtualMac },
    tracks: [{ id: 'virtual mac', weight: 0, reverse: false }],
  },
};

export class Actor {
  readonly elections: LabElection[] = [];

  constructor(
    readonly host: Host,
    readonly configuration: LabConfiguration,
  ) {}

  /** The one that was started last. */
  get election(): LabElection {
    const last = this.elections.at(-1);
    if (last === undefined) throw new TypeError(`nothing was started on ${this.host.name}`);
    return last;
  }

  async start(): Promise<LabElection> {
    const election = await LabElection.startWith(this.host, this.configuration);
    this.elections.push(election);
    // All checks are up as soon as there is somebody to tell.
    const tracks = this.configuration.routers.flatMap(({ router }) => router.tracks);
    for (const id of new Set(tracks.map((track) => track.id))) {
      if (id.startsWith('check ')) election.tell({ kind: 'track', id, state: 'up' });
    }
    return election;
  }

  /** Transitions of all elections that were here. */
  transitions(): number {
    return this.elections.reduce((sum, election) => sum + election.occurrences('transition').length, 0);
  }
}

export class Stage {
  private constructor(
    readonly lab: Lab,
    readonly a: Actor,
    readonly b: Actor,
    readonly client: Host,
    /** On the client. */
    readonly ear: Tap,
    readonly holders: Holders,
    readonly audit: Audit,
    readonly kind: Kind,
  ) {}

  /** Priority 150 on `a`, which is active at the end, and 100 on `b`. */
  static async set(
    t: TestContext,
    kind: Kind = IPV4,
    forBoth: LabRouter = {},
    forA: LabRouter = {},
    groups: readonly GroupSettings[] = [],
    others: readonly LabRouter[] = [],
  ): Promise<Stage> {
    const lab = await Lab.open();
    t.after(() => lab.close());
    const [a, b, client] = [await hostOf(lab, 'a', 1), await hostOf(lab, 'b', 2), await hostOf(lab, 'client', 9)];
    await Promise.all([a, b, client].map((host) => host.untilIpv6Ready()));
    const router = (priority: number, own: LabRouter, more: LabRouter) =>
      labRouter({ interval: INTERVAL_MS * 1000, ...own, ...forBoth, ...more, priority });
    const configured = (priority: number, more: LabRouter): LabConfiguration => ({
      routers: [kind.router, ...others].map((own) => router(priority, own, more)),
      groups,
    });
    const [onA, onB] = [new Actor(a, configured(150, forA)), new Actor(b, configured(100, {}))];
    await onA.start();
    const names = onA.configuration.routers.map((each) => each.router.name);
    for (const name of names) await onA.election.untilState('active', DOWN_MS + SLACK_MS, name);
    await onB.start();
    for (const name of names) await onB.election.untilState('backup', SLACK_MS, name);
    const holders = await Holders.watch(kind.address, a, b);
    const ear = await Tap.open(client);
    await until(`${kind.address} to be held`, SLACK_MS, () => a.holds(kind.address));
    // Each has answered once and heard the other before it counts as being as usual.
    await until('b to hear a', SLACK_MS, async () => (await onB.election.router()).peers.length > 0);
    await onA.election.status();
    const audit = await Audit.begin(
      { host: a, agents: () => [onA.election.program] },
      { host: b, agents: () => [onB.election.program] },
      { host: client, agents: () => [] },
    );
    return new Stage(lab, onA, onB, client, ear, holders, audit, kind);
  }

  /** When the host began to hold the address last, or stopped (`ended`), in ms after `since` (wall clock). */
  async heldAfter(
    actor: Actor,
    sinceMs: number,
    withinMs: number,
    which: 'began' | 'ended' = 'began',
  ): Promise<number> {
    return await until(
      `${actor.host.name} to have ${which} to hold ${this.kind.address}`,
      withinMs,
      () => {
        const times = this.holders.holdings
          .filter(({ host }) => host === actor.host.name)
          .map(({ fromMs, untilMs }) => (which === 'began' ? fromMs : untilMs))
          // ip(8) tells microseconds; Date has whole milliseconds.
          .filter((atMs) => atMs !== undefined && atMs >= sinceMs - 1);
        const [first] = times;
        return first === undefined ? undefined : first - sinceMs;
      },
      () => ({ holdings: this.holders.holdings, a: this.a.election.program.tail(), b: this.b.election.program.tail() }),
    );
  }

  /** Two hosts may both have held the address, but not after this time (wall clock, ms). */
  assertNoTwoAfter(atMs: number): void {
    for (const { hosts, fromMs, untilMs } of this.holders.overlaps()) {
      const text = `${hosts.join(' and ')} both held ${this.kind.address} from ${fromMs - atMs} to ${untilMs - atMs} ms`;
      assert.ok(untilMs <= atMs, text);
    }
  }

  /** `a` active and `b` backup as at the beginning, one holder, who alone answers, and nothing else left of the fault. */
  async untilAsBefore(): Promise<void> {
    await this.a.election.untilState('active', DOWN_MS + SLACK_MS);
    await this.b.election.untilState('backup', SLACK_MS);
    await until(
      'a alone to hold it',
      SLACK_MS,
      () => this.holders.now.join() === 'a',
      () => this.holders.now,
    );
    await this.assertAnswers(this.a);
    await this.audit.untilAsBefore();
  }

  /** The client's questions for the address are answered by this host and nobody else. */
  async assertAnswers(actor: Actor): Promise<void> {
    const wanted = this.kind.virtualMac ?? (await actor.host.mac());
    assert.deepEqual(await whoAnswers(this.client, this.ear, this.kind.address), [wanted]);
  }
}

async function hostOf(lab: Lab, name: string, number: number): Promise<Host> {
  return await lab.host(name, { addresses: [`10.9.0.${number}/24`, `fd09::${number}/64 nodad`] });
}
