/** What a figure is wanted to be, and whether it is. Pure. */

/** All goals are upper limits: less is better in every row. */
export type Goal =
  | { readonly kind: 'none' }
  | { readonly kind: 'atMost'; readonly limit: number }
  /** Of what keepalived gave in the same run. */
  | { readonly kind: 'times'; readonly factor: number }
  /** Of something else that was measured in the same run. */
  | { readonly kind: 'timesOther'; readonly factor: number; readonly other: string; readonly value: number };

export type Verdict = 'yes' | 'no' | 'unknown' | 'no goal';

/** @param unit of the figure, with which an absolute limit is written */
export function goalText(goal: Goal, unit: string): string {
  switch (goal.kind) {
    case 'none':
      return '—';
    case 'atMost':
      return unit === '' ? `≤ ${goal.limit}` : `≤ ${goal.limit} ${unit}`;
    case 'times':
      return `≤ ${goal.factor} ×`;
    case 'timesOther':
      return `≤ ${goal.factor} × ${goal.other}`;
  }
}

/** @param keepalived absent: it could not be measured */
export function verdict(goal: Goal, keepalived: number | undefined, baton: number | undefined): Verdict {
  if (goal.kind === 'none') return 'no goal';
  if (baton === undefined) return 'unknown';
  switch (goal.kind) {
    case 'atMost':
      return baton <= goal.limit ? 'yes' : 'no';
    case 'times':
      if (keepalived === undefined) return 'unknown';
      return baton <= goal.factor * keepalived ? 'yes' : 'no';
    case 'timesOther':
      return baton <= goal.factor * goal.value ? 'yes' : 'no';
  }
}
