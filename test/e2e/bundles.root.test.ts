/** A configuration is wholly in force on a node or wholly refused, and putting it in force moves no address that stays. */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import type { AgentHost } from '../lab/agent-host.js';
import { Holders } from '../lab/holders.js';
import { labUnavailable } from '../lab/lab.js';
import { throughout, until } from '../lab/until.js';
import { Cluster } from './cluster.js';
import { checkManifest, routerManifest } from './manifests.js';

const VIP = '10.9.0.100';
const ADDED = '10.9.0.101';
const PRIORITIES = { a: 150, b: 100 };

test('a bundle that names a program which the owner does not allow is refused whole, until he does', {
  skip: labUnavailable(),
}, async (t) => {
  const cluster = await Cluster.start(t, ['a', 'b']);
  const [a, b] = [cluster.node('a'), cluster.node('b')];
  await cluster.applyAndWait(routerManifest({ priorities: PRIORITIES, addresses: [VIP] }));
  const before = await cluster.untilStates('web', { a: 'active', b: 'backup' });
  const held = await Holders.watch(VIP, a.host, b.host);

  const forbidden = path.join(cluster.lab.directory, 'elsewhere', 'extra.sh');
  mkdirSync(path.dirname(forbidden), { mode: 0o700 });
  writeFileSync(forbidden, '#!/bin/sh\nexit 0\n');
  chmodSync(forbidden, 0o755);
  // The added address must not come either: a node never runs half a bundle.
  const manifest = [
    checkManifest('extra', forbidden, 'interval: 200ms'),
    routerManifest({ priorities: PRIORITIES, addresses: [VIP, ADDED], more: ['track: [{check: extra, weight: -10}]'] }),
  ].join('');
  const reason = `"${forbidden}" matches no rule of scripts.allow in this host's agent.yaml (${a.scripts.directory}/*)`;

  await t.test('apply --wait says who refused it and why, and ends with 3', async () => {
    const { exit, stderr } = await cluster.apply(manifest, '--wait');
    assert.equal(exit, 3, stderr);
    for (const name of ['a', 'b'])
      assert.ok(stderr.includes(`${name}: refused: checks[extra].spec.exec.command: ${reason}`), stderr);
    assert.match(stderr, /generation \d+ was refused by a, b; there the one before goes on/);
  });

  await t.test('status and events show the refusal and what is in force', async () => {
    const { nodes, routers } = await cluster.status();
    for (const { name, refusals, bundleInForce, bundleWanted } of nodes) {
      assert.deepEqual(refusals, [{ path: 'checks[extra].spec.exec.command', reason }]);
      assert.equal(bundleInForce?.hash, before.nodes.find((node) => node.name === name)?.bundleInForce?.hash);
      assert.notEqual(bundleWanted?.hash, bundleInForce?.hash);
    }
    assert.deepEqual(
      routers[0]?.members.map(({ node, state, bundleCurrent }) => [node, state, bundleCurrent]),
      [
        ['a', 'active', false],
        ['b', 'backup', false],
      ],
    );
    const screen = await cluster.controller.batonctl('status');
    assert.ok(screen.includes('refused'), screen);
    const events = await until('the refusal among the events', 5000, async () => {
      const refused = (await cluster.events('--node', 'a')).filter(
        ({ bundleChanged }) => bundleChanged?.applied === false,
      );
      return refused.length > 0 && refused;
    });
    assert.deepEqual(
      events.map(({ bundleChanged }) => bundleChanged?.refusals),
      [[{ path: 'checks[extra].spec.exec.command', reason }]],
    );
  });

  await t.test(
    'the node whose owner allows it puts it in force after SIGHUP, the other one still does not',
    async () => {
      a.allowScripts(`${a.scripts.directory}/*`, forbidden);
      a.agent.signal('SIGHUP');
      await a.host.untilHolds(ADDED, 5000);
      await cluster.untilStatus('a to run what is wanted', 5000, ({ nodes }) =>
        nodes.every(
          ({ name, connected, refusals, bundleInForce, bundleWanted }) =>
            connected &&
            (bundleInForce?.hash === bundleWanted?.hash) === (name === 'a') &&
            refusals.length === (name === 'a' ? 0 : 1),
        ),
      );
      b.allowScripts(`${b.scripts.directory}/*`, forbidden);
      b.agent.signal('SIGHUP');
      await cluster.untilStates('web', { a: 'active', b: 'backup' });
    },
  );

  await t.test('a mistake in agent.yaml is refused with its place, and the former rules stay', async () => {
    writeFileSync(a.configFile, 'scripts:\n  alow: []\n');
    a.agent.signal('SIGHUP');
    const line = await a.agent.untilSays('reload failed', 5000);
    assert.match(line, /agent\.yaml:2:3: .*alow/);
    const rerun = (await a.status()).checks[0]?.runs ?? 0;
    await until('the check to go on', 3000, async () => {
      const [check] = (await a.status()).checks;
      return check?.state === 'up' && check.runs > rerun;
    });
  });

  assert.deepEqual(
    held.holdings.map(({ host, untilMs }) => [host, untilMs]),
    [['a', undefined]],
  );
});

test('small changes never take away an address that stays', { skip: labUnavailable() }, async (t) => {
  const cluster = await Cluster.start(t, ['a', 'b']);
  const [a, b] = [cluster.node('a'), cluster.node('b')];
  const { check } = a.scripts;
  const manifest = (interval: string, priority: number, addresses: readonly string[], weight = -100) =>
    [
      checkManifest('alive', check, `interval: ${interval}`, 'timeout: 2s'),
      routerManifest({
        priorities: { a: priority, b: 100 },
        addresses,
        more: [`track: [{check: alive, weight: ${weight}}]`],
      }),
    ].join('');
  await cluster.applyAndWait(manifest('200ms', 150, [VIP]));
  await cluster.untilStates('web', { a: 'active', b: 'backup' });
  const [held, added] = [await Holders.watch(VIP, a.host, b.host), await Holders.watch(ADDED, a.host, b.host)];
  const from = new Date().toISOString();
  const stays = (): boolean => held.holdings.length === 1 && held.now[0] === 'a';

  const changes: readonly (readonly [string, string, () => boolean | Promise<boolean>])[] = [
    ['interval of the check', manifest('300ms', 150, [VIP]), () => true],
    ['priority', manifest('300ms', 120, [VIP]), async () => (await a.status()).routers[0]?.effectivePriority === 120],
    ['weight', manifest('300ms', 120, [VIP], -50), async () => (await weightOf(a)) === -50],
    ['an address more', manifest('300ms', 120, [VIP, ADDED]), () => added.now[0] === 'a'],
    ['their order', manifest('300ms', 120, [ADDED, VIP]), () => added.now[0] === 'a'],
    ['an address less', manifest('300ms', 120, [VIP]), () => added.now.length === 0],
  ];
  for (const [what, text, seen] of changes) {
    await cluster.applyAndWait(text);
    await until(`the change of ${what} to be seen`, 3000, seen);
    await throughout(`${VIP} on a after the change of ${what}`, 500, stays);
  }
  await cluster.untilStates('web', { a: 'active', b: 'backup' });
  assert.ok(stays());
  assert.equal(added.holdings.length, 1, 'the other address came once and went once');
  const changed = (await cluster.events('--router', 'web')).filter(({ transition, time }) => transition && time > from);
  assert.deepEqual(changed, [], 'no transition came of any change');
});

async function weightOf(node: AgentHost): Promise<number | undefined> {
  const [router] = (await node.status()).routers;
  return router?.tracks.find(({ subject }) => subject === 'check alive')?.weight;
}
