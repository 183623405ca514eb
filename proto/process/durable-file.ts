/** Files that are there whole or not at all, whatever dies when: new file, fsync, rename, fsync of the directory. */
import { closeSync, fsyncSync, linkSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';

export interface DurableFileOptions {
  /** Permissions, such as 0o600; the umask does not change them downwards below the owner's. */
  readonly mode: number;
  /** True: a file that is there already stays as it is. */
  readonly keepExisting?: boolean;
}

/**
 * Replaces (or makes) a file atomically and durably. Its directory must exist.
 * @returns false when an existing file was kept.
 */
export function writeFileDurably(file: string, content: string | Uint8Array, options: DurableFileOptions): boolean {
  const directory = path.dirname(file);
  const scratch = path.join(directory, `.${path.basename(file)}.${process.pid}.new`);
  rmSync(scratch, { force: true });
  try {
    const descriptor = openSync(scratch, 'wx', options.mode);
    try {
      writeFileSync(descriptor, content);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    if (options.keepExisting === true) {
      try {
        linkSync(scratch, file);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
        throw error;
      }
    } else {
      renameSync(scratch, file);
    }
    syncDirectory(directory);
    return true;
  } finally {
    rmSync(scratch, { force: true });
  }
}

function syncDirectory(directory: string): void {
  const descriptor = openSync(directory, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
