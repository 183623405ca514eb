/** RFC 3768 section 7, where version 2 differs from version 3. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AdvertFields, advertPacket } from '../lab/packet.js';
import { settings } from '../runtime/router-settings.js';
import { secret } from '../wire/captured.js';
import { expecting, verdict } from './codec.js';
import { activeAlone, SECOND, VIP } from './watched-host.js';

const version2 = expecting({ version: 2 });
const withPassword = expecting({ version: 2, password: secret('pg-vrrp') });
const sent = { version: 2, source: '10.0.0.7', vrid: 10, priority: 200, addresses: [VIP], interval: 1 };

test('R3768-7.1-1 the version must be 2', () => {
  assert.equal(verdict(advertPacket(sent), version2), 'heard');
  assert.equal(verdict(advertPacket({ ...sent, version: 3, interval: 100 }), version2), 'bad-version');
  assert.equal(verdict(advertPacket(sent), expecting()), 'bad-version', 'nor does version 3 hear version 2');
});

test('R3768-7.1-2 the packet must be complete, with all addresses and the authentication data', () => {
  const addresses = [VIP, '10.0.0.101'];
  const whole = advertPacket({ ...sent, addresses });
  assert.equal(whole.length, 20 + 8 + 8 + 8);
  for (let length = 0; length < whole.length; length += 1) {
    assert.notEqual(verdict(whole.subarray(0, length), version2), 'heard', `${length} bytes`);
    if (length < 20) continue;
    const short = advertPacket({ ...sent, addresses, truncateTo: length - 20 });
    assert.notEqual(verdict(short, version2), 'heard', `a message of ${length - 20} bytes`);
  }
  assert.equal(verdict(whole, version2), 'heard');
});

test('R3768-7.1-3 the checksum must be right, also of the authentication data', () => {
  const packet = advertPacket({ ...sent, password: 'pg-vrrp\0' });
  assert.equal(verdict(packet, withPassword), 'heard');
  for (let at = 20; at < packet.length; at += 1) {
    const damaged = packet.slice();
    damaged[at] = (damaged[at] ?? 0) ^ 1;
    assert.notEqual(verdict(damaged, withPassword), 'heard', `byte ${at - 20}`);
  }
  // Without authentication the data are not looked at, but for the checksum.
  const plain = advertPacket(sent);
  plain[plain.length - 1] = 1;
  assert.equal(verdict(plain, version2), 'bad-checksum');
});

test('R3768-7.1-4 an owner discards all advertisements where ownerIgnoresAdvertisements is set', () => {
  const heardBy = (ownerIgnoresAdvertisements: boolean) => {
    const { clock, a } = activeAlone(settings({ version: 2, priority: 255, router: { ownerIgnoresAdvertisements } }));
    a.takeLog();
    a.receive(advertPacket({ ...sent, priority: 255 }));
    clock.settle();
    return a.router().state;
  };
  assert.equal(heardBy(true), 'active');
  // Deviation: decision 0028. Otherwise two owners settle it.
  assert.equal(heardBy(false), 'backup');
});

test('R3768-7.1-5 the configured authentication must be passed', () => {
  assert.equal(verdict(advertPacket({ ...sent, password: 'pg-vrrp\0' }), withPassword), 'heard');
  for (const password of ['pg-vrrq\0', 'qg-vrrp\0', 'pg-vrr\0\0', 'pg-vrrpp', '\0\0\0\0\0\0\0\0']) {
    assert.equal(verdict(advertPacket({ ...sent, password }), withPassword), 'auth-failure', password);
  }
  assert.equal(verdict(advertPacket(sent), withPassword), 'auth-type-mismatch');
  assert.equal(verdict(advertPacket({ ...sent, password: 'pg-vrrp\0' }), version2), 'auth-type-mismatch');
});

const faults: readonly (readonly [string, Partial<AdvertFields>])[] = [
  ['bad-ttl', { ttl: 254 }],
  ['bad-version', { version: 3 }],
  ['bad-length', { count: 2 }],
  ['bad-checksum', { checksum: 'wrong' }],
  ['auth-type-mismatch', { password: 'pg-vrrp\0' }],
  ['interval-mismatch', { interval: 2 }],
];

test('R3768-7.1-6 a packet that fails any of these checks is discarded', () => {
  for (const [reason, change] of faults) {
    const { clock, a } = activeAlone(settings({ version: 2 }));
    a.takeLog();
    a.receive(advertPacket({ ...sent, ...change }));
    clock.settle();
    assert.deepEqual([a.router().state, a.takeLog()], ['active', []], reason);
    a.receive(advertPacket(sent));
    clock.settle();
    assert.equal(a.router().state, 'backup', reason);
  }
});

test('R3768-7.1-7 each such event is told', () => {
  for (const [reason, change] of faults) {
    const { a } = activeAlone(settings({ version: 2 }));
    for (let i = 0; i < 10; i += 1) a.receive(advertPacket({ ...sent, ...change }));
    assert.deepEqual(
      a.occurrences('rejected').map(({ reason: why, source }) => [why, source]),
      [[reason, '10.0.0.7']],
    );
    assert.equal(a.router().counters[`rejected.${reason}`], 10);
  }
});

test('R3768-7.1-8 another list of addresses is told of, and believed', () => {
  for (const priority of [200, 255]) {
    const { clock, a } = activeAlone(settings({ version: 2 }));
    a.receive(advertPacket({ ...sent, priority, addresses: ['10.0.0.9'] }));
    clock.settle();
    const told = a.occurrences('notice').filter(({ notice }) => notice === 'address-list-mismatch');
    assert.equal(told.length, 1);
    // Deviation: decision 0028. RFC 3768 drops it unless an owner sent it.
    assert.equal(a.router().state, 'backup', `priority ${priority}`);
  }
});

test('R3768-7.1-9 an advertisement of another interval is discarded, whatever its priority', () => {
  for (const interval of [2, 3, 255]) {
    assert.equal(verdict(advertPacket({ ...sent, interval }), version2), 'interval-mismatch');
    assert.equal(verdict(advertPacket({ ...sent, interval, priority: 0 }), version2), 'interval-mismatch');
  }
  const slow = expecting({ version: 2, interval: 3 * SECOND });
  assert.equal(verdict(advertPacket({ ...sent, interval: 3 }), slow), 'heard');
  assert.equal(verdict(advertPacket(sent), slow), 'interval-mismatch');
});

test('R3768-7.2-1 what a version 2 router sends is of version 2', () => {
  const { a } = activeAlone(settings({ version: 2, more: { password: secret('pg-vrrp') } }));
  const [first] = a.seen.adverts;
  assert.deepEqual([...(first?.packet.subarray(20, 26) ?? [])], [0x21, 10, 100, 1, 1, 1]);
  assert.equal(Buffer.from(first?.packet.subarray(-8) ?? []).toString('latin1'), 'pg-vrrp\0');
  assert.equal(verdict(first?.packet ?? new Uint8Array(), withPassword), 'heard');
});
