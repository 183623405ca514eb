/** Errata of RFC 9568, by their numbers. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeArp } from '../../agent/wire/arp.js';
import { advertPacket, ipv6AdvertPacket } from '../lab/packet.js';
import { judge, router } from '../rules/sample-resources.js';
import { ip, settings } from '../runtime/router-settings.js';
import { Driven, heard, SECOND } from '../vrrp/sample-router.js';
import { expecting, expecting6, heardIn, verdict } from './codec.js';
import { activeAlone, VIP, type WatchedHost, watch, withVirtualMac } from './watched-host.js';

const sent = { source: '10.0.0.7', vrid: 10, priority: 200, addresses: [VIP], interval: 100 };

function gratuitous(a: WatchedHost) {
  const [first] = a.seen.frames;
  const arp = decodeArp(first?.frame ?? new Uint8Array());
  assert.ok(arp !== undefined);
  return arp;
}

test('E-7947 at Startup the gratuitous ARP contains the virtual IPv4 address', () => {
  const { clock, host } = watch();
  const a = host('a', '10.0.0.1/24');
  a.configure(settings({ ...withVirtualMac(), priority: 255 }));
  clock.settle();
  const arp = gratuitous(a);
  assert.deepEqual([arp.senderAddress, arp.targetAddress], [ip(VIP), ip(VIP)]);
  assert.deepEqual([...arp.senderHardware], [0, 0, 0x5e, 0, 1, 10]);
  // Deviation: decision 0029. The target hardware address is the broadcast one.
  assert.deepEqual([...arp.targetHardware], [255, 255, 255, 255, 255, 255]);
});

test('E-7949 so does the one that is sent when Active_Down_Timer fires', () => {
  const arp = gratuitous(activeAlone(settings(withVirtualMac())).a);
  assert.deepEqual([arp.senderAddress, arp.targetAddress], [ip(VIP), ip(VIP)]);
  assert.deepEqual([...arp.senderHardware], [0, 0, 0x5e, 0, 1, 10]);
  // Deviation: decision 0029.
  assert.deepEqual([...arp.targetHardware], [255, 255, 255, 255, 255, 255]);
});

test('E-8298 an owner does not discard the advertisements of another owner: they settle it, and log it', () => {
  const { clock, a } = activeAlone(settings({ priority: 255 }));
  a.receive(advertPacket({ ...sent, priority: 255 }));
  clock.settle();
  assert.equal(a.router().state, 'backup', 'the other one has the greater address');
  assert.equal(a.occurrences('notice').filter(({ notice }) => notice === 'owner-conflict').length, 1);
});

test('E-8299 an address count of 0 is discarded', () => {
  const none = { ...sent, addresses: [] };
  assert.equal(verdict(advertPacket(none), expecting()), 'no-addresses');
  const none6 = { ...none, source: 'fe80::7' };
  assert.equal(verdict(ipv6AdvertPacket(none6), expecting6(), 6), 'no-addresses');
});

test('E-8300 over IPv6 a first address that is not link-local is discarded where strictRfc asks for it', () => {
  const packet = (...addresses: string[]) => ipv6AdvertPacket({ ...sent, source: 'fe80::7', addresses });
  const strict = expecting6({ linkLocalFirst: true });
  assert.equal(verdict(packet('2001:db8::1', 'fe80::100'), strict, 6), 'address-not-link-local');
  assert.equal(verdict(packet('fec0::1', 'fe80::100'), strict, 6), 'address-not-link-local');
  assert.equal(verdict(packet('fe80::100', '2001:db8::1'), strict, 6), 'heard');
  assert.equal(verdict(packet('febf::1'), strict, 6), 'heard', 'fe80::/10');
  // Deviation: decision 0016.
  assert.equal(verdict(packet('2001:db8::1', 'fe80::100'), expecting6(), 6), 'heard');
});

test('E-8301-1 the interval is from 1 to 4095 centiseconds', () => {
  for (const [interval, isGood] of [
    ['0s', false],
    ['5ms', false],
    ['10ms', true],
    ['40.95s', true],
    ['40.96s', false],
  ] as const) {
    assert.equal(judge(router({ advertisementInterval: interval })).errors.length, isGood ? 0 : 1, interval);
  }
});

test('E-8301-2 an interval of 0 is discarded', () => {
  assert.equal(verdict(advertPacket({ ...sent, interval: 0 }), expecting()), 'zero-interval');
  assert.equal(
    verdict(ipv6AdvertPacket({ ...sent, source: 'fe80::7', addresses: ['fe80::100'], interval: 0 }), expecting6(), 6),
    'zero-interval',
  );
  assert.equal(heardIn(advertPacket({ ...sent, interval: 1 }), expecting()).advertisement.interval, 10_000);
  // Were one to come all the same, nobody would take over at once.
  const backup = Driven.backup().feed(heard(200, undefined, 0), SECOND);
  assert.equal(backup.phase('backup').activeDownAt, SECOND + 3_609_375);
});
