/** Signing is brought in, and its key changed, under running agents: no advertisement is refused, and nothing moves. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { outputOf } from '../lab/command.js';
import { Holders } from '../lab/holders.js';
import { labUnavailable } from '../lab/lab.js';
import { Cluster } from './cluster.js';
import { checkManifest, routerManifest } from './manifests.js';

const VIP = '10.9.0.100';

test('rotate-key --init, then rotate-key: two agents, no transition, no refused advertisement', {
  skip: labUnavailable(),
}, async (t) => {
  const cluster = await Cluster.start(t, ['a', 'b']);
  const [a, b] = [cluster.node('a'), cluster.node('b')];
  const { check } = a.scripts;
  const manifest = [
    checkManifest('alive', check, 'interval: 200ms', 'timeout: 5s'),
    routerManifest({
      priorities: { a: 150, b: 100 },
      addresses: [VIP],
      more: ['track: [{check: alive, weight: -60}]'],
    }),
  ].join('');
  await cluster.applyAndWait(manifest);
  await cluster.untilStates('web', { a: 'active', b: 'backup' });
  const held = await Holders.watch(VIP, a.host, b.host);
  const from = new Date().toISOString();

  await t.test('without authentication there is nothing to rotate', async () => {
    const { exit, stderr } = await cluster.controller.attempt('rotate-key', 'web');
    assert.equal(exit, 1);
    assert.match(stderr, /begin with --init/);
  });

  await t.test('--init: both sign and demand signatures', async () => {
    const said = outputOf(await cluster.controller.attempt('rotate-key', 'web', '--init'));
    assert.match(said, /every advertisement of web is signed by key 1/);
    for (const node of [a, b]) assert.match((await node.status()).routers[0]?.authentication ?? '', /enforce/i);
  });

  await t.test('twice another key', async () => {
    assert.match(outputOf(await cluster.controller.attempt('rotate-key', 'web')), /is signed by key 2/);
    assert.match(outputOf(await cluster.controller.attempt('rotate-key', 'web')), /is signed by key 3/);
    const { items } = await cluster.controller.json<{
      readonly items: readonly { readonly metadata: { readonly name: string } }[];
    }>('get', 'secret');
    assert.deepEqual(
      items.map(({ metadata }) => metadata.name),
      ['web-hmac-3'],
    );
  });

  await t.test('nothing moved and nobody was refused', async () => {
    assert.deepEqual(
      held.holdings.map(({ host, untilMs }) => [host, untilMs]),
      [['a', undefined]],
    );
    const events = await cluster.events('--router', 'web');
    const odd = events.filter(
      ({ time, transition, message }) => time > from && (transition || /refused/.test(message)),
    );
    assert.deepEqual(odd, []);
    const [router] = (await b.status()).routers;
    assert.deepEqual(router?.rejected, []);
    assert.equal(router?.peers[0]?.authentication, 'signed');
  });

  await t.test('whatif and checks speak of the real nodes', async () => {
    const said = await cluster.controller.batonctl('whatif', 'web', '--set', 'check alive=down');
    assert.match(said, /The effective priority of web on a would be 90 instead of 150/);
    assert.match(said, /b \(100\) would take over from a \(90\)\./);
    const checks = await cluster.controller.batonctl('checks');
    assert.match(checks, /alive +a +exec +up/);
    assert.match(checks, /alive +b +exec +up/);
    await cluster.untilStates('web', { a: 'active', b: 'backup' });
  });

  await t.test('a member that is away is a reason not to begin', async () => {
    await b.agent.stop();
    await cluster.untilStatus('b to be away', 15_000, ({ nodes }) => nodes.some(({ connected }) => !connected));
    const { exit, stderr } = await cluster.controller.attempt('rotate-key', 'web');
    assert.equal(exit, 1);
    assert.match(stderr, /b not connected/);
  });
});
