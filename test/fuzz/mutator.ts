/** Inputs from inputs: what fuzzers do to bytes. Deterministic from its random numbers. */
import { Random } from '../sim/random.js';
import type { Repair } from './target.js';

const INTERESTING = [0, 1, 2, 3, 4, 7, 8, 15, 16, 20, 31, 32, 40, 63, 64, 100, 127, 128, 191, 192, 224, 240, 254, 255];
const INTERESTING_WORDS = [0, 1, 0x7f, 0x80, 0xff, 0x100, 0xfff, 0x7fff, 0x8000, 0xffff];
const MOST_STACKED = 6;
/** Of a hundred mutated inputs so many are repaired. */
const REPAIRED = 0.75;

export interface MutatorOptions {
  readonly dictionary: readonly Uint8Array[];
  readonly repairs: readonly Repair[];
  readonly maxLength: number;
}

export class Mutator {
  readonly #random: Random;
  readonly #options: MutatorOptions;

  constructor(seed: number, options: MutatorOptions) {
    this.#random = new Random(seed);
    this.#options = options;
  }

  /** One to six changes of one of the inputs, then perhaps repaired. */
  next(pool: readonly Uint8Array[]): Uint8Array {
    const random = this.#random;
    // The newest are the most promising, and most of the others are as good as each other.
    const newest = pool.slice(-8);
    let input: Uint8Array = random.pick(random.chance(0.3) ? newest : pool).slice();
    for (let left = random.between(1, MOST_STACKED); left > 0; left -= 1) input = this.#change(input, pool);
    const { repairs, maxLength } = this.#options;
    if (input.length > maxLength) input = input.slice(0, maxLength);
    if (repairs.length === 0 || !random.chance(REPAIRED)) return input;
    for (const repair of random.chance(0.7) ? repairs : repairs.filter(() => random.chance(0.5))) {
      input = repair(input, random);
    }
    return input.length > maxLength ? input.slice(0, maxLength) : input;
  }

  #change(input: Uint8Array, pool: readonly Uint8Array[]): Uint8Array {
    const random = this.#random;
    const { dictionary } = this.#options;
    const at = random.between(0, Math.max(0, input.length - 1));
    const size = Math.min(random.between(1, random.chance(0.8) ? 8 : 64), input.length - at);
    switch (random.between(0, 13)) {
      case 0:
        if (input.length > 0) input[at] = (input[at] ?? 0) ^ (1 << random.between(0, 7));
        return input;
      case 1:
        if (input.length > 0) input[at] = random.between(0, 255);
        return input;
      case 2:
        if (input.length > 0) input[at] = random.pick(INTERESTING);
        return input;
      case 3:
        if (input.length > 0) input[at] = (input[at] ?? 0) + random.between(-16, 16);
        return input;
      case 4:
        return this.#word(input, random.pick(INTERESTING_WORDS));
      case 5:
        return this.#word(input, undefined);
      case 6:
        return joined(input.subarray(0, at), input.subarray(at + size));
      case 7:
        return joined(input.subarray(0, at + size), input.subarray(at));
      case 8:
        return joined(input.subarray(0, at), this.#bytes(size), input.subarray(at));
      case 9:
      case 10: {
        if (dictionary.length === 0) return input;
        const word = random.pick(dictionary);
        const rest = input.subarray(random.chance(0.5) ? at : at + word.length);
        return joined(input.subarray(0, at), word, rest);
      }
      case 11: {
        const other = random.pick(pool);
        const from = random.between(0, Math.max(0, other.length - 1));
        return joined(input.subarray(0, at), other.subarray(from));
      }
      case 12: {
        const other = random.pick(pool);
        const from = random.between(0, Math.max(0, other.length - 1));
        const piece = other.subarray(from, from + random.between(1, 32));
        return joined(input.subarray(0, at), piece, input.subarray(random.chance(0.5) ? at : at + piece.length));
      }
      default:
        return input.slice(0, at);
    }
  }

  /** A number of two or four bytes, in either order, is set or counted up or down. */
  #word(input: Uint8Array, value: number | undefined): Uint8Array {
    const random = this.#random;
    const isLong = random.chance(0.3);
    const size = isLong ? 4 : 2;
    if (input.length < size) return input;
    const view = new DataView(input.buffer, input.byteOffset, input.byteLength);
    const at = random.between(0, input.length - size);
    const isLittle = random.chance(0.5);
    const old = isLong ? view.getUint32(at, isLittle) : view.getUint16(at, isLittle);
    const word = value ?? old + random.between(-35, 35);
    if (isLong) view.setUint32(at, word, isLittle);
    else view.setUint16(at, word, isLittle);
    return input;
  }

  #bytes(count: number): Uint8Array {
    return Uint8Array.from({ length: count }, () => this.#random.between(0, 255));
  }
}

export function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** Constants in compiled sources: texts as they are, numbers in one, two and four bytes of either order. */
export function literalsOf(sources: readonly string[]): readonly Uint8Array[] {
  const words = new Set<string>();
  const add = (bytes: Uint8Array): void => {
    words.add(Buffer.from(bytes).toString('hex'));
  };
  for (const source of sources) {
    const code = source.replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$|^import .*$/gm, '');
    for (const [, text = ''] of code.matchAll(/'((?:[^'\\\n]|\\.){1,32})'/g)) add(Buffer.from(text));
    for (const [text] of code.matchAll(/\b(?:0x[0-9a-f_]+|\d[\d_]*)\b/gi)) {
      const value = Number(text.replaceAll('_', ''));
      if (!Number.isSafeInteger(value) || value > 0xffff_ffff) continue;
      if (value < 256) add(Uint8Array.of(value));
      for (const size of [2, 4] as const) {
        if (value >= 2 ** (size * 8)) continue;
        for (const isLittle of [false, true]) {
          const bytes = new Uint8Array(4);
          const view = new DataView(bytes.buffer);
          if (size === 4) view.setUint32(0, value, isLittle);
          else view.setUint16(0, value, isLittle);
          add(bytes.subarray(0, size));
        }
      }
    }
  }
  return [...words].map((hex) => Buffer.from(hex, 'hex'));
}
