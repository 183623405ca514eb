/** Collects remarks, bounded, so that a hostile file cannot fill the memory with them. */
import type { Origin, Remark, Severity } from './remark.js';

const MAX_REMARKS = 2_000;

export class Remarks {
  readonly #list: Remark[] = [];
  readonly #made = new Set<string>();
  #left = 0;
  #leftError = false;

  /** A remark that was made before is not repeated: a line that is repeated says its own once. */
  add(severity: Severity, origin: Origin, text: string): void {
    const { file, line, usedAt } = origin;
    const message = usedAt === undefined ? text : `${text} (a template's line, used in ${usedAt.file}:${usedAt.line})`;
    if (this.isFull) {
      this.#left += 1;
      this.#leftError ||= severity === 'error';
      return;
    }
    const key = `${severity} ${line} ${file} ${message}`;
    if (this.#made.has(key)) return;
    this.#made.add(key);
    this.#list.push({ severity, file, line, message });
  }

  /** Whether further remarks are only counted, so that their wording is not worth any work. */
  get isFull(): boolean {
    return this.#list.length >= MAX_REMARKS;
  }

  error(origin: Origin, message: string): void {
    this.add('error', origin, message);
  }

  warning(origin: Origin, message: string): void {
    this.add('warning', origin, message);
  }

  note(origin: Origin, message: string): void {
    this.add('note', origin, message);
  }

  /** All of them in the order in which they were made; the last one tells of those that were left out. */
  list(): readonly Remark[] {
    const last = this.#list.at(-1);
    if (this.#left === 0 || last === undefined) return this.#list;
    return [
      ...this.#list,
      {
        severity: this.#leftError ? 'error' : 'warning',
        file: last.file,
        line: last.line,
        message: `${this.#left} more remarks left out`,
      },
    ];
  }
}

/** A word of the file as it may appear in a message: short and without control characters. */
export function quoted(word: string): string {
  const clean = word.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\u{fffd}');
  return `'${clean.length > 60 ? `${clean.slice(0, 57)}...` : clean}'`;
}
