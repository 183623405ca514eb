/** RFC 9568 section 7.1: receiving VRRP packets. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AdvertFields, advertPacket, ipv6AdvertPacket } from '../lab/packet.js';
import { settings } from '../runtime/router-settings.js';
import { Driven, heard, SECOND } from '../vrrp/sample-router.js';
import { expecting, expecting6, verdict } from './codec.js';
import { activeAlone, DOWN_100, VIP, watch } from './watched-host.js';

const sent = { source: '10.0.0.7', vrid: 10, priority: 200, addresses: [VIP], interval: 100 };
const sent6 = { ...sent, source: 'fe80::7', addresses: ['fe80::100'] };

/** Each makes a good advertisement of a better router one that is to be discarded, and names the counter. */
const faults: readonly (readonly [string, Partial<AdvertFields>])[] = [
  ['bad-ttl', { ttl: 254 }],
  ['bad-version', { version: 2 }],
  ['bad-type', { type: 2 }],
  ['bad-length', { count: 2 }],
  ['bad-checksum', { checksum: 'wrong' }],
  ['no-addresses', { addresses: [] }],
  ['zero-interval', { interval: 0 }],
];

test('R-7.1-1 the TTL or hop limit must be 255', () => {
  for (const ttl of [0, 1, 64, 254, 255]) {
    const wanted = ttl === 255 ? 'heard' : 'bad-ttl';
    assert.equal(verdict(advertPacket({ ...sent, ttl }), expecting()), wanted, `TTL ${ttl}`);
    assert.equal(verdict(ipv6AdvertPacket({ ...sent6, ttl }), expecting6(), 6), wanted, `hop limit ${ttl}`);
  }
});

test('R-7.1-2 the version must be 3', () => {
  for (let version = 0; version < 16; version += 1) {
    const wanted = version === 3 ? 'heard' : 'bad-version';
    // The rest is of version 3: only the number differs.
    const packet = advertPacket({ ...sent, checksum: 'message_only' });
    const view = new DataView(packet.buffer);
    const difference = (version << 12) - (3 << 12);
    packet[20] = (version << 4) | 1;
    view.setUint16(26, (((view.getUint16(26) - difference) % 0xffff) + 0xffff) % 0xffff);
    assert.equal(verdict(packet, expecting()), wanted, `version ${version}`);
  }
});

test('R-7.1-3 the type must be 1', () => {
  for (const type of [0, 2, 15]) assert.equal(verdict(advertPacket({ ...sent, type }), expecting()), 'bad-type');
  assert.equal(verdict(advertPacket({ ...sent, type: 1 }), expecting()), 'heard');
});

test('R-7.1-4 the packet must be complete, with all fixed fields and addresses', () => {
  const addresses = [VIP, '10.0.0.101'];
  const whole = advertPacket({ ...sent, addresses });
  for (let length = 0; length < whole.length; length += 1) {
    // Cut short on the wire, and sent so short in the first place.
    assert.notEqual(verdict(whole.subarray(0, length), expecting()), 'heard', `${length} bytes`);
    if (length < 20) continue;
    const short = advertPacket({ ...sent, addresses, truncateTo: length - 20 });
    assert.notEqual(verdict(short, expecting()), 'heard', `a message of ${length - 20} bytes`);
  }
  assert.equal(verdict(whole, expecting()), 'heard');
  const whole6 = ipv6AdvertPacket({ ...sent6, addresses: ['fe80::100', '2001:db8::1'] });
  for (let length = 0; length < whole6.length; length += 1) {
    assert.notEqual(verdict(whole6.subarray(0, length), expecting6(), 6), 'heard', `IPv6, ${length} bytes`);
  }
});

test('R-7.1-5 the checksum must be right', () => {
  for (const checksum of ['message_only', 'pseudo_header'] as const) {
    const packet = advertPacket({ ...sent, checksum });
    assert.equal(verdict(packet, expecting()), 'heard', checksum);
    // The priority, the interval, an address: whatever a single bit changes.
    for (let bit = 0; bit < 8 * 12; bit += 1) {
      const damaged = packet.slice();
      const at = 20 + (bit >> 3);
      damaged[at] = (damaged[at] ?? 0) ^ (1 << (bit & 7));
      assert.notEqual(verdict(damaged, expecting()), 'heard', `${checksum}, bit ${bit}`);
    }
  }
  assert.equal(verdict(ipv6AdvertPacket({ ...sent6, checksum: 'wrong' }), expecting6(), 6), 'bad-checksum');
});

test('R-7.1-6 the VRID must be configured on the receiving interface', () => {
  const { clock, host } = watch();
  const a = host('a', '10.0.0.1/24');
  a.addLink('em2');
  a.addAddress('em2', '10.0.0.2/24');
  a.configure(
    settings({ name: 'one' }),
    settings({ name: 'two', vrid: 11, interface: 'em2', addresses: ['10.0.0.101'] }),
  );
  clock.advance(DOWN_100);
  const hear = (device: string, vrid: number) => {
    a.seen.ears.get(device)?.([advertPacket({ ...sent, vrid })]);
    clock.settle();
    return [a.router('one').state, a.router('two').state];
  };
  assert.deepEqual(hear('em2', 10), ['active', 'active'], 'VRID 10 is on the other interface');
  assert.deepEqual(hear('em1', 11), ['active', 'active']);
  assert.deepEqual(hear('em1', 12), ['active', 'active']);
  assert.deepEqual(hear('em1', 10), ['backup', 'active']);
  assert.deepEqual(hear('em2', 11), ['backup', 'backup']);
});

test('R-7.1-7 an owner that hears others looks and logs, or discards where it is told to', () => {
  const { clock, a } = activeAlone(settings({ priority: 255 }));
  a.takeLog();
  a.receive(advertPacket({ ...sent, source: '10.0.0.2', priority: 100 }));
  a.receive(advertPacket({ ...sent, source: '10.0.0.3', priority: 100 }));
  assert.equal(a.occurrences('lowerPriorityHeard').length, 1);
  clock.advance(2000);
  assert.ok(a.takeLog().includes('advert 255'));
  // As published, before erratum 8298: discarded, without an answer.
  const deaf = activeAlone(settings({ priority: 255, router: { ownerIgnoresAdvertisements: true } }));
  deaf.a.takeLog();
  deaf.a.receive(advertPacket({ ...sent, source: '10.0.0.3', priority: 255 }));
  deaf.clock.advance(2000);
  assert.deepEqual(deaf.a.takeLog(), []);
  assert.equal(deaf.a.router().state, 'active');
});

test('R-7.1-8 a packet that fails any of these checks is discarded', () => {
  for (const [reason, change] of faults) {
    const { clock, a } = activeAlone();
    a.takeLog();
    a.receive(advertPacket({ ...sent, ...change }));
    clock.settle();
    assert.equal(a.router().state, 'active', reason);
    assert.deepEqual(a.takeLog(), [], reason);
    assert.equal(a.router().counters[`rejected.${reason}`], 1, reason);
    assert.equal(a.router().counters['advertisements-received'], 0, reason);
    // The same without the fault.
    a.receive(advertPacket(sent));
    clock.settle();
    assert.equal(a.router().state, 'backup', reason);
  }
});

test('R-7.1-9 each such event is told, at a limited rate', () => {
  for (const [reason, change] of faults) {
    const { clock, a } = activeAlone();
    for (let i = 0; i < 100; i += 1) a.receive(advertPacket({ ...sent, ...change }));
    const told = () =>
      a.occurrences('rejected').map(({ router, reason: why, source, count }) => [router, why, source, count]);
    assert.deepEqual(told(), [['r', reason, '10.0.0.7', 1]]);
    clock.advance(60 * SECOND);
    assert.deepEqual(told().slice(1), [['r', reason, '10.0.0.7', 99]]);
  }
  // Of a VRID that is not configured it is the interface that tells.
  const { a } = activeAlone();
  for (let i = 0; i < 100; i += 1) a.receive(advertPacket({ ...sent, vrid: 77 }));
  assert.deepEqual(
    a.occurrences('unknownVrid').map(({ vrid, source }) => [vrid, source]),
    [[77, '10.0.0.7']],
  );
});

test('R-7.1-10 network management is told: counters and senders are in the status', () => {
  const { a } = activeAlone();
  a.receive(advertPacket({ ...sent, ttl: 254 }));
  a.receive(advertPacket({ ...sent, ttl: 254 }));
  const { counters, rejected } = a.router();
  assert.equal(counters['rejected.bad-ttl'], 2);
  assert.deepEqual(
    rejected.map(({ source, reason, count }) => [source, reason, count]),
    [['10.0.0.7', 'bad-ttl', 2]],
  );
});

test('R-7.1-11 another interval than the configured one is noticed', () => {
  for (const interval of [500_000, 2 * SECOND]) {
    const driven = Driven.backup().feed(heard(200, undefined, interval), SECOND);
    assert.deepEqual(
      driven.effects
        .filter(({ kind }) => kind === 'noticed')
        .map((effect) => ('notice' in effect ? effect.notice : '')),
      ['interval-mismatch'],
    );
  }
  assert.deepEqual(Driven.backup().feed(heard(200), SECOND).effects, []);
});

test('R-7.1-12 it is told once for each source and state, and counted', () => {
  const { clock, a } = activeAlone();
  const other = { ...sent, priority: 50, interval: 50 };
  for (let i = 0; i < 10; i += 1) a.receive(advertPacket(other));
  a.receive(advertPacket({ ...other, source: '10.0.0.8' }));
  clock.settle();
  const notices = a.occurrences('notice').filter(({ notice }) => notice === 'interval-mismatch');
  assert.deepEqual(
    notices.map(({ router, source }) => [router, source]),
    [
      ['r', '10.0.0.7'],
      ['r', '10.0.0.8'],
    ],
  );
  assert.equal(a.router().counters['notices.interval-mismatch'], 2);
});

test('R-7.1-13 it is not discarded for that', () => {
  for (const interval of [50, 200]) {
    const { clock, a } = activeAlone();
    a.receive(advertPacket({ ...sent, interval }));
    clock.settle();
    assert.equal(a.router().state, 'backup', `${interval} cs`);
    assert.deepEqual(a.router().activeRouter, { address: '10.0.0.7', priority: 200 });
  }
});

test('R-7.1-14 the list of addresses is compared with the configured one, in whatever order', () => {
  const notices = (addresses: readonly string[]) => {
    const { clock, a } = activeAlone(settings({ addresses: [VIP, '10.0.0.101'] }));
    a.receive(advertPacket({ ...sent, addresses }));
    clock.settle();
    assert.equal(a.router().state, 'backup', 'nothing is dropped for it');
    return a.occurrences('notice').map(({ notice }) => notice);
  };
  assert.deepEqual(notices([VIP, '10.0.0.101']), []);
  assert.deepEqual(notices(['10.0.0.101', VIP]), []);
  assert.deepEqual(notices([VIP]), ['address-list-mismatch']);
  assert.deepEqual(notices([VIP, '10.0.0.102']), ['address-list-mismatch']);
  assert.deepEqual(notices([VIP, '10.0.0.101', '10.0.0.102']), ['address-list-mismatch']);
});

test('R-7.1-15 another list is told once for each source and state, and counted', () => {
  const { clock, a } = activeAlone();
  for (let i = 0; i < 10; i += 1) a.receive(advertPacket({ ...sent, priority: 50, addresses: ['10.0.0.9'] }));
  clock.settle();
  const notices = a.occurrences('notice').filter(({ notice }) => notice === 'address-list-mismatch');
  assert.equal(notices.length, 1);
  assert.match(notices[0]?.sentence ?? '', /^10\.0\.0\.7 advertises another list of addresses/);
});
