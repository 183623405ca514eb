/**
 * accept and no_accept in both families, by Baton and by keepalived: with no_accept the client resolves the address (the
 * router forwards for it) and gets no answer of it; what else the host has is reached as ever.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Host } from '../lab/host.js';
import { keepalivedConf } from '../lab/keepalived.js';
import { labUnavailable } from '../lab/lab.js';
import { StandaloneAgent } from '../lab/standalone-agent.js';
import { until } from '../lab/until.js';
import { Contender, type Kind } from './contender.js';
import { DOWN_MS, INTERVAL_MS, openStage, SLACK_MS } from './stage.js';

const skip = labUnavailable('keepalived');
const FAMILIES = [
  { vip: '10.9.0.100', own: '10.9.0.1', addresses: ['10.9.0.100/32'] },
  { vip: '2001:db8:9::100', own: '2001:db8:9::1', addresses: ['fe80::34/64', '2001:db8:9::100/128'] },
];

async function answers(client: Host, address: string): Promise<boolean> {
  return (await client.attempt('ping', '-c1', '-W1', address)).exit === 0;
}

async function scenario(t: TestContext, kind: Kind, { vip, own, addresses }: (typeof FAMILIES)[number]) {
  const { one, two, client } = await openStage(t);
  const conf = (priority: number, mode: string) =>
    keepalivedConf({
      vrid: 34,
      priority,
      interval: INTERVAL_MS / 1000,
      interface: 'em1',
      addresses,
      more: [mode],
    });
  const contender = await Contender.start(kind, one, conf(150, 'no_accept'));
  await one.untilHolds(vip, DOWN_MS + SLACK_MS);
  const other = await Contender.start(kind === 'baton' ? 'keepalived' : 'baton', two, conf(100, 'no_accept'));

  await t.test('no_accept: resolved, and not answered', async () => {
    assert.equal(await answers(client, vip), false);
    assert.equal(await client.neighbor(vip), await one.mac());
    assert.equal(await answers(client, own), true);
  });

  await t.test('after the takeover the other one does not answer either', async () => {
    await contender.stop();
    await two.untilHolds(vip, DOWN_MS + SLACK_MS);
    await until('the client to go there', SLACK_MS, async () => (await client.neighbor(vip)) === (await two.mac()));
    assert.equal(await answers(client, vip), false);
    assert.equal(await client.neighbor(vip), await two.mac());
    await other.stop();
  });

  await t.test('accept: answered', async () => {
    const accepting = await Contender.start(kind, one, conf(150, 'accept'));
    await one.untilHolds(vip, DOWN_MS + SLACK_MS);
    await until('an answer', SLACK_MS, () => answers(client, vip));
    await accepting.stop();
  });

  await t.test('nothing stays behind in the firewall', async () => {
    for (const host of [one, two]) assert.equal((await host.run('nft', 'list', 'ruleset')).trim(), '');
  });
}

for (const family of FAMILIES) {
  for (const kind of ['baton', 'keepalived'] as const) {
    test(`no_accept: ${kind} active, ${family.vip}`, { skip }, (t) => scenario(t, kind, family));
  }
}

test('no_accept is taken on and off an active router by a reload, without a transition', { skip }, async (t) => {
  const { one, client } = await openStage(t);
  const [ipv4] = FAMILIES;
  assert.ok(ipv4 !== undefined);
  const conf = (mode: string) =>
    keepalivedConf({
      vrid: 34,
      priority: 150,
      interval: INTERVAL_MS / 1000,
      interface: 'em1',
      addresses: ipv4.addresses,
      more: [mode],
    });
  const baton = await StandaloneAgent.start(one, conf('accept'));
  await one.untilHolds(ipv4.vip, DOWN_MS + SLACK_MS);
  await until('an answer', SLACK_MS, () => answers(client, ipv4.vip));
  baton.reload(conf('no_accept'));
  await until('no answer', SLACK_MS, async () => !(await answers(client, ipv4.vip)));
  baton.reload(conf('accept'));
  await until('an answer again', SLACK_MS, () => answers(client, ipv4.vip));
  assert.equal((await baton.router()).counters['transitions'], 2);
});
