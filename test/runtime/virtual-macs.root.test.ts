/** Virtual MAC addresses in real kernels: who answers, with what address, and what is left behind. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { LabElection, type LabRouter, labRouter } from '../lab/election.js';
import type { Host } from '../lab/host.js';
import { Lab, labUnavailable } from '../lab/lab.js';
import { Probe } from '../lab/probe.js';
import { until } from '../lab/until.js';

const skip = labUnavailable('ping');
const MAC4 = '00:00:5e:00:01:0a';
const MAC6 = '00:00:5e:00:02:0a';
const ipv4: LabRouter = {
  addresses: ['10.9.0.100'],
  interval: 100_000,
  more: { virtualMac: { name: 'vrrp.10', address: MAC4, transmitOnBase: false } },
  tracks: [{ id: 'virtual mac', weight: 0, reverse: false }],
};
const ipv6: LabRouter = {
  addresses: ['fd09::64/64'],
  interval: 100_000,
  more: { virtualMac: { name: 'vrrp6.10', address: MAC6, transmitOnBase: false } },
  tracks: [{ id: 'virtual mac', weight: 0, reverse: false }],
};

async function laboratory(t: TestContext) {
  const lab = await Lab.open();
  t.after(() => lab.close());
  const a = await lab.host('a', { addresses: ['10.9.0.1/24', 'fd09::1/64'] });
  const client = await lab.host('client', { addresses: ['10.9.0.9/24', 'fd09::9/64'] });
  return { lab, a, client };
}

interface ShownLink {
  readonly ifname: string;
  readonly address: string;
  readonly flags: readonly string[];
  readonly ifalias?: string;
  readonly ifindex: number;
  readonly linkinfo?: { readonly info_kind?: string; readonly info_data?: { readonly mode?: string } };
}

async function links(host: Host): Promise<readonly ShownLink[]> {
  return JSON.parse(await host.run('ip', '-j', '-d', 'link', 'show')) as readonly ShownLink[];
}

async function link(host: Host, name: string): Promise<ShownLink | undefined> {
  return (await links(host)).find(({ ifname }) => ifname === name);
}

async function untilPinged(client: Host, address: string): Promise<void> {
  await until(`${address} to answer`, 5000, async () => {
    return (await client.attempt('ping', '-n', '-c', '1', '-W', '1', address)).exit === 0;
  });
}

/** The client's neighbour entry, after it has asked anew. */
async function neighbour(client: Host, address: string): Promise<string | undefined> {
  const [row] = JSON.parse(await client.run('ip', '-j', 'neighbour', 'show', 'to', address)) as readonly {
    readonly lladdr?: string;
  }[];
  return row?.lladdr;
}

async function sysctl(host: Host, key: string): Promise<string> {
  return (await host.run('cat', `/proc/sys/net/${key}`)).trim();
}

test('IPv4: ARP is answered with the virtual MAC address alone, also after the host itself has asked', {
  skip,
}, async (t) => {
  const { a, client } = await laboratory(t);
  const election = await LabElection.start(a, labRouter(ipv4));
  await election.untilState('active', 5000);
  const macvlan = await link(a, 'vrrp.10');
  assert.equal(macvlan?.address, MAC4);
  assert.equal(macvlan?.ifalias, 'baton r');
  assert.equal(macvlan?.linkinfo?.info_data?.mode, 'private');
  const [held] = (await a.kernelAddresses()).filter(({ address }) => address === '10.9.0.100');
  assert.equal(held?.device, 'vrrp.10');

  await untilPinged(client, '10.9.0.100');
  assert.equal(await neighbour(client, '10.9.0.100'), MAC4);
  // The base interface's own address is its own as before.
  await untilPinged(client, '10.9.0.1');
  assert.equal(await neighbour(client, '10.9.0.1'), await a.mac());
  // Answers make the host ask for the client; not even then does the base interface speak for the virtual address.
  for (let round = 0; round < 3; round++) {
    await a.ip('neighbour flush all');
    await client.ip('neighbour flush all');
    await untilPinged(client, '10.9.0.100');
    assert.equal(await neighbour(client, '10.9.0.100'), MAC4, `round ${round}`);
  }
  assert.equal(await sysctl(a, 'ipv4/conf/em1/arp_ignore'), '1');

  await election.program.stop();
  assert.equal(await link(a, 'vrrp.10'), undefined);
  assert.equal(await sysctl(a, 'ipv4/conf/em1/arp_ignore'), '0', 'given back');
  assert.equal(await sysctl(a, 'ipv4/conf/em1/arp_announce'), '0', 'given back');
});

test('IPv6: neighbour discovery is answered with the virtual MAC address, at once', { skip }, async (t) => {
  const { a, client } = await laboratory(t);
  const election = await LabElection.start(a, labRouter(ipv6));
  await election.untilState('active', 8000);
  await untilPinged(client, 'fd09::1');
  assert.equal((await client.attempt('ping', '-n', '-c', '1', '-W', '1', 'fd09::64')).exit, 0);
  assert.equal(await neighbour(client, 'fd09::64'), MAC6);
  for (let round = 0; round < 3; round++) {
    await a.ip('neighbour flush all');
    await client.ip('neighbour flush all');
    await untilPinged(client, 'fd09::64');
    assert.equal(await neighbour(client, 'fd09::64'), MAC6, `round ${round}`);
  }
  const shown = await a.run('ip', '-6', 'address', 'show', 'dev', 'vrrp6.10');
  assert.match(shown, /fd09::64\/64/);
  assert.doesNotMatch(shown, /fe80::/, 'no link-local address of its own');
  assert.doesNotMatch(shown, /tentative/);
});

test('switches learn of the groups by the interface below: VRRP always, solicited-node while the address is held', {
  skip,
}, async (t) => {
  const { lab, a, client } = await laboratory(t);
  const groups = async (device: string) => await a.run('ip', '-6', 'maddress', 'show', 'dev', device);
  // What has a hop-by-hop header: the reports.
  const capture = client.start('tcpdump', '-l', '-n', '-e', '-v', '-i', 'em1', 'ip6[6] == 0');
  await capture.untilSays('listening on', 5000);
  const mac = await a.mac();
  const election = await LabElection.start(
    a,
    labRouter({ ...ipv6, addresses: ['fd09::64/64', 'fd09::aa:64/64', 'fd09:1::64/64'] }),
  );
  assert.match(await groups('em1'), /ff02::12\b/);
  await election.untilState('active', 8000);
  const joined = await groups('em1');
  assert.match(joined, /ff02::1:ff00:64\b/);
  assert.match(joined, /ff02::1:ffaa:64\b/);
  await until(
    'a report',
    5000,
    () => capture.tail().includes('gaddr ff02::1:ff00:64 '),
    () => capture.tail(),
  );
  assert.ok(capture.tail().includes(mac));
  assert.ok(!capture.tail().includes(MAC6));

  await t.test('also by one that was made anew', async () => {
    await a.ip('link delete em1');
    await lab.plug(a);
    await election.untilState('active', 10_000);
    await until(
      'the groups',
      5000,
      async () => /ff02::1:ffaa:64\b/.test(await groups('em1')),
      () => groups('em1'),
    );
  });

  await t.test('a change of the addresses is followed', async () => {
    assert.deepEqual(
      await election.configure(labRouter({ ...ipv6, addresses: ['fd09::64/64', 'fd09::bb:64/64'] })),
      [],
    );
    const changed = await groups('em1');
    assert.match(changed, /ff02::1:ffbb:64\b/);
    assert.doesNotMatch(changed, /ff02::1:ffaa:64\b/);
  });

  await t.test('and when the address goes, it leaves', async () => {
    await a.ip('link set em1 down');
    await election.untilState('fault', 5000);
    assert.doesNotMatch(await groups('em1'), /ff02::1:ff00:64\b/);
  });
});

test('a backup has the macvlan and sends nothing by it; it forwards nothing until it is active', {
  skip,
}, async (t) => {
  const { a, client } = await laboratory(t);
  await a.run('sysctl', '-qw', 'net.ipv4.conf.em1.forwarding=1', 'net.ipv6.conf.em1.forwarding=1');
  const capture = client.start(
    'tcpdump',
    '-l',
    '-n',
    '-e',
    '-i',
    'em1',
    'ether',
    'src',
    MAC4,
    'or',
    'ether',
    'src',
    MAC6,
  );
  await until('tcpdump to listen', 5000, () => capture.tail().includes('listening on'));
  const other = await LabElection.start(
    client,
    labRouter({ addresses: ['10.9.0.100'], interval: 100_000, priority: 200 }),
  );
  await other.untilState('active', 5000);
  const election = await LabElection.start(a, labRouter(ipv4));
  await election.untilState('backup', 5000);
  await until('the macvlan to be up', 3000, async () => (await link(a, 'vrrp.10'))?.flags.includes('UP'));
  // A membership of a group on the macvlan would be reported at once.
  await a.ip('maddress add 33:33:00:00:00:99 dev vrrp.10');
  await a.attempt('ip', 'address', 'add', '239.1.2.3/32', 'dev', 'vrrp.10', 'autojoin');
  assert.equal(await sysctl(a, 'ipv4/conf/vrrp.10/forwarding'), '0');
  assert.equal(await sysctl(a, 'ipv6/conf/vrrp.10/disable_ipv6'), '1', 'nothing of IPv6 is on it');
  await new Promise((resolve) => setTimeout(resolve, 1500));
  const frames = () => capture.lines.filter((line) => line.includes(' > '));
  assert.deepEqual(frames(), [], 'nothing left with the virtual MAC address');
  await a.attempt('ip', 'address', 'delete', '239.1.2.3/32', 'dev', 'vrrp.10');

  await other.program.kill();
  await election.untilState('active', 5000);
  assert.equal(await sysctl(a, 'ipv4/conf/vrrp.10/forwarding'), '1', 'as the base interface');
  await until('frames of the active router', 3000, () => frames().length > 2);
  assert.ok(
    capture.lines.some((line) => line.includes('224.0.0.18')),
    'its advertisements come from the virtual MAC address',
  );
});

test('a macvlan that somebody deletes is made again; the interface under it may go and come back', {
  skip,
}, async (t) => {
  const { lab, a, client } = await laboratory(t);
  const election = await LabElection.start(a, labRouter(ipv4));
  await election.untilState('active', 5000);
  const first = (await link(a, 'vrrp.10'))?.ifindex;
  await a.ip('link delete vrrp.10');
  await until('the macvlan to be back', 3000, async () => {
    const again = await link(a, 'vrrp.10');
    return again !== undefined && again.ifindex !== first;
  });
  await a.untilHolds('10.9.0.100', 5000);
  await untilPinged(client, '10.9.0.100');
  assert.equal(await neighbour(client, '10.9.0.100'), MAC4);

  await a.ip('link set em1 down');
  await until('the macvlan to be down', 3000, async () => !(await link(a, 'vrrp.10'))?.flags.includes('UP'));
  await a.ip('link set em1 up');
  await election.untilState('active', 5000);
  await untilPinged(client, '10.9.0.100');

  await a.ip('link delete em1');
  await election.untilState('fault', 3000);
  await lab.plug(a);
  await election.untilState('active', 5000);
  await untilPinged(client, '10.9.0.100');
  assert.equal(await neighbour(client, '10.9.0.100'), MAC4);
});

test('after a crash: what is still wanted is adopted, what is not is removed, nobody else is touched', {
  skip,
}, async (t) => {
  const { a } = await laboratory(t);
  const before = await LabElection.start(a, labRouter(ipv4), labRouter({ ...ipv6, name: 'six', vrid: 10 }));
  await before.untilState('active', 5000);
  await before.untilState('active', 5000, 'six');
  await before.program.kill();
  await a.ip(
    'link add vrrp.77 link em1 type macvlan mode private',
    'link set vrrp.77 alias "baton of somebody else" address 00:00:5e:00:01:4d',
    'link set vrrp.77 alias mine',
    'link add vrrp.78 link em1 type macvlan mode private',
    'link set vrrp.78 alias "baton gone"',
  );
  const kept = (await link(a, 'vrrp.10'))?.ifindex;
  assert.notEqual(kept, undefined, 'the crash left it');
  const after = await LabElection.start(a, labRouter(ipv4));
  const names = (await links(a)).map(({ ifname }) => ifname);
  assert.ok(names.includes('vrrp.77'), 'without our mark');
  assert.ok(!names.includes('vrrp.78'), 'of a router that is not configured');
  assert.ok(!names.includes('vrrp6.10'), 'of a router that is not configured any more');
  assert.equal((await link(a, 'vrrp.10'))?.ifindex, kept);
  await after.untilState('active', 5000);
  await after.configure(labRouter({ addresses: ['10.9.0.100'], interval: 100_000 }));
  await until('what is no longer wanted to go', 5000, async () => (await link(a, 'vrrp.10')) === undefined);
  await a.untilHolds('10.9.0.100', 5000);
});

test('an interface of the name that is not ours is left alone, and the router is in fault', { skip }, async (t) => {
  const { a } = await laboratory(t);
  await a.ip('link add vrrp.10 type veth peer name vrrp.11');
  const election = await LabElection.start(a, labRouter(ipv4));
  await election.untilState('fault', 3000);
  assert.equal((await link(a, 'vrrp.10'))?.linkinfo?.info_kind, 'veth');
  const told = election.occurrences('log').find(({ fields }) => fields['on'] === 'vrrp.10');
  assert.match(String(told?.fields['detail']), /rename or remove it/);
  await a.ip('link delete vrrp.10');
  await election.untilState('active', 5000);
  assert.equal((await link(a, 'vrrp.10'))?.address, MAC4);
});

test('one address alone may have the virtual MAC address, on another interface', { skip }, async (t) => {
  const { a, client } = await laboratory(t);
  await a.ip('link add em2 link em1 type macvlan mode bridge', 'link set em2 up', 'address add 10.8.0.1/24 dev em2');
  const router = labRouter({ addresses: ['10.9.0.100'], interval: 100_000 });
  const elsewhere = { address: '10.8.0.100', prefixLength: 24, device: 'em2', virtualMac: true };
  const election = await LabElection.start(a, { ...router, excludedAddresses: [elsewhere] });
  await election.untilState('active', 5000);
  const found = (await a.kernelAddresses()).find(({ address }) => address === '10.8.0.100');
  assert.equal((await link(a, found?.device ?? ''))?.address, MAC4);
  const own = (await a.kernelAddresses()).find(({ address }) => address === '10.9.0.100');
  assert.equal(own?.device, 'em1');
  await client.ip('address add 10.8.0.9/24 dev em1');
  await untilPinged(client, '10.9.0.100');
});

test('the virtual MAC address moves from host to host: the client need not learn anything', { skip }, async (t) => {
  const { lab, a, client } = await laboratory(t);
  const b = await lab.host('b', { addresses: ['10.9.0.2/24'] });
  const second = await LabElection.start(b, labRouter(ipv4));
  await second.untilState('active', 5000);
  await untilPinged(client, '10.9.0.100');
  const first = await LabElection.start(a, labRouter({ ...ipv4, priority: 200 }));
  await first.untilState('active', 5000);
  await second.untilState('backup', 5000);
  // Nobody may ask: the switch must have learned the new port from the announcement.
  await client.ip(`neighbour replace 10.9.0.100 lladdr ${MAC4} dev em1 nud permanent`);
  // The last advertisement of the former one may have come after that; the next one is not far.
  await untilPinged(client, '10.9.0.100');
  await first.program.kill();
  await second.untilState('active', 5000);
  // The dead host still has the address, until its lease ends, and the switch already knows better.
  assert.equal((await client.attempt('ping', '-n', '-c', '1', '-W', '1', '10.9.0.100')).exit, 0);
});

test('a restart that keeps the addresses keeps the interface that they are on', { skip }, async (t) => {
  const { a, client } = await laboratory(t);
  const router = labRouter({ ...ipv4, interval: 1_000_000 });
  const before = await LabElection.start(a, router);
  await before.untilState('active', 8000);
  const index = (await link(a, 'vrrp.10'))?.ifindex;
  const probe = await Probe.start(client, '10.9.0.100');
  await probe.untilAnswered(5000);
  before.tell({ kind: 'suspend' });
  const stopped = await until('it to stop', 3000, () => before.messages.find(({ kind }) => kind === 'stopped'));
  assert.ok(stopped.kind === 'stopped');
  await before.program.ended;
  const after = await LabElection.startWith(a, { routers: [router], resumed: stopped.resumable });
  assert.equal((await after.router()).state, 'active');
  assert.equal((await link(a, 'vrrp.10'))?.ifindex, index);
  const { longestOutageMs, answered } = await probe.report();
  assert.ok(answered > 100 && longestOutageMs < 100, `${answered} answers, at most ${longestOutageMs} ms without one`);
});
