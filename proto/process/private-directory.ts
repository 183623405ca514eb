import { existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';

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
