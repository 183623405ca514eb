/** Keepalived, Debian's or another build, on a laboratory host, with its own files, ended by its own pids. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Host } from './host.js';
import type { Program } from './program.js';
import { until } from './until.js';

let started = 0;

/**
 * A keepalived of version 2.4 or later, for what Debian's does not have; the environment variable BATON_KEEPALIVED names
 * it. For the `skip` option of node:test: why there is none.
 */
export function newerKeepalived(): { readonly path: string; readonly skip: string | false } {
  const path = process.env['BATON_KEEPALIVED'] ?? '';
  if (path !== '' && existsSync(path)) return { path, skip: false };
  return { path, skip: 'needs keepalived 2.4 or later: set BATON_KEEPALIVED to its path' };
}

/** What keepalived's JSON dump says of an instance; its numbers for states. */
export interface KeepalivedInstance {
  readonly iname: string;
  /** 0 init, 1 backup, 2 master, 3 fault. */
  readonly state: number;
  readonly base_priority: number;
  readonly effective_priority: number;
  readonly vrid: number;
}

/** Linux: keepalived's own signal for the dump is SIGRTMIN + 2. */
const SIGNAL_JSON = 36;

export class Keepalived {
  private constructor(
    readonly host: Host,
    readonly program: Program,
    private readonly files: {
      readonly config: string;
      readonly parent: string;
      readonly vrrp: string;
      /** Where its dumps go. */
      readonly dumps: string;
    },
  ) {}

  /**
   * Starts keepalived (VRRP only, in the foreground) with this keepalived.conf; resolves when its VRRP child runs.
   *
   * @param program Debian's, unless a path is given
   */
  static async start(host: Host, config: string, program = 'keepalived'): Promise<Keepalived> {
    started += 1;
    const file = (name: string) => join(host.directory, `keepalived-${host.name}-${started}.${name}`);
    const files = { config: file('conf'), parent: file('pid'), vrrp: file('vrrp.pid'), dumps: file('dumps') };
    writeFileSync(files.config, config);
    mkdirSync(files.dumps);
    const running = host.start(
      'env',
      `TMPDIR=${files.dumps}`,
      program,
      '--dont-fork',
      '--log-console',
      '--log-detail',
      // A build without the other halves does not know it, and would take it for the beginning of another option.
      ...(program === 'keepalived' ? ['--vrrp'] : []),
      `--use-file=${files.config}`,
      `--pid=${files.parent}`,
      `--vrrp_pid=${files.vrrp}`,
    );
    const keepalived = new Keepalived(host, running, files);
    await until(
      'keepalived to start',
      30_000,
      () => running.running && keepalived.#vrrpPid(),
      () => running.tail(),
    );
    return keepalived;
  }

  /** Of the process that elects; undefined while there is none. */
  get electionPid(): number | undefined {
    return this.#vrrpPid();
  }

  /** Its own account of its instances, as of now. */
  async instances(): Promise<readonly KeepalivedInstance[]> {
    const dump = join(this.files.dumps, 'keepalived.json');
    rmSync(dump, { force: true });
    const vrrp = this.#vrrpPid();
    if (vrrp === undefined) throw new Error(`keepalived does not run on ${this.host.name}`);
    process.kill(vrrp, SIGNAL_JSON);
    return await until(
      'keepalived to write its JSON dump',
      3000,
      () => {
        if (!existsSync(dump)) return undefined;
        const dumped = JSON.parse(readFileSync(dump, 'utf8')) as readonly { readonly data: KeepalivedInstance }[];
        return dumped.map(({ data }) => data);
      },
      () => this.program.tail(),
    );
  }

  /** Writes a new configuration and has it read (SIGHUP). */
  reload(config: string): void {
    writeFileSync(this.files.config, config);
    this.program.signal('SIGHUP');
  }

  /** SIGTERM: priority 0, addresses removed. */
  async stop(): Promise<void> {
    await this.program.stop();
  }

  /** Both processes die without a word; the addresses stay. */
  async kill(): Promise<void> {
    const vrrp = this.#vrrpPid();
    // The child is told of its parent's death by SIGTERM and would say goodbye; the parent would start another child.
    this.program.signal('SIGSTOP');
    if (vrrp !== undefined) process.kill(vrrp, 'SIGKILL');
    await this.program.kill();
  }

  #vrrpPid(): number | undefined {
    try {
      const pid = Number.parseInt(readFileSync(this.files.vrrp, 'utf8'), 10);
      return Number.isNaN(pid) ? undefined : pid;
    } catch {
      return undefined;
    }
  }
}

export interface InstanceOptions {
  readonly vrid: number;
  readonly priority: number;
  readonly addresses: readonly string[];
  readonly interface: string;
  readonly version?: 2 | 3;
  /** Seconds; fractions with version 3. */
  readonly interval?: number;
  readonly password?: string;
  readonly unicast?: { readonly source: string; readonly peers: readonly string[] };
  /** Further lines of the vrrp_instance block. */
  readonly more?: readonly string[];
  /** Further blocks of the file. */
  readonly blocks?: readonly string[];
}

/** A keepalived.conf with one vrrp_instance, VI_1. */
export function keepalivedConf(options: InstanceOptions): string {
  return [globalBlock(options.version), ...(options.blocks ?? []), vrrpInstance('VI_1', options), ''].join('\n');
}

/** A keepalived.conf with these blocks, of version 3 where they do not say. */
export function keepalivedFile(...blocks: readonly string[]): string {
  return [globalBlock(), ...blocks, ''].join('\n');
}

function globalBlock(version: 2 | 3 = 3): string {
  return [
    'global_defs {',
    '  router_id lab',
    `  vrrp_version ${version}`,
    '  vrrp_garp_master_delay 1',
    '  script_user root',
    '}',
  ].join('\n');
}

/** A vrrp_instance block. */
export function vrrpInstance(name: string, options: InstanceOptions): string {
  const lines = [
    'state BACKUP',
    `interface ${options.interface}`,
    `virtual_router_id ${options.vrid}`,
    `priority ${options.priority}`,
    `advert_int ${options.interval ?? 1}`,
    ...(options.version === undefined ? [] : [`version ${options.version}`]),
    ...(options.password === undefined
      ? []
      : ['authentication {', '  auth_type PASS', `  auth_pass ${options.password}`, '}']),
    ...(options.unicast === undefined
      ? []
      : [
          `unicast_src_ip ${options.unicast.source}`,
          'unicast_peer {',
          ...options.unicast.peers.map((peer) => `  ${peer}`),
          '}',
        ]),
    'virtual_ipaddress {',
    ...options.addresses.map((address) => `  ${address}`),
    '}',
    ...(options.more ?? []),
  ];
  return [`vrrp_instance ${name} {`, ...lines.map((line) => `  ${line}`), '}'].join('\n');
}
