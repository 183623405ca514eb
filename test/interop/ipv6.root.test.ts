/** IPv6 elections between Baton and Debian's keepalived from the same keepalived.conf, each in either role. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Holders } from '../lab/holders.js';
import { type InstanceOptions, keepalivedConf } from '../lab/keepalived.js';
import { labUnavailable } from '../lab/lab.js';
import { Probe } from '../lab/probe.js';
import { StandaloneAgent } from '../lab/standalone-agent.js';
import { throughout, until } from '../lab/until.js';
import { Contender, type Kind, ROLES } from './contender.js';
import { DOWN_MS, INTERVAL_MS, openStage, SLACK_MS, untilServedBy } from './stage.js';

const skip = labUnavailable('keepalived');
const VRID = 61;
const LINK_LOCAL_VIP = 'fe80::61';
const VIP = '2001:db8:9::100';

interface Transport {
  readonly title: string;
  readonly addresses: readonly string[];
  readonly conf: (self: string, peer: string) => Partial<InstanceOptions>;
}

const transports: readonly Transport[] = [
  {
    title: 'multicast, link-local address first',
    addresses: [LINK_LOCAL_VIP, VIP, '2001:db8:9::101'],
    conf: () => ({}),
  },
  {
    title: 'unicast',
    addresses: [VIP],
    conf: (self, peer) => ({ unicast: { source: `2001:db8:9::${self}`, peers: [`2001:db8:9::${peer}`] } }),
  },
];

async function scenario(t: TestContext, transport: Transport, [first, second]: readonly [Kind, Kind]) {
  const { one, two, client } = await openStage(t);
  const conf = (number: '1' | '2', priority: number) =>
    keepalivedConf({
      vrid: VRID,
      priority,
      interval: INTERVAL_MS / 1000,
      interface: 'em1',
      addresses: transport.addresses.map((address) => `${address}/${address.startsWith('fe80') ? 64 : 128}`),
      ...transport.conf(number, number === '1' ? '2' : '1'),
    });
  const holders = await Holders.watch(VIP, one, two);
  const macs = { one: await one.mac(), two: await two.mac() };
  const startFirst = () => Contender.start(first, one, conf('1', 150));

  let active = await startFirst();
  await one.untilHolds(VIP, DOWN_MS + SLACK_MS);
  const backup = await Contender.start(second, two, conf('2', 100));
  const probe = await Probe.start(client, VIP);
  await untilServedBy(client, probe, macs.one);

  await t.test(`${second} stays backup`, async () => {
    await throughout(`${first} alone to hold it`, 1.2 * DOWN_MS, () => holders.now.join() === 'one');
    assert.deepEqual(await active.account(), { state: 'active', priority: 150 });
    assert.deepEqual(await backup.account(), { state: 'backup', priority: 100 });
    for (const address of transport.addresses) {
      assert.deepEqual([await one.holds(address), await two.holds(address)], [true, false], address);
    }
    if (backup.program instanceof StandaloneAgent) {
      const { peers, counters, activePriority } = await backup.program.router();
      assert.equal(activePriority, 150);
      assert.equal(peers[0]?.address, transport.title === 'unicast' ? '2001:db8:9::1' : 'fe80::1');
      assert.deepEqual(
        Object.keys(counters).filter((name) => name.startsWith('rejected')),
        [],
      );
    }
  });

  await t.test(`kill -9 of ${first}: ${second} takes over, and the client goes there`, async () => {
    await active.kill();
    await two.untilHolds(VIP, DOWN_MS + SLACK_MS);
    await untilServedBy(client, probe, macs.two);
    assert.equal((await backup.account()).state, 'active');
  });

  await t.test(`${first} comes back with the higher priority: ${second} yields`, async () => {
    active = await startFirst();
    await until('only the first one to hold it', DOWN_MS + SLACK_MS, () => holders.now.join() === 'one');
    await untilServedBy(client, probe, macs.one);
    assert.equal((await backup.account()).state, 'backup');
  });

  await t.test(`${second} is given the higher priority: ${first} yields`, async () => {
    backup.reload(conf('2', 200));
    await until('only the second one to hold it', DOWN_MS + SLACK_MS, () => holders.now.join() === 'two');
    await untilServedBy(client, probe, macs.two);
    assert.deepEqual(await active.account(), { state: 'backup', priority: 150 });
    backup.reload(conf('2', 100));
    await until('only the first one to hold it', DOWN_MS + SLACK_MS, () => holders.now.join() === 'one');
    await untilServedBy(client, probe, macs.one);
  });

  await t.test(`stop of ${first}: ${second} takes over within its skew time`, async () => {
    await probe.report();
    await active.stop();
    await two.untilHolds(VIP, INTERVAL_MS + SLACK_MS);
    await untilServedBy(client, probe, macs.two);
    for (const address of transport.addresses) assert.equal(await one.holds(address), false, address);
  });
}

for (const transport of transports) {
  for (const roles of ROLES) {
    test(`IPv6 ${transport.title}: ${roles[0]} active, ${roles[1]} backup`, { skip }, (t) =>
      scenario(t, transport, roles),
    );
  }
}

test('IPv6: a stop of Baton costs a client next to nothing', { skip }, async (t) => {
  const { one, two, client } = await openStage(t);
  const conf = (priority: number) =>
    keepalivedConf({
      vrid: VRID,
      priority,
      interval: 1,
      interface: 'em1',
      addresses: [`${LINK_LOCAL_VIP}/64`, `${VIP}/128`],
    });
  const baton = await StandaloneAgent.start(one, conf(150));
  await one.untilHolds(VIP, 4000 + SLACK_MS);
  await Contender.start('keepalived', two, conf(100));
  const probe = await Probe.start(client, VIP);
  await untilServedBy(client, probe, await one.mac());
  await probe.report();
  await baton.stop();
  await until(
    'the client to go to keepalived',
    SLACK_MS,
    async () => (await client.neighbor(VIP)) === (await two.mac()),
  );
  let answered = 0;
  let longestMs = 0;
  await until('the stop to be judged', SLACK_MS, async () => {
    const report = await probe.report();
    answered += report.answered;
    longestMs = Math.max(longestMs, report.longestOutageMs);
    // The last quarter of a second is not judged yet.
    return answered > 800 || undefined;
  });
  t.diagnostic(`outage ${longestMs.toFixed(1)} ms, ${answered} answers`);
  assert.ok(longestMs < 50, `a client was without an answer for ${longestMs} ms`);
});
