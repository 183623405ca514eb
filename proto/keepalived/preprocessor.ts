/**
 * keepalived's preprocessor (conditional lines, definitions, repetition) changes what a file says, so every use is an
 * error here: without it the rest cannot be trusted. Nothing is expanded and no environment is read.
 */
import type { Origin } from './remark.js';
import { quoted, type Remarks } from './remarks.js';

const DEFINITION = /^\$([A-Za-z_][A-Za-z0-9_]*)[ \t]*=/u;
const USE = /\$(?:\{([A-Za-z_][A-Za-z0-9_]*)[^}]*\}|([A-Za-z_][A-Za-z0-9_]*)(?=\s|$))/gu;
const PREDEFINED: ReadonlySet<string> = new Set(['_PWD', '_INSTANCE', '_RANDOM', '_ENV', '_HASH', '_BANG']);

/** Fed every line of every file in reading order; a definition counts from there on. */
export class PreprocessorScan {
  readonly #defined = new Set<string>();
  readonly #remarks: Remarks;
  #inTemplate = false;

  constructor(remarks: Remarks) {
    this.#remarks = remarks;
  }

  /** Whether the line belongs to the preprocessor and must not be read further. Reported when it does. */
  takes(line: string, origin: Origin): boolean {
    if (this.#inTemplate) {
      this.#inTemplate = line.endsWith('\\');
      return true;
    }
    if (line.startsWith('@')) {
      this.#refuse(origin, `conditional line (${quoted(line.split(/\s/u, 1)[0] ?? '@')})`);
      return true;
    }
    if (/^~(SEQx?|LST)\(/u.test(line)) {
      this.#refuse(origin, `repetition (${line.startsWith('~LST') ? '~LST' : '~SEQ'})`);
      return true;
    }
    const definition = DEFINITION.exec(line)?.[1];
    if (definition !== undefined) {
      this.#defined.add(definition);
      this.#inTemplate = line.endsWith('\\');
      this.#remarks.error(
        origin,
        `definition of $${definition} is not supported yet; write its value where it is used`,
      );
      return true;
    }
    for (const match of line.matchAll(USE)) {
      const name = match[1] ?? match[2] ?? '';
      // Names that are not defined stay as they are, in keepalived too.
      if (this.#defined.has(name) || PREDEFINED.has(name)) {
        this.#refuse(origin, `use of $${name}`);
        return true;
      }
    }
    return false;
  }

  /** A template ends with its file at the latest. */
  endOfFile(): void {
    this.#inTemplate = false;
  }

  #refuse(origin: Origin, what: string): void {
    this.#remarks.error(
      origin,
      `${what} is not supported yet; the line is left out, which changes what the file means`,
    );
  }
}
