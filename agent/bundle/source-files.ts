/** This host's files for the keepalived.conf reader: regular files of bounded size, and shell patterns. */
import { closeSync, constants, fstatSync, openSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import type { FileContent, SourceEdges } from '../../proto/keepalived/index.js';

/** No configuration comes near. */
const MAX_FILE_BYTES = 16 * 1024 * 1024;

export const hostSourceEdges: SourceEdges = { readFile: readRegularFile, glob: expandPattern };

/** Reads a whole regular file; never blocks on a FIFO or device and never throws. */
export function readRegularFile(file: string): FileContent {
  let descriptor: number;
  try {
    descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reason = code === 'ENOENT' || code === 'ENOTDIR' ? 'missing' : code === 'ENXIO' ? 'not-a-file' : 'unreadable';
    return { ok: false, reason, detail: message };
  }
  try {
    const facts = fstatSync(descriptor);
    if (!facts.isFile()) return { ok: false, reason: 'not-a-file', detail: `${file} is not a regular file` };
    if (facts.size > MAX_FILE_BYTES) {
      return { ok: false, reason: 'too-large', detail: `${file} has more than ${MAX_FILE_BYTES} bytes` };
    }
    return { ok: true, bytes: readFileSync(descriptor) };
  } catch (error) {
    return { ok: false, reason: 'unreadable', detail: String(error) };
  } finally {
    closeSync(descriptor);
  }
}

/** Existing paths that match a shell pattern (`*`, `?`, `[...]`, `{a,b}`), sorted. Never throws. */
export function expandPattern(pattern: string): readonly string[] {
  const found = new Set<string>();
  for (const alternative of expandBraces(pattern)) {
    const isAbsolute = alternative.startsWith('/');
    const names = alternative.split('/').filter((name) => name !== '');
    for (const file of matchFrom(isAbsolute ? '/' : '', names)) found.add(file);
  }
  return [...found].sort();
}

function matchFrom(directory: string, names: readonly string[]): string[] {
  const [name, ...rest] = names;
  if (name === undefined) return exists(directory) ? [directory] : [];
  if (!/[*?[]/.test(name)) return matchFrom(path.join(directory, name), rest);
  const expression = segmentExpression(name);
  if (expression === undefined) return matchFrom(path.join(directory, name), rest);
  return entriesOf(directory === '' ? '.' : directory)
    .filter((entry) => (name.startsWith('.') || !entry.startsWith('.')) && expression.test(entry))
    .flatMap((entry) => matchFrom(path.join(directory, entry), rest));
}

function entriesOf(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function exists(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false }) !== undefined;
}

/** One component of a pattern; absent when a bracket is not closed, so that it stands for itself. */
function segmentExpression(segment: string): RegExp | undefined {
  let source = '';
  for (let at = 0; at < segment.length; at += 1) {
    const character = segment.charAt(at);
    if (character === '*') source += '.*';
    else if (character === '?') source += '.';
    else if (character === '[') {
      const end = segment.indexOf(']', at + 2);
      if (end < 0) return undefined;
      const inside = segment
        .slice(at + 1, end)
        .replace(/^!/, '^')
        .replaceAll('\\', '\\\\')
        .replaceAll('[', '\\[');
      source += `[${inside}]`;
      at = end;
    } else source += character.replace(/[\\^$.|+(){}]/, '\\$&');
  }
  try {
    return new RegExp(`^${source}$`, 's');
  } catch {
    // A range such as [z-a].
    return undefined;
  }
}

/** "a{b,c}d" as "abd" and "acd"; nested ones from the inside out. */
function expandBraces(pattern: string): string[] {
  const innermost = /\{([^{}]*,[^{}]*)\}/.exec(pattern);
  if (innermost === null) return [pattern];
  const before = pattern.slice(0, innermost.index);
  const after = pattern.slice(innermost.index + innermost[0].length);
  return (innermost[1] ?? '').split(',').flatMap((alternative) => expandBraces(`${before}${alternative}${after}`));
}
