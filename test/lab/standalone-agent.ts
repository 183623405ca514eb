/** The real agent on a laboratory host with a keepalived.conf of its own: the same text that keepalived gets. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { ask } from '../../agent/local/control-client.js';
import { MemberState, NodeStatus, type RouterStatus } from '../../proto/gen/baton/v1/status.js';
import type { Host } from './host.js';
import type { Program } from './program.js';
import { until } from './until.js';

/** As it is shipped. */
const MAIN = path.resolve(import.meta.dirname, '../../bundle/baton-agent.js');

let started = 0;

export class StandaloneAgent {
  private constructor(
    readonly host: Host,
    readonly program: Program,
    /** Of this agent and of those that go on with what it held. */
    private readonly directory: string,
    /** Of "run", besides where its directories are. */
    private readonly options: readonly string[],
  ) {}

  /** Resolves when the configuration is in force. */
  static async start(host: Host, config: string, options: readonly string[] = []): Promise<StandaloneAgent> {
    started += 1;
    const directory = path.join(host.directory, `agent-${host.name}-${started}`);
    mkdirSync(directory, { mode: 0o700 });
    writeFileSync(path.join(directory, 'keepalived.conf'), config);
    return await StandaloneAgent.#run(host, directory, options);
  }

  static async #run(host: Host, directory: string, options: readonly string[]): Promise<StandaloneAgent> {
    const file = (name: string) => path.join(directory, name);
    const words = ['--state-dir', file('state'), '--run-dir', file('run'), ...options];
    const program = host.start(process.execPath, MAIN, 'run', '--standalone', file('keepalived.conf'), ...words);
    const agent = new StandaloneAgent(host, program, directory, options);
    await until(
      `the agent on ${host.name} to run its configuration`,
      30_000,
      async () => !program.running || (await agent.status()).bundle !== undefined,
      () => program.tail(),
    );
    if (!program.running) throw new Error(`the agent on ${host.name} did not start:\n${program.tail()}`);
    return agent;
  }

  async status(): Promise<NodeStatus> {
    return NodeStatus.fromJSON(await ask(path.join(this.directory, 'run'), { command: 'status' }));
  }

  /** By the name that the instance has in the file. */
  async router(name = 'VI_1'): Promise<RouterStatus> {
    const { routers } = await this.status();
    const found = routers.find((router) => router.name.toUpperCase().replaceAll('-', '_') === name.toUpperCase());
    if (found === undefined) {
      throw new Error(`${name} is not among ${routers.map((router) => router.name).join(', ')} on ${this.host.name}`);
    }
    return found;
  }

  async untilState(
    state: 'INITIALIZE' | 'BACKUP' | 'ACTIVE' | 'FAULT',
    withinMs: number,
    name?: string,
  ): Promise<void> {
    await until(
      `${name ?? 'the router'} on ${this.host.name} to be ${state}`,
      withinMs,
      async () => (await this.router(name)).state === MemberState[state],
      () => this.program.tail(),
    );
  }

  /** Writes a new configuration and has it read (SIGHUP). */
  reload(config: string): void {
    writeFileSync(path.join(this.directory, 'keepalived.conf'), config);
    this.program.signal('SIGHUP');
  }

  /** Ends it so that the next one goes on with its addresses (SIGUSR2), and starts the next one. */
  async restart(): Promise<StandaloneAgent> {
    this.program.signal('SIGUSR2');
    const end = await this.program.ended;
    if (end !== 'exit 0') throw new Error(`the agent on ${this.host.name} ended with ${end}:\n${this.program.tail()}`);
    return await StandaloneAgent.#run(this.host, this.directory, this.options);
  }

  /** SIGTERM: hands over. */
  async stop(): Promise<void> {
    const end = await this.program.stop();
    if (end !== 'exit 0') throw new Error(`the agent on ${this.host.name} ended with ${end}:\n${this.program.tail()}`);
  }

  /** SIGKILL. */
  kill(): Promise<void> {
    return this.program.kill();
  }
}
