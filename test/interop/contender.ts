/** Baton and keepalived under one interface: either runs the same keepalived.conf, so that a test can give each both roles. */
import { MemberState } from '../../proto/gen/baton/v1/status.js';
import type { Host } from '../lab/host.js';
import { Keepalived } from '../lab/keepalived.js';
import { StandaloneAgent } from '../lab/standalone-agent.js';
import { until } from '../lab/until.js';

export type Kind = 'baton' | 'keepalived';

/** Who is which: the first one is meant to be active. */
export const ROLES: readonly (readonly [Kind, Kind])[] = [
  ['baton', 'keepalived'],
  ['keepalived', 'baton'],
];

export type ContenderState = 'initialize' | 'backup' | 'active' | 'fault';

const BATON_STATES: Readonly<Record<string, ContenderState>> = {
  [MemberState.INITIALIZE]: 'initialize',
  [MemberState.BACKUP]: 'backup',
  [MemberState.ACTIVE]: 'active',
  [MemberState.FAULT]: 'fault',
};
const KEEPALIVED_STATES: readonly ContenderState[] = ['initialize', 'backup', 'active', 'fault'];

export interface Account {
  readonly state: ContenderState;
  readonly priority: number;
}

/** A running agent or keepalived. */
export class Contender {
  private constructor(
    readonly host: Host,
    readonly program: StandaloneAgent | Keepalived,
  ) {}

  /** @param keepalived another one than Debian's */
  static async start(kind: Kind, host: Host, config: string, keepalived?: string): Promise<Contender> {
    const program =
      kind === 'baton' ? await StandaloneAgent.start(host, config) : await Keepalived.start(host, config, keepalived);
    return new Contender(host, program);
  }

  /** Of the process, or the thread, that elects. */
  get electionPid(): number {
    if (this.program instanceof StandaloneAgent) return this.program.program.pid;
    const { electionPid } = this.program;
    if (electionPid === undefined) throw new Error(`keepalived does not run on ${this.host.name}`);
    return electionPid;
  }

  /** Its own account of the instance. */
  async account(instance = 'VI_1'): Promise<Account> {
    if (this.program instanceof StandaloneAgent) {
      const { state, effectivePriority } = await this.program.router(instance);
      return { state: BATON_STATES[state] ?? 'initialize', priority: effectivePriority };
    }
    const found = (await this.program.instances()).find(({ iname }) => iname === instance);
    if (found === undefined) throw new Error(`keepalived on ${this.host.name} has no ${instance}`);
    return { state: KEEPALIVED_STATES[found.state] ?? 'initialize', priority: found.effective_priority };
  }

  async untilState(state: ContenderState, withinMs: number, instance?: string): Promise<void> {
    await until(
      `${instance ?? 'the router'} on ${this.host.name} to be ${state}`,
      withinMs,
      async () => (await this.account(instance)).state === state,
      () => this.host.tails(),
    );
  }

  reload(config: string): void {
    this.program.reload(config);
  }

  stop(): Promise<void> {
    return this.program.stop();
  }

  kill(): Promise<void> {
    return this.program.kill();
  }
}
