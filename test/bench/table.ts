/** The figures as a table for a terminal and as one for a document. Pure. */
import { cellsOf, type Figure } from './figure.js';

const HEADINGS = ['what', 'keepalived', 'Baton', 'ratio', 'goal', 'met'];
const GAP = '  ';
/** What a cell of the first column must have, however wide the others are. */
const LEAST_WIDTH = 24;

/**
 * Lines of a table of at most `width` columns; the first column is wrapped where it does not fit.
 *
 * @param width columns of the terminal
 */
export function textTable(figures: readonly Figure[], width: number): readonly string[] {
  const rows = [HEADINGS, ...figures.map(cellsOf)];
  const widths = HEADINGS.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const others = widths.slice(1).reduce((sum, each) => sum + each + GAP.length, 0);
  widths[0] = Math.min(widths[0] ?? 0, Math.max(LEAST_WIDTH, width - others));
  const rule = '-'.repeat(widths.reduce((sum, each) => sum + each, 0) + GAP.length * (widths.length - 1));
  const lines = rows.flatMap((row) => wrapped(row, widths));
  return [...lines.slice(0, 1), rule, ...lines.slice(1)];
}

function wrapped([what = '', ...others]: readonly string[], widths: readonly number[]): readonly string[] {
  const [first = '', ...rest] = wrap(what, widths[0] ?? 0);
  const cells = [first, ...others].map((cell, column) => cell.padEnd(widths[column] ?? 0));
  return [cells.join(GAP).trimEnd(), ...rest.map((line) => `  ${line}`)];
}

/** Breaks at blanks; further lines are to be indented by two. */
function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const room = lines.length === 0 ? width : width - 2;
    if (line !== '' && line.length + 1 + word.length > room) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

/** The same in Markdown. */
export function markdownTable(figures: readonly Figure[]): readonly string[] {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(HEADINGS), line(HEADINGS.map(() => '---')), ...figures.map((figure) => line(cellsOf(figure)))];
}
