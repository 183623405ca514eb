/**
 * The host of the laboratory on which the controller, its mail server and the operator are: the real programs, built
 * beside this module, used as an operator uses them.
 */
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { type Outcome, outputOf } from './command.js';
import type { Host } from './host.js';
import type { Program } from './program.js';
import type { ReceivedMail } from './smtp-server.js';

/** Where the build that this module belongs to has its programs; with a slash at the end. */
export const PROGRAMS = new URL('../../bin/', import.meta.url).pathname;

export interface StartOptions {
  /** Further environment, such as NODE_OPTIONS. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Further words of the command line. */
  readonly options?: readonly string[];
}

/** A token as "batonctl token create" makes it. */
export interface JoinToken {
  readonly token: string;
  readonly caPin: string;
}

export class ControllerHost {
  /** Mails that the mail server has taken, oldest first. */
  readonly mails: ReceivedMail[] = [];
  /** All controllers that ran here, oldest first. */
  readonly programs: Program[] = [];
  /** All commands that were run here, oldest first. */
  readonly outcomes: Outcome[] = [];
  readonly dataDirectory: string;

  constructor(readonly host: Host) {
    this.dataDirectory = path.join(host.directory, host.name);
    mkdirSync(this.dataDirectory, { recursive: true, mode: 0o700 });
  }

  /** HOST:PORT for agents and operators. */
  get endpoint(): string {
    return `${this.host.address}:7443`;
  }

  /** The operator's contexts, as "init" writes them. */
  get operatorFile(): string {
    return path.join(this.dataDirectory, 'operator.yaml');
  }

  /** The controller that was started last. */
  get program(): Program {
    const last = this.programs.at(-1);
    if (last === undefined) throw new TypeError('no controller was started');
    return last;
  }

  /** Listens on port 25 of loopback. Resolves with what it says when it listens: its port, and its certificate if any. */
  async startMailServer(...options: readonly string[]): Promise<{ readonly port: number; readonly ca?: string }> {
    const server = this.host.startModule(new URL('./smtp-server.js', import.meta.url), '--port', '25', ...options);
    server.onLine((line) => {
      if (!line.startsWith('{')) return;
      const said = JSON.parse(line) as { readonly event: string };
      if (said.event === 'mail') this.mails.push(said as ReceivedMail);
    });
    return JSON.parse(await server.untilSays('listening', 10_000)) as { readonly port: number };
  }

  /** Makes the authority and the first operator's credential. */
  async init(): Promise<string> {
    return outputOf(await this.#attempt('baton-controller', ['init', ...this.#dataDir, '--advertise', this.endpoint]));
  }

  /** Resolves when it serves. */
  async start({ environment = {}, options = [] }: StartOptions = {}): Promise<Program> {
    const words = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
    const program = this.host.start(
      'env',
      ...words,
      `${PROGRAMS}baton-controller`,
      'serve',
      ...this.#dataDir,
      ...options,
    );
    this.programs.push(program);
    await program.untilSays('controller serving', 15_000);
    return program;
  }

  /** SIGTERM. Gives how it ended. */
  stop(): Promise<string> {
    return this.program.stop();
  }

  /** batonctl as the operator. */
  attempt(...args: string[]): Promise<Outcome> {
    return this.#attempt('batonctl', ['--config', this.operatorFile, '--no-color', ...args]);
  }

  /** Standard output of batonctl, which must succeed. */
  async batonctl(...args: string[]): Promise<string> {
    return outputOf(await this.attempt(...args));
  }

  /** What batonctl prints with -o json. The caller knows its shape. */
  async json<T>(...args: string[]): Promise<T> {
    return JSON.parse(await this.batonctl('-o', 'json', ...args)) as T;
  }

  /** Good for this node only. */
  createToken(node: string): Promise<JoinToken> {
    return this.json<JoinToken>('token', 'create', '--node', node);
  }

  async #attempt(program: string, args: readonly string[]): Promise<Outcome> {
    const outcome = await this.host.attempt(`${PROGRAMS}${program}`, ...args);
    this.outcomes.push(outcome);
    return outcome;
  }

  get #dataDir(): readonly string[] {
    return ['--data-dir', this.dataDirectory];
  }
}
