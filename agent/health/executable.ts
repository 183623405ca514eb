/**
 * Whether a program may be run, judged anew before every run: it may have been replaced since. When root is to run it,
 * nobody else may have been able to write it: every component met on the way, through symbolic links too, must belong to
 * root and be writable by no other group or user (a directory with the sticky bit is tolerated). What passes is run by
 * its resolved path, so that a link changed after this moment leads nowhere.
 */
import { access, constants, lstatSync, readlinkSync, type Stats } from 'node:fs';
import path from 'node:path';
import { CheckResult } from '../../proto/gen/baton/v1/status.js';
import type { Account } from './account.js';

export type Judgement =
  | { readonly ok: true /** Without any symbolic link. */; readonly resolved: string }
  | {
      readonly ok: false;
      readonly result: CheckResult.NOT_FOUND | CheckResult.REFUSED | CheckResult.CANNOT_RUN;
      readonly reason: string;
    };

type FileFacts = Pick<Stats, 'mode' | 'uid' | 'gid'>;

/**
 * What of the file system is asked. The first question goes the whole way to the file and does not hold up the thread,
 * whatever file system lies on it; when it has been answered, the kernel knows all that the others ask.
 */
export interface ProgramFiles {
  /** Whether this process may execute it: the error if not. Never rejects. */
  accessExecute(file: string): Promise<unknown>;
  /** Throws the system's error. */
  lstat(file: string): FileFacts;
  /** Throws the system's error. */
  readlink(file: string): string;
}

export const hostProgramFiles: ProgramFiles = {
  accessExecute: (file) =>
    new Promise((resolve) => access(file, constants.X_OK, (error) => resolve(error ?? undefined))),
  lstat: (file) => lstatSync(file),
  readlink: (file) => readlinkSync(file),
};

/** As many symbolic links as the kernel follows. */
const MAX_LINKS = 40;

/**
 * `account` is who would run it. Never rejects. Everything is looked at in one go, right before it resolves: whoever
 * starts the program then leaves no time for changes in between.
 */
export async function judgeProgram(file: string, account: Account, files: ProgramFiles): Promise<Judgement> {
  const malformed = malformedPath(file);
  if (malformed !== undefined) return refused(malformed);
  const inaccessible = await files.accessExecute(file);
  try {
    const { resolved, components, target } = walk(file, files);
    if (fileType(target) !== constants.S_IFREG) return refused(`${file} is not a regular file`);
    if (!mayExecute(target, account)) {
      return refused(`${file} is not executable for user ${account.uid}, group ${account.gid}`);
    }
    if (account.uid === 0 || account.gid === 0 || isSetIdRoot(target)) {
      for (const component of components) {
        const unsafe = unsafeComponent(component);
        if (unsafe !== undefined) return refused(`root would run ${file}, but ${unsafe}`);
      }
    }
    return inaccessible === undefined ? { ok: true, resolved } : fromSystemError(file, inaccessible);
  } catch (error) {
    return fromSystemError(file, error);
  }
}

/** Why the text is not the path of a program, whatever is on the disk; absent when it is one. */
export function malformedPath(file: string): string | undefined {
  if (file === '') return 'the command is empty';
  if (file.includes('\0')) return 'the path contains a NUL byte';
  if (!path.isAbsolute(file)) return `"${file}" is not an absolute path`;
  if (path.normalize(file) !== file || file.endsWith('/')) {
    return `"${file}" is not a plain path: it has "..", ".", "//" or a slash at its end`;
  }
  return undefined;
}

function refused(reason: string): Judgement {
  return { ok: false, result: CheckResult.REFUSED, reason };
}

function fromSystemError(file: string, error: unknown): Judgement {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return { ok: false, result: CheckResult.NOT_FOUND, reason: `${file} does not exist` };
  }
  if (code === 'ELOOP') return refused(`${file} leads through more than ${MAX_LINKS} symbolic links`);
  if (code === 'EACCES' || code === 'EPERM') return refused(`${file} may not be reached or executed: ${code}`);
  return { ok: false, result: CheckResult.CANNOT_RUN, reason: `${file} cannot be examined: ${String(code ?? error)}` };
}

interface Component {
  readonly path: string;
  readonly facts: FileFacts;
}

/** Follows the path as the kernel would and remembers every directory, link and file on the way. */
function walk(
  file: string,
  files: ProgramFiles,
): { resolved: string; components: readonly Component[]; target: FileFacts } {
  let at = '/';
  let target = files.lstat(at);
  const components: Component[] = [{ path: at, facts: target }];
  const ahead = split(file);
  for (let links = 0, name = ahead.shift(); name !== undefined; name = ahead.shift()) {
    if (name === '..') {
      at = path.dirname(at);
      continue;
    }
    const next = path.join(at, name);
    const facts = files.lstat(next);
    components.push({ path: next, facts });
    if (fileType(facts) === constants.S_IFLNK) {
      links += 1;
      if (links > MAX_LINKS) throw Object.assign(new Error(`too many links: ${file}`), { code: 'ELOOP' });
      const leadsTo = files.readlink(next);
      ahead.unshift(...split(leadsTo));
      if (leadsTo.startsWith('/')) at = '/';
      continue;
    }
    at = next;
    target = facts;
  }
  return { resolved: at, components, target };
}

function split(file: string): string[] {
  return file.split('/').filter((name) => name !== '' && name !== '.');
}

function fileType(facts: FileFacts): number {
  return facts.mode & constants.S_IFMT;
}

/** The classes exclude each other, as in the kernel: an owner without the bit may not, whatever others may. */
function mayExecute(target: FileFacts, account: Account): boolean {
  if (account.uid === 0) return (target.mode & 0o111) !== 0;
  if (target.uid === account.uid) return (target.mode & constants.S_IXUSR) !== 0;
  if (target.gid === account.gid) return (target.mode & constants.S_IXGRP) !== 0;
  return (target.mode & constants.S_IXOTH) !== 0;
}

function isSetIdRoot(target: FileFacts): boolean {
  return ((target.mode & 0o4000) !== 0 && target.uid === 0) || ((target.mode & 0o2000) !== 0 && target.gid === 0);
}

function unsafeComponent({ path: component, facts: found }: Component): string | undefined {
  if (found.uid !== 0) return `${component} belongs to user ${found.uid}`;
  const type = fileType(found);
  // A symbolic link's own mode bits mean nothing to the kernel.
  if (type === constants.S_IFLNK) return undefined;
  if (type === constants.S_IFDIR && (found.mode & 0o1000) !== 0) return undefined;
  if ((found.mode & constants.S_IWOTH) !== 0) return `${component} is writable by everybody`;
  if ((found.mode & constants.S_IWGRP) !== 0 && found.gid !== 0)
    return `${component} is writable by group ${found.gid}`;
  return undefined;
}
