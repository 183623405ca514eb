/**
 * What a check's status comes to for people: its last result in words, and whether it gives results at all. Pure; the
 * same for the agent's and the operator's tools.
 */
import { CheckResult, type CheckStatus } from '../gen/baton/v1/status.js';
import { singleLine } from './printable-text.js';

/** How much a check's state is worth. */
export type CheckCondition =
  /** It ends its runs. */
  | 'running'
  /** It has not ended a run yet. */
  | 'never ran'
  /** It gives no results although it should. */
  | 'stuck'
  /** What it runs is not there, or may not be run. */
  | 'disabled';

export function conditionOf({
  kind,
  stuck,
  lastResult,
}: Pick<CheckStatus, 'kind' | 'stuck' | 'lastResult'>): CheckCondition {
  if (stuck !== '') return 'stuck';
  switch (lastResult) {
    case CheckResult.PENDING:
    case CheckResult.UNSPECIFIED:
      return 'never ran';
    case CheckResult.NOT_FOUND:
    case CheckResult.REFUSED:
      // A file that is not there reads 0.
      return kind === 'file' ? 'running' : 'disabled';
    default:
      return 'running';
  }
}

/** "exit code 1", "timed out: took longer than 5 s": why a run was good or not. */
export function resultText(run: Pick<CheckStatus, 'lastResult' | 'exitCode' | 'reason'>): string {
  if (run.reason !== '') return run.reason;
  switch (run.lastResult) {
    case CheckResult.OK:
      return 'exit code 0';
    case CheckResult.FAILED:
      return `exit code ${run.exitCode}`;
    case CheckResult.PENDING:
      return 'no result yet';
    default:
      return run.lastResult.replace('CHECK_RESULT_', '').toLowerCase().replaceAll('_', ' ');
  }
}

/** In one line what an operator must know: the condition where it is unusual, the result, the output's first line. */
export function checkSummary(check: CheckStatus): string {
  const condition = conditionOf(check);
  const result = check.kind === 'exec' || check.lastResult !== CheckResult.OK ? resultText(check) : 'ok';
  const [line = ''] = check.output.split('\n');
  const said = line === '' || line === check.reason ? '' : `: ${line}`;
  if (condition === 'stuck') return singleLine(`stuck: ${check.stuck}`);
  if (condition === 'never ran') return 'never ran';
  return singleLine(`${condition === 'disabled' ? 'disabled: ' : ''}${result}${said}`);
}

/** One check on one node. */
export interface CheckOnNode {
  readonly node: string;
  readonly check: CheckStatus;
}

/** A check that fails wherever it runs: it is its subject that fails, not a node. One line; absent: it does not. */
export function failsEverywhere(name: string, places: readonly CheckOnNode[]): string | undefined {
  if (places.length === 0 || places.some(({ check }) => check.state !== 'down')) return undefined;
  const nodes = places.map(({ node }) => node);
  const where =
    nodes.length === 1
      ? `on the only node that runs it (${nodes[0]})`
      : `on every node that runs it (${nodes.join(', ')})`;
  const reasons = new Set(places.map(({ check }) => checkSummary(check)));
  const why = reasons.size === 1 ? `: ${[...reasons][0]}` : '';
  return singleLine(`check ${name} fails ${where}${why}`);
}
