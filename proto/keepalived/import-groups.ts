/** vrrp_sync_groups of several hosts as SyncGroup resources. */
import {
  type Hooks,
  type Resource,
  SyncGroupSpec,
  SyncPolicy,
  type VirtualRouterSpec,
} from '../gen/baton/v1/resources.js';
import { KEEPALIVED_NAME_LABEL } from '../rules/names.js';
import type { SyncGroup } from './config.js';
import { importHooks } from './import-hooks.js';
import type { NamedHost } from './import-host.js';
import type { ImportedReceivers } from './import-mail.js';
import { type ImportedTracked, splitTracks, tracksOf } from './import-tracks.js';
import { NameBook, resourceName } from './names.js';
import type { Origin } from './remark.js';
import { quoted, type Remarks } from './remarks.js';

/** What the instances became. */
export interface ImportedRouters {
  /** The VirtualRouter that a host's instance became. */
  readonly nameOf: (host: NamedHost, instance: string) => string | undefined;
  readonly specOf: (name: string) => VirtualRouterSpec | undefined;
}

/** One host's group, with the names of its routers. */
interface GroupPart {
  readonly host: NamedHost;
  readonly group: SyncGroup;
  readonly routers: readonly string[];
}

export interface ImportedGroups {
  readonly resources: readonly Resource[];
  /** "SyncGroup NAME" to its block. */
  readonly origins: ReadonlyMap<string, Origin>;
}

/** Groups of different hosts that have a router in common are one. Adds single hosts' tracks to `routers`' members. */
export function importGroups(
  hosts: readonly NamedHost[],
  routers: ImportedRouters,
  tracked: ImportedTracked,
  receivers: ImportedReceivers,
  remarks: Remarks,
): ImportedGroups {
  const book = new NameBook();
  const resources: Resource[] = [];
  const origins = new Map<string, Origin>();
  for (const parts of gather(hosts, routers)) {
    const [{ group }] = parts;
    const name = book.take(resourceName(group.name, 'group'));
    reportNames(name, parts, remarks);
    origins.set(`SyncGroup ${name}`, group.origin);
    resources.push({
      metadata: {
        name,
        labels: { [KEEPALIVED_NAME_LABEL]: group.name },
        generation: 0,
        createdAt: undefined,
        updatedAt: undefined,
      },
      spec: { $case: 'syncGroup', value: groupSpec(parts, routers, tracked, receivers, remarks) },
    });
  }
  return { resources, origins };
}

type Parts = readonly [GroupPart, ...GroupPart[]];

function gather(hosts: readonly NamedHost[], routers: ImportedRouters): readonly Parts[] {
  const gathered: [GroupPart, ...GroupPart[]][] = [];
  for (const host of hosts) {
    for (const group of host.config.syncGroups) {
      const names = group.members.flatMap(({ value }) => routers.nameOf(host, value) ?? []);
      if (names.length === 0) continue;
      const part = { host, group, routers: names };
      const home = gathered.find(
        (parts) =>
          parts.every((other) => other.host !== host) &&
          parts.some((other) => other.routers.some((router) => names.includes(router))),
      );
      if (home === undefined) gathered.push([part]);
      else home.push(part);
    }
  }
  return gathered;
}

function groupSpec(
  parts: Parts,
  routers: ImportedRouters,
  tracked: ImportedTracked,
  receivers: ImportedReceivers,
  remarks: Remarks,
): SyncGroupSpec {
  const names = [...new Set(parts.flatMap((part) => part.routers))];
  for (const part of parts) {
    const missing = names.filter(
      (name) =>
        !part.routers.includes(name) &&
        routers.specOf(name)?.members.some((member) => member.node === part.host.node) === true,
    );
    if (missing.length === 0) continue;
    remarks.error(
      part.group.origins.get('group') ?? part.group.origin,
      `vrrp_sync_group ${quoted(part.group.name)} has not the routers ${missing.join(', ')}, which other hosts' group has; one group has the same routers on all hosts`,
    );
  }
  const [{ group }] = parts;
  const trackingWeight = agreed(parts, 'sync_group_tracking_weight', (one) => one.trackingWeight, remarks);
  const { common, own } = splitTracks(parts.map((part) => tracksOf(part.host, part.group, tracked)));
  for (const [index, part] of parts.entries()) {
    for (const track of own[index] ?? []) {
      if (track.weight !== 0 && !trackingWeight) {
        remarks.error(
          part.group.origin,
          `vrrp_sync_group ${quoted(group.name)}: what only ${part.host.node} tracks is tracked by its members, where weights do not count without sync_group_tracking_weight; track it on all hosts`,
        );
      }
      for (const name of part.routers) {
        routers
          .specOf(name)
          ?.members.find((member) => member.node === part.host.node)
          ?.track.push({ ...track });
      }
    }
  }
  return SyncGroupSpec.create({
    routers: names,
    policy: SyncPolicy.ALL,
    track: common,
    hooks: hooksOf(parts, remarks),
    receivers: receiversOf(parts, receivers, remarks),
    trackingWeight,
  });
}

function agreed<T>(parts: Parts, keyword: string, get: (group: SyncGroup) => T, remarks: Remarks): T {
  const [first, ...others] = parts;
  const value = get(first.group);
  for (const { group } of others) {
    if (get(group) === value) continue;
    remarks.error(
      group.origins.get(keyword) ?? group.origin,
      `${keyword} of ${quoted(group.name)} differs from that in ${first.group.origin.file}:${first.group.origin.line}, which is taken; a group has one setting for all hosts`,
    );
  }
  return value;
}

function hooksOf(parts: Parts, remarks: Remarks): Hooks | undefined {
  const [first, ...others] = parts;
  const hooks = importHooks(first.host, first.group.hooks, false, remarks);
  for (const { host, group } of others) {
    if (JSON.stringify(importHooks(host, group.hooks, false, remarks)) === JSON.stringify(hooks)) continue;
    remarks.error(
      group.origin,
      `notify scripts or FIFO of ${quoted(group.name)} differ from those in ${first.group.origin.file}:${first.group.origin.line}, which are taken; a group has one set of hooks for all hosts`,
    );
  }
  return hooks;
}

function receiversOf(parts: Parts, receivers: ImportedReceivers, remarks: Remarks): string[] {
  const names = new Set<string>();
  for (const { host, group } of parts) {
    if (!group.smtpAlert) continue;
    const name = receivers.nameOf(host);
    if (name !== undefined) names.add(name);
    else {
      remarks.note(
        group.origins.get('smtp_alert') ?? group.origin,
        'smtp_alert: the file has no smtp_server with notification_email, so no mail is sent, by keepalived and by Baton',
      );
    }
  }
  return [...names];
}

function reportNames(name: string, parts: Parts, remarks: Remarks): void {
  const [{ group: first }, ...others] = parts;
  if (name !== first.name.toLowerCase()) {
    remarks.note(
      first.origin,
      `vrrp_sync_group ${quoted(first.name)} is group ${name} in Baton; label ${KEEPALIVED_NAME_LABEL} keeps its name for notify scripts and FIFO readers`,
    );
  }
  for (const { group } of others) {
    if (group.name === first.name) continue;
    remarks.warning(
      group.origin,
      `vrrp_sync_group ${quoted(group.name)} is the same group as ${quoted(first.name)} in ${first.origin.file}:${first.origin.line}; notify scripts and FIFO readers get the latter name`,
    );
  }
}
