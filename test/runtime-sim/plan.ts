/**
 * What a simulated cluster is to run, as an operator could have declared it: a bundle for each host, made into settings
 * by the production code.
 */
import { settingsOf } from '../../agent/bundle/settings.js';
import type { ElectionSettings, RouterSettings } from '../../agent/runtime/messages.js';
import { Bundle } from '../../proto/gen/baton/v1/bundle.js';
import {
  ChecksumForm,
  DuplicateProbe,
  HmacMode,
  HmacReplayGuard,
  Lease,
  SyncPolicy,
  Transport,
} from '../../proto/gen/baton/v1/resources.js';
import { microsToDuration } from '../../proto/rules/duration.js';
import { formatIp, type IpAddress, parseIp } from '../../proto/rules/ip.js';
import type { Micros } from '../../proto/rules/time.js';
import type { Random } from '../sim/random.js';
import type { OwnAddress } from './kernel.js';

type BundleRouterParts = NonNullable<Parameters<typeof Bundle.fromPartial>[0]['routers']>[number];

export const FATAL = 'check fatal';
export const WEIGHTED = 'check weighted';

export interface RouterPlan {
  readonly name: string;
  readonly vrid: number;
  readonly version: 2 | 3;
  readonly family: 4 | 6;
  readonly device: string;
  readonly interval: Micros;
  readonly addresses: readonly string[];
  readonly preempt: boolean;
  readonly preemptDelay: Micros;
  readonly leased: boolean;
  readonly missed: number;
  readonly weight: number;
  readonly isReversed: boolean;
  readonly probe: DuplicateProbe;
  readonly accept: boolean;
  readonly isUnicast: boolean;
  readonly hmac: HmacReplayGuard | undefined;
  readonly lastWord: boolean;
  readonly repeat: number;
  /** Base priority on each host. */
  readonly priorities: readonly number[];
}

export interface ClusterPlan {
  readonly generation: number;
  /** What each host has by itself. */
  readonly hosts: readonly (readonly OwnAddress[])[];
  readonly devices: readonly string[];
  readonly routers: readonly RouterPlan[];
  readonly policy: 'all' | 'any' | undefined;
}

const SECOND: Micros = 1_000_000;
const KEY = Buffer.alloc(32, 7);
const TIME_WINDOW: Micros = 10 * SECOND;

export function randomPlan(random: Random, mostHosts: number): ClusterPlan {
  const count = Math.min(mostHosts, random.pick([2, 2, 3, 3, 4, 5, 7]));
  const devices = random.chance(0.4) ? ['em1', 'em2'] : ['em1'];
  const numbers = random.shuffle(Array.from({ length: 60 }, (_, index) => index + 10)).slice(0, count);
  const hosts = numbers.map((number) => devices.flatMap((device, index) => ownAddresses(device, index, number)));
  const size = random.pick([1, 1, 2, 3]);
  const policy = size > 1 && random.chance(0.6) ? (random.chance(0.7) ? 'all' : 'any') : undefined;
  const preempt = random.chance(0.7);
  const leased = random.chance(0.9);
  const ranks = rankedPriorities(random, numbers, policy !== undefined, leased);
  // Hosts rank alike in every member, whatever their checks say.
  const groupWeight = random.pick([-30, 40]);
  const isFast = random.chance(0.3);
  // What costs time is the number of packets, not what becomes of them.
  const fast = count * size <= 4 ? [20_000, 50_000] : [100_000];
  const shared = { preempt, leased, missed: random.pick([3, 3, 3, 2, 5]) };
  const routers = Array.from({ length: size }, (_, index): RouterPlan => {
    const version = random.chance(0.3) && !isFast ? 2 : 3;
    const family = version === 3 && random.chance(0.3) ? 6 : 4;
    const interval = version === 2 ? SECOND : random.pick(isFast ? fast : [200_000, SECOND, SECOND]);
    const vrid = 10 + index;
    return {
      ...shared,
      name: `router-${index}`,
      vrid,
      version,
      family,
      device: random.pick(devices),
      interval,
      addresses: virtualAddresses(random, family, vrid),
      preemptDelay: policy === undefined && preempt && random.chance(0.2) ? 5 * interval : 0,
      weight: policy === undefined ? random.pick([-60, -2, 40]) : groupWeight,
      isReversed: policy === undefined && random.chance(0.2),
      probe: probeOf(random, policy !== undefined, shared.leased),
      accept: random.chance(0.8),
      isUnicast: random.chance(0.2),
      hmac: hmacOf(random, version),
      lastWord: random.chance(0.2),
      repeat: random.pick([1, 2, 5]),
      priorities: policy === undefined && random.chance(0.5) ? random.shuffle(ranks) : ranks,
    };
  });
  return { generation: 1, hosts, devices, routers, policy };
}

/** The next generation: some of what can be changed while everything runs. */
export function changedPlan(random: Random, plan: ClusterPlan): ClusterPlan {
  const { policy } = plan;
  const gap = random.between(-20, 20);
  const isGroupMoved = random.chance(0.5);
  const routers = plan.routers.map((router): RouterPlan => {
    const { version, interval, addresses, family, vrid } = router;
    const moved = (priority: number) => (priority === 255 ? 255 : Math.min(254, Math.max(1, priority + gap)));
    const shuffled = policy === undefined && random.chance(0.3) ? random.shuffle(router.priorities) : router.priorities;
    return {
      ...router,
      priorities: (policy === undefined ? random.chance(0.5) : isGroupMoved) ? shuffled.map(moved) : shuffled,
      interval: version === 3 && random.chance(0.2) ? random.pick([interval, 2 * interval, 200_000]) : interval,
      addresses: random.chance(0.3) ? virtualAddresses(random, family, vrid) : addresses,
      repeat: random.pick([1, 2, 5]),
    };
  });
  return { ...plan, generation: plan.generation + 1, routers };
}

export function bundleOf(plan: ClusterPlan, host: number): Bundle {
  return Bundle.fromPartial({
    node: `node-${host}`,
    routers: plan.routers.map((router) => bundleRouter(plan, router, host)),
    checks: ['fatal', 'weighted'].map((name) => ({
      name,
      spec: {
        kind: { $case: 'exec' as const, value: { command: ['/bin/true'] } },
        interval: { seconds: 1, nanos: 0 },
        timeout: { seconds: 1, nanos: 0 },
        startJitter: { seconds: 0, nanos: 0 },
        rise: 1,
        fall: 1,
      },
    })),
    groups:
      plan.policy === undefined
        ? []
        : [
            {
              name: 'group',
              routers: plan.routers.map(({ name }) => name),
              policy: plan.policy === 'any' ? SyncPolicy.ANY : SyncPolicy.ALL,
            },
          ],
  });
}

const made = new WeakMap<ClusterPlan, Map<number, ElectionSettings>>();

/** Made once for each host. Throws if the production code refuses the bundle: a fault of the plan. */
export function settingsFor(plan: ClusterPlan, host: number): ElectionSettings {
  const known = made.get(plan) ?? new Map<number, ElectionSettings>();
  made.set(plan, known);
  const before = known.get(host);
  if (before !== undefined) return before;
  const result = settingsOf(bundleOf(plan, host));
  if (!result.ok) throw new TypeError(`the plan is refused: ${JSON.stringify(result.refusals)}`);
  known.set(host, result.settings.election);
  return result.settings.election;
}

export function routerOf(settings: ElectionSettings, name: string): RouterSettings {
  const found = settings.routers.find(({ router }) => router.name === name);
  if (found === undefined) throw new TypeError(`${name} is not in the plan`);
  return found;
}

/** The addresses of a router, parsed. */
export function addressesOf(router: RouterPlan): readonly IpAddress[] {
  return router.addresses.map((text) => must(text.split('/')[0] ?? ''));
}

/** The address that a host sends this router's advertisements from. */
export function sourceOf(plan: ClusterPlan, router: RouterPlan, host: number): IpAddress {
  const own = plan.hosts[host]?.find(
    ({ device, address }) => device === router.device && (typeof address === 'bigint' ? 6 : 4) === router.family,
  );
  if (own === undefined) throw new TypeError(`host ${host} has no address for ${router.name}`);
  return own.address;
}

function bundleRouter(plan: ClusterPlan, router: RouterPlan, host: number): BundleRouterParts {
  const nothing = { seconds: 0, nanos: 0 };
  const { interval, family, device, hmac } = router;
  const others = plan.hosts.map((_, index) => index).filter((index) => index !== host);
  return {
    name: router.name,
    vrid: router.vrid,
    version: router.version,
    interface: device,
    priority: router.priorities[host] ?? 100,
    advertisementInterval: microsToDuration(interval),
    preempt: router.preempt,
    preemptDelay: microsToDuration(router.preemptDelay),
    transport: router.isUnicast ? Transport.UNICAST : Transport.MULTICAST,
    ...(router.isUnicast && { unicast: { ttl: 255, minTtl: 0, maxTtl: 255 } }),
    peers: router.isUnicast ? others.map((index) => formatIp(sourceOf(plan, router, index))) : [],
    addresses: router.addresses.map((address) => ({ address, device })),
    track: [
      { check: 'fatal', weight: 0 },
      { check: 'weighted', weight: router.weight, reverse: router.isReversed },
    ],
    announcements: {
      repeat: router.repeat,
      delay: microsToDuration(5 * interval),
      refresh: nothing,
      refreshRepeat: 1,
      lowerPriorityRepeat: 1,
      lowerPriorityDelay: microsToDuration(2 * interval),
      arpInterval: nothing,
      neighborInterval: nothing,
      extraRefresh: nothing,
    },
    checksum: ChecksumForm.PSEUDO_HEADER,
    lease: router.leased ? Lease.AUTO : Lease.OFF,
    family,
    multicastGroup: family === 6 ? 'ff02::12' : '224.0.0.18',
    accept: router.accept,
    downTimerAdvertisements: router.missed,
    higherPrioritySendAdvertisement: router.lastWord,
    startupDelay: nothing,
    bootDelay: nothing,
    verifyInterval: nothing,
    duplicateProbe: router.probe,
    ...(hmac === undefined
      ? {}
      : {
          hmac: {
            keys: [{ id: 1, key: KEY }],
            activeKey: 1,
            replayGuard: hmac,
            timeWindow: microsToDuration(TIME_WINDOW),
            mode: HmacMode.ENFORCE,
          },
        }),
  };
}

function ownAddresses(device: string, index: number, number: number): readonly OwnAddress[] {
  return [
    { device, address: must(`10.0.${index + 1}.${number}`), prefixLength: 24 },
    { device, address: must(`fe80::${index + 1}:${number}`), prefixLength: 64 },
  ];
}

function virtualAddresses(random: Random, family: 4 | 6, vrid: number): readonly string[] {
  if (family === 6) {
    const more = random.chance(0.5) ? [`2001:db8::${random.between(1, 9)}:${vrid}/128`] : [];
    return [`fe80::ff:${vrid}/128`, ...more];
  }
  const count = random.pick([1, 1, 2, 3]);
  return Array.from({ length: count }, (_, index) => `192.168.${vrid}.${10 * random.between(1, 5) + index}/32`);
}

/** Hosts rank alike in every member of a group, and where priorities are equal their addresses do (decision 0009). */
function rankedPriorities(
  random: Random,
  numbers: readonly number[],
  isGroup: boolean,
  isLeased: boolean,
): readonly number[] {
  if (random.chance(0.2)) return numbers.map(() => 100);
  const base = random.pick([2, 90, 150]);
  const gap = random.pick([1, 10]);
  const priorities = numbers.map((_, index) => base + gap * index);
  // Without a lease, addresses that a killed owner left are taken for the host's own when it starts again.
  if (!isGroup && isLeased && random.chance(0.1)) priorities[0] = 255;
  return random.shuffle(priorities);
}

function probeOf(random: Random, isGroup: boolean, isLeased: boolean): DuplicateProbe {
  if (isGroup || !isLeased) return random.pick([DuplicateProbe.OFF, DuplicateProbe.WARN]);
  return random.pick([DuplicateProbe.OFF, DuplicateProbe.OFF, DuplicateProbe.WARN, DuplicateProbe.REFUSE]);
}

function hmacOf(random: Random, version: 2 | 3): HmacReplayGuard | undefined {
  if (version === 2 || !random.chance(0.25)) return undefined;
  return random.pick([HmacReplayGuard.TIME, HmacReplayGuard.MONOTONIC]);
}

function must(text: string): IpAddress {
  const address = parseIp(text);
  if (address === undefined) throw new TypeError(text);
  return address;
}
