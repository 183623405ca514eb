/**
 * The list of bad packets, I01 to I35, as packets and with what must become of each. Those that no decoder can judge are
 * named with the test that does. What a live agent makes of them is test/interop/hostile-packets.root.test.ts.
 */
import { ipv4Packet, ipv6Packet, VRRP_GROUP, VRRP_IPV6_GROUP } from '../lab/packet.js';
import { joined } from './mutator.js';
import { advert, signedAdvert } from './targets/vrrp-seeds.js';

export interface BadInput {
  /** "I01" and what it is. */
  readonly title: string;
  readonly version: 2 | 3;
  readonly family: 4 | 6;
  readonly packet: Uint8Array;
  /** "accepted", or the reason for which it is dropped. */
  readonly outcome: string;
}

/** Rows that are not about the bytes of one packet: which test has them. */
export const ELSEWHERE: Readonly<Record<string, string>> = {
  I15: 'test/interop/hostile-packets.root.test.ts',
  I19: 'test/interop/hostile-packets.root.test.ts',
  I20: 'test/interop/hostile-packets.root.test.ts',
  I33: 'test/interop/hostile-packets.root.test.ts',
  I34: 'test/interop/hostile-packets.root.test.ts',
};

/** The packets of one version over one family. */
export function badInputs(version: 2 | 3, family: 4 | 6): readonly Uint8Array[] {
  return badInputRows().flatMap((row) => (row.version === version && row.family === family ? [row.packet] : []));
}

export function badInputRows(): readonly BadInput[] {
  return ([2, 3] as const).flatMap((version) =>
    ([4, 6] as const).flatMap((family) =>
      rowsOf(version, family).map(([title, packet, outcome]) => ({ title, version, family, packet, outcome })),
    ),
  );
}

type Row = readonly [title: string, packet: Uint8Array, outcome: string];

function rowsOf(version: 2 | 3, family: 4 | 6): readonly Row[] {
  return [
    ...messageRows(version, family),
    ...senderRows(version, family),
    ...lengthRows(version, family),
    ...(family === 4 ? ipv4Rows(version) : ipv6Rows(version)),
    ...(version === 2 ? versionTwoRows(family) : versionThreeRows(family)),
    ...signatureRows(version, family),
  ];
}

const start = (family: 4 | 6) => (family === 4 ? 20 : 40);

/** A packet around any payload, from the neighbour. */
function around(family: 4 | 6, payload: Uint8Array): Uint8Array {
  return family === 4 ? ipv4Packet('10.9.0.1', VRRP_GROUP, payload) : ipv6Packet('fe80::1', VRRP_IPV6_GROUP, payload);
}

function changed(packet: Uint8Array, at: number, ...bytes: readonly number[]): Uint8Array {
  const copy = packet.slice();
  copy.set(bytes, at);
  return copy;
}

function messageRows(version: 2 | 3, family: 4 | 6): readonly Row[] {
  const good = advert(version, family);
  const message = good.subarray(start(family));
  const [one] = family === 4 ? ['10.9.0.26'] : ['fe80::aa:26'];
  const single = { addresses: [one ?? ''] };
  return [
    ['I01 an empty payload', around(family, new Uint8Array(0)), 'truncated'],
    ...[1, 2, 3, 4, 5, 6, 7].map(
      (length): Row => [`I02 cut to ${length} bytes`, around(family, message.subarray(0, length)), 'truncated'],
    ),
    ['I03 a count of one and no address', advert(version, family, { addresses: [], count: 1 }), 'bad-length'],
    ['I04 a count of 255 and one address', advert(version, family, { ...single, count: 255 }), 'bad-length'],
    ['I05 a count of one and two addresses', advert(version, family, { count: 1 }), 'bad-length'],
    ['I06 a count of zero', advert(version, family, { addresses: [] }), 'no-addresses'],
    ['I06 a count of zero, where that is right', advert(version, family, { addresses: [], vrid: 15 }), 'accepted'],
    ['I07 a wrong checksum', advert(version, family, { checksum: 'wrong' }), 'bad-checksum'],
    ...[0, 1, 4, 15].map(
      (other): Row => [`I09 version ${other}`, changed(good, start(family), other * 16 + 1), 'bad-version'],
    ),
    ['I10 the other version', advert(version === 2 ? 3 : 2, family), 'bad-version'],
    ...[0, 2, 15].map((type): Row => [`I11 type ${type}`, advert(version, family, { type }), 'bad-type']),
    ['I14 an interval of 0', advert(version, family, { interval: 0 }), 'zero-interval'],
    ['I17 VRID 0', advert(version, family, { vrid: 0 }), 'unknown-vrid'],
    ['I18 another VRID', advert(version, family, { vrid: 200 }), 'unknown-vrid'],
    ['I19 priority 0', advert(version, family, { priority: 0 }), 'accepted'],
    ['I20 priority 255', advert(version, family, { priority: 255 }), 'accepted'],
    [
      'I29 a list that differs, with duplicates, multicast and the unspecified address',
      advert(version, family, {
        addresses:
          family === 4 ? ['0.0.0.0', '224.0.0.1', '10.9.0.26', '10.9.0.26'] : ['::', 'ff02::1', 'fe80::a', 'fe80::a'],
      }),
      'accepted',
    ],
  ];
}

function senderRows(version: 2 | 3, family: 4 | 6): readonly Row[] {
  const [own, neighbor] = family === 4 ? ['10.9.0.2', '10.9.0.1'] : ['fe80::2', 'fe80::1'];
  const from = (source: string, vrid = 10) => advert(version, family, { source, vrid });
  const sources: readonly (readonly [string, string])[] =
    family === 4
      ? [
          ['0.0.0.0', 'bad-source'],
          ['127.0.0.1', 'bad-source'],
          ['224.0.0.18', 'bad-source'],
          ['255.255.255.255', 'bad-source'],
          ['10.9.0.255', 'bad-source'],
          ['10.9.0.0', 'bad-source'],
          ['192.0.2.66', 'off-link-source'],
        ]
      : [
          ['2001:db8::66', 'off-link-source'],
          ['::', 'bad-source'],
          ['::1', 'bad-source'],
          ['ff02::12', 'bad-source'],
          ['::ffff:a09:1', 'bad-source'],
        ];
  return [
    ['I21 our own source', from(own), 'own-source'],
    ['I21 the source of another, which may be forged', from(neighbor), 'accepted'],
    ...sources.map(
      ([source, outcome]): Row => [`${family === 4 ? 'I22' : 'I23'} from ${source}`, from(source), outcome],
    ),
    ['I22 none of the believed sources', from(family === 4 ? '10.9.0.3' : 'fe80::3', 14), 'not-a-peer'],
    ['I24 unicast to a multicast router', advert(version, family, { destination: own }), 'wrong-destination'],
    ['I24 multicast to a unicast router', from(neighbor, 12), 'wrong-destination'],
    ['I24 unicast to a unicast router', advert(version, family, { destination: own, vrid: 12 }), 'accepted'],
    [
      'I24 unicast from a stranger',
      advert(version, family, { destination: own, vrid: 12, source: family === 4 ? '10.9.0.9' : 'fe80::9' }),
      'not-a-peer',
    ],
    ...[254, 1].map(
      (ttl): Row => [`${family === 4 ? 'I12' : 'I13'} TTL ${ttl}`, advert(version, family, { ttl }), 'bad-ttl'],
    ),
  ];
}

function lengthRows(version: 2 | 3, family: 4 | 6): readonly Row[] {
  const good = advert(version, family);
  const at = family === 4 ? 2 : 4;
  const length = family === 4 ? good.length : good.length - 40;
  const says = (bytes: number) => changed(good, at, bytes >> 8, bytes & 255);
  return [
    ['I25 a length greater than the packet', says(length + 1), 'truncated'],
    ['I25 a length smaller than the packet', says(length - 4), 'bad-length'],
    ['I25 Ethernet padding', joined(good, new Uint8Array(20)), 'accepted'],
    ...[4, 32, 1200, 9000].map(
      (count): Row => [
        `I28 ${count} bytes after the message`,
        around(family, joined(good.subarray(start(family)), new Uint8Array(count))),
        'bad-length',
      ],
    ),
  ];
}

function ipv4Rows(version: 2 | 3): readonly Row[] {
  const good = advert(version, 4);
  const options = (words: number) => {
    const packet = joined(good.subarray(0, 20), new Uint8Array((words - 5) * 4).fill(1), good.subarray(20));
    return changed(packet, 0, 0x40 | words, 0xc0, packet.length >> 8, packet.length & 255);
  };
  return [
    ...[0, 4].map((words): Row => [`I26 a header of ${words} words`, changed(good, 0, 0x40 | words), 'bad-ip-header']),
    ...[6, 15].map((words): Row => [`I26 a header of ${words} words`, options(words), 'ip-options']),
    ['I27 the first fragment', changed(good, 6, 0x20, 0), 'fragment'],
    ['I27 a later fragment', changed(good, 6, 0, 1), 'fragment'],
    ["I27 don't fragment", changed(good, 6, 0x40, 0), 'accepted'],
    ['another protocol', changed(good, 9, 89), 'not-vrrp'],
    ['an IPv6 packet', advert(version, 6), 'bad-ip-header'],
    ['19 bytes', good.slice(0, 19), 'truncated'],
    ['a total length of 19', changed(good, 2, 0, 19), 'bad-ip-header'],
  ];
}

function ipv6Rows(version: 2 | 3): readonly Row[] {
  const good = advert(version, 6);
  return [
    ['I08 a checksum without pseudo-header', advert(version, 6, { checksum: 'message_only' }), 'bad-checksum'],
    ...[0, 43, 60].map((next): Row => [`I26 extension header ${next}`, changed(good, 6, next), 'ip-options']),
    ['I27 a fragment', changed(good, 6, 44), 'fragment'],
    ['another next header', changed(good, 6, 58), 'not-vrrp'],
    ['an IPv4 packet', joined(advert(version, 4), new Uint8Array(8)), 'bad-ip-header'],
    ['39 bytes', good.slice(0, 39), 'truncated'],
    [
      'I30 a list whose first address is not link-local, in strict mode',
      advert(version, 6, { vrid: 18, addresses: ['2001:db8::26'] }),
      'address-not-link-local',
    ],
    ['I30 the same, else', advert(version, 6, { addresses: ['2001:db8::26'] }), 'accepted'],
  ];
}

function versionTwoRows(family: 4 | 6): readonly Row[] {
  const pass = (password: string, authenticationType = 1) =>
    advert(2, family, { vrid: 13, password, authenticationType });
  // Over IPv6 the type is in the message and the password is not.
  const typed = (type: number) => {
    const packet = advert(2, 6, { vrid: 13, checksum: 'message_only' });
    const before = advert(2, 6, { vrid: 13 });
    const sum = 256 * (before[46] ?? 0) + (before[47] ?? 0) - type * 256;
    const right = sum < 0 ? sum + 0xffff : sum;
    return changed(packet, 44, type, 1, right >> 8, right & 255);
  };
  const passRows: readonly Row[] =
    family === 6
      ? [
          ['I31 authentication type 1', typed(1), 'accepted'],
          ['I31 authentication type 2', typed(2), 'auth-type-mismatch'],
        ]
      : [
          ['I31 the right password', pass('pg-vrrp'), 'accepted'],
          ['I31 a wrong password', pass('pg-vrrq'), 'auth-failure'],
          ['I31 a longer password', pass('pg-vrrp1'), 'auth-failure'],
          ['I31 a password of NULs', pass('\0\0\0\0\0\0\0\0'), 'auth-failure'],
          ['I31 a password cut by a NUL', pass('pg\0vrrp'), 'auth-failure'],
          ['I31 authentication type 0', pass('pg-vrrp', 0), 'auth-type-mismatch'],
          ['I31 authentication type 2', pass('pg-vrrp', 2), 'auth-type-mismatch'],
          ['I31 authentication type 9', pass('pg-vrrp', 9), 'auth-type-mismatch'],
          ['I31 a password where none is expected', advert(2, 4, { password: 'pg-vrrp' }), 'auth-type-mismatch'],
        ];
  return [...passRows, ['I32 another interval', advert(2, family, { interval: 2 }), 'interval-mismatch']];
}

function versionThreeRows(family: 4 | 6): readonly Row[] {
  return [
    ...(family === 4
      ? ([['I08 a checksum without pseudo-header', advert(3, 4, { checksum: 'message_only' }), 'accepted']] as const)
      : []),
    [
      'I15 an interval of 4095 with the greatest priority',
      advert(3, family, { interval: 4095, priority: 255 }),
      'accepted',
    ],
    ['I16 reserved bits', advert(3, family, { reserved: 15 }), 'accepted'],
  ];
}

function signatureRows(version: 2 | 3, family: 4 | 6): readonly Row[] {
  const signed = (fields: Parameters<typeof signedAdvert>[3]) => signedAdvert(version, family, 16, fields);
  return [
    ['I35 no signature', advert(version, family, { vrid: 16 }), 'auth-missing'],
    ['I35 a good signature', signed({}), 'accepted'],
    ['I35 a good signature where none is expected', signedAdvert(version, family, 10), 'bad-length'],
    ['I35 a trailer of another type', signed({ type: 2 }), 'auth-malformed'],
    ['I35 an unknown key', signed({ keyId: 99 }), 'auth-unknown-key'],
    ['I35 a wrong signature', signed({ spoil: true }), 'auth-invalid'],
    ['I35 stale', signed({ ahead: -6 }), 'auth-stale'],
    ['I35 from the future', signed({ ahead: 7 }), 'auth-stale'],
  ];
}
