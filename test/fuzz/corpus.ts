/**
 * The corpora that are kept: one file for each target, one input a line, each of which reaches a block or gets an answer
 * that no shorter one does; and beside it those that once broke something, which are never left out. Bytes are in
 * hexadecimal; of targets that read text, JSON strings.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { sourceRoot } from '../docs/source-root.js';
import type { Target } from './target.js';
import { hexOf } from './trial.js';

/** A line of a corpus is neither. */
export class CorpusError extends Error {
  override readonly name = 'CorpusError';
  readonly code = 'bad-corpus';
}

/** What is kept of a target: what reaches all that is reached, then what once broke something. */
export function readCorpus(target: Target): readonly Uint8Array[] {
  return ['', '.found'].flatMap((kind) => {
    const file = fileOf(target, kind);
    if (!existsSync(file)) return [];
    return readFileSync(file, 'utf8')
      .split('\n')
      .flatMap((line, index) => (line === '' || line.startsWith('#') ? [] : [inputOf(line, `${file}:${index + 1}`)]));
  });
}

/** Replaces the first of the two. */
export function writeCorpus(target: Target, inputs: readonly Uint8Array[]): void {
  const lines = inputs.map((input) => lineOf(target, input));
  writeFileSync(fileOf(target, ''), `${[...new Set(lines)].join('\n')}\n`);
}

/** "-" is the empty input. */
export function lineOf(target: Pick<Target, 'isText'>, input: Uint8Array): string {
  if (input.length === 0) return '-';
  const text = Buffer.from(input).toString('utf8');
  return target.isText && Buffer.from(text).equals(input) ? JSON.stringify(text) : hexOf(input);
}

/** @param place for the message. Throws CorpusError. */
export function inputOf(line: string, place: string): Uint8Array {
  if (line === '-') return new Uint8Array(0);
  if (line.startsWith('"')) {
    try {
      return new Uint8Array(Buffer.from(String(JSON.parse(line))));
    } catch (cause) {
      throw new CorpusError(`${place}: not a JSON string`, { cause });
    }
  }
  if (line.length % 2 !== 0 || !/^[0-9a-f]+$/i.test(line)) {
    throw new CorpusError(`${place}: neither hexadecimal bytes nor a JSON string`);
  }
  return new Uint8Array(Buffer.from(line, 'hex'));
}

function fileOf({ name }: Target, kind: string): string {
  return path.join(sourceRoot(), 'test/fuzz/corpus', `${name}${kind}.txt`);
}
