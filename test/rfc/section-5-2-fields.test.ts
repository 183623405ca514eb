/** RFC 9568 section 5.2: the fields of an advertisement, as they are encoded and as they are read. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { currentPriority } from '../../agent/vrrp/index.js';
import type { AdvertisementFields } from '../../agent/wire/advertisement.js';
import { advertPacket, ipv6AdvertPacket, ipv6Bytes } from '../lab/packet.js';
import { judge, router, texts } from '../rules/sample-resources.js';
import { Driven, heard, SECOND, sampleRouter } from '../vrrp/sample-router.js';
import { anyIp } from '../wire/captured.js';
import {
  checksumIn,
  expecting,
  expecting6,
  heardIn,
  internetChecksum,
  ipv4Fields,
  ipv6Fields,
  messageOf,
  verdict,
  withoutChecksum,
} from './codec.js';

/** As another implementation sends it. */
const sent = { source: '10.0.0.1', vrid: 10, priority: 100, addresses: ['10.0.0.100'], interval: 100 };
const sent6 = { ...sent, source: 'fe80::1', addresses: ['fe80::100'] };

test('R-5.2.1-1 the version field of an advertisement is 3', () => {
  assert.equal((messageOf(ipv4Fields())[0] ?? 0) >>> 4, 3);
  assert.equal((messageOf(ipv6Fields())[0] ?? 0) >>> 4, 3);
});

test('R-5.2.2-1 the type field of what is sent is 1, ADVERTISEMENT', () => {
  assert.equal((messageOf(ipv4Fields())[0] ?? 0) & 0x0f, 1);
  assert.equal((messageOf(ipv6Fields())[0] ?? 0) & 0x0f, 1);
});

test('R-5.2.2-2 a packet of any other type is discarded', () => {
  for (let type = 0; type < 16; type += 1) {
    const wanted = type === 1 ? 'heard' : 'bad-type';
    assert.equal(verdict(advertPacket({ ...sent, type }), expecting()), wanted, `type ${type}`);
    assert.equal(verdict(ipv6AdvertPacket({ ...sent6, type }), expecting6(), 6), wanted, `IPv6, type ${type}`);
  }
});

test('R-5.2.3-1 the VRID field names the virtual router', () => {
  assert.equal(messageOf(ipv4Fields({ vrid: 10 }))[1], 10);
  assert.equal(messageOf(ipv4Fields({ vrid: 255 }))[1], 255);
  assert.equal(heardIn(advertPacket(sent), expecting()).vrid, 10);
  assert.equal(verdict(advertPacket({ ...sent, vrid: 11 }), expecting()), 'unknown-vrid');
});

test('R-5.2.4-1 the priority field is the priority of the sender, 8 bits unsigned', () => {
  for (const priority of [0, 1, 127, 128, 254, 255]) {
    assert.equal(messageOf(ipv4Fields(), priority)[2], priority);
    assert.equal(heardIn(advertPacket({ ...sent, priority }), expecting()).advertisement.priority, priority);
  }
});

test('R-5.2.4-2 a higher value is a higher priority', () => {
  // 128 and more are not negative.
  for (const [own, better] of [
    [1, 2],
    [127, 128],
    [253, 254],
  ] as const) {
    const active = Driven.active({ priority: own });
    const at = active.phase('active').lastAdvertAt;
    assert.equal(active.feed(heard(better), at + SECOND / 2).member.phase.name, 'backup', `${better} beats ${own}`);
    const stays = Driven.active({ priority: better });
    const since = stays.phase('active').lastAdvertAt;
    assert.equal(stays.feed(heard(own), since + SECOND / 2).member.phase.name, 'active', `${own} beats no ${better}`);
  }
});

test('R-5.2.4-3 the owner of the addresses has priority 255, which nothing moves', () => {
  const down = { id: 'check web', weight: -100, reverse: false };
  const owner = sampleRouter({ priority: 255, tracks: [down] });
  assert.equal(currentPriority(owner, { 'check web': 'down' }), 255);
  // Whose interface has the address is its owner; saying otherwise is refused.
  const members = (priority: number) =>
    `[{node: a, interface: em1, address: 192.0.2.1, priority: ${priority}}, {node: b, interface: em1}]`;
  assert.deepEqual(judge(router({ members: members(255) })).errors, []);
  const [refusal] = texts(judge(router({ members: members(254) })).errors);
  assert.match(refusal ?? '', /only the owner, priority 255, can have it$/);
});

test('R-5.2.4-4 backing up a virtual router has a priority from 1 to 254', () => {
  const track = (weight: number) => ({ id: 'check web', weight, reverse: false });
  const least = sampleRouter({ priority: 100, tracks: [track(-200)] });
  assert.equal(currentPriority(least, { 'check web': 'down' }), 1);
  const most = sampleRouter({ priority: 100, tracks: [track(200)] });
  assert.equal(currentPriority(most, { 'check web': 'up' }), 254);
});

test('R-5.2.4-5 the default priority is 100', () => {
  const members = '[{node: a, interface: em1}, {node: b, interface: em1, priority: 101}]';
  const track = '[{check: alive, weight: -2}]';
  const check = '---\n{apiVersion: baton/v1, kind: Check, metadata: {name: alive}, spec: {exec: {command: /bin/c}}}\n';
  // The lint works the numbers out: b falls from 101 to 99, below the 100 of a.
  assert.deepEqual(texts(judge(router({ members, track }) + check).warnings), []);
  const [warning] = texts(judge(router({ members, track: '[{check: alive, weight: -1}]' }) + check).warnings);
  assert.match(warning ?? '', /b falls from 101 to 100, and a has 100/);
});

test('R-5.2.4-6 priority 0 says that the active router has stopped taking part', () => {
  const active = Driven.active();
  const at = active.phase('active').lastAdvertAt;
  active.feed({ kind: 'shutdown', handover: false }, at + 1000);
  assert.deepEqual(active.effects[0], { kind: 'advertise', priority: 0 });
  // A backup at the far end of its patience takes over after its skew time alone.
  const backup = Driven.backup();
  backup.feed(heard(200), 1000);
  backup.feed(heard(0), 2000);
  assert.equal(backup.phase('backup').activeDownAt, 2000 + 609_375);
  assert.equal(backup.member.phase.name, 'backup');
});

test('R-5.2.5-1 the address count is the number of addresses', () => {
  assert.equal(messageOf(ipv4Fields())[3], 2);
  assert.equal(messageOf(ipv6Fields())[3], 2);
  const most = Array.from({ length: 255 }, (_, index) => anyIp(`10.1.0.${index}`));
  const message = messageOf(ipv4Fields({ addresses: most }));
  assert.deepEqual([message[3], message.length], [255, 8 + 255 * 4]);
});

test('R-5.2.5-2 a virtual router has one address at least', () => {
  const [refusal] = texts(judge(router({ addresses: '[]' })).errors);
  assert.match(refusal ?? '', /^spec\.addresses: is missing; give at least one virtual address/);
});

test('R-5.2.5-3 an advertisement whose count is 0 is ignored', () => {
  assert.equal(verdict(advertPacket({ ...sent, addresses: [] }), expecting()), 'no-addresses');
  assert.equal(verdict(ipv6AdvertPacket({ ...sent6, addresses: [] }), expecting6(), 6), 'no-addresses');
});

test('R-5.2.6-1 the reserved bits are zero in what is sent', () => {
  for (const interval of [10_000, SECOND, 40_950_000]) {
    assert.equal((messageOf(ipv4Fields({ interval }))[4] ?? 0xff) >>> 4, 0);
    assert.equal((messageOf(ipv6Fields({ interval }))[4] ?? 0xff) >>> 4, 0);
  }
});

test('R-5.2.6-2 the reserved bits of what is received are ignored', () => {
  for (let reserved = 0; reserved < 16; reserved += 1) {
    const { advertisement } = heardIn(advertPacket({ ...sent, reserved }), expecting());
    assert.equal(advertisement.interval, SECOND, `reserved ${reserved}`);
    assert.equal(heardIn(ipv6AdvertPacket({ ...sent6, reserved }), expecting6(), 6).advertisement.interval, SECOND);
  }
});

test('R-5.2.7-1 the interval is 12 bits of centiseconds, as configured', () => {
  for (const [interval, bytes] of [
    [10_000, [0x00, 0x01]],
    [SECOND, [0x00, 0x64]],
    [2_560_000, [0x01, 0x00]],
    [40_950_000, [0x0f, 0xff]],
  ] as const) {
    assert.deepEqual([...messageOf(ipv4Fields({ interval })).subarray(4, 6)], bytes);
    const packet = advertPacket({ ...sent, interval: bytes[0] * 256 + bytes[1] });
    assert.equal(heardIn(packet, expecting()).advertisement.interval, interval);
  }
});

test('R-5.2.8-1 the checksum is the ones complement sum of the message with a checksum field of zero', () => {
  for (const priority of [0, 100, 255]) {
    const message = messageOf(ipv4Fields(), priority);
    assert.equal(checksumIn(message), internetChecksum(withoutChecksum(message)), `priority ${priority}`);
  }
});

test('R-5.2.8-2 over IPv4 the checksum covers the message from the version to the last address alone', () => {
  const message = messageOf(ipv4Fields({ checksum: 'message_only' }));
  assert.equal(checksumIn(message), internetChecksum(withoutChecksum(message)));
  const elsewhere = messageOf(ipv4Fields({ checksum: 'message_only', source: anyIp('10.0.0.9') }));
  assert.equal(checksumIn(elsewhere), checksumIn(message), 'the source is not in it');
  assert.equal(verdict(advertPacket({ ...sent, checksum: 'message_only' }), expecting()), 'heard');
  // Deviation: decision 0006. The other form is believed as well, and told apart.
  const other = heardIn(advertPacket({ ...sent, checksum: 'pseudo_header' }), expecting());
  assert.equal(other.checksumForm, 'pseudo_header');
});

test('R-5.2.8-3 over IPv6 a pseudo-header comes before the message, with next header 112', () => {
  const fields: AdvertisementFields = ipv6Fields();
  const message = messageOf(fields);
  const pseudo = (next: number) =>
    Uint8Array.from([...ipv6Bytes('fe80::1'), ...ipv6Bytes('ff02::12'), 0, 0, 0, message.length, 0, 0, 0, next]);
  assert.equal(checksumIn(message), internetChecksum(pseudo(112), withoutChecksum(message)));
  assert.notEqual(checksumIn(message), internetChecksum(pseudo(0), withoutChecksum(message)));
  assert.equal(verdict(ipv6AdvertPacket({ ...sent6, checksum: 'message_only' }), expecting6(), 6), 'bad-checksum');
  assert.equal(verdict(ipv6AdvertPacket(sent6), expecting6(), 6), 'heard');
});

test('R-5.2.9-1 all addresses are sent, in the order in which they are configured', () => {
  const order = ['10.0.0.103', '10.0.0.100', '10.0.0.102'];
  const message = messageOf(ipv4Fields({ addresses: order.map(anyIp) }));
  assert.deepEqual([...message.subarray(8)], [10, 0, 0, 103, 10, 0, 0, 100, 10, 0, 0, 102]);
  const read = heardIn(advertPacket({ ...sent, addresses: order }), expecting()).advertisement.addresses;
  assert.deepEqual(read, order.map(anyIp));
});

test('R-5.2.9-2 over IPv6 the first address is a link-local one where strictRfc asks for it', () => {
  const first = [...messageOf(ipv6Fields()).subarray(8, 24)];
  assert.deepEqual(first, [...ipv6Bytes('fe80::100')]);
  const wrong = { addresses: '[2001:db8::1, fe80::1]' };
  assert.match(texts(judge(router({ ...wrong, strictRfc: 'true' })).errors)[0] ?? '', /must be link-local/);
  // Deviation: decision 0016. Elsewhere the addresses may come in any order.
  assert.deepEqual(judge(router(wrong)).errors, []);
});

test('R-5.2.9-3 addresses are of the family of the IP header', () => {
  assert.throws(() => messageOf(ipv4Fields({ addresses: [anyIp('fe80::100')] })), RangeError);
  assert.throws(() => messageOf(ipv6Fields({ addresses: [anyIp('10.0.0.100')] })), RangeError);
  // What comes over IPv4 is read as IPv4: 16 bytes for one address are 12 too many.
  const message = messageOf(ipv6Fields({ addresses: [anyIp('fe80::100')] }));
  const packet = new Uint8Array([...advertPacket(sent).subarray(0, 20), ...message]);
  new DataView(packet.buffer).setUint16(2, packet.length);
  assert.equal(verdict(packet, expecting()), 'bad-length');
});
