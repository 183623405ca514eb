/** What a run found: on the terminal, as JSON, as Markdown. Pure. */
import { type Figure, ratioOf, spreadOfMeasured, verdictOf } from './figure.js';
import type { Machine } from './machine.js';
import type { Findings, Row } from './row.js';
import { markdownTable, textTable } from './table.js';

/** What became of a row. */
export type RowOutcome = {
  readonly row: Pick<Row, 'name' | 'summary'>;
  readonly seconds: number;
} & ({ readonly findings: Findings } | { readonly failure: string });

export interface Run {
  readonly machine: Machine;
  /** ISO 8601. */
  readonly began: string;
  readonly loadAtBegin: number;
  readonly loadAtEnd: number;
  readonly rounds: number;
  readonly quick: boolean;
  readonly long: boolean;
  readonly outcomes: readonly RowOutcome[];
}

const WIDTH = 120;

export function terminalReport(run: Run): string {
  return `${[...headerOf(run), '', ...textTable(figuresOf(run), WIDTH), '', ...notesOf(run)].join('\n').trimEnd()}\n`;
}

export function markdownReport(run: Run): string {
  const notes = notesOf(run).map((note) => `- ${note}`);
  return `${[headerOf(run).join('\n'), '', ...markdownTable(figuresOf(run)), '', ...notes].join('\n').trimEnd()}\n`;
}

/** Everything, with the raw samples. */
export function jsonReport(run: Run): string {
  const { outcomes, ...rest } = run;
  return `${JSON.stringify({ ...rest, rows: outcomes.map(rowJson) }, null, 1)}\n`;
}

function rowJson({ row, seconds, ...outcome }: RowOutcome): unknown {
  const base = { name: row.name, summary: row.summary, seconds };
  if ('failure' in outcome) return { ...base, failure: outcome.failure };
  const { figures, notes, turns } = outcome.findings;
  return { ...base, figures: figures.map(figureJson), notes, turns };
}

function figureJson(figure: Figure): unknown {
  const { what, unit, keepalived, baton, goal } = figure;
  return {
    what,
    unit,
    keepalived: { ...keepalived, ...spreadOfMeasured(keepalived) },
    baton: { ...baton, ...spreadOfMeasured(baton) },
    ratio: ratioOf(figure),
    goal,
    met: verdictOf(figure),
  };
}

function figuresOf({ outcomes }: Run): readonly Figure[] {
  return outcomes.flatMap((outcome) => ('findings' in outcome ? outcome.findings.figures : []));
}

function headerOf({ machine, began, loadAtBegin, loadAtEnd, rounds, quick, long }: Run): readonly string[] {
  const { processor, processors, memoryMiB, kernel, distribution, node, keepalived, commit } = machine;
  const watched = long ? 'adverts at 10 ms watched for ten minutes' : 'adverts at 10 ms watched for a short time';
  return [
    `${processors} × ${processor}, ${memoryMiB} MiB, ${distribution}, Linux ${kernel}, Node ${node}, keepalived ${keepalived}`,
    `Baton ${commit}, ${began}, load average ${loadAtBegin} before and ${loadAtEnd} after`,
    `${rounds} round${rounds === 1 ? '' : 's'}${quick ? ', quick' : ''}, ${watched}; each value is the median of the rounds (least–most)`,
  ];
}

function notesOf({ outcomes }: Run): readonly string[] {
  return outcomes.flatMap((outcome) => {
    const { name } = outcome.row;
    if ('failure' in outcome) return [`${name}: not measured: ${outcome.failure}`];
    return outcome.findings.notes.map((note) => `${name}: ${note}`);
  });
}
