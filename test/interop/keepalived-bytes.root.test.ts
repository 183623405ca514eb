/** Baton's advertisements are keepalived's, byte for byte, for the same configuration on the same host. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LabElection, type LabRouter, labRouter } from '../lab/election.js';
import { type InstanceOptions, Keepalived, keepalivedConf } from '../lab/keepalived.js';
import { Lab, labUnavailable } from '../lab/lab.js';
import { Tap } from '../lab/tap.js';
import { until } from '../lab/until.js';

const skip = labUnavailable('keepalived');
const ADDRESSES = ['10.9.0.100', '10.9.0.50', '10.9.0.101'];

const cases: readonly {
  readonly title: string;
  readonly baton: Partial<LabRouter>;
  readonly keepalived: Partial<InstanceOptions>;
  readonly checksumApart?: boolean;
}[] = [
  {
    title: 'version 3, checksum with pseudo-header',
    baton: { interval: 150_000, checksum: 'pseudo_header' },
    keepalived: { interval: 0.15 },
  },
  {
    // keepalived 2.2.7 has only the other form: all but the checksum is compared, and that is worked out.
    title: 'version 3, checksum of the message only',
    baton: { interval: 150_000, checksum: 'message_only' },
    keepalived: { interval: 0.15 },
    checksumApart: true,
  },
  {
    title: 'version 3, unicast, checksum with pseudo-header',
    baton: { interval: 150_000, checksum: 'pseudo_header', peers: ['10.9.0.2'] },
    keepalived: { interval: 0.15, unicast: { source: '10.9.0.1', peers: ['10.9.0.2'] } },
  },
  { title: 'version 2 without authentication', baton: { version: 2 }, keepalived: { version: 2 } },
  {
    title: 'version 2 with PASS of five characters',
    baton: { version: 2, password: 'five5' },
    keepalived: { version: 2, password: 'five5' },
  },
];

/** RFC 1071: 0xffff over bytes that include their own right checksum. */
function onesSum(bytes: Uint8Array): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) sum += ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return sum;
}

/**
 * The packet without what no two packets have in common: IP identification and the header checksum that covers it, which
 * is verified.
 */
function comparable(packet: Uint8Array): string {
  assert.equal(onesSum(packet.subarray(0, 20)), 0xffff, 'checksum of the IP header');
  const copy = Buffer.from(packet);
  copy.fill(0, 4, 6);
  copy.fill(0, 10, 12);
  return copy.toString('hex').replace(/(.{8})/g, '$1 ');
}

function withoutChecksum(packet: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(packet);
  copy.fill(0, 26, 28);
  return copy;
}

test('advertisements of keepalived and Baton are the same', { skip }, async (t) => {
  const lab = await Lab.open();
  t.after(() => lab.close());
  const a = await lab.host('a', { addresses: ['10.9.0.1/24'] });
  await lab.host('b', { addresses: ['10.9.0.2/24'] });
  const tap = await Tap.open(a);

  /** An ordinary advertisement and one of priority 0, from the moment given. */
  const both = async (from: number, stop: () => Promise<void>) => {
    const sent = () =>
      tap
        .adverts('10.9.0.1')
        .slice(from)
        .map(({ packet }) => packet);
    const ordinary = await until('an advertisement', 8000, () => sent().find((packet) => packet[22] !== 0));
    await stop();
    const last = await until('a last advertisement', 8000, () => sent().find((packet) => packet[22] === 0));
    return [ordinary, last];
  };

  for (const { title, baton, keepalived, checksumApart } of cases) {
    await t.test(title, async () => {
      const before = tap.adverts('10.9.0.1').length;
      const peer = await Keepalived.start(
        a,
        keepalivedConf({
          vrid: 77,
          priority: 123,
          interface: 'em1',
          addresses: ADDRESSES.map((address) => `${address}/32`),
          ...keepalived,
        }),
      );
      const theirs = await both(before, () => peer.stop());
      const between = tap.adverts('10.9.0.1').length;
      const own = await LabElection.start(a, labRouter({ vrid: 77, priority: 123, addresses: ADDRESSES, ...baton }));
      const ours = await both(between, async () => {
        own.tell({ kind: 'shutdown', handover: false });
        await own.program.untilSays('"stopped"', 3000);
      });
      if (checksumApart !== true) {
        assert.deepEqual(ours.map(comparable), theirs.map(comparable));
        return;
      }
      for (const packet of ours) assert.equal(onesSum(packet.subarray(20)), 0xffff, 'checksum of the message');
      assert.deepEqual(
        ours.map((packet) => comparable(withoutChecksum(packet))),
        theirs.map((packet) => comparable(withoutChecksum(packet))),
      );
    });
  }
});
