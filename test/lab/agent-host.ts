/**
 * A host of the laboratory with the real agent, built beside this module, and the scripts that its owner has: the same
 * paths on every host, as on real ones. The hosts share one file system, so a script asks on which of them it runs.
 */
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { ask } from '../../agent/local/control-client.js';
import { NodeStatus } from '../../proto/gen/baton/v1/status.js';
import { type Outcome, outputOf } from './command.js';
import { type JoinToken, PROGRAMS, type StartOptions } from './controller-host.js';
import type { Host } from './host.js';
import type { Program } from './program.js';

/** Absolute paths. */
export interface HostScripts {
  /** The directory of all of them. */
  readonly directory: string;
  /** Exits 0 while the host is healthy. */
  readonly check: string;
  /** Hooks; each appends a word to the host's hook log. */
  readonly active: string;
  readonly backup: string;
  readonly fault: string;
}

export class AgentHost {
  /** All agents that ran here, oldest first. */
  readonly programs: Program[] = [];
  /** All commands that were run here, oldest first. */
  readonly outcomes: Outcome[] = [];
  readonly directory: string;
  readonly scripts: HostScripts;

  /** Healthy, with an agent.yaml that allows the scripts. */
  constructor(readonly host: Host) {
    this.directory = path.join(host.directory, host.name);
    mkdirSync(this.directory, { mode: 0o700 });
    this.scripts = writeScripts(path.join(host.directory, 'scripts'));
    this.mendHealth();
    this.allowScripts(`${this.scripts.directory}/*`);
  }

  get configFile(): string {
    return path.join(this.directory, 'agent.yaml');
  }

  get stateDirectory(): string {
    return path.join(this.directory, 'state');
  }

  get runDirectory(): string {
    return path.join(this.directory, 'run');
  }

  /** The agent that was started last. */
  get agent(): Program {
    const last = this.programs.at(-1);
    if (last === undefined) throw new TypeError(`no agent was started on ${this.host.name}`);
    return last;
  }

  /** Writes the host owner's agent.yaml anew. */
  allowScripts(...allow: readonly string[]): void {
    const lines = [
      `stateDir: ${this.stateDirectory}`,
      `runDir: ${this.runDirectory}`,
      'scripts:',
      `  allow: [${allow.join(', ')}]`,
      '  user: root',
      '',
    ];
    writeFileSync(this.configFile, lines.join('\n'));
  }

  join(endpoint: string, { token, caPin }: JoinToken, ...options: readonly string[]): Promise<Outcome> {
    const words = ['--controller', endpoint, '--token', token, '--ca-pin', caPin, '--config', this.configFile];
    return this.#attempt('join', ...words, ...options);
  }

  /** Joined to a controller. */
  start(given: StartOptions = {}): Program {
    return this.#start(given, '--config', this.configFile);
  }

  /** On its own, with a file. */
  startAlone(file: string, given: StartOptions = {}): Program {
    const directories = ['--state-dir', this.stateDirectory, '--run-dir', this.runDirectory];
    return this.#start(given, '--standalone', file, ...directories);
  }

  /** A command of the agent's owner: status, explain, events, check. */
  attempt(command: string, ...args: readonly string[]): Promise<Outcome> {
    const where = ['status', 'explain', 'events'].includes(command) ? ['--run-dir', this.runDirectory] : [];
    return this.#attempt(command, ...args, ...where);
  }

  /** Standard output of such a command, which must succeed. */
  async command(command: string, ...args: readonly string[]): Promise<string> {
    return outputOf(await this.attempt(command, ...args));
  }

  async status(): Promise<NodeStatus> {
    return NodeStatus.fromJSON(await ask(this.runDirectory, { command: 'status' }));
  }

  breakHealth(): void {
    rmSync(this.#healthFile, { force: true });
  }

  mendHealth(): void {
    writeFileSync(this.#healthFile, '');
  }

  /** What the hooks have written: MASTER, BACKUP, FAULT. */
  hooksRun(): readonly string[] {
    const log = path.join(this.scripts.directory, `hooks-${this.host.namespace}.log`);
    return existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : [];
  }

  get #healthFile(): string {
    return path.join(this.scripts.directory, `healthy-${this.host.namespace}`);
  }

  #start({ environment = {}, options = [] }: StartOptions, ...args: readonly string[]): Program {
    const words = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
    const program = this.host.start('env', ...words, `${PROGRAMS}baton-agent`, 'run', ...args, ...options);
    this.programs.push(program);
    return program;
  }

  async #attempt(...args: string[]): Promise<Outcome> {
    const outcome = await this.host.attempt(`${PROGRAMS}baton-agent`, ...args);
    this.outcomes.push(outcome);
    return outcome;
  }
}

function writeScripts(directory: string): HostScripts {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const script = (name: string, text: string): string => {
    const file = path.join(directory, name);
    if (!existsSync(file)) writeFileSync(file, `#!/bin/sh\nPATH=/usr/sbin:/usr/bin:/sbin:/bin\n${text}\n`);
    chmodSync(file, 0o755);
    return file;
  };
  const hook = (word: string): string => `echo ${word} >> ${directory}/hooks-$(ip netns identify).log`;
  return {
    directory,
    check: script('pg_moniter.sh', `test -e ${directory}/healthy-$(ip netns identify)`),
    active: script('master.sh', hook('MASTER')),
    backup: script('backup.sh', hook('BACKUP')),
    fault: script('fault.sh', hook('FAULT')),
  };
}
