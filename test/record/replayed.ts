/** Chunks of a recording as its file would have them, and replayed. */
import { parseLine, type RecordingChunk, segmentLine } from '../../agent/record/recording-format.js';
import { Replay, type ReplayReport } from '../../agent/record/replay.js';

export function textOf(chunks: readonly RecordingChunk[]): string {
  return chunks
    .map(({ begins, lines }) => (begins === undefined ? lines : `${segmentLine('1.0.0', begins)}${lines}`))
    .join('');
}

export function replayText(text: string): ReplayReport {
  const replay = new Replay();
  for (const [index, line] of text.split('\n').entries()) {
    if (line !== '') replay.take({ number: index + 1, line: parseLine(line) });
  }
  return replay.report();
}

/** As RecordingCore notes them. */
export function transitionsOf({ transitions }: ReplayReport): readonly string[] {
  return transitions.map(({ router, transition: { from, to, reason } }) => `${router} ${from} ${to} ${reason.code}`);
}
