/**
 * A running configuration is changed in small steps. The kernels' own reports say that no address of a router that is not
 * touched ever goes, that the touched one keeps what it had, and that it is handed over whole where it becomes another
 * router to everybody on the LAN (docs/decisions/0004).
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Holders } from '../lab/holders.js';
import { labUnavailable } from '../lab/lab.js';
import { Probe } from '../lab/probe.js';
import { throughout } from '../lab/until.js';
import { Cluster } from './cluster.js';
import { checkManifest, document } from './manifests.js';

const VIP = '10.9.0.100';
const ADDED = '10.9.0.101';
const OTHER = '10.9.0.200';
const OTHER6 = 'fd09::200';

interface Touched {
  readonly addresses: readonly string[];
  readonly priority: number;
  readonly interval: string;
  readonly more: readonly string[];
  /** The routers of the sync group; empty: there is none. */
  readonly group: readonly string[];
}

const members = (priority: number): readonly string[] => [
  'members:',
  `  - {node: a, interface: em1, priority: ${priority}}`,
  '  - {node: b, interface: em1, priority: 100}',
];

test('small steps drop no address of a router that they do not touch', { skip: labUnavailable() }, async (t) => {
  const cluster = await Cluster.prepare(t, ['a', 'b']);
  const [a, b] = [cluster.node('a'), cluster.node('b')];
  for (const { host } of cluster.nodes) await host.untilIpv6Ready();
  const client = await cluster.lab.host('client', { addresses: ['10.9.0.50/24'] });
  await cluster.serve();

  const manifest = ({ addresses, priority, interval, more, group }: Touched): string =>
    [
      checkManifest('alive', a.scripts.check, 'interval: 200ms', 'timeout: 2s'),
      document('VirtualRouter', 'other', [
        'vrid: 20',
        'advertisementInterval: 100ms',
        `addresses: [${OTHER}]`,
        ...members(150),
      ]),
      document('VirtualRouter', 'other6', [
        'vrid: 26',
        'advertisementInterval: 100ms',
        `addresses: ["fe80::26", "${OTHER6}"]`,
        'virtualMac: {}',
        ...members(150),
      ]),
      document('VirtualRouter', 'web', [
        'vrid: 9',
        `advertisementInterval: ${interval}`,
        `addresses: [${addresses.join(', ')}]`,
        ...members(priority),
        ...more,
      ]),
      group.length === 0 ? '' : document('SyncGroup', 'site', [`routers: [${group.join(', ')}]`]),
    ].join('');

  let now: Touched = { addresses: [VIP], priority: 150, interval: '200ms', more: [], group: [] };
  await cluster.applyAndWait(manifest(now));
  const settled = async (): Promise<void> => {
    for (const router of ['web', 'other', 'other6']) await cluster.untilStates(router, { a: 'active', b: 'backup' });
  };
  await settled();
  const watch = (address: string): Promise<Holders> => Holders.watch(address, a.host, b.host);
  const [held, added, other, other6] = [await watch(VIP), await watch(ADDED), await watch(OTHER), await watch(OTHER6)];
  const probe = await Probe.start(client, VIP);
  await probe.untilAnswered(3000);
  const stays = ({ holdings, now: holders }: Holders): boolean => holdings.length === 1 && holders[0] === 'a';
  const step = async (change: Partial<Touched>): Promise<void> => {
    now = { ...now, ...change };
    await cluster.applyAndWait(manifest(now));
    await settled();
    // Longer than a down interval of any router here.
    await throughout('the addresses of the others on a', 700, () => stays(other) && stays(other6));
  };

  const quiet: readonly (readonly [string, Partial<Touched>])[] = [
    ['an address is added', { addresses: [VIP, ADDED] }],
    ['the priority changes', { priority: 140 }],
    ['a check is tracked', { more: ['track: [{check: alive, weight: -20}]'] }],
    ['the interval gets longer', { interval: '500ms' }],
    ['the interval gets shorter', { interval: '100ms' }],
    ['it joins a group', { group: ['other', 'web'] }],
    ['it leaves the group, which has another member', { group: ['other', 'other6'] }],
    ['the group is gone', { group: [] }],
  ];
  for (const [what, change] of quiet) {
    await t.test(what, async () => {
      if (what === 'the group is gone') await cluster.controller.batonctl('delete', 'SyncGroup', 'site');
      await step(change);
      assert.ok(stays(held), JSON.stringify(held.holdings));
      const { unanswered, duplicates, answered } = await probe.report();
      assert.deepEqual([unanswered, duplicates], [0, 0]);
      assert.ok(answered > 500);
    });
  }

  await t.test('the virtual MAC is turned on: another router on the LAN, handed over and taken back', async () => {
    await step({ more: ['virtualMac: {}'] });
    assert.deepEqual(held.now, ['a']);
    // Both changed at once: whoever was first to end the old one waits for nobody. Never longer without than one down interval.
    const { longestOutageMs, duplicates } = await probe.report();
    t.diagnostic(
      `the client missed ${longestOutageMs.toFixed(1)} ms; held by ${held.holdings.map(({ host }) => host).join(', ')}`,
    );
    assert.ok(longestOutageMs < 4 * 100, `${longestOutageMs} ms`);
    assert.equal(duplicates, 0);
    const [address] = (await a.host.kernelAddresses()).filter((each) => each.address === VIP);
    assert.equal(address?.device, 'vrrp.9');
  });

  assert.equal(added.holdings.at(-1)?.host, 'a');
  for (const each of [other, other6]) assert.ok(stays(each), each.address);
});
