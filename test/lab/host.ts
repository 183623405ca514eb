/** One host of the laboratory: what can be done to it and what the kernel says about it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { attempt, ipBatch, type Outcome, run } from './command.js';
import { Program } from './program.js';
import { until } from './until.js';

/** One address as the kernel has it. */
export interface KernelAddress {
  readonly address: string;
  readonly prefixLength: number;
  readonly device: string;
  readonly label?: string;
  /** Seconds left; absent for an address without a lease. */
  readonly validSeconds?: number;
}

interface IpAddressJson {
  readonly ifname: string;
  readonly addr_info: readonly {
    readonly family?: string;
    readonly local: string;
    readonly prefixlen: number;
    readonly label?: string;
    readonly valid_life_time: number;
  }[];
}

const FOREVER = 0xffffffff;

function familyOf(address: string): 4 | 6 {
  return address.includes(':') ? 6 : 4;
}

export class Host {
  readonly #programs = new Set<Program>();

  /** Made by Lab.host. `addresses` are those it came up with, with prefix length. */
  constructor(
    readonly name: string,
    readonly namespace: string,
    readonly device: string,
    /** The switch's end of the cable. */
    readonly port: string,
    readonly addresses: readonly string[],
    readonly directory: string,
  ) {}

  /** The host's first own address, without prefix length. */
  get address(): string {
    const [first = ''] = (this.addresses[0] ?? '').split('/');
    return first;
  }

  /** Runs a command to its end and gives its output. */
  run(file: string, ...args: string[]): Promise<string> {
    return run('ip', ['netns', 'exec', this.namespace, file, ...args]);
  }

  /** Runs a command that may fail to its end. */
  attempt(file: string, ...args: string[]): Promise<Outcome> {
    return attempt('ip', ['netns', 'exec', this.namespace, file, ...args]);
  }

  /** ip(8) in this host's namespace, e.g. ip('link set em1 down'). */
  ip(...commands: string[]): Promise<void> {
    return ipBatch(this.namespace, commands);
  }

  /** Starts a program that runs until it is ended; at the latest with the laboratory. */
  start(file: string, ...args: string[]): Program {
    // ip(8) becomes the program after it has entered the namespace: the pid is the program's own.
    const child: ChildProcess = spawn('ip', ['netns', 'exec', this.namespace, file, ...args], {
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    return this.adopt(new Program(`${file.replace(/.*\//, '')} on ${this.name}`, child));
  }

  /** Ends the program, at the latest, with the laboratory. */
  adopt(program: Program): Program {
    this.#programs.add(program);
    void program.ended.then(() => this.#programs.delete(program));
    return program;
  }

  /** Starts one of the laboratory's own programs (compiled module beside this one). */
  startModule(module: URL, ...args: string[]): Program {
    return this.start(process.execPath, module.pathname, ...args);
  }

  /** Addresses of one family (default IPv4) of all interfaces, from the kernel. */
  async kernelAddresses(family: 4 | 6 = 4): Promise<readonly KernelAddress[]> {
    const links = JSON.parse(
      await run('ip', ['-n', this.namespace, `-${family}`, '-j', 'address']),
    ) as readonly IpAddressJson[];
    return links.flatMap((link) =>
      (link.addr_info ?? []).map((info) => ({
        address: info.local,
        prefixLength: info.prefixlen,
        device: link.ifname,
        ...(info.label === undefined ? {} : { label: info.label }),
        ...(info.valid_life_time === FOREVER ? {} : { validSeconds: info.valid_life_time }),
      })),
    );
  }

  /** Whether the kernel has the address on any interface now. */
  async holds(address: string): Promise<boolean> {
    return (await this.kernelAddresses(familyOf(address))).some((held) => held.address === address);
  }

  /** Waits until the kernel has the address, or has not. Gives how many milliseconds that took. */
  async untilHolds(address: string, withinMs: number, wanted = true): Promise<number> {
    const start = performance.now();
    await until(
      `${this.name} ${wanted ? 'to hold' : 'to give up'} ${address}`,
      withinMs,
      async () => (await this.holds(address)) === wanted,
      async () => ({ addresses: await this.kernelAddresses(familyOf(address)), programs: this.tails() }),
    );
    return performance.now() - start;
  }

  /** MAC address of the host's interface, or of another one of its. */
  async mac(device = this.device): Promise<string> {
    const links = JSON.parse(await run('ip', ['-n', this.namespace, '-j', 'link', 'show', device])) as readonly {
      readonly address: string;
    }[];
    return links[0]?.address ?? '';
  }

  /** The MAC address that this host's neighbour table has for an address; undefined without an entry. */
  async neighbor(address: string): Promise<string | undefined> {
    const table = JSON.parse((await run('ip', ['-n', this.namespace, '-j', 'neighbor', 'show', address])) || '[]');
    return (table as readonly { readonly lladdr?: string }[]).find(({ lladdr }) => lladdr !== undefined)?.lladdr;
  }

  /** Waits until duplicate address detection of all addresses has ended and there is a link-local one on the interface. */
  async untilIpv6Ready(): Promise<void> {
    await until(`${this.name} to have a link-local address`, 5000, async () => {
      const text = await run('ip', ['-n', this.namespace, '-6', 'address', 'show', 'dev', this.device]);
      return text.includes('inet6 fe80::') && !text.includes('tentative');
    });
  }

  /** The last lines of every program's output, for failure messages. */
  tails(): Record<string, string> {
    return Object.fromEntries([...this.#programs].map((program) => [program.title, program.tail()]));
  }

  /** Kills every program and waits for their ends. */
  async endPrograms(): Promise<void> {
    await Promise.all([...this.#programs].map((program) => program.kill()));
  }

  /** Kills every program and does not wait. */
  killPrograms(): void {
    for (const program of this.#programs) program.signal('SIGKILL');
  }
}
