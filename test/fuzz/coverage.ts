/**
 * Which blocks of the compiled sources were entered, by V8's precise block coverage in this very process.
 *
 * A block, as it is counted here: V8 reports for each function that was entered ranges of its text, each with how often it
 * was entered; ranges lie within each other, and one that was entered as often as the range around it is left out. So no
 * single report has them all. All offsets at which any report, of any input, begins or ends a range cut the text into
 * pieces; a piece that has a word in it (not just braces) is a block. It is reached if in some report the innermost range
 * around it was entered. A function that was never entered is one block, and not reached. What is outside of functions runs
 * when it is imported and does not count.
 */
import { readFileSync } from 'node:fs';
import { Session } from 'node:inspector';
import { SourceMap } from 'node:module';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';

interface Range {
  readonly startOffset: number;
  readonly endOffset: number;
  readonly count: number;
}

interface FunctionRanges {
  readonly functionName: string;
  readonly ranges: readonly Range[];
}

interface ScriptRanges {
  readonly url: string;
  readonly functions: readonly FunctionRanges[];
}

export type Sample = readonly ScriptRanges[];

/**
 * Starts before the sources to be covered are imported: V8 puts counters only into what it compiles afterwards. One per
 * process.
 */
export class Sampler {
  readonly #session = new Session();

  constructor() {
    // Code that is dropped and compiled again would lose its counters.
    setFlagsFromString('--no-flush-bytecode');
    this.#session.connect();
    this.#post('Profiler.enable');
    this.#post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }

  /** What was entered since the last time. */
  take(): Sample {
    return (this.#post('Profiler.takePreciseCoverage') as { result: Sample }).result;
  }

  /** Measures of time and memory want no counters. */
  stop(): void {
    this.#post('Profiler.stopPreciseCoverage');
    this.#post('Profiler.disable');
    this.#session.disconnect();
  }

  /** An in-process session answers before post() returns. */
  #post(method: string, parameters: object = {}): unknown {
    let answer: { readonly error: Error | null; readonly result: unknown } | undefined;
    this.#session.post(method, parameters, (error, result) => {
      answer = { error, result };
    });
    if (answer === undefined) throw new Error(`the inspector did not answer ${method} at once`);
    if (answer.error !== null) throw answer.error;
    return answer.result;
  }
}

/** Blocks of one source that were reached, of how many, and the lines where the others begin. */
export interface FileCoverage {
  readonly file: string;
  readonly reached: number;
  readonly blocks: number;
  /** "agent/wire/arp.ts:71", with the beginning of the text. */
  readonly missing: readonly string[];
}

/** All that samples have shown of a number of sources. */
export class CoverageMap {
  readonly #scripts = new Map<string, ScriptMap>();

  /** @param files such as "agent/wire/arp.ts", whose compiled form is beside this file's */
  constructor(files: Iterable<string>) {
    for (const file of files) {
      const url = new URL(`../../${file.replace(/\.ts$/, '.js')}`, import.meta.url);
      this.#scripts.set(url.href, new ScriptMap(file, fileURLToPath(url)));
    }
  }

  /** Whether the sample has blocks that were not reached before; nothing is remembered. */
  hasNews(sample: Sample): boolean {
    return sample.some(({ url, functions }) => this.#scripts.get(url)?.hasNews(functions) ?? false);
  }

  /** Remembers a sample. Returns whether it had news. */
  add(sample: Sample): boolean {
    let isNews = false;
    for (const { url, functions } of sample) {
      if (this.#scripts.get(url)?.add(functions) === true) isNews = true;
    }
    return isNews;
  }

  /** How many times blocks of these sources were entered in a sample: the same on every machine. */
  stepsOf(sample: Sample): number {
    let steps = 0;
    for (const { url, functions } of sample) {
      if (!this.#scripts.has(url)) continue;
      for (const { ranges } of functions) for (const { count } of ranges) steps += count;
    }
    return steps;
  }

  report(): readonly FileCoverage[] {
    return [...this.#scripts.values()].map((script) => script.report());
  }
}

/** Share of blocks reached, 0 to 1. */
export function shareOf(files: readonly FileCoverage[]): number {
  const blocks = files.reduce((sum, file) => sum + file.blocks, 0);
  return blocks === 0 ? 0 : files.reduce((sum, file) => sum + file.reached, 0) / blocks;
}

class ScriptMap {
  readonly #text: string;
  /** 1 for each character that was in an entered range. */
  readonly #reached: Uint8Array;
  readonly #paint: Uint8Array;
  readonly #cuts = new Set<number>();
  /** Every function that was ever reported, outer before inner. */
  #functions: readonly { readonly start: number; readonly end: number }[] = [];
  readonly #known = new Set<string>();

  constructor(
    private readonly file: string,
    private readonly path: string,
  ) {
    this.#text = readFileSync(path, 'utf8');
    this.#reached = new Uint8Array(this.#text.length);
    this.#paint = new Uint8Array(this.#text.length);
  }

  hasNews(functions: readonly FunctionRanges[]): boolean {
    this.#draw(functions);
    for (let at = 0; at < this.#paint.length; at += 1) {
      if (this.#paint[at] === 1 && this.#reached[at] === 0) return true;
    }
    return false;
  }

  add(functions: readonly FunctionRanges[]): boolean {
    this.#draw(functions);
    let isNews = false;
    for (let at = 0; at < this.#paint.length; at += 1) {
      if (this.#paint[at] === 0 || this.#reached[at] === 1) continue;
      this.#reached[at] = 1;
      isNews = true;
    }
    for (const { ranges } of functions) {
      for (const { startOffset, endOffset } of ranges) this.#cuts.add(startOffset).add(endOffset);
    }
    return isNews;
  }

  report(): FileCoverage {
    const cuts = [...this.#cuts].sort((a, b) => a - b);
    // The whole text is the function that runs at import.
    const functions = this.#functions.filter(({ start, end }) => start > 0 || end < this.#text.length);
    const missing: string[] = [];
    let reached = 0;
    let blocks = 0;
    for (const [index, start] of cuts.entries()) {
      if (!functions.some((one) => one.start <= start && start < one.end)) continue;
      const text = this.#text.slice(start, cuts[index + 1] ?? start);
      if (!/\w/.test(text.replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, ''))) continue;
      blocks += 1;
      if (this.#reached[start] === 1) reached += 1;
      else
        missing.push(
          `${this.file}:${this.#lineOf(start + text.search(/[^\s{]/))} ${text.replace(/^[\s{]+/, '').split('\n', 1)[0]}`,
        );
    }
    return { file: this.file, reached, blocks, missing };
  }

  /** Inner ranges over outer ones; a function that a report leaves out was not entered. */
  #draw(functions: readonly FunctionRanges[]): void {
    const reported = new Map<string, FunctionRanges>();
    for (const one of functions) {
      const [whole] = one.ranges;
      if (whole === undefined) continue;
      const key = `${whole.startOffset}-${whole.endOffset}`;
      reported.set(key, one);
      if (this.#known.has(key)) continue;
      this.#known.add(key);
      this.#functions = [...this.#functions, { start: whole.startOffset, end: whole.endOffset }].sort(
        (a, b) => a.start - b.start || b.end - a.end,
      );
    }
    this.#paint.fill(0);
    for (const { start, end } of this.#functions) {
      const one = reported.get(`${start}-${end}`);
      if (one === undefined) this.#paint.fill(0, start, end);
      else
        for (const range of one.ranges) this.#paint.fill(range.count > 0 ? 1 : 0, range.startOffset, range.endOffset);
    }
  }

  /** Of the source, from 1. */
  #lineOf(offset: number): number {
    const before = this.#text.slice(0, offset).split('\n');
    const map = new SourceMap(JSON.parse(readFileSync(`${this.path}.map`, 'utf8')));
    const entry = map.findEntry(before.length - 1, before.at(-1)?.length ?? 0);
    return 'originalLine' in entry ? entry.originalLine + 1 : before.length;
  }
}
