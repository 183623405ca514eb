/** The worker thread of a joined agent hangs: its peer must not notice, and its controller hears the rest afterwards. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Holders } from '../lab/holders.js';
import { labUnavailable } from '../lab/lab.js';
import { Tap } from '../lab/tap.js';
import { Cluster } from './cluster.js';
import { routerManifest } from './manifests.js';

const VIP = '10.9.0.100';
const INTERVAL_MS = 100;

test('a worker thread of a joined agent that is blocked for 5 s moves no advertisement and no address', {
  skip: labUnavailable(),
}, async (t) => {
  const cluster = await Cluster.start(t, ['a', 'b']);
  const [a, b] = [cluster.node('a'), cluster.node('b')];
  await cluster.applyAndWait(routerManifest({ priorities: { a: 150, b: 100 }, addresses: [VIP] }));
  await cluster.untilStates('web', { a: 'active', b: 'backup' });
  assert.equal(await a.agent.stop(), 'exit 0');
  await b.host.untilHolds(VIP, 2000);
  const tap = await Tap.open(b.host);
  a.start({ environment: { NODE_OPTIONS: `--import=${new URL('../lab/block-worker.js', import.meta.url).href}` } });
  await a.host.untilHolds(VIP, 2500);
  await b.host.untilHolds(VIP, 2000, false);
  const held = await Holders.watch(VIP, a.host, b.host);
  await a.agent.untilSays('worker blocked', 5000);
  const from = tap.adverts(a.host.address).length;
  const asked = performance.now();
  const status = a.attempt('status');
  await a.agent.untilSays('worker free', 8000);
  const times = tap
    .adverts(a.host.address)
    .slice(from)
    .map(({ atMs }) => atMs);
  const gaps = times.slice(1).map((atMs, index) => atMs - (times[index] ?? atMs));
  const longest = Math.max(...gaps);
  t.diagnostic(`${gaps.length} intervals of ${INTERVAL_MS} ms, the longest took ${longest.toFixed(1)} ms`);
  assert.ok(gaps.length >= 45, `${gaps.length} intervals were seen`);
  assert.ok(longest < 2 * INTERVAL_MS, `${longest.toFixed(1)} ms between two advertisements`);
  assert.equal((await status).exit, 0);
  assert.ok(performance.now() - asked > 3000, 'the worker was blocked: it did not answer meanwhile');
  await cluster.untilStates('web', { a: 'active', b: 'backup' });
  assert.deepEqual(
    held.holdings.map(({ host, untilMs }) => [host, untilMs]),
    [['a', undefined]],
  );
});
