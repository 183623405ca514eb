/**
 * Regular expressions whose time is bounded by the length of the text times the length of the pattern, whatever the
 * text: all ways through the pattern are followed at once (Thompson's construction), none is ever tried again. So there
 * are no back references and no look-around. The syntax is RE2's as far as it goes: literals, ".", classes, groups,
 * "|", "*", "+", "?", "{n,m}", "^", "$", "\b", "\B", "\A", "\z", "\d \w \s", "[[:alpha:]]", and the flags (?ims).
 * A match is looked for anywhere in the text. Pure; judged where a resource is validated, used by http checks.
 */

export type CompiledPattern =
  | { readonly ok: true; readonly pattern: Pattern }
  | { readonly ok: false; readonly reason: string };

export interface Pattern {
  test(text: string): boolean;
  /** Looks through a text that comes in pieces. */
  search(): PatternSearch;
}

export interface PatternSearch {
  /** The next piece, of whole characters. True as soon as there is a match. */
  feed(text: string): boolean;
  /** The last piece; afterwards whether there was a match anywhere. */
  end(text?: string): boolean;
}

/** Steps of a compiled pattern; "{n,m}" writes its operand m times. */
const MAX_STEPS = 1_000;
const MAX_LENGTH = 1_000;
const MAX_DEPTH = 100;
const MAX_CODE_POINT = 0x10_ffff;

type Assertion = 'textStart' | 'textEnd' | 'lineStart' | 'lineEnd' | 'wordBoundary' | 'notWordBoundary';

type Node =
  | { readonly kind: 'empty' }
  | { readonly kind: 'set'; readonly set: CharacterSet }
  | { readonly kind: 'assert'; readonly assertion: Assertion }
  | { readonly kind: 'sequence' | 'choice'; readonly nodes: readonly Node[] }
  | { readonly kind: 'repeat'; readonly node: Node; readonly least: number; readonly most: number };

/** Pairs of first and last code point. */
interface CharacterSet {
  readonly ranges: readonly (readonly [number, number])[];
  readonly negated: boolean;
  readonly ignoreCase: boolean;
}

type Step =
  | { readonly kind: 'set'; readonly set: CharacterSet; next: number }
  | { readonly kind: 'assert'; readonly assertion: Assertion; next: number }
  | { readonly kind: 'split'; next: number; other: number }
  | { readonly kind: 'match' };

class PatternError extends Error {
  override readonly name = 'PatternError';
}

/** The reason of a refusal completes "the pattern ...". */
export function compilePattern(source: string): CompiledPattern {
  if (source.length > MAX_LENGTH) return { ok: false, reason: `is longer than ${MAX_LENGTH} characters` };
  try {
    const steps = new Compiler().compile(new Parser(source).parse());
    const search = () => new Search(steps);
    return { ok: true, pattern: { search, test: (text) => search().end(text) } };
  } catch (error) {
    if (error instanceof PatternError) return { ok: false, reason: error.message };
    throw error;
  }
}

interface Flags {
  readonly ignoreCase: boolean;
  readonly multiLine: boolean;
  readonly dotAll: boolean;
}

const DIGIT: readonly (readonly [number, number])[] = [[48, 57]];
const WORD: readonly (readonly [number, number])[] = [
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

/** Written from the end to the beginning, so that every step knows its next one. */
class Compiler {
  readonly #steps: Step[] = [];

  /** The last step is where it begins. */
  compile(node: Node): readonly Step[] {
    const end = this.#add({ kind: 'match' });
    const start = this.#node(node, end);
    this.#add({ kind: 'split', next: start, other: start });
    return this.#steps;
  }

  #add(step: Step): number {
    if (this.#steps.length >= MAX_STEPS) {
      throw new PatternError(`is too long when its repetitions are written out: more than ${MAX_STEPS} steps`);
    }
    this.#steps.push(step);
    return this.#steps.length - 1;
  }

  #node(node: Node, next: number): number {
    switch (node.kind) {
      case 'empty':
        return next;
      case 'set':
        return this.#add({ kind: 'set', set: node.set, next });
      case 'assert':
        return this.#add({ kind: 'assert', assertion: node.assertion, next });
      case 'sequence':
        return node.nodes.reduceRight((after, one) => this.#node(one, after), next);
      case 'choice':
        return node.nodes
          .map((one) => this.#node(one, next))
          .reduceRight((other, start) => this.#add({ kind: 'split', next: start, other }));
      case 'repeat':
        return this.#repeat(node.node, node.least, node.most, next);
    }
  }

  #repeat(node: Node, least: number, most: number, next: number): number {
    let start = next;
    if (most === Number.POSITIVE_INFINITY) {
      const loop: Step = { kind: 'split', next, other: next };
      start = this.#add(loop);
      loop.next = this.#node(node, start);
    } else {
      for (let count = least; count < most; count += 1) {
        start = this.#add({ kind: 'split', next: this.#node(node, start), other: next });
      }
    }
    for (let count = 0; count < least; count += 1) {
      const before = start;
      start = this.#node(node, before);
      // What needs no step is the same however often it is repeated.
      if (start === before) break;
    }
    return start;
  }
}

/** Before the first and after the last character. */
const NOTHING = -1;

class Search implements PatternSearch {
  readonly #steps: readonly Step[];
  #found = false;
  #ended = false;
  #previous = NOTHING;
  /** Steps that the character before led to, before those that need no character are followed. */
  #reached: number[] = [];
  /** When a step was last visited, as a count of characters. */
  readonly #visited: Uint32Array;
  #round = 0;

  constructor(steps: readonly Step[]) {
    this.#steps = steps;
    this.#visited = new Uint32Array(steps.length);
  }

  feed(text: string): boolean {
    if (this.#found || this.#ended) return this.#found;
    for (let at = 0; at < text.length; at += 1) {
      const codePoint = text.codePointAt(at) ?? 0;
      if (codePoint > 0xffff) at += 1;
      const waiting = this.#follow(codePoint);
      if (this.#found) return true;
      this.#reached = [];
      for (const step of waiting) if (contains(step.set, codePoint)) this.#reached.push(step.next);
      this.#previous = codePoint;
    }
    return false;
  }

  end(text = ''): boolean {
    this.feed(text);
    if (!this.#found && !this.#ended) this.#follow(NOTHING);
    this.#ended = true;
    return this.#found;
  }

  /** All steps that wait for a character between the one before and `next`. */
  #follow(next: number): Extract<Step, { kind: 'set' }>[] {
    this.#round += 1;
    const waiting: Extract<Step, { kind: 'set' }>[] = [];
    const ahead = this.#reached;
    ahead.push(this.#steps.length - 1);
    for (let index = ahead.pop(); index !== undefined; index = ahead.pop()) {
      if (this.#visited[index] === this.#round) continue;
      this.#visited[index] = this.#round;
      const step = this.#steps[index];
      if (step === undefined) continue;
      if (step.kind === 'set') waiting.push(step);
      else if (step.kind === 'split') ahead.push(step.next, step.other);
      else if (step.kind === 'assert') {
        if (holds(step.assertion, this.#previous, next)) ahead.push(step.next);
      } else {
        this.#found = true;
        break;
      }
    }
    return waiting;
  }
}

function contains({ ranges, negated, ignoreCase }: CharacterSet, codePoint: number): boolean {
  let found = isIn(ranges, codePoint);
  if (!found && ignoreCase) {
    const character = String.fromCodePoint(codePoint);
    const lower = character.toLowerCase();
    const upper = character.toUpperCase();
    found =
      (lower !== character && isIn(ranges, lower.codePointAt(0) ?? 0)) ||
      (upper !== character && isIn(ranges, upper.codePointAt(0) ?? 0));
  }
  return found !== negated;
}

function isIn(ranges: readonly (readonly [number, number])[], codePoint: number): boolean {
  for (const [low, high] of ranges) if (codePoint >= low && codePoint <= high) return true;
  return false;
}

function holds(assertion: Assertion, previous: number, next: number): boolean {
  switch (assertion) {
    case 'textStart':
      return previous === NOTHING;
    case 'textEnd':
      return next === NOTHING;
    case 'lineStart':
      return previous === NOTHING || previous === 10;
    case 'lineEnd':
      return next === NOTHING || next === 10;
    case 'wordBoundary':
      return isWord(previous) !== isWord(next);
    case 'notWordBoundary':
      return isWord(previous) === isWord(next);
  }
}

function isWord(codePoint: number): boolean {
  return codePoint !== NOTHING && isIn(WORD, codePoint);
}
