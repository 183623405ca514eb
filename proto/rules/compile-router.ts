/** One virtual router as one node is to run it. */
import type { BundleHmac, BundleRouter } from '../gen/baton/v1/bundle.js';
import {
  AuthenticationType,
  type HmacAuthentication,
  type Member,
  PeerPolicy,
  type Track,
  Transport,
  type VirtualRouterSpec,
} from '../gen/baton/v1/resources.js';
import { canonicalIp, compileAddress, compileRoute, compileRule } from './compile-address.js';
import {
  acceptOf,
  advertisementIntervalOf,
  announcementsOf,
  checksumOf,
  downTimerAdvertisementsOf,
  duplicateProbeOf,
  familyOfRouter,
  hmacModeOf,
  hooksOf,
  leaseOf,
  multicastGroupOf,
  OWNER_PRIORITY,
  peerPolicyOf,
  preemptDelayOf,
  preemptOf,
  priorityOf,
  replayGuardOf,
  timeWindowOf,
  transportOf,
  unicastOf,
  verifyIntervalOf,
  versionOf,
  virtualMacAddressOf,
} from './defaults.js';
import { durationToMicros, microsToDuration } from './duration.js';
import { hmacKeyOf } from './hmac-key.js';
import { compareText, type NamedRouter } from './names.js';

/** Bytes of a version 2 password on the wire (RFC 2338 section 5.3.10). */
export const PASSWORD_BYTES = 8;

/** What a router takes from elsewhere. */
export interface RouterSurroundings {
  /** Values by the names of the Secrets. */
  readonly secrets: ReadonlyMap<string, string>;
  /** Of this router on this node; absent: none. */
  readonly virtualMacName: string | undefined;
  /** All of this member's tracks, those of its group among them, by their canonical words. */
  readonly track: readonly Track[];
}

export function compileRouter(router: NamedRouter, member: Member, surroundings: RouterSurroundings): BundleRouter {
  const { spec } = router;
  const { secrets, virtualMacName, track } = surroundings;
  const family = familyOfRouter(spec);
  const transport = transportOf(spec);
  const preempt = preemptOf(spec, member);
  return {
    name: router.name,
    vrid: spec.vrid,
    version: versionOf(spec),
    interface: member.interface,
    priority: priorityOf(member),
    advertisementInterval: microsToDuration(advertisementIntervalOf(spec)),
    preempt,
    preemptDelay: microsToDuration(preemptDelayOf(spec, member)),
    password: compilePassword(spec, secrets),
    transport,
    peers: transport === Transport.UNICAST ? othersOf(spec, member) : [],
    sourceAddress: canonicalIp(member.address),
    addresses: spec.addresses.map((address) => compileAddress(address, member.interface)),
    track: [...track],
    hooks: hooksOf(spec, member),
    announcements: announcementsOf(spec),
    checksum: checksumOf(spec),
    lease: leaseOf(spec),
    strictRfc: spec.strictRfc,
    displayName: router.displayName,
    excludedAddresses: spec.excludedAddresses.map((address) => compileAddress(address, member.interface)),
    family,
    routes: spec.routes.map((route) => compileRoute(route, member.interface, family)),
    rules: spec.rules.map((rule) => compileRule(rule, family)),
    multicastGroup: canonicalIp(multicastGroupOf(spec)),
    virtualMac:
      virtualMacName === undefined
        ? undefined
        : {
            name: virtualMacName,
            address: virtualMacAddressOf(spec),
            transmitOnBase: spec.virtualMac?.transmitOnBase ?? false,
          },
    accept: acceptOf(spec, member),
    downTimerAdvertisements: downTimerAdvertisementsOf(spec),
    lowerPriorityNoAdvertisement: spec.lowerPriorityNoAdvertisement,
    higherPrioritySendAdvertisement: spec.higherPrioritySendAdvertisement,
    ownerIgnoreAdvertisements: spec.ownerIgnoreAdvertisements && priorityOf(member) === OWNER_PRIORITY,
    timerExpiredBackup: preempt ? 0 : spec.timerExpiredBackup,
    believedSources:
      transport === Transport.MULTICAST && peerPolicyOf(spec) === PeerPolicy.MEMBERS ? othersOf(spec, member) : [],
    unicast: compileUnicast(spec, member),
    startupDelay: microsToDuration(durationToMicros(spec.startupDelay)),
    bootDelay: microsToDuration(durationToMicros(spec.bootDelay)),
    untrackedInterface: spec.untrackedInterface,
    duplicateProbe: duplicateProbeOf(spec),
    promoteSecondaries: spec.promoteSecondaries,
    hmac: compileHmac(spec, secrets),
    knownSources: knownSourcesOf(spec),
    verifyInterval: microsToDuration(verifyIntervalOf(spec)),
  };
}

/** Addresses of everybody else that has one, each once. */
function othersOf(spec: VirtualRouterSpec, member: Member): string[] {
  const others = spec.members.filter(({ node }) => node !== member.node).map(({ address }) => address);
  const addresses = [...others, ...spec.externalPeers].filter((address) => address !== '').map(canonicalIp);
  return [...new Set(addresses)];
}

/** Everybody that may advertise the router; empty where a member leaves its address to its interface. */
function knownSourcesOf(spec: VirtualRouterSpec): string[] {
  if (spec.members.some(({ address }) => address === '')) return [];
  const addresses = [...spec.members.map(({ address }) => address), ...spec.externalPeers].map(canonicalIp);
  return [...new Set(addresses)].sort(compareText);
}

/** A member's limits for itself are no limits. */
function compileUnicast(spec: VirtualRouterSpec, member: Member): BundleRouter['unicast'] {
  const unicast = unicastOf(spec);
  const own = canonicalIp(member.address);
  return unicast === undefined
    ? undefined
    : {
        ...unicast,
        peerTtl: unicast.peerTtl
          .map((peer) => ({ ...peer, address: canonicalIp(peer.address) }))
          .filter(({ address }) => address !== own)
          .sort((a, b) => compareText(a.address, b.address)),
      };
}

/** The first 8 bytes in UTF-8, zero padded. */
function compilePassword({ authentication }: VirtualRouterSpec, secrets: ReadonlyMap<string, string>): Buffer {
  if (authentication?.type !== AuthenticationType.PASS) {
    return Buffer.alloc(0);
  }
  const padded = Buffer.alloc(PASSWORD_BYTES);
  Buffer.from(secrets.get(authentication.secret) ?? '', 'utf8').copy(padded, 0, 0, PASSWORD_BYTES);
  return padded;
}

function compileHmac(spec: VirtualRouterSpec, secrets: ReadonlyMap<string, string>): BundleHmac | undefined {
  const { authentication } = spec;
  const hmac = authentication?.type === AuthenticationType.HMAC ? authentication.hmac : undefined;
  return hmac === undefined
    ? undefined
    : {
        keys: compileKeys(hmac, secrets),
        activeKey: hmac.activeKey,
        replayGuard: replayGuardOf(hmac.replayGuard),
        timeWindow: microsToDuration(timeWindowOf(spec)),
        mode: hmacModeOf(hmac.mode),
      };
}

function compileKeys(hmac: HmacAuthentication, secrets: ReadonlyMap<string, string>): BundleHmac['keys'] {
  return hmac.keys
    .map(({ id, secret }) => {
      const key = hmacKeyOf(secrets.get(secret) ?? '');
      if (key === undefined) {
        throw new RangeError(`cannot compile HMAC key ${id}: validate resources first`);
      }
      return { id, key: Buffer.from(key) };
    })
    .sort((a, b) => a.id - b.id);
}
