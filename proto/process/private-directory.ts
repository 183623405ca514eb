import { existsSync, mkdirSync, statSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';

/**
 * Makes a directory for its owner alone (0700), with those above it that are missing. One that exists stays as it is.
 * Not fs.mkdir's own recursion, which goes on for ever where nothing can be made, such as in /proc.
 * @throws as fs.mkdirSync
 */
export function makePrivateDirectory(directory: string): void {
  try {
    mkdirSync(directory, { mode: 0o700 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return;
    const parent = path.dirname(path.resolve(directory));
    if (code !== 'ENOENT' || existsSync(parent)) throw error;
    makePrivateDirectory(parent);
    mkdirSync(directory, { mode: 0o700 });
  }
}

/**
 * Why files of ours are not safe in a directory; absent when they are, or when nothing is there yet. Whoever can write
 * it can put links in the place of our files, and have us overwrite what they lead to, or files of their own.
 */
export function unsafeDirectory(directory: string): string | undefined {
  const found = statSync(directory, { throwIfNoEntry: false });
  if (found === undefined || (found.uid === process.geteuid?.() && (found.mode & 0o022) === 0)) return undefined;
  return `${directory} belongs to somebody else or is writable by others: "chown" it to the agent's user and "chmod 700" it, or name another`;
}
