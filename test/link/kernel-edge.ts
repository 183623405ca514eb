/** The agent's real link edges on a laboratory host, in a process of their own: see kernel-edge-main.ts. */
import type { Firewall } from '../../agent/link/firewall.js';
import type { LinkMonitor } from '../../agent/link/link-monitor.js';
import type { Rtnetlink } from '../../agent/link/rtnetlink.js';
import type { Sysctl } from '../../agent/link/sysctl.js';
import type { Host } from '../lab/host.js';
import type { Program } from '../lab/program.js';
import { until } from '../lab/until.js';
import type { Acts } from './kernel-edge-main.js';
import { decode, encode } from './plain-text.js';

/** The same calls, answered from afar. */
export type Remote<Edge> = {
  readonly [Name in keyof Edge]: Edge[Name] extends (...values: infer Values) => infer Answer
    ? (...values: Values) => Promise<Answer>
    : () => Promise<Edge[Name]>;
};

/** An event of the link monitor, its address, route, rule or link flattened into it. */
export type Said = Readonly<Record<string, unknown>>;

interface Answer {
  readonly answer?: unknown;
  readonly error?: { readonly name: string; readonly code?: string; readonly message: string };
}

export class KernelEdge {
  readonly events: Said[] = [];
  readonly rtnetlink = this.#remote<Rtnetlink>('rtnetlink');
  readonly monitor = this.#remote<LinkMonitor>('monitor');
  readonly firewall = this.#remote<Firewall>('firewall');
  readonly sysctl = this.#remote<Sysctl>('sysctl');
  readonly acts = this.#remote<Acts>('acts');
  readonly #answers = new Map<number, Answer>();
  #questions = 0;

  private constructor(readonly program: Program) {
    program.onLine((line) => {
      if (!line.startsWith('{')) return;
      const said = decode(line) as Said & Answer & { readonly id?: number };
      if (said.id === undefined) this.events.push(said);
      else this.#answers.set(said.id, said);
    });
  }

  static async start(host: Host): Promise<KernelEdge> {
    const main = new URL('./kernel-edge-main.js', import.meta.url).pathname;
    const edge = new KernelEdge(host.start(process.execPath, '--expose-gc', main, host.device));
    await edge.program.untilSays('ready', 10_000);
    return edge;
  }

  /** Waits for an event after the first `seen` that has these fields. */
  untilEvent(fields: Said, withinMs = 3000, seen = 0): Promise<Said> {
    return until(
      `the event ${encode(fields)}`,
      withinMs,
      () => this.events.slice(seen).find((event) => has(event, fields)),
      () => this.program.tail(),
    );
  }

  count(fields: Said, seen = 0): number {
    return this.events.slice(seen).filter((event) => has(event, fields)).length;
  }

  #remote<Edge extends object>(on: string): Remote<Edge> {
    const call =
      (name: string) =>
      (...values: unknown[]) =>
        this.#ask(on, name, values);
    // Whatever is called is asked for there.
    return new Proxy({}, { get: (_, name) => call(String(name)) }) as Remote<Edge>;
  }

  async #ask(on: string, call: string, values: readonly unknown[]): Promise<unknown> {
    this.#questions += 1;
    const id = this.#questions;
    this.program.write(`${encode({ id, on, call, values })}\n`);
    const said = await until(
      `an answer to ${on}.${call}`,
      10_000,
      () => this.#answers.get(id),
      () => this.program.tail(),
    );
    this.#answers.delete(id);
    if (said.error !== undefined) throw Object.assign(new Error(said.error.message), said.error);
    return said.answer;
  }
}

function has(event: Said, fields: Said): boolean {
  return Object.entries(fields).every(([name, value]) => event[name] === value);
}
