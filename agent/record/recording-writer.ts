/**
 * The file of a recording, on the worker thread: what the election thread hands over is written as it comes, and what is
 * oldest goes when there is no more room. A recording that is there already is gone on with: what happened before a
 * restart is often what is looked for.
 */
import { constants } from 'node:fs';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import {
  formatOf,
  RECORDING_FORMAT,
  type RecordingChunk,
  SEGMENT_MARK,
  SEGMENTS_KEPT,
  segmentLine,
} from './recording-format.js';

/** After a failure, so long passes before the file is tried again. */
const RETRY_MS = 60_000;
const COPY_BYTES = 256 * 1024;
/** A first line is longer only if it is none of ours. */
const FIRST_LINE_BYTES = 1024;
const MODE = 0o600;

/** The file cannot be one of a recording; the message says why and what to do. */
export class RecordingFileError extends Error {
  readonly code = 'BATON_RECORDING_FILE';
  override readonly name = 'RecordingFileError';
}

export interface RecordingListener {
  /** A chunk of so many characters is dealt with. `again`: it was not written, and a new segment is worth a try. */
  taken(characters: number, again: boolean): void;
  failed(error: unknown): void;
  /** It is written again. */
  mended(): void;
}

interface OpenFile {
  readonly handle: FileHandle;
  size: number;
  /** Where its segments begin. */
  readonly segments: number[];
}

export class RecordingWriter {
  readonly #file: string;
  readonly #limit: number;
  readonly #agent: string;
  readonly #listener: RecordingListener;
  #open: OpenFile | undefined;
  /** After a failure: when it is tried again. */
  #retryAt: number | undefined;
  /** Everything is done in its turn. */
  #turn: Promise<void> = Promise.resolve();

  private constructor(file: string, limit: number, agent: string, listener: RecordingListener) {
    this.#file = file;
    this.#limit = limit;
    this.#agent = agent;
    this.#listener = listener;
  }

  /**
   * Opens the file or makes it, for its owner alone. Rejects with RecordingFileError.
   *
   * @param limit bytes; what is written goes beyond it by part of a segment at most
   * @param agent version that is written into it
   */
  static async open(file: string, limit: number, agent: string, listener: RecordingListener): Promise<RecordingWriter> {
    const writer = new RecordingWriter(file, limit, agent, listener);
    writer.#open = await openFile(file);
    return writer;
  }

  /** Never throws; told of with `taken`. */
  take(chunk: RecordingChunk): void {
    this.#turn = this.#turn.then(async () => {
      const isWritten = await this.#tryWrite(chunk);
      this.#listener.taken(chunk.lines.length, !isWritten && this.#isTimeToRetry());
    });
  }

  /** Everything taken is on its way to the disk. */
  async close(): Promise<void> {
    this.#turn = this.#turn.then(() => this.#abandon());
    await this.#turn;
  }

  #isTimeToRetry(): boolean {
    return this.#retryAt !== undefined && performance.now() >= this.#retryAt;
  }

  async #tryWrite(chunk: RecordingChunk): Promise<boolean> {
    // After a failure, what follows means nothing until a segment begins.
    if (this.#retryAt !== undefined && (chunk.begins === undefined || !this.#isTimeToRetry())) return false;
    try {
      await this.#write(chunk);
      if (this.#retryAt !== undefined) this.#listener.mended();
      this.#retryAt = undefined;
      return true;
    } catch (error) {
      if (this.#retryAt === undefined) this.#listener.failed(error);
      this.#retryAt = performance.now() + RETRY_MS;
      await this.#abandon();
      return false;
    }
  }

  async #write({ begins, lines }: RecordingChunk): Promise<void> {
    this.#open ??= await openFile(this.#file);
    if (begins === undefined) {
      await append(this.#open, lines);
      return;
    }
    const present = await this.#makeRoom(this.#open);
    this.#open = present;
    const start = present.size;
    await append(present, `${segmentLine(this.#agent, begins)}${lines}`);
    present.segments.push(start);
  }

  /** Gives up the oldest segments, so that another one fits. The file is whole at every moment. */
  async #makeRoom(present: OpenFile): Promise<OpenFile> {
    const { handle, size, segments } = present;
    const most = this.#limit - Math.floor(this.#limit / SEGMENTS_KEPT);
    if (size <= most) return present;
    const keptFrom = segments.find((start) => size - start <= most) ?? size;
    const scratch = path.join(path.dirname(this.#file), `.${path.basename(this.#file)}.${process.pid}.new`);
    await rm(scratch, { force: true });
    const next: OpenFile = {
      handle: await open(scratch, 'wx+', MODE),
      size: 0,
      segments: segments.filter((start) => start >= keptFrom).map((start) => start - keptFrom),
    };
    try {
      for (let from = keptFrom; from < size; ) {
        const { buffer, bytesRead } = await handle.read(Buffer.alloc(COPY_BYTES), 0, COPY_BYTES, from);
        if (bytesRead === 0) throw new RecordingFileError(`${this.#file} is shorter than what was written to it`);
        await append(next, buffer.subarray(0, bytesRead));
        from += bytesRead;
      }
      await next.handle.sync();
      await rename(scratch, this.#file);
    } catch (error) {
      await next.handle.close();
      await rm(scratch, { force: true });
      throw error;
    }
    await handle.close();
    return next;
  }

  async #abandon(): Promise<void> {
    const present = this.#open;
    this.#open = undefined;
    // It failed already, or is as good as written.
    await present?.handle.close().catch(() => undefined);
  }
}

async function append(file: OpenFile, content: string | Uint8Array): Promise<void> {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await file.handle.write(bytes, done, bytes.length - done, file.size);
    done += bytesWritten;
    file.size += bytesWritten;
  }
}

async function openFile(file: string): Promise<OpenFile> {
  let handle: FileHandle;
  try {
    // Not waiting: a FIFO without a reader would be waited for.
    const { O_RDWR, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = constants;
    handle = await open(file, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK, MODE);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new RecordingFileError(`cannot record to ${file}: ${reason}; give another file with --record`, { cause });
  }
  try {
    const status = await handle.stat();
    if (!status.isFile()) {
      throw new RecordingFileError(`cannot record to ${file}: it is no regular file; give another one with --record`);
    }
    if (status.size > 0) await requireRecording(file, handle);
    await handle.chmod(MODE);
    const { segments, isWhole } = await survey(handle, status.size);
    const present: OpenFile = { handle, size: status.size, segments };
    // The last line was cut off when somebody died: it is not to be taken for part of the next one.
    if (!isWhole) await append(present, '\n');
    return present;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function requireRecording(file: string, handle: FileHandle): Promise<void> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(FIRST_LINE_BYTES), 0, FIRST_LINE_BYTES, 0);
  const [first = ''] = buffer.toString('utf8', 0, bytesRead).split('\n');
  const format = formatOf(first);
  if (format === RECORDING_FORMAT) return;
  const what = format === undefined ? 'is no recording' : `is a recording of format ${format}`;
  throw new RecordingFileError(
    `cannot record to ${file}: it ${what}, and what is in it is not overwritten; move it away, or give another file with --record`,
  );
}

/** Where segments begin, and whether the last line has its end. */
async function survey(handle: FileHandle, size: number): Promise<{ segments: number[]; isWhole: boolean }> {
  const mark = Buffer.from(`\n${SEGMENT_MARK}`);
  const segments = size > 0 ? [0] : [];
  let isWhole = true;
  /** The end of what was read before, so that a mark across two reads is found. */
  let before = Buffer.alloc(0);
  for (let from = 0; from < size; ) {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(COPY_BYTES), 0, COPY_BYTES, from);
    if (bytesRead === 0) break;
    const part = Buffer.concat([before, buffer.subarray(0, bytesRead)]);
    const partStart = from - before.length;
    for (let at = part.indexOf(mark); at >= 0; at = part.indexOf(mark, at + 1)) segments.push(partStart + at + 1);
    before = part.subarray(Math.max(0, part.length - mark.length + 1));
    isWhole = part.at(-1) === 0x0a;
    from += bytesRead;
  }
  return { segments, isWhole };
}
