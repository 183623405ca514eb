/** Settings of a virtual router for tests: everything has a default. */

import type { ElectionSettings, RouterSettings, VirtualAddress } from '../../agent/runtime/messages.js';
import type { Track, VirtualRouter } from '../../agent/vrrp/index.js';
import { bitsOf, familyOf, type IpAddress, parseIp } from '../../proto/rules/ip.js';

export interface SettingsOptions {
  readonly name?: string;
  readonly vrid?: number;
  readonly version?: 2 | 3;
  readonly priority?: number;
  /** Microseconds; default 1 s. */
  readonly interval?: number;
  readonly preempt?: boolean;
  readonly leased?: boolean;
  readonly interface?: string;
  /** Of one family, with or without prefix length; default 10.0.0.100. The first one's family is the router's. */
  readonly addresses?: readonly string[];
  /** Move with the router and are not advertised. */
  readonly excluded?: readonly string[];
  readonly tracks?: readonly Track[];
  readonly group?: string;
  /** Further parameters of the election. */
  readonly router?: Partial<VirtualRouter>;
  readonly more?: Partial<Omit<RouterSettings, 'router' | 'addresses' | 'interface'>>;
}

export function ip(text: string): IpAddress {
  const address = parseIp(text);
  if (address === undefined) throw new TypeError(`${text} is not an IP address`);
  return address;
}

export function settings(options: SettingsOptions = {}): RouterSettings {
  const device = options.interface ?? 'em1';
  const placed = (text: string): VirtualAddress => {
    const [address = '', prefixLength] = text.split('/');
    return { address, prefixLength: Number(prefixLength ?? bitsOf(familyOf(ip(address)))), device };
  };
  const addresses = (options.addresses ?? ['10.0.0.100']).map(placed);
  const family = addresses[0]?.address.includes(':') === true ? 6 : 4;
  const router: VirtualRouter = {
    name: options.name ?? 'r',
    vrid: options.vrid ?? 10,
    version: options.version ?? 3,
    priority: options.priority ?? 100,
    advertisementInterval: options.interval ?? 1_000_000,
    preemptMode: options.preempt ?? true,
    preemptDelay: 0,
    strictRfc: false,
    addresses: addresses.map(({ address }) => ip(address)),
    tracks: [
      { id: `interface ${device}`, weight: 0, reverse: false },
      { id: 'source address', weight: 0, reverse: false },
      ...(options.tracks ?? []),
    ],
    announcements: {
      repeat: 1,
      delay: 0,
      refresh: 0,
      refreshRepeat: 1,
      lowerPriorityRepeat: 1,
      lowerPriorityDelay: 0,
    },
    leased: options.leased ?? true,
    downTimerAdvertisements: 3,
    lowerPriorityNoAdvertisement: false,
    higherPrioritySendAdvertisement: false,
    ownerIgnoresAdvertisements: false,
    timerExpiredBackup: 0,
    duplicateProbe: 'off',
    ...(options.group === undefined ? {} : { group: options.group }),
    ...options.router,
  };
  return {
    router,
    interface: device,
    checksum: 'pseudo_header',
    addresses,
    family,
    excludedAddresses: (options.excluded ?? []).map(placed),
    routes: [],
    rules: [],
    multicastGroup: family === 6 ? 'ff02::12' : '224.0.0.18',
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
    verifyInterval: 0,
    ...options.more,
  };
}

/** Routers without groups and without anything of the host's own. */
export function electionSettings(
  routers: readonly RouterSettings[],
  more: Partial<Omit<ElectionSettings, 'routers'>> = {},
): ElectionSettings {
  return { routers, groups: [], hostNetworks: [], ...more };
}
