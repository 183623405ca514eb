/** RFC 9568 section 6.4.2: the state {Backup}. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Input, nextDeadline } from '../../agent/vrrp/index.js';
import { decodeArp } from '../../agent/wire/arp.js';
import { decodeNeighbor, solicitedNodeGroup } from '../../agent/wire/neighbor.js';
import { advertPacket, ipv6AdvertPacket } from '../lab/packet.js';
import { ip, settings } from '../runtime/router-settings.js';
import { Driven, GREATER, heard, SECOND, SMALLER } from '../vrrp/sample-router.js';
import {
  activeAlone,
  alone,
  DOWN_100,
  LINK_LOCAL_VIP,
  SKEW_100,
  settings6,
  VIP,
  VIP_6,
  type WatchedHost,
  watch,
  withVirtualMac,
} from './watched-host.js';

const better = { source: '10.0.0.7', vrid: 10, priority: 200, addresses: [VIP], interval: 100 };
const better6 = { source: 'fe80::7', vrid: 10, priority: 200, addresses: [LINK_LOCAL_VIP, VIP_6], interval: 100 };

/** Active, then told of a better one: a backup that was active before. */
function demoted(family: 4 | 6): WatchedHost {
  const { clock, a } = activeAlone(family === 6 ? settings6() : settings());
  assert.ok(a.holds(family === 6 ? VIP_6 : VIP));
  a.receive(family === 6 ? ipv6AdvertPacket(better6) : advertPacket(better));
  clock.settle();
  assert.equal(a.router().state, 'backup');
  return a;
}

test('R-6.4.2-1 a backup does not answer ARP for the addresses: it does not have them', () => {
  const a = demoted(4);
  assert.ok(!a.holds(VIP));
  assert.ok(!alone().a.holds(VIP));
});

test('R-6.4.2-2 a backup does not answer neighbour solicitations for the addresses: it does not have them', () => {
  const a = demoted(6);
  assert.ok(!a.holds(VIP_6) && !a.holds(LINK_LOCAL_VIP));
  const virtual = alone(settings(withVirtualMac(6))).a;
  assert.equal(virtual.router().state, 'backup');
  assert.ok(!virtual.holds(VIP_6) && !virtual.holds(LINK_LOCAL_VIP));
  assert.deepEqual(virtual.seen.memberships, [], 'nor has it joined their solicited-node groups');
});

test('R-6.4.2-3 a backup sends no router advertisements, nor anything else by the virtual MAC interface', () => {
  const { clock, a } = alone(settings(withVirtualMac(6)));
  for (let i = 0; i < 10; i += 1) {
    a.receive(ipv6AdvertPacket(better6));
    clock.advance(SECOND);
  }
  assert.deepEqual([a.seen.adverts, a.seen.frames], [[], []]);
  const set = (key: string) => a.seen.sysctls.findLast((each) => each.interfaceName === 'vrrp6.10' && each.key === key);
  // A host that does not forward sends none; it neither asks for any nor listens to them.
  for (const key of ['forwarding', 'router_solicitations', 'accept_ra']) assert.equal(set(key)?.value, 0, key);
});

test('R-6.4.2-4 a backup discards what is sent to the virtual MAC address', () => {
  const { clock, host } = watch();
  const a = host('a', '10.0.0.1/24', 'fe80::1/64');
  a.forwards = true;
  a.configure(settings(withVirtualMac()));
  clock.settle();
  const index = a.links.get('vrrp.10')?.index;
  const last = () =>
    a.seen.ipv4Confs.findLast(({ interfaceIndex, conf }) => interfaceIndex === index && 'forwarding' in conf);
  assert.equal(a.seen.macvlans[0]?.ipv4Conf?.forwarding, 0, 'made so that it forwards nothing');
  clock.advance(DOWN_100);
  assert.equal(last()?.conf.forwarding, 1, 'as the interface below while active');
  a.receive(advertPacket(better));
  clock.settle();
  assert.equal(a.router().state, 'backup');
  assert.equal(last()?.conf.forwarding, 0);
});

test('R-6.4.2-5 a backup accepts nothing that is addressed to the addresses', () => {
  for (const family of [4, 6] as const) {
    const a = demoted(family);
    for (const address of family === 6 ? [VIP_6, LINK_LOCAL_VIP] : [VIP]) assert.ok(!a.holds(address), address);
  }
  // Another host may have them behind it: nothing is filtered.
  const { clock, a } = activeAlone(settings({ more: { accept: false } }));
  a.receive(advertPacket(better));
  clock.settle();
  assert.deepEqual(a.takeLog().slice(-2), [`delete ${VIP}/32`, `allow ${VIP}`]);
});

test('R-6.4.2-6 Shutdown in Backup cancels Active_Down_Timer', () => {
  const driven = Driven.backup();
  driven.feed({ kind: 'shutdown', handover: false }, SECOND);
  assert.equal(nextDeadline(driven.router, driven.member), undefined);
  driven.feed({ kind: 'tick' }, 10 * SECOND);
  assert.deepEqual(driven.effects, []);
});

test('R-6.4.2-7 Shutdown in Backup leads to Initialize, without a word', () => {
  const driven = Driven.backup();
  driven.feed({ kind: 'shutdown', handover: true }, SECOND);
  assert.equal(driven.member.phase.name, 'initialize');
  assert.deepEqual(driven.kinds, ['transitioned']);
});

test('R-6.4.2-8 when Active_Down_Timer fires an advertisement is sent', () => {
  const driven = Driven.backup();
  driven.feed({ kind: 'tick' }, DOWN_100 - 1);
  assert.deepEqual(driven.effects, []);
  driven.feed({ kind: 'tick' }, DOWN_100);
  assert.deepEqual(
    driven.effects.filter(({ kind }) => kind === 'advertise'),
    [{ kind: 'advertise', priority: 100 }],
  );
  // Deviation: decision 0005. After the addresses and their first announcement, not before them.
  assert.deepEqual(driven.kinds.slice(0, 3), ['addAddresses', 'announceAddresses', 'advertise']);
});

test('R-6.4.2-9 then a gratuitous ARP is broadcast for each IPv4 address', () => {
  const { a } = activeAlone(settings({ addresses: [VIP, '10.0.0.101'], excluded: ['10.0.0.102'] }));
  const told = a.seen.frames.map(({ frame }) => decodeArp(frame));
  assert.deepEqual(
    told.map((arp) => arp?.senderAddress),
    [VIP, '10.0.0.101', '10.0.0.102'].map(ip),
  );
  for (const arp of told) {
    assert.equal(arp?.targetAddress, arp?.senderAddress);
    // Deviation: decision 0029. The target hardware address is the broadcast one.
    assert.deepEqual([...(arp?.targetHardware ?? [])], [255, 255, 255, 255, 255, 255]);
  }
  const virtual = activeAlone(settings(withVirtualMac())).a;
  const [frame] = virtual.seen.frames;
  assert.deepEqual([...(decodeArp(frame?.frame ?? new Uint8Array())?.senderHardware ?? [])], [0, 0, 0x5e, 0, 1, 10]);
});

test('R-6.4.2-10 the solicited-node groups of the IPv6 addresses are computed and joined', () => {
  assert.equal(solicitedNodeGroup(ip('2001:db8::1:2345:6789') as bigint), ip('ff02::1:ff45:6789'));
  const { a } = activeAlone(settings(withVirtualMac(6)));
  const em1 = a.links.get('em1')?.index;
  // Both addresses end in 100: one group, joined where a switch hears the report, the kernel joining it on the macvlan.
  assert.deepEqual(a.seen.memberships, [{ interfaceIndex: em1, group: ip('ff02::1:ff00:100'), isJoin: true }]);
  assert.ok(a.holds(VIP_6));
});

test('R-6.4.2-11 an unsolicited neighbour advertisement is sent for each IPv6 address', () => {
  const flags = (forwards: boolean) => {
    const { clock, host } = watch();
    const a = host('a', 'fe80::1/64');
    a.forwards = forwards;
    a.configure(settings(withVirtualMac(6)));
    clock.advance(DOWN_100);
    const told = a.seen.frames.map(({ frame }) => decodeNeighbor(frame));
    assert.deepEqual(
      told.map((message) => message?.target),
      [LINK_LOCAL_VIP, VIP_6].map(ip),
    );
    for (const message of told) assert.deepEqual([...(message?.hardwareAddress ?? [])], [0, 0, 0x5e, 0, 2, 10]);
    return told.map((message) => [message?.isRouter, message?.isSolicited, message?.isOverride]);
  };
  assert.deepEqual(flags(true), [
    [true, false, true],
    [true, false, true],
  ]);
  // Deviation: decision 0027. A host that does not forward does not say that it is a router.
  assert.deepEqual(flags(false), [
    [false, false, true],
    [false, false, true],
  ]);
});

test('R-6.4.2-12 then Adver_Timer is set to Advertisement_Interval', () => {
  const driven = Driven.backup({ advertisementInterval: 400_000 });
  const due = driven.phase('backup').activeDownAt;
  driven.feed({ kind: 'tick' }, due + 2000);
  assert.equal(driven.phase('active').adverAt, due + 2000 + 400_000);
});

test('R-6.4.2-13 then the state is Active', () => {
  const driven = Driven.backup();
  driven.feed({ kind: 'tick' }, DOWN_100);
  assert.equal(driven.member.phase.name, 'active');
  assert.equal(driven.cause, 'active-down');
});

test('R-6.4.2-14 priority 0 sets Active_Down_Timer to Skew_Time', () => {
  const driven = Driven.backup();
  driven.feed(heard(200), SECOND).feed(heard(0), 2 * SECOND);
  assert.equal(driven.phase('backup').activeDownAt, 2 * SECOND + SKEW_100);
  // Of the interval that was learned.
  const learned = Driven.backup();
  learned.feed(heard(200, GREATER, 2 * SECOND), SECOND).feed(heard(0), 2 * SECOND);
  assert.equal(learned.phase('backup').activeDownAt, 2 * SECOND + 2 * SKEW_100);
});

/** What is heard and accepted in Backup, by priority, Preempt_Mode. */
const accepted: readonly (readonly [string, boolean, number])[] = [
  ['higher', true, 101],
  ['equal', true, 100],
  ['higher, no preemption', false, 101],
  ['equal, no preemption', false, 100],
  ['lower, no preemption', false, 1],
];

function afterHearing(preemptMode: boolean, priority: number, interval = 500_000, source = SMALLER) {
  return Driven.backup({ preemptMode })
    .feed(heard(priority, source, interval), SECOND)
    .phase('backup');
}

test('R-6.4.2-15 an equal or higher priority, or any without Preempt_Mode, sets Active_Adver_Interval', () => {
  for (const [name, preemptMode, priority] of accepted) {
    assert.equal(afterHearing(preemptMode, priority).activeAdverInterval, 500_000, name);
    assert.equal(afterHearing(preemptMode, priority, 2 * SECOND).activeAdverInterval, 2 * SECOND, name);
  }
  // With strictRfc any interval, also the longest.
  const strict = Driven.backup({ strictRfc: true }).feed(heard(200, GREATER, 40_950_000), SECOND);
  assert.equal(strict.phase('backup').activeAdverInterval, 40_950_000);
  // Deviation: decision 0003. Otherwise up to four times the own one.
  assert.equal(afterHearing(true, 200, 4_010_000).activeAdverInterval, SECOND);
  assert.equal(afterHearing(true, 200, 4_000_000).activeAdverInterval, 4 * SECOND);
  // Deviation: decision 0033. Not from one that is outranked by another one's last advertisement; with strictRfc it is.
  const lastWord = (strictRfc: boolean) =>
    Driven.backup({ strictRfc })
      .feed(heard(200, GREATER, 2 * SECOND), SECOND)
      .feed(heard(150, SMALLER, SECOND), SECOND + 100);
  assert.equal(lastWord(false).phase('backup').activeAdverInterval, 2 * SECOND);
  assert.equal(lastWord(true).phase('backup').activeAdverInterval, SECOND);
});

test('R-6.4.2-16 it recomputes Skew_Time', () => {
  for (const [name, preemptMode, priority] of accepted) {
    const driven = Driven.backup({ preemptMode });
    driven.feed(heard(priority, SMALLER, 500_000), SECOND).feed(heard(0, SMALLER, 500_000), 2 * SECOND);
    assert.equal(driven.phase('backup').activeDownAt, 2 * SECOND + 304_687, name);
  }
});

test('R-6.4.2-17 it recomputes Active_Down_Interval', () => {
  for (const [name, preemptMode, priority] of accepted) {
    const { activeDownAt } = afterHearing(preemptMode, priority);
    // 3 x 0.5 s and 156/256 of 0.5 s.
    assert.equal(activeDownAt - SECOND, 1_804_687, name);
  }
});

test('R-6.4.2-18 it sets Active_Down_Timer to Active_Down_Interval, each time anew', () => {
  for (const [name, preemptMode, priority] of accepted) {
    const driven = Driven.backup({ preemptMode });
    for (let at = 3 * SECOND; at < 30 * SECOND; at += 3 * SECOND) {
      driven.feed(heard(priority), at);
      assert.equal(driven.phase('backup').activeDownAt, at + DOWN_100, name);
    }
  }
});

test('R-6.4.2-19 with Preempt_Mode a lower priority is discarded: the timer goes on', () => {
  const driven = Driven.backup();
  for (let at = SECOND; at < DOWN_100; at += SECOND) driven.feed(heard(99, GREATER, 2 * SECOND), at);
  assert.equal(driven.phase('backup').activeDownAt, DOWN_100);
  assert.equal(driven.phase('backup').activeAdverInterval, SECOND);
  const tick: Input = { kind: 'tick' };
  assert.equal(driven.feed(tick, DOWN_100).member.phase.name, 'active');
});
