/** Baton or keepalived as a user runs it, with the same keepalived.conf, on a laboratory host. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { PROGRAMS } from '../lab/controller-host.js';
import type { Host } from '../lab/host.js';
import type { Program } from '../lab/program.js';
import type { Kind } from './figure.js';

export interface ContestantOptions {
  /** Everything that it can log without being built for it. */
  readonly debugLog?: boolean;
  /** Where "node" is looked for first; a directory. */
  readonly nodeFrom?: string;
  /** SCHED_RR, 1..99, for what elects. Default: none, and each program's own priority. */
  readonly realtimePriority?: number;
}

let started = 0;

/** A line of the log by which a router is known to be a backup. */
const SAYS_BACKUP: Readonly<Record<Kind, RegExp>> = {
  keepalived: /Entering BACKUP STATE/,
  baton: /"to":"backup".*"state changed"/,
};

export class Contestant {
  private constructor(
    readonly kind: Kind,
    readonly host: Host,
    readonly program: Program,
    /** Wall clock, milliseconds with fractions: when the process was asked for. */
    readonly startedAtMs: number,
  ) {}

  /** Starts it and waits for nothing. */
  static start(kind: Kind, host: Host, config: string, options: ContestantOptions = {}): Contestant {
    started += 1;
    const directory = path.join(host.directory, `${kind}-${host.name}-${started}`);
    mkdirSync(directory, { mode: 0o700 });
    const file = (name: string) => path.join(directory, name);
    writeFileSync(file('keepalived.conf'), kind === 'keepalived' ? withPriority(config, options) : config);
    const words = kind === 'baton' ? batonWords(file, options) : keepalivedWords(file, options);
    const startedAtMs = wallMs();
    return new Contestant(kind, host, host.start(...words), startedAtMs);
  }

  /** Resolves when it says that a router of its is a backup. */
  async untilBackup(withinMs: number): Promise<void> {
    await this.program.untilSays(SAYS_BACKUP[this.kind], withinMs);
  }

  /** Its process and all that come of it, the parent first. */
  processes(): readonly number[] {
    return familyOf(this.program.pid);
  }

  /** SIGKILL to all of its processes, none of which gets to say goodbye for the death of another. */
  async kill(): Promise<void> {
    const [parent, ...others] = this.processes();
    if (parent === undefined) return await this.program.ended.then(() => undefined);
    process.kill(parent, 'SIGSTOP');
    for (const pid of others) process.kill(pid, 'SIGKILL');
    await this.program.kill();
  }

  /** SIGTERM, and its end. */
  async stop(): Promise<void> {
    await this.program.stop(20_000);
  }
}

function batonWords(file: (name: string) => string, options: ContestantOptions): [string, ...string[]] {
  const { debugLog = false, nodeFrom, realtimePriority } = options;
  const where = ['--standalone', file('keepalived.conf'), '--state-dir', file('state'), '--run-dir', file('run')];
  const priority = realtimePriority === undefined ? [] : ['--realtime-priority', String(realtimePriority)];
  const words = ['run', ...where, ...(debugLog ? ['--log-level', 'debug'] : []), ...priority];
  const program = `${PROGRAMS}baton-agent`;
  if (nodeFrom === undefined) return [program, ...words];
  return ['env', `PATH=${nodeFrom}:${process.env['PATH'] ?? ''}`, program, ...words];
}

/** The file says what keepalived is told of its priority. */
function withPriority(config: string, { realtimePriority }: ContestantOptions): string {
  if (realtimePriority === undefined) return config;
  return `global_defs {\n  vrrp_rt_priority ${realtimePriority}\n}\n${config}`;
}

function keepalivedWords(
  file: (name: string) => string,
  { debugLog = false }: ContestantOptions,
): [string, ...string[]] {
  const files = [
    `--use-file=${file('keepalived.conf')}`,
    `--pid=${file('pid')}`,
    `--vrrp_pid=${file('vrrp.pid')}`,
    `--checkers_pid=${file('checkers.pid')}`,
  ];
  return ['keepalived', '--dont-fork', '--log-console', '--vrrp', ...(debugLog ? ['--log-detail'] : []), ...files];
}

/** Empty when the process has ended. */
function familyOf(pid: number): readonly number[] {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean);
    return [pid, ...children.flatMap((child) => familyOf(Number(child)))];
  } catch {
    return [];
  }
}

/** Wall clock, milliseconds with fractions. */
export function wallMs(): number {
  return performance.timeOrigin + performance.now();
}
