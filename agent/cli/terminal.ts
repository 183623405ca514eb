/** Text for people: aligned columns, and colours where a terminal shows them. */
import process from 'node:process';

export type Paint = (colour: 'green' | 'yellow' | 'red' | 'dim' | 'bold', text: string) => string;

const CODES = { green: '32', yellow: '33', red: '31', dim: '2', bold: '1' } as const;

/** Colours for standard output: only on a terminal, and never with NO_COLOR (https://no-color.org). */
export function standardPaint(): Paint {
  const isColoured = process.stdout.isTTY && (process.env['NO_COLOR'] ?? '') === '' && process.env['TERM'] !== 'dumb';
  return isColoured ? (colour, text) => `\u001b[${CODES[colour]}m${text}\u001b[0m` : plainPaint;
}

export const plainPaint: Paint = (_colour, text) => text;

/** A cell is its text and, possibly, how to paint it; widths are those of the bare text. */
export type Cell = string | { readonly text: string; readonly colour: Parameters<Paint>[0] };

/** Rows as aligned lines without trailing blanks. */
export function table(heading: readonly string[], rows: readonly (readonly Cell[])[], paint: Paint): string[] {
  const all: (readonly Cell[])[] = [heading.map((text) => ({ text, colour: 'dim' as const })), ...rows];
  const widths = heading.map((_, column) => Math.max(...all.map((row) => textOf(row[column]).length)));
  return all.map((row) =>
    row
      .map((cell, column) => {
        const text = textOf(cell);
        const isLast = column === row.length - 1;
        const padding = isLast ? '' : ' '.repeat((widths[column] ?? 0) - text.length);
        return `${typeof cell === 'string' ? text : paint(cell.colour, text)}${padding}`;
      })
      .join('  ')
      .trimEnd(),
  );
}

function textOf(cell: Cell | undefined): string {
  return cell === undefined ? '' : typeof cell === 'string' ? cell : cell.text;
}
