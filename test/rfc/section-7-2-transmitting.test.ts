/** RFC 9568 sections 7.2 to 7.4: transmitting VRRP packets, the virtual MAC address, interface identifiers. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readIpv6Address } from '../../agent/wire/ipv6-header.js';
import { attributesOf, messagesOf, NetlinkWriter } from '../../agent/wire/netlink-message.js';
import { writeLinkChange } from '../../agent/wire/rtnetlink-link.js';
import { VirtualRouterSpec } from '../../proto/gen/baton/v1/resources.js';
import { virtualMacAddressOf } from '../../proto/rules/defaults.js';
import { ip, settings } from '../runtime/router-settings.js';
import { checksumIn, internetChecksum, withoutChecksum } from './codec.js';
import { activeAlone, LINK_LOCAL_VIP, SECOND, settings6, VIP, VIP_6, withVirtualMac } from './watched-host.js';

const messageOf = (packet: Uint8Array, family: 4 | 6 = 4) => packet.subarray(family === 6 ? 40 : 20);

function sentBy(router: Parameters<typeof activeAlone>[0]) {
  const { a } = activeAlone(router);
  const [first] = a.seen.adverts;
  assert.ok(first !== undefined);
  return first;
}

test('R-7.2-1 the fields are filled in from the state of the virtual router', () => {
  const track = { id: 'check web', weight: -30, reverse: false };
  const { clock, a } = activeAlone(
    settings({ interval: 500_000, priority: 200, addresses: [VIP, '10.0.0.101'], tracks: [track] }),
  );
  const message = () => [...messageOf(a.seen.adverts.at(-1)?.packet ?? new Uint8Array())];
  const expected = (priority: number) => [0x31, 10, priority, 2, 0, 50];
  const addresses = [10, 0, 0, 100, 10, 0, 0, 101];
  assert.deepEqual(message().slice(0, 6), expected(200));
  assert.deepEqual(message().slice(8), addresses);
  a.tell({ kind: 'track', id: track.id, state: 'down' });
  clock.advance(SECOND);
  assert.deepEqual(message().slice(0, 6), expected(170));
});

test('R-7.2-2 the checksum is computed for each', () => {
  const { clock, a } = activeAlone(settings({ more: { checksum: 'message_only' } }));
  clock.advance(3 * SECOND);
  a.election.shutdown(false);
  assert.deepEqual(new Set(a.seen.adverts.map(({ packet }) => packet[22])), new Set([100, 0]));
  for (const { packet } of a.seen.adverts) {
    const message = messageOf(packet).slice();
    assert.equal(checksumIn(message), internetChecksum(withoutChecksum(message)));
  }
});

test('R-7.2-3 the source MAC address is the virtual one where the router has one', () => {
  for (const [family, name] of [
    [4, 'vrrp.10'],
    [6, 'vrrp6.10'],
  ] as const) {
    const { a } = activeAlone(settings(withVirtualMac(family)));
    assert.ok(a.seen.adverts.length > 0);
    for (const { device } of a.seen.adverts) assert.equal(device, name);
    assert.deepEqual([...(a.links.get(name)?.hardwareAddress ?? [])], [0, 0, 0x5e, 0, family === 6 ? 2 : 1, 10]);
  }
  // Deviation: decision 0027. Without one it is that of the interface.
  assert.equal(sentBy(settings()).device, 'em1');
});

test('R-7.2-4 over IPv4 the source is the primary address of the interface, also from a macvlan', () => {
  for (const router of [settings(), settings(withVirtualMac())]) {
    assert.equal(new DataView(sentBy(router).packet.buffer).getUint32(12), ip('10.0.0.1'));
  }
});

test('R-7.2-5 over IPv6 the source is the link-local address of the interface, also from a macvlan', () => {
  for (const router of [settings6(), settings(withVirtualMac(6))]) {
    assert.equal(readIpv6Address(new DataView(sentBy(router).packet.buffer), 8), ip('fe80::1'));
  }
});

test('R-7.2-6 the protocol is VRRP', () => {
  assert.equal(sentBy(settings()).packet[9], 112);
  assert.equal(sentBy(settings6()).packet[6], 112);
});

test('R-7.2-7 it is sent to the multicast group', () => {
  assert.equal(sentBy(settings()).destination, ip('224.0.0.18'));
  assert.equal(sentBy(settings6()).destination, ip('ff02::12'));
});

test('R-7.3-1 over IPv4 the virtual MAC address is 00-00-5E-00-01-VRID', () => {
  const address = (vrid: number) =>
    virtualMacAddressOf(VirtualRouterSpec.fromPartial({ vrid, addresses: [{ address: VIP }] }));
  assert.equal(address(1), '00:00:5e:00:01:01');
  assert.equal(address(10), '00:00:5e:00:01:0a');
  assert.equal(address(255), '00:00:5e:00:01:ff');
});

test('R-7.3-2 over IPv6 the virtual MAC address is 00-00-5E-00-02-VRID', () => {
  const address = (vrid: number) =>
    virtualMacAddressOf(VirtualRouterSpec.fromPartial({ vrid, addresses: [{ address: LINK_LOCAL_VIP }] }));
  assert.equal(address(1), '00:00:5e:00:02:01');
  assert.equal(address(255), '00:00:5e:00:02:ff');
});

test('R-7.4-1 no interface identifier is made of the virtual MAC address', () => {
  // IFLA_AF_SPEC 26, AF_INET6 10, IFLA_INET6_ADDR_GEN_MODE 8, IN6_ADDR_GEN_MODE_NONE 1.
  const writer = new NetlinkWriter();
  writeLinkChange(writer, 5, { noLinkLocal: true }, 1);
  const [message] = messagesOf(writer.datagram());
  const specific = attributesOf(attributesOf(message?.payload ?? new Uint8Array(), 16).get(26) ?? new Uint8Array(), 0);
  assert.deepEqual([...(attributesOf(specific.get(10) ?? new Uint8Array(), 0).get(8) ?? [])], [1]);
  // Nor by router advertisements.
  const { a } = activeAlone(settings(withVirtualMac(6)));
  const set = (key: string) =>
    a.seen.sysctls.findLast((each) => each.interfaceName === 'vrrp6.10' && each.key === key)?.value;
  assert.deepEqual([set('autoconf'), set('accept_ra')], [0, 0]);
  assert.deepEqual(
    a.addresses
      .filter(({ interfaceIndex }) => interfaceIndex === a.links.get('vrrp6.10')?.index)
      .map(({ address }) => address),
    [LINK_LOCAL_VIP, VIP_6].map(ip),
  );
});
