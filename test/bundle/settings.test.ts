import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settingsOf } from '../../agent/bundle/settings.js';
import type { Bundle } from '../../proto/gen/baton/v1/bundle.js';
import { ChecksumForm, Lease, Transport } from '../../proto/gen/baton/v1/resources.js';
import { sampleBundle } from './sample-bundle.js';

function translate(bundle: Bundle) {
  const result = settingsOf(bundle);
  assert.ok(result.ok, JSON.stringify(result));
  const router = result.settings.election.routers[0];
  assert.ok(router);
  return { ...result.settings, router };
}

function refusals(bundle: Bundle): string[] {
  const result = settingsOf(bundle);
  return result.ok ? [] : result.refusals.map(({ path, reason }) => `${path}: ${reason}`);
}

test('every field of a router arrives where the elections want it', () => {
  const { router } = translate(sampleBundle());
  assert.deepEqual(router, {
    router: {
      name: 'pg',
      vrid: 10,
      version: 2,
      priority: 100,
      advertisementInterval: 1_000_000,
      preemptMode: true,
      preemptDelay: 0,
      strictRfc: false,
      addresses: [0xc0a8011a],
      tracks: [
        { id: 'interface em1', weight: 0, reverse: false },
        { id: 'source address', weight: 0, reverse: false },
        { id: 'check alive', weight: -20, reverse: false },
      ],
      announcements: {
        repeat: 5,
        delay: 5_000_000,
        refresh: 0,
        refreshRepeat: 1,
        lowerPriorityRepeat: 5,
        lowerPriorityDelay: 5_000_000,
      },
      leased: true,
      downTimerAdvertisements: 3,
      lowerPriorityNoAdvertisement: false,
      higherPrioritySendAdvertisement: false,
      ownerIgnoresAdvertisements: false,
      timerExpiredBackup: 0,
      duplicateProbe: 'warn',
    },
    interface: 'em1',
    password: Uint8Array.from([112, 103, 0, 0, 0, 0, 0, 0]),
    checksum: 'pseudo_header',
    addresses: [{ address: '192.168.1.26', prefixLength: 24, device: 'em1' }],
    family: 4,
    excludedAddresses: [],
    routes: [],
    rules: [],
    multicastGroup: '224.0.0.18',
    accept: true,
    unicast: { ttl: 255, minTtl: 0, maxTtl: 255, peerTtl: [] },
    startupDelay: 0,
    promoteSecondaries: false,
    spacing: { arp: 0, neighbor: 0 },
    extraRefresh: 0,
    extraRefreshAll: false,
    routeTracks: [],
  });
});

test('unicast has peers, multicast has none; an empty source address is none', () => {
  const unicast = translate(
    sampleBundle({ transport: Transport.UNICAST, peers: ['192.168.1.12'], sourceAddress: '192.168.1.11' }),
  ).router;
  assert.deepEqual([unicast.peers, unicast.sourceAddress], [['192.168.1.12'], '192.168.1.11']);
  const multicast = translate(sampleBundle({ peers: ['192.168.1.12'] })).router;
  assert.equal('peers' in multicast, false);
  assert.equal('sourceAddress' in multicast, false);
});

test('version 3, no lease, no password, the other checksum', () => {
  const { router } = translate(
    sampleBundle({
      version: 3,
      password: Buffer.alloc(0),
      lease: Lease.OFF,
      checksum: ChecksumForm.MESSAGE_ONLY,
      strictRfc: true,
      advertisementInterval: { seconds: 0, nanos: 10_000_000 },
    }),
  );
  assert.deepEqual(
    [
      router.router.version,
      router.router.leased,
      router.router.strictRfc,
      router.checksum,
      router.router.advertisementInterval,
    ],
    [3, false, true, 'message_only', 10_000],
  );
  assert.equal('password' in router, false);
});

test("the router's own interface is tracked once, and a weight on it does not replace the fault", () => {
  const ids = (track: NonNullable<Parameters<typeof sampleBundle>[0]>['track']): string[] =>
    translate(sampleBundle({ ...(track === undefined ? {} : { track }) })).router.router.tracks.map(
      ({ id, weight }) => `${id} ${weight}`,
    );
  assert.deepEqual(ids([{ interface: 'em1' }]), ['source address 0', 'interface em1 0']);
  assert.deepEqual(ids([{ interface: 'em1', weight: -5 }]), [
    'interface em1 0',
    'source address 0',
    'interface em1 -5',
  ]);
  assert.deepEqual(ids([{ interface: 'em2', weight: 5 }]), ['interface em1 0', 'source address 0', 'interface em2 5']);
});

test('broadcast + and - are worked out, label and device kept', () => {
  const { router } = translate(
    sampleBundle({
      addresses: [
        { address: '192.168.1.26/24', broadcast: '+', label: 'em1:pg', device: 'em2' },
        { address: '192.168.1.27/28', broadcast: '-' },
        { address: '192.168.1.28', broadcast: '192.168.1.255' },
      ],
    }),
  );
  assert.deepEqual(router.addresses, [
    { address: '192.168.1.26', prefixLength: 24, device: 'em2', label: 'em1:pg', broadcast: '192.168.1.255' },
    { address: '192.168.1.27', prefixLength: 28, device: 'em1', broadcast: '192.168.1.16' },
    { address: '192.168.1.28', prefixLength: 32, device: 'em1', broadcast: '192.168.1.255' },
  ]);
});

test('a check with all its numbers, in milliseconds', () => {
  assert.deepEqual(translate(sampleBundle()).checks, [
    {
      name: 'alive',
      interval: 2_500,
      timeout: 1_000,
      hysteresis: { rise: 2, fall: 3 },
      startJitter: 0,
      probe: { kind: 'exec', command: ['/opt/checks/alive', '-q'], user: 'nobody' },
    },
  ]);
});

test('what is out of range is refused with its place', () => {
  const rows: readonly (readonly [NonNullable<Parameters<typeof sampleBundle>[0]>, string])[] = [
    [{ vrid: 0 }, 'routers[pg].vrid: 0 is not between 1 and 255'],
    [{ vrid: 256 }, 'routers[pg].vrid: 256 is not between 1 and 255'],
    [{ priority: 0 }, 'routers[pg].priority: 0 is not between 1 and 255'],
    [{ version: 4 }, 'routers[pg].version: 4 is not 2 or 3'],
    [{ interface: '' }, 'routers[pg].interface: it is empty'],
    [
      { advertisementInterval: { seconds: 1, nanos: 500_000_000 } },
      'routers[pg].advertisement_interval: version 2 cannot carry 1500000 us',
    ],
    [
      { version: 3, advertisementInterval: { seconds: 40, nanos: 960_000_000 } },
      'routers[pg].advertisement_interval: version 3 cannot carry 40960000 us',
    ],
    [{ addresses: [{ address: 'x' }] }, 'routers[pg].addresses[0]: "x" is not an address with prefix length'],
    [{ peers: ['::1'] }, 'routers[pg].peers[0]: "::1" is not an IPv4 address'],
    [{ sourceAddress: '1.2.3' }, 'routers[pg].source_address: "1.2.3" is not an IPv4 address'],
    [{ password: Buffer.from([1]) }, 'routers[pg].password: it is not padded to 8 bytes'],
    [{ track: [{ check: 'gone' }] }, 'routers[pg].track: check gone is not in the bundle'],
  ];
  for (const [router, expected] of rows) assert.ok(refusals(sampleBundle(router)).includes(expected), expected);
});

test('a check of a kind that this agent does not know is refused', () => {
  assert.deepEqual(refusals(sampleBundle({}, { checks: [{ name: 'alive', spec: {} }] })), [
    'checks[alive].spec: this agent runs no checks of that kind',
  ]);
});
