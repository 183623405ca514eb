/** Baton and Debian's keepalived elect between themselves, each in either role, over every transport. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { LabElection, type LabRouter, labRouter } from '../lab/election.js';
import { Holders } from '../lab/holders.js';
import type { Host } from '../lab/host.js';
import { type InstanceOptions, Keepalived, keepalivedConf } from '../lab/keepalived.js';
import { Lab, labUnavailable } from '../lab/lab.js';
import { Probe } from '../lab/probe.js';
import { throughout } from '../lab/until.js';

const skip = labUnavailable('keepalived');
const VIP = '10.9.0.100';
const VRID = 51;

interface Transport {
  readonly title: string;
  readonly intervalMs: number;
  readonly baton: (self: Host, peer: Host) => Partial<LabRouter>;
  readonly keepalived: (self: Host, peer: Host) => Partial<InstanceOptions>;
}

const transports: readonly Transport[] = [
  {
    title: 'version 2 with PASS, multicast',
    intervalMs: 1000,
    baton: () => ({ version: 2, password: 't9rveMP0' }),
    keepalived: () => ({ version: 2, password: 't9rveMP0' }),
  },
  {
    title: 'version 3, multicast',
    intervalMs: 200,
    baton: () => ({ version: 3 }),
    keepalived: () => ({ version: 3 }),
  },
  {
    title: 'version 3, unicast',
    intervalMs: 200,
    baton: (self, peer) => ({ version: 3, sourceAddress: self.address, peers: [peer.address] }),
    keepalived: (self, peer) => ({ version: 3, unicast: { source: self.address, peers: [peer.address] } }),
  },
];

/** Two hosts, a client that watches the address, and both programs ready to be started. */
async function stage(t: TestContext, transport: Transport) {
  const lab = await Lab.open();
  t.after(() => lab.close());
  const b = await lab.host('baton', { addresses: ['10.9.0.1/24'] });
  const k = await lab.host('keepalived', { addresses: ['10.9.0.2/24'] });
  const { intervalMs } = transport;
  const settings = (priority: number) =>
    labRouter({ vrid: VRID, priority, interval: intervalMs * 1000, addresses: [VIP], ...transport.baton(b, k) });
  const conf = (priority: number) =>
    keepalivedConf({
      vrid: VRID,
      priority,
      interval: intervalMs / 1000,
      interface: k.device,
      addresses: [`${VIP}/32`],
      ...transport.keepalived(k, b),
    });
  return {
    lab,
    b,
    k,
    holders: await Holders.watch(VIP, b, k),
    startBaton: (priority: number) => LabElection.start(b, settings(priority)),
    settings,
    startKeepalived: (priority: number) => Keepalived.start(k, conf(priority)),
    /** Nobody of priority 1 or more waits longer. */
    downMs: 4 * intervalMs,
    leaseMs: Math.max(2000, 3000 * Math.floor(intervalMs / 1000)),
  };
}

/** A busy machine starts processes and prints late; the protocol's own times are asserted by shorter means elsewhere. */
const SLACK_MS = 3000;

for (const transport of transports) {
  test(`${transport.title}: Baton active, keepalived backup`, { skip }, async (t) => {
    const { lab, b, k, holders, startBaton, startKeepalived, downMs, leaseMs } = await stage(t, transport);
    const baton = await startBaton(150);
    await baton.untilState('active', downMs + SLACK_MS);
    await startKeepalived(100);
    await throughout('keepalived stays backup', 1.2 * downMs, () => holders.now.join() === 'baton');
    const [peer] = (await baton.router()).peers;
    assert.equal(peer, undefined, 'keepalived advertised beside Baton');

    await t.test('kill -9 of Baton: keepalived takes over, Baton gives the address up by its lease', async () => {
      const killedAt = Date.now();
      await baton.kill();
      await k.untilHolds(VIP, downMs + SLACK_MS);
      await b.untilHolds(VIP, leaseMs + 1000, false);
      const last = Math.max(...holders.overlaps().map(({ untilMs }) => untilMs), 0);
      assert.ok(last < killedAt + leaseMs + 1000, `two hosts held it until ${last - killedAt} ms after the kill`);
    });

    const second = await startBaton(150);
    await t.test('Baton comes back with the higher priority: it takes over, keepalived yields', async () => {
      await second.untilState('active', downMs + SLACK_MS);
      await k.untilHolds(VIP, SLACK_MS, false);
      assert.equal((await second.router()).cause, 'preempted');
    });

    await t.test('stop of Baton: keepalived takes over, a client hardly notices', async () => {
      const client = await lab.host('client', { addresses: ['10.9.0.3/24'] });
      const probe = await Probe.start(client, VIP);
      await probe.untilAnswered(SLACK_MS);
      await second.stop();
      await k.untilHolds(VIP, SLACK_MS);
      await probe.untilAnswered(SLACK_MS);
      assert.equal(await b.holds(VIP), false);
      const { cause } = second.occurrences('transition').at(-1) ?? {};
      assert.equal(cause, 'handed-over');
    });
  });

  test(`${transport.title}: keepalived active, Baton backup`, { skip }, async (t) => {
    const { b, k, holders, startBaton, startKeepalived, settings, downMs } = await stage(t, transport);
    const keepalived = await startKeepalived(150);
    await k.untilHolds(VIP, downMs + SLACK_MS);
    const baton = await startBaton(100);
    await throughout('Baton stays backup', 1.2 * downMs, () => holders.now.join() === 'keepalived');
    const { state, activeRouter, peers, counters } = await baton.router();
    assert.equal(state, 'backup');
    assert.deepEqual(activeRouter, { address: '10.9.0.2', priority: 150 });
    assert.equal(peers[0]?.interval, transport.intervalMs * 1000);
    assert.deepEqual(
      Object.keys(counters).filter((name) => name.startsWith('rejected')),
      [],
    );

    await t.test('stop of keepalived: Baton takes over within its skew time', async () => {
      await keepalived.stop();
      await baton.untilState('active', transport.intervalMs + SLACK_MS);
      assert.equal((await baton.router()).cause, 'priority-zero-heard');
      assert.equal(await b.holds(VIP), true);
    });

    const second = await startKeepalived(150);
    await t.test('keepalived comes back with the higher priority: Baton yields', async () => {
      await baton.untilState('backup', downMs + SLACK_MS);
      await k.untilHolds(VIP, SLACK_MS);
      await b.untilHolds(VIP, SLACK_MS, false);
      assert.equal((await baton.router()).cause, 'higher-priority-heard');
    });

    await t.test('Baton is given the higher priority: it takes over, keepalived yields', async () => {
      assert.deepEqual(await baton.configure(settings(200)), []);
      await baton.untilState('active', downMs + SLACK_MS);
      await k.untilHolds(VIP, SLACK_MS, false);
      assert.deepEqual(await baton.configure(settings(100)), []);
      await baton.untilState('backup', downMs + SLACK_MS);
      await k.untilHolds(VIP, SLACK_MS);
    });

    await t.test('kill -9 of keepalived: Baton takes over, though keepalived leaves the address behind', async () => {
      await second.kill();
      await baton.untilState('active', downMs + SLACK_MS);
      assert.equal((await baton.router()).cause, 'active-down');
      assert.deepEqual([await b.holds(VIP), await k.holds(VIP)], [true, true]);
    });
  });
}

test('equal priority, both active after a partition: the greater address stays', { skip }, async (t) => {
  for (const [batonAddress, keepalivedAddress, winner] of [
    ['10.9.0.1/24', '10.9.0.2/24', 'keepalived'],
    ['10.9.0.9/24', '10.9.0.2/24', 'baton'],
  ] as const) {
    const lab = await Lab.open();
    t.after(() => lab.close());
    const b = await lab.host('baton', { addresses: [batonAddress] });
    const k = await lab.host('keepalived', { addresses: [keepalivedAddress] });
    const ends = [await lab.drop(b, k), await lab.drop(k, b)];
    const baton = await LabElection.start(
      b,
      labRouter({ vrid: VRID, priority: 100, interval: 200_000, addresses: [VIP] }),
    );
    await Keepalived.start(
      k,
      keepalivedConf({ vrid: VRID, priority: 100, interval: 0.2, interface: 'em1', addresses: [`${VIP}/32`] }),
    );
    await baton.untilState('active', SLACK_MS);
    await k.untilHolds(VIP, SLACK_MS);
    for (const end of ends) await end();
    const [loser, keeper] = winner === 'baton' ? [k, b] : [b, k];
    await loser.untilHolds(VIP, SLACK_MS, false);
    assert.equal(await keeper.holds(VIP), true);
    assert.equal((await baton.router()).state, winner === 'baton' ? 'active' : 'backup');
    if (winner === 'keepalived') assert.equal((await baton.router()).cause, 'equal-priority-greater-address');
    await lab.close();
  }
});
