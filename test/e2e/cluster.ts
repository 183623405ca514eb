/** A controller and joined agents, each on a host of its own, and what the tests ask of them. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { AgentHost } from '../lab/agent-host.js';
import { type Outcome, outputOf } from '../lab/command.js';
import { ControllerHost, type StartOptions } from '../lab/controller-host.js';
import { Lab } from '../lab/lab.js';
import { until } from '../lab/until.js';

/** The parts of "batonctl status -o json" that the tests read. */
export interface StatusJson {
  readonly generation: number;
  readonly routers: readonly {
    readonly name: string;
    readonly problems: readonly string[];
    readonly members: readonly MemberJson[];
    readonly addresses: readonly string[];
    readonly family: number;
    readonly group: string;
    readonly virtualMac: string;
  }[];
  readonly groups: readonly {
    readonly name: string;
    readonly policy: string;
    readonly routers: readonly string[];
    readonly members: readonly { readonly node: string; readonly state: string }[];
    readonly problems: readonly string[];
  }[];
  readonly nodes: readonly NodeJson[];
  readonly mail: { readonly sent: number; readonly pending: number; readonly failed: number };
}

export interface MemberJson {
  readonly node: string;
  readonly interface: string;
  readonly state: string;
  readonly basePriority: number;
  readonly effectivePriority: number;
  readonly holdsAddresses: boolean;
  readonly connected: boolean;
  readonly bundleCurrent: boolean;
}

export interface NodeJson {
  readonly name: string;
  readonly connected: boolean;
  readonly bundleInForce?: { readonly generation: number; readonly hash: string };
  readonly bundleWanted?: { readonly generation: number; readonly hash: string };
  readonly refusals: readonly { readonly path: string; readonly reason: string }[];
}

/** The parts of one event of "batonctl events -o json" that the tests read. */
export interface EventJson {
  readonly sequence: number;
  readonly node: string;
  readonly time: string;
  readonly router: string;
  readonly message: string;
  readonly transition?: { readonly from: string; readonly to: string; readonly cause: string };
  readonly bundleChanged?: {
    readonly applied: boolean;
    readonly refusals: readonly { readonly path: string; readonly reason: string }[];
  };
  readonly agentLifecycle?: { readonly phase: string };
  readonly groupTransition?: { readonly group: string; readonly to: string; readonly cause: string };
  readonly checkChanged?: {
    readonly check: string;
    readonly state: string;
    readonly previous: string;
    readonly output: string;
  };
}

/** Where an agent's interface is not em1. */
export type Interfaces = Readonly<Record<string, string>>;

export class Cluster {
  #manifests = 0;

  private constructor(
    readonly lab: Lab,
    readonly controller: ControllerHost,
    readonly nodes: readonly AgentHost[],
  ) {}

  /** Hosts only, nothing runs; removed after the test. Addresses: 10.9.0.5 the controller, 10.9.0.11 and on the nodes. */
  static async prepare(t: TestContext, names: readonly string[], interfaces: Interfaces = {}): Promise<Cluster> {
    const lab = await Lab.open();
    t.after(() => lab.close());
    const nodes: AgentHost[] = [];
    for (const [index, name] of names.entries()) {
      const device = interfaces[name];
      const addresses = [`10.9.0.${11 + index}/24`];
      const host = await lab.host(name, { addresses, ...(device === undefined ? {} : { interface: device }) });
      nodes.push(new AgentHost(host));
    }
    const controller = new ControllerHost(await lab.host('controller', { addresses: ['10.9.0.5/24'] }));
    return new Cluster(lab, controller, nodes);
  }

  /** With a controller that serves, and agents that run and are connected. */
  static async start(t: TestContext, names: readonly string[], options: StartOptions = {}): Promise<Cluster> {
    const cluster = await Cluster.prepare(t, names);
    await cluster.serve(options);
    return cluster;
  }

  /** Starts the controller and the agents of what was prepared, and waits until they are connected. */
  async serve(options: StartOptions = {}): Promise<void> {
    await this.controller.init();
    await this.controller.start(options);
    for (const node of this.nodes) {
      await this.join(node);
      node.start();
    }
    await this.untilStatus('every node to be connected', 10_000, ({ nodes }) => nodes.every((node) => node.connected));
  }

  node(name: string): AgentHost {
    const found = this.nodes.find(({ host }) => host.name === name);
    if (found === undefined) throw new RangeError(`there is no node ${name}`);
    return found;
  }

  /** With a token of its own. */
  async join(node: AgentHost): Promise<string> {
    const token = await this.controller.createToken(node.host.name);
    return outputOf(await node.join(this.controller.endpoint, token));
  }

  /** batonctl apply of a manifest given as text. */
  apply(manifest: string, ...options: readonly string[]): Promise<Outcome> {
    this.#manifests += 1;
    const file = path.join(this.lab.directory, `manifest-${this.#manifests}.yaml`);
    writeFileSync(file, manifest, { mode: 0o600 });
    return this.controller.attempt('apply', '-f', file, ...options);
  }

  /** The same; it must be in force everywhere at the end. */
  async applyAndWait(manifest: string): Promise<string> {
    return outputOf(await this.apply(manifest, '--wait', '--wait-timeout', '20s'));
  }

  status(): Promise<StatusJson> {
    return this.controller.json<StatusJson>('status');
  }

  async nodeStatus(name: string): Promise<NodeJson> {
    const found = (await this.status()).nodes.find((node) => node.name === name);
    if (found === undefined) throw new RangeError(`the status does not know the node ${name}`);
    return found;
  }

  /** Waits until the status is as wanted and gives it. */
  async untilStatus(what: string, withinMs: number, wanted: (status: StatusJson) => boolean): Promise<StatusJson> {
    let last: StatusJson | undefined;
    return until(
      what,
      withinMs,
      async () => {
        last = await this.status();
        return wanted(last) ? last : undefined;
      },
      () => ({
        status: last,
        said: this.nodes.map(({ host }) => host.tails()),
        controller: this.controller.host.tails(),
      }),
    );
  }

  /** Waits until the status has exactly these states of a router's members, everyone connected and current. */
  untilStates(router: string, states: Readonly<Record<string, string>>, withinMs = 10_000): Promise<StatusJson> {
    return this.untilStatus(`${router} to be ${JSON.stringify(states)}`, withinMs, ({ routers }) => {
      const members = routers.find(({ name }) => name === router)?.members ?? [];
      return (
        members.length === Object.keys(states).length &&
        members.every(
          ({ node, state, connected, bundleCurrent, holdsAddresses }) =>
            state === states[node] && connected && bundleCurrent && holdsAddresses === (state === 'active'),
        )
      );
    });
  }

  /** All stored events, of one node or of all, in the order of the controller's store. */
  async events(...filter: readonly string[]): Promise<readonly EventJson[]> {
    const listed = await this.controller.json<{ readonly events: readonly { readonly event: EventJson }[] }>(
      ...['events', '--limit', '10000', ...filter],
    );
    return listed.events.map(({ event }) => event);
  }

  /** Everything that any program has said, for a search or a failure message. */
  said(): readonly string[] {
    const programs = [...this.controller.programs, ...this.nodes.flatMap((node) => node.programs)];
    const outcomes = [...this.controller.outcomes, ...this.nodes.flatMap((node) => node.outcomes)];
    return [...programs.flatMap(({ lines }) => lines), ...outcomes.flatMap(({ stdout, stderr }) => [stdout, stderr])];
  }
}
