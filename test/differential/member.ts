/** One member of a performance: a host, its files, and whoever plays it. Its notifications come by a FIFO. */
import { closeSync, constants, existsSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { setPriority } from 'node:os';
import path from 'node:path';
import { Contender, type Kind } from '../interop/contender.js';
import { run } from '../lab/command.js';
import type { Host } from '../lab/host.js';
import type { Program } from '../lab/program.js';
import { type MemberFiles, memberConf } from './conf.js';
import type { MemberName, RouterPlan, Scenario } from './scenario.js';

/** Called for each notification: whom it is about, and state and priority, as keepalived writes them. */
export type NotificationListener = (subject: string, text: string) => void;

/** Elections go on while others start: many performances share this machine, and what is compared is not its speed. */
const ELECTION_NICENESS = -10;

export class Member {
  #contender: Contender | undefined;
  readonly #programs: Program[] = [];
  readonly #priorities = new Map<string, number>();

  private constructor(
    readonly name: MemberName,
    readonly kind: Kind,
    readonly host: Host,
    private readonly scenario: Scenario,
    private readonly files: MemberFiles & { readonly sick: string },
    private readonly fifo: Socket,
  ) {}

  static async make(
    scenario: Scenario,
    name: MemberName,
    kind: Kind,
    host: Host,
    onNotification: NotificationListener,
  ): Promise<Member> {
    const file = (kind_: string) => path.join(host.directory, `${kind_}-${name}`);
    const files = { fifo: file('fifo'), script: file('healthy'), number: file('number'), sick: file('sick') };
    writeFileSync(files.script, `#!/bin/sh\ntest ! -e ${files.sick}\n`, { mode: 0o755 });
    writeFileSync(files.number, '0\n');
    await run('mkfifo', ['-m', '600', files.fifo]);
    return new Member(name, kind, host, scenario, files, listen(files.fifo, onNotification));
  }

  /** The ends of the outputs of all that ran here, oldest first. */
  tails(): readonly string[] {
    return this.#programs.map((program) => program.tail());
  }

  async start(): Promise<void> {
    if (this.#contender !== undefined) throw new TypeError(`${this.name} runs already`);
    this.#contender = await Contender.start(this.kind, this.host, this.#conf());
    this.#programs.push(this.#contender.program.program);
    setPriority(this.#contender.electionPid, ELECTION_NICENESS);
  }

  async stop(): Promise<void> {
    const contender = this.#running();
    this.#contender = undefined;
    await contender.stop();
  }

  async kill(): Promise<void> {
    const contender = this.#running();
    this.#contender = undefined;
    await contender.kill();
  }

  freeze(): void {
    process.kill(this.#running().electionPid, 'SIGSTOP');
  }

  thaw(): void {
    process.kill(this.#running().electionPid, 'SIGCONT');
  }

  /** Every router of it has this priority from now on. */
  reload(priority: number): void {
    for (const { name } of this.scenario.routers) this.#priorities.set(name, priority);
    this.#running().reload(this.#conf());
  }

  fail(): void {
    writeFileSync(this.files.sick, '');
  }

  recover(): void {
    rmSync(this.files.sick);
  }

  write(number: number): void {
    writeFileSync(this.files.number, `${number}\n`);
  }

  close(): void {
    this.fifo.destroy();
    if (existsSync(this.files.fifo)) rmSync(this.files.fifo);
  }

  #running(): Contender {
    if (this.#contender === undefined) throw new TypeError(`${this.name} does not run`);
    return this.#contender;
  }

  #conf(): string {
    const priority = ({ name, priorities }: RouterPlan) => this.#priorities.get(name) ?? priorities[this.name] ?? 0;
    return memberConf(this.scenario, this.name, this.files, priority);
  }
}

/** Both ends are open here, so that no writer finds nobody who reads, and no end of file is seen between two writers. */
function listen(fifo: string, onNotification: NotificationListener): Socket {
  const descriptor = openSync(fifo, constants.O_RDWR | constants.O_NONBLOCK);
  try {
    let rest = '';
    const socket = new Socket({ fd: descriptor, readable: true, writable: false });
    socket.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        const [, subject = '?', what = line] = /^(?:INSTANCE|GROUP) "([^"]*)" (.*)$/.exec(line) ?? [];
        // Not a transition but an event, as often as somebody else advertises.
        if (!what.startsWith('MASTER_RX_LOWER_PRI')) onNotification(subject, what);
      }
    });
    return socket;
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}
