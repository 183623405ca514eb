/** The reader's file access on a real host. Opens nothing but regular files; reads the environment on request only. */
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fstatSync,
  openSync,
  readdirSync,
  readSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path/posix';
import process from 'node:process';
import type { FileContent, SourceEdges } from './edges.js';
import { expandBraces, globSegment } from './glob.js';

const MAX_FILE_BYTES = 16 * 1024 * 1024;
const MAX_MATCHES = 1_000;

/** For files of other hosts. */
export const nodeEdges: SourceEdges = { readFile, glob };

/** For this host's own files: what they name of the host's environment and key files is its own. */
export const ownHostEdges: SourceEdges = {
  ...nodeEdges,
  host: { environment: (name) => process.env[name], readFile },
};

function readFile(path: string): FileContent {
  let descriptor: number;
  try {
    // O_NONBLOCK: opening a FIFO returns at once; it is then refused by its type.
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch (error) {
    const code = codeOf(error);
    const reason = code === 'ENOENT' || code === 'ENOTDIR' ? 'missing' : code === 'ENXIO' ? 'not-a-file' : 'unreadable';
    return { ok: false, reason, detail: DETAILS[code] ?? code };
  }
  try {
    const status = fstatSync(descriptor);
    if (!status.isFile()) {
      const what = status.isDirectory() ? 'a directory' : status.isFIFO() ? 'a FIFO' : 'a device or socket';
      return { ok: false, reason: 'not-a-file', detail: `it is ${what}, not a file` };
    }
    if (status.size > MAX_FILE_BYTES) {
      return { ok: false, reason: 'too-large', detail: `it has ${status.size} bytes, the limit is ${MAX_FILE_BYTES}` };
    }
    const content = readAll(descriptor);
    return content.ok ? { ...content, executable: (status.mode & 0o111) !== 0 } : content;
  } catch (error) {
    return { ok: false, reason: 'unreadable', detail: codeOf(error) };
  } finally {
    closeSync(descriptor);
  }
}

/** Files such as those of /proc report no size, so the end is found by reading. */
function readAll(descriptor: number): FileContent {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const chunk = new Uint8Array(65_536);
    const read = readSync(descriptor, chunk, 0, chunk.length, null);
    if (read === 0) break;
    length += read;
    if (length > MAX_FILE_BYTES) {
      return { ok: false, reason: 'too-large', detail: `it has more than ${MAX_FILE_BYTES} bytes` };
    }
    chunks.push(chunk.subarray(0, read));
  }
  return { ok: true, bytes: Buffer.concat(chunks) };
}

const DETAILS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  ENOTDIR: 'no such file',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  ELOOP: 'too many symbolic links',
  ENXIO: 'it is a device or socket, not a file',
  EISDIR: 'it is a directory, not a file',
};

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : String(error);
}

function glob(pattern: string): readonly string[] {
  const found = new Set<string>();
  for (const expanded of expandBraces(pattern)) {
    for (const path of matches(expanded)) {
      if (found.size === MAX_MATCHES) break;
      found.add(path);
    }
  }
  // As the C locale sorts, whatever the host's locale is.
  return [...found].sort();
}

function matches(pattern: string): readonly string[] {
  let paths = [pattern.startsWith('/') ? '/' : '.'];
  const segments = pattern.split('/').filter((segment) => segment !== '');
  for (const [index, segment] of segments.entries()) {
    const matcher = globSegment(segment);
    const isLast = index === segments.length - 1;
    const next: string[] = [];
    for (const path of paths) {
      const candidates = matcher.literal === undefined ? listDirectory(path).filter(matcher.test) : [matcher.literal];
      for (const name of candidates) {
        const candidate = join(path, name);
        // A name that is written out and may not be looked at goes on, so that reading it tells why.
        const isHidden = matcher.literal !== undefined && mayNotBeSeen(candidate);
        if (isHidden || (isLast ? existsSync(candidate) : isDirectory(candidate))) next.push(candidate);
        if (next.length >= MAX_MATCHES) break;
      }
    }
    paths = next;
  }
  return paths;
}

function listDirectory(path: string): readonly string[] {
  try {
    return readdirSync(path);
  } catch {
    // A directory that cannot be listed matches nothing, as in glob(3).
    return [];
  }
}

function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

function mayNotBeSeen(path: string): boolean {
  try {
    statSync(path);
    return false;
  } catch (error) {
    return codeOf(error) === 'EACCES';
  }
}

const PROGRAM_DIRECTORIES = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'] as const;

/** Where this host has a program that is named without a directory; undefined when nowhere. */
export function findProgram(name: string): string | undefined {
  if (name === '' || name.includes('/')) return undefined;
  for (const directory of PROGRAM_DIRECTORIES) {
    const path = join(directory, name);
    try {
      accessSync(path, constants.X_OK);
      if (statSync(path).isFile()) return path;
    } catch {
      // Not there or not executable: the next directory may have it.
    }
  }
  return undefined;
}
