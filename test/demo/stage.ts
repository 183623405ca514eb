/**
 * The demo's stage: a switch, two agent hosts, a controller host with a mail server, a client, each in a network
 * namespace of its own; and the programs as an operator runs them.
 */
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { run } from '../lab/command.js';
import type { Host } from '../lab/host.js';
import { Lab } from '../lab/lab.js';
import type { Program } from '../lab/program.js';
import type { ReceivedMail } from '../lab/smtp-server.js';
import { type HostScripts, keepalivedFile } from './keepalived-files.js';

const BIN = new URL('../../bin/', import.meta.url).pathname;
const CONTROLLER_ADDRESS = '192.168.1.5';

/** One agent host. */
export interface AgentHost {
  readonly host: Host;
  readonly directory: string;
  readonly keepalivedFile: string;
  /** The check succeeds while this file is there. */
  readonly healthFile: string;
  /** Hooks append to it. */
  readonly hookLog: string;
  agent?: Program;
}

export class Stage {
  readonly mails: ReceivedMail[] = [];
  controller: Program | undefined;

  private constructor(
    readonly lab: Lab,
    readonly base1: AgentHost,
    readonly base2: AgentHost,
    readonly operations: Host,
    readonly client: Host,
  ) {}

  static async open(): Promise<Stage> {
    const lab = await Lab.open();
    try {
      const hosts = [
        await lab.host('base1', { addresses: ['192.168.1.11/24'] }),
        await lab.host('base2', { addresses: ['192.168.1.12/24'] }),
      ] as const;
      const operations = await lab.host('controller', { addresses: [`${CONTROLLER_ADDRESS}/24`] });
      const client = await lab.host('client', { addresses: ['192.168.1.100/24'] });
      return new Stage(lab, prepare(lab, hosts[0]), prepare(lab, hosts[1]), operations, client);
    } catch (error) {
      await lab.close();
      throw error;
    }
  }

  agentHost(name: string): AgentHost {
    return name === 'base1' ? this.base1 : this.base2;
  }

  /** The one that is not `name`. */
  otherThan(name: string): AgentHost {
    return name === 'base1' ? this.base2 : this.base1;
  }

  async startMailServer(): Promise<void> {
    const server = this.operations.startModule(
      new URL('../lab/smtp-server.js', import.meta.url),
      ...['--port', '25', '--tls', 'none'],
    );
    server.onLine((line) => {
      const said = JSON.parse(line) as { readonly event: string };
      if (said.event === 'mail') this.mails.push(said as ReceivedMail);
    });
    await server.untilSays('listening', 10_000);
  }

  /** Makes the authority and the first operator's credential. */
  initController(): Promise<string> {
    return this.operations.run(
      `${BIN}baton-controller`,
      ...['init', '--data-dir', this.#dataDirectory, '--advertise', `${CONTROLLER_ADDRESS}:7443`],
    );
  }

  async startController(): Promise<void> {
    this.controller = this.operations.start(`${BIN}baton-controller`, 'serve', '--data-dir', this.#dataDirectory);
    await this.controller.untilSays('controller serving', 15_000);
  }

  async stopController(): Promise<void> {
    await this.controller?.stop();
    this.controller = undefined;
  }

  batonctl(...args: string[]): Promise<string> {
    return this.operations.run(
      `${BIN}batonctl`,
      ...['--config', path.join(this.#dataDirectory, 'operator.yaml'), '--no-color', ...args],
    );
  }

  /** What batonctl prints as its result, and before it what it remarks on standard error. */
  async importFiles(output: string): Promise<string> {
    const words = [
      `${BIN}batonctl`,
      'import',
      this.base1.keepalivedFile,
      this.base2.keepalivedFile,
      '--output',
      output,
    ];
    return this.operations.run('sh', '-c', '"$@" 2>&1', 'sh', ...words);
  }

  /** Joins an agent with a token that is good for this node only. */
  async join(agentHost: AgentHost): Promise<string> {
    const { name } = agentHost.host;
    const made = JSON.parse(await this.batonctl('-o', 'json', 'token', 'create', '--node', name)) as {
      readonly token: string;
      readonly caPin: string;
    };
    return agentHost.host.run(
      `${BIN}baton-agent`,
      ...['join', '--controller', `${CONTROLLER_ADDRESS}:7443`, '--token', made.token, '--ca-pin', made.caPin],
      ...['--name', name, '--config', configFile(agentHost)],
    );
  }

  startAgent(agentHost: AgentHost): void {
    agentHost.agent = agentHost.host.start(`${BIN}baton-agent`, 'run', '--config', configFile(agentHost));
  }

  agentCommand(agentHost: AgentHost, ...args: string[]): Promise<string> {
    return run(`${BIN}baton-agent`, [...args, '--run-dir', path.join(agentHost.directory, 'run')]);
  }

  close(): Promise<void> {
    return this.lab.close();
  }

  get #dataDirectory(): string {
    return path.join(this.lab.directory, 'controller');
  }
}

export function breakHealth(agentHost: AgentHost): void {
  rmSync(agentHost.healthFile);
}

export function mendHealth(agentHost: AgentHost): void {
  writeFileSync(agentHost.healthFile, '');
}

export function hooksRun(agentHost: AgentHost): readonly string[] {
  if (!existsSync(agentHost.hookLog)) return [];
  return readFileSync(agentHost.hookLog, 'utf8').trim().split('\n');
}

function configFile({ directory }: AgentHost): string {
  return path.join(directory, 'agent.yaml');
}

/**
 * What is on the hosts before Baton comes: scripts at the same paths on both, as on two real hosts, and keepalived.conf.
 * The namespaces share one file system, so a script asks in which of them it runs.
 */
function prepare(lab: Lab, host: Host): AgentHost {
  const directory = path.join(lab.directory, host.name);
  mkdirSync(directory, { mode: 0o700 });
  const scriptDirectory = path.join(lab.directory, 'scripts');
  mkdirSync(scriptDirectory, { recursive: true, mode: 0o700 });
  const healthFile = path.join(scriptDirectory, `healthy-${host.namespace}`);
  const hookLog = path.join(scriptDirectory, `hooks-${host.namespace}.log`);
  const script = (name: string, text: string) => {
    const file = path.join(scriptDirectory, name);
    writeFileSync(file, `#!/bin/sh\nPATH=/usr/sbin:/usr/bin:/sbin:/bin\n${text}\n`);
    chmodSync(file, 0o755);
    return file;
  };
  const scripts: HostScripts = {
    check: script('pg_monitor.sh', `test -e ${scriptDirectory}/healthy-$(ip netns identify)`),
    active: script('master.sh', `echo MASTER >> ${scriptDirectory}/hooks-$(ip netns identify).log`),
    backup: script('backup.sh', `echo BACKUP >> ${scriptDirectory}/hooks-$(ip netns identify).log`),
    fault: script('fault.sh', `echo FAULT >> ${scriptDirectory}/hooks-$(ip netns identify).log`),
  };
  writeFileSync(healthFile, '');
  writeFileSync(path.join(directory, 'keepalived.conf'), keepalivedFile(host.name, scripts));
  writeFileSync(
    path.join(directory, 'agent.yaml'),
    [
      `stateDir: ${path.join(directory, 'state')}`,
      `runDir: ${path.join(directory, 'run')}`,
      'scripts:',
      `  allow: [${scriptDirectory}/*]`,
      '  user: root',
      '',
    ].join('\n'),
  );
  return { host, directory, keepalivedFile: path.join(directory, 'keepalived.conf'), healthFile, hookLog };
}
