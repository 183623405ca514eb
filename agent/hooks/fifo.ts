/**
 * Writes keepalived's notification lines into a FIFO without ever waiting for its reader: lines that do not fit wait in
 * a bounded queue, and beyond that the newest are lost and counted. keepalived drops a line as soon as the pipe is full.
 */
import { execFile } from 'node:child_process';
import { close, constants, fstat, lstat, open, writeSync } from 'node:fs';
import { promisify } from 'node:util';
import type { CancelTimer, Clock } from '../local/clock.js';

/** Lines kept while nobody reads. */
const MAX_QUEUED = 1_000;
/** How often a full or missing FIFO is tried again. */
const RETRY_MS = 100;
/** A FIFO that cannot be opened is tried again less often. */
const REOPEN_MS = 5_000;

/** An open FIFO. */
export interface FifoHandle {
  /** Writes the whole line or nothing; false when it does not fit now. Throws when the FIFO is unusable. */
  write(line: string): boolean;
  close(): void;
}

/** Opens a FIFO, creating it when nothing is there. Rejects when something else is. */
export type OpenFifo = (path: string) => Promise<FifoHandle>;

export interface FifoListener {
  /** Lines were lost: the first of a series, not each. */
  lost(path: string, total: number): void;
  failed(path: string, error: unknown): void;
}

export class FifoWriter {
  readonly #path: string;
  readonly #open: OpenFifo;
  readonly #clock: Clock;
  readonly #listener: FifoListener;
  readonly #queue: string[] = [];
  #handle: FifoHandle | undefined;
  #opening = false;
  #cancelRetry: CancelTimer | undefined;
  #lost = 0;
  #isLosing = false;
  #hasFailed = false;
  #closed = false;

  constructor(path: string, edges: { readonly open: OpenFifo; readonly clock: Clock }, listener: FifoListener) {
    this.#path = path;
    this.#open = edges.open;
    this.#clock = edges.clock;
    this.#listener = listener;
  }

  /** Lines lost since the start. */
  get lost(): number {
    return this.#lost;
  }

  write(line: string): void {
    if (this.#closed) return;
    if (this.#queue.length < MAX_QUEUED) {
      this.#queue.push(line);
      this.#flush();
      return;
    }
    this.#lost += 1;
    if (!this.#isLosing) this.#listener.lost(this.#path, this.#lost);
    this.#isLosing = true;
  }

  close(): void {
    this.#closed = true;
    this.#cancelRetry?.();
    this.#handle?.close();
    this.#handle = undefined;
  }

  #flush(): void {
    if (this.#closed || this.#opening || this.#cancelRetry !== undefined) return;
    if (this.#handle === undefined) {
      this.#reopen();
      return;
    }
    try {
      for (let line = this.#queue[0]; line !== undefined; line = this.#queue[0]) {
        if (!this.#handle.write(line)) {
          this.#retryIn(RETRY_MS);
          return;
        }
        this.#queue.shift();
      }
      this.#isLosing = false;
    } catch (error) {
      this.#fail(error);
    }
  }

  #reopen(): void {
    this.#opening = true;
    this.#open(this.#path).then(
      (handle) => {
        this.#opening = false;
        this.#hasFailed = false;
        if (this.#closed) return handle.close();
        this.#handle = handle;
        this.#flush();
      },
      (error: unknown) => {
        this.#opening = false;
        this.#fail(error);
      },
    );
  }

  #fail(error: unknown): void {
    this.#handle?.close();
    this.#handle = undefined;
    if (this.#closed) return;
    if (!this.#hasFailed) this.#listener.failed(this.#path, error);
    this.#hasFailed = true;
    this.#retryIn(REOPEN_MS);
  }

  #retryIn(delay: number): void {
    this.#cancelRetry = this.#clock.after(delay, () => {
      this.#cancelRetry = undefined;
      this.#flush();
    });
  }
}

/** Something is in the FIFO's place, or it cannot be made. */
export class FifoError extends Error {
  readonly code = 'BATON_FIFO';
  override readonly name = 'FifoError';
}

/** The real FIFO: created with mode 0600 when absent, opened for both ways so that it needs no reader to be there. */
export const openHostFifo: OpenFifo = async (path) => {
  const there = await promisify(lstat)(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw new FifoError(`cannot look at the FIFO ${path}: ${error.message}`, { cause: error });
  });
  if (there === undefined) {
    // Node has no mkfifo; this is the one of coreutils.
    await promisify(execFile)('/usr/bin/mkfifo', ['-m', '0600', '--', path]).catch((error: Error) => {
      throw new FifoError(`cannot make the FIFO ${path}: ${error.message.trim()}`, { cause: error });
    });
  } else if (!there.isFIFO()) {
    throw new FifoError(`${path} is there and is not a FIFO: remove it or name another path`);
  }
  const flags = constants.O_RDWR | constants.O_NONBLOCK | constants.O_NOFOLLOW;
  const descriptor = await promisify(open)(path, flags);
  if (!(await promisify(fstat)(descriptor)).isFIFO()) {
    close(descriptor);
    throw new FifoError(`${path} ceased to be a FIFO while it was opened`);
  }
  return {
    write(line) {
      try {
        // At most PIPE_BUF bytes: written whole or not at all (pipe(7)).
        writeSync(descriptor, line);
        return true;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return false;
        throw error;
      }
    },
    close: () => close(descriptor),
  };
};
