/** Walks the words of a route or rule, where options and their values follow each other. */
import { INTERFACE_RULE, isInterfaceName } from './interface-name.js';
import { type Context, keywordSupport, nearestKeyword } from './keywords.js';
import { quoted, type Remarks } from './remarks.js';
import { parseUnsigned } from './rtnetlink-names.js';
import type { Statement } from './tree.js';
import { parseAddress, parseWhole } from './values.js';

/** Ends the reading of one item; what is wrong has been reported. */
export class Unreadable extends Error {
  override readonly name = 'Unreadable';
}

export class OptionReader {
  readonly #line: Statement;
  readonly #what: string;
  readonly #remarks: Remarks;
  #at = 0;

  /** `what` begins every remark: "virtual_routes". */
  constructor(line: Statement, what: string, remarks: Remarks) {
    this.#line = line;
    this.#what = what;
    this.#remarks = remarks;
  }

  /** The next word, which is read by this; undefined at the end. */
  next(): string | undefined {
    const word = this.#line.words[this.#at];
    this.#at += 1;
    return word;
  }

  /** The next word, which is still to be read. */
  peek(): string | undefined {
    return this.#line.words[this.#at];
  }

  /** Reads the next word if it is this one. */
  takes(word: string): boolean {
    if (this.peek() !== word) return false;
    this.#at += 1;
    return true;
  }

  error(reason: string): never {
    this.#remarks.error(this.#line.origin, `${this.#what}: ${reason}; the line is left out, as in keepalived`);
    throw new Unreadable();
  }

  warn(reason: string): void {
    this.#remarks.warning(this.#line.origin, `${this.#what}: ${reason}`);
  }

  /** The value of `option`. */
  value(option: string): string {
    return this.next() ?? this.error(`${option} needs a value`);
  }

  number(option: string, minimum: number, maximum: number): number {
    const word = this.value(option);
    const value = parseUnsigned(word, maximum);
    if (value === undefined || value < minimum) {
      this.error(`${option} ${quoted(word)} is not a whole number from ${minimum} to ${maximum}`);
    }
    return value;
  }

  interface(option: string): string {
    const word = this.value(option);
    if (!isInterfaceName(word)) this.error(`${option} ${quoted(word)} cannot exist: ${INTERFACE_RULE}`);
    return word;
  }

  address(option: string): { readonly address: string; readonly family: 4 | 6 } {
    const word = this.value(option);
    return parseAddress(word) ?? this.error(`${option} ${quoted(word)} is not an IP address`);
  }

  /** A prefix as keepalived reads it; "" and no family for "default", "any" and "all". */
  prefix(option: string, word: string): { readonly prefix: string; readonly family: 4 | 6 | undefined } {
    if (word === 'default' || word === 'any' || word === 'all') return { prefix: '', family: undefined };
    if (word === 'default6') return { prefix: '', family: 6 };
    const [bare = '', length] = word.split('/', 2);
    const parsed = parseAddress(bare);
    const whole = parsed?.family === 6 ? 128 : 32;
    const bits = length === undefined ? whole : parseWhole(length);
    if (parsed === undefined || bits === undefined || bits < 0 || bits > whole) {
      this.error(`${option} ${quoted(word)} is not a prefix`);
    }
    return { prefix: bits === 0 ? '' : `${parsed.address}/${bits}`, family: parsed.family };
  }

  /**
   * Reports an option that is not read. True: it was one, and its `values` further words are skipped; false: keepalived
   * does not know it either.
   */
  skips(context: Context, option: string, values: number): boolean {
    const support = keywordSupport(context, option);
    if (support?.support !== 'reported') return false;
    this.#remarks.add(support.severity, this.#line.origin, `${this.#what}: ${option}: ${support.meaning}`);
    this.#at += values;
    return true;
  }

  unknown(context: Context, option: string): never {
    const nearest = nearestKeyword(context, option);
    this.error(`unknown option ${quoted(option)}${nearest === undefined ? '' : `, did you mean '${nearest}'?`}`);
  }
}
