/** The worker's parts together, with an election thread that takes everything and runs nothing. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { pino } from 'pino';
import { hashOf } from '../../agent/bundle/bundle-store.js';
import { AgentWorker } from '../../agent/local/agent-worker.js';
import { ElectionClient } from '../../agent/local/election-client.js';
import type { ToElection } from '../../agent/runtime/messages.js';
import { Bundle } from '../../proto/gen/baton/v1/bundle.js';
import { AgentConfig } from '../../proto/gen/baton/v1/config.js';
import { sampleRouter } from '../bundle/sample-bundle.js';
import { ManualClock } from './manual-clock.js';

const scratch = mkdtempSync(path.join(tmpdir(), 'baton-worker-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

/** On the loopback interface and with no program, so that any host can run it. */
function bundle(priority: number, device = 'lo'): Bundle {
  const plain = { interface: device, track: [], hooks: undefined, addresses: [{ address: '192.0.2.1/24', device }] };
  return Bundle.fromPartial({ node: 'base1', routers: [sampleRouter({ ...plain, priority })] });
}

async function setUp(name: string) {
  const clock = new ManualClock();
  const logged: { level: number; msg: string }[] = [];
  const log = pino({ level: 'debug' }, { write: (line: string) => logged.push(JSON.parse(line)) });
  const election = new ElectionClient({ postMessage: (message: ToElection) => answer(message) }, clock, {
    occurrence: () => undefined,
    stopped: () => undefined,
  });
  function answer(message: ToElection): void {
    if (message.kind === 'configure') election.received({ kind: 'configured', nonce: message.nonce, problems: [] });
    if (message.kind !== 'statusRequest') return;
    const lag = { last: 0, max: 0, timers: 0 };
    const status = {
      at: clock.now(),
      wallMs: clock.wallMs(),
      routers: [],
      groups: [],
      hostItems: [],
      interfaces: [],
      lag,
    };
    election.received({ kind: 'status', id: message.id, status });
  }
  const worker = await AgentWorker.open({
    clock,
    log,
    version: '1',
    stateDir: path.join(scratch, name),
    startedWallMs: clock.wallMs(),
    config: AgentConfig.fromPartial({}),
    election,
    resumed: [],
    inForce: () => undefined,
  });
  after(() => worker.finish(false));
  let nonce = 0;
  return {
    clock,
    push: async (wanted: Bundle, generation: number) => {
      nonce += 1;
      const content = Buffer.from(Bundle.encode(wanted).finish());
      return await worker.applyBundle({ nonce, bundle: { generation, hash: hashOf(content) }, content });
    },
    events: async () => {
      await worker.journal.flush();
      return worker.pendingEvents(0, 100).map(({ message }) => message);
    },
    loud: () => logged.filter(({ level }) => level > 20).map(({ msg }) => msg),
    refused: async () => {
      const { refused } = await worker.fullStatus();
      return refused && { generation: refused.bundle?.generation, at: refused.at?.getTime() };
    },
  };
}

test('the same refusal again is neither an event nor a line of the log, and is told since when', async () => {
  const { clock, push, events, loud, refused } = await setUp('again');
  await push(bundle(100), 1);
  const refusedAt = clock.wallMs();
  for (const generation of [2, 2, 3]) {
    const verdict = await push(bundle(100, 'nosuch0'), generation);
    assert.match(verdict.refusals[0]?.reason ?? '', /this host has no interface nosuch0/);
    await clock.advance(60_000);
  }
  assert.deepEqual(loud(), ['configuration in force', 'configuration refused']);
  assert.equal((await events()).length, 2);
  assert.match(
    (await events())[1] ?? '',
    /generation 2 was refused: routers\[pg\]\.interface: this host has no interface/,
  );
  assert.deepEqual(await refused(), { generation: 3, at: refusedAt });
});

test('another reason, another bundle, and the same one after something else was wanted are news', async () => {
  const { clock, push, events, refused } = await setUp('news');
  await push(bundle(100), 1);
  await push(bundle(100, 'nosuch0'), 2);
  await push(bundle(100, 'nosuch1'), 3);
  assert.equal((await events()).length, 3);
  // What runs is wanted again: nothing changes but that nothing is refused.
  assert.equal((await push(bundle(100), 4)).accepted, true);
  assert.equal(await refused(), undefined);
  assert.equal((await events()).length, 3);
  await clock.advance(60_000);
  await push(bundle(100, 'nosuch1'), 5);
  assert.equal((await events()).length, 4);
  assert.deepEqual(await refused(), { generation: 5, at: clock.wallMs() });
});
