/** No setting is taken and ignored: every field of the election's settings is read when routers live through a day. */
import assert from 'node:assert/strict';
import { constants } from 'node:os';
import { test } from 'node:test';
import { refusal } from '../../agent/net/system-error.js';
import { startElection } from '../../agent/runtime/election.js';
import type {
  ElectionSettings,
  HostNetworkSettings,
  RouterSettings,
  RouteSettings,
  RuleSettings,
  ToElection,
  VirtualAddress,
} from '../../agent/runtime/messages.js';
import { formatIp } from '../../proto/rules/ip.js';
import { advertPacket } from '../lab/packet.js';
import { ip } from './router-settings.js';
import { VirtualClock } from './virtual-clock.js';
import { VirtualHost, VirtualLan } from './virtual-host.js';

const SECOND = 1_000_000;

/** Every field there, however deep, so that a new one does not compile until it is here. */
type Whole<T> = T extends Uint8Array | string | number | bigint | boolean
  ? T
  : T extends readonly (infer Item)[]
    ? readonly Whole<Item>[]
    : T extends object
      ? { readonly [Key in keyof T]-?: Whole<NonNullable<T[Key]>> }
      : T;

const prefix = (address: string, prefixLength: number) => ({ address, prefixLength });

function address(text: string, more: Partial<VirtualAddress> = {}): Whole<VirtualAddress> {
  return {
    address: text,
    prefixLength: text.includes(':') ? 64 : 24,
    device: 'em1',
    label: 'em1:1',
    broadcast: '10.0.0.255',
    scope: 0,
    peer: prefix(text, text.includes(':') ? 64 : 24),
    noPrefixRoute: true,
    preferredLifetime: 5,
    home: true,
    noDad: true,
    manageTemporary: true,
    autojoin: true,
    noTrack: false,
    virtualMac: false,
    ...more,
  } as Whole<VirtualAddress>;
}

function route(to: string): Whole<RouteSettings> {
  return {
    text: `${to}/24`,
    family: 4,
    type: 1,
    to: prefix(to, 24),
    via: '10.0.0.254',
    device: 'em1',
    source: '10.0.0.100',
    table: 254,
    metric: 5,
    scope: 0,
    protocol: 112,
    tos: 0,
    onLink: true,
    nextHops: [{ via: '10.0.0.253', device: 'em1', weight: 1, onLink: true }],
    metrics: [{ metric: 2, value: 1400 }],
    lockedMetrics: 4,
    congestionControl: 'cubic',
    preference: 0,
    append: false,
    noTrack: false,
  };
}

function rule(priority: number): Whole<RuleSettings> {
  return {
    text: `pref ${priority}`,
    family: 4,
    from: prefix('10.0.0.100', 32),
    to: prefix('192.0.2.0', 24),
    priority,
    not: false,
    inputInterface: 'em1',
    outputInterface: 'em1',
    mark: 1,
    mask: 1,
    tos: 0,
    ipProtocol: 6,
    sourcePorts: { first: 1, last: 2 },
    destinationPorts: { first: 1, last: 2 },
    users: { first: 1, last: 2 },
    l3mdev: false,
    table: 100,
    action: 1,
    target: 200,
    suppressPrefixLength: 0,
    suppressGroup: 1,
    noTrack: false,
  };
}

const WHOLE: Whole<RouterSettings> = {
  router: {
    name: 'r',
    vrid: 10,
    version: 3,
    priority: 100,
    advertisementInterval: SECOND,
    preemptMode: true,
    preemptDelay: SECOND,
    strictRfc: false,
    addresses: [ip('10.0.0.100')],
    tracks: [
      'interface em1',
      'source address',
      'route 192.0.2.0/24',
      'check web',
      'startup delay',
      'host network n',
    ].map((id) => ({
      id,
      weight: id.startsWith('check') ? -10 : 0,
      reverse: false,
    })),
    announcements: {
      repeat: 2,
      delay: SECOND,
      refresh: 10 * SECOND,
      refreshRepeat: 1,
      lowerPriorityRepeat: 1,
      lowerPriorityDelay: SECOND,
    },
    leased: true,
    downTimerAdvertisements: 3,
    lowerPriorityNoAdvertisement: false,
    higherPrioritySendAdvertisement: false,
    ownerIgnoresAdvertisements: false,
    timerExpiredBackup: 0,
    duplicateProbe: 'refuse',
    group: 'g',
  },
  interface: 'em1',
  sourceAddress: '10.0.0.1',
  peers: ['10.0.0.2'],
  password: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8),
  checksum: 'pseudo_header',
  addresses: [address('10.0.0.100')],
  family: 4,
  excludedAddresses: [address('2001:db8::100')],
  routes: [route('192.0.2.0')],
  rules: [rule(100)],
  multicastGroup: '224.0.0.18',
  virtualMac: { name: 'vrrp.10', address: '00:00:5e:00:01:0a', transmitOnBase: false },
  accept: false,
  believedSources: ['10.0.0.2', '10.0.0.3'],
  unicast: { ttl: 255, minTtl: 1, maxTtl: 255, peerTtl: [{ address: '10.0.0.2', minTtl: 1, maxTtl: 255 }] },
  startupDelay: SECOND,
  bootDelay: SECOND,
  promoteSecondaries: true,
  hmac: {
    keys: [{ id: 1, key: new Uint8Array(32).fill(1) }],
    activeKey: 1,
    replayGuard: 'time',
    timeWindow: 10 * SECOND,
    mode: 'permissive',
  },
  spacing: { arp: 1000, neighbor: 1000 },
  extraRefresh: 60 * SECOND,
  extraRefreshAll: true,
  routeTracks: [{ id: 'route 192.0.2.0/24', prefix: prefix('192.0.2.0', 24), table: 254 }],
  trackDelays: [{ id: 'check web', up: SECOND, down: SECOND }],
  knownSources: ['10.0.0.1', '10.0.0.2'],
  verifyInterval: 10 * SECOND,
};

const NETWORK: Whole<HostNetworkSettings> = {
  name: 'n',
  addresses: [address('10.0.0.200'), address('2001:db8::200')],
  routes: [route('198.51.100.0')],
  rules: [rule(200)],
  announcementLimits: [{ interfaces: ['em1'], spacing: { arp: 1000, neighbor: 1000 } }],
  interfaceDelays: [{ interface: 'em1', down: SECOND, up: SECOND }],
};

/** Without what excludes other settings; with another name, VRID and addresses. */
function variant(
  vrid: number,
  {
    router,
    ...more
  }: Partial<Omit<RouterSettings, 'router'>> & { readonly router?: Partial<RouterSettings['router']> },
  ...without: readonly (keyof RouterSettings)[]
): RouterSettings {
  const moved = (each: Whole<VirtualAddress>) => {
    const own = each.address.replace(/100$/, `1${vrid}`);
    return { ...each, address: own, peer: { ...each.peer, address: own } };
  };
  const settings: Record<string, unknown> = {
    ...WHOLE,
    routeTracks: WHOLE.routeTracks,
    addresses: WHOLE.addresses.map(moved),
    excludedAddresses: WHOLE.excludedAddresses.map(moved),
    virtualMac: { ...WHOLE.virtualMac, name: `vrrp.${vrid}` },
    router: {
      ...WHOLE.router,
      name: `r${vrid}`,
      vrid,
      addresses: [ip(`10.0.0.1${vrid}`)],
      group: undefined,
      ...router,
    },
    ...more,
  };
  for (const key of without) delete settings[key];
  return settings as unknown as RouterSettings;
}

/** The same, but what is read of it is noted: "routers[].router.vrid". */
function watched<T>(value: T, path: string, read: Set<string>): T {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
  const known = new Map<PropertyKey, unknown>();
  return new Proxy(value, {
    get(target, key) {
      const found: unknown = Reflect.get(target, key);
      if (typeof key === 'symbol' || typeof found === 'function') return found;
      const below = Array.isArray(target) ? `${path}[]` : `${path}.${key}`;
      if (!Array.isArray(target)) read.add(below);
      if (!known.has(key)) known.set(key, watched(found, below, read));
      return known.get(key);
    },
  });
}

/** Looks at all of it, as the kernel does that is given it. */
function lookAt(value: unknown): void {
  if (typeof value === 'object' && value !== null) for (const each of Object.values(value)) lookAt(each);
}

function fieldsOf(value: unknown, path: string): readonly string[] {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return [];
  if (Array.isArray(value)) return value.flatMap((each) => fieldsOf(each, `${path}[]`));
  return Object.entries(value).flatMap(([key, each]) => [`${path}.${key}`, ...fieldsOf(each, `${path}.${key}`)]);
}

test('every field of the settings is read', () => {
  const clock = new VirtualClock();
  const lan = new VirtualLan(clock);
  const host = new VirtualHost('a', lan, ['10.0.0.1/24', 'fe80::1/64']);
  host.crash();
  host.isPlugged = true;
  let tell: (message: ToElection) => void = () => undefined;
  startElection({
    port: {
      postMessage: (message) => {
        if (message.kind === 'configured') assert.deepEqual(message.problems, []);
      },
      on: (_event, listener) => {
        tell = listener;
      },
    },
    clock,
    edges: {
      ...host.edges(),
      openRtnetlink: () => {
        const kernel = host.edges().openRtnetlink();
        return {
          ...kernel,
          changeRoutes: (change, requests) => {
            lookAt(requests);
            if (host.addFails !== undefined)
              return requests.map(() => refusal(constants.errno.EPERM, 'change a route'));
            return kernel.changeRoutes(change, requests);
          },
          changeRules: (change, requests) => {
            lookAt(requests);
            return kernel.changeRules(change, requests);
          },
        };
      },
    },
  });
  host.addLink('em2');
  host.addRoute('192.0.2.0/24', 'em1');
  const read = new Set<string>();
  const owner = {
    priority: 255,
    ownerIgnoresAdvertisements: true,
    duplicateProbe: 'off' as const,
    tracks: WHOLE.router.tracks.slice(0, 2),
  };
  const settings: ElectionSettings = {
    routers: [
      variant(10, { router: { group: 'g' } }, 'peers', 'password', 'hmac'),
      variant(11, { accept: true }, 'virtualMac', 'password', 'hmac', 'believedSources'),
      variant(
        12,
        { extraRefreshAll: false, excludedAddresses: [address('10.0.2.112', { device: 'em2' })] },
        'peers',
        'password',
        'virtualMac',
        'believedSources',
      ),
      variant(13, { router: { version: 2 } }, 'peers', 'hmac', 'virtualMac'),
      variant(
        14,
        { router: { preemptMode: false, timerExpiredBackup: 100 } },
        'peers',
        'password',
        'hmac',
        'virtualMac',
      ),
      variant(15, { router: owner, trackDelays: [] }, 'peers', 'password', 'hmac', 'virtualMac', 'sourceAddress'),
    ],
    groups: [{ name: 'g', routers: ['r10'], policy: 'all' }],
    hostNetworks: [NETWORK],
  };
  const configuring = { kind: 'configure', nonce: 1, settings: watched(settings, 'settings', read) } as const;
  tell(configuring);
  tell({ kind: 'track', id: 'check web', state: 'up' });
  const hear = (vrid: number, priority: number) =>
    host.receive(advertPacket({ source: '10.0.0.2', vrid, priority, addresses: [`10.0.0.1${vrid}`], interval: 100 }));
  const routers = [10, 11, 12, 14, 15];
  clock.advance(20 * SECOND);
  for (const vrid of routers) hear(vrid, 50);
  tell({ kind: 'track', id: 'check web', state: 'down' });
  clock.advance(2 * SECOND);
  tell({ kind: 'track', id: 'check web', state: 'up' });
  // Somebody takes everything away, and it cannot be put back.
  host.addFails = constants.errno.EPERM;
  for (const held of [...host.addresses]) {
    if (held.validLifetime !== 'forever') host.removeAddress(formatIp(held.address));
  }
  host.removeRoute('192.0.2.0/24');
  host.removeRoute('198.51.100.0/24');
  host.setLink('em2', false);
  clock.advance(20 * SECOND);
  host.addFails = undefined;
  host.setLink('em2', true);
  clock.advance(20 * SECOND);
  for (const vrid of routers) hear(vrid, 200);
  clock.advance(SECOND);
  for (const vrid of routers) hear(vrid, 20);
  clock.advance(60 * SECOND);
  clock.sleep(60 * SECOND);
  clock.advance(60 * SECOND);
  tell({ kind: 'statusRequest', id: 1 });
  tell({ kind: 'shutdown', handover: true });
  clock.advance(10 * SECOND);

  // IPv6 addresses of routers are always added without detection (decision 0017); a host network has no virtual MAC.
  const moot =
    /^settings\.(routers\[\]\.(addresses|excludedAddresses)\[\]\.noDad|hostNetworks\[\]\.addresses\[\]\.virtualMac)$/;
  const wanted = [
    ...fieldsOf({ routers: [WHOLE], groups: settings.groups, hostNetworks: [NETWORK] }, 'settings'),
  ].filter((field) => !moot.test(field));
  assert.deepEqual(
    [...new Set(wanted)].filter((field) => !read.has(field)),
    [],
  );
});
