/**
 * From files to pieces: decodes, drops comments, follows includes, lets the preprocessor expand and splits lines at
 * braces, as keepalived's own reader does, with bounds on everything. Knows no keyword but those that govern reading.
 */
import { dirname, isAbsolute, join, resolve } from 'node:path/posix';
import { withoutComment } from './comment.js';
import { decodeSource } from './decode.js';
import type { SourceEdges } from './edges.js';
import { expandBraces } from './glob.js';
import { Preprocessor } from './preprocessor.js';
import type { Origin } from './remark.js';
import { quoted, type Remarks } from './remarks.js';

/** `text`: words up to a brace or the end of the line, never empty, without comment. */
export type Piece =
  | { readonly kind: 'text'; readonly text: string; readonly origin: Origin }
  | { readonly kind: 'open' | 'close'; readonly origin: Origin };

/** keepalived 2.2 cuts a line after so many bytes and reads the rest as a line of its own. */
const KEEPALIVED_LINE_BYTES = 1_023;
const MAX_LINE_CHARACTERS = 65_536;
const MAX_LINES = 200_000;
const MAX_CHARACTERS = 32 * 1024 * 1024;
const MAX_FILES = 1_000;
const MAX_INCLUDE_DEPTH = 20;

/** include and its variants, which ask for more when something is missing. */
const INCLUDE = /^include([rmwba]?)[ \t]+(.*)$/su;

/** What is an error when an include finds less than was asked for. */
type IncludeCheck = 'readable' | 'match' | 'wildcard_match' | 'brace_match';
const ALL_CHECKS: readonly IncludeCheck[] = ['readable', 'match', 'wildcard_match', 'brace_match'];
const CHECKS_OF_VARIANT: Readonly<Record<string, readonly IncludeCheck[]>> = {
  '': [],
  r: ['readable'],
  m: ['readable', 'match'],
  w: ['readable', 'match', 'wildcard_match'],
  b: ['readable', 'brace_match'],
  a: ALL_CHECKS,
};

/** Who the file is of and what may be asked there. */
export interface SourceOptions {
  /** Undefined: not known, so that conditional lines are errors. */
  readonly configId: string | undefined;
}

/** All pieces of a file and of what it includes, in reading order. Never throws. */
export function readPieces(
  path: string,
  edges: SourceEdges,
  options: SourceOptions,
  remarks: Remarks,
): readonly Piece[] {
  const reader = new PieceReader(edges, options, remarks);
  reader.readFile(path, { file: path, line: 1 }, []);
  reader.end();
  return reader.pieces;
}

class PieceReader {
  readonly pieces: Piece[] = [];
  readonly #edges: SourceEdges;
  readonly #remarks: Remarks;
  readonly #preprocessor: Preprocessor;
  #lines = 0;
  #characters = 0;
  #files = 0;
  #checks: ReadonlySet<IncludeCheck> = new Set();
  /** The file being read, and those around it. */
  #path = '';
  #open: readonly string[] = [];

  constructor(edges: SourceEdges, options: SourceOptions, remarks: Remarks) {
    this.#edges = edges;
    this.#remarks = remarks;
    this.#preprocessor = new Preprocessor({ ...options, host: edges.host }, remarks, (line, origin, expanded) =>
      this.#split(line, origin, expanded),
    );
  }

  end(): void {
    this.#preprocessor.end();
  }

  /** `from` is the include line, or the file itself for the first one; `open` the files being read around it. */
  readFile(path: string, from: Origin, open: readonly string[], byPattern = false): void {
    if (open.includes(path)) {
      this.#remarks.error(from, `${quoted(path)} includes itself; left out here`);
      return;
    }
    if (open.length >= MAX_INCLUDE_DEPTH || this.#files >= MAX_FILES) {
      const limit = open.length >= MAX_INCLUDE_DEPTH ? `${MAX_INCLUDE_DEPTH} levels` : `${MAX_FILES} files`;
      this.#remarks.error(from, `more than ${limit} of include; ${quoted(path)} is left out`);
      return;
    }
    this.#files += 1;
    const content = this.#edges.readFile(path);
    if (!content.ok) {
      if (byPattern && content.reason === 'not-a-file' && !this.#checks.has('readable')) {
        this.#remarks.note(from, `${quoted(path)} is left out, as in keepalived: ${content.detail}`);
      } else this.#remarks.error(from, `cannot read ${quoted(path)}: ${content.detail}`);
      return;
    }
    if (content.executable === true && open.length > 0) {
      this.#remarks.warning(
        from,
        `${quoted(path)} is executable, so it is left out, as in keepalived; take the right away (chmod a-x) if it is to be read`,
      );
      return;
    }
    const origin = (line: number): Origin => ({ file: path, line });
    const text = decodeSource(content.bytes, origin(1), this.#remarks);
    this.#characters += text.length;
    if (this.#characters > MAX_CHARACTERS) {
      this.#remarks.error(from, `more than ${MAX_CHARACTERS} characters in all; ${quoted(path)} is left out`);
      return;
    }
    const outer = { path: this.#path, open: this.#open, checks: this.#checks };
    this.#open = [...open, path];
    let number = 0;
    const lines = text.split('\n');
    // What follows the last line's end is no line.
    if (lines.at(-1) === '') lines.pop();
    for (const physical of lines) {
      number += 1;
      this.#lines += 1;
      if (this.#lines > MAX_LINES) {
        this.#remarks.error(origin(number), `more than ${MAX_LINES} lines in all; the rest is left out`);
        break;
      }
      this.#path = path;
      this.#readLine(physical, origin(number));
    }
    this.#path = outer.path;
    this.#open = outer.open;
    // As in keepalived, include_check holds to the end of its file.
    this.#checks = outer.checks;
  }

  #readLine(physical: string, origin: Origin): void {
    if (physical.length > MAX_LINE_CHARACTERS) {
      this.#remarks.error(
        origin,
        `line of ${physical.length} characters is left out; the limit is ${MAX_LINE_CHARACTERS}`,
      );
      return;
    }
    if (Buffer.byteLength(physical) > KEEPALIVED_LINE_BYTES) {
      this.#remarks.warning(
        origin,
        `line is longer than ${KEEPALIVED_LINE_BYTES} bytes; Baton reads it whole, keepalived cuts it there`,
      );
    }
    if (physical.includes('\0')) {
      this.#remarks.error(origin, 'line contains a NUL byte and is left out, as in keepalived');
      return;
    }
    this.#preprocessor.feed(withoutComment(physical), physical === '', origin, resolve(dirname(this.#path)));
  }

  #split(line: string, origin: Origin, expanded: boolean): void {
    let rest = line;
    while (rest !== '') {
      const include = INCLUDE.exec(rest);
      if (include !== null) {
        this.#include(include[1] ?? '', (include[2] ?? '').trim(), origin, expanded);
        return;
      }
      const brace = firstBrace(rest);
      const text = (brace === undefined ? rest : rest.slice(0, brace)).trim();
      if (text !== '') this.#text(text, origin);
      if (brace === undefined) return;
      this.pieces.push({ kind: rest[brace] === '{' ? 'open' : 'close', origin });
      rest = rest.slice(brace + 1).trim();
    }
  }

  /** Two settings of global_defs hold for the reading of what comes after them. */
  #text(text: string, origin: Origin): void {
    this.pieces.push({ kind: 'text', text, origin });
    const seed = /^random_seed[ \t]+(\d{1,10})$/u.exec(text)?.[1];
    if (seed !== undefined) this.#preprocessor.seed(Number(seed));
    const options = /^include_check(?:[ \t]+(.*))?$/u.exec(text);
    if (options !== null) this.#checks = this.#readChecks(options[1] ?? '', origin);
  }

  #readChecks(words: string, origin: Origin): ReadonlySet<IncludeCheck> {
    if (words.trim() === '') return new Set(ALL_CHECKS);
    let checks: ReadonlySet<IncludeCheck> | undefined;
    for (const word of words.trim().split(/[ \t]+/u)) {
      const [, sign = '', name = ''] = /^([+-]?)(.*)$/u.exec(word) ?? [];
      const check = ALL_CHECKS.find((one) => one === name);
      if (check === undefined) {
        this.#remarks.error(
          origin,
          `include_check: ${quoted(word)} is none of ${ALL_CHECKS.join(', ')}; it is ignored`,
        );
        continue;
      }
      const before: ReadonlySet<IncludeCheck> = checks ?? (sign === '' ? new Set() : this.#checks);
      const after = new Set(before);
      if (sign === '-') after.delete(check);
      else after.add(check).add('readable');
      checks = after;
    }
    return checks ?? this.#checks;
  }

  #include(variant: string, name: string, origin: Origin, expanded: boolean): void {
    const keyword = `include${variant}`;
    if (expanded || name.includes('$')) {
      this.#remarks.error(
        origin,
        `${keyword} ${quoted(name)}: keepalived looks for includes before it looks at "@" and "$", so this one is not followed; write it plainly, and put conditions into the included file`,
      );
      return;
    }
    const checks = new Set([...this.#checks, ...(CHECKS_OF_VARIANT[variant] ?? [])]);
    const pattern = isAbsolute(name) ? name : join(dirname(this.#path), name);
    const found = this.#edges.glob(pattern);
    const alternatives = expandBraces(pattern);
    const hasWildcards = alternatives.some((one) => /[*?[]/u.test(one));
    if (found.length === 0) {
      const isError = hasWildcards ? checks.has('wildcard_match') : checks.size > 0;
      this.#remarks.add(
        isError ? 'error' : 'warning',
        origin,
        `${keyword}: no file matches ${quoted(pattern)}${isError ? '' : '; keepalived goes on without it as well'}`,
      );
    } else if (alternatives.length > 1 && checks.has('brace_match')) {
      for (const one of alternatives) {
        if (this.#edges.glob(one).length > 0) continue;
        this.#remarks.error(
          origin,
          `${keyword}: no file matches ${quoted(one)}, one of the alternatives of ${quoted(name)}`,
        );
      }
    }
    const open = this.#open;
    for (const file of found) this.readFile(file, origin, open, hasWildcards);
  }
}

/** Index of the first brace outside double quotes. */
function firstBrace(text: string): number | undefined {
  let inQuotes = false;
  for (let i = 0; i < text.length; i += 1) {
    const character = text[i];
    if (character === '\\') i += 1;
    else if (character === '"') inQuotes = !inQuotes;
    else if (!inQuotes && (character === '{' || character === '}')) return i;
  }
  return undefined;
}
