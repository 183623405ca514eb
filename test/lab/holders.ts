/**
 * Who held an address when: the kernels' own reports of every addition and removal on every host, so that nothing
 * between two samples is missed.
 */
import { spawn } from 'node:child_process';
import { setPriority } from 'node:os';
import type { Host } from './host.js';
import { Program } from './program.js';
import { until } from './until.js';

/** A span during which a host had the address; wall clock milliseconds of the one machine that all hosts are. */
export interface Holding {
  readonly host: string;
  readonly fromMs: number;
  /** Absent: still held. */
  readonly untilMs?: number;
}

/** A span during which two hosts had the address. */
export interface Overlap {
  readonly hosts: readonly [string, string];
  readonly fromMs: number;
  readonly untilMs: number;
}

/** Called as a host has got the address, or has lost it. */
export type HoldingListener = (host: string, holds: boolean) => void;

const MONITOR_NICENESS = -10;

export class Holders {
  readonly #holdings: { host: string; fromMs: number; untilMs?: number }[] = [];
  readonly #monitors: Program[] = [];
  #onChange: HoldingListener = () => undefined;

  private constructor(readonly address: string) {}

  /** Watches from now on; what hosts hold already counts from now. */
  static watch(address: string, ...hosts: readonly Host[]): Promise<Holders> {
    return Holders.report(address, () => undefined, ...hosts);
  }

  /** The same, with a call for each beginning and end. */
  static async report(address: string, onChange: HoldingListener, ...hosts: readonly Host[]): Promise<Holders> {
    const holders = new Holders(address);
    holders.#onChange = onChange;
    for (const host of hosts) await holders.#watch(host);
    return holders;
  }

  /** All spans until now, oldest first. */
  get holdings(): readonly Holding[] {
    return this.#holdings;
  }

  /** Names of the hosts that hold the address now. */
  get now(): readonly string[] {
    return this.#holdings.filter((holding) => holding.untilMs === undefined).map((holding) => holding.host);
  }

  /** Every span at which two hosts held the address, longest first. */
  overlaps(): readonly Overlap[] {
    const end = Date.now();
    const overlaps: Overlap[] = [];
    for (const [index, a] of this.#holdings.entries()) {
      for (const b of this.#holdings.slice(index + 1)) {
        const fromMs = Math.max(a.fromMs, b.fromMs);
        const untilMs = Math.min(a.untilMs ?? end, b.untilMs ?? end);
        if (a.host !== b.host && fromMs < untilMs) overlaps.push({ hosts: [a.host, b.host], fromMs, untilMs });
      }
    }
    return overlaps.sort((a, b) => b.untilMs - b.fromMs - (a.untilMs - a.fromMs));
  }

  async stop(): Promise<void> {
    await Promise.all(this.#monitors.map((monitor) => monitor.kill()));
  }

  async #watch(host: Host): Promise<void> {
    const monitor = host.adopt(
      new Program(
        `address monitor of ${host.name}`,
        spawn('ip', ['-n', host.namespace, '-o', '-ts', 'monitor', 'address'], { stdio: 'pipe' }),
      ),
    );
    this.#monitors.push(monitor);
    // It writes down when it reads: on a busy machine that is not to be late.
    setPriority(monitor.pid, MONITOR_NICENESS);
    monitor.onLine((line) => this.#heard(host.name, line));
    // ip(8) does not say when it listens: it does when it tells of a change of an address that nobody uses.
    await until(`the address monitor of ${host.name}`, 3000, async () => {
      if (monitor.lines.length > 0) return true;
      await host.ip('address add 127.9.9.9/32 dev lo', 'address delete 127.9.9.9/32 dev lo');
      return undefined;
    });
    if (await host.holds(this.address)) this.#held(host.name, Date.now());
  }

  #heard(host: string, line: string): void {
    const match = /^\[(\S+)\] (Deleted )?\d+: \S+\s+inet6? ([\d.a-f:]+)[/ ]/.exec(line);
    if (match === null || match[3] !== this.address) return;
    // ip(8) prints the local time without its zone.
    const atMs = new Date(match[1] ?? '').getTime();
    if (match[2] === undefined) this.#held(host, atMs);
    else {
      for (const holding of this.#holdings) {
        if (holding.host !== host || holding.untilMs !== undefined) continue;
        holding.untilMs = atMs;
        this.#onChange(host, false);
      }
    }
  }

  #held(host: string, fromMs: number): void {
    // A renewal is told as an addition.
    if (!this.#holdings.some((holding) => holding.host === host && holding.untilMs === undefined)) {
      this.#holdings.push({ host, fromMs });
      this.#onChange(host, true);
    }
  }
}
