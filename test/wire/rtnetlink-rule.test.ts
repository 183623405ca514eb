import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { messagesOf, type NetlinkMessage, NetlinkWriter } from '../../agent/wire/netlink-message.js';
import {
  isRequestedRule,
  type Rule,
  type RuleRequest,
  readRule,
  writeRuleDump,
  writeRuleRequest,
} from '../../agent/wire/rtnetlink-rule.js';
import { bytesOf, ip, ip6 } from './captured.js';

/*
 * All from Linux 6.18, as `ip rule add` made them: each with its command.
 */

/**
 * not from 10.9.0.0/24 to 10.30.0.0/16 iif em1 oif em2 fwmark 0x10/0xf0 tos 0x10 ipproto tcp sport 1000-2000 dport 80
 * uidrange 5-6 table 1000 suppress_prefixlength 8 suppress_ifgroup 3 pref 100 protocol 18
 */
const FULL = `a0000000 2000 0200 01000000 c9080000 02 10 18 10 fc 00 00 01 02000000 0800 0f00 e8030000
  0800 0e00 08000000 0500 1500 12000000 0800 0300 656d3100 0800 1100 656d3200 0800 0600 64000000
  0800 0a00 10000000 0800 1000 f0000000 0c00 1400 05000000 06000000 0800 1700 e803d007 0800 1800 50005000
  0600 1d00 ffff0000 0500 1600 06000000 0800 0d00 03000000 0800 0100 0a1e0000 0800 0200 0a090000`;
/** l3mdev pref 300 protocol 18 */
const L3MDEV = `44000000 2000 0200 01000000 c9080000 02 00 00 00 00 00 00 01 00000000 0800 0f00 00000000
  0800 0e00 ffffffff 0500 1500 12000000 0800 0600 2c010000 0500 1300 01000000`;
/** -6 from 2001:db8::/32 goto 32766 pref 200 protocol 18 */
const GOTO6 = `58000000 2000 0200 01000000 c9080000 0a 00 20 00 00 00 00 02 00000000 0800 0f00 00000000
  0800 0e00 ffffffff 0500 1500 12000000 0800 0600 c8000000 0800 0400 fe7f0000
  1400 0200 20010db800000000 0000000000000000`;
/** The kernel's own. */
const MAIN = `3c000000 2000 0200 01000000 c9080000 02 00 00 00 fe 00 00 01 00000000 0800 0f00 fe000000
  0800 0e00 ffffffff 0500 1500 02000000 0800 0600 fe7f0000`;

const full: Rule = {
  family: 4,
  from: { address: ip('10.9.0.0'), prefixLength: 24 },
  to: { address: ip('10.30.0.0'), prefixLength: 16 },
  priority: 100,
  not: true,
  inputInterface: 'em1',
  outputInterface: 'em2',
  mark: 0x10,
  mask: 0xf0,
  tos: 0x10,
  ipProtocol: 6,
  sourcePorts: { first: 1000, last: 2000 },
  destinationPorts: { first: 80, last: 80 },
  users: { first: 5, last: 6 },
  l3mdev: false,
  table: 1000,
  action: 1,
  suppressPrefixLength: 8,
  suppressGroup: 3,
  protocol: 18,
};
const plain = { family: 4, not: false, tos: 0, l3mdev: false, action: 1, protocol: 18 } as const;
const l3mdev: Rule = { ...plain, l3mdev: true, priority: 300 };
const goto6: Rule = {
  ...plain,
  family: 6,
  from: { address: ip6('2001:db8::'), prefixLength: 32 },
  action: 2,
  target: 32766,
  priority: 200,
};

const written = (write: (writer: NetlinkWriter) => void): Uint8Array => {
  const writer = new NetlinkWriter();
  write(writer);
  return writer.datagram().slice();
};
const onlyMessage = (bytes: Uint8Array): NetlinkMessage => {
  const [message, ...more] = [...messagesOf(bytes)];
  assert.ok(message !== undefined && more.length === 0);
  return message;
};

for (const [name, hex, rule] of [
  ['everything', FULL, full],
  ['l3mdev', L3MDEV, l3mdev],
  ['goto in IPv6', GOTO6, goto6],
  ["the kernel's own", MAIN, { ...plain, table: 254, priority: 32766, protocol: 2 }],
] as const) {
  test(`${name}: read as the kernel wrote it`, () => assert.deepEqual(readRule(onlyMessage(bytesOf(hex))), rule));
}

test('bytes of the requests', () => {
  assert.deepEqual(
    written((writer) => writeRuleRequest(writer, 'add', full, 9, true)),
    bytesOf(`98000000 2000 0506 09000000 00000000 02 10 18 10 00 00 00 01 02000000 0800 0100 0a1e0000 0800 0200 0a090000
      0800 0f00 e8030000 0800 0600 64000000 0800 0a00 10000000 0800 1000 f0000000 0800 0e00 08000000 0800 0d00 03000000
      0500 1500 12000000 0500 1600 06000000 0800 0300 656d3100 0800 1100 656d3200 0c00 1400 05000000 06000000
      0800 1700 e803d007 0800 1800 50005000`),
  );
  assert.deepEqual(
    written((writer) => writeRuleRequest(writer, 'delete', goto6, 9, false)),
    bytesOf(`48000000 2100 0100 09000000 00000000 0a 00 20 00 00 00 00 02 00000000
      1400 0200 20010db800000000 0000000000000000 0800 0600 c8000000 0800 0400 fe7f0000 0500 1500 12000000`),
  );
  assert.deepEqual(
    written((writer) => writeRuleDump(writer, 6, 1)),
    bytesOf(`1c000000 2200 0103 01000000 00000000 0a ${'00'.repeat(11)}`),
  );
});

test('what the kernel has is known again as what was asked for', () => {
  assert.equal(isRequestedRule(full, full), true);
  const { priority, protocol, ...open } = full;
  assert.equal(isRequestedRule(open, full), true, `${priority} and ${protocol} were left open`);
  for (const change of [
    { family: 6 },
    { from: { address: ip('10.9.0.0'), prefixLength: 25 } },
    { to: { address: ip('10.31.0.0'), prefixLength: 16 } },
    { priority: 101 },
    { protocol: 2 },
    { not: false },
    { inputInterface: 'em2' },
    { outputInterface: 'em1' },
    { mark: 0x20 },
    { mask: 0xff },
    { tos: 0 },
    { ipProtocol: 17 },
    { sourcePorts: { first: 1000, last: 2001 } },
    { destinationPorts: { first: 81, last: 81 } },
    { users: { first: 5, last: 7 } },
    { l3mdev: true },
    { table: 1001 },
    { action: 6 },
    { target: 5 },
    { suppressPrefixLength: 9 },
    { suppressGroup: 4 },
  ] as const) {
    assert.equal(isRequestedRule({ ...full, ...change }, full), false, JSON.stringify(change));
  }
  // A mark without a mask is compared whole; host bits of a prefix do not matter.
  assert.equal(isRequestedRule({ ...plain, mark: 5 }, { ...plain, priority: 1, mark: 5, mask: 0xffffffff }), true);
  assert.equal(isRequestedRule({ ...full, from: { address: ip('10.9.0.7'), prefixLength: 24 } }, full), true);
});

test('other families, other messages and malformed prefixes are not read', () => {
  for (const [from, to] of [
    ['02 10 18', '80 10 18'],
    ['2000 0200', '1800 0200'],
    ['02 10 18', '02 21 18'],
    ['0800 0200 0a09', '0800 1e00 0a09'],
  ] as const) {
    assert.equal(readRule(onlyMessage(bytesOf(FULL.replace(from, to)))), undefined, to);
  }
});

const optional = <T>(name: string, value: fc.Arbitrary<T>) =>
  fc.option(value).map((v) => (v === null ? {} : { [name]: v }));
const range = (max: number) =>
  fc.tuple(fc.nat(max), fc.nat(max)).map(([a, b]) => ({ first: Math.min(a, b), last: Math.max(a, b) }));
const anyRequest: fc.Arbitrary<RuleRequest> = fc.constantFrom<4 | 6>(4, 6).chain((family) => {
  const address: fc.Arbitrary<number | bigint> =
    family === 4 ? fc.integer({ min: 0, max: 0xffffffff }) : fc.bigInt({ min: 0n, max: (1n << 128n) - 1n });
  const prefix = fc.record({ address, prefixLength: fc.integer({ min: 1, max: family === 4 ? 32 : 128 }) });
  return fc
    .tuple(
      fc.record({ not: fc.boolean(), tos: fc.nat(255), l3mdev: fc.boolean(), action: fc.integer({ min: 1, max: 8 }) }),
      optional('from', prefix),
      optional('to', prefix),
      optional('priority', fc.nat(0x7fffffff)),
      optional('inputInterface', fc.constantFrom('em1', 'a-name-as-long1')),
      optional('mark', fc.integer({ min: 0, max: 0xffffffff })),
      optional('ipProtocol', fc.nat(255)),
      optional('sourcePorts', range(65535)),
      optional('destinationPorts', range(65535)),
      optional('users', range(0x7fffffff)),
      optional('table', fc.integer({ min: 1, max: 0xfffffffe })),
      optional('suppressPrefixLength', fc.nat(128)),
      optional('protocol', fc.nat(255)),
    )
    .map((parts) => Object.assign({ family }, ...parts) as RuleRequest);
});

test('what is written is read back, whatever it is', () => {
  fc.assert(
    fc.property(anyRequest, (rule) => {
      const back = readRule(onlyMessage(written((writer) => writeRuleRequest(writer, 'add', rule, 1, true))));
      assert.ok(back !== undefined);
      assert.equal(isRequestedRule(rule, back), true);
    }),
    { seed: 32, numRuns: 500 },
  );
});

test('cut at every offset, and any mutation: an answer', () => {
  const whole = onlyMessage(bytesOf(FULL));
  for (let length = 0; length <= whole.payload.length; length++) {
    const rule = readRule({ ...whole, payload: whole.payload.slice(0, length) });
    if (length < 12) assert.equal(rule, undefined);
  }
  const mutation = fc.record({ at: fc.nat(whole.payload.length - 1), value: fc.nat(255) });
  fc.assert(
    fc.property(fc.array(mutation, { maxLength: 8 }), (mutations) => {
      const payload = whole.payload.slice();
      for (const { at, value } of mutations) payload[at] = value;
      readRule({ ...whole, payload });
    }),
    { seed: 33, numRuns: 1000 },
  );
});
