/** What a host's owner has not allowed to a controller is refused with its place and reason, and the last good one runs. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { Holders } from '../lab/holders.js';
import { labUnavailable } from '../lab/lab.js';
import { until } from '../lab/until.js';
import { Cluster } from './cluster.js';
import { document, routerManifest } from './manifests.js';
import { writeOwnerRules } from './owner-rules.js';

const VIP = '10.9.0.100';
const PRIORITIES = { a: 150, b: 100 };

interface Push {
  readonly what: string;
  readonly manifest: string;
  /** Where in the bundle, and why. */
  readonly refused: readonly (readonly [string, RegExp])[];
  /** Kind and name of what is declared besides the router. */
  readonly besides?: readonly [string, string];
}

test('routes, addresses, files and interfaces that the owner does not allow', { skip: labUnavailable() }, async (t) => {
  const cluster = await Cluster.prepare(t, ['a', 'b']);
  const allowed = path.join(cluster.lab.directory, 'allowed');
  for (const node of cluster.nodes) {
    writeOwnerRules(
      node,
      'policy:',
      '  interfaces: [em1]',
      '  addresses: [10.9.0.0/24, "fd09::/64"]',
      `  files: ["${allowed}/*"]`,
      '  maxPriority: 200',
    );
  }
  await cluster.serve();
  const [a, b] = [cluster.node('a'), cluster.node('b')];
  const good = routerManifest({ priorities: PRIORITIES, addresses: [VIP] });
  await cluster.applyAndWait(good);
  const before = await cluster.untilStates('web', { a: 'active', b: 'backup' });
  const held = await Holders.watch(VIP, a.host, b.host);

  const changed = (...more: readonly string[]): string =>
    routerManifest({ priorities: PRIORITIES, addresses: [VIP], more });
  const six = (...lines: readonly string[]): string =>
    document('VirtualRouter', 'six', [
      'vrid: 6',
      'members: [{node: a, interface: em1}, {node: b, interface: em1}]',
      ...lines,
    ]);
  const elsewhere = path.join(cluster.lab.directory, 'elsewhere', 'number');
  const pushes: readonly Push[] = [
    {
      what: 'a route of a router, a rule, and those of a host network',
      manifest: [
        changed('routes: [{to: 10.88.0.0/16, via: 10.9.0.5}]', 'rules: [{from: 10.9.0.100, table: "100"}]'),
        document('HostNetwork', 'base', [
          'nodes: [a, b]',
          'addresses: [{address: 192.0.2.1/24, device: em1}]',
          'routes: [{to: 10.89.0.0/16, via: 10.9.0.5}]',
        ]),
      ].join(''),
      refused: [
        ['routers[web].routes[0]', /a route to 10\.88\.0\.0\/16 is not allowed by policy\.routes/],
        ['routers[web].rules[0]', /a rule is not allowed by policy\.routes/],
        ['hostNetworks[base].spec.addresses[0]', /192\.0\.2\.1\/24 is not allowed by policy\.addresses/],
        ['hostNetworks[base].spec.routes[0]', /a route to 10\.89\.0\.0\/16 is not allowed by policy\.routes/],
      ],
      besides: ['HostNetwork', 'base'],
    },
    {
      what: 'addresses outside the prefixes, of either family',
      manifest: [
        routerManifest({ priorities: PRIORITIES, addresses: [VIP, '192.0.2.7'] }),
        six('addresses: ["fd09::7", "fd0a::7"]', 'excludedAddresses: [198.51.100.7]'),
      ].join(''),
      refused: [
        [
          'routers[six].addresses[1]',
          /address fd0a::7\S* is not allowed by policy\.addresses .*10\.9\.0\.0\/24, fd09::\/64/,
        ],
        ['routers[six].excludedAddresses[0]', /198\.51\.100\.7/],
        ['routers[web].addresses[1]', /192\.0\.2\.7/],
      ],
      besides: ['VirtualRouter', 'six'],
    },
    {
      what: 'a file elsewhere, and a priority',
      manifest: [
        routerManifest({
          priorities: { a: 201, b: 100 },
          addresses: [VIP],
          more: ['track: [{check: far, weight: 1}]'],
        }),
        document('Check', 'far', [`file: {path: ${elsewhere}, initialValue: 1}`]),
      ].join(''),
      refused: [
        ['checks[far].spec.file.path', /matches no rule of policy\.files/],
        ['routers[web].priority', /priority 201 is not allowed by policy\.maxPriority/],
      ],
    },
    {
      what: "a virtual MAC interface with a name of the host's, and an address on another interface",
      manifest: changed('virtualMac: {name: eth1}', 'excludedAddresses: [{address: 10.9.0.101, device: lo}]'),
      refused: [
        ['routers[web].virtualMac.name', /interface eth1 is not allowed by policy\.interfaces .*\(em1\)/],
        ['routers[web].excludedAddresses[0].device', /interface lo is not allowed/],
      ],
    },
  ];

  for (const { what, manifest, refused, besides } of pushes) {
    await t.test(what, async () => {
      const { exit, stderr } = await cluster.apply(manifest, '--wait');
      assert.equal(exit, 3, stderr);
      const { nodes } = await cluster.status();
      for (const { name, refusals, bundleInForce } of nodes) {
        // The priority is that of a alone.
        const wanted = refused.filter(([at]) => at !== 'routers[web].priority' || name === 'a');
        assert.deepEqual(refusals.map((refusal) => refusal.path).sort(), wanted.map(([at]) => at).sort(), name);
        for (const [at, reason] of wanted) {
          assert.match(refusals.find((refusal) => refusal.path === at)?.reason ?? '', reason);
          assert.ok(
            stderr.split('\n').some((line) => line.startsWith(`${name}: refused: `) && line.includes(`${at}: `)),
            stderr,
          );
        }
        assert.equal(bundleInForce?.hash, before.nodes.find((node) => node.name === name)?.bundleInForce?.hash);
      }
      // The owner sees it too, on his own host.
      const own = await a.status();
      assert.equal(own.refused?.reasons.length, refused.length);
      assert.deepEqual(
        own.routers.map(({ name }) => name),
        ['web'],
      );
      for (const address of ['192.0.2.7', '192.0.2.1', 'fd09::7', '10.9.0.101']) {
        assert.equal(await a.host.holds(address), false, address);
      }
      assert.equal((await a.host.attempt('test', '-e', elsewhere)).exit, 1);
      assert.doesNotMatch(await a.host.run('ip', 'link'), /eth1/);
      // What it declared besides the router is taken back, so that the next one is judged alone.
      if (besides !== undefined) await cluster.controller.batonctl('delete', ...besides);
    });
  }

  await t.test('the good one again: nothing is refused', async () => {
    await cluster.applyAndWait(good);
    await cluster.untilStatus('no refusals', 5000, ({ nodes }) => nodes.every(({ refusals }) => refusals.length === 0));
    await cluster.untilStates('web', { a: 'active', b: 'backup' });
    assert.equal((await a.status()).refused, undefined);
  });

  await t.test('what the owner allows later is in force after SIGHUP', async () => {
    const routed = changed('routes: [{to: 10.88.0.0/16, via: 10.9.0.5}]');
    assert.equal((await cluster.apply(routed, '--wait')).exit, 3);
    writeOwnerRules(a, 'policy: {routes: true}');
    a.agent.signal('SIGHUP');
    await until('the route', 5000, async () =>
      /via 10\.9\.0\.5/.test(await a.host.run('ip', 'route', 'show', '10.88.0.0/16')),
    );
  });

  assert.deepEqual(
    held.holdings.map(({ host, untilMs }) => [host, untilMs]),
    [['a', undefined]],
  );
});
