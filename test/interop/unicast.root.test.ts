/**
 * Unicast between Baton and keepalived: several peers, TTL limits, sources that are no peers; and what the two do about
 * addresses and intervals that are not the same on both.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Holders } from '../lab/holders.js';
import { type InstanceOptions, keepalivedConf } from '../lab/keepalived.js';
import { labUnavailable } from '../lab/lab.js';
import { advertPacket } from '../lab/packet.js';
import { StandaloneAgent } from '../lab/standalone-agent.js';
import { Tap } from '../lab/tap.js';
import { throughout, until } from '../lab/until.js';
import { Contender, type Kind, ROLES } from './contender.js';
import { DOWN_MS, INTERVAL_MS, openStage, SLACK_MS } from './stage.js';

const skip = labUnavailable('keepalived');
const VRID = 45;
const VIP = '10.9.0.100';
const HOSTS = ['10.9.0.1', '10.9.0.2', '10.9.0.3'];

function conf(self: string, priority: number, more: Partial<InstanceOptions> = {}, peerOptions = ''): string {
  return keepalivedConf({
    vrid: VRID,
    priority,
    interval: INTERVAL_MS / 1000,
    interface: 'em1',
    addresses: [`${VIP}/32`],
    unicast: {
      source: self,
      peers: HOSTS.filter((address) => address !== self).map((address) => `${address} ${peerOptions}`.trim()),
    },
    ...more,
  });
}

async function rejections(agent: StandaloneAgent): Promise<Record<string, number>> {
  const { counters } = await agent.router();
  return Object.fromEntries(Object.entries(counters).filter(([name]) => name.startsWith('rejected')));
}

for (const kinds of [
  ['baton', 'keepalived', 'baton'],
  ['keepalived', 'baton', 'keepalived'],
] as const) {
  test(`three peers, ${kinds.join(', ')}: the next in priority takes over`, { skip }, async (t) => {
    const { one, two, client } = await openStage(t);
    const hosts = [one, two, client];
    const holders = await Holders.watch(VIP, ...hosts);
    const contenders: Contender[] = [];
    for (const [index, host] of hosts.entries()) {
      contenders.push(await Contender.start(kinds[index] ?? 'baton', host, conf(host.address, 150 - 40 * index)));
      if (index === 0) await one.untilHolds(VIP, DOWN_MS + SLACK_MS);
    }
    await throughout('the first alone', 1.5 * DOWN_MS, () => holders.now.join() === 'one');
    await contenders[0]?.stop();
    await until('the second alone', DOWN_MS + SLACK_MS, () => holders.now.join() === 'two');
    await throughout('the second alone', DOWN_MS, () => holders.now.join() === 'two');
    await contenders[1]?.stop();
    await until('the third alone', DOWN_MS + SLACK_MS, () => holders.now.join() === 'client');
  });
}

for (const [first, second] of ROLES) {
  test(`min_ttl and max_ttl: ${first} sends, ${second} believes what is inside`, { skip }, async (t: TestContext) => {
    const { one, two } = await openStage(t);
    const sent = (ttl: number) => conf(one.address, 150, { more: [`unicast_ttl ${ttl}`] });
    let active = await Contender.start(first, one, sent(64));
    await one.untilHolds(VIP, DOWN_MS + SLACK_MS);
    const holders = await Holders.watch(VIP, one, two);
    const backup = await Contender.start(second, two, conf(two.address, 100, {}, 'min_ttl 60 max_ttl 70'));
    await throughout('it is believed', 1.5 * DOWN_MS, () => holders.now.join() === 'one');
    await active.stop();
    await until('the other one alone', DOWN_MS + SLACK_MS, () => holders.now.join() === 'two');
    active = await Contender.start(first, one, sent(80));
    await one.untilHolds(VIP, 2 * DOWN_MS + SLACK_MS);
    await throughout('the other one does not yield to it', 1.5 * DOWN_MS, () => two.holds(VIP));
    assert.equal((await backup.account()).state, 'active');
    if (backup.program instanceof StandaloneAgent) {
      const counted = await rejections(backup.program);
      assert.deepEqual(Object.keys(counted), ['rejected.bad-ttl']);
    }
  });
}

for (const kind of ['baton', 'keepalived'] as const satisfies readonly Kind[]) {
  test(`check_unicast_src: ${kind} does not believe who is no peer`, { skip }, async (t) => {
    const { lab, one } = await openStage(t);
    const forger = await lab.host('forger', { addresses: ['10.9.0.66/24'] });
    const tap = await Tap.open(forger);
    const holders = await Holders.watch(VIP, one);
    const contender = await Contender.start(kind, one, conf(one.address, 100, { more: ['check_unicast_src'] }));
    await one.untilHolds(VIP, DOWN_MS + SLACK_MS);
    const mac = Buffer.from((await one.mac()).replaceAll(':', ''), 'hex');
    const forged = advertPacket({
      source: forger.address,
      destination: one.address,
      vrid: VRID,
      priority: 200,
      addresses: [VIP],
      interval: INTERVAL_MS / 10,
    });
    const sending = setInterval(() => tap.send(forged, mac), 50);
    t.after(() => clearInterval(sending));
    await throughout('it stays active', 1.5 * DOWN_MS, () => holders.now.join() === 'one');
    assert.equal((await contender.account()).state, 'active');
    if (contender.program instanceof StandaloneAgent) {
      const counted = await rejections(contender.program);
      assert.ok(Object.values(counted).reduce((sum, count) => sum + count, 0) > 5, JSON.stringify(counted));
    }
  });
}

test('other addresses than keepalived advertises: believed, and told', { skip }, async (t) => {
  const { one, two } = await openStage(t);
  const holders = await Holders.watch(VIP, one, two);
  await Contender.start('keepalived', one, conf(one.address, 150, { addresses: [`${VIP}/32`, '10.9.0.101/32'] }));
  await one.untilHolds(VIP, DOWN_MS + SLACK_MS);
  const baton = await StandaloneAgent.start(two, conf(two.address, 100));
  await throughout('Baton stays backup', 1.5 * DOWN_MS, () => holders.now.join() === 'one');
  await baton.program.untilSays(/"code":"address[a-z-]*mismatch/, SLACK_MS);
  assert.deepEqual(await rejections(baton), {});
});

test('version 2, another interval than keepalived has: dropped, and counted', { skip }, async (t) => {
  const { one, two } = await openStage(t);
  const slow = { version: 2, interval: 2 } as const;
  await Contender.start('keepalived', one, conf(one.address, 150, slow));
  await one.untilHolds(VIP, 8000 + SLACK_MS);
  const baton = await StandaloneAgent.start(two, conf(two.address, 100, { version: 2, interval: 1 }));
  const counted = await until('a rejection', 4000 + SLACK_MS, async () => {
    const all = await rejections(baton);
    return Object.keys(all).length > 0 && all;
  });
  assert.deepEqual(Object.keys(counted), ['rejected.interval-mismatch']);
  await two.untilHolds(VIP, 4000 + SLACK_MS);
  assert.equal(await one.holds(VIP), true, 'as between two keepalived: both are active');
});
