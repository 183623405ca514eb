/** What befalls whole agents: their clock, their controller, their certificate, a configuration that ends them. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { MemberState } from '../../proto/gen/baton/v1/status.js';
import { Cluster } from '../e2e/cluster.js';
import { routerManifest } from '../e2e/manifests.js';
import { AgentHost } from '../lab/agent-host.js';
import { outputOf } from '../lab/command.js';
import { Holders } from '../lab/holders.js';
import { keepalivedConf } from '../lab/keepalived.js';
import { Lab, labUnavailable } from '../lab/lab.js';
import { throughout, until } from '../lab/until.js';
import { Audit } from './audit.js';

const skip = labUnavailable();
const VIP = '10.9.0.100';
const ADDED = '10.9.0.101';
const HOUR_MS = 3_600_000;
const YEAR_MS = 365 * 24 * HOUR_MS;
/** Intervals of 100 ms, priority 100. */
const DOWN_MS = 361;
const MARGIN_MS = 300;

test('F09 F10 the clock is set back an hour and forward a year: nobody notices', { skip }, async (t) => {
  const lab = await Lab.open();
  t.after(() => lab.close());
  const [a, b] = [
    new AgentHost(await lab.host('a', { addresses: ['10.9.0.1/24'] })),
    new AgentHost(await lab.host('b', { addresses: ['10.9.0.2/24'] })),
  ];
  const clock = path.join(lab.directory, 'ahead');
  writeFileSync(clock, '0');
  const environment = {
    NODE_OPTIONS: `--import=${new URL('./step-clock.js', import.meta.url).href}`,
    BATON_TEST_CLOCK_FILE: clock,
  };
  for (const [agent, priority] of [
    [a, 150],
    [b, 100],
  ] as const) {
    const file = path.join(agent.directory, 'keepalived.conf');
    writeFileSync(file, keepalivedConf({ vrid: 9, priority, interval: 0.1, interface: 'em1', addresses: [VIP] }));
    agent.startAlone(file, { environment });
    await agent.agent.untilSays(priority === 150 ? '"to":"active"' : '"to":"backup"', 10_000);
  }
  await Promise.all([a, b].map(({ host }) => host.untilIpv6Ready()));
  const holders = await Holders.watch(VIP, a.host, b.host);
  const states = async () => (await Promise.all([a.status(), b.status()])).map(({ routers }) => routers[0]?.state);
  const changes = () => [a, b].flatMap(({ agent }) => agent.lines.filter((line) => line.includes('"to":"'))).length;
  await states();
  const audit = await Audit.begin({ host: a.host, agents: () => [a.agent] }, { host: b.host, agents: () => [b.agent] });
  const before = changes();
  for (const aheadMs of [-HOUR_MS, YEAR_MS]) {
    writeFileSync(clock, String(aheadMs));
    // What it says from now on has the time that it thinks it is.
    await until('the agents to have the other time', 5000, () => {
      for (const { agent } of [a, b]) agent.signal('SIGHUP');
      return [a, b].every(({ agent }) => Math.abs(newestTime(agent.lines) - Date.now() - aheadMs) < 60_000);
    });
    await throughout('nothing moves', 1500, () => changes() === before && holders.now.join() === 'a');
    assert.deepEqual(await states(), [MemberState.ACTIVE, MemberState.BACKUP]);
  }
  const failedAt = Date.now();
  await a.agent.kill();
  const took = await until('b to take over', 5000, () => {
    const held = holders.holdings.find(({ host }) => host === 'b');
    return held === undefined ? undefined : held.fromMs - failedAt;
  });
  assert.ok(took <= DOWN_MS + MARGIN_MS, `taken over after ${took} ms`);
  await a.host.untilHolds(VIP, 3000, false);
  a.startAlone(path.join(a.directory, 'keepalived.conf'), { environment });
  await until('a to be active again', 10_000, () => holders.now.join() === 'a');
  await audit.untilAsBefore();
});

test('agents of a controller that is gone, or whose certificates have expired', { skip }, async (t) => {
  const cluster = await Cluster.start(t, ['a', 'b']);
  const { controller } = cluster;
  const [a, b] = [cluster.node('a'), cluster.node('b')];
  const manifest = (addresses: readonly string[]) => routerManifest({ priorities: { a: 150, b: 100 }, addresses });
  await cluster.applyAndWait(manifest([VIP]));
  await cluster.applyAndWait(manifest([VIP, ADDED]));
  await cluster.untilStates('web', { a: 'active', b: 'backup' });
  const holders = await Holders.watch(VIP, a.host, b.host);

  await t.test('F13 the controller dies during a failover: it takes no longer', async () => {
    const failedAt = Date.now();
    await Promise.all([a.agent.kill(), controller.program.kill()]);
    const took = await until('b to take over', 5000, () => {
      const held = holders.holdings.find(({ host }) => host === 'b');
      return held === undefined ? undefined : held.fromMs - failedAt;
    });
    t.diagnostic(`F13: taken over after ${took.toFixed(0)} ms`);
    assert.ok(took <= DOWN_MS + MARGIN_MS, `taken over after ${took} ms`);
  });

  await t.test('F12 the agent starts and no controller was ever there: active from what it has stored', async () => {
    const startedAt = performance.now();
    a.start();
    await until('a alone to hold it', 10_000, () => holders.now.join() === 'a');
    t.diagnostic(`F12: active ${(performance.now() - startedAt).toFixed(0)} ms after its start`);
  });

  await t.test(
    'F14 its certificate has expired: it elects, says so, and is connected again once it has joined anew',
    async () => {
      await controller.start();
      assert.equal(await a.agent.stop(), 'exit 0');
      await b.host.untilHolds(VIP, 3000);
      // A certificate of a year ago, when the controller's clock was.
      const past = await controller.createToken('a');
      await controller.stop();
      const module = new URL('../e2e/late-clock.js', import.meta.url).href;
      await controller.start({
        environment: { NODE_OPTIONS: `--import=${module}`, LATE_CLOCK_MS: String(-YEAR_MS) },
      });
      outputOf(await a.join(controller.endpoint, past));
      await controller.stop();
      await controller.start();
      a.start();
      await until('a alone to hold it', 10_000, () => holders.now.join() === 'a');
      await until(
        'the expired certificate to be told',
        10_000,
        async () => /certificate has expired/.test((await a.status()).controller?.error ?? ''),
        async () => ({ link: (await a.status()).controller, said: a.agent.tail() }),
      );
      assert.deepEqual((await a.status()).routers[0]?.state, MemberState.ACTIVE);
      const changes = a.agent.lines.filter((line) => line.includes('"to":"')).length;
      await cluster.join(a);
      await until('a to be connected', 5_000, async () => (await a.status()).controller?.state === 'connected');
      // To b the controller of a year ago did not know its certificate yet: it tries again after 30 s at most.
      await cluster.untilStates('web', { a: 'active', b: 'backup' }, 35_000);
      assert.equal(a.agent.lines.filter((line) => line.includes('"to":"')).length, changes);
    },
  );

  await t.test('F60 an agent that ends three times shortly after its start runs the bundle before', async () => {
    await controller.program.kill();
    assert.equal(await a.agent.stop(), 'exit 0');
    for (let crash = 0; crash < 3; crash++) {
      a.start();
      await a.agent.untilSays('configuration in force', 10_000);
      assert.deepEqual((await a.status()).routers[0]?.addresses, [`${VIP}/32`, `${ADDED}/32`]);
      await a.agent.kill();
    }
    a.start();
    await until('a alone to hold it', 10_000, () => holders.now.join() === 'a');
    assert.deepEqual((await a.status()).routers[0]?.addresses, [`${VIP}/32`]);
    assert.match(await a.command('events', '-n', '50'), /ended 3 times shortly after it was started/);

    // The controller wants the same one again; it is refused with the reason until there is another one.
    await controller.start();
    const node = await until('the refusal', 20_000, async () => {
      const status = await cluster.nodeStatus('a');
      return status.refusals.length > 0 ? status : undefined;
    });
    assert.match(node.refusals[0]?.reason ?? '', /ended 3 times shortly after it was started with it/);
    await cluster.applyAndWait(manifest([VIP, ADDED, '10.9.0.102']));
    await cluster.untilStates('web', { a: 'active', b: 'backup' });
    await cluster.applyAndWait(manifest([VIP, ADDED]));
  });
});

/** Milliseconds of the last line of the log. */
function newestTime(lines: readonly string[]): number {
  const line = lines.findLast((each) => each.startsWith('{'));
  const { time } = JSON.parse(line ?? '{}') as { readonly time?: string | number };
  return new Date(time ?? 0).getTime();
}
