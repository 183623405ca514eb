import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  broadcastOf,
  contains,
  formatCidr,
  formatIpv4,
  looksLikeIpv6,
  networkOf,
  parseCidr,
  parseIpv4,
} from '../../proto/rules/ipv4.js';

describe('IPv4 addresses', () => {
  test('the four bytes, most significant first', () => {
    assert.equal(parseIpv4('192.0.2.1'), 0xc0000201);
    assert.equal(parseIpv4('255.255.255.255'), 0xffffffff);
    assert.equal(parseIpv4('0.0.0.0'), 0);
    assert.equal(formatIpv4(0xc0a8011a), '192.168.1.26');
  });

  for (const text of [
    '',
    '1',
    '1.2.3',
    '1.2.3.4.5',
    '01.2.3.4',
    '1.2.3.04',
    '0x1.2.3.4',
    '256.1.1.1',
    '1.2.3.256',
    '1.2.3.4 ',
    ' 1.2.3.4',
    '1.2.3.4\n',
    '1..3.4',
    '-1.2.3.4',
    '1.2.3.4/24',
    '::ffff:1.2.3.4',
    '１.2.3.4',
    '1.2.3.1e1',
  ]) {
    test(`refused: ${JSON.stringify(text)}`, () => assert.equal(parseIpv4(text), undefined));
  }

  test('are read back as they were written', () => {
    fc.assert(
      fc.property(fc.nat(0xffffffff), (address) => assert.equal(parseIpv4(formatIpv4(address)), address)),
      { seed: 20_261_122, numRuns: 300 },
    );
  });
});

describe('prefixes', () => {
  test('without a length /32; host bits are kept', () => {
    assert.deepStrictEqual(parseCidr('192.0.2.77'), { address: 0xc000024d, prefixLength: 32 });
    assert.equal(formatCidr({ address: 0xc000024d, prefixLength: 24 }), '192.0.2.77/24');
  });
  for (const text of [
    '1.2.3.4/',
    '1.2.3.4/33',
    '1.2.3.4/024',
    '1.2.3.4/-1',
    '1.2.3.4/255.255.255.0',
    '/24',
    '1.2.3.4/1/2',
    '::1/64',
  ]) {
    test(`refused: ${text}`, () => assert.equal(parseCidr(text), undefined));
  }
  // Worked by hand.
  for (const [text, network, broadcast] of [
    ['192.0.2.77/24', '192.0.2.0', '192.0.2.255'],
    ['192.0.2.77/30', '192.0.2.76', '192.0.2.79'],
    ['192.0.2.77/32', '192.0.2.77', '192.0.2.77'],
    ['192.0.2.77/1', '128.0.0.0', '255.255.255.255'],
    ['192.0.2.77/0', '0.0.0.0', '255.255.255.255'],
  ] as const) {
    test(text, () => {
      const cidr = parseCidr(text);
      assert.ok(cidr !== undefined);
      assert.equal(formatIpv4(networkOf(cidr)), network);
      assert.equal(formatIpv4(broadcastOf(cidr)), broadcast);
    });
  }
  test('contains', () => {
    const prefix = parseCidr('192.0.2.0/25');
    assert.ok(prefix !== undefined);
    assert.ok(contains(prefix, 0xc000027f));
    assert.ok(!contains(prefix, 0xc0000280));
    assert.ok(contains({ address: 0, prefixLength: 0 }, 0xffffffff));
  });
});

describe('IPv6 is recognised, to be refused by name', () => {
  for (const text of [
    '::',
    '::1',
    '2001:db8::1',
    '2001:DB8::1/64',
    'fe80::1%eth0',
    '::ffff:192.0.2.1',
    '1:2:3:4:5:6:7:8',
  ]) {
    test(text, () => assert.ok(looksLikeIpv6(text)));
  }
  for (const text of ['192.0.2.1', 'host:80', 'x::1', '']) {
    test(`not: ${text}`, () => assert.ok(!looksLikeIpv6(text)));
  }
});
