/** On what the figures were measured: without it they say nothing. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import os from 'node:os';
import process from 'node:process';

export interface Machine {
  readonly processor: string;
  readonly processors: number;
  readonly memoryMiB: number;
  readonly kernel: string;
  readonly distribution: string;
  readonly node: string;
  readonly keepalived: string;
  /** Of the sources that were measured; "-dirty" when they had been changed since. */
  readonly commit: string;
}

/** What cannot be found out says so. */
export function describeMachine(): Machine {
  return {
    processor: os.cpus()[0]?.model.trim() ?? 'unknown',
    processors: os.availableParallelism(),
    memoryMiB: Math.round(os.totalmem() / 2 ** 20),
    kernel: os.release(),
    distribution: /^PRETTY_NAME="?([^"\n]*)/m.exec(textOf('/etc/os-release'))?.[1] ?? 'unknown',
    node: process.version,
    keepalived: /v[\d.]+/.exec(said('keepalived', '--version'))?.[0] ?? 'none',
    commit: said('git', 'describe', '--always', '--dirty', '--abbrev=12').trim() || 'unknown',
  };
}

/** One-minute load average. */
export function loadAverage(): number {
  return Number((os.loadavg()[0] ?? 0).toFixed(2));
}

/** Standard output and error; empty when the program is not there or fails. */
function said(file: string, ...args: readonly string[]): string {
  try {
    return execFileSync('sh', ['-c', '"$@" 2>&1', 'sh', file, ...args], { cwd: import.meta.dirname, encoding: 'utf8' });
  } catch {
    return '';
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
