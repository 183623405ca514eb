/**
 * YAML and JSON text to syntax trees, with everything refused that a configuration does not need and an attacker
 * would use: anchors, aliases, tags, merge keys, directives, deep nesting, control characters, huge files.
 *
 * Scalars are not interpreted here: every one is its text (YAML's failsafe schema), and the field that it is for
 * decides what it means. So 0777, 1e3, on and dates hold no surprise.
 */
import { type Document, isAlias, isMap, isScalar, isSeq, Lexer, type ParsedNode, parseAllDocuments } from 'yaml';
import type { ProblemList, SourceText } from './source-text.js';

/** Largest file, in characters. A router with eight members takes about 800. */
export const MAX_CHARACTERS = 8 * 1024 * 1024;
/** Deepest nesting of brackets, or of indicators on one line. The schema needs 8. */
const MAX_DEPTH = 32;
/** Deepest indentation of a line outside brackets, in characters. */
const MAX_INDENTATION = 512;

/** A node of a syntax tree, reduced to what a configuration may hold. */
export type Tree =
  | { readonly kind: 'text'; readonly offset: number; readonly text: string; readonly quoted: boolean }
  /** Nothing, or a plain null or ~. */
  | { readonly kind: 'empty'; readonly offset: number; readonly text: string }
  | { readonly kind: 'list'; readonly offset: number; readonly items: readonly Tree[] }
  | { readonly kind: 'mapping'; readonly offset: number; readonly entries: readonly TreeEntry[] }
  /** Already reported. */
  | { readonly kind: 'refused'; readonly offset: number };

export interface TreeEntry {
  readonly key: string;
  readonly keyOffset: number;
  readonly value: Tree;
}

/**
 * One tree for every document that is not empty, in order. A document with a syntax error is reported and left out;
 * the others are still read.
 */
export function readDocuments(source: SourceText, problems: ProblemList): readonly Tree[] {
  if (!looksSafe(source.text, problems)) {
    return [];
  }
  const parsed = parseAllDocuments(source.text, {
    schema: 'failsafe',
    version: '1.2',
    merge: false,
    // The library compares every pair of keys; duplicates are found below, in linear time.
    uniqueKeys: false,
    prettyErrors: false,
    logLevel: 'silent',
  });
  const documents: readonly Document.Parsed[] = Array.isArray(parsed) ? parsed : [];
  const trees: Tree[] = [];
  for (const document of documents) {
    // Whatever follows the first one in a document is mostly a consequence of it.
    const [error] = document.errors;
    if (error !== undefined) {
      problems.add(Math.min(error.pos[0], source.text.length), '', `not valid YAML: ${withoutText(error.message)}`);
      continue;
    }
    const tree = convert(document.contents, source, '', problems);
    if (tree.kind !== 'empty' || tree.text !== '') {
      trees.push(tree);
    }
  }
  return trees;
}

/** The library's message but for what it repeats of a value: one that begins with "|" or ">" and is not quoted. */
function withoutText(message: string): string {
  return message.replace(
    /^(Block scalar header includes extra characters):.*$/s,
    '$1 (quote a text that begins with "|" or ">")',
  );
}

/** A look at the raw text before a recursive parser sees it, whose stack an attacker could exhaust. */
function looksSafe(text: string, problems: ProblemList): boolean {
  const refuse = (offset: number, message: string): false => {
    problems.add(offset, '', message);
    return false;
  };
  if (text.length > MAX_CHARACTERS) {
    return refuse(0, `the file has ${text.length} characters, more than ${MAX_CHARACTERS}; split it`);
  }
  const control = text.search(CONTROL);
  if (control !== -1) {
    const code = text.charCodeAt(control).toString(16).toUpperCase().padStart(4, '0');
    return refuse(control, `control character U+${code}; the file must be plain text (UTF-8)`);
  }
  const refuseNesting = (offset: number): false =>
    refuse(offset, `nested deeper than ${MAX_DEPTH} levels; nothing in Baton needs that`);
  let offset = 0;
  let brackets = 0;
  let indicators = 0;
  let lineStart = true;
  let scalarNext = false;
  for (const token of new Lexer().lex(text)) {
    if (scalarNext) {
      // The text of a scalar; it may look like anything.
      scalarNext = false;
      lineStart = token.endsWith('\n');
    } else if (token === '\u001f') {
      scalarNext = true;
      continue;
    } else if (token === '\u0002' || token === '\u0018') {
      // Marks of the lexer that are not in the text.
      continue;
    } else if (token === '\n' || token === '\r\n') {
      lineStart = true;
      indicators = 0;
    } else {
      if (token === '[' || token === '{') {
        brackets++;
      } else if (token === ']' || token === '}') {
        brackets = Math.max(0, brackets - 1);
      } else if (brackets === 0 && (token === '-' || token === '?' || token === ':')) {
        indicators++;
      } else if (token.startsWith('%') && lineStart && /^%[A-Z]/.test(token)) {
        return refuse(offset, `the directive ${JSON.stringify(token)} is not supported; remove the line`);
      }
      if (brackets > MAX_DEPTH || indicators > MAX_DEPTH) {
        return refuseNesting(offset);
      }
      if (lineStart && brackets === 0 && token.length > MAX_INDENTATION && token.trim() === '') {
        return refuseNesting(offset);
      }
      lineStart = false;
    }
    offset += token.length;
  }
  return true;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: finding control characters is its purpose.
const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f]/;

function convert(node: ParsedNode | null, source: SourceText, path: string, problems: ProblemList): Tree {
  if (node === null) {
    return { kind: 'empty', offset: 0, text: '' };
  }
  const offset = node.range[0];
  const refuse = (message: string): Tree => {
    problems.add(offset, path, message);
    return { kind: 'refused', offset };
  };
  // Their names are not repeated: a password may begin like one, and messages end up in logs.
  if (isAlias(node)) {
    return refuse('an alias is not supported; write the value out, or quote a text that begins with "*"');
  }
  if (node.anchor !== undefined) {
    return refuse('an anchor is not supported; write the value out, or quote a text that begins with "&"');
  }
  if (node.tag !== undefined) {
    return refuse(
      'a tag is not supported; the field decides the type, so remove it, or quote a text that begins with "!"',
    );
  }
  if (isScalar(node)) {
    const text = String(node.value);
    if (node.type === 'PLAIN' && /^(~|null|Null|NULL|)$/.test(text)) {
      return { kind: 'empty', offset, text };
    }
    return { kind: 'text', offset, text, quoted: node.type !== 'PLAIN' };
  }
  if (isSeq(node)) {
    const items = node.items.map((item, index) => convert(item, source, `${path}[${index}]`, problems));
    return { kind: 'list', offset, items };
  }
  if (!isMap(node)) {
    return refuse('neither a value, a list nor a mapping');
  }
  const entries: TreeEntry[] = [];
  const seen = new Map<string, number>();
  for (const { key, value } of node.items) {
    const keyOffset = key?.range[0] ?? offset;
    if (!isScalar(key) || key.anchor !== undefined || key.tag !== undefined) {
      problems.add(keyOffset, path, 'a field name must be a plain word');
      continue;
    }
    const name = String(key.value);
    const entryPath = joinPath(path, name);
    const first = seen.get(name);
    if (first !== undefined) {
      const line = source.lineOf(first);
      problems.add(keyOffset, entryPath, `given twice, first in line ${line}; remove one`);
      continue;
    }
    seen.set(name, keyOffset);
    const tree =
      value === null
        ? ({ kind: 'empty', offset: keyOffset, text: '' } as const)
        : convert(value, source, entryPath, problems);
    entries.push({ key: name, keyOffset, value: tree });
  }
  return { kind: 'mapping', offset, entries };
}

/** `a.b`, or `a["x y"]` for a key that is not a word. */
export function joinPath(path: string, key: string): string {
  if (!/^[\w-]+$/.test(key)) {
    return `${path}[${JSON.stringify(key)}]`;
  }
  return path === '' ? key : `${path}.${key}`;
}
