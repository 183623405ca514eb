/** Performances as text: one line for each scenario, and tables of what was seen. */
import type { Performance } from './performance.js';
import { actionText, type Scenario } from './scenario.js';
import { type Disagreement, NOTHING, textOf } from './verdict.js';

/** A scenario with all of its performances, judged. */
export interface Outcome {
  readonly scenario: Scenario;
  readonly performances: readonly Performance[];
  readonly disagreements: readonly Disagreement[];
}

export function passed({ performances, disagreements }: Outcome): boolean {
  return disagreements.length === 0 && performances.every(({ failure }) => failure === undefined);
}

/** e.g. "ok   kills: the active one (v3)   KK BB KB BK   41 s   1 difference". */
export function outcomeLine(outcome: Outcome): string {
  const { scenario, performances, disagreements } = outcome;
  const casts = performances.map(({ cast, failure }) => {
    if (failure !== undefined) return `${cast}:failed`;
    return disagreements.some((each) => each.cast === cast) ? `${cast}:differs` : cast;
  });
  const seconds = Math.max(0, ...performances.map((each) => each.seconds)).toFixed(0);
  const named = scenario.steps.reduce((sum, { differences }) => sum + differences.length, 0);
  const what = named === 0 ? '' : `, ${named} named differences`;
  return `${passed(outcome) ? 'ok  ' : 'FAIL'} ${scenario.name}: ${casts.join(' ')} (${seconds} s${what})`;
}

/** What went wrong, the whole of what was seen, and the ends of the logs. */
export function failureReport(outcome: Outcome): string {
  const { performances, disagreements, scenario } = outcome;
  const bad = new Set(disagreements.map(({ cast }) => cast));
  return [
    ...performances.flatMap(({ cast, failure }) => (failure === undefined ? [] : [`  ${cast} failed: ${failure}`])),
    ...disagreements.map(({ step, key, cast, seen, expected, because }) => {
      const action = scenario.steps[step]?.action;
      const when = action === undefined ? '' : ` (${actionText(action)})`;
      return `  step ${step + 1}${when}, ${cast}: ${key} was ${seen}, expected ${expected} (${because})`;
    }),
    table(outcome),
    ...performances
      .filter(({ cast, failure }) => failure !== undefined || bad.has(cast))
      .flatMap(({ cast, tails }) =>
        Object.entries(tails).map(([title, tail]) => `  ${cast}, ${title}:\n${tail.replace(/^/gm, '    ')}`),
      ),
  ].join('\n');
}

/** Everything that was seen, step by step, the casts beside each other; "!" where they are not the same. */
export function table({ scenario, performances }: Outcome): string {
  const rows = scenario.steps.flatMap(({ action }, number) => {
    const keys = new Set(performances.flatMap(({ observations }) => [...(observations[number]?.keys() ?? [])]));
    return [
      { head: `${number + 1}. ${actionText(action)}`, cells: undefined },
      ...[...keys].sort().map((key) => ({
        head: key,
        cells: performances.map(({ observations }) => textOf(observations[number], key)),
      })),
    ];
  });
  const heads = rows.map(({ head, cells }) => head.length + (cells === undefined ? 0 : 4));
  const widths = performances.map((_each, column) =>
    Math.max(2, ...rows.map(({ cells }) => cells?.[column]?.length ?? 0)),
  );
  const first = Math.max(...heads, 0);
  const line = (head: string, cells: readonly string[]) =>
    `  ${head.padEnd(first)}  ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd();
  return [
    line(
      '',
      performances.map(({ cast }) => cast),
    ),
    ...rows.map(({ head, cells }) => {
      if (cells === undefined) return line(head, []);
      const isSame = cells.every((cell) => cell === cells[0]);
      return line(`  ${isSame ? ' ' : '!'} ${head}`, isSame ? [cells[0] ?? NOTHING] : cells);
    }),
  ].join('\n');
}
