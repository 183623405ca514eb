/** A program running on a host of the laboratory: its output, and its end by the pid we were given. */
import type { ChildProcess } from 'node:child_process';
import { until, WaitedInVain } from './until.js';

/** Output kept for `lines` and failure messages. */
const MAX_LINES = 20_000;

export class Program {
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #lines: string[] = [];
  readonly #listeners = new Set<(line: string) => void>();
  /** How it ended: "exit 0", a signal's name, or why it could not be started. */
  readonly ended: Promise<string>;
  #end: string | undefined;

  constructor(
    readonly title: string,
    child: ChildProcess,
  ) {
    this.#child = child;
    this.pid = child.pid ?? 0;
    for (const stream of [child.stdout, child.stderr]) {
      let rest = '';
      stream?.setEncoding('utf8').on('data', (text: string) => {
        const lines = (rest + text).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) this.#heard(line);
      });
    }
    child.stdin?.on('error', () => {
      // The program ended without reading; `ended` tells how.
    });
    this.ended = new Promise((resolve) => {
      child.once('error', (error) => resolve(error.message));
      child.once('close', (code, signal) => resolve(signal ?? `exit ${code}`));
    });
    void this.ended.then((end) => {
      this.#end = end;
    });
  }

  /** Lines of standard output and error until now, oldest first. */
  get lines(): readonly string[] {
    return this.#lines;
  }

  get running(): boolean {
    return this.#end === undefined;
  }

  /** Calls back for each line from now on; the returned function ends it. */
  onLine(listener: (line: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The first line that contains `text`, printed before or from now on. Fails at once when it ends without. */
  async untilSays(text: string | RegExp, withinMs: number): Promise<string> {
    const matches = (line: string) => (typeof text === 'string' ? line.includes(text) : text.test(line));
    const seen = () => ({ ended: this.#end ?? 'running', said: this.tail() });
    const said = await until(
      `${this.title} to say ${text}`,
      withinMs,
      () => this.#lines.find(matches) ?? (this.#end === undefined ? undefined : null),
      seen,
    );
    if (said === null)
      throw new WaitedInVain(`${this.title} to say ${text}`, withinMs, JSON.stringify(seen(), null, 1));
    return said;
  }

  write(text: string): void {
    this.#child.stdin?.write(text);
  }

  signal(signal: NodeJS.Signals): void {
    if (this.pid !== 0 && this.#end === undefined) this.#child.kill(signal);
  }

  /** SIGTERM, then waits. Gives the way it ended: "exit 0" or a signal's name. Killed after `withinMs`, which fails. */
  async stop(withinMs = 10_000): Promise<string> {
    this.signal('SIGTERM');
    try {
      return await until(
        `${this.title} to end after SIGTERM`,
        withinMs,
        () => this.#end,
        () => this.tail(),
      );
    } catch (error) {
      await this.kill();
      throw error;
    }
  }

  /** SIGKILL, then waits. */
  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.ended;
  }

  tail(count = 30): string {
    return this.#lines.slice(-count).join('\n');
  }

  #heard(line: string): void {
    this.#lines.push(line);
    if (this.#lines.length > MAX_LINES) this.#lines.splice(0, MAX_LINES / 2);
    for (const listener of this.#listeners) listener(line);
  }
}
