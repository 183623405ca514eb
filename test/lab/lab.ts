/**
 * A laboratory: hosts in network namespaces of their own, joined by one switch (a bridge in another namespace).
 *
 *   [switch: br0]──p-a────em1[host a]      names: bt<pid>n<count>-<host>
 *              └──p-b────em1[host b]
 *
 * Everything is removed by `close`, also when the process ends early or is interrupted.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { attempt, ipBatch, run } from './command.js';
import { Host } from './host.js';

export interface HostOptions {
  /** Addresses with prefix length, put on the interface in this order. */
  readonly addresses: readonly string[];
  /** Default em1. */
  readonly interface?: string;
  /** The only link-local address, there at once. Default: the kernel makes one of the MAC address. */
  readonly linkLocal?: string;
}

let labsMade = 0;

/** Why laboratory tests cannot run here, or false. For the `skip` option of node:test. */
export function labUnavailable(...needed: readonly string[]): string | false {
  if (process.getuid?.() !== 0) return 'needs root: makes network namespaces';
  for (const tool of ['ip', 'nft', ...needed]) {
    const found = spawnSync('sh', ['-c', `command -v ${tool} || test -x /usr/sbin/${tool}`]);
    if (found.status !== 0) return `needs ${tool}: not installed`;
  }
  return false;
}

export class Lab {
  /** Files of the laboratory's programs; removed with it. */
  readonly directory: string;
  readonly #prefix: string;
  readonly #switch: string;
  readonly #hosts = new Map<string, Host>();
  readonly #onExit = () => this.#closeNow();
  readonly #onSignal = (signal: NodeJS.Signals) => {
    this.#closeNow();
    process.removeListener(signal, this.#onSignal);
    process.kill(process.pid, signal);
  };
  #closed = false;
  #ports = 0;
  #drops = 0;
  #hasSecondLan = false;
  #switchHost: Host | undefined;
  /** Ports of further interfaces, by namespace and device. */
  readonly #morePorts = new Map<string, string>();

  private constructor() {
    labsMade += 1;
    this.#prefix = `bt${process.pid}n${labsMade}`;
    this.#switch = `${this.#prefix}-switch`;
    this.directory = mkdtempSync(join(tmpdir(), `${this.#prefix}-`));
    process.on('exit', this.#onExit);
    process.on('SIGINT', this.#onSignal);
    process.on('SIGTERM', this.#onSignal);
  }

  /** A switch and nothing plugged in. */
  static async open(): Promise<Lab> {
    const lab = new Lab();
    try {
      await run('ip', ['netns', 'add', lab.#switch]);
      await ipBatch(lab.#switch, [
        'link set lo up',
        'link add br0 type bridge stp_state 0 forward_delay 0 mcast_snooping 0',
        'link set br0 up',
      ]);
    } catch (error) {
      lab.#closeNow();
      throw error;
    }
    return lab;
  }

  /** A host with one interface, plugged in and up. */
  async host(name: string, options: HostOptions): Promise<Host> {
    const device = options.interface ?? 'em1';
    this.#ports += 1;
    const port = `p${this.#ports}`;
    const namespace = `${this.#prefix}-${name}`;
    await run('ip', ['netns', 'add', namespace]);
    const { linkLocal } = options;
    const addresses = [...options.addresses, ...(linkLocal === undefined ? [] : [`${linkLocal}/64 nodad`])];
    const host = new Host(name, namespace, device, port, addresses, this.directory);
    this.#hosts.set(name, host);
    await ipBatch(namespace, ['link set lo up']);
    if (linkLocal !== undefined) await host.run('sysctl', '-q', '-w', 'net.ipv6.conf.default.addr_gen_mode=1');
    await this.plug(host);
    return host;
  }

  /** Makes a host's cable and interface (again, after the host's end was deleted) with its addresses, up. */
  async plug(host: Host): Promise<void> {
    await ipBatch(this.#switch, [
      `link add ${host.port} type veth peer name ${host.device} netns ${host.namespace}`,
      `link set ${host.port} master br0`,
      `link set ${host.port} up`,
    ]);
    await ipBatch(host.namespace, [
      ...host.addresses.map((address) => `address add ${address} dev ${host.device}`),
      `link set ${host.device} up`,
    ]);
  }

  /**
   * The switch itself, for programs that listen at its ports: br0, br1 of the second LAN, and the ports, whose names
   * `portOf` tells.
   */
  get switchHost(): Host {
    this.#switchHost ??= new Host('switch', this.#switch, 'br0', '', [], this.directory);
    return this.#switchHost;
  }

  /** The switch's end of a host's cable, or of a further one. */
  portOf(host: Host, device = host.device): string {
    if (device === host.device) return host.port;
    const port = this.#morePorts.get(`${host.namespace} ${device}`);
    if (port === undefined) throw new TypeError(`${host.name} has no ${device}`);
    return port;
  }

  /** A further interface of a host, up, on a second LAN of its own switch. */
  async attach(host: Host, device: string, ...addresses: readonly string[]): Promise<void> {
    this.#ports += 1;
    const port = `p${this.#ports}`;
    if (!this.#hasSecondLan) {
      this.#hasSecondLan = true;
      await ipBatch(this.#switch, [
        'link add br1 type bridge stp_state 0 forward_delay 0 mcast_snooping 0',
        'link set br1 up',
      ]);
    }
    await ipBatch(this.#switch, [
      `link add ${port} type veth peer name ${device} netns ${host.namespace}`,
      `link set ${port} master br1`,
      `link set ${port} up`,
    ]);
    this.#morePorts.set(`${host.namespace} ${device}`, port);
    await ipBatch(host.namespace, [
      ...addresses.map((address) => `address add ${address} dev ${device}`),
      `link set ${device} up`,
    ]);
  }

  /** Pulls the host's cable, or a further one: carrier is lost at both ends. */
  async cut(host: Host, device?: string): Promise<void> {
    await ipBatch(this.#switch, [`link set ${this.portOf(host, device)} down`]);
  }

  /** Plugs the cable in again. */
  async mend(host: Host, device?: string): Promise<void> {
    await ipBatch(this.#switch, [`link set ${this.portOf(host, device)} up`]);
  }

  /**
   * The switch loses everything from one host to another (one way), or only what matches, e.g. "ip protocol 112".
   * The returned function ends it.
   */
  async drop(from: Host, to: Host, match = ''): Promise<() => Promise<void>> {
    this.#drops += 1;
    const table = `drop${this.#drops}`;
    await this.#nft(
      `table bridge ${table} { chain forward { type filter hook forward priority 0; policy accept; ` +
        `iifname "${from.port}" oifname "${to.port}" ${match} counter drop; }; }`,
    );
    return () => this.#nft(`delete table bridge ${table}`);
  }

  /** Removes the whole laboratory: programs first, then namespaces, then files. */
  async close(): Promise<void> {
    if (this.#closed) return;
    await Promise.all([...this.#hosts.values(), this.switchHost].map((host) => host.endPrograms()));
    // One after the other, and without holding up others of this process: the kernel takes its time.
    for (const namespace of this.#namespaces()) await attempt('ip', ['netns', 'delete', namespace]);
    this.#closeNow();
  }

  #namespaces(): readonly string[] {
    return [...[...this.#hosts.values()].map((host) => host.namespace), this.#switch];
  }

  async #nft(rules: string): Promise<void> {
    await run('ip', ['netns', 'exec', this.#switch, 'nft', rules]);
  }

  /** Synchronous, for use at exit and on signals as well. */
  #closeNow(): void {
    if (this.#closed) return;
    this.#closed = true;
    process.removeListener('exit', this.#onExit);
    process.removeListener('SIGINT', this.#onSignal);
    process.removeListener('SIGTERM', this.#onSignal);
    for (const host of this.#hosts.values()) host.killPrograms();
    this.#switchHost?.killPrograms();
    for (const namespace of this.#namespaces()) {
      if (existsSync(join('/run/netns', namespace))) spawnSync('ip', ['netns', 'delete', namespace]);
    }
    rmSync(this.directory, { recursive: true, force: true });
  }
}
