import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { RouteRequest, RuleRequest } from '../../agent/link/rtnetlink.js';
import { ipBatch } from '../lab/command.js';
import { Lab, labUnavailable } from '../lab/lab.js';
import { ip, ip6 } from '../wire/captured.js';
import { KernelEdge } from './kernel-edge.js';

const skip = labUnavailable();

async function laboratory(t: TestContext) {
  const lab = await Lab.open();
  t.after(() => lab.close());
  const a = await lab.host('a', { addresses: ['10.9.0.1/24'] });
  const edge = await KernelEdge.start(a);
  await edge.acts.openMonitor();
  return { lab, a, edge, em1: await edge.acts.index('em1') };
}

test('interfaces: carrier, administration, removal, return', { skip }, async (t) => {
  const { lab, a, edge } = await laboratory(t);
  const told = async (event: string, isUp: boolean, act: () => Promise<void>) => {
    const seen = edge.events.length;
    await act();
    await edge.untilEvent({ event, name: 'em1', isUp }, 3000, seen);
  };
  await told('link', false, () => lab.cut(a));
  await told('link', true, () => lab.mend(a));
  await told('link', false, () => a.ip('link set em1 down'));
  await told('link', true, () => a.ip('link set em1 up'));
  await told('linkRemoved', false, () => a.ip('link delete em1'));
  await edge.untilEvent({ event: 'addressRemoved', address: '10.9.0.1/24', own: false });
  await told('link', true, () => lab.plug(a));
  await edge.untilEvent({ event: 'addressAdded', address: '10.9.0.1/24', lifetime: 'forever' });
});

test("addresses: others' additions, changes and removals; of our own only removals", { skip }, async (t) => {
  const { a, edge, em1 } = await laboratory(t);
  const requests = [{ interfaceIndex: em1, address: ip('10.9.0.26'), prefixLength: 32, lifetime: 100 }];
  await edge.rtnetlink.addAddresses(requests);
  await edge.rtnetlink.renewAddresses(requests);
  await a.ip('address add 10.9.0.30/32 dev em1');
  await edge.untilEvent({ event: 'addressAdded', address: '10.9.0.30/32', lifetime: 'forever' });
  await a.ip('address change 10.9.0.26/32 dev em1 valid_lft 50 preferred_lft 50');
  await edge.untilEvent({ event: 'addressAdded', address: '10.9.0.26/32', lifetime: 50 });
  await a.ip('address delete 10.9.0.26/32 dev em1');
  await edge.untilEvent({ event: 'addressRemoved', address: '10.9.0.26/32', own: false });
  await edge.rtnetlink.addAddresses(requests);
  await edge.rtnetlink.deleteAddresses(requests);
  await edge.untilEvent({ event: 'addressRemoved', address: '10.9.0.26/32', own: true });
  // Two additions by others; none of our three.
  const added = edge.events.filter(({ event, address }) => event === 'addressAdded' && `${address}`.startsWith('10.'));
  assert.equal(added.length, 2);
});

test('IPv6 addresses: the same, but for whose removal it is', { skip }, async (t) => {
  const { a, edge, em1 } = await laboratory(t);
  const requests = [
    { interfaceIndex: em1, address: ip6('2001:db8::26'), prefixLength: 64, lifetime: 100, noDad: true },
  ];
  const address = '2001:db8::26/64';
  await edge.rtnetlink.addAddresses(requests);
  await edge.rtnetlink.renewAddresses(requests);
  await a.ip('address change 2001:db8::26/64 dev em1 nodad valid_lft 50 preferred_lft 50');
  await edge.untilEvent({ event: 'addressAdded', address, lifetime: 50 });
  await edge.rtnetlink.deleteAddresses(requests);
  await edge.untilEvent({ event: 'addressRemoved', address });
  assert.equal(edge.count({ event: 'addressAdded', address }), 1);
});

test('deleting a primary address tells of the secondaries that go with it', { skip }, async (t) => {
  const { a, edge, em1 } = await laboratory(t);
  await a.run(
    'sysctl',
    '-q',
    '-w',
    'net.ipv4.conf.all.promote_secondaries=0',
    'net.ipv4.conf.em1.promote_secondaries=0',
  );
  const request = (address: string) => ({
    interfaceIndex: em1,
    address: ip(address),
    prefixLength: 24,
    lifetime: 'forever' as const,
  });
  await edge.rtnetlink.addAddresses([request('10.8.0.1'), request('10.8.0.2')]);
  await edge.rtnetlink.deleteAddresses([request('10.8.0.1')]);
  await edge.untilEvent({ event: 'addressRemoved', address: '10.8.0.2/24', own: true });
  await edge.untilEvent({ event: 'addressRemoved', address: '10.8.0.1/24', own: true });
});

const route: RouteRequest = {
  family: 4,
  type: 1,
  table: 254,
  protocol: 18,
  tos: 0,
  onLink: false,
  nextHops: [],
  metrics: [],
  lockedMetrics: 0,
  append: false,
};

test('routes: of watched destinations only, and of our own only removals', { skip }, async (t) => {
  const { a, edge, em1 } = await laboratory(t);
  await edge.monitor.watchRoutes([
    { address: ip('10.20.0.0'), prefixLength: 16 },
    { address: ip6('2001:db8:9::'), prefixLength: 48 },
    { address: ip('10.30.0.7'), prefixLength: 32 },
    { address: 0, prefixLength: 0 },
    { address: 0n, prefixLength: 0 },
  ]);
  const seen = edge.events.length;
  await a.ip(
    'route add 10.20.0.0/16 via 10.9.0.9',
    'route add 10.20.0.0/17 via 10.9.0.9',
    'route add 10.21.0.0/16 via 10.9.0.9',
    'route add default via 10.9.0.9',
    'route add 10.20.0.0/16 via 10.9.0.9 table 1000',
    'route add 10.30.0.7 via 10.9.0.9',
    'route add 10.30.0.8 via 10.9.0.9',
    'route replace 10.20.0.0/16 via 10.9.0.8',
    'route delete 10.20.0.0/16',
    'route add 2001:db8:9::/48 via fe80::9 dev em1',
    'route add 2001:db8:8::/48 via fe80::9 dev em1',
    'route add default via fe80::9 dev em1',
    'route delete 2001:db8:9::/48',
  );
  await edge.untilEvent({ event: 'routeRemoved', route: '6 2001:db8:9::/48 table 254 metric 1024', own: false });
  assert.deepEqual(
    edge.events.slice(seen).map(({ event, route: key }) => `${event} ${key}`),
    [
      'routeAdded 4 10.20.0.0/16 table 254 tos 0 metric 0',
      'routeAdded 4 default table 254 tos 0 metric 0',
      'routeAdded 4 10.20.0.0/16 table 1000 tos 0 metric 0',
      'routeAdded 4 10.30.0.7/32 table 254 tos 0 metric 0',
      'routeAdded 4 10.20.0.0/16 table 254 tos 0 metric 0',
      'routeRemoved 4 10.20.0.0/16 table 254 tos 0 metric 0',
      'routeAdded 6 2001:db8:9::/48 table 254 metric 1024',
      'routeAdded 6 default table 254 metric 1024',
      'routeRemoved 6 2001:db8:9::/48 table 254 metric 1024',
    ],
  );
  const own: RouteRequest = {
    ...route,
    destination: { address: ip('10.20.0.0'), prefixLength: 16 },
    gateway: ip('10.9.0.9'),
    interfaceIndex: em1,
  };
  const before = edge.events.length;
  await edge.rtnetlink.changeRoutes('add', [own]);
  await edge.rtnetlink.changeRoutes('delete', [own]);
  await edge.untilEvent({ event: 'routeRemoved', own: true }, 3000, before);
  assert.equal(edge.count({ event: 'routeAdded' }, before), 0);

  await edge.monitor.watchRoutes([]);
  const after = edge.events.length;
  await a.ip('route add 10.20.0.0/16 via 10.9.0.9', 'address add 10.9.0.30/32 dev em1');
  await edge.untilEvent({ event: 'addressAdded', address: '10.9.0.30/32' }, 3000, after);
  assert.equal(edge.count({ event: 'routeAdded' }, after), 0);
});

test('a flood of routes of others neither overruns the queue nor wakes anybody', { skip }, async (t) => {
  const { a, edge } = await laboratory(t);
  // More than the kernel's filter compares one by one: it then looks at prefix lengths, and the rest is done here.
  const many = Array.from({ length: 100 }, (_, i) => ({ address: ip('10.40.0.0') + i * 256, prefixLength: 24 }));
  for (const destinations of [many.slice(0, 3), many]) {
    await edge.monitor.watchRoutes(destinations);
    edge.program.signal('SIGSTOP');
    const seen = edge.events.length;
    const flood = Array.from({ length: 8000 }, (_, i) => `10.${50 + (i >> 13)}.${(i >> 5) & 255}.${(i & 31) * 8}/29`);
    await ipBatch(
      a.namespace,
      flood.map((destination) => `route add ${destination} via 10.9.0.9`),
    );
    await a.ip('route add 10.40.1.0/24 via 10.9.0.9', 'route add 10.41.1.0/24 via 10.9.0.9');
    edge.program.signal('SIGCONT');
    await edge.untilEvent({ event: 'routeAdded', route: '4 10.40.1.0/24 table 254 tos 0 metric 0' }, 10_000, seen);
    assert.equal(edge.events.length, seen + 1);
    await a.ip('route flush dev em1 via 10.9.0.9');
  }
});

test('rules: when wanted, of both families, and of our own only removals', { skip }, async (t) => {
  const { a, edge } = await laboratory(t);
  const rule: RuleRequest = {
    family: 4,
    not: false,
    tos: 0,
    l3mdev: false,
    action: 1,
    table: 50,
    priority: 100,
    protocol: 18,
  };
  await a.ip('rule add from 10.9.0.0/24 table 50 pref 90');
  await edge.monitor.watchRules(true);
  const seen = edge.events.length;
  await a.ip('rule add from 10.9.0.0/24 table 51 pref 91');
  await a.run('ip', '-6', 'rule', 'add', 'from', '2001:db8::/32', 'table', '50', 'pref', '92');
  await edge.rtnetlink.changeRules('add', [rule]);
  await a.ip('rule delete pref 90');
  await edge.rtnetlink.changeRules('delete', [rule]);
  await edge.untilEvent({ event: 'ruleRemoved', priority: 100 });
  assert.deepEqual(edge.events.slice(seen), [
    { event: 'ruleAdded', family: 4, priority: 91 },
    { event: 'ruleAdded', family: 6, priority: 92 },
    { event: 'ruleRemoved', family: 4, priority: 90, own: false },
    { event: 'ruleRemoved', family: 4, priority: 100, own: true },
  ]);
});

test('the kernel does not tell of IPv4 routes that go with their interface', { skip }, async (t) => {
  const { a, edge } = await laboratory(t);
  await edge.monitor.watchRoutes([{ address: ip('10.20.0.0'), prefixLength: 16 }]);
  await a.ip('route add 10.20.0.0/16 via 10.9.0.9', 'link set em1 down');
  await edge.untilEvent({ event: 'link', name: 'em1', isUp: false });
  assert.equal(
    (await edge.rtnetlink.routes({ destinations: [{ address: ip('10.20.0.0'), prefixLength: 16 }] })).length,
    0,
  );
  // Its being told would be welcome: then there is less to look at.
  assert.equal(edge.count({ event: 'routeRemoved' }), 0);
});

test('drain tells what is there without waiting for the loop', { skip }, async (t) => {
  const { a, edge } = await laboratory(t);
  edge.program.signal('SIGSTOP');
  await a.ip('address add 10.9.0.30/32 dev em1');
  edge.program.signal('SIGCONT');
  await edge.monitor.drain();
  await edge.untilEvent({ event: 'addressAdded', address: '10.9.0.30/32' });
});

test('more than fits in the queue is told as an overrun, and listening goes on', { skip }, async (t) => {
  const { a, edge } = await laboratory(t);
  edge.program.signal('SIGSTOP');
  const addresses = Array.from({ length: 6000 }, (_, i) => `10.7.${i >> 8}.${i & 255}/32`);
  await ipBatch(
    a.namespace,
    addresses.map((address) => `address add ${address} dev em1`),
  );
  edge.program.signal('SIGCONT');
  await edge.untilEvent({ event: 'overrun' }, 10_000);
  await a.ip('address add 10.9.0.30/32 dev em1');
  await edge.untilEvent({ event: 'addressAdded', address: '10.9.0.30/32' }, 10_000);
  assert.equal(edge.count({ event: 'monitorError' }), 0);
  const there = await edge.rtnetlink.addresses();
  assert.equal(there.filter(({ address }) => typeof address === 'number').length, 6003);
});

test('nothing but the native poll refers to a monitor: it goes on telling after garbage collection', {
  skip,
}, async (t) => {
  const { a, edge } = await laboratory(t);
  await edge.acts.collectGarbage();
  await a.ip('address add 10.9.0.30/32 dev em1');
  await edge.untilEvent({ event: 'addressAdded', address: '10.9.0.30/32' });
});
