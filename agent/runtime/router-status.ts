/** One virtual router as the worker is told of it. */
import { formatIp } from '../../proto/rules/ip.js';
import type { Instant, Millis } from '../../proto/rules/time.js';
import {
  activeDownInterval,
  effectivePriority,
  leaseDuration,
  nextDeadline,
  type StateName,
  skewTime,
} from '../vrrp/index.js';
import type { ElectionRouterStatus, RouterSettings } from './messages.js';
import type { Peer } from './peer-table.js';
import type { RunningRouter, WantedAddress } from './running-router.js';
import type { TrackHolds } from './track-holds.js';

export function routerStatus(
  running: RunningRouter,
  holds: TrackHolds,
  now: Instant,
  wallMs: Millis,
): ElectionRouterStatus {
  const { router, member, settings, wanted } = running;
  const { phase } = member;
  const { priority, terms, faults, pending } = effectivePriority(router, member.tracks);
  const activeAdverInterval = phase.name === 'backup' ? phase.activeAdverInterval : router.advertisementInterval;
  const deadline = nextDeadline(router, member);
  const heard = phase.name === 'backup' ? phase.activeRouter : undefined;
  const toCome = (id: string): string => {
    const change = holds.pending(running, id);
    if (change === undefined) return '';
    const at = new Date(wallMs + Math.round((change.countsAt - now) / 1000)).toISOString().slice(11, 19);
    return `; counts as ${change.isBetter ? 'better' : 'worse'} from ${at} UTC`;
  };
  const before = (at: Instant): Millis => wallMs - Math.round((now - at) / 1000);
  return {
    name: router.name,
    vrid: router.vrid,
    version: router.version,
    family: settings.family,
    interface: settings.interface,
    transport: settings.peers === undefined ? 'multicast' : 'unicast',
    ...(router.group === undefined ? {} : { group: router.group }),
    state: phase.name,
    sinceWallMs: running.sinceWallMs,
    cause: running.cause,
    sentence: running.sentence,
    effectivePriority: priority,
    terms: terms.map((each) => ({ ...each, reason: `${each.reason}${toCome(each.term)}` })),
    holdReasons: holdReasons(phase.name, faults, pending, running, toCome),
    addresses: wanted.filter(({ isAdvertised }) => isAdvertised).map(textOf),
    excludedAddresses: wanted.filter(({ isAdvertised }) => !isAdvertised).map(textOf),
    heldAddresses: wanted
      .filter(({ key, address }) => running.held.has(key) || running.hostOwned.has(address))
      .map(textOf),
    routes: settings.routes.map(({ text }) => text),
    heldRoutes: [...running.heldRoutes],
    rules: settings.rules.map(({ text }) => text),
    heldRules: [...running.heldRules],
    ...(settings.virtualMac === undefined
      ? {}
      : { virtualMac: { interface: settings.virtualMac.name, address: settings.virtualMac.address } }),
    ...(running.source === undefined ? {} : { sourceAddress: formatIp(running.source) }),
    ...(router.version === 3 && settings.family === 4 ? { checksum: settings.checksum } : {}),
    authentication: authenticationOf(settings),
    accept: settings.accept,
    advertisementInterval: router.advertisementInterval,
    activeAdverInterval,
    skewTime: skewTime(router, priority, activeAdverInterval),
    activeDownInterval: activeDownInterval(router, priority, activeAdverInterval),
    ...(deadline === undefined ? {} : { nextDeadlineIn: Math.max(0, deadline - now) }),
    ...(router.leased ? { lease: leaseDuration(router) } : {}),
    ...(heard === undefined ? {} : { activeRouter: { address: formatIp(heard.source), priority: heard.priority } }),
    preemptMode: router.preemptMode,
    handingOver: phase.name === 'active' && phase.handover !== undefined,
    peers: [...running.peers.rows].map((peer) => peerStatus(peer, before)),
    rejected: [...running.rejected.rows].map(({ source, reason, count, lastAt }) => ({
      source,
      reason,
      count,
      lastWallMs: before(lastAt),
    })),
    sightings: running.isActive
      ? []
      : [...running.sightings].map(([address, { macs, lastAt, isExpected }]) => ({
          address: formatIp(address),
          macs,
          lastWallMs: before(lastAt),
          asExpected: isExpected,
        })),
    conflicts: [...running.conflicts.values()].map(({ address, mac, lastAt }) => ({
      address,
      mac,
      lastWallMs: before(lastAt),
    })),
    counters: { ...running.counters },
    tracks: router.tracks.map(({ id, weight, reverse }) => ({
      id,
      state: member.tracks[id] ?? 'unknown',
      weight,
      reverse,
    })),
  };
}

/** Why a router is held in fault or initialize. */
function holdReasons(
  state: StateName,
  faults: readonly string[],
  pending: readonly string[],
  { sentence }: RunningRouter,
  toCome: (id: string) => string,
): readonly string[] {
  if (state !== 'fault' && state !== 'initialize') return [];
  const reasons = [
    ...faults.map((id) => `${id} failed${toCome(id)}`),
    ...pending.map((id) => (id === 'startup delay' ? 'startup delay has not ended' : `${id} has no result yet`)),
  ];
  // Held by another member of its group.
  return state === 'fault' && reasons.length === 0 ? [sentence] : reasons;
}

function authenticationOf({ password, hmac }: RouterSettings): string {
  if (hmac !== undefined) return `hmac key ${hmac.activeKey}, ${hmac.mode}`;
  return password === undefined ? '' : 'pass';
}

function textOf({ address, prefixLength }: WantedAddress): string {
  return `${formatIp(address)}/${prefixLength}`;
}

function peerStatus(peer: Peer, before: (at: Instant) => Millis): ElectionRouterStatus['peers'][number] {
  return {
    address: formatIp(peer.source),
    lastHeardWallMs: before(peer.lastHeardAt),
    priority: peer.priority,
    interval: peer.interval,
    advertisements: peer.advertisements,
    ...(peer.checksumForm === undefined ? {} : { checksumForm: peer.checksumForm }),
    lost: peer.lost,
    jitter: Math.round(peer.jitter),
    ...(peer.isSigned === undefined ? {} : { authentication: peer.isSigned ? 'signed' : 'unsigned' }),
  };
}
