import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatIpv4, isHostAddress, isInPrefix, isMulticast, parseIpv4 } from '../../agent/wire/ipv4-address.js';
import { ip } from './captured.js';

test('dotted quads are read and written back', () => {
  assert.equal(parseIpv4('192.168.1.26'), 0xc0a8011a);
  assert.equal(parseIpv4('255.255.255.255'), 0xffffffff);
  assert.equal(parseIpv4('0.0.0.0'), 0);
  fc.assert(
    fc.property(fc.nat(0xffffffff), (address) => assert.equal(parseIpv4(formatIpv4(address)), address)),
    { seed: 21 },
  );
});

for (const text of [
  '',
  '1.2.3',
  '1.2.3.4.5',
  '256.1.1.1',
  '1.2.3.04',
  '1.2.3.-4',
  ' 1.2.3.4',
  '1.2.3.4 ',
  '1.2.3.4/24',
  '0x1.2.3.4',
  '1..2.3',
  '1e1.2.3.4',
]) {
  test(`${JSON.stringify(text)} is no address`, () => assert.equal(parseIpv4(text), undefined));
}

test('prefixes of any length', () => {
  const inside = (address: string, base: string, prefixLength: number) =>
    isInPrefix(ip(address), { address: ip(base), prefixLength });
  assert.ok(inside('192.168.1.255', '192.168.1.7', 24));
  assert.ok(!inside('192.168.2.1', '192.168.1.7', 24));
  assert.ok(inside('10.0.0.1', '10.0.0.1', 32));
  assert.ok(!inside('10.0.0.2', '10.0.0.1', 32));
  assert.ok(inside('10.0.0.0', '10.0.0.1', 31));
  assert.ok(inside('200.1.2.3', '10.0.0.1', 0));
  assert.ok(inside('200.0.0.1', '255.0.0.1', 1));
  assert.ok(!inside('100.0.0.1', '255.0.0.1', 1));
});

test('what a host may call itself', () => {
  for (const good of ['10.0.0.1', '192.168.1.255', '223.255.255.254', '1.0.0.0'])
    assert.ok(isHostAddress(ip(good)), good);
  for (const bad of ['0.0.0.0', '0.1.2.3', '127.0.0.1', '224.0.0.18', '239.1.1.1', '240.0.0.1', '255.255.255.255']) {
    assert.ok(!isHostAddress(ip(bad)), bad);
  }
  assert.ok(isMulticast(ip('224.0.0.18')) && isMulticast(ip('239.255.255.255')));
  assert.ok(!isMulticast(ip('223.255.255.255')) && !isMulticast(ip('240.0.0.0')));
});
