/** Events as nodes sent them, each stored exactly once per node, journal and sequence. */
import { Event, EventSeverity } from '../../proto/gen/baton/v1/events.js';
import type { EventFilter, StoredEvent } from '../../proto/gen/baton/v1/status_service.js';
import { nextNumber } from './counter.js';
import type { Store, StoreTransaction } from './database.js';
import type { EventTable } from './schema.js';

const SEVERITY_RANK: ReadonlyMap<EventSeverity, number> = new Map([
  [EventSeverity.UNSPECIFIED, 0],
  [EventSeverity.INFO, 1],
  [EventSeverity.WARNING, 2],
  [EventSeverity.ERROR, 3],
]);

/** SQLite takes 32,766 parameters per statement; a row has 9. */
const ROWS_PER_INSERT = 500;

/** From whom a batch came, by certificate and hello. */
export interface EventSource {
  readonly nodeId: string;
  readonly node: string;
  readonly journal: string;
}

/**
 * Stores those events of a batch that are not there yet and answers them in order. The node of every event is the
 * source's, whatever the event says.
 */
export async function storeEvents(
  trx: StoreTransaction,
  source: EventSource,
  events: readonly Event[],
  receivedAt: Date,
): Promise<StoredEvent[]> {
  if (events.length === 0) return [];
  const known = new Set<number>();
  const sequences = events.map((event) => event.sequence);
  const rows = await trx
    .selectFrom('events')
    .select('sequence')
    .where('node_id', '=', source.nodeId)
    .where('journal', '=', source.journal)
    .where('sequence', '>=', Math.min(...sequences))
    .where('sequence', '<=', Math.max(...sequences))
    .execute();
  for (const row of rows) known.add(row.sequence);
  const fresh: Event[] = [];
  for (const event of events) {
    if (known.has(event.sequence)) continue;
    known.add(event.sequence);
    fresh.push({ ...event, node: source.node });
  }
  if (fresh.length === 0) return [];
  const firstId = await nextNumber(trx, 'event', fresh.length);
  const stored = fresh.map((event, index): StoredEvent => ({ id: firstId + index, receivedAt, event }));
  const values = fresh.map((event, index) => ({
    id: firstId + index,
    node_id: source.nodeId,
    node: source.node,
    journal: source.journal,
    sequence: event.sequence,
    received_at: receivedAt.getTime(),
    severity: SEVERITY_RANK.get(event.severity) ?? 0,
    router: event.router,
    content: Event.encode(event).finish(),
  }));
  for (let start = 0; start < values.length; start += ROWS_PER_INSERT) {
    await trx
      .insertInto('events')
      .values(values.slice(start, start + ROWS_PER_INSERT))
      .execute();
  }
  return stored;
}

/** The newest so many that match, oldest first. */
export async function listEvents(db: Store, filter: EventFilter | undefined, limit: number): Promise<StoredEvent[]> {
  const rows = await matching(db, filter).orderBy('id', 'desc').limit(limit).execute();
  return rows.reverse().map(fromRow);
}

/** Those that match and came after event `afterId`, oldest first. */
export async function listEventsAfter(
  db: Store,
  filter: EventFilter | undefined,
  afterId: number,
  limit: number,
): Promise<StoredEvent[]> {
  const rows = await matching(db, filter).where('id', '>', afterId).orderBy('id').limit(limit).execute();
  return rows.map(fromRow);
}

/** Deletes events that were received before an instant, at most so many. @returns how many it was */
export async function deleteEventsBefore(db: Store, before: Date, limit: number): Promise<number> {
  const result = await db
    .deleteFrom('events')
    .where('id', 'in', (query) =>
      query.selectFrom('events').select('id').where('received_at', '<', before.getTime()).orderBy('id').limit(limit),
    )
    .executeTakeFirst();
  return Number(result.numDeletedRows);
}

function matching(db: Store, filter: EventFilter | undefined) {
  let query = db.selectFrom('events').selectAll();
  if (filter?.node !== undefined && filter.node !== '') query = query.where('node', '=', filter.node);
  if (filter?.router !== undefined && filter.router !== '') query = query.where('router', '=', filter.router);
  const rank = filter === undefined ? 0 : (SEVERITY_RANK.get(filter.severity) ?? 0);
  return rank > 0 ? query.where('severity', '>=', rank) : query;
}

function fromRow(row: EventTable): StoredEvent {
  return { id: row.id, receivedAt: new Date(row.received_at), event: Event.decode(row.content) };
}
