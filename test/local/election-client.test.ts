import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ElectionClient } from '../../agent/local/election-client.js';
import type { ElectionStatus } from '../../agent/runtime/messages.js';
import { ManualClock } from './manual-clock.js';

test('what was asked while the elections end is answered by how they ended, at once', async () => {
  const clock = new ManualClock();
  let ends = 0;
  const client = new ElectionClient({ postMessage: () => undefined }, clock, {
    occurrence: () => undefined,
    stopped: () => (ends += 1),
  });
  const asked = client.status();
  const configured = client.configure({ routers: [], groups: [], hostNetworks: [] });
  const lag = { last: 0, max: 0, timers: 0 };
  const status: ElectionStatus = { at: 1, wallMs: 2, routers: [], groups: [], hostItems: [], interfaces: [], lag };
  client.received({ kind: 'stopped', status, resumable: [] });
  assert.equal(await asked, status);
  assert.deepEqual(await configured, [{ path: '', reason: 'the agent is stopping' }]);
  assert.equal(await client.status(), status);
  assert.equal(ends, 1);
});
