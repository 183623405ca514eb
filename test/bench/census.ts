/**
 * Which of the virtual addresses each host has, from the kernels' own reports of every addition and removal: what both
 * programs cannot but do when a router of theirs becomes active or stops to be it.
 */
import { spawn } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import type { Host } from '../lab/host.js';
import { Program } from '../lab/program.js';
import { until, WaitedInVain } from '../lab/until.js';

/** The virtual addresses of these rows; the hosts' own are below. */
const VIRTUAL = /inet (10\.9\.[1-9]\d*\.\d+)[/ ]/;

export interface Settled {
  /** Wall clock, milliseconds: the last change. */
  readonly atMs: number;
  /** Times that the host that is to have none took an address. */
  readonly wrongTakeovers: number;
}

export class Census {
  readonly #held = new Map<Host, Set<string>>();
  readonly #additions = new Map<Host, number>();
  readonly #monitors: Program[] = [];
  #changedAtMs = 0;

  static async take(...hosts: readonly Host[]): Promise<Census> {
    const census = new Census();
    for (const host of hosts) await census.#watch(host);
    return census;
  }

  /** Waits until `active` has had all of `count` addresses, and `backup` none, for `quietMs`. */
  async untilSettled(
    active: Host,
    backup: Host,
    count: number,
    { quietMs, withinMs }: { readonly quietMs: number; readonly withinMs: number },
  ): Promise<Settled> {
    const deadline = performance.now() + withinMs;
    for (;;) {
      const isRight = this.#of(active).size === count && this.#of(backup).size === 0;
      if (isRight && Date.now() - this.#changedAtMs > quietMs) break;
      if (performance.now() > deadline) {
        const seen = `${active.name} has ${this.#of(active).size}, ${backup.name} has ${this.#of(backup).size}`;
        throw new WaitedInVain(`${count} addresses to be on ${active.name} alone`, withinMs, seen);
      }
      await pause(20);
    }
    return { atMs: this.#changedAtMs, wrongTakeovers: this.#additions.get(backup) ?? 0 };
  }

  async stop(): Promise<void> {
    await Promise.all(this.#monitors.map((monitor) => monitor.kill()));
  }

  #of(host: Host): Set<string> {
    let held = this.#held.get(host);
    if (held === undefined) {
      held = new Set();
      this.#held.set(host, held);
    }
    return held;
  }

  async #watch(host: Host): Promise<void> {
    const words = ['-n', host.namespace, '-4', '-o', '-ts', 'monitor', 'address'];
    const monitor = host.adopt(
      new Program(`address monitor of ${host.name}`, spawn('ip', words, { stdio: ['pipe', 'pipe', 'pipe'] })),
    );
    this.#monitors.push(monitor);
    monitor.onLine((line) => this.#heard(host, line));
    // ip(8) does not say when it listens: it does when it tells of a change of an address that nobody uses.
    await until(`the address monitor of ${host.name}`, 5000, async () => {
      if (monitor.lines.length > 0) return true;
      await host.ip('address add 127.9.9.9/32 dev lo', 'address delete 127.9.9.9/32 dev lo');
      return undefined;
    });
  }

  #heard(host: Host, line: string): void {
    const address = VIRTUAL.exec(line)?.[1];
    // ip(8) prints the local time without its zone.
    const match = /^\[(\S+)\] (Deleted )?/.exec(line);
    if (address === undefined || match === null) return;
    const held = this.#of(host);
    const isAddition = match[2] === undefined;
    // A lease that is renewed is told as an addition.
    if (held.has(address) === isAddition) return;
    if (isAddition) {
      held.add(address);
      this.#additions.set(host, (this.#additions.get(host) ?? 0) + 1);
    } else held.delete(address);
    this.#changedAtMs = Math.max(this.#changedAtMs, new Date(match[1] ?? '').getTime());
  }
}
