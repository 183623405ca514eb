/** The hub with a store of its own and a stream that a test plays the agent on. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Duplex } from 'node:stream';
import { afterEach, beforeEach, test } from 'node:test';
import { pino } from 'pino';
import { AgentHub } from '../../controller/agents/agent-hub.js';
import type { SessionCall } from '../../controller/agents/session-stream.js';
import { openStore, type Store } from '../../controller/store/database.js';
import { insertNode, readRefusals } from '../../controller/store/node-store.js';
import { SealedBox } from '../../controller/store/sealed-box.js';
import { AgentHello, BundleResult, type SessionRequest } from '../../proto/gen/baton/v1/agent_service.js';
import { NodeStatus } from '../../proto/gen/baton/v1/status.js';

const ID = '0b8f7d1e-6a52-4b59-9c0c-1d8c8d5a2f11';
const A = { generation: 1, hash: 'aa' };
const B = { generation: 2, hash: 'bb' };
const DAY_MS = 24 * 3_600_000;

let dataDir: string;
let store: Store;
let hub: AgentHub;
let now: number;
let logged: { level: number; msg: string }[];

beforeEach(async () => {
  dataDir = mkdtempSync(path.join(tmpdir(), 'baton-hub-'));
  store = await openStore(dataDir);
  now = Date.UTC(2030, 0, 1);
  logged = [];
  await store.transaction().execute((trx) => insertNode(trx, ID, 'base1', new Date(now)));
  const log = pino({ level: 'debug' }, { write: (line: string) => logged.push(JSON.parse(line)) });
  hub = await AgentHub.open({ store, box: new SealedBox(Buffer.alloc(32)), now: () => new Date(now), log });
});

afterEach(async () => {
  await hub.stop();
  await store.destroy();
  rmSync(dataDir, { recursive: true, force: true });
});

/** An agent on a stream: what it says is handled when `say` resolves. */
function connect() {
  const call = new Duplex({ objectMode: true, read: () => undefined, write: (_chunk, _encoding, done) => done() });
  const ended = new Promise<{ code?: number; details?: string }>((resolve) => {
    call.once('error', resolve);
    call.once('close', () => resolve({}));
  });
  const session = Object.assign(call, { getPeer: () => '10.0.0.1:1' }) as unknown as SessionCall;
  assert.ok(hub.attach(session, { role: 'agent', id: ID, name: 'base1', serial: '01', expiresAt: now + DAY_MS }));
  const say = async (message: NonNullable<SessionRequest['message']>): Promise<void> => {
    call.push({ message });
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  };
  return {
    ended,
    hello: () => say({ $case: 'hello', value: AgentHello.fromPartial({ status: {}, journalId: 'j' }) }),
    refuse: (nonce: number, bundle: typeof A, reason: string) => {
      const value = BundleResult.fromPartial({ nonce, bundle, refusals: [{ path: '', reason }] });
      return say({ $case: 'bundleResult', value });
    },
    report: (sequence: number, status: NodeStatus) =>
      say({ $case: 'status', value: { sequence, full: false, status } }),
  };
}

test('a refusal is news once, and of a bundle that is wanted anew it is unknown', async () => {
  hub.bundlesChanged(new Map([['base1', B]]));
  const first = connect();
  await first.hello();
  await first.refuse(1, B, 'disk full');
  const refusedAt = now;
  now += 60_000;
  const again = connect();
  await again.hello();
  await again.refuse(1, B, 'disk full');
  const told = () => logged.filter(({ msg, level }) => msg === 'bundle refused' && level > 20).length;
  assert.equal(told(), 1);
  assert.deepEqual(hub.node('base1')?.refusals, [{ path: '', reason: 'disk full' }]);
  const row = await store.selectFrom('bundle_refusals').select('refused_at').executeTakeFirst();
  assert.equal(row?.refused_at, refusedAt);
  hub.bundlesChanged(new Map([['base1', A]]));
  hub.bundlesChanged(new Map([['base1', B]]));
  assert.deepEqual(hub.node('base1')?.refusals, []);
  await again.refuse(3, B, 'disk full');
  assert.equal(told(), 2);
  assert.equal((await readRefusals(store)).get(ID)?.hash, 'bb');
});

test('an agent that reports more than is kept of one node is told so and cut', async () => {
  const agent = connect();
  await agent.hello();
  const routers = (from: number, count: number) =>
    NodeStatus.fromPartial({ routers: Array.from({ length: count }, (_, index) => ({ name: `r${from + index}` })) });
  await agent.report(1, routers(0, 4_096));
  await agent.report(2, routers(4_096, 1));
  const { code, details } = await agent.ended;
  assert.deepEqual([code, details], [8, 'its reports name 4097 routers and checks; at most 4096 of one node are kept']);
  assert.equal(hub.node('base1')?.status?.routers.length, 4_096);
});
