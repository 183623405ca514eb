/**
 * The syntax of patterns (see pattern.ts): text to a tree. What cannot be matched in bounded time, or is no pattern, is
 * refused with a sentence. Pure.
 */

/** Steps of a compiled pattern; "{n,m}" writes its operand m times. */
export const MAX_STEPS = 500;
const MAX_DEPTH = 100;
const MAX_CODE_POINT = 0x10_ffff;

export type Assertion = 'textStart' | 'textEnd' | 'lineStart' | 'lineEnd' | 'wordBoundary' | 'notWordBoundary';

export type Node =
  | { readonly kind: 'empty' }
  | { readonly kind: 'set'; readonly set: CharacterSet }
  | { readonly kind: 'assert'; readonly assertion: Assertion }
  | { readonly kind: 'sequence' | 'choice'; readonly nodes: readonly Node[] }
  | { readonly kind: 'repeat'; readonly node: Node; readonly least: number; readonly most: number };

/** Pairs of first and last code point. */
export interface CharacterSet {
  readonly ranges: readonly (readonly [number, number])[];
  readonly negated: boolean;
  readonly ignoreCase: boolean;
}

/** The message completes "the pattern ...". */
export class PatternError extends Error {
  override readonly name = 'PatternError';
}

interface Flags {
  readonly ignoreCase: boolean;
  readonly multiLine: boolean;
  readonly dotAll: boolean;
}

const DIGIT: readonly (readonly [number, number])[] = [[48, 57]];
export const WORD: readonly (readonly [number, number])[] = [
  [48, 57],
  [65, 90],
  [95, 95],
  [97, 122],
];
const SPACE: readonly (readonly [number, number])[] = [
  [9, 10],
  [12, 13],
  [32, 32],
];
const POSIX: Readonly<Record<string, readonly (readonly [number, number])[]>> = {
  alnum: [
    [48, 57],
    [65, 90],
    [97, 122],
  ],
  alpha: [
    [65, 90],
    [97, 122],
  ],
  blank: [
    [9, 9],
    [32, 32],
  ],
  cntrl: [
    [0, 31],
    [127, 127],
  ],
  digit: DIGIT,
  graph: [[33, 126]],
  lower: [[97, 122]],
  print: [[32, 126]],
  punct: [
    [33, 47],
    [58, 64],
    [91, 96],
    [123, 126],
  ],
  space: [
    [9, 13],
    [32, 32],
  ],
  upper: [[65, 90]],
  word: WORD,
  xdigit: [
    [48, 57],
    [65, 70],
    [97, 102],
  ],
};
const CONTROL: Readonly<Record<string, number>> = { a: 7, f: 12, n: 10, r: 13, t: 9, v: 11 };

/** Throws PatternError. */
export function parsePattern(source: string): Node {
  return new Parser(source).parse();
}

class Parser {
  readonly #source: readonly string[];
  #at = 0;
  #depth = 0;
  #flags: Flags = { ignoreCase: false, multiLine: false, dotAll: false };

  constructor(source: string) {
    this.#source = [...source];
  }

  parse(): Node {
    const node = this.#choice();
    if (this.#at < this.#source.length) throw new PatternError(`has a ")" without "(" at character ${this.#at + 1}`);
    return node;
  }

  #peek(offset = 0): string | undefined {
    return this.#source[this.#at + offset];
  }

  #take(): string | undefined {
    const character = this.#source[this.#at];
    this.#at += 1;
    return character;
  }

  #accept(text: string): boolean {
    if (this.#source.slice(this.#at, this.#at + text.length).join('') !== text) return false;
    this.#at += text.length;
    return true;
  }

  #choice(): Node {
    const nodes = [this.#sequence()];
    while (this.#accept('|')) nodes.push(this.#sequence());
    return nodes.length === 1 && nodes[0] !== undefined ? nodes[0] : { kind: 'choice', nodes };
  }

  #sequence(): Node {
    const nodes: Node[] = [];
    for (let next = this.#peek(); next !== undefined && next !== '|' && next !== ')'; next = this.#peek()) {
      nodes.push(this.#repeated(this.#atom()));
    }
    return { kind: 'sequence', nodes };
  }

  #repeated(atom: Node): Node {
    const bounds = this.#bounds();
    if (bounds === undefined) return atom;
    // How greedy it is changes what is matched, not whether there is a match.
    this.#accept('?');
    if (this.#bounds() !== undefined) throw new PatternError(`repeats a repetition at character ${this.#at}`);
    return { kind: 'repeat', node: atom, ...bounds };
  }

  #bounds(): { readonly least: number; readonly most: number } | undefined {
    if (this.#accept('*')) return { least: 0, most: Number.POSITIVE_INFINITY };
    if (this.#accept('+')) return { least: 1, most: Number.POSITIVE_INFINITY };
    if (this.#accept('?')) return { least: 0, most: 1 };
    if (this.#peek() !== '{') return undefined;
    const counted = /^\{(\d{1,4})(,(\d{0,4}))?\}/.exec(this.#source.slice(this.#at, this.#at + 12).join(''));
    // As in RE2, a brace that counts nothing stands for itself.
    if (counted === null) return undefined;
    this.#at += counted[0].length;
    const least = Number(counted[1]);
    const most = counted[2] === undefined ? least : counted[3] ? Number(counted[3]) : Number.POSITIVE_INFINITY;
    if (most < least) throw new PatternError(`has ${counted[0]}, the most less than the least`);
    if (least > MAX_STEPS) throw new PatternError(`has ${counted[0]}, more than ${MAX_STEPS}`);
    return { least, most };
  }

  #atom(): Node {
    const at = this.#at + 1;
    const character = this.#take() ?? '';
    switch (character) {
      case '(':
        return this.#group();
      case '[':
        return { kind: 'set', set: this.#bracket() };
      case '.':
        return {
          kind: 'set',
          set: { ranges: this.#flags.dotAll ? [] : [[10, 10]], negated: true, ignoreCase: false },
        };
      case '^':
        return { kind: 'assert', assertion: this.#flags.multiLine ? 'lineStart' : 'textStart' };
      case '$':
        return { kind: 'assert', assertion: this.#flags.multiLine ? 'lineEnd' : 'textEnd' };
      case '*':
      case '+':
      case '?':
        throw new PatternError(`has a "${character}" with nothing before it at character ${at}`);
      case '\\':
        return this.#escape();
      default:
        return this.#literal(character.codePointAt(0) ?? 0);
    }
  }

  #literal(codePoint: number): Node {
    return this.#set([[codePoint, codePoint]], false);
  }

  #set(ranges: readonly (readonly [number, number])[], negated: boolean): Node {
    return { kind: 'set', set: { ranges, negated, ignoreCase: this.#flags.ignoreCase } };
  }

  #group(): Node {
    const outer = this.#flags;
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) throw new PatternError(`has groups more than ${MAX_DEPTH} deep`);
    if (this.#accept('?')) {
      const named = /^P?<([A-Za-z]\w*)>/.exec(this.#source.slice(this.#at, this.#at + 64).join(''));
      if (named !== null) this.#at += named[0].length;
      else if (this.#flagsOnly()) {
        this.#depth -= 1;
        return { kind: 'empty' };
      }
    }
    const node = this.#choice();
    if (!this.#accept(')')) throw new PatternError('has a "(" without ")"');
    this.#flags = outer;
    this.#depth -= 1;
    return node;
  }

  /** After "(?": true for "(?flags)", false when a group with or without flags begins. */
  #flagsOnly(): boolean {
    let on = true;
    let flags = this.#flags;
    for (;;) {
      const character = this.#take();
      if (character === 'i') flags = { ...flags, ignoreCase: on };
      else if (character === 'm') flags = { ...flags, multiLine: on };
      else if (character === 's') flags = { ...flags, dotAll: on };
      else if (character === '-' && on) on = false;
      else if (character === ':' || character === ')') {
        this.#flags = flags;
        return character === ')';
      } else if (character === '=' || character === '!' || character === '<') {
        throw new PatternError('has look-around, which is not possible in bounded time');
      } else throw new PatternError(`has an unknown group "(?${character ?? ''}"`);
    }
  }

  #escape(): Node {
    const character = this.#take();
    if (character === undefined) throw new PatternError('ends in a "\\"');
    if (character === 'b') return { kind: 'assert', assertion: 'wordBoundary' };
    if (character === 'B') return { kind: 'assert', assertion: 'notWordBoundary' };
    if (character === 'A') return { kind: 'assert', assertion: 'textStart' };
    if (character === 'z') return { kind: 'assert', assertion: 'textEnd' };
    if (/[1-9]/.test(character)) throw new PatternError('has a back reference, which is not possible in bounded time');
    const kind = classOf(character);
    if (kind !== undefined) return this.#set(kind.ranges, kind.negated);
    return this.#literal(this.#escapedCodePoint(character));
  }

  #escapedCodePoint(character: string): number {
    const control = CONTROL[character];
    if (control !== undefined) return control;
    if (character === 'x') {
      const rest = this.#source.slice(this.#at, this.#at + 10).join('');
      const hexadecimal = /^(?:([0-9a-f]{2})|\{([0-9a-f]{1,6})\})/i.exec(rest);
      const codePoint = Number.parseInt(hexadecimal?.[1] ?? hexadecimal?.[2] ?? '', 16);
      if (hexadecimal === null || codePoint > MAX_CODE_POINT) {
        throw new PatternError('has a "\\x" without a character number: write \\x41 or \\x{41}');
      }
      this.#at += hexadecimal[0].length;
      return codePoint;
    }
    if (/[A-Za-z0-9]/.test(character)) throw new PatternError(`has the unknown escape "\\${character}"`);
    return character.codePointAt(0) ?? 0;
  }

  #bracket(): CharacterSet {
    const negated = this.#accept('^');
    const ranges: (readonly [number, number])[] = [];
    for (let first = true; first || this.#peek() !== ']'; first = false) {
      if (this.#peek() === undefined) throw new PatternError('has a "[" without "]"');
      const posix = /^\[:(\^?)([a-z]+):\]/.exec(this.#source.slice(this.#at, this.#at + 16).join(''));
      if (posix !== null) {
        const named = POSIX[posix[2] ?? ''];
        if (named === undefined) throw new PatternError(`has the unknown class "${posix[0]}"`);
        this.#at += posix[0].length;
        ranges.push(...(posix[1] === '^' ? complement(named) : named));
        continue;
      }
      const low = this.#member(ranges);
      if (low === undefined) continue;
      if (this.#peek() !== '-' || this.#peek(1) === ']' || this.#peek(1) === undefined) {
        ranges.push([low, low]);
        continue;
      }
      this.#at += 1;
      const high = this.#member(ranges);
      if (high === undefined || high < low) throw new PatternError('has a range in "[...]" that ends before it begins');
      ranges.push([low, high]);
    }
    this.#at += 1;
    return { ranges, negated, ignoreCase: this.#flags.ignoreCase };
  }

  /** One character of a bracket; undefined for a class such as \d, whose ranges have been added. */
  #member(ranges: (readonly [number, number])[]): number | undefined {
    const character = this.#take() ?? '';
    if (character !== '\\') return character.codePointAt(0) ?? 0;
    const escaped = this.#take();
    if (escaped === undefined) throw new PatternError('ends in a "\\"');
    const kind = classOf(escaped);
    if (kind === undefined) return this.#escapedCodePoint(escaped);
    ranges.push(...(kind.negated ? complement(kind.ranges) : kind.ranges));
    return undefined;
  }
}

function classOf(
  character: string,
): { readonly ranges: readonly (readonly [number, number])[]; readonly negated: boolean } | undefined {
  const ranges = { d: DIGIT, w: WORD, s: SPACE }[character.toLowerCase()];
  return ranges === undefined ? undefined : { ranges, negated: character !== character.toLowerCase() };
}

/** `ranges` in ascending order. */
function complement(ranges: readonly (readonly [number, number])[]): (readonly [number, number])[] {
  const others: (readonly [number, number])[] = [];
  let from = 0;
  for (const [low, high] of ranges) {
    if (low > from) others.push([from, low - 1]);
    from = high + 1;
  }
  if (from <= MAX_CODE_POINT) others.push([from, MAX_CODE_POINT]);
  return others;
}
