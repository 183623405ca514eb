import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { messagesOf, type NetlinkMessage, NetlinkWriter } from '../../agent/wire/netlink-message.js';
import {
  readIpv4Conf,
  readLink,
  writeLinkChange,
  writeLinkDump,
  writeLinkQuestion,
  writeLinkRemoval,
  writeMacvlan,
} from '../../agent/wire/rtnetlink-link.js';
import { bytesOf } from './captured.js';

/** The first attributes of a captured message about a veth interface, all that are read among them. */
const NEW_LINK = `58000000 1000 0000 00000000 00000000 00 00 0100 03000000 43100100 ffffffff
  0700 0300 763000 00 0800 0d00 e8030000 0500 1000 06 000000 0800 0400 dc050000
  0a00 0100 06793b0ed603 0000 0a00 0200 ffffffffffff 0000`;

/**
 * From Linux 6.18, what is not read left out: a macvlan with an alias; its net.ipv4.conf has 33 values, of which the 8th
 * is 2, the 19th 1 and the 23rd 1.
 */
const values = Array.from({ length: 33 }, (_, i) => ({ 7: '02', 18: '01', 22: '01' })[i] ?? '00');
const MACVLAN = `0c010000 1000 0200 01000000 1b090000 00 00 0100 04000000 02100000 00000000
  0c00 0300 767272702e313000 0800 0400 dc050000 0500 1000 02000000 0800 0500 03000000
  0e00 1400 6261746f6e20776562 000000 0a00 0100 00005e00010a 0000
  1c00 1200 0c00 0100 6d6163766c616e00 0c00 0200 0800 0100 01000000
  9000 1a00 8c00 0200 8800 0100 ${values.map((value) => `${value}000000`).join('')}`;

const written = (write: (writer: NetlinkWriter) => void): Uint8Array => {
  const writer = new NetlinkWriter();
  write(writer);
  return writer.datagram();
};
const onlyMessage = (hex: string): NetlinkMessage => {
  const [message, ...more] = [...messagesOf(bytesOf(hex))];
  assert.ok(message !== undefined && more.length === 0);
  return message;
};
const HEADER = (index: string, flags = '00000000', change = '00000000') => `00000000 ${index} ${flags} ${change}`;

const requests: readonly (readonly [string, (writer: NetlinkWriter) => void, string])[] = [
  ['dump', (writer) => writeLinkDump(writer, 2), `20000000 1200 0103 02000000 00000000 ${HEADER('00000000')}`],
  [
    'question by name',
    (writer) => writeLinkQuestion(writer, 'em1', 3),
    `28000000 1200 0100 03000000 00000000 ${HEADER('00000000')} 0800 0300 656d3100`,
  ],
  [
    'question by index',
    (writer) => writeLinkQuestion(writer, 5, 3),
    `20000000 1200 0100 03000000 00000000 ${HEADER('05000000')}`,
  ],
  [
    'macvlan',
    (writer) =>
      writeMacvlan(
        writer,
        {
          name: 'vrrp.10',
          baseIndex: 3,
          address: bytesOf('00005e00010a'),
          alias: 'not yet',
          ipv4Conf: { rpFilter: 0 },
        },
        9,
      ),
    `5c000000 1000 0506 09000000 00000000 ${HEADER('00000000')} 0c00 0300 767272702e313000 0800 0500 03000000
     0a00 0100 00005e00010a 0000 1c00 1280 0c00 0100 6d6163766c616e00 0c00 0280 0800 0100 01000000`,
  ],
  [
    'change of everything',
    (writer) =>
      writeLinkChange(
        writer,
        4,
        {
          up: true,
          hardwareAddress: bytesOf('00005e00010a'),
          alias: 'abc',
          mtu: 1400,
          ipv4Conf: { arpIgnore: 1, rpFilter: 0 },
          noLinkLocal: true,
        },
        9,
      ),
    `64000000 1000 0500 09000000 00000000 ${HEADER('04000000', '01000000', '01000000')} 0a00 0100 00005e00010a 0000
     0800 0400 78050000 0700 1400 616263 00
     2800 1a80 1800 0280 1400 0180 0800 0800 00000000 0800 1300 01000000 0c00 0a80 0500 0800 01000000`,
  ],
  [
    'down',
    (writer) => writeLinkChange(writer, 4, { up: false }, 9),
    `20000000 1000 0500 09000000 00000000 ${HEADER('04000000', '00000000', '01000000')}`,
  ],
  ['removal', (writer) => writeLinkRemoval(writer, 4, 9), `20000000 1100 0500 09000000 00000000 ${HEADER('04000000')}`],
];
for (const [name, write, hex] of requests) {
  test(`${name}: bytes of the request`, () => assert.deepEqual(written(write), bytesOf(hex)));
}

test('an interface is read as the kernel wrote it', () => {
  assert.deepEqual(readLink(onlyMessage(NEW_LINK)), {
    index: 3,
    name: 'v0',
    isUp: true,
    flags: 0x11043,
    operationalState: 6,
    type: 1,
    mtu: 1500,
    hardwareAddress: bytesOf('06793b0ed603'),
  });
});

for (const [what, flags, isUp] of [
  ['down', '02100000', false],
  ['up without carrier', '03100000', false],
  ['running but down', '42100000', false],
  ['up', '43100000', true],
] as const) {
  test(`flags of an interface that is ${what}`, () => {
    assert.equal(readLink(onlyMessage(NEW_LINK.replace('43100100', flags)))?.isUp, isUp);
  });
}

test('a notice of another family, or without a name, is no interface', () => {
  assert.equal(readLink(onlyMessage(NEW_LINK.replace('00 00 0100 0300', '07 00 0100 0300'))), undefined);
  assert.equal(readLink(onlyMessage(NEW_LINK.replace('0700 0300', '0700 3300'))), undefined);
});

test('a macvlan is read with what it is on, and whose it is', () => {
  assert.deepEqual(readLink(onlyMessage(MACVLAN)), {
    index: 4,
    name: 'vrrp.10',
    isUp: false,
    flags: 0x1002,
    operationalState: 2,
    type: 1,
    mtu: 1500,
    hardwareAddress: bytesOf('00005e00010a'),
    kind: 'macvlan',
    parentIndex: 3,
    alias: 'baton web',
  });
  // IFLA_LINK_NETNSID instead of IFLA_OPERSTATE: the parent's index is another namespace's.
  assert.equal(readLink(onlyMessage(MACVLAN.replace('0500 1000', '0500 2500')))?.parentIndex, undefined);
});

test('net.ipv4.conf is read from the array', () => {
  assert.deepEqual(readIpv4Conf(onlyMessage(MACVLAN)), {
    forwarding: 0,
    acceptRedirects: 0,
    sendRedirects: 0,
    rpFilter: 2,
    arpFilter: 0,
    arpAnnounce: 0,
    arpIgnore: 1,
    promoteSecondaries: 0,
    acceptLocal: 1,
  });
  assert.equal(readIpv4Conf(onlyMessage(NEW_LINK)), undefined);
});

test('cut at every offset, and any mutation: an answer', () => {
  const whole = onlyMessage(MACVLAN);
  for (let length = 0; length <= whole.payload.length; length++) {
    const cut = { ...whole, payload: whole.payload.slice(0, length) };
    readIpv4Conf(cut);
    if (length < 16) assert.equal(readLink(cut), undefined);
    else readLink(cut);
  }
  const mutation = fc.record({ at: fc.nat(whole.payload.length - 1), value: fc.nat(255) });
  fc.assert(
    fc.property(fc.array(mutation, { maxLength: 8 }), (mutations) => {
      const payload = whole.payload.slice();
      for (const { at, value } of mutations) payload[at] = value;
      readLink({ ...whole, payload });
      readIpv4Conf({ ...whole, payload });
    }),
    { seed: 29, numRuns: 1000 },
  );
});
