/** The whole election thread on real interfaces, with Debian's keepalived beside it: what its parts make together. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { LabElection, type LabRouter, labRouter } from '../lab/election.js';
import type { Host } from '../lab/host.js';
import { type InstanceOptions, Keepalived, keepalivedConf } from '../lab/keepalived.js';
import { Lab, labUnavailable } from '../lab/lab.js';
import { throughout, until } from '../lab/until.js';

const skip = labUnavailable('keepalived');
const VRID = 61;
const INTERVAL_MS = 200;
/** Nobody of priority 1 or more waits longer. */
const DOWN_MS = 4 * INTERVAL_MS;
const SLACK_MS = 3000;
const LINK_LOCAL_VIP = 'fe80::61';
const VIP6 = '2001:db8:61::100';
const VIP4 = '10.9.0.100';

async function pair(t: TestContext) {
  const lab = await Lab.open();
  t.after(() => lab.close());
  const b = await lab.host('baton', { addresses: ['10.9.0.1/24', '2001:db8:61::1/64'] });
  const k = await lab.host('keepalived', { addresses: ['10.9.0.2/24', '2001:db8:61::2/64'] });
  for (const host of [b, k]) {
    // Duplicate address detection of the link-local address takes its time.
    await until('a link-local address', 5000, async () => {
      const text = await host.run('ip', '-6', 'address', 'show', 'dev', host.device, 'scope', 'link');
      return text.includes('fe80::') && !text.includes('tentative');
    });
  }
  return { lab, b, k };
}

async function addressLines(host: Host): Promise<string> {
  return await host.run('ip', '-o', 'address');
}

async function holds(host: Host, address: string): Promise<boolean> {
  return (await addressLines(host)).includes(` ${address}/`);
}

async function untilHolds(host: Host, address: string, wanted: boolean, withinMs = DOWN_MS + SLACK_MS): Promise<void> {
  await until(
    `${host.name} ${wanted ? 'to hold' : 'to give up'} ${address}`,
    withinMs,
    async () => (await holds(host, address)) === wanted,
    async () => ({ addresses: await addressLines(host), programs: host.tails() }),
  );
}

function router(more: LabRouter): ReturnType<typeof labRouter> {
  return labRouter({ vrid: VRID, interval: INTERVAL_MS * 1000, ...more });
}

function conf(k: Host, priority: number, addresses: readonly string[], more: Partial<InstanceOptions> = {}): string {
  return keepalivedConf({
    vrid: VRID,
    priority,
    interval: INTERVAL_MS / 1000,
    interface: k.device,
    addresses,
    ...more,
  });
}

test('IPv6, version 3, multicast: each takes over from the other and yields to it', { skip }, async (t) => {
  const { b, k } = await pair(t);
  const addresses = [LINK_LOCAL_VIP, VIP6];
  const own = (priority: number) => router({ priority, addresses });
  const theirs = (priority: number) => conf(k, priority, [`${LINK_LOCAL_VIP}/128`, `${VIP6}/128`]);

  const keepalived = await Keepalived.start(k, theirs(150));
  await untilHolds(k, VIP6, true);
  const baton = await LabElection.start(b, own(100));
  await throughout('Baton stays backup', 1.5 * DOWN_MS, async () => !(await holds(b, VIP6)));
  const [peer] = (await baton.router()).peers;
  assert.match(peer?.address ?? '', /^fe80::/);
  assert.equal(peer?.priority, 150);
  assert.equal(peer?.lost, 0);

  await t.test('keepalived stops: Baton takes over within its skew time', async () => {
    await keepalived.stop();
    await untilHolds(b, VIP6, true);
    assert.ok(await holds(b, LINK_LOCAL_VIP));
    assert.equal((await baton.router()).cause, 'priority-zero-heard');
  });

  const second = await Keepalived.start(k, theirs(150));
  await t.test('keepalived comes back: Baton yields', async () => {
    await untilHolds(k, VIP6, true);
    await untilHolds(b, VIP6, false);
    assert.equal((await baton.router()).cause, 'higher-priority-heard');
  });

  await t.test('Baton is given the higher priority: keepalived yields', async () => {
    assert.deepEqual(await baton.configure(own(200)), []);
    await untilHolds(b, VIP6, true);
    await untilHolds(k, VIP6, false);
  });

  await t.test('Baton stops: keepalived has the addresses before they are gone here', async () => {
    await baton.stop();
    await untilHolds(k, VIP6, true);
    assert.equal(await holds(b, VIP6), false);
    assert.equal(baton.occurrences('transition').at(-1)?.cause, 'handed-over');
  });
  await second.stop();
});

test('virtual MAC: adverts and addresses on the macvlan, in both roles beside keepalived with use_vmac', {
  skip,
}, async (t) => {
  const { b, k } = await pair(t);
  const virtualMac = { name: `vrrp.${VRID}`, address: '00:00:5e:00:01:3d', transmitOnBase: false };
  const own = (priority: number) =>
    router({
      priority,
      addresses: [VIP4],
      tracks: [{ id: 'virtual mac', weight: 0, reverse: false }],
      more: { virtualMac },
    });
  const keepalived = await Keepalived.start(k, conf(k, 150, [`${VIP4}/32`], { more: [`use_vmac vrrp.${VRID}`] }));
  await untilHolds(k, VIP4, true);
  // A host may filter by the way back.
  await b.run('sysctl', '-q', '-w', 'net.ipv4.conf.all.rp_filter=1');
  const baton = await LabElection.start(b, own(100));
  await throughout('Baton stays backup', 1.5 * DOWN_MS, async () => !(await holds(b, VIP4)));
  const heard = await baton.router();
  assert.equal(heard.counters['transitions'], 1, 'it was active for a moment');
  assert.equal(heard.peers[0]?.lost, 0);
  assert.match(await b.run('ip', 'link', 'show', virtualMac.name), /00:00:5e:00:01:3d/);
  await keepalived.kill();
  await untilHolds(b, VIP4, true);
  assert.match(await addressLines(b), new RegExp(`vrrp\\.${VRID} +inet ${VIP4}/32`));
  await k.ip(`link delete vrrp.${VRID}`);

  const backup = await Keepalived.start(k, conf(k, 50, [`${VIP4}/32`], { more: [`use_vmac vrrp.${VRID}`] }));
  await throughout('keepalived stays backup', 1.5 * DOWN_MS, async () => !(await holds(k, VIP4)));
  assert.deepEqual((await baton.router()).peers.length, 1, 'only the former one has advertised');
  await baton.stop();
  await untilHolds(k, VIP4, true);
  const links = await b.run('ip', '-o', 'link');
  assert.ok(!links.includes('vrrp.'), links);
  await backup.stop();
});

test('suspended and started anew: the address never goes, and the other one never takes over', { skip }, async (t) => {
  const { b, k } = await pair(t);
  const own = router({ priority: 150, interval: 1_000_000, addresses: [VIP4] });
  const first = await LabElection.start(b, own);
  await untilHolds(b, VIP4, true, 4 * 1000 + SLACK_MS);
  const other = await LabElection.start(k, router({ priority: 100, interval: 1_000_000, addresses: [VIP4] }));
  let wasAway = false;
  let isOver = false;
  const watching = (async () => {
    while (!isOver) wasAway ||= !(await holds(b, VIP4));
  })();
  const resumed = await first.suspend();
  assert.deepEqual(
    resumed.map(({ name }) => name),
    ['r'],
  );
  const second = await LabElection.startWith(b, { routers: [own], resumed });
  assert.equal((await second.router()).cause, 'resumed');
  await throughout('the other one stays backup', 4000, async () => !(await holds(k, VIP4)));
  isOver = true;
  await watching;
  assert.equal(wasAway, false);
  assert.equal((await second.router()).state, 'active');
  assert.equal((await other.router()).counters['transitions'], 1);
});

test('a sync group moves as a whole, beside a sync group of keepalived', { skip }, async (t) => {
  const { b, k } = await pair(t);
  await b.ip('link add down1 type veth peer name down2', 'link set down1 up', 'link set down2 up');
  const member = (name: string, vrid: number, address: string, tracks: LabRouter['tracks'] = []) =>
    router({ name, vrid, priority: 150, addresses: [address], group: 'g', tracks });
  const baton = await LabElection.startWith(b, {
    routers: [
      member('r1', 1, '10.9.0.101', [{ id: 'interface down1', weight: 0, reverse: false }]),
      member('r2', 2, '10.9.0.102'),
    ],
    groups: [{ name: 'g', routers: ['r1', 'r2'], policy: 'all' }],
  });
  await untilHolds(b, '10.9.0.102', true);
  const instance = (name: string, vrid: number, address: string) =>
    conf(k, 100, [`${address}/32`], { vrid }).replace('VI_1', name);
  const [first, second] = [instance('r1', 1, '10.9.0.101'), instance('r2', 2, '10.9.0.102')];
  const instances = second.slice(second.indexOf('vrrp_instance'));
  const keepalived = await Keepalived.start(
    k,
    `${first}\n${instances}\nvrrp_sync_group g {\n  group {\n    r1\n    r2\n  }\n}\n`,
  );
  await throughout('keepalived stays backup', 1.5 * DOWN_MS, async () => !(await holds(k, '10.9.0.101')));
  await b.ip('link set down2 down');
  for (const address of ['10.9.0.101', '10.9.0.102']) {
    await untilHolds(k, address, true);
    await untilHolds(b, address, false);
  }
  const { groups } = await baton.status();
  assert.equal(groups[0]?.state, 'fault');
  await b.ip('link set down2 up');
  for (const address of ['10.9.0.101', '10.9.0.102']) {
    await untilHolds(b, address, true);
    await untilHolds(k, address, false);
  }
  await keepalived.stop();
});

test('another manager that flushes the interface, and one that makes it anew, are survived by all kinds of routers', {
  skip,
}, async (t) => {
  const { lab, b } = await pair(t);
  const mac = (vrid: number) => ({ name: `vrrp.${vrid}`, address: `00:00:5e:00:01:${vrid}`, transmitOnBase: false });
  const tracks = [{ id: 'virtual mac', weight: 0, reverse: false }];
  const baton = await LabElection.start(
    b,
    router({ name: 'v4', vrid: 10, addresses: ['10.9.0.110'] }),
    router({ name: 'v6', vrid: 10, addresses: ['fe80::10', '2001:db8:61::110'] }),
    router({ name: 'mac', vrid: 12, addresses: ['10.9.0.112'], tracks, more: { virtualMac: mac(12) } }),
  );
  const all = ['10.9.0.110', '2001:db8:61::110', '10.9.0.112'];
  const untilAll = async () => {
    for (const address of all) await untilHolds(b, address, true, 10_000);
  };
  await untilAll();

  await t.test('flushed', async () => {
    await b.ip(`address flush dev ${b.device}`);
    await until('the routers to be in fault', SLACK_MS, async () => (await baton.router('v4')).state === 'fault');
    await b.ip(
      ...b.addresses.map((address) => `address replace ${address} dev ${b.device}`),
      `address add fe80::b1/64 dev ${b.device}`,
    );
    await untilAll();
  });

  await t.test('set down and up', async () => {
    await b.ip(`link set ${b.device} down`);
    for (const address of all) await untilHolds(b, address, false);
    await b.ip(
      `link set ${b.device} up`,
      ...b.addresses.map((address) => `address replace ${address} dev ${b.device}`),
    );
    await untilAll();
  });

  await t.test('deleted and made anew', async () => {
    await b.ip(`link delete ${b.device}`);
    await until('the routers to be in fault', SLACK_MS, async () => (await baton.router('mac')).state === 'fault');
    await lab.plug(b);
    await untilAll();
  });

  await t.test('and in the end nothing of it is left', async () => {
    await baton.stop();
    const left = await addressLines(b);
    for (const address of all) assert.ok(!left.includes(address), left);
    assert.ok(!(await b.run('ip', '-o', 'link')).includes('vrrp.'));
    assert.equal((await b.run('nft', 'list', 'ruleset')).trim(), '');
  });
});
