/** RFC 9568 section 5.1: the IP header, of what leaves the production runtime and of what reaches it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readIpv6Address } from '../../agent/wire/ipv6-header.js';
import { advertPacket, ipv6AdvertPacket } from '../lab/packet.js';
import { ip, settings } from '../runtime/router-settings.js';
import { activeAlone, DOWN_100, LINK_LOCAL_VIP, settings6, VIP, type WatchedHost, watch } from './watched-host.js';

function firstAdvert(a: WatchedHost): DataView {
  const [first] = a.seen.adverts;
  assert.ok(first !== undefined, 'nothing was sent');
  return new DataView(first.packet.buffer);
}

const better = { source: '10.0.0.7', vrid: 10, priority: 200, addresses: [VIP], interval: 100 };
const better6 = { source: 'fe80::7', vrid: 10, priority: 200, addresses: [LINK_LOCAL_VIP], interval: 100 };

test('R-5.1.1.1-1 the source is the first IPv4 address of the interface that is not virtual', () => {
  const { clock, host } = watch();
  const a = host('a', `${VIP}/24`, '10.0.0.1/24', '10.0.0.2/24');
  a.addLink('em2');
  a.addAddress('em2', '10.9.0.1/24');
  a.configure(settings());
  clock.advance(3 * DOWN_100);
  assert.ok(a.seen.adverts.length > 5);
  for (const { packet } of a.seen.adverts) assert.equal(new DataView(packet.buffer).getUint32(12), ip('10.0.0.1'));
});

test('R-5.1.1.2-1 the destination over IPv4 is 224.0.0.18', () => {
  const { a } = activeAlone();
  assert.equal(firstAdvert(a).getUint32(16), 0xe0000012);
  assert.equal(a.seen.adverts[0]?.destination, 0xe0000012);
});

test('R-5.1.1.3-1 every advertisement leaves with a TTL of 255', () => {
  const { clock, a } = activeAlone();
  a.receive(advertPacket({ ...better, priority: 50 }));
  clock.advance(DOWN_100);
  a.election.shutdown(false);
  assert.ok(a.seen.adverts.length > 4);
  for (const { packet } of a.seen.adverts) assert.equal(packet[8], 255);
});

test('R-5.1.1.3-2 what comes with any other TTL is discarded', () => {
  const { a } = activeAlone();
  for (let ttl = 0; ttl < 255; ttl += 1) a.receive(advertPacket({ ...better, ttl }));
  assert.equal(a.router().state, 'active');
  assert.equal(a.router().counters['rejected.bad-ttl'], 255);
  assert.equal(a.router().counters['advertisements-received'], 0);
  a.receive(advertPacket({ ...better, ttl: 255 }));
  assert.equal(a.router().state, 'backup');
});

test('R-5.1.1.4-1 the protocol is 112, and nothing else is heard', () => {
  const { a } = activeAlone();
  assert.equal(firstAdvert(a).getUint8(9), 112);
  const other = advertPacket(better);
  other[9] = 113;
  a.receive(other);
  assert.equal(a.router().state, 'active');
});

test('R-5.1.2.1-1 the source over IPv6 is the link-local address of the interface', () => {
  const { clock, host } = watch();
  const a = host('a', '2001:db8::1/64', `${LINK_LOCAL_VIP}/64`, 'fe80::1/64', 'fe80::2/64');
  a.addLink('em2');
  a.addAddress('em2', 'fe80::9/64');
  a.configure(settings6());
  clock.advance(3 * DOWN_100);
  assert.ok(a.seen.adverts.length > 5);
  for (const { packet } of a.seen.adverts) {
    assert.equal(readIpv6Address(new DataView(packet.buffer), 8), ip('fe80::1'));
  }
});

test('R-5.1.2.2-1 the destination over IPv6 is ff02::12', () => {
  const { a } = activeAlone(settings6());
  assert.equal(readIpv6Address(firstAdvert(a), 24), ip('ff02:0:0:0:0:0:0:12'));
  assert.equal(a.seen.adverts[0]?.destination, ip('ff02::12'));
});

test('R-5.1.2.3-1 every advertisement leaves with a hop limit of 255', () => {
  const { clock, a } = activeAlone(settings6());
  a.receive(ipv6AdvertPacket({ ...better6, priority: 50 }));
  clock.advance(DOWN_100);
  a.election.shutdown(false);
  assert.ok(a.seen.adverts.length > 4);
  for (const { packet } of a.seen.adverts) assert.equal(packet[7], 255);
});

test('R-5.1.2.3-2 what comes with any other hop limit is discarded', () => {
  const { a } = activeAlone(settings6());
  for (let ttl = 0; ttl < 255; ttl += 1) a.receive(ipv6AdvertPacket({ ...better6, ttl }));
  assert.equal(a.router().state, 'active');
  assert.equal(a.router().counters['rejected.bad-ttl'], 255);
  a.receive(ipv6AdvertPacket({ ...better6, ttl: 255 }));
  assert.equal(a.router().state, 'backup');
});

test('R-5.1.2.4-1 the next header is 112, and nothing else is heard', () => {
  const { a } = activeAlone(settings6());
  assert.equal(firstAdvert(a).getUint8(6), 112);
  const other = ipv6AdvertPacket(better6);
  other[6] = 113;
  a.receive(other);
  assert.equal(a.router().state, 'active');
});
