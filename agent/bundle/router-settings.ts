/** One router of a bundle as the election thread wants it. */
import type { BundleHmac, BundleRouter } from '../../proto/gen/baton/v1/bundle.js';
import {
  ChecksumForm,
  DuplicateProbe,
  HmacMode,
  HmacReplayGuard,
  Lease,
  type Track as TrackMessage,
  Transport,
} from '../../proto/gen/baton/v1/resources.js';
import { durationToMicros } from '../../proto/rules/duration.js';
import { type Family, familyOf, formatIp, networkAddressOf, parseIp, parseIpPrefix } from '../../proto/rules/ip.js';
import { subjectOf } from '../../proto/rules/tracks.js';
import type {
  HmacSettings,
  RouterSettings,
  RouteTrack,
  TrackDelay,
  UnicastSettings,
  VirtualAddress,
} from '../runtime/messages.js';
import type { Announcements, IpAddress, Track, VirtualRouter } from '../vrrp/index.js';
import { addressSettings } from './address-settings.js';
import { type Refuse, routeSettings, ruleSettings, tableOf } from './route-settings.js';

/** What the rest of the bundle says of the router. */
export interface RouterContext {
  readonly checks: ReadonlySet<string>;
  readonly bfdSessions: ReadonlySet<string>;
  /** Its sync group; absent: none. */
  readonly group: string | undefined;
  /** Names of the host networks that it cannot do without. */
  readonly requiredNetworks: readonly string[];
}

export function routerSettings(message: BundleRouter, context: RouterContext, refuse: Refuse): RouterSettings {
  judgeNumbers(message, refuse);
  const family: Family = message.family === 6 ? 6 : 4;
  const addresses = addressesOf(message, 'addresses', refuse);
  const excludedAddresses = addressesOf(message, 'excludedAddresses', refuse);
  judgeReferences(message, context, family, refuse);
  const routes = message.routes.map((route, index) => routeSettings(route, family, within(refuse, `routes[${index}]`)));
  const rules = message.rules.map((rule, index) => ruleSettings(rule, family, within(refuse, `rules[${index}]`)));
  const { announcements } = message;
  return {
    router: virtualRouter(message, context, addresses),
    interface: message.interface,
    ...(message.sourceAddress === '' ? {} : { sourceAddress: message.sourceAddress }),
    ...(message.transport === Transport.UNICAST ? { peers: message.peers } : {}),
    ...(message.password.length === 8 ? { password: Uint8Array.from(message.password) } : {}),
    checksum: message.checksum === ChecksumForm.PSEUDO_HEADER ? 'pseudo_header' : 'message_only',
    addresses,
    family,
    excludedAddresses,
    routes,
    rules,
    multicastGroup: message.multicastGroup,
    ...(message.virtualMac === undefined ? {} : { virtualMac: { ...message.virtualMac } }),
    accept: message.accept,
    ...(message.believedSources.length === 0 ? {} : { believedSources: message.believedSources }),
    unicast: unicastOf(message),
    startupDelay: durationToMicros(message.startupDelay),
    bootDelay: durationToMicros(message.bootDelay),
    promoteSecondaries: message.promoteSecondaries,
    ...(message.hmac === undefined ? {} : { hmac: hmacOf(message.hmac) }),
    spacing: {
      arp: durationToMicros(announcements?.arpInterval),
      neighbor: durationToMicros(announcements?.neighborInterval),
    },
    extraRefresh: durationToMicros(announcements?.extraRefresh),
    extraRefreshAll: announcements?.extraRefreshAll ?? false,
    routeTracks: routeTracksOf(message, refuse),
    trackDelays: trackDelaysOf(message),
    knownSources: message.knownSources,
    verifyInterval: durationToMicros(message.verifyInterval),
  };
}

function judgeNumbers(message: BundleRouter, refuse: Refuse): void {
  inRange(message.vrid, 1, 255, 'vrid', refuse);
  inRange(message.priority, 1, 255, 'priority', refuse);
  if (message.version !== 2 && message.version !== 3) refuse('version', `${message.version} is not 2 or 3`);
  if (message.interface === '') refuse('interface', 'it is empty');
  const interval = durationToMicros(message.advertisementInterval);
  // What the wire can carry: RFC 3768 section 5.3.7, RFC 9568 section 5.2.7.
  const unit = message.version === 2 ? 1_000_000 : 10_000;
  const longest = message.version === 2 ? 255_000_000 : 40_950_000;
  if (interval < unit || interval > longest || interval % unit !== 0) {
    refuse('advertisement_interval', `version ${message.version} cannot carry ${interval} us`);
  }
  inRange(message.downTimerAdvertisements, 1, 100, 'down_timer_advertisements', refuse);
  inRange(message.timerExpiredBackup, 0, 254, 'timer_expired_backup', refuse);
  if (message.password.length !== 0 && message.password.length !== 8) {
    refuse('password', 'it is not padded to 8 bytes');
  }
}

function judgeReferences(message: BundleRouter, context: RouterContext, family: Family, refuse: Refuse): void {
  for (const { check, bfd } of message.track) {
    if (check !== '' && !context.checks.has(check)) refuse('track', `check ${check} is not in the bundle`);
    if (bfd !== '' && !context.bfdSessions.has(bfd)) refuse('track', `BFD session ${bfd} is not in the bundle`);
  }
  const judge = (text: string, field: string): void => {
    const address = parseIp(text);
    if (address === undefined || familyOf(address) !== family)
      refuse(field, `"${text}" is not an IPv${family} address`);
  };
  for (const [index, peer] of message.peers.entries()) judge(peer, `peers[${index}]`);
  for (const [index, source] of message.believedSources.entries()) judge(source, `believed_sources[${index}]`);
  if (message.sourceAddress !== '') judge(message.sourceAddress, 'source_address');
  judge(message.multicastGroup, 'multicast_group');
}

function virtualRouter(
  message: BundleRouter,
  context: RouterContext,
  addresses: readonly VirtualAddress[],
): VirtualRouter {
  return {
    name: message.name,
    vrid: message.vrid,
    version: message.version === 2 ? 2 : 3,
    priority: message.priority,
    advertisementInterval: durationToMicros(message.advertisementInterval),
    preemptMode: message.preempt,
    preemptDelay: durationToMicros(message.preemptDelay),
    strictRfc: message.strictRfc,
    addresses: addresses.map(({ address }): IpAddress => parseIp(address) ?? 0),
    tracks: tracksOf(message, context),
    announcements: announcementsOf(message),
    leased: message.lease !== Lease.OFF,
    downTimerAdvertisements: message.downTimerAdvertisements,
    lowerPriorityNoAdvertisement: message.lowerPriorityNoAdvertisement,
    higherPrioritySendAdvertisement: message.higherPrioritySendAdvertisement,
    ownerIgnoresAdvertisements: message.ownerIgnoreAdvertisements,
    timerExpiredBackup: message.timerExpiredBackup,
    duplicateProbe: probeOf(message.duplicateProbe),
    ...(context.group === undefined ? {} : { group: context.group }),
  };
}

function probeOf(probe: DuplicateProbe): VirtualRouter['duplicateProbe'] {
  if (probe === DuplicateProbe.OFF) return 'off';
  return probe === DuplicateProbe.REFUSE ? 'refuse' : 'warn';
}

function addressesOf(
  message: BundleRouter,
  list: 'addresses' | 'excludedAddresses',
  refuse: Refuse,
): readonly VirtualAddress[] {
  const field = list === 'addresses' ? 'addresses' : 'excluded_addresses';
  return message[list].map((address, index) =>
    addressSettings(address, message.interface, (reason) => refuse(`${field}[${index}]`, reason)),
  );
}

/** What every router depends on and the bundle does not say, then what it names. */
function tracksOf(message: BundleRouter, context: RouterContext): Track[] {
  const named = message.track.map(trackOf);
  const own = `interface ${message.interface}`;
  const implied = new Set<string>();
  const isOwnNamed = named.some((track) => track.id === own && track.weight === 0);
  if (!message.untrackedInterface && !isOwnNamed) implied.add(own);
  implied.add('source address');
  for (const device of usedDevices(message)) {
    const id = `interface ${device}`;
    if (id !== own && !named.some((track) => track.id === id)) implied.add(id);
  }
  const hasVirtualMac =
    message.virtualMac !== undefined ||
    [...message.addresses, ...message.excludedAddresses].some(({ virtualMac }) => virtualMac);
  if (hasVirtualMac) implied.add('virtual mac');
  if (durationToMicros(message.startupDelay) > 0 || durationToMicros(message.bootDelay) > 0)
    implied.add('startup delay');
  for (const network of context.requiredNetworks) implied.add(`host network ${network}`);
  if (message.unicast?.faultWithoutPeers === true && message.peers.length === 0) implied.add('peers');
  return [...[...implied].map((id) => ({ id, weight: 0, reverse: false })), ...named];
}

/** Interfaces without which something that moves with the router cannot be put in place. */
function usedDevices(message: BundleRouter): string[] {
  const tracked = <T extends { readonly noTrack: boolean }>(items: readonly T[]): T[] =>
    items.filter(({ noTrack }) => !noTrack);
  return [
    ...tracked(message.addresses).map(({ device }) => device),
    ...tracked(message.excludedAddresses).map(({ device }) => device),
    ...tracked(message.routes).flatMap(({ device, nextHops }) => [device, ...nextHops.map((hop) => hop.device)]),
    ...tracked(message.rules).flatMap(({ inputInterface, outputInterface }) => [inputInterface, outputInterface]),
  ].filter((device) => device !== '');
}

function trackOf(message: TrackMessage): Track {
  return { id: subjectOf(message), weight: message.weight, reverse: message.reverse };
}

function trackDelaysOf({ track }: BundleRouter): TrackDelay[] {
  return track.flatMap((one) => {
    const [up, down] = [durationToMicros(one.upDelay), durationToMicros(one.downDelay)];
    return up === 0 && down === 0 ? [] : [{ id: subjectOf(one), up, down }];
  });
}

function routeTracksOf(message: BundleRouter, refuse: Refuse): RouteTrack[] {
  return message.track.flatMap((track, index) => {
    if (track.route === '') return [];
    const prefix = parseIpPrefix(track.route);
    if (prefix === undefined) {
      refuse(`track[${index}].route`, `"${track.route}" is not a prefix`);
      return [];
    }
    return [
      {
        id: subjectOf(track),
        prefix: { address: formatIp(networkAddressOf(prefix)), prefixLength: prefix.prefixLength },
        table: tableOf(track.table, within(refuse, `track[${index}]`)),
      },
    ];
  });
}

function unicastOf({ unicast }: BundleRouter): UnicastSettings {
  return {
    ttl: unicast?.ttl || 255,
    minTtl: unicast?.minTtl ?? 0,
    maxTtl: unicast?.maxTtl || 255,
    peerTtl: (unicast?.peerTtl ?? []).map(({ address, minTtl, maxTtl }) => ({
      address,
      minTtl,
      maxTtl: maxTtl || 255,
    })),
  };
}

function hmacOf(hmac: BundleHmac): HmacSettings {
  return {
    keys: hmac.keys.map(({ id, key }) => ({ id, key: Uint8Array.from(key) })),
    activeKey: hmac.activeKey,
    replayGuard: hmac.replayGuard === HmacReplayGuard.MONOTONIC ? 'monotonic' : 'time',
    timeWindow: durationToMicros(hmac.timeWindow),
    mode: modeOf(hmac.mode),
  };
}

function modeOf(mode: HmacMode): HmacSettings['mode'] {
  if (mode === HmacMode.PERMISSIVE) return 'permissive';
  return mode === HmacMode.RECEIVE_ONLY ? 'receive-only' : 'enforce';
}

/** The compiler has filled in every field; what is absent all the same is keepalived's default. */
function announcementsOf(message: BundleRouter): Announcements {
  const given = message.announcements;
  const delay = given?.delay === undefined ? 5_000_000 : durationToMicros(given.delay);
  const repeat = given?.repeat ?? 5;
  return {
    repeat,
    delay,
    refresh: durationToMicros(given?.refresh),
    refreshRepeat: given?.refreshRepeat ?? 1,
    lowerPriorityRepeat: given?.lowerPriorityRepeat ?? repeat,
    lowerPriorityDelay: given?.lowerPriorityDelay === undefined ? delay : durationToMicros(given.lowerPriorityDelay),
  };
}

function inRange(value: number, least: number, most: number, field: string, refuse: Refuse): void {
  if (!Number.isInteger(value) || value < least || value > most) {
    refuse(field, `${value} is not between ${least} and ${most}`);
  }
}

function within(refuse: Refuse, prefix: string): Refuse {
  return (field, reason) => refuse(`${prefix}.${field}`, reason);
}
