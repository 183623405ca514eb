/** What is known of each node: the last full state, kept up to date by deltas. Pure. */

import { type CheckStatus, NodeStatus, type RouterStatus } from '../../proto/gen/baton/v1/status.js';
import { compareText } from '../../proto/rules/names.js';

/** Routers and checks of one node together. */
export const MAX_STATUS_ITEMS = 4_096;

/** One node's state, encoded: as much as one full report can hold. */
export const MAX_STATUS_BYTES = 4 * 1024 * 1024;

/** What is kept of one node's state. */
export interface KeptStatus {
  readonly status: NodeStatus;
  /** Encoded size or more: what was replaced since it was last measured still counts. */
  readonly bytes: number;
}

/**
 * Works a report into what is kept. Deltas may bring names that are new, and an agent that invents ever more of them must
 * not fill our memory: beyond the limits the report is refused as a whole, with the reason.
 */
export function keepStatus(
  before: KeptStatus | undefined,
  report: NodeStatus,
  full: boolean,
  node: string,
): { readonly ok: true; readonly kept: KeptStatus } | { readonly ok: false; readonly reason: string } {
  const status = mergeStatus(before?.status, report, full, node);
  const items = status.routers.length + status.checks.length;
  if (items > MAX_STATUS_ITEMS) {
    const reason = `its reports name ${items} routers and checks; at most ${MAX_STATUS_ITEMS} of one node are kept`;
    return { ok: false, reason };
  }
  let bytes = (full ? 0 : (before?.bytes ?? 0)) + sizeOf(report);
  if (bytes > MAX_STATUS_BYTES) bytes = sizeOf(status);
  if (bytes > MAX_STATUS_BYTES) {
    return {
      ok: false,
      reason: `its reports add up to ${bytes} bytes; at most ${MAX_STATUS_BYTES} of one node are kept`,
    };
  }
  return { ok: true, kept: { status, bytes } };
}

function sizeOf(status: NodeStatus): number {
  return NodeStatus.encode(status).finish().length;
}

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
