/**
 * One apply with every kind of resource: an IPv6 router on a virtual MAC and an IPv4 router that move together, tracks of
 * every sort, and what hosts have besides; what the operator sees of it, and what he is told when it moves.
 */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { NodeStatus } from '../../proto/gen/baton/v1/status.js';
import type { AgentHost } from '../lab/agent-host.js';
import { Holders } from '../lab/holders.js';
import { labUnavailable } from '../lab/lab.js';
import type { Program } from '../lab/program.js';
import { throughout, until } from '../lab/until.js';
import { Cluster, type EventJson } from './cluster.js';
import { document } from './manifests.js';
import { writeOwnerRules } from './owner-rules.js';

const VIP = '10.9.0.100';
const VIP6 = 'fd09::100';
const VIRTUAL_MAC = '00:00:5e:00:02:06';
const STATIC_ADDRESS = '10.77.0.1';
const ROUTERS = ['front', 'front6'];
/** Tracks that every router has without being told. */
const OWN_TRACK = /^(source address|virtual mac)$/;

/** Where the numbers of the file check are; the same path on both hosts, and here the same file. */
const loadFile = (cluster: Cluster): string => path.join(cluster.lab.directory, 'load');

function manifest(cluster: Cluster, hook: string): string {
  const members = [
    'members:',
    '  - {node: a, interface: em1, priority: 150}',
    '  - {node: b, interface: em1, priority: 100}',
  ];
  const interval = 'advertisementInterval: 100ms';
  return [
    document('VirtualRouter', 'front', ['vrid: 4', interval, `addresses: [${VIP}/24]`, ...members]),
    document('VirtualRouter', 'front6', [
      'vrid: 6',
      interval,
      `addresses: ["fe80::6", "${VIP6}/64"]`,
      'virtualMac: {}',
      ...members,
    ]),
    document('SyncGroup', 'site', [
      `routers: [${ROUTERS.join(', ')}]`,
      'trackingWeight: true',
      'track:',
      '  - {check: web}',
      '  - {check: load, weight: -2}',
      '  - {bfd: link, weight: 7}',
      '  - {interface: em1}',
      `hooks: {any: ${hook}}`,
      'receivers: [oncall]',
    ]),
    document('Check', 'web', [
      'http: {url: "http://127.0.0.1:8080/health", bodyContains: ready}',
      'interval: 200ms',
      'timeout: 1s',
      'fall: 2',
    ]),
    document('Check', 'load', [`file: {path: ${loadFile(cluster)}, initialValue: 0}`]),
    document('BfdSession', 'link', [
      'endpoints: [{node: a, neighbor: 10.9.0.12}, {node: b, neighbor: 10.9.0.11}]',
      'minRx: 50ms',
      'minTx: 50ms',
    ]),
    document('HostNetwork', 'base', [
      'nodes: [a, b]',
      `addresses: [{address: ${STATIC_ADDRESS}/24, device: em1}]`,
      'routes: [{to: 10.88.0.0/16, via: 10.77.0.9}]',
    ]),
    document('Receiver', 'oncall', [
      'email: {host: 127.0.0.1, security: none, from: baton@example.com, to: [oncall@example.com]}',
    ]),
  ].join('');
}

/** Both routers of the group, and the group, are in this state on the node, as the controller knows. */
function untilGroup(cluster: Cluster, states: Readonly<Record<string, string>>): Promise<unknown> {
  return cluster.untilStatus(`the group to be ${JSON.stringify(states)}`, 10_000, ({ routers, groups }) =>
    [...routers, ...groups].every(
      ({ members }) => members.length === 2 && members.every(({ node, state }) => state === states[node]),
    ),
  );
}

async function startWebServer(node: AgentHost): Promise<Program> {
  const server = node.host.startModule(new URL('./web-server.js', import.meta.url), '8080');
  await server.untilSays('serving', 5000);
  return server;
}

test('one apply of every kind: in force, shown, and moving as one', { skip: labUnavailable() }, async (t) => {
  const cluster = await Cluster.prepare(t, ['a', 'b']);
  const { controller, nodes, lab } = cluster;
  const [a, b] = [cluster.node('a'), cluster.node('b')];
  const hookLog = (node: AgentHost): string => path.join(lab.directory, 'scripts', `group-${node.host.namespace}.log`);
  const hook = path.join(a.scripts.directory, 'group.sh');
  writeFileSync(hook, `#!/bin/sh\necho "$@" >> ${lab.directory}/scripts/group-$(ip netns identify).log\n`, {
    mode: 0o755,
  });
  for (const node of nodes) {
    await node.host.untilIpv6Ready();
    writeOwnerRules(node, `policy: {routes: true, files: [${loadFile(cluster)}]}`);
  }
  await controller.startMailServer('--tls', 'none');
  const servers = new Map<AgentHost, Program>();
  for (const node of nodes) servers.set(node, await startWebServer(node));
  await cluster.serve();
  await cluster.applyAndWait(manifest(cluster, hook));
  await untilGroup(cluster, { a: 'active', b: 'backup' });

  await t.test('the kernels have all of it', async () => {
    for (const address of [VIP, VIP6, 'fe80::6']) {
      await a.host.untilHolds(address, 1000);
      assert.equal(await b.host.holds(address), false, address);
    }
    const [held] = (await a.host.kernelAddresses(6)).filter(({ address }) => address === VIP6);
    assert.deepEqual([held?.device, held?.prefixLength], ['vrrp6.6', 64]);
    for (const { host } of nodes) {
      assert.equal(await host.mac('vrrp6.6'), VIRTUAL_MAC);
      await host.untilHolds(STATIC_ADDRESS, 1000);
      assert.match(await host.run('ip', 'route', 'show', '10.88.0.0/16'), /via 10\.77\.0\.9 dev em1/);
    }
  });

  await t.test('a client reaches both addresses, the IPv6 one by the virtual MAC', async () => {
    const client = await lab.host('client', { addresses: ['10.9.0.50/24', 'fd09::50/64'] });
    await client.untilIpv6Ready();
    for (const address of [VIP, VIP6]) await client.run('ping', '-c1', '-W1', address);
    assert.equal(await client.neighbor(VIP6), VIRTUAL_MAC);
    assert.equal(await client.neighbor(VIP), await a.host.mac());
  });

  await t.test('batonctl status, as a screen and as JSON', async () => {
    const { routers, groups } = await cluster.untilStatus('no problems', 5000, ({ routers }) =>
      routers.every(({ problems }) => problems.length === 0),
    );
    assert.deepEqual(
      routers.map(({ name, family, group, virtualMac, addresses }) => [name, family, group, virtualMac, addresses]),
      [
        ['front', 4, 'site', '', [`${VIP}/24`]],
        ['front6', 6, 'site', VIRTUAL_MAC, ['fe80::6', `${VIP6}/64`]],
      ],
    );
    assert.deepEqual(
      groups.map(({ name, policy, routers: members, problems }) => [name, policy, members, problems]),
      [['site', 'all', ROUTERS, []]],
    );
    // The BFD session is up: 150 + 7 and 100 + 7.
    await cluster.untilStatus('the priorities', 5000, (status) =>
      status.routers.every(({ members }) =>
        members.every(({ node, effectivePriority }) => effectivePriority === (node === 'a' ? 157 : 107)),
      ),
    );
    const screen = await controller.batonctl('status');
    for (const part of [
      /all is well/,
      /front6 {2}VRID 6 {2}IPv6/,
      /MAC 00:00:5e:00:02:06/,
      /site +all +a active, b backup/,
    ]) {
      assert.match(screen, part);
    }
  });

  await t.test('batonctl get shows each kind, and what it prints as YAML is the same when applied', async () => {
    const { items } = await controller.json<{ readonly items: readonly { readonly kind: string }[] }>('get', 'all');
    const kinds = new Set(items.map(({ kind }) => kind));
    for (const kind of ['BfdSession', 'Check', 'HostNetwork', 'Node', 'Receiver', 'SyncGroup', 'VirtualRouter']) {
      assert.ok(kinds.has(kind), `${kind} among ${[...kinds].join()}`);
      assert.match(await controller.batonctl('get', kind), /NAME/);
    }
    const again = await cluster.apply(await controller.batonctl('-o', 'yaml', 'get', 'all'), '-o', 'json');
    assert.equal(again.exit, 0, again.stderr);
    const { changes } = JSON.parse(again.stdout) as { readonly changes: readonly { readonly change: string }[] };
    assert.deepEqual([...new Set(changes.map(({ change }) => change))], ['unchanged']);
  });

  await t.test("the agent's own status is complete", async () => {
    const status = await a.status();
    const [front, front6] = status.routers;
    assert.deepEqual([front6?.virtualMacInterface, front6?.virtualMac, front6?.family], ['vrrp6.6', VIRTUAL_MAC, 6]);
    for (const router of [front, front6]) {
      assert.deepEqual(
        router?.tracks.flatMap(({ subject, state, weight }) =>
          OWN_TRACK.test(subject) ? [] : [[subject, state, weight]],
        ),
        [
          ['check web', 'up', 0],
          ['check load', '0', -2],
          ['bfd link', 'up', 7],
          ['interface em1', 'up', 0],
        ],
        router?.name,
      );
      assert.ok((router?.counters['advertisements-sent'] ?? 0) > 5);
    }
    assert.deepEqual(
      status.checks.map(({ name, kind, state }) => [name, kind, state]),
      [
        ['load', 'file', '0'],
        ['web', 'http', 'up'],
      ],
    );
    const [web] = status.checks.filter(({ name }) => name === 'web');
    assert.equal(web?.output.trim(), '200 OK\nall parts are ready');
    assert.ok((web?.recent.length ?? 0) >= 2);
    const [session] = status.bfdSessions;
    assert.deepEqual([session?.name, session?.state, session?.neighbor], ['link', 'up', '10.9.0.12']);
    assert.deepEqual(
      status.hostItems.map(({ kind, present }) => [kind, present]),
      [
        ['address', true],
        ['route', true],
      ],
    );
    assert.deepEqual(
      status.groups.map(({ name, routers, lastHook }) => [name, routers, lastHook?.exitCode]),
      [['site', ROUTERS, 0]],
    );
    for (const screen of [await a.command('status'), await a.command('explain', 'front6')]) {
      assert.match(screen, /site/);
      assert.match(screen, /fd09::100/);
    }
    const same = NodeStatus.fromJSON(JSON.parse(await a.command('status', '-o', 'json')));
    assert.deepEqual(Object.keys(same), Object.keys(status));
  });

  const held = [await Holders.watch(VIP, a.host, b.host), await Holders.watch(VIP6, a.host, b.host)];
  await until('the mails of the start', 10_000, () => controller.mails.length >= 1);
  const mailsBefore = controller.mails.length;

  await t.test('a number in the file moves the priority of all routers of the group', async () => {
    writeFileSync(loadFile(cluster), '10\n');
    await cluster.untilStatus('the priorities', 5000, ({ routers }) =>
      routers.every(({ members }) => members.some(({ effectivePriority }) => effectivePriority === 157 - 20)),
    );
    writeFileSync(loadFile(cluster), '0\n');
    await cluster.untilStatus('the priorities', 5000, ({ routers }) =>
      routers.every(({ members }) => members.some(({ effectivePriority }) => effectivePriority === 157)),
    );
  });

  const since = new Date().toISOString();
  await t.test('the web server of the active node dies: the group moves as one', async () => {
    await servers.get(a)?.kill();
    await untilGroup(cluster, { a: 'fault', b: 'active' });
    for (const each of held) {
      assert.deepEqual(
        each.holdings.map(({ host }) => host),
        ['a', 'b'],
      );
      assert.deepEqual(each.now, ['b']);
    }
    const given = held.map(({ holdings }) => holdings[0]?.untilMs ?? Number.NaN);
    assert.ok(Math.abs((given[0] ?? 0) - (given[1] ?? 0)) < 250, `given up at ${given.join(' and ')}`);
    const screen = await controller.batonctl('status');
    assert.match(screen, /site +all +a fault, b active/);
    assert.match(await a.command('explain', 'front'), /[Cc]heck web/);
  });

  await t.test('the events tell it with its cause', async () => {
    const of = (events: readonly EventJson[], node: string) =>
      events.filter((event) => event.node === node && event.time > since);
    const events = await until('the events', 5000, async () => {
      const all = await cluster.events();
      return of(all, 'b').some(({ groupTransition }) => groupTransition?.to === 'active') && all;
    });
    const check = of(events, 'a').find(({ checkChanged }) => checkChanged !== undefined)?.checkChanged;
    assert.deepEqual([check?.check, check?.state, check?.previous], ['web', 'down', 'up']);
    const moved = of(events, 'a').find(({ groupTransition }) => groupTransition !== undefined);
    assert.deepEqual([moved?.groupTransition?.group, moved?.groupTransition?.to], ['site', 'fault']);
    assert.match(moved?.message ?? '', /check web/, JSON.stringify(moved));
    assert.deepEqual(
      of(events, 'a')
        .flatMap(({ transition, router }) => (transition?.to === 'fault' ? [router] : []))
        .sort(),
      ROUTERS,
    );
  });

  await t.test('one mail for the failover, and the hooks of the group on both nodes', async () => {
    await until('the mail', 10_000, () => controller.mails.length > mailsBefore);
    await throughout('one mail', 2500, () => controller.mails.length === mailsBefore + 1);
    const mail = controller.mails[mailsBefore];
    assert.match(mail?.subject ?? '', /site/);
    assert.match(mail?.text ?? '', /check web/);
    assert.match(mail?.text ?? '', /front6/);
    for (const [node, word] of [
      [a, 'FAULT'],
      [b, 'MASTER'],
    ] as const) {
      assert.equal(readFileSync(hookLog(node), 'utf8').trim().split('\n').at(-1), `GROUP site ${word} 0`);
    }
  });

  await t.test('the web server is back: the group returns as one', async () => {
    await startWebServer(a);
    await untilGroup(cluster, { a: 'active', b: 'backup' });
    for (const each of held) {
      assert.deepEqual(
        each.holdings.map(({ host }) => host),
        ['a', 'b', 'a'],
      );
      assert.deepEqual(each.now, ['a']);
    }
    await until('the mail', 10_000, () => controller.mails.length > mailsBefore + 1);
  });
});
