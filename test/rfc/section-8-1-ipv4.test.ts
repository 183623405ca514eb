/** RFC 9568 section 8.1: host ARP and its like over IPv4. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeArp } from '../../agent/wire/arp.js';
import { ip, settings } from '../runtime/router-settings.js';
import { activeAlone, DOWN_100, VIP, type WatchedHost, watch, withVirtualMac } from './watched-host.js';

const VIRTUAL_MAC = [0, 0, 0x5e, 0, 1, 10];

/** Interface that has the address. */
function deviceOf(a: WatchedHost, address: string): string | undefined {
  const held = a.addresses.find((each) => each.address === ip(address));
  return [...a.links.values()].find(({ index }) => index === held?.interfaceIndex)?.name;
}

const confOf = (a: WatchedHost, name: string) => a.ipv4ConfOf(a.links.get(name)?.index);

test('R-8.1.2-1 ARP for the addresses is answered with the virtual MAC address: they are at it', () => {
  const { a } = activeAlone(settings(withVirtualMac()));
  assert.equal(deviceOf(a, VIP), 'vrrp.10');
  assert.deepEqual([...(a.links.get('vrrp.10')?.hardwareAddress ?? [])], VIRTUAL_MAC);
  // It answers for what is on it, and takes packets whose way back is by the interface below.
  const { arpIgnore, acceptLocal, rpFilter } = a.seen.macvlans[0]?.ipv4Conf ?? {};
  assert.deepEqual([arpIgnore, acceptLocal, rpFilter], [1, 1, 2]);
  // Deviation: decision 0027. Without a virtual MAC address the interface answers.
  assert.equal(deviceOf(activeAlone().a, VIP), 'em1');
});

test('R-8.1.2-2 and never with the physical one: the interface below neither answers nor asks for them', () => {
  const { clock, a } = activeAlone(settings(withVirtualMac()));
  assert.deepEqual([confOf(a, 'em1').arpIgnore, confOf(a, 'em1').arpAnnounce], [1, 2]);
  // Given back when the last such router has gone.
  a.configure();
  clock.advance(2 * DOWN_100);
  assert.deepEqual([confOf(a, 'em1').arpIgnore, confOf(a, 'em1').arpAnnounce], [0, 0]);
  // Deviation: decision 0027. Without a virtual MAC address the interface is left as it is, and answers.
  assert.deepEqual(confOf(activeAlone().a, 'em1'), {});
});

test('R-8.1.2-3 at its start an owner announces its addresses with the virtual MAC address alone', () => {
  const { clock, host } = watch();
  const a = host('a', '10.0.0.1/24');
  a.configure(settings({ ...withVirtualMac(), priority: 255 }));
  clock.advance(DOWN_100);
  assert.ok(a.seen.frames.length > 0);
  for (const { device, frame } of a.seen.frames) {
    const arp = decodeArp(frame);
    assert.equal(device, 'vrrp.10');
    assert.deepEqual([...frame.slice(6, 12)], VIRTUAL_MAC);
    assert.deepEqual([...(arp?.senderHardware ?? [])], VIRTUAL_MAC);
  }
  // Deviation: decision 0027. Without a virtual MAC address with that of the interface.
  const plain = activeAlone(settings({ priority: 255 })).a;
  assert.ok(plain.seen.frames.length > 0);
  for (const { frame } of plain.seen.frames)
    assert.deepEqual(frame.slice(6, 12), plain.links.get('em1')?.hardwareAddress);
});

test('R-8.1.2-4 an active router announces each address that its configuration adds', () => {
  const { clock, a } = activeAlone(settings(withVirtualMac()));
  const before = a.seen.frames.length;
  a.configure(settings({ ...withVirtualMac(), addresses: [VIP, '10.0.0.101'] }));
  clock.settle();
  const told = a.seen.frames.slice(before).map(({ frame }) => decodeArp(frame));
  assert.ok(told.some((arp) => arp?.senderAddress === ip('10.0.0.101')));
  for (const arp of told) assert.deepEqual([...(arp?.senderHardware ?? [])], VIRTUAL_MAC);
  // Deviation: decision 0027. Without a virtual MAC address with that of the interface.
  const plain = activeAlone();
  plain.a.configure(settings({ addresses: [VIP, '10.0.0.101'] }));
  plain.clock.settle();
  const last = decodeArp(plain.a.seen.frames.at(-1)?.frame ?? new Uint8Array());
  assert.equal(last?.senderAddress, ip('10.0.0.101'));
  assert.deepEqual(last?.senderHardware, plain.a.links.get('em1')?.hardwareAddress);
});

test('R-8.1.2-5 no gratuitous ARP leaves before both the address and the virtual MAC address are there', () => {
  const { clock, host } = watch();
  const a = host('a', '10.0.0.1/24');
  // At boot: the interface is not up yet.
  a.setLink('em1', false);
  clock.settle();
  a.configure(settings({ ...withVirtualMac(), priority: 255 }));
  clock.advance(3 * DOWN_100);
  assert.deepEqual(a.seen.frames, []);
  a.setLink('em1', true);
  clock.advance(2 * DOWN_100);
  const log = a.takeLog();
  const order = ['make link vrrp.10', 'add 10.0.0.100/32', 'arp 10.0.0.100'];
  const at = order.map((wanted) => log.findIndex((line) => line.startsWith(wanted)));
  assert.ok(
    at.every((index) => index >= 0),
    log.join(),
  );
  assert.deepEqual(
    [...at].sort((x, y) => x - y),
    at,
    log.join(),
  );
});
