/** What is known of each node: the last full state, kept up to date by deltas. Pure. */

import type { CheckStatus, NodeStatus, RouterStatus } from '../../proto/gen/baton/v1/status.js';
import { compareText } from '../../proto/rules/names.js';

/** A full state with a report worked into it. The node's name is ours, not the report's. */
export function mergeStatus(
  before: NodeStatus | undefined,
  report: NodeStatus,
  full: boolean,
  node: string,
): NodeStatus {
  if (full || before === undefined) return { ...report, node };
  return {
    ...report,
    node,
    routers: mergeByName<RouterStatus>(before.routers, report.routers),
    checks: mergeByName<CheckStatus>(before.checks, report.checks),
  };
}

function mergeByName<Item extends { readonly name: string }>(
  before: readonly Item[],
  changed: readonly Item[],
): Item[] {
  if (changed.length === 0) return [...before];
  const items = new Map(before.map((item) => [item.name, item]));
  for (const item of changed) items.set(item.name, item);
  return [...items.values()].sort((a, b) => compareText(a.name, b.name));
}
