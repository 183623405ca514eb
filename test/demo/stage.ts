/**
 * The demo's stage: a switch, two agent hosts, a controller host with a mail server, a client, each in a network
 * namespace of its own; and the programs as an operator runs them.
 */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { AgentHost } from '../lab/agent-host.js';
import { outputOf } from '../lab/command.js';
import { ControllerHost, PROGRAMS } from '../lab/controller-host.js';
import type { Host } from '../lab/host.js';
import { Lab } from '../lab/lab.js';
import { keepalivedFile } from './keepalived-files.js';

export class Stage {
  private constructor(
    readonly lab: Lab,
    readonly base1: AgentHost,
    readonly base2: AgentHost,
    readonly controller: ControllerHost,
    readonly client: Host,
  ) {}

  static async open(): Promise<Stage> {
    const lab = await Lab.open();
    try {
      const base1 = new AgentHost(await lab.host('base1', { addresses: ['192.168.1.11/24'] }));
      const base2 = new AgentHost(await lab.host('base2', { addresses: ['192.168.1.12/24'] }));
      const controller = new ControllerHost(await lab.host('controller', { addresses: ['192.168.1.5/24'] }));
      const client = await lab.host('client', { addresses: ['192.168.1.100/24'] });
      for (const { host, scripts } of [base1, base2]) {
        writeFileSync(keepalivedConf(host), keepalivedFile(host.name, scripts));
      }
      return new Stage(lab, base1, base2, controller, client);
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

  /** What batonctl prints as its result, and before it what it remarks on standard error. */
  importFiles(output: string): Promise<string> {
    const files = [this.base1, this.base2].map(({ host }) => keepalivedConf(host));
    const words = [`${PROGRAMS}batonctl`, 'import', ...files, '--output', output];
    return this.controller.host.run('sh', '-c', '"$@" 2>&1', 'sh', ...words);
  }

  /** Joins an agent with a token that is good for this node only. */
  async join(agentHost: AgentHost): Promise<string> {
    const { name } = agentHost.host;
    const token = await this.controller.createToken(name);
    return outputOf(await agentHost.join(this.controller.endpoint, token, '--name', name));
  }

  close(): Promise<void> {
    return this.lab.close();
  }
}

function keepalivedConf(host: Host): string {
  return path.join(host.directory, host.name, 'keepalived.conf');
}
