/**
 * The controller of a simulated cluster: the production hub with its streams and store, and the overview that operators
 * are shown. It may be down, and come back with what it had stored.
 */

import { hashOf } from '../../agent/bundle/bundle-store.js';
import { AgentHub } from '../../controller/agents/agent-hub.js';
import { clusterStatus } from '../../controller/api/overview.js';
import type { Store } from '../../controller/store/database.js';
import { insertNode } from '../../controller/store/node-store.js';
import { nextGeneration, writeBundles } from '../../controller/store/resource-store.js';
import { SealedBox } from '../../controller/store/sealed-box.js';
import { Bundle } from '../../proto/gen/baton/v1/bundle.js';
import { Resource } from '../../proto/gen/baton/v1/resources.js';
import { type ClusterStatus, MailOverview } from '../../proto/gen/baton/v1/status_service.js';
import type { Logger } from '../../proto/process/logger.js';
import type { Random } from '../sim/random.js';
import type { Timeline } from '../sim/timeline.js';
import { Connection } from './connection.js';
import { bundleOf, type ClusterPlan } from './plan.js';

const START_MS = 1_700_000_000_000;
const YEAR_MS = 365 * 86_400_000;

export class Controller {
  hub: AgentHub | undefined;
  /** The plan that a bundle is part of, by the bundle's hash. */
  readonly plans = new Map<string, ClusterPlan>();
  readonly #box = new SealedBox(Buffer.alloc(32));
  #plan: ClusterPlan | undefined;
  readonly #hashes = new Map<string, string>();

  constructor(
    private readonly store: Store,
    private readonly timeline: Timeline,
    private readonly random: Random,
    private readonly log: Logger,
  ) {}

  /** Makes the nodes known, and starts. */
  async open(plan: ClusterPlan): Promise<void> {
    for (const number of plan.hosts.keys()) {
      await this.store.transaction().execute((trx) => insertNode(trx, idOf(number), nameOf(number), this.#now()));
    }
    await this.apply(plan);
    await this.start();
  }

  async start(): Promise<void> {
    const { store, log } = this;
    this.hub ??= await AgentHub.open({ store, box: this.#box, now: () => this.#now(), log });
  }

  async stop(): Promise<void> {
    const { hub } = this;
    this.hub = undefined;
    await hub?.stop();
  }

  /** Another generation: what has changed for a node is stored and pushed. */
  async apply(plan: ClusterPlan): Promise<void> {
    this.#plan = plan;
    const changed = [...plan.hosts.keys()].flatMap((number) => {
      const content = Bundle.encode(bundleOf(plan, number)).finish();
      const [node, hash] = [nameOf(number), hashOf(content)];
      this.plans.set(hash, plan);
      if (this.#hashes.get(node) === hash) return [];
      this.#hashes.set(node, hash);
      return [{ node, hash, content }];
    });
    const generation = await this.store.transaction().execute(async (trx) => {
      const next = await nextGeneration(trx, 'operator', this.#now());
      await writeBundles(trx, this.#box, next, changed);
      return next;
    });
    this.hub?.bundlesChanged(new Map(changed.map(({ node, hash }) => [node, { generation, hash }])));
  }

  wantedOf(number: number): string | undefined {
    return this.#hashes.get(nameOf(number));
  }

  dial(number: number): Connection | undefined {
    if (this.hub === undefined) return undefined;
    return new Connection(this.timeline, this.random, (call) => {
      const caller = { role: 'agent' as const, id: idOf(number), name: nameOf(number), serial: '01' };
      const isKnown = this.hub?.attach(call, { ...caller, expiresAt: this.#now().getTime() + YEAR_MS });
      if (isKnown !== true) call.destroy(new Error('the controller is not there'));
    });
  }

  /** What operators see; undefined while it is down. */
  overview(): ClusterStatus | undefined {
    if (this.hub === undefined || this.#plan === undefined) return undefined;
    const { generation, routers, hosts } = this.#plan;
    const resources = routers.map(({ name, vrid, addresses, device, priorities }) =>
      Resource.fromPartial({
        metadata: { name },
        spec: {
          $case: 'virtualRouter',
          value: {
            vrid,
            addresses: addresses.map((address) => ({ address })),
            members: hosts.map((_, number) => ({
              node: nameOf(number),
              interface: device,
              priority: priorities[number] ?? 100,
            })),
          },
        },
      }),
    );
    const mail = MailOverview.fromPartial({});
    return clusterStatus({ now: this.#now(), generation, resources, nodes: this.hub.nodes(), mail });
  }

  #now(): Date {
    return new Date(START_MS + Math.floor(this.timeline.now / 1_000));
  }
}

export function nameOf(number: number): string {
  return `node-${number}`;
}

function idOf(number: number): string {
  return `0b8f7d1e-6a52-4b59-9c0c-${String(number).padStart(12, '0')}`;
}
