/**
 * Malformed and forged advertisements from a raw sender, against a live agent: it neither crashes nor changes its state,
 * and each is counted under its own reason. The packets would win the election if they were believed.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LabElection, labRouter } from '../lab/election.js';
import { Lab, labUnavailable } from '../lab/lab.js';
import { type AdvertFields, advertPacket, ipv4Packet, VRRP_GROUP } from '../lab/packet.js';
import { Tap } from '../lab/tap.js';
import { until } from '../lab/until.js';

const skip = labUnavailable();
const VIP = '10.9.0.100';
const FORGER = '10.9.0.66';

/** What would depose an active router. */
const WINNING: AdvertFields = { source: FORGER, vrid: 10, priority: 255, addresses: [VIP], interval: 20 };
const V2: AdvertFields = { ...WINNING, vrid: 12, version: 2, interval: 1 };

interface Row {
  readonly title: string;
  readonly packets: readonly Uint8Array[];
  /** Where it is counted: a router's name, or the interface. */
  readonly at: 'v3' | 'v2' | 'interface';
  readonly counter: string;
}

const changed = (...changes: readonly Partial<AdvertFields>[]) =>
  changes.map((change) => advertPacket({ ...WINNING, ...change }));

const rows: readonly Row[] = [
  {
    title: 'an empty payload',
    packets: [ipv4Packet(FORGER, VRRP_GROUP, new Uint8Array(0))],
    at: 'interface',
    counter: 'truncated',
  },
  {
    title: 'cut at each length from 1 to 7',
    packets: changed(...[1, 2, 3, 4, 5, 6, 7].map((truncateTo) => ({ truncateTo }))),
    at: 'interface',
    counter: 'truncated',
  },
  {
    title: 'a count of one address and none there',
    packets: changed({ addresses: [], count: 1 }),
    at: 'v3',
    counter: 'rejected.bad-length',
  },
  {
    title: 'a count of 255 addresses and one there',
    packets: changed({ count: 255 }),
    at: 'v3',
    counter: 'rejected.bad-length',
  },
  {
    title: 'a count of one address and two there',
    packets: changed({ addresses: [VIP, VIP], count: 1 }),
    at: 'v3',
    counter: 'rejected.bad-length',
  },
  {
    title: 'no addresses',
    packets: changed({ addresses: [] }, { count: 0 }),
    at: 'v3',
    counter: 'rejected.no-addresses',
  },
  {
    title: 'a wrong checksum',
    packets: changed({ checksum: 'wrong' }),
    at: 'v3',
    counter: 'rejected.bad-checksum',
  },
  {
    title: 'versions 0, 1, 4 and 15',
    packets: changed(...[0, 1, 4, 15].map((version) => ({ version }))),
    at: 'v3',
    counter: 'rejected.bad-version',
  },
  {
    title: 'version 2 to a router of version 3',
    packets: [advertPacket({ ...V2, vrid: 10 })],
    at: 'v3',
    counter: 'rejected.bad-version',
  },
  {
    title: 'version 3 to a router of version 2',
    packets: [advertPacket({ ...WINNING, vrid: 12 })],
    at: 'v2',
    counter: 'rejected.bad-version',
  },
  {
    title: 'types 0, 2 and 15',
    packets: changed(...[0, 2, 15].map((type) => ({ type }))),
    at: 'v3',
    counter: 'rejected.bad-type',
  },
  { title: 'TTL 254 and 1', packets: changed({ ttl: 254 }, { ttl: 1 }), at: 'v3', counter: 'rejected.bad-ttl' },
  { title: 'an interval of 0', packets: changed({ interval: 0 }), at: 'v3', counter: 'rejected.zero-interval' },
  {
    title: 'a wrong password',
    packets: [advertPacket({ ...V2, password: 'wrong' })],
    at: 'v2',
    counter: 'rejected.auth-failure',
  },
  {
    title: 'no authentication where a password is wanted',
    packets: [advertPacket(V2)],
    at: 'v2',
    counter: 'rejected.auth-type-mismatch',
  },
  {
    title: "the host's own source address",
    packets: changed({ source: '10.9.0.1' }),
    at: 'v3',
    counter: 'rejected.own-source',
  },
  {
    title: "the source addresses 0.0.0.0 and the subnet's broadcast",
    packets: changed({ source: '0.0.0.0' }, { source: '10.9.0.255' }),
    at: 'v3',
    counter: 'rejected.bad-source',
  },
  {
    title: 'an off-link source address',
    packets: changed({ source: '192.0.2.66' }),
    at: 'v3',
    counter: 'rejected.off-link-source',
  },
];

test('hostile packets are dropped and counted', { skip }, async (t) => {
  const lab = await Lab.open();
  t.after(() => lab.close());
  const a = await lab.host('a', { addresses: ['10.9.0.1/24'] });
  const forger = await lab.host('forger', { addresses: [`${FORGER}/24`] });
  // By default the kernel itself throws away what comes from its own addresses or off-link; the agent must not rely on it.
  await a.run('sysctl', '-q', '-w', 'net.ipv4.conf.em1.accept_local=1', 'net.ipv4.conf.em1.rp_filter=0');
  const agent = await LabElection.start(
    a,
    labRouter({ name: 'v3', vrid: 10, priority: 100, interval: 200_000, addresses: [VIP] }),
    labRouter({ name: 'v2', vrid: 12, version: 2, priority: 254, password: 'secret', addresses: ['10.9.0.101'] }),
  );
  const mouth = await Tap.open(forger);
  await agent.untilState('active', 5000, 'v3');
  await agent.untilState('active', 8000, 'v2');
  const transitions = agent.occurrences('transition').length;

  const counted = async ({ at, counter }: Pick<Row, 'at' | 'counter'>) => {
    const status = await agent.status();
    const from = at === 'interface' ? status.interfaces[0] : status.routers.find(({ name }) => name === at);
    return from?.counters[counter] ?? 0;
  };

  for (const row of rows) {
    await t.test(row.title, async () => {
      const before = await counted(row);
      for (const packet of row.packets) mouth.send(packet);
      const wanted = before + row.packets.length;
      let seen = before;
      await until(
        `${row.counter} to reach ${wanted}`,
        5000,
        async () => {
          seen = await counted(row);
          return seen >= wanted;
        },
        () => seen,
      );
      assert.equal(seen, wanted);
      assert.equal(agent.occurrences('transition').length, transitions);
      assert.deepEqual(
        (await agent.status()).routers.map(({ state }) => state),
        ['active', 'active'],
      );
    });
  }

  await t.test('each reason was reported once, with its source', () => {
    const told = agent.occurrences('rejected').map(({ router, reason, source }) => `${router} ${reason} ${source}`);
    assert.equal(new Set(told).size, told.length);
    assert.ok(told.includes(`v3 bad-checksum ${FORGER}`));
    assert.ok(told.includes('v3 own-source 10.9.0.1'));
  });

  await t.test('the other checksum form and set reserved bits are no offence', async () => {
    mouth.send(advertPacket({ ...WINNING, priority: 1, checksum: 'message_only', reserved: 15 }));
    const peer = await until('the forger among the peers', 3000, async () =>
      (await agent.router('v3')).peers.find(({ address }) => address === FORGER),
    );
    assert.equal(peer.checksumForm, 'message_only');
    assert.equal((await agent.router('v3')).state, 'active');
  });

  await t.test('a storm of them keeps no backup from taking over', async () => {
    await agent.stop();
    const storm = setInterval(() => {
      for (const packet of changed({ checksum: 'wrong' }, { ttl: 3 }, { interval: 0 }, { source: '0.0.0.0' })) {
        mouth.send(packet);
      }
    }, 10);
    try {
      const fresh = await LabElection.start(
        a,
        labRouter({ name: 'v3', vrid: 10, priority: 100, interval: 200_000, addresses: [VIP] }),
      );
      await fresh.untilState('active', 4000, 'v3');
      assert.ok(((await fresh.router('v3')).counters['rejected.bad-checksum'] ?? 0) > 10);
    } finally {
      clearInterval(storm);
    }
  });
});
