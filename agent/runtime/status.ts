/** A snapshot of the election thread for the worker. */
import type { Instant, Micros, Millis } from '../../proto/rules/time.js';
import {
  activeDownInterval,
  effectivePriority,
  leaseDuration,
  nextDeadline,
  type StateName,
  skewTime,
} from '../vrrp/index.js';
import { formatIpv4 } from '../wire/ipv4-address.js';
import type { Channels } from './channels.js';
import type { InterfaceTable } from './interface-table.js';
import type { Lag } from './lag.js';
import type { ElectionRouterStatus, ElectionStatus } from './messages.js';
import type { Peer } from './peer-table.js';
import type { RunningRouter } from './running-router.js';

export interface StatusSources {
  readonly now: Instant;
  readonly wallMs: Millis;
  readonly routers: Iterable<RunningRouter>;
  readonly channels: Channels;
  readonly table: InterfaceTable;
  readonly lag: Lag['status'];
}

export function electionStatus({ now, wallMs, routers, channels, table, lag }: StatusSources): ElectionStatus {
  return {
    at: now,
    wallMs,
    routers: [...routers].map((router) => routerStatus(router, now, wallMs)),
    interfaces: [...channels.all].map((channel) => ({
      name: channel.name,
      up: table.link(channel.name)?.isUp === true && (channel.isOpen || channel.routers.size === 0),
      counters: channel.packetCounters,
    })),
    lag,
  };
}

function routerStatus(running: RunningRouter, now: Instant, wallMs: Millis): ElectionRouterStatus {
  const { router, member, settings } = running;
  const { phase } = member;
  const { priority, terms, faults, pending } = effectivePriority(router, member.tracks);
  const activeAdverInterval = phase.name === 'backup' ? phase.activeAdverInterval : router.advertisementInterval;
  const deadline = nextDeadline(router, member);
  const heard = phase.name === 'backup' ? phase.activeRouter : undefined;
  return {
    name: router.name,
    vrid: router.vrid,
    version: router.version,
    interface: settings.interface,
    state: phase.name,
    sinceWallMs: running.sinceWallMs,
    cause: running.cause,
    sentence: running.sentence,
    effectivePriority: priority,
    terms,
    holdReasons: holdReasons(phase.name, faults, pending),
    addresses: running.wanted.map(({ address, prefixLength }) => `${formatIpv4(address)}/${prefixLength}`),
    heldAddresses: running.wanted
      .filter(({ key, address }) => running.held.has(key) || running.hostOwned.has(address))
      .map(({ address, prefixLength }) => `${formatIpv4(address)}/${prefixLength}`),
    ...(running.source === undefined ? {} : { sourceAddress: formatIpv4(running.source) }),
    advertisementInterval: router.advertisementInterval,
    activeAdverInterval,
    skewTime: skewTime(router, priority, activeAdverInterval),
    activeDownInterval: activeDownInterval(router, priority, activeAdverInterval),
    ...(deadline === undefined ? {} : { nextDeadlineIn: Math.max(0, deadline - now) }),
    ...(router.leased ? { lease: leaseDuration(router) } : {}),
    ...(heard === undefined ? {} : { activeRouter: { address: formatIpv4(heard.source), priority: heard.priority } }),
    preemptMode: router.preemptMode,
    handingOver: phase.name === 'active' && phase.handover !== undefined,
    peers: [...running.peers.rows].map((peer) => peerStatus(peer, now, wallMs)),
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
function holdReasons(state: StateName, faults: readonly string[], pending: readonly string[]): readonly string[] {
  if (state !== 'fault' && state !== 'initialize') return [];
  return [...faults.map((id) => `${id} failed`), ...pending.map((id) => `${id} has no result yet`)];
}

function peerStatus(peer: Peer, now: Instant, wallMs: Millis): ElectionRouterStatus['peers'][number] {
  const ago: Micros = now - peer.lastHeardAt;
  return {
    address: formatIpv4(peer.source),
    lastHeardWallMs: wallMs - Math.round(ago / 1000),
    priority: peer.priority,
    interval: peer.interval,
    advertisements: peer.advertisements,
    ...(peer.checksumForm === undefined ? {} : { checksumForm: peer.checksumForm }),
  };
}
