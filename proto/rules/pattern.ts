/**
 * Regular expressions whose time is bounded by the length of the text times the length of the pattern, whatever the
 * text: all ways through the pattern are followed at once (Thompson's construction), none is ever tried again. So there
 * are no back references and no look-around. The syntax is RE2's as far as it goes: literals, ".", classes, groups,
 * "|", "*", "+", "?", "{n,m}", "^", "$", "\b", "\B", "\A", "\z", "\d \w \s", "[[:alpha:]]", and the flags (?ims).
 * A match is looked for anywhere in the text. Pure; judged where a resource is validated, used by http checks.
 */
import {
  type Assertion,
  type CharacterSet,
  MAX_STEPS,
  type Node,
  PatternError,
  parsePattern,
  WORD,
} from './pattern-syntax.js';

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

const MAX_LENGTH = 1_000;

type Step =
  | { readonly kind: 'set'; readonly set: CharacterSet; next: number }
  | { readonly kind: 'assert'; readonly assertion: Assertion; next: number }
  | { readonly kind: 'split'; next: number; other: number }
  | { readonly kind: 'match' };

/** The reason of a refusal completes "the pattern ...". */
export function compilePattern(source: string): CompiledPattern {
  if (source.length > MAX_LENGTH) return { ok: false, reason: `is longer than ${MAX_LENGTH} characters` };
  try {
    const program = new Program(new Compiler().compile(parsePattern(source)));
    const search = () => new Search(program);
    return { ok: true, pattern: { search, test: (text) => search().end(text) } };
  } catch (error) {
    if (error instanceof PatternError) return { ok: false, reason: error.message };
    throw error;
  }
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

/** The steps as numbers side by side: they are gone through for every character of the text. */
class Program {
  static readonly SPLIT = 0;
  static readonly SET = 1;
  static readonly ASSERT = 2;
  static readonly MATCH = 3;
  readonly length: number;
  readonly kinds: Uint8Array;
  readonly next: Uint32Array;
  readonly other: Uint32Array;
  readonly #steps: readonly Step[];
  /** For the 128 characters of ASCII, step by step, whether a set contains it. */
  readonly #ascii: Uint8Array;

  constructor(steps: readonly Step[]) {
    this.#steps = steps;
    this.length = steps.length;
    this.kinds = new Uint8Array(steps.length);
    this.next = new Uint32Array(steps.length);
    this.other = new Uint32Array(steps.length);
    this.#ascii = new Uint8Array(steps.length * 128);
    for (const [at, step] of steps.entries()) {
      if (step.kind !== 'match') this.next[at] = step.next;
      if (step.kind === 'match') this.kinds[at] = Program.MATCH;
      else if (step.kind === 'assert') this.kinds[at] = Program.ASSERT;
      else if (step.kind === 'split') this.other[at] = step.other;
      else {
        this.kinds[at] = Program.SET;
        for (let codePoint = 0; codePoint < 128; codePoint += 1) {
          this.#ascii[at * 128 + codePoint] = contains(step.set, codePoint) ? 1 : 0;
        }
      }
    }
  }

  takes(at: number, codePoint: number): boolean {
    if (codePoint < 128) return this.#ascii[at * 128 + codePoint] === 1;
    const step = this.#steps[at];
    return step?.kind === 'set' && contains(step.set, codePoint);
  }

  holds(at: number, previous: number, next: number): boolean {
    const step = this.#steps[at];
    return step?.kind === 'assert' && holds(step.assertion, previous, next);
  }
}

class Search implements PatternSearch {
  readonly #program: Program;
  #found = false;
  #ended = false;
  #previous = NOTHING;
  /** Steps still to be followed between two characters; none is put in twice. */
  readonly #ahead: Uint32Array;
  #aheadLength = 0;
  /** Steps that wait for the next character. */
  readonly #waiting: Uint32Array;
  #waitingLength = 0;
  /** When a step was last put ahead, as a count of characters. */
  readonly #visited: Uint32Array;
  #round = 1;

  constructor(program: Program) {
    this.#program = program;
    this.#ahead = new Uint32Array(program.length);
    this.#waiting = new Uint32Array(program.length);
    this.#visited = new Uint32Array(program.length);
  }

  feed(text: string): boolean {
    if (this.#found || this.#ended) return this.#found;
    const program = this.#program;
    for (let at = 0; at < text.length; at += 1) {
      const codePoint = text.codePointAt(at) ?? 0;
      if (codePoint > 0xffff) at += 1;
      this.#follow(codePoint);
      if (this.#found) return true;
      this.#round += 1;
      for (let waiting = 0; waiting < this.#waitingLength; waiting += 1) {
        const step = this.#waiting[waiting] ?? 0;
        if (program.takes(step, codePoint)) this.#visit(program.next[step] ?? 0);
      }
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

  #visit(step: number): void {
    if (this.#visited[step] === this.#round) return;
    this.#visited[step] = this.#round;
    this.#ahead[this.#aheadLength] = step;
    this.#aheadLength += 1;
  }

  /** Finds all steps that wait for a character between the one before and `next`. */
  #follow(next: number): void {
    const program = this.#program;
    this.#waitingLength = 0;
    // A match may begin anywhere.
    this.#visit(program.length - 1);
    while (this.#aheadLength > 0) {
      this.#aheadLength -= 1;
      const step = this.#ahead[this.#aheadLength] ?? 0;
      const kind = program.kinds[step];
      if (kind === Program.SET) {
        this.#waiting[this.#waitingLength] = step;
        this.#waitingLength += 1;
      } else if (kind === Program.SPLIT) {
        this.#visit(program.next[step] ?? 0);
        this.#visit(program.other[step] ?? 0);
      } else if (kind === Program.ASSERT) {
        if (program.holds(step, this.#previous, next)) this.#visit(program.next[step] ?? 0);
      } else {
        this.#found = true;
        return;
      }
    }
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
