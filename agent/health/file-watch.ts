/**
 * The number in one file, read again when its directory says that something of it changed. What the kernel cannot tell
 * (another machine's change, a directory that was replaced, a missing one) is found by looking now and then.
 *
 *   directory event --20 ms--> read --empty--> read again after 100 ms --> told
 *
 * A shell's "echo 5 > file" empties the file first and writes then: an empty file is believed only when it stays so.
 */
import path from 'node:path';
import type { Millis } from '../../proto/rules/time.js';
import type { CancelTimer, Clock } from '../local/clock.js';
import type { Observation, Watch } from './check-edges.js';
import type { FileProbe } from './check-settings.js';
import { parseFileNumber } from './file-number.js';

const SETTLE_MS = 20;
const EMPTY_MS = 100;
/** How often the file is looked at although its directory is watched; never more often than the interval. */
const WATCHED_LOOK_MS = 5_000;

export type FileRead =
  | { readonly ok: true /** Its first 128 bytes. */; readonly text: string }
  | { readonly ok: false; readonly reason: string };

/** What of the file system is asked. Nothing rejects or throws. */
export interface FileEdges {
  read(file: string): Promise<FileRead>;
  /** The path without symbolic links; undefined when there is nothing. */
  resolve(file: string): Promise<string | undefined>;
  /** Writes a new file, with mode 0600; an existing one only with `overwrite`. What is wrong, or undefined. */
  write(file: string, text: string, overwrite: boolean): Promise<string | undefined>;
  /**
   * Tells the names of entries of a directory that changed, or undefined where the kernel does not say; `lost` once when
   * no more is told. Undefined when it cannot be watched.
   */
  watchDirectory(directory: string, changed: (name: string | undefined) => void, lost: () => void): Watch | undefined;
}

export class FileWatch implements Watch {
  readonly #probe: FileProbe;
  readonly #interval: Millis;
  readonly #edges: FileEdges;
  readonly #clock: Clock;
  readonly #observed: (observation: Observation) => void;
  readonly #directories = new Map<string, Watch>();
  #cancelLook: CancelTimer | undefined;
  #cancelSoon: CancelTimer | undefined;
  #resolved = '';
  #value = 0;
  #isReading = false;
  #again = false;
  #wasEmpty = false;
  #stopped = false;
  /** What was wrong with writing the first value. */
  #writeProblem = '';

  constructor(
    probe: FileProbe,
    interval: Millis,
    edges: FileEdges,
    clock: Clock,
    observed: (observation: Observation) => void,
  ) {
    this.#probe = probe;
    this.#interval = interval;
    this.#edges = edges;
    this.#clock = clock;
    this.#observed = observed;
    this.#begin().catch(() => undefined);
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelLook?.();
    this.#cancelSoon?.();
    for (const watch of this.#directories.values()) watch.stop();
    this.#directories.clear();
  }

  async #begin(): Promise<void> {
    const { initialValue, overwrite } = this.#probe;
    if (initialValue !== undefined) {
      this.#writeProblem = (await this.#edges.write(this.#probe.path, `${initialValue}\n`, overwrite)) ?? '';
    }
    await this.#look();
  }

  /** Reads, tells, and sees to it that the next look comes. One at a time. */
  async #look(): Promise<void> {
    if (this.#stopped) return;
    if (this.#isReading) {
      this.#again = true;
      return;
    }
    this.#isReading = true;
    this.#cancelLook?.();
    this.#cancelSoon?.();
    this.#cancelSoon = undefined;
    // Watched before it is read: what changes in between is told.
    this.#resolved = (await this.#edges.resolve(this.#probe.path)) ?? this.#probe.path;
    if (!this.#stopped) this.#watchDirectories();
    const read = await this.#edges.read(this.#probe.path);
    this.#isReading = false;
    if (this.#stopped) return;
    const isWatched = this.#directories.size === new Set(this.#wantedDirectories()).size;
    this.#cancelLook = this.#clock.after(isWatched ? Math.max(this.#interval, WATCHED_LOOK_MS) : this.#interval, () =>
      this.#start(),
    );
    this.#tell(read);
    if (this.#again) {
      this.#again = false;
      this.#soon(SETTLE_MS);
    }
  }

  #start(): void {
    this.#look().catch(() => undefined);
  }

  #soon(delay: Millis): void {
    if (!this.#stopped) this.#cancelSoon ??= this.#clock.after(delay, () => this.#start());
  }

  #tell(read: FileRead): void {
    if (!read.ok) {
      this.#wasEmpty = false;
      this.#say(0, `${read.reason}: counts as 0`, false);
      return;
    }
    const number = parseFileNumber(read.text);
    if (number.kind === 'empty' && !this.#wasEmpty) {
      this.#wasEmpty = true;
      this.#soon(EMPTY_MS);
      return;
    }
    this.#wasEmpty = number.kind === 'empty';
    switch (number.kind) {
      case 'number':
        this.#say(number.value, '', true);
        break;
      case 'empty':
        this.#say(0, `${this.#probe.path} is empty: counts as 0`, true);
        break;
      case 'not-a-number':
        this.#say(0, `${this.#probe.path} does not begin with a number: counts as 0`, true);
        break;
      case 'out-of-range':
        this.#say(this.#value, `the number in ${this.#probe.path} has more than 32 bits: not taken`, true);
        break;
    }
  }

  #say(value: number, reason: string, readable: boolean): void {
    this.#value = value;
    const reasons = [reason, this.#writeProblem].filter((text) => text !== '');
    this.#observed({ state: value, value, reason: reasons.join('; '), readable, output: '' });
  }

  /** The file's own directory, and where a symbolic link leads. */
  #wantedDirectories(): readonly string[] {
    return [path.dirname(this.#probe.path), path.dirname(this.#resolved)];
  }

  #watchDirectories(): void {
    const wanted = new Set(this.#wantedDirectories());
    for (const [directory, watch] of this.#directories) {
      if (wanted.has(directory)) continue;
      watch.stop();
      this.#directories.delete(directory);
    }
    for (const directory of wanted) {
      if (this.#directories.has(directory)) continue;
      const watch = this.#edges.watchDirectory(
        directory,
        (name) => this.#changed(name),
        () => {
          this.#directories.get(directory)?.stop();
          this.#directories.delete(directory);
          this.#soon(SETTLE_MS);
        },
      );
      if (watch !== undefined) this.#directories.set(directory, watch);
    }
  }

  #changed(name: string | undefined): void {
    // Where symbolic links are on the way, any name may be one of them.
    const isLinked = this.#resolved !== this.#probe.path;
    if (isLinked || name === undefined || name === path.basename(this.#probe.path)) this.#soon(SETTLE_MS);
  }
}
