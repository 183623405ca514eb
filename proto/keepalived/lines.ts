/**
 * From files to pieces: decodes, drops comments, follows includes and splits lines at braces, as keepalived's own
 * reader does, with bounds on everything. Knows no keyword but `include`.
 */
import { dirname, isAbsolute, join } from 'node:path/posix';
import { decodeSource } from './decode.js';
import type { SourceEdges } from './edges.js';
import { PreprocessorScan } from './preprocessor.js';
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

/** include and its variants; those other than plain `include` ask for an error when something is missing. */
const INCLUDE = /^(include[rmwba]?)[ \t]+(.*)$/su;

/** All pieces of a file and of what it includes, in reading order. Never throws. */
export function readPieces(path: string, edges: SourceEdges, remarks: Remarks): readonly Piece[] {
  const reader = new PieceReader(edges, remarks);
  reader.readFile(path, { file: path, line: 1 }, []);
  return reader.pieces;
}

class PieceReader {
  readonly pieces: Piece[] = [];
  readonly #edges: SourceEdges;
  readonly #remarks: Remarks;
  readonly #scan: PreprocessorScan;
  #lines = 0;
  #characters = 0;
  #files = 0;

  constructor(edges: SourceEdges, remarks: Remarks) {
    this.#edges = edges;
    this.#remarks = remarks;
    this.#scan = new PreprocessorScan(remarks);
  }

  /** `from` is the include line, or the file itself for the first one; `open` the files being read around it. */
  readFile(path: string, from: Origin, open: readonly string[]): void {
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
      this.#remarks.error(from, `cannot read ${quoted(path)}: ${content.detail}`);
      return;
    }
    const origin = (line: number): Origin => ({ file: path, line });
    const text = decodeSource(content.bytes, origin(1), this.#remarks);
    this.#characters += text.length;
    if (this.#characters > MAX_CHARACTERS) {
      this.#remarks.error(from, `more than ${MAX_CHARACTERS} characters in all; ${quoted(path)} is left out`);
      return;
    }
    let number = 0;
    for (const physical of text.split('\n')) {
      number += 1;
      this.#lines += 1;
      if (this.#lines > MAX_LINES) {
        this.#remarks.error(origin(number), `more than ${MAX_LINES} lines in all; the rest is left out`);
        return;
      }
      this.#readLine(physical, origin(number), path, open);
    }
    this.#scan.endOfFile();
  }

  #readLine(physical: string, origin: Origin, path: string, open: readonly string[]): void {
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
    const line = withoutComment(physical).trim();
    if (line === '' || this.#scan.takes(line, origin)) return;
    this.#split(line, origin, path, open);
  }

  #split(line: string, origin: Origin, path: string, open: readonly string[]): void {
    let rest = line;
    while (rest !== '') {
      const include = INCLUDE.exec(rest);
      if (include !== null) {
        this.#include(include[1] ?? '', (include[2] ?? '').trim(), origin, path, open);
        return;
      }
      const brace = firstBrace(rest);
      const text = (brace === undefined ? rest : rest.slice(0, brace)).trim();
      if (text !== '') this.pieces.push({ kind: 'text', text, origin });
      if (brace === undefined) return;
      this.pieces.push({ kind: rest[brace] === '{' ? 'open' : 'close', origin });
      rest = rest.slice(brace + 1).trim();
    }
  }

  #include(keyword: string, name: string, origin: Origin, path: string, open: readonly string[]): void {
    const pattern = isAbsolute(name) ? name : join(dirname(path), name);
    const found = this.#edges.glob(pattern);
    if (found.length === 0) {
      const strict = keyword !== 'include';
      this.#remarks.add(
        strict ? 'error' : 'warning',
        origin,
        `${keyword}: no file matches ${quoted(pattern)}${strict ? '' : '; keepalived goes on without it as well'}`,
      );
    }
    for (const file of found) this.readFile(file, origin, [...open, path]);
  }
}

/** Cuts at the first `#` or `!` outside double quotes; `\#` and `\!` outside quotes lose their backslash. */
function withoutComment(line: string): string {
  let inQuotes = false;
  let kept = '';
  for (let i = 0; i < line.length; i += 1) {
    const character = line[i] ?? '';
    const next = line[i + 1] ?? '';
    if (character === '\\' && next !== '') {
      kept += !inQuotes && (next === '#' || next === '!') ? next : character + next;
      i += 1;
      continue;
    }
    if (character === '"') inQuotes = !inQuotes;
    else if (!inQuotes && (character === '#' || character === '!')) break;
    kept += character;
  }
  return kept;
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
