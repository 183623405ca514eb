/**
 * What is fuzzed: one reader of bytes that come from outside, and what must hold for whatever it is given. A target knows
 * neither the loop nor the coverage; the loop knows nothing of formats.
 */
import type { Random } from '../sim/random.js';

/** A promise that an input broke. Whatever else a target throws is one too: the reader threw. */
export class Finding extends Error {
  override readonly name = 'Finding';
  constructor(
    /** Which promise: inputs that break the same one are reported once. */
    readonly oracle: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** Makes a mutated input pass what guards deeper code: lengths, checksums, signatures. Gives a new input. */
export type Repair = (input: Uint8Array, random: Random) => Uint8Array;

export interface Budget {
  /** Most blocks that are entered, as V8 counts them, for an empty input. */
  readonly steps: number;
  /** And for each byte of input. */
  readonly stepsPerByte: number;
  /** Most bytes of memory that are allocated, for an empty input. */
  readonly memory: number;
  /** And for each byte of input; 0 for packets, whose length is bounded. */
  readonly memoryPerByte: number;
  /** Most milliseconds, however often it is measured. */
  readonly ms: number;
}

/** 64 KiB for any packet. */
export const PACKET_BUDGET: Budget = { steps: 2_000, stepsPerByte: 20, memory: 65_536, memoryPerByte: 0, ms: 5 };

/** Files and requests may need memory in proportion to what they hold. */
export const TEXT_BUDGET: Budget = { steps: 20_000, stepsPerByte: 1_000, memory: 65_536, memoryPerByte: 4_096, ms: 5 };

export type Group = 'decoders' | 'keepalived.conf' | 'manifests';

export interface Target {
  /** As `--target` takes it. */
  readonly name: string;
  /** One line for the list of targets. */
  readonly what: string;
  /** Sources whose blocks count, from the root of the repository, such as "agent/wire/arp.ts". */
  readonly files: readonly string[];
  /** What the blocks of those files are counted with: the decoders together, each parser for itself. */
  readonly group: Group;
  /** Good inputs, and those of the bad-input list. */
  readonly seeds: readonly Uint8Array[];
  /** Further constants of the format, beside those in the sources. */
  readonly dictionary: readonly Uint8Array[];
  readonly repairs: readonly Repair[];
  /** Longest input, in bytes. */
  readonly maxLength: number;
  /** Corpus lines are text instead of hexadecimal. */
  readonly isText: boolean;
  readonly budget: Budget;
  /**
   * Reads the input and judges the answer. Gives the kind of answer ("accepted", "bad-checksum"): inputs with a new one
   * are kept like those that reach new blocks. Throws, or rejects with, a Finding. Must not depend on earlier inputs.
   */
  run(input: Uint8Array): string | Promise<string>;
  /** The reader alone, without any oracle: what it costs is measured. May throw what the reader may. */
  read(input: Uint8Array): unknown;
  /** Ends what the first run has begun, such as a server. */
  close?(): Promise<void>;
}

/** Throws a Finding unless the condition holds. */
export function must(condition: boolean, oracle: string, message: () => string): void {
  if (!condition) throw new Finding(oracle, message());
}

/** Anything as text, bytes and big numbers included; equal texts are equal values. */
export function shown(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => {
    if (typeof part === 'bigint') return `${part}n`;
    if (part instanceof Uint8Array) return `bytes ${Buffer.from(part).toString('hex')}`;
    if (part instanceof Map) return ['map', ...part];
    return part;
  });
}

/** Throws a Finding unless both are the same, undefined properties aside. */
export function mustEqual(actual: unknown, expected: unknown, oracle: string): void {
  const [is, wanted] = [shown(sorted(actual)), shown(sorted(expected))];
  must(is === wanted, oracle, () => `is ${is}\nmust be ${wanted}`);
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array || value instanceof Date) return value;
  if (value instanceof Map) return value;
  const entries = Object.entries(value).filter(([, part]) => part !== undefined);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, part]) => [key, sorted(part)]));
}
