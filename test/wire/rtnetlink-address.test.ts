import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { messagesOf, type NetlinkMessage, NetlinkWriter } from '../../agent/wire/netlink-message.js';
import {
  type AddressRequest,
  type AddressVerb,
  detectionOf,
  readAddress,
  writeAddressDump,
  writeAddressRequest,
} from '../../agent/wire/rtnetlink-address.js';
import { bytesOf, ip, ip6 } from './captured.js';

/** Captured from Linux 6.18: 10.9.0.26/24 added with a lifetime of 3 s by port 2877490234, sequence 2. */
const NEW_ADDRESS = `58000000 1400 0000 02000000 3a0483ab 02 18 00 00 03000000 0800 0100 0a09001a 0800 0200 0a09001a
  0800 0400 0a0900ff 0900 0300 76303a31 00000000 0800 0800 00000000
  1400 0600 03000000 03000000 60e80500 60e80500`;

/** Captured from Linux 6.18: an interface's own link-local address while duplicate address detection runs. */
const NEW_IPV6_ADDRESS = `50000000 1400 0200 01000000 f2080000 0a 40 c0 fd 02000000
  1400 0100 fe80000000000000 687738fffe24ae35 1400 0600 ffffffff ffffffff 5ade1400 5ade1400
  0800 0800 c0000000 0500 0b00 03000000`;

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
    `58000000 1400 0106 09000000 00000000 02 18 00 fd 03000000 0800 0200 0a09001a 0800 0100 0a09001a
     0800 0400 0a0900ff 0900 0300 76303a31 00000000 0500 0b00 12000000
     1400 0600 03000000 03000000 00000000 00000000`,
  ],
  [
    'add, for ever, acknowledged',
    'add',
    { ...request, lifetime: 'forever', prefixLength: 32 },
    true,
    `44000000 1400 0506 09000000 00000000 02 20 00 00 03000000 0800 0200 0a09001a 0800 0100 0a09001a
     0500 0b00 12000000 1400 0600 ffffffff ffffffff 00000000 00000000`,
  ],
  [
    'renew',
    'renew',
    request,
    false,
    `44000000 1400 0105 09000000 00000000 02 18 00 00 03000000 0800 0200 0a09001a 0800 0100 0a09001a
     0500 0b00 12000000 1400 0600 03000000 03000000 00000000 00000000`,
  ],
  [
    'add, to a peer, preferred for less long than it is valid, with all flags',
    'add',
    {
      ...request,
      peer: ip('10.9.9.9'),
      preferredLifetime: 1,
      noPrefixRoute: true,
      noDad: true,
      optimistic: true,
      home: true,
      manageTemporary: true,
      autojoin: true,
    },
    false,
    `4c000000 1400 0106 09000000 00000000 02 18 16 00 03000000 0800 0200 0a09001a 0800 0100 0a090909
     0800 0800 16070000 0500 0b00 12000000 1400 0600 01000000 03000000 00000000 00000000`,
  ],
  [
    'add, IPv6, not preferred, without duplicate address detection',
    'add',
    { ...request, address: ip6('2001:db8::5'), prefixLength: 64, preferredLifetime: 0, noDad: true },
    false,
    `5c000000 1400 0106 09000000 00000000 0a 40 02 00 03000000
     1400 0200 20010db8000000000000000000000005 1400 0100 20010db8000000000000000000000005
     0500 0b00 12000000 1400 0600 00000000 03000000 00000000 00000000`,
  ],
  [
    'preferred for no longer than valid, which the kernel would refuse',
    'renew',
    { ...request, preferredLifetime: 'forever' },
    false,
    `44000000 1400 0105 09000000 00000000 02 18 00 00 03000000 0800 0200 0a09001a 0800 0100 0a09001a
     0500 0b00 12000000 1400 0600 03000000 03000000 00000000 00000000`,
  ],
  [
    'delete, to a peer',
    'delete',
    { ...request, peer: ip('10.9.9.9') },
    true,
    `28000000 1500 0500 09000000 00000000 02 18 00 00 03000000 0800 0200 0a09001a 0800 0100 0a090909`,
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
    written((writer) => writeAddressDump(writer, 6, 1)),
    bytesOf('18000000 1600 0103 01000000 00000000 0a000000 00000000'),
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
  // Permanent: no end to its validity, whatever is said of it.
  assert.deepEqual(lifetimes(NEW_ADDRESS.replace('0800 0800 00', '0800 0800 80')), ['forever', 3]);
  assert.deepEqual(lifetimes(NEW_ADDRESS.replace('1400 0600', '1400 0900')), ['forever', 'forever']);
  assert.deepEqual(lifetimes(NEW_ADDRESS.replace('03000000 03000000 60', '00000000 03000000 60')), [3, 0]);
});

test('on a point-to-point interface the address is the local one, not the peer', () => {
  const message = onlyMessage(NEW_ADDRESS.replace('0800 0100 0a09001a', '0800 0100 0a090063'));
  assert.equal(readAddress(message)?.address, ip('10.9.0.26'));
  assert.equal(readAddress(message)?.peer, ip('10.9.0.99'));
});

test('an IPv6 address is read as the kernel wrote it, with the state of duplicate address detection', () => {
  const address = readAddress(onlyMessage(NEW_IPV6_ADDRESS));
  assert.deepEqual(address, {
    interfaceIndex: 2,
    address: ip6('fe80::6877:38ff:fe24:ae35'),
    prefixLength: 64,
    scope: 253,
    flags: 0xc0,
    protocol: 3,
    validLifetime: 'forever',
    preferredLifetime: 'forever',
  });
  const detection = (flags: string) => {
    const read = readAddress(onlyMessage(NEW_IPV6_ADDRESS.replace('c0000000', flags)));
    assert.ok(read !== undefined);
    return detectionOf(read);
  };
  assert.equal(detection('c0000000'), 'tentative');
  assert.equal(detection('80000000'), 'done');
  assert.equal(detection('c8000000'), 'failed');
  assert.equal(detection('82020000'), 'done');
});

test('what is no address of its family is not read', () => {
  for (const [from, to] of [
    ['1400 0000', '1600 0000'],
    ['02 18', '0a 18'],
    ['0800 0100 0a09001a 0800 0200 0a09001a', '0800 0f00 0a09001a 0800 0e00 0a09001a'],
    ['0800 0200 0a09001a', '0700 0200 0a09001a'],
  ] as const) {
    assert.equal(readAddress(onlyMessage(NEW_ADDRESS.replace(from, to))), undefined, to);
  }
});

test('cut at every offset, and any mutation: an answer', () => {
  for (const hex of [NEW_ADDRESS, NEW_IPV6_ADDRESS]) {
    const whole = onlyMessage(hex);
    for (let length = 0; length <= whole.payload.length; length++) {
      const cut = { ...whole, payload: whole.payload.slice(0, length) };
      readAddress(cut);
      if (length < 8) assert.equal(readAddress(cut), undefined);
    }
    const mutation = fc.record({ at: fc.nat(whole.payload.length - 1), value: fc.nat(255) });
    fc.assert(
      fc.property(fc.array(mutation, { maxLength: 8 }), (mutations) => {
        const payload = whole.payload.slice();
        for (const { at, value } of mutations) payload[at] = value;
        const address = readAddress({ ...whole, payload });
        if (address !== undefined) assert.ok(address.address >= 0 && address.address < 1n << 128n);
      }),
      { seed: 28, numRuns: 1000 },
    );
  }
});
