/** One line of the table: what both programs gave for one quantity, round by round. Pure. */
import { type Goal, goalText, type Verdict, verdict } from './goal.js';
import { type Spread, spreadOf } from './statistics.js';

/** Who is measured, in the order of the table's columns. */
export const KINDS = ['keepalived', 'baton'] as const;
export type Kind = (typeof KINDS)[number];

/** One value a round; or why there is none. */
export type Measured = { readonly values: readonly number[] } | { readonly reason: string };

export interface Figure {
  readonly what: string;
  /** "ms", "µs", "MiB", "%"; empty for a number of things. */
  readonly unit: string;
  readonly keepalived: Measured;
  readonly baton: Measured;
  readonly goal: Goal;
}

export function spreadOfMeasured(measured: Measured): Spread | undefined {
  return 'values' in measured ? spreadOf(measured.values) : undefined;
}

/** Baton's median by keepalived's. Undefined where one is missing, or keepalived's is not above zero. */
export function ratioOf({ keepalived, baton }: Figure): number | undefined {
  const [below, above] = [spreadOfMeasured(keepalived)?.median, spreadOfMeasured(baton)?.median];
  return below === undefined || above === undefined || below <= 0 ? undefined : above / below;
}

export function verdictOf({ goal, keepalived, baton }: Figure): Verdict {
  return verdict(goal, spreadOfMeasured(keepalived)?.median, spreadOfMeasured(baton)?.median);
}

/** Cells of the table: what, keepalived, Baton, ratio, goal, met. */
export function cellsOf(figure: Figure): readonly string[] {
  const { what, unit, goal } = figure;
  const ratio = ratioOf(figure);
  return [
    unit === '' ? what : `${what}, ${unit}`,
    cellOf(figure.keepalived),
    cellOf(figure.baton),
    ratio === undefined ? '—' : number(ratio),
    goalText(goal, unit),
    { yes: 'yes', no: 'NO', unknown: '?', 'no goal': '—' }[verdictOf(figure)],
  ];
}

function cellOf(measured: Measured): string {
  if ('reason' in measured) return 'not measured';
  const spread = spreadOf(measured.values);
  if (spread === undefined) return 'not measured';
  const { median, least, most } = spread;
  return least === most ? number(median) : `${number(median)} (${number(least)}–${number(most)})`;
}

/** Three digits that mean something. */
function number(value: number): string {
  const size = Math.abs(value);
  if (Number.isInteger(value) || size >= 100) return value.toFixed(0);
  return value.toFixed(size >= 10 ? 1 : 2);
}
