/** The grammar: pieces to statements, each with the block that follows it. Knows no keyword; every node has its origin. */
import type { Piece } from './lines.js';
import type { Origin } from './remark.js';
import { quoted, type Remarks } from './remarks.js';
import { splitWords } from './words.js';

export interface Statement {
  readonly origin: Origin;
  /** The line as written, for keywords that split it in their own way. */
  readonly text: string;
  /** Split as ordinary keywords are; at least one. */
  readonly words: readonly [string, ...string[]];
  /** A double quote is not closed in `text`; `words` are then split at blanks. */
  readonly unterminated: boolean;
  /** A quoted part touches another part; keepalived before 2.3 takes them as two words. */
  readonly joined: boolean;
  /** Absent: no braces follow. */
  readonly block: readonly Statement[] | undefined;
}

interface OpenStatement {
  readonly origin: Origin;
  readonly text: string;
  readonly words: readonly [string, ...string[]];
  readonly unterminated: boolean;
  readonly joined: boolean;
  block: OpenStatement[] | undefined;
}

const MAX_DEPTH = 32;

/** Never throws; what does not fit the grammar is reported and left out. */
export function buildTree(pieces: readonly Piece[], remarks: Remarks): readonly Statement[] {
  const top: OpenStatement[] = [];
  /** Blocks that are open, innermost last, with the statement that each belongs to. */
  const stack: { readonly list: OpenStatement[]; readonly owner: Origin; readonly name: string }[] = [];
  let list = top;
  /** The statement that a brace may still follow. */
  let last: OpenStatement | undefined;
  for (const piece of pieces) {
    if (piece.kind === 'text') {
      last = statementOf(piece.text, piece.origin);
      list.push(last);
    } else if (piece.kind === 'open') {
      if (stack.length === MAX_DEPTH) {
        remarks.error(
          piece.origin,
          `more than ${MAX_DEPTH} blocks inside each other; the file is not read beyond here`,
        );
        return top;
      }
      const block: OpenStatement[] = [];
      if (last === undefined) {
        remarks.error(piece.origin, "'{' follows no keyword; the lines up to its '}' are left out");
      } else {
        last.block = block;
      }
      stack.push({ list, owner: last?.origin ?? piece.origin, name: last?.words[0] ?? '{' });
      list = block;
      last = undefined;
    } else {
      const outer = stack.pop();
      if (outer === undefined) remarks.error(piece.origin, "'}' closes nothing; it is left out");
      else list = outer.list;
      last = undefined;
    }
  }
  for (const open of stack) {
    remarks.error(open.owner, `the block of ${quoted(open.name)} is never closed: '}' is missing`);
  }
  return top;
}

function statementOf(text: string, origin: Origin): OpenStatement {
  const split = splitWords(text);
  const [first = '', ...others] = split.ok ? split.words : text.split(/\s+/u);
  return {
    origin,
    text,
    words: [first, ...others],
    unterminated: !split.ok,
    joined: split.ok && split.joined,
    block: undefined,
  };
}
