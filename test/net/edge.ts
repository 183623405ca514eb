/** The agent's real edges on a laboratory host, in a process of their own: see edge-main.ts. */
import type { Host } from '../lab/host.js';
import type { Program } from '../lab/program.js';
import { until } from '../lab/until.js';

export interface EdgeEvent {
  readonly event: string;
  readonly [key: string]: unknown;
}

export class Edge {
  readonly events: EdgeEvent[] = [];
  readonly #answers = new Map<number, { readonly answer?: unknown; readonly error?: { readonly code?: string } }>();
  #questions = 0;

  private constructor(readonly program: Program) {
    program.onLine((line) => {
      if (!line.startsWith('{')) return;
      const said = JSON.parse(line);
      if (said.event !== undefined) this.events.push(said);
      else this.#answers.set(said.id, said);
    });
  }

  static async start(host: Host): Promise<Edge> {
    const program = host.start(
      process.execPath,
      '--expose-gc',
      new URL('./edge-main.js', import.meta.url).pathname,
      host.device,
    );
    const edge = new Edge(program);
    await program.untilSays('ready', 10_000);
    return edge;
  }

  /** The answer; an error is thrown as it was, with code and message. */
  async ask(ask: string, more: object = {}): Promise<unknown> {
    this.#questions += 1;
    const id = this.#questions;
    this.program.write(`${JSON.stringify({ id, ask, ...more })}\n`);
    const said = await until(
      `an answer to ${ask}`,
      10_000,
      () => this.#answers.get(id),
      () => this.program.tail(),
    );
    if (said.error !== undefined) throw Object.assign(new EdgeError(JSON.stringify(said.error)), said.error);
    return said.answer;
  }

  /** Waits for an event after the first `seen` that has these fields; gives it. */
  untilEvent(fields: EdgeEvent, withinMs = 3000, seen = 0): Promise<EdgeEvent> {
    return until(
      `the event ${JSON.stringify(fields)}`,
      withinMs,
      () => this.events.slice(seen).find((event) => matches(event, fields)),
      () => this.program.tail(),
    );
  }

  count(fields: EdgeEvent): number {
    return this.events.filter((event) => matches(event, fields)).length;
  }
}

export class EdgeError extends Error {
  readonly code?: string;
}

function matches(event: EdgeEvent, fields: EdgeEvent): boolean {
  return Object.entries(fields).every(([key, value]) => event[key] === value);
}
