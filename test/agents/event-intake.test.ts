import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { EventIntake } from '../../controller/agents/event-intake.js';
import { openStore, type Store } from '../../controller/store/database.js';
import { deleteEventsBefore, listEvents } from '../../controller/store/event-store.js';
import { insertNode } from '../../controller/store/node-store.js';
import { Event } from '../../proto/gen/baton/v1/events.js';
import { MemberState } from '../../proto/gen/baton/v1/status.js';

const NOW = new Date(Date.UTC(2030, 0, 1));
const KNOWN = { nodeId: '0b8f7d1e-6a52-4b59-9c0c-1d8c8d5a2f11', node: 'base1', journal: 'j' };
const UNKNOWN = { nodeId: '11111111-6a52-4b59-9c0c-1d8c8d5a2f11', node: 'nobody', journal: 'j' };

let dataDir: string;
let store: Store;
let told: number;
let intake: EventIntake;

beforeEach(async () => {
  dataDir = mkdtempSync(path.join(tmpdir(), 'baton-intake-'));
  store = await openStore(dataDir);
  await store.transaction().execute((trx) => insertNode(trx, KNOWN.nodeId, KNOWN.node, NOW));
  told = 0;
  intake = new EventIntake(
    store,
    () => NOW,
    () => {
      told += 1;
    },
  );
});

afterEach(async () => {
  await store.destroy();
  rmSync(dataDir, { recursive: true, force: true });
});

function event(sequence: number): Event {
  return Event.fromPartial({ sequence, message: `event ${sequence}` });
}

test('batches that arrive together are stored together, in order', async () => {
  const batches = Array.from({ length: 50 }, (_, index) => intake.add(KNOWN, [event(index + 1)]));
  await Promise.all(batches);
  const stored = await listEvents(store, undefined, 100);
  assert.deepEqual(
    stored.map(({ event: item }) => item?.sequence),
    Array.from({ length: 50 }, (_, index) => index + 1),
  );
  // The first alone, as it was there first; the other 49 with one durable write.
  assert.equal(told, 2);
});

test('a batch that cannot be stored fails alone', async () => {
  const outcomes = await Promise.allSettled([
    intake.add(KNOWN, [event(1)]),
    intake.add(KNOWN, [event(2)]),
    intake.add(UNKNOWN, [event(1)]),
    intake.add(KNOWN, [event(3)]),
  ]);
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    ['fulfilled', 'fulfilled', 'rejected', 'fulfilled'],
  );
  assert.equal((await listEvents(store, undefined, 10)).length, 3);
});

test('a state change is recorded for mail in the same transaction, once', async () => {
  const detail = { $case: 'transition' as const, value: { from: MemberState.BACKUP, to: MemberState.ACTIVE } };
  const transition = Event.fromPartial({ sequence: 1, router: 'pg', detail });
  await intake.add(KNOWN, [transition]);
  await intake.add(KNOWN, [transition]);
  const rows = await store.selectFrom('alert_transitions').selectAll().execute();
  assert.deepEqual(
    rows.map(({ event_id, router, node }) => ({ event_id, router, node })),
    [{ event_id: 1, router: 'pg', node: 'base1' }],
  );
});

test('old events are deleted, the oldest first, at most so many at a time', async () => {
  await intake.add(KNOWN, [event(1), event(2), event(3)]);
  assert.equal(await deleteEventsBefore(store, NOW, 10), 0);
  assert.equal(await deleteEventsBefore(store, new Date(NOW.getTime() + 1), 2), 2);
  const left = await listEvents(store, undefined, 10);
  assert.deepEqual(
    left.map(({ id }) => id),
    [3],
  );
});
