/** Printing a command's answer for people or for programs. */
import { InvalidArgumentError } from 'commander';
import { type PlainObject, renderYaml } from '../../proto/manifest/index.js';
import type { Sink } from './surroundings.js';

export const FORMATS = ['table', 'json', 'yaml'] as const;
export type Format = (typeof FORMATS)[number];

/** For commander. */
export function parseFormat(text: string): Format {
  const found = FORMATS.find((format) => format === text);
  if (found === undefined) throw new InvalidArgumentError(`wanted one of ${FORMATS.join(', ')}.`);
  return found;
}

/** One object, or, where a stream is printed, one of many. */
export function printPlain(sink: Sink, plain: PlainObject, format: 'json' | 'yaml', isOneOfMany = false): void {
  if (format === 'json') {
    sink.write(`${escapeJson(JSON.stringify(plain, undefined, isOneOfMany ? 0 : 2))}\n`);
  } else {
    sink.write(`${isOneOfMany ? '---\n' : ''}${renderYaml(plain)}`);
  }
}

export function printLines(sink: Sink, lines: readonly string[]): void {
  if (lines.length > 0) sink.write(`${lines.join('\n')}\n`);
}

/** JSON.stringify leaves in what a terminal obeys or hides: DEL, C1, separators, what turns the direction of text. */
export function escapeJson(json: string): string {
  return json.replace(
    /[\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
