/** The worker thread of a whole agent is blocked: the elections must not notice. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { keepalivedConf } from '../lab/keepalived.js';
import { Lab, labUnavailable } from '../lab/lab.js';
import { Tap } from '../lab/tap.js';

const VIP = '10.9.0.100';
const INTERVAL_MS = 100;

test('a worker thread blocked for 5 s delays no advertisement', { skip: labUnavailable() }, async (t) => {
  const lab = await Lab.open();
  t.after(() => lab.close());
  const a = await lab.host('a', { addresses: ['10.9.0.1/24'] });
  const b = await lab.host('b', { addresses: ['10.9.0.2/24'] });
  const tap = await Tap.open(b);
  const file = join(lab.directory, 'keepalived.conf');
  writeFileSync(
    file,
    keepalivedConf({
      vrid: 9,
      priority: 100,
      interval: INTERVAL_MS / 1000,
      interface: 'em1',
      addresses: [`${VIP}/32`],
    }),
  );
  const agent = a.start(
    process.execPath,
    '--import',
    new URL('../lab/block-worker.js', import.meta.url).href,
    fileURLToPath(new URL('../../agent/main.js', import.meta.url)),
    'run',
    '--standalone',
    file,
    '--state-dir',
    join(lab.directory, 'state'),
    '--run-dir',
    join(lab.directory, 'run'),
  );
  await a.untilHolds(VIP, 5000);
  await agent.untilSays('worker blocked', 5000);
  const from = tap.adverts('10.9.0.1').length;
  await agent.untilSays('worker free', 8000);
  const times = tap
    .adverts('10.9.0.1')
    .slice(from)
    .map(({ atMs }) => atMs);
  const gaps = times.slice(1).map((atMs, index) => atMs - (times[index] ?? atMs));
  const longest = Math.max(...gaps);
  t.diagnostic(`${gaps.length} intervals of ${INTERVAL_MS} ms, the longest took ${longest.toFixed(1)} ms`);
  assert.ok(gaps.length > 40, `${gaps.length} intervals were seen`);
  assert.ok(longest < 2 * INTERVAL_MS, `${longest.toFixed(1)} ms between two advertisements`);
  assert.equal(await a.holds(VIP), true);
});
