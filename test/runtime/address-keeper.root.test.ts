/** Virtual addresses with all their options in real kernels, IPv6 leases, and whom they take along. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { VirtualAddress } from '../../agent/runtime/messages.js';
import { LabElection, labRouter } from '../lab/election.js';
import type { Host } from '../lab/host.js';
import { Lab, labUnavailable } from '../lab/lab.js';
import { until } from '../lab/until.js';

const skip = labUnavailable('ping');

async function laboratory(t: TestContext) {
  const lab = await Lab.open();
  t.after(() => lab.close());
  const a = await lab.host('a', { addresses: ['10.9.0.1/24', 'fd09::1/64'] });
  return { lab, a };
}

interface Shown {
  readonly local: string;
  readonly address?: string;
  readonly prefixlen: number;
  readonly scope: string;
  readonly label?: string;
  readonly broadcast?: string;
  readonly valid_life_time: number;
  readonly preferred_life_time: number;
  readonly [flag: string]: unknown;
}

async function shown(host: Host, address: string): Promise<Shown | undefined> {
  const links = JSON.parse(await host.run('ip', '-j', 'address', 'show', 'dev', 'em1')) as readonly {
    readonly addr_info: readonly Shown[];
  }[];
  return links[0]?.addr_info.find(({ local }) => local === address);
}

const FOREVER = 0xffffffff;
const address = (text: string, prefixLength: number, more: Partial<VirtualAddress> = {}): VirtualAddress => ({
  address: text,
  prefixLength,
  device: 'em1',
  ...more,
});

test('every option of an IPv4 address is as the kernel shows it', { skip }, async (t) => {
  const { a } = await laboratory(t);
  const router = labRouter({ interval: 100_000 });
  const election = await LabElection.start(a, {
    ...router,
    addresses: [
      address('10.9.0.100', 28, { label: 'em1:vip', broadcast: '10.9.0.111', scope: 253, noPrefixRoute: true }),
      address('10.50.0.1', 32, { peer: { address: '10.50.0.2', prefixLength: 32 } }),
    ],
    excludedAddresses: [address('fd09::abcd', 128, { preferredLifetime: 0, home: true })],
  });
  await election.untilState('active', 5000);
  const first = await shown(a, '10.9.0.100');
  assert.equal(first?.prefixlen, 28);
  assert.equal(first?.label, 'em1:vip');
  assert.equal(first?.broadcast, '10.9.0.111');
  assert.equal(first?.scope, 'link');
  assert.equal(first?.['noprefixroute'], true);
  assert.ok((first?.valid_life_time ?? FOREVER) <= 2, 'leased');
  const peered = await shown(a, '10.50.0.1');
  assert.equal(peered?.address, '10.50.0.2');
  const excluded = await shown(a, 'fd09::abcd');
  assert.equal(excluded?.preferred_life_time, 0);
  assert.equal(excluded?.['deprecated'], true);
  assert.equal(excluded?.['home'], true);
  assert.equal(excluded?.['nodad'], true);
  assert.ok((excluded?.valid_life_time ?? FOREVER) <= 2, 'leased');
  assert.deepEqual((await election.router()).excludedAddresses.length, 1);

  // Options that the kernel does not change on an address: it is made anew, and nothing else is touched.
  await election.configure({
    ...router,
    addresses: [
      address('10.9.0.100', 28, { label: 'em1:new' }),
      address('10.50.0.1', 32, { peer: { address: '10.50.0.2', prefixLength: 32 } }),
    ],
    excludedAddresses: [],
  });
  await until('the new label', 3000, async () => (await shown(a, '10.9.0.100'))?.label === 'em1:new');
  assert.equal(await shown(a, 'fd09::abcd'), undefined);
  assert.equal((await election.router()).state, 'active');
  await election.program.stop();
  assert.equal(await shown(a, '10.50.0.1'), undefined);
});

test('IPv6 leases are renewed while active, end by themselves after a crash, and the subnet stays', {
  skip,
}, async (t) => {
  const { lab, a } = await laboratory(t);
  const client = await lab.host('client', { addresses: ['fd09::9/64'] });
  const election = await LabElection.start(a, labRouter({ addresses: ['fd09::100/64'], interval: 100_000 }));
  await election.untilState('active', 8000);
  assert.equal((await shown(a, 'fd09::100'))?.['tentative'], undefined);
  const events = a.start('ip', '-6', 'monitor', 'address');
  await new Promise((resolve) => setTimeout(resolve, 4500));
  assert.ok((await shown(a, 'fd09::100')) !== undefined, 'renewed for more than two leases');
  assert.deepEqual(
    events.lines.filter((line) => line.startsWith('Deleted') && line.includes('fd09::100')),
    [],
  );
  const { counters } = await election.router();
  assert.ok((counters['renewals'] ?? 0) >= 6);
  await until('the client to be ready', 5000, async () => {
    return (await client.attempt('ping', '-n', '-c', '1', '-W', '1', 'fd09::100')).exit === 0;
  });
  await election.program.kill();
  await until('the lease to end', 5000, async () => (await shown(a, 'fd09::100')) === undefined);
  // The kernel has one route to the subnet for both addresses: the host's own must not end with the lease.
  const routes = await a.run('ip', '-6', 'route', 'show', 'fd09::/64');
  assert.match(routes, /fd09::\/64 dev em1/);
  assert.doesNotMatch(routes, /expires/);
});

test('a leftover IPv6 address of another shape becomes ours without harm to the subnet', { skip }, async (t) => {
  const { a } = await laboratory(t);
  // Permanent, of another prefix length, or not usable yet: as some other run, or a hand, would leave it.
  await a.ip('address add fd09::100/64 dev em1 nodad', 'address add fd09::101/80 dev em1 nodad');
  const election = await LabElection.start(
    a,
    labRouter({ addresses: ['fd09::100/64', 'fd09::101/64'], interval: 100_000, priority: 254 }),
  );
  await election.untilState('active', 8000);
  for (const each of ['fd09::100', 'fd09::101']) {
    const held = await shown(a, each);
    assert.equal(held?.prefixlen, 64, each);
    assert.ok((held?.valid_life_time ?? FOREVER) <= 2, each);
  }
  await election.program.stop();
  assert.equal(await shown(a, 'fd09::100'), undefined);
  assert.doesNotMatch(await a.run('ip', '-6', 'route', 'show', 'fd09::/64'), /expires/);
});

test('IPv6: what is removed by hand is back at once and announced', { skip }, async (t) => {
  const { a } = await laboratory(t);
  const election = await LabElection.start(a, labRouter({ addresses: ['fd09::100/64'], interval: 1_000_000 }));
  await election.untilState('active', 10_000);
  const before = (await election.router()).counters['announcements'] ?? 0;
  await a.ip('address delete fd09::100/64 dev em1');
  await until('it to be back', 1000, async () => (await shown(a, 'fd09::100')) !== undefined);
  await until('it to be told', 1000, () => election.occurrences('address').some(({ change }) => change === 'restored'));
  assert.ok(((await election.router()).counters['announcements'] ?? 0) > before);
});

test('IPv6: an address added by hand to a backup is told of', { skip }, async (t) => {
  const { lab, a } = await laboratory(t);
  const b = await lab.host('b', { addresses: ['fd09::2/64'] });
  const options = { addresses: ['fd09::100/64'], interval: 100_000 };
  const other = await LabElection.start(b, labRouter({ ...options, priority: 200 }));
  await other.untilState('active', 8000);
  const election = await LabElection.start(a, labRouter(options));
  await election.untilState('backup', 5000);
  await a.ip('address add fd09::100/64 dev em1 nodad');
  await until('it to be told', 2000, () =>
    election.occurrences('notice').some(({ notice }) => notice === 'address-held-while-not-active'),
  );
});

test('a secondary address of somebody else does not go with ours', { skip }, async (t) => {
  const { a } = await laboratory(t);
  await a.run('sysctl', '-qw', 'net.ipv4.conf.em1.promote_secondaries=0');
  const promote = async () => (await a.run('cat', '/proc/sys/net/ipv4/conf/em1/promote_secondaries')).trim();
  const election = await LabElection.start(a, labRouter({ addresses: ['10.60.0.100/24'], interval: 100_000 }));
  await election.untilState('active', 5000);
  await a.ip('address add 10.60.0.7/24 dev em1');
  assert.equal((await shown(a, '10.60.0.7'))?.['secondary'], true);
  await until('the setting, should the lease end', 3000, async () => (await promote()) === '1');
  await election.program.kill();
  await until('the lease to end', 5000, async () => (await shown(a, '10.60.0.100')) === undefined);
  assert.ok((await shown(a, '10.60.0.7')) !== undefined);

  await a.run('sysctl', '-qw', 'net.ipv4.conf.em1.promote_secondaries=0');
  await a.ip('address delete 10.60.0.7/24 dev em1');
  const again = await LabElection.start(a, labRouter({ addresses: ['10.60.0.100/24'], interval: 100_000 }));
  await again.untilState('active', 5000);
  await a.ip('address add 10.60.0.7/24 dev em1');
  await until('the setting', 3000, async () => (await promote()) === '1');
  await again.program.stop();
  assert.equal(await shown(a, '10.60.0.100'), undefined);
  assert.ok((await shown(a, '10.60.0.7')) !== undefined);
  assert.equal(await promote(), '0', 'given back');
});

test('promote_secondaries is set while a router that wants it runs', { skip }, async (t) => {
  const { a } = await laboratory(t);
  await a.run('sysctl', '-qw', 'net.ipv4.conf.em1.promote_secondaries=0');
  const promote = async () => (await a.run('cat', '/proc/sys/net/ipv4/conf/em1/promote_secondaries')).trim();
  const election = await LabElection.start(a, labRouter({ interval: 100_000, more: { promoteSecondaries: true } }));
  assert.equal(await promote(), '1');
  await election.configure(labRouter({ interval: 100_000 }));
  assert.equal(await promote(), '0');
  await election.configure(labRouter({ interval: 100_000, more: { promoteSecondaries: true } }));
  assert.equal(await promote(), '1');
  await election.program.stop();
  assert.equal(await promote(), '0');
});
