/**
 * The worker thread of a simulated host that has a controller: the production link session, configuration, status
 * reporter and election client, on virtual time. Its disk may be slow.
 */
import {
  BundleStore,
  decodeBundle,
  hashOf,
  type StoreContents,
  type StoredBundle,
} from '../../agent/bundle/bundle-store.js';
import { Configuration } from '../../agent/bundle/configuration.js';
import type { OwnerRules } from '../../agent/bundle/policy.js';
import { LinkSession } from '../../agent/control/link-session.js';
import type { AgentSide, BundleVerdict, Unsubscribe } from '../../agent/local/agent-side.js';
import type { Clock } from '../../agent/local/clock.js';
import { ElectionClient } from '../../agent/local/election-client.js';
import { nodeStatusOf } from '../../agent/local/node-status.js';
import { StatusReporter } from '../../agent/local/status-reporter.js';
import type { ElectionSettings, FromElection } from '../../agent/runtime/messages.js';
import type { BundlePush } from '../../proto/gen/baton/v1/agent_service.js';
import { Bundle } from '../../proto/gen/baton/v1/bundle.js';
import { ScriptPolicy } from '../../proto/gen/baton/v1/config.js';
import type { NodeStatus } from '../../proto/gen/baton/v1/status.js';
import type { Logger } from '../../proto/process/logger.js';
import { validateBundle } from '../../proto/rules/validate-bundle.js';
import type { Connection } from './connection.js';
import type { HostWorker, SimHost } from './host.js';
import type { ClusterPlan } from './plan.js';

const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 15_000;
const RULES: OwnerRules = { scripts: ScriptPolicy.fromPartial({ allow: ['/bin/true'] }), policy: undefined };

export interface ControlledOptions {
  readonly host: SimHost;
  readonly log: Logger;
  /** Undefined: the controller is not there. */
  readonly dial: () => Connection | undefined;
  /** What the bundle with this hash makes the cluster be. */
  readonly planOf: (hash: string) => ClusterPlan | undefined;
  /** Told of every configuration that is put in force. */
  readonly applied: (stored: StoredBundle) => void;
  /** Put in the place of a part, to prove that its faults are noticed. */
  readonly spoil: AgentSpoils;
}

/** Faults of the agent's control side. */
export interface AgentSpoils {
  readonly pushes?: (push: BundlePush, present: number | undefined) => BundlePush | 'accept' | undefined;
  readonly status?: (status: NodeStatus, full: boolean) => NodeStatus | undefined;
  readonly disk?: 'forgets';
}

/** What is on the host's disk. */
class SlowStore extends BundleStore {
  #candidate: StoredBundle | undefined;

  constructor(
    private readonly disk: { current: StoredBundle | undefined },
    private readonly written: () => Promise<void>,
    private readonly forgets: boolean,
  ) {
    super('/nowhere', () => 0);
  }

  override async load(): Promise<StoreContents> {
    return { ...(this.disk.current && { stored: this.disk.current }), damage: [] };
  }

  override async stage(generation: number, content: Uint8Array): Promise<void> {
    await this.written();
    const decoded = decodeBundle(content);
    if (!decoded.ok) throw new TypeError(decoded.reason);
    this.#candidate = { identity: { generation, hash: decoded.hash }, bundle: decoded.bundle, content };
  }

  override async commit(): Promise<void> {
    if (!this.forgets) this.disk.current = this.#candidate;
  }

  override async discard(): Promise<void> {
    this.#candidate = undefined;
  }
}

export class ControlledAgent implements HostWorker, AgentSide {
  connection: Connection | undefined;
  configuration: Configuration | undefined;
  /** How long a write may take, milliseconds. */
  slowestWriteMs = 20;
  readonly #options: ControlledOptions;
  readonly #disk: { current: StoredBundle | undefined } = { current: undefined };
  readonly #plans = new WeakMap<ElectionSettings, ClusterPlan | undefined>();
  #client: ElectionClient | undefined;
  #reporter: StatusReporter | undefined;
  /** Counts workers: what one waited for is nothing to the next. */
  #life = 0;
  #failures = 0;

  constructor(options: ControlledOptions) {
    this.#options = options;
  }

  get isConnected(): boolean {
    return this.connection !== undefined && !this.connection.isCut && !this.connection.isOver;
  }

  // HostWorker

  started(): void {
    this.#life += 1;
    const life = this.#life;
    const { host, planOf, applied, spoil } = this.#options;
    const clock = this.#clock(life);
    let applying: ClusterPlan | undefined;
    const client = new ElectionClient(
      {
        postMessage: (message) => {
          if (life !== this.#life) return;
          host.say(message, message.kind === 'configure' ? this.#plans.get(message.settings) : undefined);
        },
      },
      clock,
      { occurrence: () => this.#reporter?.changed(), stopped: () => undefined },
    );
    this.#client = client;
    this.#reporter = new StatusReporter(clock, () => this.fullStatus());
    const store = new SlowStore(this.#disk, () => this.#pause(clock), spoil.disk === 'forgets');
    this.configuration = new Configuration(
      store,
      {
        configure: async (settings) => {
          if (!this.#plans.has(settings)) this.#plans.set(settings, applying);
          return await client.configure(settings, host.takeResumable());
        },
        resolvePath: async (file) => file,
        programProblem: async () => undefined,
        interfaces: async () => new Set(host.kernel.links.keys()),
        condemnation: () => undefined,
        validate: async (bundle) => validateBundle(bundle),
      },
      {
        applying: (bundle) => {
          applying = planOf(hashOf(Bundle.encode(bundle).finish()));
        },
        applied: (stored) => {
          if (life === this.#life) applied(stored);
          this.#reporter?.changed();
        },
        refused: ({ generation }, refusals) => {
          if (life !== this.#life) return;
          host.place.trace(host.label, `refuses generation ${generation}: ${JSON.stringify(refusals)}`);
          this.#reporter?.changed();
        },
      },
    );
    if (this.#disk.current !== undefined) void this.configuration.resume(this.#disk.current, undefined);
    void this.#link(life, clock);
  }

  received(message: FromElection): void {
    this.#client?.received(message);
  }

  ended(): void {
    this.#life += 1;
    this.#reporter?.close();
    this.connection?.reset();
    this.connection = undefined;
    this.#client = undefined;
    this.configuration = undefined;
  }

  // AgentSide

  async hello(): ReturnType<AgentSide['hello']> {
    return { agentVersion: 'sim', capabilities: [], status: await this.fullStatus(), journalId: 'journal' };
  }

  async fullStatus(): Promise<NodeStatus> {
    const { host } = this.#options;
    const election = await this.#client?.status();
    return nodeStatusOf({
      node: `node-${host.place.number}`,
      agentVersion: 'sim',
      pid: 1,
      startedWallMs: 0,
      nowWallMs: host.wallMs(),
      bundle: this.configuration?.inForce?.identity,
      refused: undefined,
      election,
      checks: [],
      bfdSessions: [],
      preflight: [],
      lastHooks: new Map(),
      controller: { state: 'connected', address: '', error: '', since: undefined },
      queuedEvents: 0,
      droppedEvents: 0,
    });
  }

  onStatusChanged(listener: (status: NodeStatus, full: boolean) => void): Unsubscribe {
    const { status: spoil } = this.#options.spoil;
    const told = this.#reporter?.subscribe((status, full) => {
      const said = spoil === undefined ? status : spoil(status, full);
      if (said !== undefined) listener(said, full);
    });
    return told ?? (() => undefined);
  }

  pendingEvents(): readonly never[] {
    return [];
  }

  onEvents(): Unsubscribe {
    return () => undefined;
  }

  eventsAccepted(): void {}

  async applyBundle(push: BundlePush): Promise<BundleVerdict> {
    const { spoil, host } = this.#options;
    host.place.trace(host.label, `is offered generation ${push.bundle?.generation}`);
    const offered =
      spoil.pushes === undefined ? push : spoil.pushes(push, this.configuration?.inForce?.identity.generation);
    if (offered === 'accept' || offered === undefined || this.configuration === undefined) {
      return { accepted: offered === 'accept', refusals: [] };
    }
    return await this.configuration.push(offered, RULES);
  }

  linkState(): void {}

  // Inside

  /** Dials for ever, as the control link does, until the worker ends. */
  async #link(life: number, clock: Clock): Promise<void> {
    const { host, log, dial } = this.#options;
    while (life === this.#life) {
      const connection = dial();
      if (connection !== undefined) {
        this.connection = connection;
        const session = new LinkSession({
          agent: this,
          // Only the sockets want an identity.
          identity: {} as ConstructorParameters<typeof LinkSession>[0]['identity'],
          controller: { host: 'controller', port: 1 },
          log,
          welcomed: () => {
            this.#failures = 0;
          },
          wait: (ms, signal) => interruptibly(clock, ms, signal),
          client: connection.client,
        });
        host.place.trace(host.label, 'dials the controller');
        const { reason } = await session.run();
        if (life !== this.#life) return;
        host.place.trace(host.label, `the session is over: ${reason}`);
        this.connection = undefined;
      }
      this.#failures += 1;
      const longest = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** this.#failures);
      await new Promise<void>((resolve) => clock.after(host.random.between(longest / 2, longest), resolve));
    }
  }

  async #pause(clock: Clock): Promise<void> {
    await new Promise<void>((resolve) =>
      clock.after(this.#options.host.random.between(1, this.slowestWriteMs), resolve),
    );
  }

  /** Timers of a thread that stands still with its process, and dies with it. */
  #clock(life: number): Clock {
    const { host } = this.#options;
    const { timeline } = host;
    return {
      now: () => timeline.now,
      wallMs: () => host.wallMs(),
      after: (ms, callback) => {
        let isWanted = true;
        const fire = (): void => {
          if (!isWanted || life !== this.#life) return;
          if (host.process?.state === 'paused') timeline.after(50_000, fire);
          else callback();
        };
        timeline.after(Math.max(0, ms) * 1_000, fire);
        return () => {
          isWanted = false;
        };
      },
    };
  }
}

function interruptibly(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    clock.after(ms, resolve);
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
