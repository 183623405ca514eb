/** What of a long text a terminal shows at once: its beginning, where the worst stands. Pure. */
import { displayWidth } from './table.js';

// biome-ignore lint/suspicious/noControlCharactersInRegex: colours are told from text by this very character.
const COLOURS = /\u001b\[[\d;]*m/gu;

/**
 * @param rows Of the terminal; undefined: everything is kept. One of them stays free for the cursor.
 * @param columns Of the terminal, which breaks longer lines.
 */
export function fitScreen(
  lines: readonly string[],
  rows: number | undefined,
  columns: number | undefined,
): readonly string[] {
  if (rows === undefined) return lines;
  const heights = lines.map((line) =>
    columns === undefined ? 1 : Math.max(1, Math.ceil(displayWidth(line.replace(COLOURS, '')) / columns)),
  );
  const room = Math.max(2, rows - 1);
  if (heights.reduce((sum, height) => sum + height, 0) <= room) return lines;
  const kept: string[] = [];
  let used = 1;
  for (const [index, line] of lines.entries()) {
    used += heights[index] ?? 1;
    if (used > room) break;
    kept.push(line);
  }
  return [...kept, `... ${lines.length - kept.length} more lines: "batonctl status" shows them all`];
}
