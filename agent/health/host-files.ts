/** The real file system behind FileEdges. */
import { constants, type Stats, statSync, watch } from 'node:fs';
import { open, realpath } from 'node:fs/promises';
import { NUMBER_BYTES } from './file-number.js';
import type { FileEdges } from './file-watch.js';

export const hostFiles: FileEdges = {
  read: async (file) => {
    try {
      // Not to be held up by a FIFO that nobody writes to.
      const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
      try {
        if (!(await handle.stat()).isFile()) return { ok: false, reason: `${file} is not a regular file` };
        const { bytesRead, buffer } = await handle.read(Buffer.alloc(NUMBER_BYTES), 0, NUMBER_BYTES, 0);
        return { ok: true, text: buffer.toString('latin1', 0, bytesRead) };
      } finally {
        await handle.close();
      }
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      const missing = code === 'ENOENT' || code === 'ENOTDIR';
      return { ok: false, reason: missing ? `${file} does not exist` : `${file} cannot be read: ${code ?? error}` };
    }
  },
  resolve: async (file) => {
    try {
      return await realpath(file);
    } catch {
      // Nothing there, or a link that leads nowhere: there is only the path itself to watch.
      return undefined;
    }
  },
  write: async (file, text, overwrite) => {
    const { O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_WRONLY } = constants;
    try {
      const handle = await open(file, O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | (overwrite ? 0 : O_EXCL), 0o600);
      try {
        if (!(await handle.stat()).isFile()) return `${file} is not a regular file and was not written`;
        await handle.truncate(0);
        await handle.write(text, 0);
        return undefined;
      } finally {
        await handle.close();
      }
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      if (code === 'EEXIST' && !overwrite) return undefined;
      if (code === 'ELOOP') return `${file} is a symbolic link and was not written`;
      return `${file} cannot be written: ${code ?? error}`;
    }
  },
  watchDirectory: (directory, changed, lost) => {
    try {
      const watched = statSync(directory);
      const watcher = watch(directory, { persistent: true }, (_event, name) => {
        // A directory that was removed, or another one in its place, tells nothing any more.
        if (!isSame(watched, directory)) lost();
        else changed(name ?? undefined);
      });
      watcher.on('error', lost);
      return {
        stop: () => {
          watcher.off('error', lost);
          watcher.on('error', () => undefined);
          watcher.close();
        },
      };
    } catch {
      // Missing, not allowed, or no inotify watches left: it is looked at instead.
      return undefined;
    }
  },
};

function isSame(watched: Stats, directory: string): boolean {
  try {
    const now = statSync(directory);
    return now.dev === watched.dev && now.ino === watched.ino;
  } catch {
    return false;
  }
}
