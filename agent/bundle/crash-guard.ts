/**
 * Notices a configuration that ends the agent again and again (docs/decisions/0025): how many starts in a row with one
 * bundle came to nothing, kept in a file beside it. What is counted is a start that neither lasted a while nor was ended
 * on purpose; no clock is compared over a start.
 */
import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { writeFileDurably } from '../../proto/process/durable-file.js';

/** So many starts that come to nothing, and the bundle is not started any more. */
export const MOST_CRASHES = 3;
/** A start that lasted so long came to something. */
export const SETTLED_MS = 60_000;

const FILE_NAME = 'starts.json';

interface StartRecord {
  /** Bundle of the starts that are counted. */
  readonly hash: string;
  readonly starts: number;
  /** Bundle that is not started any more. */
  readonly condemned?: string;
}

const NO_RECORD: StartRecord = { hash: '', starts: 0 };

/** Never throws: an agent that cannot keep count runs all the same. */
export class CrashGuard {
  readonly #file: string;
  #record: StartRecord;

  /** @param directory where the bundles are stored */
  constructor(directory: string) {
    this.#file = path.join(directory, FILE_NAME);
    this.#record = read(this.#file);
  }

  /** Hash of the bundle that ended the agent too often. */
  get condemned(): string | undefined {
    return this.#record.condemned;
  }

  /** Before the agent starts with this bundle. Gives how many starts with it in a row came to nothing until now. */
  begin(hash: string): number {
    const crashes = this.#record.hash === hash ? this.#record.starts : 0;
    this.#write({ ...this.#record, hash, starts: crashes + 1 });
    return crashes;
  }

  /** It lasted a while, or ends on purpose. */
  settled(): void {
    const { condemned } = this.#record;
    this.#write(condemned === undefined ? NO_RECORD : { ...NO_RECORD, condemned });
  }

  /** It is not to be started any more, until another one is in force. */
  condemn(hash: string): void {
    this.#write({ ...NO_RECORD, condemned: hash });
  }

  /** Another bundle is in force. */
  forgive(): void {
    if (this.#record.condemned !== undefined) this.#write(NO_RECORD);
  }

  #write(record: StartRecord): void {
    this.#record = record;
    try {
      if (record === NO_RECORD) rmSync(this.#file, { force: true });
      else writeFileDurably(this.#file, JSON.stringify(record), { mode: 0o600 });
    } catch {
      // A full disk, or no directory yet: the next start does not know of this one.
    }
  }
}

function read(file: string): StartRecord {
  try {
    return startRecordIn(readFileSync(file, 'utf8'));
  } catch {
    return NO_RECORD;
  }
}

/** What a file's text says; nothing if it makes no sense. Throws what JSON.parse throws, and TypeError for null. */
export function startRecordIn(text: string): StartRecord {
  const { hash, starts, condemned } = JSON.parse(text) as Readonly<Record<string, unknown>>;
  if (typeof hash !== 'string' || typeof starts !== 'number' || !Number.isSafeInteger(starts) || starts < 0) {
    return NO_RECORD;
  }
  return { hash, starts, ...(typeof condemned === 'string' ? { condemned } : {}) };
}
