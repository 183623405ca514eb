/** The controller is gone: agents elect from what they have stored, and it hears of everything once when it is back. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { labUnavailable } from '../lab/lab.js';
import { until } from '../lab/until.js';
import { Cluster, type EventJson } from './cluster.js';
import { checkManifest, document, routerManifest } from './manifests.js';

const VIP = '10.9.0.100';
const ADDED = '10.9.0.101';

test('agents elect without a controller, from a stored bundle, and deliver what happened once', {
  skip: labUnavailable(),
}, async (t) => {
  const cluster = await Cluster.start(t, ['a', 'b']);
  const { controller } = cluster;
  const [a, b] = [cluster.node('a'), cluster.node('b')];
  await controller.startMailServer('--tls', 'none');
  const manifest = (addresses: readonly string[]) =>
    [
      checkManifest('alive', a.scripts.check, 'interval: 200ms', 'timeout: 2s'),
      document('Receiver', 'oncall', [
        'email: {host: 127.0.0.1, security: none, from: baton@example.com, to: [oncall@example.com]}',
      ]),
      routerManifest({
        priorities: { a: 150, b: 100 },
        addresses,
        more: ['track: [{check: alive, weight: -100}]', 'receivers: [oncall]'],
      }),
    ].join('');
  await cluster.applyAndWait(manifest([VIP]));
  await cluster.applyAndWait(manifest([VIP, ADDED]));
  await cluster.untilStates('web', { a: 'active', b: 'backup' });
  await until('the mail of the first election', 15_000, () => controller.mails.length > 0);
  assert.equal(await controller.stop(), 'exit 0');
  const before = controller.mails.length;
  const goneAt = new Date().toISOString();

  await t.test('an agent that starts again runs its stored bundle', async () => {
    await b.agent.kill();
    await a.agent.kill();
    for (const host of [a.host, b.host]) await host.untilHolds(VIP, 5000, false);
    b.start();
    await b.host.untilHolds(VIP, 5000);
    assert.equal(await b.host.holds(ADDED), true);
  });

  await t.test('a damaged stored bundle is set aside and the one before it used', async () => {
    const bundles = path.join(a.stateDirectory, 'bundles');
    const current = path.join(bundles, 'current');
    const bytes = readFileSync(current);
    bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1);
    writeFileSync(current, bytes);
    a.start();
    await a.host.untilHolds(VIP, 5000);
    await b.host.untilHolds(VIP, 2000, false);
    assert.deepEqual((await a.status()).routers[0]?.addresses, [`${VIP}/32`], 'the bundle before had one address');
    assert.equal(await a.host.holds(ADDED), false);
    const kept = readdirSync(bundles).find((name) => name.startsWith('damaged-'));
    assert.deepEqual([...readFileSync(path.join(bundles, kept ?? ''))], [...bytes]);
    const told = JSON.parse(
      (await a.command('events', '-n', '50', '-o', 'json'))
        .trim()
        .split('\n')
        .find((line) => line.includes('damaged')) ?? '{}',
    ) as { readonly message?: string };
    assert.match(told.message ?? '', /current: its content does not match its checksum; kept as/);
  });

  await t.test('a failing check moves the address', async () => {
    a.breakHealth();
    await b.host.untilHolds(VIP, 5000);
    await a.host.untilHolds(VIP, 2000, false);
    const { controller: link, queuedEvents } = await b.status();
    assert.equal(link?.state, 'connecting');
    assert.ok(queuedEvents > 0);
    assert.equal(controller.mails.length, before);
  });

  await t.test('when the controller is back it hears of everything once, and mails', async () => {
    await controller.start();
    await cluster.untilStatus('every node to be connected', 30_000, ({ nodes }) =>
      nodes.every(({ connected }) => connected),
    );
    await until('everything to be delivered', 5000, async () =>
      (await Promise.all([a.status(), b.status()])).every(({ queuedEvents }) => queuedEvents === 0),
    );
    for (const node of ['a', 'b']) {
      const sequences = (await cluster.events('--node', node)).map(({ sequence }) => sequence);
      assert.deepEqual(
        sequences,
        Array.from(sequences, (_, index) => index + 1),
        `the events of ${node}, in the order in which they were stored`,
      );
    }
    const during = (await cluster.events()).filter(({ time }) => time > goneAt);
    const changes = (node: string) => during.filter((event) => event.node === node).flatMap(changeOf);
    assert.deepEqual(changes('b').filter((change) => change.endsWith('active')).length, 2, `b: ${changes('b')}`);
    assert.deepEqual(changes('a').filter((change) => change.endsWith('active')).length, 1, `a: ${changes('a')}`);
    assert.ok(during.some(({ agentLifecycle }) => agentLifecycle?.phase === 'bundle-damaged'));
    await until(
      'the mail of the failover',
      20_000,
      () => controller.mails.slice(before).some(({ subject }) => /web: a -> b active .*check alive/.test(subject)),
      () => controller.mails.map(({ subject }) => subject),
    );
    const ids = controller.mails.map(({ messageId }) => messageId);
    assert.equal(new Set(ids).size, ids.length, 'no mail came twice');
  });

  await t.test('and puts the wanted bundle in force again', async () => {
    await cluster.untilStates('web', { a: 'backup', b: 'active' });
    a.mendHealth();
    await cluster.untilStates('web', { a: 'active', b: 'backup' });
    assert.equal(await a.host.holds(ADDED), true);
  });
});

function changeOf({ transition }: EventJson): string[] {
  return transition === undefined ? [] : [`${transition.from} -> ${transition.to}`];
}
