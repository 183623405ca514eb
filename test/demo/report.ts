/** What the demo tells its reader: steps, and for each what was expected and what was measured. */
import process from 'node:process';

const COLOURS = process.stdout.isTTY && process.env['NO_COLOR'] === undefined;

export class Report {
  #steps = 0;
  #missed = 0;
  readonly #started = performance.now();

  get allObserved(): boolean {
    return this.#missed === 0;
  }

  step(title: string): void {
    this.#steps += 1;
    const seconds = ((performance.now() - this.#started) / 1000).toFixed(1);
    print(`\n${paint(1, `${this.#steps}. ${title}`)}  ${paint(2, `(at ${seconds} s)`)}`);
  }

  /** A line of explanation. */
  say(text: string): void {
    print(`   ${text}`);
  }

  /** Output of a program, as it came, indented. */
  show(output: string): void {
    for (const line of output.trimEnd().split('\n')) print(`   ${paint(2, '|')} ${line}`);
  }

  /** One comparison. A miss makes the demo fail at its end. */
  check(expected: string, measured: string, observed: boolean): void {
    if (!observed) this.#missed += 1;
    print(`   expected: ${expected}`);
    print(`   measured: ${measured}  ${observed ? paint(32, 'observed') : paint(31, 'NOT OBSERVED')}`);
  }

  /** A step that could not be carried out at all. */
  miss(error: unknown): void {
    this.#missed += 1;
    print(`   ${paint(31, 'NOT OBSERVED')}: ${error instanceof Error ? error.message : String(error)}`);
  }

  end(): void {
    const seconds = ((performance.now() - this.#started) / 1000).toFixed(0);
    const outcome = this.allObserved
      ? paint(32, 'everything was observed as expected')
      : paint(31, `${this.#missed} expectations were not observed`);
    print(`\n${this.#steps} steps in ${seconds} s: ${outcome}. Nothing was left behind.`);
  }
}

function paint(code: number, text: string): string {
  return COLOURS ? `\u001b[${code}m${text}\u001b[0m` : text;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
