/** All that is known of one check on one node, a line each. Pure; the same for the agent's and the operator's tools. */
import type { CheckRun, CheckStatus, RouterStatus } from '../gen/baton/v1/status.js';
import { conditionOf, resultText } from './check-report.js';
import { durationToMicros, formatDuration } from './duration.js';
import { printableLines, singleLine } from './printable-text.js';

type Moment = NonNullable<CheckStatus['since']>;

export interface DetailOptions {
  /** When the status was true. */
  readonly now: Moment | undefined;
  /** Of the same node: those that track the check are named. */
  readonly routers: readonly RouterStatus[];
  /** Whether the last runs are shown with their output. */
  readonly recent: boolean;
}

export function checkDetail(check: CheckStatus, { now, routers, recent }: DetailOptions): string[] {
  const condition = conditionOf(check);
  const since = check.since === undefined ? '' : ` for ${ago(check.since, now)}`;
  const trackers = routers.flatMap(({ name, tracks }) =>
    tracks
      .filter(({ subject }) => subject === `check ${check.name}`)
      .map(({ weight, reverse }) => {
        const what = weight === 0 ? 'fault' : `weight ${weight > 0 ? '+' : ''}${weight}`;
        return `${name} (${what}${reverse ? ', reversed' : ''})`;
      }),
  );
  const rows: [string, string][] = [
    ['kind', check.kind],
    ['runs', check.subject],
    ['state', `${check.state}${since}`],
    ['condition', condition === 'stuck' ? `stuck: ${check.stuck}` : condition],
    ['last result', condition === 'never ran' ? 'none' : resultText(check)],
  ];
  if (check.value !== undefined) rows.push(['value', String(check.value)]);
  if (check.lastRun !== undefined) rows.push(['last run', `${ago(check.lastRun, now)} ago, took ${took(check)}`]);
  rows.push(['ended', `${check.runs} runs; ${check.skipped} not started because the one before went on`]);
  rows.push(['in a row', `${check.consecutive} of the last result`]);
  rows.push(['tracked by', trackers.length === 0 ? 'nobody' : trackers.join(', ')]);
  const lines = [check.name, ...rows.map(([left, right]) => `  ${left.padEnd(11)}  ${singleLine(right)}`)];
  if (!recent) return check.output === '' ? lines : [...lines, '  output', ...outputLines(check.output, '    ')];
  for (const run of check.recent) lines.push(...runLines(run, now));
  return check.recent.length === 0 ? [...lines, '  no run is remembered'] : lines;
}

function runLines(run: CheckRun, now: Moment | undefined): string[] {
  const when = run.startedAt === undefined ? '-' : `${run.startedAt.toISOString()} (${ago(run.startedAt, now)} ago)`;
  const result = resultText({ lastResult: run.result, exitCode: run.exitCode, reason: run.reason });
  const head = singleLine(`run of ${when}, took ${took({ lastDuration: run.duration })}: ${result}`);
  return [`  ${head}`, ...outputLines(run.output, '    ')];
}

function outputLines(output: string, indent: string): string[] {
  return output === ''
    ? []
    : printableLines(output)
        .split('\n')
        .map((line) => `${indent}${line}`);
}

function took({ lastDuration }: Pick<CheckStatus, 'lastDuration'>): string {
  return formatDuration(Math.round(durationToMicros(lastDuration) / 100) * 100);
}

/** "3s", "4m12s": the two greatest units. */
function ago(then: Moment, now: Moment | undefined): string {
  const seconds = Math.max(0, Math.floor(((now ?? then).getTime() - then.getTime()) / 1_000));
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)}m${seconds % 60}s`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)}h${Math.floor((seconds % 3_600) / 60)}m`;
  return `${Math.floor(seconds / 86_400)}d${Math.floor((seconds % 86_400) / 3_600)}h`;
}
