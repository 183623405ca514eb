import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settingsOf } from '../../agent/bundle/settings.js';
import type { Bundle } from '../../proto/gen/baton/v1/bundle.js';
import {
  type CheckSpec,
  ChecksumForm,
  DuplicateProbe,
  HmacMode,
  HmacReplayGuard,
  Lease,
  ProcessMatch,
  SyncPolicy,
  Transport,
} from '../../proto/gen/baton/v1/resources.js';
import { validateBundle } from '../../proto/rules/validate-bundle.js';
import { sampleBundle } from './sample-bundle.js';

function translate(bundle: Bundle) {
  const result = settingsOf(bundle);
  assert.ok(result.ok, result.ok ? '' : JSON.stringify(result.refusals));
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
    bootDelay: 0,
    promoteSecondaries: false,
    spacing: { arp: 0, neighbor: 0 },
    extraRefresh: 0,
    extraRefreshAll: false,
    routeTracks: [],
    trackDelays: [],
    knownSources: [],
    verifyInterval: 10_000_000,
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

test('the sample is what the compiler makes', () => {
  assert.deepEqual(validateBundle(sampleBundle()), []);
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

function ids(bundle: Bundle): string[] {
  return translate(bundle).router.router.tracks.map(({ id }) => id);
}

test('IPv6, with every option of an address', () => {
  const { router } = translate(
    sampleBundle({
      family: 6,
      version: 3,
      password: Buffer.alloc(0),
      multicastGroup: 'ff02::12',
      addresses: [
        { address: 'fe80::1/64', device: 'em1' },
        {
          address: '2001:db8::1/128',
          device: 'em2',
          peer: '2001:db8::2/127',
          noPrefixRoute: true,
          preferredLifetime: { seconds: 5, nanos: 0 },
          home: true,
          noDad: true,
          manageTemporary: true,
          autojoin: true,
          noTrack: true,
          virtualMac: true,
        },
      ],
      excludedAddresses: [{ address: '192.0.2.1/24', device: 'em3', scope: 'link' }],
    }),
  );
  assert.deepEqual(router.router.addresses, [0xfe800000000000000000000000000001n, 0x20010db8000000000000000000000001n]);
  assert.deepEqual(router.addresses[1], {
    address: '2001:db8::1',
    prefixLength: 128,
    device: 'em2',
    peer: { address: '2001:db8::2', prefixLength: 127 },
    noPrefixRoute: true,
    preferredLifetime: 5,
    home: true,
    noDad: true,
    manageTemporary: true,
    autojoin: true,
    noTrack: true,
    virtualMac: true,
  });
  assert.deepEqual(router.excludedAddresses, [{ address: '192.0.2.1', prefixLength: 24, device: 'em3', scope: 253 }]);
  assert.deepEqual(
    router.router.tracks.map(({ id }) => id),
    ['interface em1', 'source address', 'interface em3', 'virtual mac', 'check alive'],
  );
});

test('the parameters of the election and of its surroundings', () => {
  const { router } = translate(
    sampleBundle({
      downTimerAdvertisements: 5,
      lowerPriorityNoAdvertisement: true,
      higherPrioritySendAdvertisement: true,
      ownerIgnoreAdvertisements: true,
      timerExpiredBackup: 200,
      duplicateProbe: DuplicateProbe.REFUSE,
      accept: false,
      believedSources: ['192.168.1.12'],
      promoteSecondaries: true,
      verifyInterval: { seconds: 0, nanos: 0 },
      knownSources: ['192.168.1.11', '192.168.1.12'],
      track: [
        { interface: 'em2', upDelay: { seconds: 60, nanos: 0 } },
        { interface: 'em3', weight: -5, downDelay: { seconds: 1, nanos: 0 } },
        { interface: 'em4' },
      ],
      startupDelay: { seconds: 3, nanos: 0 },
      virtualMac: { name: 'vrrp.10', address: '00:00:5e:00:01:0a', transmitOnBase: true },
      announcements: {
        arpInterval: { seconds: 0, nanos: 1_000_000 },
        neighborInterval: { seconds: 0, nanos: 2_000_000 },
        extraRefresh: { seconds: 60, nanos: 0 },
        extraRefreshAll: true,
      },
      unicast: { ttl: 9, minTtl: 8, maxTtl: 7, peerTtl: [{ address: '192.0.2.9', minTtl: 1, maxTtl: 2 }] },
    }),
  );
  const { downTimerAdvertisements, timerExpiredBackup, duplicateProbe } = router.router;
  assert.deepEqual([downTimerAdvertisements, timerExpiredBackup, duplicateProbe], [5, 200, 'refuse']);
  assert.ok(router.router.lowerPriorityNoAdvertisement && router.router.higherPrioritySendAdvertisement);
  assert.ok(router.router.ownerIgnoresAdvertisements && router.promoteSecondaries && !router.accept);
  assert.equal(router.verifyInterval, 0);
  assert.deepEqual(router.knownSources, ['192.168.1.11', '192.168.1.12']);
  assert.deepEqual(router.trackDelays, [
    { id: 'interface em2', up: 60_000_000, down: 0 },
    { id: 'interface em3', up: 0, down: 1_000_000 },
  ]);
  assert.deepEqual(router.believedSources, ['192.168.1.12']);
  assert.equal(router.startupDelay, 3_000_000);
  assert.deepEqual(router.virtualMac, { name: 'vrrp.10', address: '00:00:5e:00:01:0a', transmitOnBase: true });
  assert.deepEqual(router.spacing, { arp: 1_000, neighbor: 2_000 });
  assert.deepEqual([router.extraRefresh, router.extraRefreshAll], [60_000_000, true]);
  assert.deepEqual(router.unicast, {
    ttl: 9,
    minTtl: 8,
    maxTtl: 7,
    peerTtl: [{ address: '192.0.2.9', minTtl: 1, maxTtl: 2 }],
  });
});

test('HMAC keys and modes', () => {
  const hmac = (mode: HmacMode, replayGuard: HmacReplayGuard) =>
    translate(
      sampleBundle({
        hmac: {
          keys: [{ id: 3, key: Buffer.alloc(32, 1) }],
          activeKey: 3,
          mode,
          replayGuard,
          timeWindow: { seconds: 5, nanos: 0 },
        },
      }),
    ).router.hmac;
  assert.deepEqual(hmac(HmacMode.RECEIVE_ONLY, HmacReplayGuard.MONOTONIC), {
    keys: [{ id: 3, key: new Uint8Array(32).fill(1) }],
    activeKey: 3,
    mode: 'receive-only',
    replayGuard: 'monotonic',
    timeWindow: 5_000_000,
  });
  assert.equal(hmac(HmacMode.PERMISSIVE, HmacReplayGuard.TIME)?.mode, 'permissive');
  assert.equal(hmac(HmacMode.ENFORCE, HmacReplayGuard.TIME)?.mode, 'enforce');
  assert.equal(translate(sampleBundle()).router.hmac, undefined);
});

test('what a router cannot do without is tracked, each once, unless it is not to be', () => {
  assert.deepEqual(
    ids(
      sampleBundle(
        {
          track: [{ interface: 'em4', weight: -5 }],
          addresses: [
            { address: '192.0.2.1/24', device: 'em2' },
            { address: '192.0.2.2/24', device: 'em2' },
            { address: '192.0.2.3/24', device: 'em4' },
          ],
          routes: [
            { to: '10.0.0.0/8', device: 'em3' },
            { to: '11.0.0.0/8', nextHops: [{ device: 'em5' }] },
            { to: '12.0.0.0/8', device: 'em6', noTrack: true },
          ],
          rules: [{ table: 'main', inputInterface: 'em7', outputInterface: 'em8' }],
          startupDelay: { seconds: 1, nanos: 0 },
          transport: Transport.UNICAST,
          unicast: { ttl: 255, maxTtl: 255, faultWithoutPeers: true },
        },
        {
          hostNetworks: [
            { name: 'base', spec: { requiredBy: ['pg'] } },
            { name: 'other', spec: {} },
          ],
        },
      ),
    ),
    [
      'interface em1',
      'source address',
      'interface em2',
      'interface em3',
      'interface em5',
      'interface em7',
      'interface em8',
      'startup delay',
      'host network base',
      'peers',
      'interface em4',
    ],
  );
});

test('route tracks have their place', () => {
  const { router } = translate(
    sampleBundle({
      track: [
        { route: '0.0.0.0/0', table: 'main' },
        { route: '2001:db8::/32', table: '100', weight: -5 },
      ],
    }),
  );
  assert.deepEqual(router.routeTracks, [
    { id: 'route 0.0.0.0/0', prefix: { address: '0.0.0.0', prefixLength: 0 }, table: 254 },
    { id: 'route 2001:db8::/32 table 100', prefix: { address: '2001:db8::', prefixLength: 32 }, table: 100 },
  ]);
  assert.deepEqual(
    router.router.tracks.slice(-2).map(({ id, weight }) => [id, weight]),
    [
      ['route 0.0.0.0/0', 0],
      ['route 2001:db8::/32 table 100', -5],
    ],
  );
});

test('routes in numbers, and as ip(8) writes them', () => {
  const base = {
    table: 254,
    type: 1,
    protocol: 18,
    tos: 0,
    onLink: false,
    nextHops: [],
    metrics: [],
    lockedMetrics: 0,
    append: false,
    noTrack: false,
  };
  type PartialRoute = NonNullable<NonNullable<Parameters<typeof sampleBundle>[0]>['routes']>[number];
  const rows: readonly (readonly [PartialRoute, object])[] = [
    [
      { to: '0.0.0.0/0', via: '192.0.2.254' },
      { text: 'default via 192.0.2.254 proto keepalived', family: 4, via: '192.0.2.254', scope: 0 },
    ],
    [
      { to: '10.0.0.0/8', device: 'em1', source: '192.0.2.1', metric: 5, protocol: 'static', table: '100', tos: 16 },
      {
        text: '10.0.0.0/8 tos 0x10 dev em1 table 100 proto static scope link src 192.0.2.1 metric 5',
        family: 4,
        to: { address: '10.0.0.0', prefixLength: 8 },
        device: 'em1',
        source: '192.0.2.1',
        metric: 5,
        protocol: 4,
        table: 100,
        tos: 16,
        scope: 253,
      },
    ],
    [
      { to: '::/0', device: 'em1', preference: 'low' },
      { text: '::/0 dev em1 proto keepalived pref low', family: 6, device: 'em1', preference: 3 },
    ],
    [
      { to: '192.0.2.9/32', type: 'blackhole', append: true, noTrack: true },
      {
        text: 'blackhole 192.0.2.9 proto keepalived',
        family: 4,
        to: { address: '192.0.2.9', prefixLength: 32 },
        type: 6,
        scope: 0,
        append: true,
        noTrack: true,
      },
    ],
    [
      { to: '192.0.2.9/32', type: 'local', device: 'lo', table: 'local' },
      {
        text: 'local 192.0.2.9 dev lo table local proto keepalived scope host',
        family: 4,
        to: { address: '192.0.2.9', prefixLength: 32 },
        device: 'lo',
        type: 2,
        table: 255,
        scope: 254,
      },
    ],
    [
      {
        to: '10.0.0.0/8',
        nextHops: [{ via: '192.0.2.3', weight: 5, onLink: true, device: 'em1' }, { device: 'em2' }],
        metrics: { rtt: 100, mtu: 1400 },
        lockedMetrics: ['mtu'],
        congestionControl: 'bbr',
      },
      {
        text: '10.0.0.0/8 proto keepalived mtu lock 1400 rtt 100 congctl bbr nexthop via 192.0.2.3 dev em1 weight 5 onlink nexthop dev em2 weight 1',
        family: 4,
        to: { address: '10.0.0.0', prefixLength: 8 },
        nextHops: [
          { via: '192.0.2.3', device: 'em1', weight: 5, onLink: true },
          { device: 'em2', weight: 1, onLink: false },
        ],
        metrics: [
          { metric: 2, value: 1400 },
          { metric: 4, value: 800 },
        ],
        lockedMetrics: 4,
        congestionControl: 'bbr',
        scope: 0,
      },
    ],
    [
      { to: '10.0.0.0/8', via: '192.0.2.254', device: 'em1', onLink: true },
      {
        text: '10.0.0.0/8 via 192.0.2.254 dev em1 onlink proto keepalived',
        family: 4,
        to: { address: '10.0.0.0', prefixLength: 8 },
        via: '192.0.2.254',
        device: 'em1',
        onLink: true,
        scope: 0,
      },
    ],
  ];
  for (const [route, expected] of rows) {
    assert.deepEqual(translate(sampleBundle({ routes: [route] })).router.routes[0], { ...base, ...expected });
  }
});

test('rules in numbers, and as ip(8) writes them', () => {
  const base = { not: false, tos: 0, l3mdev: false, action: 1, noTrack: false };
  type PartialRule = NonNullable<NonNullable<Parameters<typeof sampleBundle>[0]>['rules']>[number];
  const rows: readonly (readonly [PartialRule, object])[] = [
    [
      { from: '192.0.2.0/24', table: '100', priority: 1000, family: 'inet' },
      {
        text: '1000: from 192.0.2.0/24 lookup 100',
        family: 4,
        from: { address: '192.0.2.0', prefixLength: 24 },
        priority: 1000,
        table: 100,
      },
    ],
    [
      { family: 'inet6', table: 'main' },
      { text: 'inet6 from all lookup main', family: 6, table: 254 },
    ],
    [
      {
        family: 'inet',
        to: '192.0.2.9/32',
        not: true,
        inputInterface: 'em1',
        outputInterface: 'em2',
        mark: 1,
        mask: 255,
        tos: 16,
        ipProtocol: 'tcp',
        sourcePorts: '80',
        destinationPorts: '443-450',
        users: '1000',
        table: '5',
        suppressPrefixLength: 0,
        suppressGroup: 3,
        noTrack: true,
      },
      {
        text: 'not from all to 192.0.2.9 tos 0x10 fwmark 0x1/0xff iif em1 oif em2 uidrange 1000-1000 ipproto tcp sport 80 dport 443-450 lookup 5 suppress_prefixlength 0 suppress_ifgroup 3',
        family: 4,
        to: { address: '192.0.2.9', prefixLength: 32 },
        not: true,
        inputInterface: 'em1',
        outputInterface: 'em2',
        mark: 1,
        mask: 255,
        tos: 16,
        ipProtocol: 6,
        sourcePorts: { first: 80, last: 80 },
        destinationPorts: { first: 443, last: 450 },
        users: { first: 1000, last: 1000 },
        table: 5,
        suppressPrefixLength: 0,
        suppressGroup: 3,
        noTrack: true,
      },
    ],
    [
      { family: 'inet', l3mdev: true },
      { text: 'from all lookup [l3mdev-table]', family: 4, l3mdev: true },
    ],
    [
      { family: 'inet', action: 'goto 2000', priority: 1000 },
      { text: '1000: from all goto 2000', family: 4, action: 2, target: 2000, priority: 1000 },
    ],
    [
      { family: 'inet', action: 'prohibit' },
      { text: 'from all prohibit', family: 4, action: 8 },
    ],
  ];
  for (const [rule, expected] of rows) {
    assert.deepEqual(translate(sampleBundle({ rules: [rule] })).router.rules[0], { ...base, ...expected });
  }
});

test('a table that only one host knows by name is refused, wherever it stands', () => {
  const reason =
    'this agent does not know the table "backup": names of /etc/iproute2/rt_tables differ between hosts; give its number, or main, local or default';
  const bundle = sampleBundle({
    routes: [{ to: '10.0.0.0/8', table: 'backup' }],
    rules: [{ table: 'backup' }],
    track: [{ route: '0.0.0.0/0', table: 'backup' }],
  });
  assert.deepEqual(refusals(bundle), [
    `routers[pg].routes[0].table: ${reason}`,
    `routers[pg].rules[0].table: ${reason}`,
    `routers[pg].track[0].table: ${reason}`,
  ]);
});

test('groups, BFD sessions and host networks', () => {
  const { election, bfdSessions, router } = translate(
    sampleBundle(
      { track: [{ bfd: 'uplink' }] },
      {
        groups: [{ name: 'both', routers: ['pg'], policy: SyncPolicy.ANY }],
        bfdSessions: [
          {
            name: 'uplink',
            neighbor: 'fe80::1',
            interface: 'em1',
            minRx: { seconds: 0, nanos: 300_000_000 },
            minTx: { seconds: 0, nanos: 50_000_000 },
            idleTx: { seconds: 1, nanos: 0 },
            multiplier: 3,
            passive: true,
          },
          { name: 'far', neighbor: '192.0.2.9', source: '192.0.2.1', multihop: true, maxHops: 7, multiplier: 5 },
        ],
        hostNetworks: [
          {
            name: 'base',
            spec: {
              addresses: [{ address: '192.0.2.9/24', device: 'lo' }],
              routes: [{ to: '0.0.0.0/0', via: '192.0.2.254' }],
              rules: [{ table: 'main' }],
              announcementLimits: [{ interfaces: ['em1'], arpInterval: { seconds: 1, nanos: 0 } }],
              interfaceDelays: [{ interface: 'em1', down: { seconds: 1, nanos: 0 }, up: { seconds: 2, nanos: 0 } }],
            },
          },
        ],
      },
    ),
  );
  assert.equal(router.router.group, 'both');
  assert.deepEqual(election.groups, [{ name: 'both', routers: ['pg'], policy: 'any' }]);
  assert.deepEqual(bfdSessions, [
    {
      name: 'uplink',
      neighbor: 'fe80::1',
      interface: 'em1',
      minRx: 300_000,
      minTx: 50_000,
      idleTx: 1_000_000,
      multiplier: 3,
      passive: true,
      multihop: false,
      maxHops: 0,
    },
    {
      name: 'far',
      neighbor: '192.0.2.9',
      source: '192.0.2.1',
      minRx: 0,
      minTx: 0,
      idleTx: 0,
      multiplier: 5,
      passive: false,
      multihop: true,
      maxHops: 7,
    },
  ]);
  const [network] = election.hostNetworks;
  assert.deepEqual(network?.addresses, [{ address: '192.0.2.9', prefixLength: 24, device: 'lo' }]);
  assert.equal(network?.routes[0]?.text, 'default via 192.0.2.254 proto keepalived');
  assert.equal(network?.rules[0]?.text, 'from all lookup main');
  assert.deepEqual(network?.announcementLimits, [{ interfaces: ['em1'], spacing: { arp: 1_000_000, neighbor: 0 } }]);
  assert.deepEqual(network?.interfaceDelays, [{ interface: 'em1', down: 1_000_000, up: 2_000_000 }]);
});

test('every kind of check', () => {
  type Kind = NonNullable<Parameters<typeof CheckSpec.fromPartial>[0]['kind']>;
  const probe = (kind: Kind) =>
    translate(sampleBundle({ track: [] }, { checks: [{ name: 'alive', spec: { kind } }] })).checks[0]?.probe;
  const tls = { ca: 'PEM', serverName: 'x', insecureSkipVerify: true };
  assert.deepEqual(
    probe({
      $case: 'http',
      value: {
        url: 'https://x/',
        status: ['200'],
        headers: { a: 'b' },
        body: 'c',
        bodyContains: 'd',
        bodyMatches: 'e',
        tls,
        connectTo: 'y',
      },
    }),
    {
      kind: 'http',
      url: 'https://x/',
      method: 'GET',
      headers: { a: 'b' },
      body: 'c',
      status: ['200'],
      bodyContains: 'd',
      bodyMatches: 'e',
      tls,
      connectTo: 'y',
    },
  );
  assert.deepEqual(probe({ $case: 'tcp', value: { host: 'x', port: 1, tls: {} } }), {
    kind: 'tcp',
    host: 'x',
    port: 1,
    tls: { insecureSkipVerify: false },
  });
  assert.deepEqual(
    probe({ $case: 'dns', value: { server: '::1', name: 'x', type: 'TXT', expect: ['y'], tcp: true } }),
    {
      kind: 'dns',
      server: '::1',
      port: 53,
      name: 'x',
      type: 'TXT',
      expect: ['y'],
      tcp: true,
    },
  );
  assert.deepEqual(probe({ $case: 'grpc', value: { host: 'x', port: 2, service: 's' } }), {
    kind: 'grpc',
    host: 'x',
    port: 2,
    service: 's',
  });
  assert.deepEqual(probe({ $case: 'ping', value: { host: 'x', size: 0, source: '::2' } }), {
    kind: 'ping',
    host: 'x',
    size: 0,
    source: '::2',
  });
  assert.deepEqual(
    probe({
      $case: 'process',
      value: {
        name: 'x',
        arguments: ['y'],
        match: ProcessMatch.PARTIAL,
        fullCommand: true,
        quorum: 2,
        quorumMax: 3,
        upDelay: { seconds: 1, nanos: 0 },
        downDelay: { seconds: 2, nanos: 0 },
      },
    }),
    {
      kind: 'process',
      name: 'x',
      arguments: ['y'],
      match: 'partial',
      fullCommand: true,
      quorum: 2,
      quorumMax: 3,
      upDelay: 1_000,
      downDelay: 2_000,
    },
  );
  assert.deepEqual(probe({ $case: 'file', value: { path: '/x', initialValue: 0, overwrite: true } }), {
    kind: 'file',
    path: '/x',
    initialValue: 0,
    overwrite: true,
  });
});
