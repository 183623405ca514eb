/** Baton's election thread on a laboratory host: no worker, no controller, settings given directly. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type {
  ElectionRouterStatus,
  ElectionStatus,
  FromElection,
  GroupSettings,
  HmacSettings,
  HostNetworkSettings,
  Occurrence,
  Problem,
  ResumedRouter,
  RouterSettings,
  ToElection,
} from '../../agent/runtime/messages.js';
import { type SettingsOptions, settings } from '../runtime/router-settings.js';
import type { Host } from './host.js';
import type { Program } from './program.js';
import { until } from './until.js';

/** As JSON: passwords are text of at most 8 bytes, HMAC keys text. The core's addresses are made of the texts. */
export type LabSettings = readonly (Omit<RouterSettings, 'password' | 'hmac'> & {
  readonly password?: string;
  readonly hmac?: Omit<HmacSettings, 'keys'> & {
    readonly keys: readonly { readonly id: number; readonly key: string }[];
  };
})[];

/** ElectionSettings as JSON. */
export interface LabConfiguration {
  readonly routers: LabSettings;
  readonly groups?: readonly GroupSettings[];
  readonly hostNetworks?: readonly HostNetworkSettings[];
  readonly resumed?: readonly ResumedRouter[];
}

export interface LabConfigure {
  readonly kind: 'labConfigure';
  readonly nonce: number;
  readonly configuration: LabConfiguration;
}

export type LabRouter = SettingsOptions &
  Partial<Pick<LabSettings[number], 'password' | 'hmac' | 'checksum' | 'sourceAddress' | 'peers'>>;

/** The settings of one router, on interface em1 unless said otherwise. */
export function labRouter({
  password,
  hmac,
  checksum,
  sourceAddress,
  peers,
  ...options
}: LabRouter): LabSettings[number] {
  const { password: _none, hmac: _neither, ...plain } = settings(options);
  return {
    ...plain,
    ...(checksum === undefined ? {} : { checksum }),
    ...(sourceAddress === undefined ? {} : { sourceAddress }),
    ...(peers === undefined ? {} : { peers }),
    ...(password === undefined ? {} : { password }),
    ...(hmac === undefined ? {} : { hmac }),
  };
}

function asJson(value: unknown): string {
  return JSON.stringify(value, (_key, each: unknown) => (typeof each === 'bigint' ? String(each) : each));
}

let started = 0;

export class LabElection {
  readonly messages: FromElection[] = [];
  #numbers = 0;

  private constructor(
    readonly host: Host,
    readonly program: Program,
  ) {
    program.onLine((line) => {
      if (line.startsWith('{')) this.messages.push(JSON.parse(line) as FromElection);
    });
  }

  /** Starts it with these routers; resolves when they are in force. */
  static async start(host: Host, ...routers: LabSettings): Promise<LabElection> {
    return await LabElection.startWith(host, { routers });
  }

  /** The same with groups, host networks, or what a former process left. */
  static async startWith(host: Host, configuration: LabConfiguration): Promise<LabElection> {
    started += 1;
    const file = join(host.directory, `election-${host.name}-${started}.json`);
    writeFileSync(file, asJson(configuration));
    const program = host.startModule(new URL('./election-main.js', import.meta.url), file);
    const election = new LabElection(host, program);
    await election.#answer('configured', 0);
    return election;
  }

  /** Puts other routers in force; gives the reasons if they are refused. */
  async configure(...routers: LabSettings): Promise<readonly Problem[]> {
    return await this.configureWith({ routers });
  }

  /** The same with groups and host networks. */
  async configureWith(configuration: LabConfiguration): Promise<readonly Problem[]> {
    this.#numbers += 1;
    const nonce = this.#numbers;
    const message: LabConfigure = { kind: 'labConfigure', nonce, configuration };
    this.program.write(`${asJson(message)}\n`);
    return (await this.#answer('configured', nonce)).problems;
  }

  tell(message: Exclude<ToElection, { readonly kind: 'configure' }>): void {
    this.program.write(`${JSON.stringify(message)}\n`);
  }

  async status(): Promise<ElectionStatus> {
    this.#numbers += 1;
    const id = this.#numbers;
    this.tell({ kind: 'statusRequest', id });
    return (await this.#answer('status', id)).status;
  }

  async router(name = 'r'): Promise<ElectionRouterStatus> {
    const found = (await this.status()).routers.find((router) => router.name === name);
    if (found === undefined) throw new Error(`${name} does not run on ${this.host.name}`);
    return found;
  }

  occurrences<Kind extends Occurrence['kind']>(kind: Kind): readonly Extract<Occurrence, { kind: Kind }>[] {
    return this.messages.flatMap((message) =>
      message.kind === 'occurrence' && message.occurrence.kind === kind
        ? [message.occurrence as Extract<Occurrence, { kind: Kind }>]
        : [],
    );
  }

  /** Waits until the router is in this state; told by its transitions, the newest of which counts. */
  async untilState(state: ElectionRouterStatus['state'], withinMs: number, name = 'r'): Promise<void> {
    const newest = () => this.occurrences('transition').findLast(({ router }) => router === name);
    await until(
      `${name} on ${this.host.name} to be ${state}`,
      withinMs,
      () => newest()?.to === state,
      () => ({ newest: newest(), tail: this.program.tail() }),
    );
  }

  /** Planned stop with handover; resolves when the process has ended. */
  async stop(): Promise<void> {
    const end = await this.program.stop();
    if (end !== 'exit 0')
      throw new Error(`the election on ${this.host.name} ended with ${end}:\n${this.program.tail()}`);
  }

  /** Ends at once and keeps the addresses; gives what the next one is to go on with. */
  async suspend(): Promise<readonly ResumedRouter[]> {
    this.program.signal('SIGUSR2');
    const end = await this.program.ended;
    if (end !== 'exit 0')
      throw new Error(`the election on ${this.host.name} ended with ${end}:\n${this.program.tail()}`);
    const stopped = this.messages.findLast((message) => message.kind === 'stopped');
    return stopped?.kind === 'stopped' ? stopped.resumable : [];
  }

  kill(): Promise<void> {
    return this.program.kill();
  }

  #answer<Kind extends 'configured' | 'status'>(
    kind: Kind,
    number: number,
  ): Promise<Extract<FromElection, { kind: Kind }>> {
    return until(
      `the election on ${this.host.name} to answer`,
      10_000,
      () => {
        const answer = this.messages.findLast(
          (message) =>
            message.kind === kind &&
            ((message.kind === 'configured' && message.nonce === number) ||
              (message.kind === 'status' && message.id === number)),
        );
        return answer as Extract<FromElection, { kind: Kind }> | undefined;
      },
      () => this.program.tail(),
    );
  }
}
