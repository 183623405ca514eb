/** The agent is restarted beside keepalived and keeps its addresses and its role: nobody takes over, a client notices nothing. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Holders } from '../lab/holders.js';
import { Keepalived, keepalivedFile, vrrpInstance } from '../lab/keepalived.js';
import { labUnavailable } from '../lab/lab.js';
import { Probe } from '../lab/probe.js';
import { StandaloneAgent } from '../lab/standalone-agent.js';
import { until } from '../lab/until.js';
import { openStage, SLACK_MS } from './stage.js';

const skip = labUnavailable('keepalived');
const VIPS = ['10.9.0.100', '2001:db8:9::100'];

test('SIGUSR2 and a start, beside keepalived at one second: no transition, no lost echo', { skip }, async (t) => {
  const { one, two, client } = await openStage(t);
  const conf = (priority: number) =>
    keepalivedFile(
      vrrpInstance('VI_1', { vrid: 41, priority, interval: 1, interface: 'em1', addresses: ['10.9.0.100/32'] }),
      vrrpInstance('VI_2', {
        vrid: 41,
        priority,
        interval: 1,
        interface: 'em1',
        addresses: ['fe80::41/64', '2001:db8:9::100/128'],
      }),
    );
  const first = await StandaloneAgent.start(one, conf(150));
  for (const vip of VIPS) await one.untilHolds(vip, 4000 + SLACK_MS);
  const other = await Keepalived.start(two, conf(100));
  const holders = await Promise.all(VIPS.map((vip) => Holders.watch(vip, one, two)));
  const probes = await Promise.all(VIPS.map((vip) => Probe.start(client, vip)));
  for (const probe of probes) await probe.untilAnswered(SLACK_MS);

  const suspended = performance.now();
  const second = await first.restart();
  t.diagnostic(`configured again after ${(performance.now() - suspended).toFixed(0)} ms`);
  for (const name of ['VI_1', 'VI_2']) {
    const { cause, counters } = await second.router(name);
    assert.match(cause, /goes on where the agent before it was suspended/);
    assert.equal(counters['transitions'], 1);
  }
  // Longer than keepalived's down interval since the last advertisement before the restart.
  const sent = async () => (await second.router()).counters['advertisements-sent'] ?? 0;
  const seen = await sent();
  await until('four more advertisements', 5000 + SLACK_MS, async () => (await sent()) >= seen + 4);
  for (const watched of holders) {
    assert.deepEqual(watched.now, ['one'], watched.address);
    assert.equal(watched.holdings.length, 1, JSON.stringify(watched.holdings));
  }
  for (const probe of probes) {
    const { longestOutageMs, unanswered, answered } = await probe.report();
    t.diagnostic(`${probe.address}: ${answered} echoes answered, ${unanswered} not`);
    assert.ok(answered > 1000);
    assert.ok(longestOutageMs < 20, `${probe.address}: without an answer for ${longestOutageMs} ms`);
  }
  assert.ok(!other.program.lines.some((line) => line.includes('MASTER STATE')), other.program.tail());
  assert.equal(
    (await other.instances()).every(({ state }) => state === 1),
    true,
  );

  await t.test('killed in between and started after its lease: it starts as any other', async () => {
    await second.kill();
    for (const vip of VIPS) await two.untilHolds(vip, 4000 + SLACK_MS);
    for (const vip of VIPS) await one.untilHolds(vip, 4000, false);
  });
});
