/** What a backup sees of who answers for the addresses, asked of real kernels: with and without a virtual MAC, IPv4 and IPv6. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { LabElection, type LabRouter, labRouter } from '../lab/election.js';
import type { Host } from '../lab/host.js';
import { Keepalived, keepalivedConf } from '../lab/keepalived.js';
import { Lab, labUnavailable } from '../lab/lab.js';
import { advertPacket } from '../lab/packet.js';
import { Tap } from '../lab/tap.js';
import { throughout, until } from '../lab/until.js';

const INTERVAL = 200_000;
const EVERY = 1_000_000;
const VIP4 = '10.9.0.110';
const VIP6 = '2001:db8:61::111';
const VIP_MAC = '10.9.0.112';
const VMAC = '00:00:5e:00:01:0c';
/** A round: the pause, the questions, a second for the answers; two of them where one is not enough. */
const ROUNDS_MS = 10_000;

async function stage(t: TestContext) {
  const lab = await Lab.open();
  t.after(() => lab.close());
  const hosts: Host[] = [];
  for (const number of [1, 2, 3]) {
    hosts.push(await lab.host(`h${number}`, { addresses: [`10.9.0.${number}/24`, `fe80::b${number}/64 nodad`] }));
  }
  const [a, b, c] = hosts;
  if (a === undefined || b === undefined || c === undefined) throw new RangeError('three hosts');
  return { a, b, c };
}

function routers(priority: number, verifyInterval: number): readonly ReturnType<typeof labRouter>[] {
  const router = (more: LabRouter) => labRouter({ priority, interval: INTERVAL, ...more });
  const virtualMac = { name: 'vrrp.12', address: VMAC, transmitOnBase: false };
  const tracks = [{ id: 'virtual mac', weight: 0, reverse: false }];
  return [
    router({ name: 'v4', vrid: 10, addresses: [VIP4], more: { verifyInterval } }),
    // While it becomes active its kernel looks for duplicates.
    router({
      name: 'v6',
      vrid: 11,
      addresses: ['fe80::111', VIP6],
      router: { duplicateProbe: 'warn' },
      more: { verifyInterval },
    }),
    router({ name: 'mac', vrid: 12, addresses: [VIP_MAC], tracks, more: { virtualMac, verifyInterval } }),
  ];
}

async function untilSeen(election: LabElection, name: string, macs: readonly string[], asExpected: boolean) {
  await until(
    `${name} to see ${macs.join()}`,
    ROUNDS_MS,
    async () => {
      const { sightings } = await election.router(name);
      return (
        sightings.length > 0 &&
        sightings.every((each) => each.macs.join() === macs.join() && each.asExpected === asExpected)
      );
    },
    async () => await election.router(name),
  );
}

function notices(election: LabElection): readonly string[] {
  return election
    .occurrences('notice')
    .map(({ router, notice, source }) => `${router} ${notice} ${source ?? ''}`.trim());
}

test('a backup sees who answers: the active router, its virtual MAC, nobody, somebody else', {
  skip: labUnavailable(),
}, async (t) => {
  const { a, b, c } = await stage(t);
  const tap = await Tap.open(c);
  const agentA = await LabElection.start(a, ...routers(150, 0));
  const agentB = await LabElection.start(b, ...routers(100, EVERY));
  for (const name of ['v4', 'v6', 'mac']) await agentA.untilState('active', ROUNDS_MS, name);

  await t.test('as it should be', async () => {
    await untilSeen(agentB, 'v4', [await a.mac()], true);
    await untilSeen(agentB, 'v6', [await a.mac()], true);
    await untilSeen(agentB, 'mac', [VMAC], true);
    assert.deepEqual(notices(agentB), []);
    assert.equal((await agentA.router('v6')).state, 'active');
    assert.doesNotMatch(await a.run('ip', '-6', 'address'), /dadfailed|tentative/);
  });

  await t.test('and no question is asked with the virtual MAC', async () => {
    const virtual = VMAC.replaceAll(':', '');
    const fromB = tap.frames.filter(({ bytes }) => {
      const [frame, arp] = [Buffer.from(bytes), Buffer.from(bytes).subarray(14)];
      // An ARP request from no address.
      return (
        frame.subarray(6, 12).toString('hex') === virtual &&
        frame.readUInt16BE(12) === 0x0806 &&
        arp.readUInt32BE(14) === 0
      );
    });
    assert.equal(fromB.length, 0);
  });

  await t.test('somebody else answers as well', async () => {
    await c.ip(`address add ${VIP4}/32 dev em1`, `address add ${VIP6}/128 dev em1 nodad`);
    const both = [await a.mac(), await c.mac()].sort();
    await untilSeen(agentB, 'v4', both, false);
    await until('both to be told', ROUNDS_MS, () => notices(agentB).length >= 2);
    assert.deepEqual([...notices(agentB)].sort(), [
      `v4 address-answered-by-other ${await c.mac()}`,
      `v6 address-answered-by-other ${await c.mac()}`,
    ]);
    await c.ip(`address delete ${VIP4}/32 dev em1`, `address delete ${VIP6}/128 dev em1`);
    await untilSeen(agentB, 'v4', [await a.mac()], true);
    await untilSeen(agentB, 'v6', [await a.mac()], true);
  });

  await t.test('nobody answers', async () => {
    await a.run('sysctl', '-q', '-w', 'net.ipv4.conf.em1.arp_ignore=8');
    await until('it to be told', ROUNDS_MS, () => notices(agentB).includes('v4 address-unanswered'));
    await untilSeen(agentB, 'v4', [], false);
    await a.run('sysctl', '-q', '-w', 'net.ipv4.conf.em1.arp_ignore=1');
    await untilSeen(agentB, 'v4', [await a.mac()], true);
  });

  await t.test('the elections have not noticed', async () => {
    for (const agent of [agentA, agentB]) {
      for (const { counters } of (await agent.status()).routers) assert.ok((counters['transitions'] ?? 0) <= 2);
    }
    assert.equal(notices(agentB).length, 3);
  });
});

test('keepalived with and without a virtual MAC answers as it should; others that advertise are told of', {
  skip: labUnavailable('keepalived'),
}, async (t) => {
  const { a, b, c } = await stage(t);
  const instance = (vrid: number, address: string, more: readonly string[] = []) =>
    keepalivedConf({
      vrid,
      priority: 150,
      interval: INTERVAL / 1_000_000,
      interface: 'em1',
      addresses: [`${address}/32`],
      more,
    });
  const second = instance(12, VIP_MAC, ['use_vmac vrrp.12']).replace('VI_1', 'VI_2');
  await Keepalived.start(a, `${instance(10, VIP4)}\n${second.slice(second.indexOf('vrrp_instance'))}`);
  await a.untilHolds(VIP_MAC, ROUNDS_MS);
  const [v4, , mac] = routers(100, EVERY);
  if (v4 === undefined || mac === undefined) throw new RangeError('three routers');
  const known = { ...v4, knownSources: ['10.9.0.1', '10.9.0.2'] };
  const agentB = await LabElection.start(b, known, mac);
  await untilSeen(agentB, 'v4', [await a.mac()], true);
  await untilSeen(agentB, 'mac', [VMAC], true);
  assert.deepEqual(notices(agentB), []);

  await t.test('one that is no member, and one of a VRID that nobody here has, are told of', async () => {
    const tap = await Tap.open(c);
    const advert = { source: '10.9.0.3', priority: 1, addresses: [VIP4], interval: 20 };
    tap.send(advertPacket({ ...advert, vrid: 10 }));
    tap.send(advertPacket({ ...advert, vrid: 77 }));
    await until('the notice', ROUNDS_MS, () => notices(agentB).includes('v4 foreign-router 10.9.0.3'));
    await until('the other router', ROUNDS_MS, async () => {
      const { interfaces } = await agentB.status();
      return interfaces.some(({ name, foreign }) => name === 'em1' && foreign.some(({ vrid }) => vrid === 77));
    });
    await throughout('it is told once', 1000, () => {
      tap.send(advertPacket({ ...advert, vrid: 10 }));
      return notices(agentB).length === 1;
    });
  });
});
