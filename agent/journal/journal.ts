/**
 * The agent's events, numbered and kept until a controller has them. Each is on disk before anybody outside hears of it,
 * so that a number once used is never used for something else. When the disk refuses, events live in memory, the
 * journal says so, and it goes back to disk by itself. Nothing here ever makes a caller wait or fail.
 */
import type { Event } from '../../proto/gen/baton/v1/events.js';
import type { Millis } from '../../proto/rules/time.js';
import type { Clock } from '../local/clock.js';
import { EventQueue } from './event-queue.js';
import { type DecodedSegment, decodeSegment, encodeRecord, type JournalRecord } from './segment.js';

/** An event before it has a number. */
export type EventDraft = Omit<Event, 'sequence'>;

/** Where the journal lives. Every method rejects when the disk refuses. */
export interface JournalStorage {
  /** The whole file; undefined when there is none. */
  read(): Promise<Uint8Array | undefined>;
  /** Keeps the present file under another name, which is returned; it stays readable by `read` until replaced. */
  setAside(): Promise<string>;
  /** Adds to the end, durably. After a rejection the end of the file is unknown. */
  append(bytes: Uint8Array): Promise<void>;
  /** Puts a new file in place of the old one, durably and at once. */
  replace(bytes: Uint8Array): Promise<void>;
  /** The greatest sequence given to `reserve`; 0 when none is known. */
  reserved(): Promise<number>;
  /** Remembers a sequence without needing new space on the disk. */
  reserve(sequence: number): Promise<void>;
}

export interface JournalOptions {
  /** Events kept while no controller takes them. */
  readonly limit: number;
  /** True where no controller will ever come: the oldest go without being counted as lost. */
  readonly isHistory: boolean;
  readonly clock: Clock;
  /** A fresh identifier. */
  readonly newId: () => string;
  readonly listener: JournalListener;
}

export interface JournalListener {
  /** The disk refuses: events are in memory alone from now on. */
  lostDisk(error: unknown): void;
  /** Everything is on disk again. */
  regainedDisk(): void;
  /** The file was damaged. What was sound is in use; the file as it was is kept under `keptAs`. */
  damaged(damage: string, keptAs: string): void;
  /** Events had to make room: the first of a series, not each. */
  dropping(total: number): void;
}

/** Events that "events" can show although a controller has them. */
const RECENT_LIMIT = 500;
/** The file is rewritten when it has doubled, and not below this. */
const REWRITE_FLOOR = 256 * 1024;
/** How often a refusing disk is tried again. */
const DISK_RETRY_MS: Millis = 5_000;

export class Journal {
  readonly #storage: JournalStorage;
  readonly #options: JournalOptions;
  readonly #queue: EventQueue;
  readonly #recent: Event[] = [];
  readonly #listeners = new Set<() => void>();
  #id: string;
  #nextSequence = 1;
  #dropped = 0;
  #isDropping = false;
  /** Events up to here may be told. */
  #toldThrough = 0;
  #unwritten: JournalRecord[] = [];
  #writing: Promise<void> | undefined;
  #onDisk = false;
  #saidLost = false;
  #retryPlanned = false;
  #fileLength = 0;
  #rewriteAt = REWRITE_FLOOR;

  private constructor(storage: JournalStorage, options: JournalOptions) {
    this.#storage = storage;
    this.#options = options;
    this.#queue = new EventQueue(options.limit);
    this.#id = options.newId();
  }

  /** Never rejects: without a usable disk the journal starts empty, in memory, under a fresh identifier. */
  static async open(storage: JournalStorage, options: JournalOptions): Promise<Journal> {
    const journal = new Journal(storage, options);
    try {
      await journal.#load();
    } catch (error) {
      journal.#loseDisk(error);
    }
    return journal;
  }

  /** Names this journal; sequences are unique within it. */
  get id(): string {
    return this.#id;
  }

  get queued(): number {
    return this.#queue.size;
  }

  get dropped(): number {
    return this.#dropped;
  }

  /** Numbers and keeps an event. It is told once it is on disk, or once the disk has refused it. */
  add(draft: EventDraft): Event {
    const event: Event = { ...draft, sequence: this.#nextSequence };
    this.#nextSequence += 1;
    this.#recent.push(event);
    if (this.#recent.length > RECENT_LIMIT) this.#recent.shift();
    this.#unwritten.push({ kind: 'event', event });
    this.#makeRoom(this.#queue.add(event));
    this.#write();
    return event;
  }

  /** Events that may be told, oldest first. */
  pending(after: number, limit: number): Event[] {
    return this.#queue.pending(after, limit).filter((event) => event.sequence <= this.#toldThrough);
  }

  /** A controller has stored everything up to this sequence. */
  acknowledge(through: number): void {
    if (this.#queue.acknowledge(through) === 0) return;
    this.#isDropping = false;
    this.#unwritten.push({ kind: 'acknowledged', through });
    this.#write();
  }

  /** The newest so many, oldest first, whether a controller has them or not. */
  recent(limit: number): Event[] {
    return limit <= 0 ? [] : this.#recent.slice(-limit);
  }

  /** Called after events may be told. */
  onEvents(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Resolves when everything added until now is on disk, or the disk has refused. */
  async flush(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
  }

  async #load(): Promise<void> {
    const bytes = await this.#storage.read();
    let isAnew = false;
    if (bytes !== undefined) {
      const segment = decodeSegment(bytes);
      const keptAs = segment.damage === undefined ? '' : await this.#storage.setAside();
      isAnew = this.#restore(segment);
      if (segment.damage !== undefined) this.#options.listener.damaged(segment.damage, keptAs);
    }
    if (!isAnew) this.#nextSequence = Math.max(this.#nextSequence, (await this.#storage.reserved()) + 1);
    this.#recent.push(...this.#queue.pending(0, Number.POSITIVE_INFINITY).slice(-RECENT_LIMIT));
    await this.#rewrite();
    this.#toldThrough = this.#nextSequence - 1;
  }

  /** Returns whether the numbers start again under a fresh identifier. */
  #restore(segment: DecodedSegment): boolean {
    const hasHeading = segment.records[0]?.kind === 'heading';
    for (const record of hasHeading ? segment.records : []) {
      switch (record.kind) {
        case 'heading':
          this.#id = record.heading.journalId;
          this.#nextSequence = record.heading.nextSequence;
          this.#dropped = record.heading.dropped;
          break;
        case 'event':
          this.#queue.add(record.event);
          this.#nextSequence = Math.max(this.#nextSequence, record.event.sequence + 1);
          break;
        case 'acknowledged':
          this.#queue.acknowledge(record.through);
          break;
        case 'dropped':
          this.#queue.remove(record.sequence);
          if (!this.#options.isHistory) this.#dropped += 1;
          break;
      }
    }
    // A file that merely ends early was cut while it was written, and what was cut off was never told. Any other
    // damage may have taken numbers that were told: they must not come again under the same name.
    if (segment.damage === undefined || (hasHeading && segment.isCutShort)) return false;
    this.#startAnew();
    return true;
  }

  /** A fresh identifier; events that are still there are numbered again from 1. */
  #startAnew(): void {
    const kept = this.#queue.pending(0, Number.POSITIVE_INFINITY);
    this.#queue.acknowledge(Number.POSITIVE_INFINITY);
    this.#id = this.#options.newId();
    this.#nextSequence = 1;
    for (const event of kept) {
      this.#queue.add({ ...event, sequence: this.#nextSequence });
      this.#nextSequence += 1;
    }
  }

  #makeRoom(sequences: readonly number[]): void {
    if (sequences.length === 0) return;
    for (const sequence of sequences) this.#unwritten.push({ kind: 'dropped', sequence });
    if (this.#options.isHistory) return;
    this.#dropped += sequences.length;
    if (!this.#isDropping) this.#options.listener.dropping(this.#dropped);
    this.#isDropping = true;
  }

  #write(): void {
    this.#writing ??= this.#writeAll().finally(() => {
      this.#writing = undefined;
      if (this.#unwritten.length > 0) this.#write();
    });
  }

  async #writeAll(): Promise<void> {
    // One turn later, so that events of one moment share one write.
    await Promise.resolve();
    const records = this.#unwritten;
    this.#unwritten = [];
    const through = this.#nextSequence - 1;
    try {
      const bytes = Buffer.concat(records.map(encodeRecord));
      // What is in memory now has every record, so that a new file needs none of them.
      if (!this.#onDisk || this.#fileLength + bytes.length > this.#rewriteAt) await this.#rewrite();
      else {
        await this.#storage.append(bytes);
        this.#fileLength += bytes.length;
      }
    } catch (error) {
      this.#loseDisk(error);
      await this.#storage.reserve(through).catch(() => undefined);
    }
    if (through <= this.#toldThrough) return;
    this.#toldThrough = through;
    for (const listener of this.#listeners) listener();
  }

  /** A new file with all that is still wanted. */
  async #rewrite(): Promise<void> {
    const heading = { journalId: this.#id, nextSequence: this.#nextSequence, dropped: this.#dropped };
    const records: JournalRecord[] = [{ kind: 'heading', heading }];
    for (const event of this.#queue.pending(0, Number.POSITIVE_INFINITY)) records.push({ kind: 'event', event });
    const bytes = Buffer.concat(records.map(encodeRecord));
    await this.#storage.replace(bytes);
    this.#fileLength = bytes.length;
    this.#rewriteAt = Math.max(REWRITE_FLOOR, bytes.length * 2);
    this.#onDisk = true;
    if (!this.#saidLost) return;
    this.#saidLost = false;
    this.#options.listener.regainedDisk();
  }

  #loseDisk(error: unknown): void {
    this.#onDisk = false;
    if (!this.#saidLost) this.#options.listener.lostDisk(error);
    this.#saidLost = true;
    if (this.#retryPlanned) return;
    this.#retryPlanned = true;
    this.#options.clock.after(DISK_RETRY_MS, () => {
      this.#retryPlanned = false;
      if (!this.#onDisk) this.#write();
    });
  }
}
