/** RFC 9568 section 6.4.3: the state {Active}. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Input, nextDeadline } from '../../agent/vrrp/index.js';
import type { IpAddress } from '../../proto/rules/ip.js';
import { advertPacket } from '../lab/packet.js';
import { ip, settings } from '../runtime/router-settings.js';
import { VirtualHost } from '../runtime/virtual-host.js';
import { Driven, GREATER, heard, SECOND, SMALLER } from '../vrrp/sample-router.js';
import { packetTo } from './filter-interpreter.js';
import { activeAlone, DOWN_100, LINK_LOCAL_VIP, settings6, VIP, VIP_6, watch, withVirtualMac } from './watched-host.js';

const TCP = 6;
const ICMPV6 = 58;

/** Active for 400 ms: within its first interval. */
function active(changes: Parameters<typeof Driven.active>[0] = {}): { readonly driven: Driven; readonly now: number } {
  const driven = Driven.active(changes);
  return { driven, now: driven.phase('active').lastAdvertAt + 400_000 };
}

const advertisements = (driven: Driven) => driven.effects.filter(({ kind }) => kind === 'advertise');

test('R-6.4.3-1 the active router answers ARP for the addresses: it has them', () => {
  const { clock, a } = activeAlone(settings({ addresses: [VIP, '10.0.0.101'] }));
  assert.ok(a.holds(VIP) && a.holds('10.0.0.101'));
  clock.advance(60 * SECOND);
  assert.ok(a.holds(VIP) && a.holds('10.0.0.101'), 'for as long as it is active');
  // Asked by another host, it answers.
  const other = new VirtualHost('b', a.lan, [], { withLink: false });
  other.addLink('em0');
  other.removeLink('em0');
  other.addLink('em1');
  other.addAddress('em1', '10.0.0.2/24');
  clock.settle();
  assert.notDeepEqual(other.links.get('em1')?.hardwareAddress, a.links.get('em1')?.hardwareAddress);
  other.configure(settings({ name: 'asks', vrid: 99, priority: 255, router: { duplicateProbe: 'refuse' } }));
  clock.advance(400_000);
  assert.equal(other.router('asks').state, 'backup');
  assert.equal(other.occurrences('notice')[0]?.notice, 'address-conflict');
});

test('R-6.4.3-2 the active router is a member of the solicited-node groups of the IPv6 addresses', () => {
  const { clock, a } = activeAlone(settings(withVirtualMac(6)));
  const em1 = a.links.get('em1')?.index;
  clock.advance(10 * SECOND);
  const group = ip('ff02::1:ff00:100');
  assert.deepEqual(a.seen.memberships, [{ interfaceIndex: em1, group, isJoin: true }]);
  a.election.shutdown(false);
  assert.deepEqual(a.seen.memberships.slice(1), [{ interfaceIndex: em1, group, isJoin: false }]);
});

test('R-6.4.3-3 the active router answers neighbour solicitations, as a router where the host is one', () => {
  const { clock, host } = watch();
  const a = host('a', 'fe80::1/64');
  a.forwards = true;
  a.configure(settings(withVirtualMac(6)));
  clock.advance(DOWN_100);
  assert.ok(a.holds(VIP_6) && a.holds(LINK_LOCAL_VIP));
  // The kernel sets the flag in its answers by this setting.
  const forwarding = a.seen.sysctls.findLast(
    ({ interfaceName, key }) => interfaceName === 'vrrp6.10' && key === 'forwarding',
  );
  assert.equal(forwarding?.value, 1);
  // Deviation: decision 0027. A host that does not forward does not say that it is a router.
  const server = activeAlone(settings(withVirtualMac(6))).a;
  const off = server.seen.sysctls.findLast((each) => each.interfaceName === 'vrrp6.10' && each.key === 'forwarding');
  assert.equal(off?.value, 0);
  // Not filtered either, though nothing else is accepted.
  const refusing = activeAlone(settings6({ more: { accept: false } })).a;
  const index = refusing.links.get('em1')?.index ?? 0;
  for (const address of [VIP_6, LINK_LOCAL_VIP].map(ip)) {
    assert.equal(refusing.seen.filter.judge(packetTo(address, ICMPV6, 135, index)), 'accepted');
  }
});

test('R-6.4.3-4 the active router forwards what is sent to the virtual MAC address, if the host forwards', () => {
  for (const forwards of [true, false]) {
    const { clock, host } = watch();
    const a = host('a', '10.0.0.1/24', 'fe80::1/64');
    a.forwards = forwards;
    a.configure(settings(withVirtualMac()));
    clock.advance(DOWN_100);
    const index = a.links.get('vrrp.10')?.index;
    const conf = a.seen.ipv4Confs.findLast((each) => each.interfaceIndex === index && 'forwarding' in each.conf);
    // Deviation: decision 0027. A host that is no router forwards nothing.
    assert.equal(conf?.conf.forwarding, forwards ? 1 : 0);
    const v6 = a.seen.sysctls.findLast((each) => each.interfaceName === 'vrrp.10' && each.key === 'forwarding');
    assert.equal(v6?.value, forwards ? 1 : 0);
  }
});

test('R-6.4.3-5 who owns the addresses, or has Accept_Mode, accepts what is sent to them', () => {
  for (const options of [
    { priority: 255, more: { accept: false } },
    { priority: 100, more: { accept: true } },
  ]) {
    const { a } = activeAlone(settings(options));
    assert.ok(a.holds(VIP));
    const index = a.links.get('em1')?.index ?? 0;
    assert.equal(a.seen.filter.judge(packetTo(ip(VIP), TCP, 0, index)), 'accepted', `priority ${options.priority}`);
  }
});

test('R-6.4.3-6 who neither owns the addresses nor has Accept_Mode accepts nothing that is sent to them', () => {
  for (const [router, addresses] of [
    [settings({ more: { accept: false } }), [VIP]],
    [settings6({ more: { accept: false } }), [VIP_6, LINK_LOCAL_VIP]],
  ] as const) {
    const { a } = activeAlone(router);
    const index = a.links.get('em1')?.index ?? 0;
    for (const address of addresses) {
      assert.ok(a.holds(address));
      assert.equal(a.seen.filter.judge(packetTo(ip(address), TCP, 0, index)), 'dropped', address);
    }
    assert.equal(a.seen.filter.judge(packetTo(ip('10.0.0.1'), TCP, 0, index)), 'accepted');
    // Before the addresses are there.
    const log = a.takeLog();
    const filtered = log.findIndex((line) => line.startsWith('drop '));
    assert.ok(filtered >= 0 && filtered < log.findIndex((line) => line.startsWith('add ')), log.join());
  }
});

test('R-6.4.3-7 Shutdown in Active cancels Adver_Timer', () => {
  const { driven, now } = active();
  driven.feed({ kind: 'shutdown', handover: false }, now);
  assert.equal(nextDeadline(driven.router, driven.member), undefined);
  driven.feed({ kind: 'tick' }, now + SECOND);
  assert.deepEqual(driven.effects, []);
});

test('R-6.4.3-8 Shutdown in Active sends an advertisement with priority 0', () => {
  const { driven, now } = active();
  driven.feed({ kind: 'shutdown', handover: false }, now);
  assert.deepEqual(driven.effects[0], { kind: 'advertise', priority: 0 });
  assert.equal(advertisements(driven).length, 1);
  // A planned stop says it at once as well.
  const planned = active();
  planned.driven.feed({ kind: 'shutdown', handover: true }, planned.now);
  assert.deepEqual(advertisements(planned.driven), [{ kind: 'advertise', priority: 0 }]);
});

test('R-6.4.3-9 Shutdown in Active leads to Initialize', () => {
  const { driven, now } = active();
  driven.feed({ kind: 'shutdown', handover: false }, now);
  assert.equal(driven.member.phase.name, 'initialize');
  assert.ok(driven.kinds.includes('removeAddresses'));
  // Deviation: decision 0004. A planned stop serves on until a successor does, or nobody comes.
  const planned = active();
  planned.driven.feed({ kind: 'shutdown', handover: true }, planned.now);
  assert.equal(planned.driven.member.phase.name, 'active');
  planned.driven.feed({ kind: 'announcementHeard' }, planned.now + SECOND);
  assert.equal(planned.driven.member.phase.name, 'initialize');
});

test('R-6.4.3-10 when Adver_Timer fires an advertisement is sent', () => {
  const { driven } = active();
  const due = driven.phase('active').adverAt;
  driven.feed({ kind: 'tick' }, due - 1);
  assert.deepEqual(advertisements(driven), []);
  driven.feed({ kind: 'tick' }, due);
  assert.deepEqual(advertisements(driven), [{ kind: 'advertise', priority: 100 }]);
});

test('R-6.4.3-11 then Adver_Timer is set to Advertisement_Interval', () => {
  const { driven } = active({ advertisementInterval: 200_000 });
  let due = driven.phase('active').adverAt;
  for (let i = 0; i < 5; i += 1) {
    driven.feed({ kind: 'tick' }, due);
    assert.equal(driven.phase('active').adverAt, due + 200_000);
    due += 200_000;
  }
});

test('R-6.4.3-12 priority 0 is answered by an advertisement', () => {
  for (const source of [SMALLER, GREATER]) {
    const { driven, now } = active();
    driven.feed(heard(0, source), now);
    assert.deepEqual(advertisements(driven), [{ kind: 'advertise', priority: 100 }]);
    assert.equal(driven.member.phase.name, 'active');
  }
});

test('R-6.4.3-13 then Adver_Timer is set to Advertisement_Interval anew', () => {
  const { driven, now } = active();
  driven.feed(heard(0), now);
  assert.equal(driven.phase('active').adverAt, now + SECOND);
});

/** What makes an active router of priority 100 yield. */
const better: readonly (readonly [string, Input])[] = [
  ['higher priority, smaller address', heard(101, SMALLER, 500_000)],
  ['higher priority, greater address', heard(101, GREATER, 500_000)],
  ['equal priority, greater address', heard(100, GREATER, 500_000)],
];

function yielded(input: Input, changes: Parameters<typeof Driven.active>[0] = {}) {
  const { driven, now } = active(changes);
  driven.feed(input, now);
  return { driven, now };
}

test('R-6.4.3-14 a higher priority, or an equal one from a greater address, cancels Adver_Timer', () => {
  for (const [name, input] of better) {
    const { driven, now } = yielded(input);
    assert.deepEqual(advertisements(driven), [], name);
    driven.feed({ kind: 'tick' }, now + 700_000);
    assert.deepEqual(driven.effects, [], `${name}: the time of the next advertisement has passed`);
  }
});

test('R-6.4.3-15 it sets Active_Adver_Interval', () => {
  for (const [name, input] of better) {
    assert.equal(yielded(input).driven.phase('backup').activeAdverInterval, 500_000, name);
  }
  const longest = heard(101, GREATER, 40_950_000);
  assert.equal(yielded(longest, { strictRfc: true }).driven.phase('backup').activeAdverInterval, 40_950_000);
  // Deviation: decision 0003.
  assert.equal(yielded(longest).driven.phase('backup').activeAdverInterval, SECOND);
});

test('R-6.4.3-16 it recomputes Skew_Time', () => {
  for (const [name, input] of better) {
    const { driven, now } = yielded(input);
    driven.feed(heard(0, GREATER, 500_000), now + 1000);
    assert.equal(driven.phase('backup').activeDownAt, now + 1000 + 304_687, name);
  }
});

test('R-6.4.3-17 it recomputes Active_Down_Interval and sets Active_Down_Timer to it', () => {
  for (const [name, input] of better) {
    const { driven, now } = yielded(input);
    assert.equal(driven.phase('backup').activeDownAt, now + 1_804_687, name);
  }
});

test('R-6.4.3-18 it leads to Backup', () => {
  for (const [name, input] of better) {
    const { driven } = yielded(input);
    assert.equal(driven.member.phase.name, 'backup', name);
    assert.deepEqual(driven.kinds.slice(0, 1), ['removeAddresses'], name);
  }
});

test('R-6.4.3-19 addresses are compared as unsigned integers in network byte order', () => {
  const compare = (source: IpAddress, local: IpAddress) => {
    const { driven, now } = active();
    const advertisement = { priority: 100, interval: SECOND, addresses: driven.router.addresses };
    driven.feed({ kind: 'advertisement', source, local, advertisement }, now);
    return driven.member.phase.name;
  };
  for (const [greater, smaller] of [
    ['10.0.0.10', '10.0.0.9'],
    ['10.0.1.0', '10.0.0.255'],
    ['192.0.2.1', '10.0.0.1'],
    ['128.0.0.1', '127.255.255.254'],
    ['2.0.0.1', '1.0.0.2'],
    // As decimal numbers in text the smaller one would come last.
    ['60.0.0.1', '59.0.0.1'],
    ['fe80::10', 'fe80::9'],
    ['fe80::1:0:0:0', 'fe80::ffff:ffff'],
    ['fe80::8000:0:0:0', 'fe80::7fff:0:0:0'],
    ['fe80::2:0:0:1', 'fe80::1:0:0:2'],
  ] as const) {
    assert.equal(compare(ip(greater), ip(smaller)), 'backup', `${smaller} yields to ${greater}`);
    assert.equal(compare(ip(smaller), ip(greater)), 'active', `${greater} does not yield to ${smaller}`);
  }
});

/** What an active router of priority 100 need not yield to. */
const lesser: readonly (readonly [string, Input])[] = [
  ['lower priority, smaller address', heard(99, SMALLER, 500_000)],
  ['lower priority, greater address', heard(99, GREATER, 500_000)],
  ['equal priority, smaller address', heard(100, SMALLER, 500_000)],
];

test('R-6.4.3-20 any other advertisement is discarded', () => {
  for (const [name, input] of lesser) {
    const { driven, now } = active();
    const before = driven.phase('active');
    driven.feed(input, now);
    const after = driven.phase('active');
    assert.equal(after.renewAt, before.renewAt, name);
    assert.ok(!driven.kinds.includes('transitioned') && !driven.kinds.includes('removeAddresses'), name);
    // Nothing was learned: the next own advertisement comes by the own interval.
    driven.feed({ kind: 'tick' }, after.adverAt);
    assert.equal(driven.phase('active').adverAt - after.adverAt, SECOND, name);
  }
});

test('R-6.4.3-21 it is answered at once by an advertisement that asserts the active state', () => {
  for (const [name, input] of lesser) {
    const { driven, now } = active();
    driven.feed(input, now);
    assert.deepEqual(advertisements(driven), [{ kind: 'advertise', priority: 100 }], name);
  }
  // Deviation: decision 0014. A flood is answered once a millisecond.
  const { driven, now } = active();
  driven.feed(heard(99), now).feed(heard(99), now + 500);
  assert.deepEqual(advertisements(driven), []);
  assert.equal(driven.phase('active').adverAt, now + 1000);
});

test('R-6.4.3-22 Preempt_Mode is of no matter in Active', () => {
  for (const preemptMode of [true, false]) {
    for (const [name, input] of better) {
      assert.equal(yielded(input, { preemptMode }).driven.member.phase.name, 'backup', name);
    }
    for (const [name, input] of lesser) {
      const { driven, now } = active({ preemptMode });
      assert.equal(driven.feed(input, now).member.phase.name, 'active', name);
    }
  }
});

test('R-6.4.3-23 the own address is the source of the own advertisements', () => {
  const { clock, a } = activeAlone(settings(), '10.0.0.5');
  const tie = (source: string) =>
    a.receive(advertPacket({ source, vrid: 10, priority: 100, addresses: [VIP], interval: 100 }));
  assert.equal(a.router().sourceAddress, '10.0.0.5');
  tie('10.0.0.4');
  clock.settle();
  assert.equal(a.router().state, 'active');
  tie('10.0.0.6');
  clock.settle();
  assert.equal(a.router().state, 'backup');
  assert.equal(a.router().activeRouter?.address, '10.0.0.6');
});
