import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { messagesOf, type NetlinkMessage, NetlinkWriter } from '../../agent/wire/netlink-message.js';
import {
  type AddressRequest,
  type AddressVerb,
  readAddress,
  writeAddressDump,
  writeAddressRequest,
} from '../../agent/wire/rtnetlink-address.js';
import { readLink, writeLinkDump, writeLinkQuestion } from '../../agent/wire/rtnetlink-link.js';
import { bytesOf, ip } from './captured.js';

/** Captured from Linux 6.18: 10.9.0.26/24 added with a lifetime of 3 s by port 2877490234, sequence 2. */
const NEW_ADDRESS = `58000000 1400 0000 02000000 3a0483ab 02 18 00 00 03000000 0800 0100 0a09001a 0800 0200 0a09001a
  0800 0400 0a0900ff 0900 0300 76303a31 00000000 0800 0800 00000000
  1400 0600 03000000 03000000 60e80500 60e80500`;
/** The first attributes of a captured message about a veth interface, all that are read among them. */
const NEW_LINK = `58000000 1000 0000 00000000 00000000 00 00 0100 03000000 43100100 ffffffff
  0700 0300 763000 00 0800 0d00 e8030000 0500 1000 06 000000 0800 0400 dc050000
  0a00 0100 06793b0ed603 0000 0a00 0200 ffffffffffff 0000`;

const request: AddressRequest = { interfaceIndex: 3, address: ip('10.9.0.26'), prefixLength: 24, lifetime: 3 };
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

const requests: readonly (readonly [string, AddressVerb, AddressRequest, boolean, string])[] = [
  [
    'add, leased, with all there is',
    'add',
    { ...request, label: 'v0:1', broadcast: ip('10.9.0.255'), scope: 253 },
    false,
    `50000000 1400 0106 09000000 00000000 02 18 00 fd 03000000 0800 0200 0a09001a 0800 0100 0a09001a
     0800 0400 0a0900ff 0900 0300 76303a31 00000000 1400 0600 03000000 03000000 00000000 00000000`,
  ],
  [
    'add, for ever, acknowledged',
    'add',
    { ...request, lifetime: 'forever', prefixLength: 32 },
    true,
    `3c000000 1400 0506 09000000 00000000 02 20 00 00 03000000 0800 0200 0a09001a 0800 0100 0a09001a
     1400 0600 ffffffff ffffffff 00000000 00000000`,
  ],
  [
    'renew',
    'renew',
    request,
    false,
    `3c000000 1400 0105 09000000 00000000 02 18 00 00 03000000 0800 0200 0a09001a 0800 0100 0a09001a
     1400 0600 03000000 03000000 00000000 00000000`,
  ],
  [
    'delete',
    'delete',
    { ...request, label: 'v0:1' },
    true,
    `28000000 1500 0500 09000000 00000000 02 18 00 00 03000000 0800 0200 0a09001a 0800 0100 0a09001a`,
  ],
];
for (const [name, verb, address, acknowledge, hex] of requests) {
  test(`${name}: bytes of the request`, () => {
    assert.deepEqual(
      written((writer) => writeAddressRequest(writer, verb, address, 9, acknowledge)),
      bytesOf(hex),
    );
  });
}

test('bytes of the questions', () => {
  assert.deepEqual(
    written((writer) => writeAddressDump(writer, 4, 1)),
    bytesOf('18000000 1600 0103 01000000 00000000 02000000 00000000'),
  );
  assert.deepEqual(
    written((writer) => writeLinkDump(writer, 2)),
    bytesOf(`20000000 1200 0103 02000000 00000000 ${'00'.repeat(16)}`),
  );
  assert.deepEqual(
    written((writer) => writeLinkQuestion(writer, 'em1', 3)),
    bytesOf(`28000000 1200 0100 03000000 00000000 ${'00'.repeat(16)} 0800 0300 656d3100`),
  );
});

test('an address is read as the kernel wrote it', () => {
  assert.deepEqual(readAddress(onlyMessage(NEW_ADDRESS)), {
    interfaceIndex: 3,
    address: ip('10.9.0.26'),
    prefixLength: 24,
    label: 'v0:1',
    broadcast: ip('10.9.0.255'),
    scope: 0,
    flags: 0,
    validLifetime: 3,
    preferredLifetime: 3,
  });
  assert.equal(onlyMessage(NEW_ADDRESS).portId, 2877490234);
});

test('lifetimes that never end', () => {
  const lifetimes = (hex: string) => {
    const address = readAddress(onlyMessage(hex));
    return [address?.validLifetime, address?.preferredLifetime];
  };
  assert.deepEqual(lifetimes(NEW_ADDRESS.replace('03000000 03000000 60', 'ffffffff ffffffff 60')), [
    'forever',
    'forever',
  ]);
  assert.deepEqual(lifetimes(NEW_ADDRESS.replace('0800 0800 00', '0800 0800 80')), ['forever', 'forever']);
  assert.deepEqual(lifetimes(NEW_ADDRESS.replace('1400 0600', '1400 0900')), ['forever', 'forever']);
  assert.deepEqual(lifetimes(NEW_ADDRESS.replace('03000000 03000000 60', '00000000 03000000 60')), [3, 0]);
});

test('on a point-to-point interface the address is the local one, not the peer', () => {
  const message = onlyMessage(NEW_ADDRESS.replace('0800 0100 0a09001a', '0800 0100 0a090063'));
  assert.equal(readAddress(message)?.address, ip('10.9.0.26'));
});

test('what is no IPv4 address is not read', () => {
  for (const [from, to] of [
    ['1400 0000', '1600 0000'],
    ['02 18', '0a 18'],
    ['0800 0100 0a09001a 0800 0200 0a09001a', '0800 0f00 0a09001a 0800 0e00 0a09001a'],
    ['0800 0200 0a09001a', '0700 0200 0a09001a'],
  ] as const) {
    assert.equal(readAddress(onlyMessage(NEW_ADDRESS.replace(from, to))), undefined, to);
  }
});

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

test('cut at every offset, and any mutation: an answer', () => {
  for (const hex of [NEW_ADDRESS, NEW_LINK]) {
    const whole = onlyMessage(hex);
    for (let length = 0; length <= whole.payload.length; length++) {
      const cut = { ...whole, payload: whole.payload.slice(0, length) };
      readAddress(cut);
      readLink(cut);
      if (length < 8) assert.equal(readAddress(cut) ?? readLink(cut), undefined);
    }
    const mutation = fc.record({ at: fc.nat(whole.payload.length - 1), value: fc.nat(255) });
    fc.assert(
      fc.property(fc.array(mutation, { maxLength: 8 }), (mutations) => {
        const payload = whole.payload.slice();
        for (const { at, value } of mutations) payload[at] = value;
        const address = readAddress({ ...whole, payload });
        if (address !== undefined) assert.ok(address.address >= 0 && address.address <= 0xffffffff);
        readLink({ ...whole, payload });
      }),
      { seed: 28, numRuns: 1000 },
    );
  }
});
