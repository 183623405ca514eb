/**
 * Virtual MAC addresses beside keepalived's, both families: the client's neighbour entry is the virtual one and stays
 * when the address moves, in either direction; nothing of it stays behind.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Holders } from '../lab/holders.js';
import type { Host } from '../lab/host.js';
import { keepalivedConf } from '../lab/keepalived.js';
import { labUnavailable } from '../lab/lab.js';
import { Probe } from '../lab/probe.js';
import { StandaloneAgent } from '../lab/standalone-agent.js';
import { Tap } from '../lab/tap.js';
import { throughout, until } from '../lab/until.js';
import { Contender, type Kind, ROLES } from './contender.js';
import { DOWN_MS, INTERVAL_MS, openStage, SLACK_MS } from './stage.js';

const skip = labUnavailable('keepalived');
const VRID = 33;

interface Variant {
  readonly title: string;
  readonly vip: string;
  readonly addresses: readonly string[];
  readonly virtualMac: string;
  readonly device: string;
  readonly more: readonly string[];
}

const IPV4 = {
  vip: '10.9.0.100',
  addresses: ['10.9.0.100/24'],
  virtualMac: '00:00:5e:00:01:21',
  device: `vrrp.${VRID}`,
};
const IPV6 = {
  vip: '2001:db8:9::100',
  addresses: ['fe80::33/64', '2001:db8:9::100/64'],
  virtualMac: '00:00:5e:00:02:21',
  device: `vrrp6.${VRID}`,
};
const variants: readonly Variant[] = [
  { title: 'IPv4', ...IPV4, more: [`use_vmac ${IPV4.device}`] },
  { title: 'IPv4, adverts on the base interface', ...IPV4, more: [`use_vmac ${IPV4.device}`, 'vmac_xmit_base'] },
  { title: 'IPv6', ...IPV6, more: [`use_vmac ${IPV6.device}`] },
  { title: 'IPv6, adverts on the base interface', ...IPV6, more: [`use_vmac ${IPV6.device}`, 'vmac_xmit_base'] },
];

function conf(variant: Variant, priority: number): string {
  const { addresses, more } = variant;
  return keepalivedConf({ vrid: VRID, priority, interval: INTERVAL_MS / 1000, interface: 'em1', addresses, more });
}

/** Source MAC addresses of the advertisements that the client saw from the host. */
function advertMacs(tap: Tap, variant: Variant, from: number): Set<string> {
  const frames = variant.vip.includes(':')
    ? tap.ipv6Frames.filter(({ bytes }) => bytes[20] === 112)
    : tap.frames.filter(({ bytes }) => bytes[12] === 8 && bytes[13] === 0);
  const macs = frames.filter(({ atMs }) => atMs >= from).map(({ bytes }) => Buffer.from(bytes.subarray(6, 12)));
  return new Set(macs.map((mac) => mac.toString('hex').replace(/..(?!$)/g, '$&:')));
}

async function hasLink(host: Host, device: string): Promise<boolean> {
  return (await host.run('ip', '-o', 'link')).includes(` ${device}@`);
}

async function scenario(t: TestContext, variant: Variant, [first, second]: readonly [Kind, Kind]) {
  const { one, two, client } = await openStage(t);
  const { vip, virtualMac, device } = variant;
  const holders = await Holders.watch(vip, one, two);
  const tap = await Tap.open(client);
  // Else keepalived's host asks for the client in the name of the virtual address, with the MAC address of em1, whenever it
  // has to: then the client has that one. Baton's does not, and gets no help.
  const keepalivedHost = first === 'keepalived' ? one : two;
  await keepalivedHost.ip(`neighbor replace 10.9.0.3 lladdr ${await client.mac()} dev em1 nud permanent`);
  let active = await Contender.start(first, one, conf(variant, 150));
  await one.untilHolds(vip, DOWN_MS + SLACK_MS);
  const backup = await Contender.start(second, two, conf(variant, 100));
  const probe = await Probe.start(client, vip);
  await probe.untilAnswered(SLACK_MS);

  await t.test('the client and the advertisements have the virtual MAC address', async () => {
    const from = Date.now();
    await throughout(`${first} alone to hold it`, 1.2 * DOWN_MS, () => holders.now.join() === 'one');
    assert.equal((await backup.account()).state, 'backup');
    assert.equal(await client.neighbor(vip), virtualMac);
    for (const host of [one, two]) assert.equal(await host.mac(device), virtualMac);
    const held = (await one.kernelAddresses(vip.includes(':') ? 6 : 4)).find(({ address }) => address === vip);
    assert.equal(held?.device, device);
    const onBase = variant.more.includes('vmac_xmit_base');
    assert.deepEqual([...advertMacs(tap, variant, from)], [onBase ? await one.mac() : virtualMac]);
  });

  await t.test(`stop of ${first}: the entry of the client does not change`, async () => {
    await active.stop();
    await two.untilHolds(vip, DOWN_MS + SLACK_MS);
    await probe.untilAnswered(SLACK_MS);
    assert.equal(await client.neighbor(vip), virtualMac);
    assert.equal(await hasLink(one, device), false);
  });

  if (variant.more.includes('vmac_xmit_base')) return;
  await t.test(`${first} comes back, and is killed: the entry of the client does not change`, async () => {
    active = await Contender.start(first, one, conf(variant, 150));
    await until('only the first one to hold it', DOWN_MS + SLACK_MS, () => holders.now.join() === 'one');
    await probe.untilAnswered(SLACK_MS);
    assert.equal(await client.neighbor(vip), virtualMac);
    await active.kill();
    await two.untilHolds(vip, DOWN_MS + SLACK_MS);
    await probe.untilAnswered(SLACK_MS);
    assert.equal(await client.neighbor(vip), virtualMac);
  });

  if (first !== 'baton') return;
  await t.test('what the killed one left is taken up by the next one, and gone after its stop', async () => {
    assert.equal(await hasLink(one, device), true, 'the kernel keeps the interface of a dead agent');
    const next = await StandaloneAgent.start(one, conf(variant, 150));
    await until('only the first one to hold it', DOWN_MS + SLACK_MS, () => holders.now.join() === 'one');
    assert.equal((await one.run('ip', '-o', 'link')).split(`${device}@`).length, 2);
    await next.stop();
    await two.untilHolds(vip, DOWN_MS + SLACK_MS);
    assert.equal(await hasLink(one, device), false);
    assert.equal(await client.neighbor(vip), virtualMac);
  });
}

for (const variant of variants) {
  for (const roles of ROLES) {
    test(`${variant.title}: ${roles[0]} active, ${roles[1]} backup`, { skip }, (t) => scenario(t, variant, roles));
  }
}
