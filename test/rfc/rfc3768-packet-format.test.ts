/** RFC 3768 section 5.3, where version 2 differs from version 3. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AdvertisementFields } from '../../agent/wire/advertisement.js';
import { advertPacket } from '../lab/packet.js';
import { judge, router, texts } from '../rules/sample-resources.js';
import { anyIp, secret } from '../wire/captured.js';
import {
  checksumIn,
  expecting,
  heardIn,
  internetChecksum,
  ipv4Fields,
  messageOf,
  verdict,
  withoutChecksum,
} from './codec.js';

const SECOND = 1_000_000;
const fields = (changes: Partial<AdvertisementFields> = {}) => ipv4Fields({ version: 2, ...changes });
const version2 = expecting({ version: 2 });
const sent = { version: 2, source: '10.0.0.7', vrid: 10, priority: 200, addresses: ['10.0.0.100'], interval: 1 };

test('R3768-5.3-1 a message has 8 bytes, 4 for each address, and always 8 of authentication data', () => {
  for (const count of [1, 2, 20, 255]) {
    const addresses = Array.from({ length: count }, (_, index) => anyIp(`10.1.0.${index}`));
    assert.equal(messageOf(fields({ addresses })).length, 8 + 4 * count + 8);
  }
});

test('R3768-5.3.1-1 the version is 2', () => {
  assert.equal(messageOf(fields())[0], 0x21);
});

test('R3768-5.3.6-1 the authentication type is 0 unless one is configured', () => {
  assert.equal(messageOf(fields())[4], 0);
  // Deviation: decision 0028. Type 1 is the simple password of RFC 2338.
  const message = messageOf(fields({ password: secret('pg-vrrp') }));
  assert.equal(message[4], 1);
  assert.equal(Buffer.from(message.subarray(-8)).toString('latin1'), 'pg-vrrp\0');
});

test('R3768-5.3.6-2 another authentication type than the configured one is discarded', () => {
  const password = expecting({ version: 2, password: secret('pg-vrrp') });
  for (let authenticationType = 0; authenticationType < 256; authenticationType += 1) {
    const packet = advertPacket({ ...sent, authenticationType, password: 'pg-vrrp\0' });
    const type = `type ${authenticationType}`;
    assert.equal(verdict(packet, version2), authenticationType === 0 ? 'heard' : 'auth-type-mismatch', type);
    assert.equal(verdict(packet, password), authenticationType === 1 ? 'heard' : 'auth-type-mismatch', type);
  }
});

test('R3768-5.3.7-1 the interval is 8 bits of whole seconds', () => {
  for (const seconds of [1, 2, 255]) {
    assert.equal(messageOf(fields({ interval: seconds * SECOND }))[5], seconds);
    const packet = advertPacket({ ...sent, interval: seconds });
    const expected = expecting({ version: 2, interval: seconds * SECOND });
    assert.equal(heardIn(packet, expected).advertisement.interval, seconds * SECOND);
  }
  for (const interval of ['1500ms', '100ms', '256s']) {
    const [refusal] = texts(judge(router({ version: '2', advertisementInterval: interval })).errors);
    assert.match(refusal ?? '', /must be from 1s to 4m15s in steps of 1s/, interval);
  }
});

test('R3768-5.3.8-1 the checksum covers the whole message, the authentication data too, and no pseudo-header', () => {
  for (const checksum of ['message_only', 'pseudo_header'] as const) {
    const message = messageOf(fields({ checksum, password: secret('pg-vrrp') }));
    assert.equal(checksumIn(message), internetChecksum(withoutChecksum(message)));
    const without = message.slice(0, -8);
    assert.notEqual(checksumIn(message), internetChecksum(withoutChecksum(without)));
  }
  assert.equal(verdict(advertPacket({ ...sent, checksum: 'message_only' }), version2), 'heard');
  assert.equal(verdict(advertPacket({ ...sent, checksum: 'pseudo_header' }), version2), 'bad-checksum');
});

test('R3768-5.3.10-1 the authentication data is zero in what is sent without authentication', () => {
  assert.deepEqual([...messageOf(fields()).subarray(-8)], [0, 0, 0, 0, 0, 0, 0, 0]);
});

test('R3768-5.3.10-2 the authentication data of what is received without authentication is ignored', () => {
  const packet = advertPacket({ ...sent, authenticationType: 0, password: 'anything' });
  assert.equal(packet.at(-1), 'g'.charCodeAt(0));
  assert.equal(verdict(packet, version2), 'heard');
});
