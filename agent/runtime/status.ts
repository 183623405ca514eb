/** A snapshot of the election thread for the worker. */
import { formatIp } from '../../proto/rules/ip.js';
import type { Instant, Millis } from '../../proto/rules/time.js';
import type { Channels } from './channels.js';
import type { InterfaceTable } from './interface-table.js';
import type { Lag } from './lag.js';
import type { ElectionItemStatus, ElectionStatus } from './messages.js';
import type { Roster } from './roster.js';
import { routerStatus } from './router-status.js';
import type { TrackHolds } from './track-holds.js';

export interface StatusSources {
  readonly now: Instant;
  readonly wallMs: Millis;
  readonly roster: Roster;
  readonly hostItems: readonly ElectionItemStatus[];
  readonly channels: Channels;
  readonly table: InterfaceTable;
  readonly holds: TrackHolds;
  readonly lag: Lag['status'];
}

export function electionStatus({
  now,
  wallMs,
  roster,
  hostItems,
  channels,
  table,
  holds,
  lag,
}: StatusSources): ElectionStatus {
  // One that leaves, while another has its name already, would be taken for it.
  const leaving = [...roster.leaving].filter(({ name }) => !roster.running.has(name));
  return {
    at: now,
    wallMs,
    routers: [...roster.running.values(), ...leaving].map((router) => routerStatus(router, holds, now, wallMs)),
    groups: [...roster.groups.values()].map(({ settings, state, sinceWallMs }) => ({
      name: settings.name,
      state,
      sinceWallMs,
      policy: settings.policy,
      routers: settings.routers,
    })),
    hostItems,
    interfaces: [...channels.all].map((channel) => ({
      name: channel.name,
      up: table.link(channel.name)?.isUp === true && channel.isOpen,
      counters: channel.packetCounters,
      foreign: channel.foreign.rows.map(({ vrid, source, advertisements, lastAt }) => ({
        vrid,
        source: formatIp(source),
        advertisements,
        lastWallMs: wallMs - Math.round((now - lastAt) / 1000),
      })),
    })),
    lag,
  };
}
