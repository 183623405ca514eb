/** Columns of text. Every cell is made one printable line first: cells hold what hosts and people called things. */
import { singleLine } from '../../proto/rules/printable-text.js';
import { type Colour, type Paint, plainPaint } from './paint.js';

/** Text, or text in a colour. */
export type Cell = string | { readonly text: string; readonly colour: Colour | undefined };

export interface TableOptions {
  readonly paint?: Paint;
  readonly indent?: string;
  /** The last column is cut so that lines are no wider than this; undefined: it is not. */
  readonly width?: number | undefined;
}

/** Lines with the head first, two spaces between columns, none at the end. */
export function renderTable(
  head: readonly string[],
  rows: readonly (readonly Cell[])[],
  { paint = plainPaint, indent = '', width }: TableOptions = {},
): string[] {
  const all = [head.map((text): Cell => ({ text, colour: 'dim' })), ...rows].map((row) =>
    head.map((_, column) => clean(row[column] ?? '')),
  );
  const last = head.length - 1;
  const widths = head.map((_, column) => Math.max(...all.map((row) => displayWidth(row[column]?.text ?? ''))));
  const before = indent.length + widths.slice(0, last).reduce((sum, one) => sum + one + 2, 0);
  const room = width === undefined ? Number.POSITIVE_INFINITY : Math.max(10, width - before);
  return all.map((row) => {
    const cells = row.map(({ text, colour }, column) => {
      const shown = column === last ? singleLine(text, room) : text;
      const painted = colour === undefined ? shown : paint(colour, shown);
      const padding = column === last ? 0 : (widths[column] ?? 0) - displayWidth(shown);
      return painted + ' '.repeat(Math.max(0, padding));
    });
    // Without the blanks that an empty last cell leaves.
    return `${indent}${cells.join('  ')}`.trimEnd();
  });
}

function clean(cell: Cell): { text: string; colour: Colour | undefined } {
  const { text, colour } = typeof cell === 'string' ? { text: cell, colour: undefined } : cell;
  return { text: singleLine(text), colour };
}

/** Cells that a terminal gives to a text: East Asian wide characters take two, combining ones none. */
export function displayWidth(text: string): number {
  let width = 0;
  for (const character of text) {
    if (/\p{Mark}/u.test(character)) continue;
    width += WIDE.test(character) ? 2 : 1;
  }
  return width;
}

const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;
