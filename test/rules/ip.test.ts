import assert from 'node:assert/strict';
import { isIPv6 } from 'node:net';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  formatIp,
  formatIpPrefix,
  formatIpv6,
  isLinkLocal,
  isMulticastIp,
  networkAddressOf,
  parseIp,
  parseIpPrefix,
  parseIpv6,
  prefixContains,
} from '../../proto/rules/ip.js';

const SEED = 20261122;
const ipv6 = fc.bigInt({ min: 0n, max: (1n << 128n) - 1n });

describe('IPv6 text', () => {
  // RFC 5952 sections 4.1 to 4.3 and 5.
  const canonical: readonly (readonly [string, string])[] = [
    ['2001:0db8::0001', '2001:db8::1'],
    ['2001:db8:0:0:0:0:2:1', '2001:db8::2:1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:DB8::A', '2001:db8::a'],
    ['::', '::'],
    ['::1', '::1'],
    ['fe80::', 'fe80::'],
    ['::ffff:192.0.2.1', '::ffff:192.0.2.1'],
    ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
  ];
  for (const [given, wanted] of canonical) {
    test(`${given} is written ${wanted}`, () => {
      assert.equal(formatIp(parseIp(given) ?? 0), wanted);
    });
  }

  for (const bad of [
    '',
    ':',
    ':::',
    '1::2::3',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7::8',
    'g::',
    '::12345',
    'fe80::1%eth0',
    '::1.2.3',
    '1.2.3.4::',
    '::1.2.3.4:5',
    ' ::1',
    '::1/64',
    '192.0.2.1:80',
  ]) {
    test(`${JSON.stringify(bad)} is no address`, () => {
      assert.equal(parseIp(bad), undefined);
    });
  }

  test('every address survives being written and read', () => {
    fc.assert(
      fc.property(ipv6, (address) => {
        const text = formatIpv6(address);
        assert.ok(isIPv6(text), text);
        assert.equal(parseIpv6(text), address);
      }),
      { seed: SEED },
    );
  });

  test('what is read as an address is one to Node too, whatever the text', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[0-9a-f:.]{0,20}$/), (text) => {
        assert.equal(parseIpv6(text) !== undefined, isIPv6(text), text);
      }),
      { seed: SEED, numRuns: 3_000 },
    );
  });
});

describe('prefixes of either family', () => {
  test('a prefix length is optional and bounded by the family', () => {
    assert.deepEqual(parseIpPrefix('192.0.2.1'), { address: 0xc0000201, prefixLength: 32 });
    assert.deepEqual(parseIpPrefix('fe80::1'), { address: 0xfe800000000000000000000000000001n, prefixLength: 128 });
    assert.equal(parseIpPrefix('192.0.2.1/33'), undefined);
    assert.equal(parseIpPrefix('fe80::1/129'), undefined);
    assert.equal(parseIpPrefix('fe80::1/064'), undefined);
    assert.equal(formatIpPrefix({ address: 1n, prefixLength: 64 }), '::1/64');
  });

  test('containment follows the bits and never crosses families', () => {
    const lan = { address: 0xc0000201, prefixLength: 24 };
    assert.ok(prefixContains(lan, 0xc00002ff));
    assert.ok(!prefixContains(lan, 0xc0000301));
    assert.ok(!prefixContains(lan, 0xc00002ffn));
    assert.ok(prefixContains({ address: 0n, prefixLength: 0 }, 5n));
    assert.equal(networkAddressOf({ address: 0xffffffff, prefixLength: 0 }), 0);
    assert.equal(
      networkAddressOf({ address: 0xfe80_0000_0000_0001_0000_0000_0000_0005n, prefixLength: 64 }),
      0xfe80_0000_0000_0001_0000_0000_0000_0000n,
    );
  });

  test('link-local and multicast', () => {
    assert.ok(isLinkLocal(parseIp('fe80::1') ?? 0));
    assert.ok(isLinkLocal(parseIp('febf::1') ?? 0));
    assert.ok(!isLinkLocal(parseIp('fec0::1') ?? 0));
    assert.ok(!isLinkLocal(0xa9fe0001));
    assert.ok(isMulticastIp(parseIp('ff02::12') ?? 0));
    assert.ok(isMulticastIp(0xe0000012));
    assert.ok(!isMulticastIp(parseIp('fe80::12') ?? 0));
  });
});
