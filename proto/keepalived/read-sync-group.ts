/** Reads one vrrp_sync_group; what its lines mean together is settled when all instances are known. */
import { type Handler, listedWords, singleValue, walkBlock } from './block.js';
import type { InstanceHooks, SyncGroup } from './config.js';
import { readNotify } from './read-command.js';
import type { GlobalSettings } from './read-global.js';
import { readSwitch } from './read-number.js';
import {
  emptyTracks,
  mapTracks,
  type RawTracks,
  resolveTracks,
  type TrackedTables,
  trackHandlers,
} from './read-tracks.js';
import type { Located, Origin } from './remark.js';
import { quoted, type Remarks } from './remarks.js';
import type { Statement } from './tree.js';

type GroupHooks = { -readonly [K in keyof SyncGroup['hooks']]: InstanceHooks[K] };

export interface RawSyncGroup {
  readonly name: string;
  readonly origin: Origin;
  readonly order: number;
  readonly origins: Map<string, Origin>;
  members: readonly Located<string>[] | undefined;
  readonly tracks: RawTracks;
  readonly hooks: GroupHooks;
  smtpAlert: boolean | undefined;
  trackingWeight: boolean;
  priorityChanges: boolean | undefined;
}

/** Undefined and reported when it has no name. */
export function readSyncGroup(statement: Statement, order: number, remarks: Remarks): RawSyncGroup | undefined {
  const name = singleValue(statement, remarks);
  if (name === undefined) return undefined;
  const raw: RawSyncGroup = {
    name,
    origin: statement.origin,
    order,
    origins: new Map(),
    members: undefined,
    tracks: emptyTracks(),
    hooks: { master: undefined, backup: undefined, fault: undefined, stop: undefined, any: undefined },
    smtpAlert: undefined,
    trackingWeight: false,
    priorityChanges: undefined,
  };
  const notify = (hook: keyof GroupHooks): Handler => {
    return (line) => {
      if (raw.hooks[hook] !== undefined) {
        remarks.warning(line.origin, `${line.words[0]} is there already; the first one counts, as in keepalived`);
      } else raw.hooks[hook] = readNotify(line, remarks);
    };
  };
  const handlers: Record<string, Handler> = {
    group: (line) => {
      if (raw.members !== undefined) {
        remarks.error(line.origin, 'group is there already; the first one counts, as in keepalived');
        return;
      }
      raw.members = listedWords(line, remarks).map(({ word, origin }) => ({ value: word, origin }));
    },
    ...trackHandlers(raw.tracks, remarks),
    notify_master: notify('master'),
    notify_backup: notify('backup'),
    notify_fault: notify('fault'),
    notify_stop: notify('stop'),
    notify: notify('any'),
    smtp_alert: (line) => {
      raw.smtpAlert = readSwitch(line, remarks) ?? raw.smtpAlert;
    },
    sync_group_tracking_weight: (line) => {
      raw.trackingWeight = readSwitch(line, remarks) ?? raw.trackingWeight;
    },
    notify_priority_changes: (line) => {
      raw.priorityChanges = readSwitch(line, remarks) ?? raw.priorityChanges;
    },
  };
  const recorded = Object.fromEntries(
    Object.entries(handlers).map(([keyword, handle]) => [
      keyword,
      (line: Statement): void => {
        raw.origins.set(keyword, line.origin);
        handle(line);
      },
    ]),
  );
  walkBlock('vrrp_sync_group', statement.block ?? [], recorded, remarks);
  return raw;
}

/** The groups without members that are unknown or in a group before; groups that are left empty are left out. */
export function settleMembers(
  groups: readonly RawSyncGroup[],
  isInstance: (name: string) => boolean,
  remarks: Remarks,
): ReadonlyMap<RawSyncGroup, readonly Located<string>[]> {
  const homes = new Map<string, RawSyncGroup>();
  const settled = new Map<RawSyncGroup, readonly Located<string>[]>();
  for (const group of groups) {
    const members = (group.members ?? []).filter(({ value, origin }) => {
      const home = homes.get(value);
      if (!isInstance(value)) {
        remarks.error(
          origin,
          `vrrp_sync_group ${quoted(group.name)}: there is no vrrp_instance ${quoted(value)}; it is left out, as in keepalived`,
        );
        return false;
      }
      if (home !== undefined) {
        const where = home === group ? 'in it already' : `in ${quoted(home.name)} already`;
        remarks.error(
          origin,
          `vrrp_sync_group ${quoted(group.name)}: ${quoted(value)} is ${where}; it is left out here, as in keepalived`,
        );
        return false;
      }
      homes.set(value, group);
      return true;
    });
    if (members.length === 0) {
      remarks.error(
        group.origin,
        `vrrp_sync_group ${quoted(group.name)} has no instances; it is left out, as in keepalived`,
      );
      continue;
    }
    if (members.length === 1) {
      remarks.warning(
        group.origin,
        `vrrp_sync_group ${quoted(group.name)} has one instance only; it changes nothing but notices`,
      );
    }
    settled.set(group, members);
  }
  return settled;
}

/** `hasOwner`: a member has priority 255. */
export function completeSyncGroup(
  raw: RawSyncGroup,
  members: readonly Located<string>[],
  hasOwner: boolean,
  settings: GlobalSettings,
  tables: TrackedTables,
  remarks: Remarks,
): SyncGroup {
  const fill = (command: InstanceHooks['any']): InstanceHooks['any'] =>
    command && { ...command, user: command.user ?? settings.scriptUser };
  const resolved = resolveTracks(raw.tracks, tables, raw.order, raw.name, remarks);
  const tracks = mapTracks(resolved, (entry) => {
    if (!hasOwner || entry.weight === 0) return entry;
    remarks.warning(
      entry.origin,
      `${quoted(entry.name)} has weight ${entry.weight}, but a member has priority 255, which never moves; it counts as weight 0 (fault), as in keepalived`,
    );
    return { ...entry, weight: 0 };
  });
  return {
    name: raw.name,
    origin: raw.origin,
    origins: raw.origins,
    members,
    ...tracks,
    hooks: {
      master: fill(raw.hooks.master),
      backup: fill(raw.hooks.backup),
      fault: fill(raw.hooks.fault),
      stop: fill(raw.hooks.stop),
      any: fill(raw.hooks.any),
    },
    smtpAlert: raw.smtpAlert ?? settings.smtpAlertVrrp ?? settings.smtpAlert ?? false,
    trackingWeight: raw.trackingWeight,
    priorityChanges: raw.priorityChanges,
  };
}
