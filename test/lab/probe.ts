/** A client that asks an address for an echo each millisecond and measures for how long nobody answers. */
import type { Host } from './host.js';
import type { Program } from './program.js';
import { until } from './until.js';

export interface ProbeReport {
  /** Requests since the last report whose fate is known. */
  readonly sent: number;
  readonly answered: number;
  readonly unanswered: number;
  /** Answers beyond one a request: two hosts answered. */
  readonly duplicates: number;
  /**
   * The longest time without an answered request that ended since the last report, or goes on, as far as it is known; less
   * the usual millisecond.
   */
  readonly longestOutageMs: number;
}

export class Probe {
  private constructor(
    readonly address: string,
    private readonly program: Program,
  ) {}

  static async start(client: Host, address: string): Promise<Probe> {
    const module = new URL('./probe-main.js', import.meta.url);
    const probe = new Probe(address, client.startModule(module, address, client.device));
    await probe.program.untilSays('ready', 5000);
    return probe;
  }

  /** What was seen since the last report. */
  report(): Promise<ProbeReport> {
    const before = this.program.lines.length;
    this.program.write('report\n');
    return until(
      `a report of ${this.program.title}`,
      3000,
      () => {
        const line = this.program.lines[before];
        return line === undefined ? undefined : (JSON.parse(line) as ProbeReport);
      },
      () => this.program.tail(),
    );
  }

  /** Waits until the address answers, and starts the account anew from there. */
  async untilAnswered(withinMs: number): Promise<void> {
    await until(`${this.address} to answer`, withinMs, async () => (await this.report()).answered > 0);
    await this.report();
  }

  stop(): Promise<void> {
    return this.program.kill();
  }
}
