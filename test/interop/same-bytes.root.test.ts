/**
 * Baton and keepalived run the same keepalived.conf on the same host, one after the other: their advertisements are the
 * same frames, from the Ethernet header on.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type InstanceOptions, keepalivedFile, vrrpInstance } from '../lab/keepalived.js';
import { Lab, labUnavailable } from '../lab/lab.js';
import { Tap } from '../lab/tap.js';
import { until } from '../lab/until.js';
import { Contender, type Kind } from './contender.js';

const skip = labUnavailable('keepalived');
/** Each case is a vrrp_instance of one file, with addresses of its own; known by its VRID on the wire. */
const V4 = (vrid: number) => [`10.9.${vrid}.100/32`, `10.9.${vrid}.50/24`, `10.9.${vrid}.101/32`];
const V6 = (vrid: number) => [`fe80::${vrid}/64`, `2001:db8:${vrid}::100/128`, `2001:db8:${vrid}::50/64`];
const UNICAST = { source: '10.9.0.1', peers: ['10.9.0.2'] };
const UNICAST_V6 = { source: '2001:db8:9::1', peers: ['2001:db8:9::2'] };

const cases: readonly {
  readonly title: string;
  readonly family: 4 | 6;
  readonly conf: (vrid: number) => Partial<InstanceOptions> & Pick<InstanceOptions, 'addresses'>;
  /** Of Baton's and of keepalived's, where they are not the same. */
  readonly hopLimits?: readonly [number, number];
}[] = [
  { title: 'version 3, one address', family: 4, conf: (vrid) => ({ addresses: V4(vrid).slice(0, 1) }) },
  { title: 'version 3, several addresses in their order', family: 4, conf: (vrid) => ({ addresses: V4(vrid) }) },
  {
    title: 'version 3, addresses that are not advertised',
    family: 4,
    conf: (vrid) => ({
      addresses: V4(vrid).slice(0, 1),
      more: ['virtual_ipaddress_excluded {', ...V4(vrid).slice(1), `fe80::${vrid}/64`, '}'],
    }),
  },
  {
    title: 'version 3, mcast_src_ip',
    family: 4,
    conf: (vrid) => ({ addresses: V4(vrid), more: ['mcast_src_ip 10.9.0.7'] }),
  },
  {
    title: 'version 3, mcast_dst_ip: another group',
    family: 4,
    conf: (vrid) => ({ addresses: V4(vrid), more: ['mcast_dst_ip 224.0.0.118'] }),
  },
  { title: 'version 3, unicast', family: 4, conf: (vrid) => ({ addresses: V4(vrid), unicast: UNICAST }) },
  {
    title: 'version 3, unicast_ttl',
    family: 4,
    conf: (vrid) => ({ addresses: V4(vrid), unicast: UNICAST, more: ['unicast_ttl 61'] }),
  },
  {
    title: 'version 2, unicast with PASS of eight characters',
    family: 4,
    conf: (vrid) => ({ version: 2, interval: 1, addresses: V4(vrid), password: 'abcdefgh', unicast: UNICAST }),
  },
  { title: 'IPv6, one address', family: 6, conf: (vrid) => ({ addresses: V6(vrid).slice(0, 1) }) },
  { title: 'IPv6, several addresses in their order', family: 6, conf: (vrid) => ({ addresses: V6(vrid) }) },
  {
    title: 'IPv6, another group',
    family: 6,
    conf: (vrid) => ({ addresses: V6(vrid), more: ['mcast_dst_ip ff02::118'] }),
  },
  {
    title: 'IPv6, another link-local source',
    family: 6,
    conf: (vrid) => ({ addresses: V6(vrid), more: ['mcast_src_ip fe80::7'] }),
  },
  {
    // keepalived leaves it to the kernel; 255 is what lets a receiver know that a packet was not routed.
    title: 'IPv6, unicast: the same but for the hop limit',
    family: 6,
    conf: (vrid) => ({ addresses: V6(vrid).slice(1), unicast: UNICAST_V6 }),
    hopLimits: [255, 64],
  },
  {
    title: 'IPv6, unicast_ttl',
    family: 6,
    conf: (vrid) => ({ addresses: V6(vrid).slice(1), unicast: UNICAST_V6, more: ['unicast_ttl 61'] }),
  },
];
const FIRST_VRID = 71;

/** RFC 1071: 0xffff over bytes that include their own right checksum. */
function onesSum(bytes: Uint8Array): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) sum += ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return sum;
}

/**
 * The frame without what no two packets have in common. IPv4: the identification, and the header checksum that covers it,
 * which is verified. IPv6: the flow label, which the kernel draws for each socket.
 */
function comparable(frame: Uint8Array): string {
  const copy = Buffer.from(frame);
  if (copy.readUInt16BE(12) === 0x86dd) {
    copy.writeUInt32BE(copy.readUInt32BE(14) & 0xfff00000, 14);
  } else {
    assert.equal(onesSum(copy.subarray(14, 34)), 0xffff, 'checksum of the IP header');
    copy.fill(0, 18, 20);
    copy.fill(0, 24, 26);
  }
  return copy.toString('hex').replace(/(.{8})/g, '$1 ');
}

/** An ordinary advertisement and one of priority 0, with Ethernet header. */
type Frames = readonly [Uint8Array, Uint8Array];

test('the same keepalived.conf makes the same frames', { skip }, async (t) => {
  const lab = await Lab.open();
  t.after(() => lab.close());
  const a = await lab.host('a', {
    addresses: ['10.9.0.1/16', '10.9.0.7/16', '2001:db8:9::1/64 nodad', 'fe80::7/64 nodad'],
    linkLocal: 'fe80::1',
  });
  await lab.host('b', { addresses: ['10.9.0.2/16', '2001:db8:9::2/64 nodad'] });
  // Resolved already, so that no packet waits for it.
  await a.run('ping', '-c1', '-W2', '10.9.0.2');
  await a.run('ping', '-c1', '-W2', '2001:db8:9::2');
  const tap = await Tap.open(a);
  const text = keepalivedFile(
    ...cases.map(({ conf }, index) => {
      const vrid = FIRST_VRID + index;
      const options = { vrid, priority: 123, interval: 0.15, interface: 'em1', ...conf(vrid) };
      return vrrpInstance(`VI_${vrid}`, options);
    }),
  );

  const framesOf = async (kind: Kind): Promise<readonly Frames[]> => {
    const adverts = () => [
      ...tap.frames.filter(({ bytes }) => bytes[12] === 8 && bytes[13] === 0).map(({ bytes }) => ({ bytes, at: 34 })),
      ...tap.ipv6Frames.filter(({ bytes }) => bytes[20] === 112).map(({ bytes }) => ({ bytes, at: 54 })),
    ];
    const before = new Set(adverts().map(({ bytes }) => bytes));
    const ofCase = (index: number, isLast: boolean) =>
      adverts().find(
        ({ bytes, at }) =>
          !before.has(bytes) && bytes[at + 1] === FIRST_VRID + index && (bytes[at + 2] === 0) === isLast,
      )?.bytes;
    const ofAll = (isLast: boolean) =>
      until(
        `each ${isLast ? 'last' : 'ordinary'} advertisement of ${kind}`,
        10_000,
        () => {
          const frames = cases.flatMap((_case, index) => ofCase(index, isLast) ?? []);
          return frames.length === cases.length && frames;
        },
        () => ({
          missing: cases.filter((_case, index) => ofCase(index, isLast) === undefined).map(({ title }) => title),
          said: a.tails(),
        }),
      );
    const contender = await Contender.start(kind, a, text);
    const ordinary = await ofAll(false);
    await contender.stop();
    const last = await ofAll(true);
    return ordinary.flatMap((frame, index) => {
      const end = last[index];
      return end === undefined ? [] : [[frame, end] as const];
    });
  };

  const theirs = await framesOf('keepalived');
  const ours = await framesOf('baton');
  assert.equal(ours.length, cases.length);
  for (const [index, { title, hopLimits }] of cases.entries()) {
    await t.test(title, () => {
      const [own, other] = [ours[index] ?? [], theirs[index] ?? []];
      if (hopLimits !== undefined) {
        const hopLimitOf = (frames: readonly Uint8Array[]) => frames.map((frame) => frame[21]);
        assert.deepEqual(
          [hopLimitOf(own), hopLimitOf(other)],
          hopLimits.map((limit) => [limit, limit]),
        );
        for (const frame of other) frame[21] = hopLimits[0];
      }
      assert.equal(own.length, 2);
      assert.deepEqual(own.map(comparable), other.map(comparable));
    });
  }
});
