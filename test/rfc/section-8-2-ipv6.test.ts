/** RFC 9568 section 8.2: neighbour discovery. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeNeighbor, encodeNeighborProbe } from '../../agent/wire/neighbor.js';
import { ip, settings } from '../runtime/router-settings.js';
import {
  activeAlone,
  alone,
  DOWN_100,
  LINK_LOCAL_VIP,
  SECOND,
  settings6,
  VIP_6,
  type WatchedHost,
  watch,
  withVirtualMac,
} from './watched-host.js';

const VIRTUAL_MAC = [0, 0, 0x5e, 0, 2, 10];

function devicesOf(a: WatchedHost, ...addresses: readonly string[]): (string | undefined)[] {
  return addresses.map((address) => {
    const held = a.addresses.find((each) => each.address === ip(address));
    return [...a.links.values()].find(({ index }) => index === held?.interfaceIndex)?.name;
  });
}

test('R-8.2.2-1 solicitations for the addresses are answered with the virtual MAC address: they are at it', () => {
  const { a } = activeAlone(settings(withVirtualMac(6)));
  assert.deepEqual(devicesOf(a, LINK_LOCAL_VIP, VIP_6), ['vrrp6.10', 'vrrp6.10']);
  assert.deepEqual([...(a.links.get('vrrp6.10')?.hardwareAddress ?? [])], VIRTUAL_MAC);
  const off = a.seen.sysctls.findLast(
    ({ interfaceName, key }) => interfaceName === 'vrrp6.10' && key === 'disable_ipv6',
  );
  assert.equal(off?.value, 0, 'IPv6 is on there');
  // Deviation: decision 0027. Without a virtual MAC address the interface answers.
  assert.deepEqual(devicesOf(activeAlone(settings6()).a, VIP_6), ['em1']);
});

test('R-8.2.2-2 and never with the physical one: none of them is on the interface below', () => {
  const { clock, a } = activeAlone(settings(withVirtualMac(6)));
  clock.advance(60 * SECOND);
  const em1 = a.links.get('em1')?.index;
  const there = a.addresses.filter(({ interfaceIndex }) => interfaceIndex === em1).map(({ address }) => address);
  assert.ok(!there.includes(ip(VIP_6)) && !there.includes(ip(LINK_LOCAL_VIP)));
  for (const { device } of a.seen.frames) assert.equal(device, 'vrrp6.10');
  // Deviation: decision 0027. Without a virtual MAC address they are.
  const plain = activeAlone(settings6()).a;
  assert.deepEqual(devicesOf(plain, VIP_6, LINK_LOCAL_VIP), ['em1', 'em1']);
  for (const { device } of plain.seen.frames) assert.equal(device, 'em1');
});

test('R-8.2.2-3 the questions of an active router for other holders carry the virtual MAC address, in no option', () => {
  const { a } = activeAlone(settings({ ...withVirtualMac(6), router: { duplicateProbe: 'warn' } }));
  assert.ok(a.takeLog().includes(`probe ${VIP_6}`));
  const frame = encodeNeighborProbe(Uint8Array.from(VIRTUAL_MAC), ip(VIP_6) as bigint);
  assert.deepEqual([...frame.slice(6, 12)], VIRTUAL_MAC);
  // Ethernet, IPv6 and 24 bytes of solicitation: no option follows.
  assert.equal(frame.length, 14 + 40 + 24);
  assert.equal(decodeNeighbor(frame)?.kind, 'solicitation');
});

test('R-8.2.2-4 an active router asks for nothing with an option that has the physical MAC address', () => {
  const { clock, a } = activeAlone(
    settings({ ...withVirtualMac(6), more: { ...withVirtualMac(6)?.more, verifyInterval: SECOND } }),
  );
  a.takeLog();
  clock.advance(60 * SECOND);
  assert.deepEqual(
    a.takeLog().filter((line) => line.includes(' ask ')),
    [],
  );
});

test('R-8.2.2-5 at its start an owner announces its addresses with the virtual MAC address alone', () => {
  const { clock, host } = watch();
  const a = host('a', 'fe80::1/64');
  a.configure(settings({ ...withVirtualMac(6), priority: 255 }));
  clock.advance(DOWN_100);
  assert.ok(a.seen.frames.length > 0);
  for (const { frame } of a.seen.frames) {
    assert.deepEqual([...frame.slice(6, 12)], VIRTUAL_MAC);
    assert.deepEqual([...(decodeNeighbor(frame)?.hardwareAddress ?? [])], VIRTUAL_MAC);
  }
  // Deviation: decision 0027. Without a virtual MAC address with that of the interface.
  const plain = activeAlone(settings6({ priority: 255 })).a;
  assert.ok(plain.seen.frames.length > 0);
  for (const { frame } of plain.seen.frames)
    assert.deepEqual(frame.slice(6, 12), plain.links.get('em1')?.hardwareAddress);
});

test('R-8.2.2-6 an active router announces each address that its configuration adds', () => {
  const { clock, a } = activeAlone(settings(withVirtualMac(6)));
  const before = a.seen.frames.length;
  a.configure(settings({ ...withVirtualMac(6), addresses: [LINK_LOCAL_VIP, VIP_6, '2001:db8::101'] }));
  clock.settle();
  const told = a.seen.frames.slice(before).map(({ frame }) => decodeNeighbor(frame));
  assert.ok(told.some((message) => message?.target === ip('2001:db8::101')));
  for (const message of told) assert.deepEqual([...(message?.hardwareAddress ?? [])], VIRTUAL_MAC);
  // Deviation: decision 0027. Without a virtual MAC address with that of the interface.
  const plain = activeAlone(settings6());
  plain.a.configure(settings6({ addresses: [LINK_LOCAL_VIP, VIP_6, '2001:db8::101'] }));
  plain.clock.settle();
  const last = decodeNeighbor(plain.a.seen.frames.at(-1)?.frame ?? new Uint8Array());
  assert.equal(last?.target, ip('2001:db8::101'));
  assert.deepEqual(last?.hardwareAddress, plain.a.links.get('em1')?.hardwareAddress);
});

test('R-8.2.2-7 no neighbour discovery leaves before both the address and the virtual MAC address are there', () => {
  const { clock, host } = watch();
  const a = host('a', 'fe80::1/64');
  a.setLink('em1', false);
  clock.settle();
  a.configure(settings({ ...withVirtualMac(6), priority: 255, router: { duplicateProbe: 'warn' } }));
  clock.advance(3 * DOWN_100);
  assert.deepEqual(a.seen.frames, []);
  a.setLink('em1', true);
  clock.advance(2 * DOWN_100);
  const log = a.takeLog();
  const order = ['make link vrrp6.10', `add ${VIP_6}/128`, `na ${VIP_6}`];
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
  assert.ok(log.findIndex((line) => line.startsWith('probe ')) > (at[0] ?? 0));
});

test('R-8.2.2-8 duplicate address detection is not run for the addresses', () => {
  for (const router of [settings6(), settings(withVirtualMac(6)), settings6({ priority: 255 })]) {
    const { clock, a } = alone(router);
    clock.advance(DOWN_100);
    assert.ok(a.seen.requests.length > 0);
    for (const { noDad } of a.seen.requests) assert.equal(noDad, true);
  }
});
