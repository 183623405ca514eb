/**
 * Takes the alerts' part of arriving events into the alert tables, inside the transaction that stores the events: an
 * event that was accepted from an agent is either mailed or waiting in a table, whatever dies when.
 */
import type { Transaction } from 'kysely';
import { Event } from '../../proto/gen/baton/v1/events.js';
import { MemberState } from '../../proto/gen/baton/v1/status.js';
import type { StoredEvent } from '../../proto/gen/baton/v1/status_service.js';
import { subjectKey, subjectOfKey } from './subject.js';
import type { AlertTables } from './tables.js';

/** How long something may explain a later state change, by the controller's clock. */
const EVIDENCE_KEPT_MS = 600_000;

/**
 * Called with every batch, in the order of the events, before the transaction commits; each event exactly once.
 * Afterwards, when the transaction has committed, tell the notifier: `notifier.wake()`.
 */
export async function record<Database>(
  transaction: Transaction<Database>,
  storedEvents: readonly StoredEvent[],
): Promise<void> {
  // The caller's schema has more tables; the alert tables are there since the migration "outbox".
  const db = transaction as unknown as Transaction<AlertTables>;
  let newest = 0;
  for (const stored of storedEvents) {
    const event = stored.event;
    if (event === undefined) continue;
    const receivedAt = stored.receivedAt?.getTime() ?? event.time?.getTime() ?? 0;
    newest = Math.max(newest, receivedAt);
    const change = changeOf(event);
    if (change !== undefined) {
      const { key, to, priority } = change;
      const happenedAt = event.time?.getTime() ?? receivedAt;
      const known = await db
        .selectFrom('alert_members')
        .select(['state', 'since'])
        .where('router', '=', key)
        .where('node', '=', event.node)
        .executeTakeFirst();
      await db
        .insertInto('alert_transitions')
        .values({
          event_id: stored.id,
          router: key,
          node: event.node,
          received_at: receivedAt,
          known_state: known?.state ?? '',
          known_since: known?.since ?? 0,
          event: Event.encode(event).finish(),
        })
        .execute();
      const now = { state: to, since: happenedAt, priority };
      await db
        .insertInto('alert_members')
        .values({ router: key, node: event.node, ...now })
        .onConflict((conflict) => conflict.columns(['router', 'node']).doUpdateSet(now))
        .execute();
    } else if (isEvidence(event)) {
      await db
        .insertInto('alert_evidence')
        .values({
          event_id: stored.id,
          node: event.node,
          received_at: receivedAt,
          happened_at: event.time?.getTime() ?? receivedAt,
          event: Event.encode(event).finish(),
        })
        .execute();
    }
  }
  if (newest > 0) {
    await db
      .deleteFrom('alert_evidence')
      .where('received_at', '<', newest - EVIDENCE_KEPT_MS)
      .execute();
  }
}

/** Whose state changed, as the tables name it; undefined: nobody's. Groups have no priority. */
function changeOf(
  event: Event,
): { readonly key: string; readonly to: MemberState; readonly priority: number } | undefined {
  switch (event.detail?.$case) {
    case 'transition': {
      const { to, effectivePriority } = event.detail.value;
      // A name that no router can have is not let among the groups.
      if (event.router === '' || subjectOfKey(event.router).kind !== 'router') return undefined;
      return { key: event.router, to, priority: effectivePriority };
    }
    case 'groupTransition': {
      const { group, to } = event.detail.value;
      return group === '' ? undefined : { key: subjectKey({ kind: 'group', name: group }), to, priority: 0 };
    }
    default:
      return undefined;
  }
}

function isEvidence(event: Event): boolean {
  switch (event.detail?.$case) {
    case 'checkChanged':
    case 'leaseLost':
    case 'agentLifecycle':
    case 'bundleChanged':
      return true;
    default:
      return false;
  }
}

/** A state as the tables hold it. */
export function memberStateFromRow(state: string): MemberState {
  return Object.values(MemberState).find((known) => known === state) ?? MemberState.UNSPECIFIED;
}
