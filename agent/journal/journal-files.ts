/** The journal's files in a directory of its own: "events", and "sequence", which is only ever written in place. */
import { constants } from 'node:fs';
import { copyFile, type FileHandle, mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { crc32 } from 'node:zlib';
import type { JournalStorage } from './journal.js';

/** Damaged files that are kept; older ones are deleted. */
const MAX_SET_ASIDE = 3;
const SEQUENCE_LENGTH = 12;

export class JournalFiles implements JournalStorage {
  readonly #directory: string;
  readonly #wallMs: () => number;
  #append: FileHandle | undefined;
  #sequence: FileHandle | undefined;

  /** The directory is made when it is not there; its parent must exist. */
  constructor(directory: string, wallMs: () => number) {
    this.#directory = directory;
    this.#wallMs = wallMs;
  }

  async read(): Promise<Uint8Array | undefined> {
    await mkdir(this.#directory, { mode: 0o700, recursive: true });
    return await readIfThere(this.#events);
  }

  async setAside(): Promise<string> {
    const keptAs = `${this.#events}.damaged-${new Date(this.#wallMs()).toISOString().replaceAll(':', '')}`;
    await copyFile(this.#events, keptAs);
    const names = (await readdir(this.#directory)).filter((name) => name.startsWith('events.damaged-')).sort();
    for (const name of names.slice(0, -MAX_SET_ASIDE)) await rm(path.join(this.#directory, name), { force: true });
    return keptAs;
  }

  async append(bytes: Uint8Array): Promise<void> {
    this.#append ??= await open(this.#events, constants.O_WRONLY | constants.O_APPEND);
    await this.#append.appendFile(bytes);
    await this.#append.datasync();
  }

  async replace(bytes: Uint8Array): Promise<void> {
    await mkdir(this.#directory, { mode: 0o700, recursive: true });
    await this.#append?.close();
    this.#append = undefined;
    const scratch = `${this.#events}.new`;
    await writeDurably(scratch, bytes);
    await rename(scratch, this.#events);
    await syncDirectory(this.#directory);
    // Its block is taken now, so that it can be written when the disk is full.
    if (this.#sequence === undefined) await this.reserve(await this.reserved());
  }

  async reserved(): Promise<number> {
    const bytes = await readIfThere(this.#sequenceFile);
    return bytes === undefined ? 0 : sequenceIn(bytes);
  }

  async reserve(sequence: number): Promise<void> {
    const bytes = sequenceBytes(sequence);
    this.#sequence ??= await open(this.#sequenceFile, constants.O_RDWR | constants.O_CREAT, 0o600);
    await this.#sequence.write(bytes, 0, bytes.length, 0);
    await this.#sequence.datasync();
  }

  /** Lets go of the files; nothing may be written after it. */
  async close(): Promise<void> {
    await this.#append?.close();
    await this.#sequence?.close();
  }

  get #events(): string {
    return path.join(this.#directory, 'events');
  }

  get #sequenceFile(): string {
    return path.join(this.#directory, 'sequence');
  }
}

/** What the file "sequence" says; 0 if it makes no sense. Never throws. */
export function sequenceIn(bytes: Buffer): number {
  if (bytes.length < SEQUENCE_LENGTH) return 0;
  const number = bytes.subarray(0, 8);
  if (crc32(number) !== bytes.readUInt32LE(8)) return 0;
  const sequence = Number(number.readBigUInt64LE());
  // Beyond that two events would get the same number.
  return Number.isSafeInteger(sequence + 1) ? sequence : 0;
}

export function sequenceBytes(sequence: number): Buffer {
  const bytes = Buffer.alloc(SEQUENCE_LENGTH);
  bytes.writeBigUInt64LE(BigInt(sequence));
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 8)), 8);
  return bytes;
}

async function readIfThere(file: string): Promise<Buffer | undefined> {
  try {
    return await readFile(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

async function writeDurably(file: string, bytes: Uint8Array): Promise<void> {
  const handle = await open(file, 'w', 0o600);
  try {
    await handle.writeFile(bytes);
    await handle.datasync();
  } finally {
    await handle.close();
  }
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
