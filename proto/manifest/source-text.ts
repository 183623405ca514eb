/** Text of a file: where an offset is in it, and how a problem in it is shown. */

/** Something wrong at one place of a file. */
export interface SourceProblem {
  /** As given to the parser; what the user typed. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1, in characters (code points). */
  readonly column: number;
  /** Place in the document, such as "spec.members[1].priority"; empty for the document as a whole. */
  readonly path: string;
  /** What is wrong and what to do, without the position. */
  readonly message: string;
}

/** A file's text with its line starts. */
export class SourceText {
  readonly text: string;
  readonly file: string;
  readonly #lineStarts: readonly number[];

  constructor(text: string, file: string) {
    this.text = text;
    this.file = file;
    const starts = [0];
    for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) {
      starts.push(at + 1);
    }
    this.#lineStarts = starts;
  }

  problem(offset: number, path: string, message: string): SourceProblem {
    const line = this.lineOf(offset);
    const start = this.#lineStarts[line - 1] ?? 0;
    let column = 1;
    for (const character of this.text.slice(start, offset)) {
      column += character === BYTE_ORDER_MARK ? 0 : 1;
    }
    return { file: this.file, line, column, path, message };
  }

  /** From 1. */
  lineOf(offset: number): number {
    let low = 0;
    let high = this.#lineStarts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#lineStarts[middle] ?? 0) <= offset) {
        low = middle;
      } else {
        high = middle - 1;
      }
    }
    return low + 1;
  }
}

/**
 * The problems of one file as they are found. Lines and columns are worked out at the end and only for those that are
 * shown: a hostile file has a hundred thousand problems on one line.
 */
export class ProblemList {
  readonly #source: SourceText;
  readonly #found: { readonly offset: number; readonly path: string; readonly message: string }[] = [];

  constructor(source: SourceText) {
    this.#source = source;
  }

  add(offset: number, path: string, message: string): void {
    this.#found.push({ offset, path, message });
  }

  get isEmpty(): boolean {
    return this.#found.length === 0;
  }

  /** In the order of the text; more than anybody reads are counted instead. */
  inOrder(): SourceProblem[] {
    const sorted = this.#found.sort((a, b) => a.offset - b.offset);
    const rest = sorted.length - MAX_PROBLEMS;
    const shown = sorted.slice(0, MAX_PROBLEMS);
    const last = shown.at(-1);
    if (rest > 0 && last !== undefined) {
      shown.push({ offset: last.offset, path: '', message: `and ${rest} more problems from here on` });
    }
    return shown.map(({ offset, path, message }) => this.#source.problem(offset, path, message));
  }
}

const MAX_PROBLEMS = 100;
const BYTE_ORDER_MARK = '\ufeff';
const MAX_EXCERPT = 160;

/** `value:` of a Secret, or a password where none belongs. */
const MAY_HOLD_SECRET = /(value|pass|password|token|secret)["']?\s*:/i;
/** Also with a slip of the pen: whatever stands in such a document may be the secret, under any name. */
const IS_SECRET = /\bkind["']?\s*:\s*["']?secr/i;

/**
 * "file:line:column: path: message", and with the text of the file also the line itself and a caret below the place.
 * Control characters of the excerpt are shown as spaces, so that a file cannot drive a terminal. A line that may hold
 * a secret, or of a document that is one, is not shown: messages end up in logs and tickets.
 */
export function formatSourceProblem(problem: SourceProblem, text?: string): string {
  const where = `${problem.file}:${problem.line}:${problem.column}`;
  const head = `${where}: ${problem.path === '' ? '' : `${problem.path}: `}${problem.message}`;
  const lines = text?.split('\n') ?? [];
  const line = lines[problem.line - 1];
  if (line === undefined || line.trim() === '' || problem.column > MAX_EXCERPT || MAY_HOLD_SECRET.test(line)) {
    return head;
  }
  if (IS_SECRET.test(documentAround(lines, problem.line - 1))) return head;
  const excerpt = [...line.replace(/^\ufeff/, '')]
    .slice(0, MAX_EXCERPT)
    .join('')
    .replace(/[\p{Cc}\p{Cf}]/gu, ' ')
    .trimEnd();
  return `${head}\n    ${excerpt}\n    ${' '.repeat(problem.column - 1)}^`;
}

/** The text between the "---" lines around a line. */
function documentAround(lines: readonly string[], index: number): string {
  const isMark = (line: string): boolean => line.startsWith('---');
  const start = lines.slice(0, index).findLastIndex(isMark) + 1;
  const length = lines.slice(index + 1).findIndex(isMark);
  return lines.slice(start, length === -1 ? undefined : index + 1 + length).join('\n');
}
