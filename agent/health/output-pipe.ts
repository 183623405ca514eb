/** What a program says: the end of its pipe that is read here, and those that its descendants keep open. */
import { constants } from 'node:os';
import type { libc } from '../net/libc.js';
import { errnoName } from '../net/system-error.js';

/** Pipes that a program's descendants still hold open; beyond so many the oldest is closed on them. */
const MAX_LINGERING_PIPES = 64;
/** As much as a pipe holds, as long as nobody has made it larger. */
const READ_BYTES = 64 * 1024;
/** Reads in a row of one pipe: a flood of output does not hold up what else there is to do. */
const MOST_READS = 4;

type Libc = ReturnType<typeof libc>;

export class OutputPipes {
  readonly #libc: Libc;
  /** Read into one piece of memory over and over: a flood of output leaves no garbage. */
  readonly #buffer = Buffer.allocUnsafeSlow(READ_BYTES);
  readonly #lingering = new Set<OutputPipe>();

  constructor(system: Libc) {
    this.#libc = system;
  }

  /** Throws an error with the system's code. */
  open(told: (chunk: Uint8Array) => void): OutputPipe {
    const ends = new Int32Array(2);
    const result = this.#libc.pipe(ends);
    if (result < 0) throw Object.assign(new Error('no pipe for its output'), { code: errnoName(-result) });
    const [readEnd = -1, writeEnd = -1] = ends;
    return new OutputPipe(this.#libc, readEnd, writeEnd, this.#buffer, told);
  }

  /** Output of descendants that outlived their program goes on being read and thrown away, as far as there is room. */
  linger(pipe: OutputPipe): void {
    if (pipe.isClosed) return;
    this.#lingering.add(pipe);
    pipe.onClosed(() => this.#lingering.delete(pipe));
    if (this.#lingering.size <= MAX_LINGERING_PIPES) return;
    const [oldest] = this.#lingering;
    oldest?.close();
  }
}

export class OutputPipe {
  readonly writeEnd: number;
  readonly #libc: Libc;
  readonly #readEnd: number;
  readonly #buffer: Uint8Array;
  readonly #told: (chunk: Uint8Array) => void;
  readonly #stopPolling: { close(): void };
  readonly #closed: (() => void)[] = [];
  #isClosed = false;
  #isWriteEndOpen = true;

  /** `told`: the chunk's memory is used again as soon as it returns. */
  constructor(system: Libc, readEnd: number, writeEnd: number, buffer: Uint8Array, told: (chunk: Uint8Array) => void) {
    this.#libc = system;
    this.#readEnd = readEnd;
    this.writeEnd = writeEnd;
    this.#buffer = buffer;
    this.#told = told;
    // The program's own end stays as programs expect it.
    system.nonBlocking(readEnd);
    this.#stopPolling = system.poll(readEnd, () => this.read());
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Calls back once, when nobody can write to it any more, or it has been closed. */
  onClosed(callback: () => void): void {
    this.#closed.push(callback);
  }

  /** To be called when the program has its copy. */
  closeWriteEnd(): void {
    if (!this.#isWriteEndOpen) return;
    this.#isWriteEndOpen = false;
    this.#libc.close(this.writeEnd);
  }

  /** Reads what is there now; the rest, if there is more than a little, when its turn comes. */
  read(): void {
    for (let reads = 0; reads < MOST_READS && !this.#isClosed; reads += 1) {
      const length = this.#libc.read(this.#readEnd, this.#buffer);
      if (length === -constants.errno.EAGAIN) return;
      if (length > 0) this.#told(this.#buffer.subarray(0, length));
      // A broken pipe says nothing that the exit status does not.
      else this.close();
    }
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.closeWriteEnd();
    this.#stopPolling.close();
    this.#libc.close(this.#readEnd);
    for (const callback of this.#closed) callback();
  }
}
