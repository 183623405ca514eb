import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { nextNumber, readNumber } from '../../controller/store/counter.js';
import { DATABASE_FILE, openStore, type Store, StoreError } from '../../controller/store/database.js';
import { listEvents, listEventsAfter, storeEvents } from '../../controller/store/event-store.js';
import { insertNode, readNodesNamed, retireNode } from '../../controller/store/node-store.js';
import { nextGeneration, readRevision, writeChanges } from '../../controller/store/resource-store.js';
import { createSealKey, loadSealedBox, SealError, SealedBox } from '../../controller/store/sealed-box.js';
import { consumeToken, findUsableToken, insertToken, revokeToken } from '../../controller/store/token-store.js';
import { Event, EventSeverity } from '../../proto/gen/baton/v1/events.js';
import { ChangeKind } from '../../proto/gen/baton/v1/resource_service.js';
import { Resource } from '../../proto/gen/baton/v1/resources.js';

const NOW = new Date(Date.UTC(2030, 0, 1));
const NODE = { nodeId: '0b8f7d1e-6a52-4b59-9c0c-1d8c8d5a2f11', node: 'base1', journal: 'j' };

let dataDir: string;
let store: Store;

beforeEach(async () => {
  dataDir = mkdtempSync(path.join(tmpdir(), 'baton-store-'));
  createSealKey(dataDir);
  store = await openStore(dataDir);
});

afterEach(async () => {
  await store.destroy();
  rmSync(dataDir, { recursive: true, force: true });
});

test('the database is private, also its write-ahead log, and opens again with what is in it', async () => {
  await store.transaction().execute((trx) => insertNode(trx, NODE.nodeId, 'base1', NOW));
  for (const file of [DATABASE_FILE, `${DATABASE_FILE}-wal`, `${DATABASE_FILE}-shm`]) {
    assert.equal(statSync(path.join(dataDir, file)).mode & 0o777, 0o600, file);
  }
  await store.destroy();
  store = await openStore(dataDir);
  assert.equal((await readNodesNamed(store, 'base1')).length, 1);
});

test('a file that is no database is refused with its name', async () => {
  const other = mkdtempSync(path.join(tmpdir(), 'baton-store-'));
  try {
    writeFileSync(path.join(other, DATABASE_FILE), 'this is not a database, and it is long enough to look at');
    await assert.rejects(openStore(other), (error) => {
      assert.ok(error instanceof StoreError);
      assert.match(error.message, /baton\.db.*not a database/);
      return true;
    });
  } finally {
    rmSync(other, { recursive: true, force: true });
  }
});

test('numbers are given out once, also after what they named is gone', async () => {
  const take = (count: number) => store.transaction().execute((trx) => nextNumber(trx, 'event', count));
  assert.equal(await take(3), 1);
  assert.equal(await take(1), 4);
  assert.equal(await readNumber(store, 'event'), 4);
  assert.equal(await readNumber(store, 'generation'), 0);
});

test('sealed values open only with their key, in their place, unchanged', () => {
  const box = loadSealedBox(dataDir);
  const sealed = box.seal(Buffer.from('hunter2'), 'Secret/smtp');
  assert.equal(Buffer.from(box.open(sealed, 'Secret/smtp')).toString(), 'hunter2');
  assert.ok(!Buffer.from(sealed).includes('hunter2'));
  assert.notDeepEqual(box.seal(Buffer.from('hunter2'), 'Secret/smtp'), sealed);
  assert.throws(() => box.open(sealed, 'Secret/other'), SealError);
  for (const at of [0, 12, 28, sealed.length - 1]) {
    const changed = Buffer.from(sealed);
    changed[at] = (changed[at] ?? 0) ^ 1;
    assert.throws(() => box.open(changed, 'Secret/smtp'), SealError, `byte ${at}`);
  }
  assert.throws(() => new SealedBox(Buffer.alloc(32)).open(sealed, 'Secret/smtp'), SealError);
  assert.equal(statSync(path.join(dataDir, 'secrets.key')).mode & 0o777, 0o600);
});

test('secret values are in no file of the data directory in clear, in the history neither', async () => {
  const box = loadSealedBox(dataDir);
  const canary = 'canary-5f0a';
  const resource = Resource.fromPartial({
    metadata: { name: 'smtp' },
    spec: { $case: 'secret', value: { value: canary } },
  });
  await store.transaction().execute(async (trx) => {
    const generation = await nextGeneration(trx, 'test', NOW);
    const changed = [{ kind: 'Secret', name: 'smtp', change: ChangeKind.CREATED as const, resource }];
    await writeChanges(trx, box, generation, changed, NOW);
  });
  const { inventory, generation } = await readRevision(store, box);
  assert.equal(generation, 1);
  assert.deepEqual(inventory.get('Secret/smtp')?.spec, resource.spec);
  for (const file of [DATABASE_FILE, `${DATABASE_FILE}-wal`]) {
    assert.ok(!readFileSync(path.join(dataDir, file)).includes(canary), file);
  }
});

function event(sequence: number, change: Partial<Event> = {}): Event {
  return Event.fromPartial({ sequence, node: 'forged', message: `event ${sequence}`, ...change });
}

async function put(events: readonly Event[], source = NODE): Promise<number[]> {
  const stored = await store.transaction().execute((trx) => storeEvents(trx, source, events, NOW));
  return stored.map((item) => item.event?.sequence ?? 0);
}

test('an event is stored once per node, journal and sequence, under the name of its certificate', async () => {
  await store.transaction().execute((trx) => insertNode(trx, NODE.nodeId, 'base1', NOW));
  assert.deepEqual(await put([event(1), event(2), event(2)]), [1, 2]);
  assert.deepEqual(await put([event(2), event(3)]), [3]);
  assert.deepEqual(await put([event(1)], { ...NODE, journal: 'other' }), [1]);
  const events = await listEvents(store, undefined, 10);
  assert.deepEqual(
    events.map(({ id, event: stored }) => [id, stored?.node, stored?.sequence]),
    [
      [1, 'base1', 1],
      [2, 'base1', 2],
      [3, 'base1', 3],
      [4, 'base1', 1],
    ],
  );
});

test('events are found by node, router, severity and number, the newest so many, oldest first', async () => {
  await store.transaction().execute((trx) => insertNode(trx, NODE.nodeId, 'base1', NOW));
  const severities = [EventSeverity.INFO, EventSeverity.WARNING, EventSeverity.ERROR];
  await put(severities.map((severity, index) => event(index + 1, { severity, router: index === 0 ? 'pg' : 'web' })));
  const filter = { node: '', router: '', severity: EventSeverity.UNSPECIFIED };
  const found = async (change: object, limit = 10) =>
    (await listEvents(store, { ...filter, ...change }, limit)).map(({ id }) => id);
  assert.deepEqual(await found({}), [1, 2, 3]);
  assert.deepEqual(await found({}, 2), [2, 3]);
  assert.deepEqual(await found({ severity: EventSeverity.WARNING }), [2, 3]);
  assert.deepEqual(await found({ router: 'pg' }), [1]);
  assert.deepEqual(await found({ node: 'base2' }), []);
  assert.deepEqual(
    (await listEventsAfter(store, filter, 1, 1)).map(({ id }) => id),
    [2],
  );
});

test('a batch larger than one statement takes is stored whole', async () => {
  await store.transaction().execute((trx) => insertNode(trx, NODE.nodeId, 'base1', NOW));
  const many = Array.from({ length: 5_000 }, (_, index) => event(index + 1));
  assert.equal((await put(many)).length, 5_000);
});

function token(id: string) {
  const at = NOW.getTime();
  return {
    id,
    hash: `hash-${id}`,
    node: '',
    created_at: at,
    expires_at: at + 1_000,
    used_at: 0,
    used_by: '',
    revoked_at: 0,
  };
}

test('a token is used once, in time, unless revoked', async () => {
  const use = (id: string, now: Date) => store.transaction().execute((trx) => consumeToken(trx, id, 'base1', now));
  for (const id of ['a', 'b', 'c']) await insertToken(store, token(id));
  assert.equal((await findUsableToken(store, 'hash-a', NOW))?.id, 'a');
  assert.deepEqual(await Promise.all([use('a', NOW), use('a', NOW), use('a', NOW)]), [true, false, false]);
  assert.equal(await findUsableToken(store, 'hash-a', NOW), undefined);
  assert.equal(await use('b', new Date(NOW.getTime() + 1_000)), false);
  assert.equal(await revokeToken(store, 'c', NOW), true);
  assert.equal(await use('c', NOW), false);
  assert.equal(await revokeToken(store, 'nothing', NOW), false);
});

test('a name can be had again after its node was retired, and its history stays', async () => {
  await store.transaction().execute(async (trx) => {
    await insertNode(trx, NODE.nodeId, 'base1', NOW);
    await retireNode(trx, NODE.nodeId, NOW);
    await insertNode(trx, '11111111-6a52-4b59-9c0c-1d8c8d5a2f11', 'base1', new Date(NOW.getTime() + 1));
  });
  const had = await readNodesNamed(store, 'base1');
  assert.deepEqual(
    had.map((row) => row.deleted_at > 0),
    [false, true],
  );
});

test('who has a name now comes first, also when the clock was set back since it had another owner', async () => {
  const second = '1c9f8e2f-7b63-4c6a-8d1d-2e9d9e6b3f22';
  await store.transaction().execute(async (trx) => {
    await insertNode(trx, NODE.nodeId, 'base1', NOW);
    await retireNode(trx, NODE.nodeId, NOW);
    await insertNode(trx, second, 'base1', new Date(NOW.getTime() - 3_600_000));
  });
  assert.deepEqual(
    (await readNodesNamed(store, 'base1')).map(({ id }) => id),
    [second, NODE.nodeId],
  );
});
