/** Reads the lines of a recording one after the other, and says what is wrong with it. */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { formatOf, parseLine, RECORDING_FORMAT, type RecordingLine } from './recording-format.js';

/** The file is no recording that this program can read; the message says why. */
export class UnreadableRecording extends Error {
  readonly code = 'BATON_RECORDING';
  override readonly name = 'UnreadableRecording';
}

/** A line and where it stands; without `line` it makes no sense. */
export interface PlacedLine {
  /** From 1. */
  readonly number: number;
  readonly line: RecordingLine | undefined;
}

/** All lines, oldest first. Throws UnreadableRecording for a file that cannot be read or is something else. */
export async function* readRecording(file: string): AsyncGenerator<PlacedLine> {
  let number = 0;
  try {
    // The interface must not read ahead of whoever iterates over it: it would lose lines.
    for await (const text of createInterface({ input: createReadStream(file, 'utf8'), crlfDelay: Infinity })) {
      number += 1;
      if (number === 1) requireFormat(file, text);
      if (text !== '') yield { number, line: parseLine(text) };
    }
  } catch (cause) {
    if (cause instanceof UnreadableRecording) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new UnreadableRecording(`cannot read ${file}: ${reason}`, { cause });
  }
  if (number === 0) throw new UnreadableRecording(`${file} is empty: nothing was recorded yet`);
}

function requireFormat(file: string, first: string): void {
  const format = formatOf(first);
  if (format === RECORDING_FORMAT) return;
  throw new UnreadableRecording(
    format === undefined
      ? `${file} is no recording: "baton-agent run --record FILE" makes one`
      : `${file} is a recording of format ${format}, and this baton-agent reads format ${RECORDING_FORMAT}: use the version that made it`,
  );
}
