/** Debian's FRR on a laboratory host: zebra and bfdd with sockets and files of their own. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from './command.js';
import type { Host } from './host.js';
import type { Program } from './program.js';
import { until } from './until.js';

const DAEMONS = '/usr/lib/frr';

/** Why there is no FRR here, or false. For the `skip` option of node:test. */
export function frrUnavailable(): string | false {
  return existsSync(join(DAEMONS, 'bfdd')) ? false : 'needs FRR: the Debian package frr is not installed';
}

/** One peer as "show bfd peers json" has it; intervals in milliseconds. */
export interface FrrPeer {
  readonly peer: string;
  readonly status: string;
  readonly diagnostic: string;
  readonly 'remote-diagnostic': string;
  readonly 'remote-receive-interval': number;
  readonly 'remote-transmit-interval': number;
  readonly 'remote-detect-multiplier': number;
}

export class FrrBfd {
  private constructor(
    readonly zebra: Program,
    readonly bfdd: Program,
    private readonly directory: string,
  ) {}

  /** @param config of bfdd, as bfdd.conf has it */
  static async start(host: Host, config: string): Promise<FrrBfd> {
    // The daemons give up root for the user frr, who must be able to get at their files.
    const directory = mkdtempSync(join(tmpdir(), 'btfrr-'));
    execFileSync('chown', ['frr:frr', directory]);
    execFileSync('chmod', ['755', directory]);
    const file = (name: string) => join(directory, name);
    writeFileSync(file('bfdd.conf'), config);
    const common = ['--vty_socket', directory, '-z', file('zebra.api'), '--log', 'stdout'];
    const zebra = host.start(join(DAEMONS, 'zebra'), ...common, '-i', file('zebra.pid'), '-f', '/dev/null');
    await until(
      'zebra to start',
      10_000,
      () => existsSync(file('zebra.api')),
      () => zebra.tail(),
    );
    const bfdd = host.start(
      join(DAEMONS, 'bfdd'),
      ...common,
      '-i',
      file('bfdd.pid'),
      '-f',
      file('bfdd.conf'),
      '--bfdctl',
      file('bfdd.sock'),
    );
    const frr = new FrrBfd(zebra, bfdd, directory);
    await until(
      'bfdd to answer',
      10_000,
      async () => (await frr.peers()).length > 0,
      () => bfdd.tail(),
    );
    return frr;
  }

  async peers(): Promise<readonly FrrPeer[]> {
    return JSON.parse(await this.#ask('show bfd peers json')) as readonly FrrPeer[];
  }

  /** Commands of the configuration mode. What is refused is said on standard output, with exit code 0. */
  async configure(...lines: readonly string[]): Promise<void> {
    const said = (await this.#ask('configure terminal', ...lines)).trim();
    if (said !== '') throw new Error(`FRR was told "${lines.join('", "')}" and said: ${said}`);
  }

  async untilPeer(status: string, withinMs: number): Promise<FrrPeer> {
    return await until(
      `FRR's session to be ${status}`,
      withinMs,
      async () => (await this.peers()).find((peer) => peer.status === status),
      async () => await this.peers(),
    );
  }

  async close(): Promise<void> {
    await this.bfdd.stop();
    await this.zebra.stop();
    rmSync(this.directory, { recursive: true, force: true });
  }

  #ask(...commands: readonly string[]): Promise<string> {
    return run('vtysh', ['--vty_socket', this.directory, ...commands.flatMap((command) => ['-c', command])]);
  }
}
