/** Reads one host's keepalived.conf with all that it includes. */
import type { Route, Rule } from '../gen/baton/v1/resources.js';
import { type Handler, walkBlock } from './block.js';
import { completeInstance } from './complete-instance.js';
import type {
  AnnouncementGroup,
  HostItems,
  InterfaceDelays,
  Item,
  KeepalivedConfig,
  SyncGroup,
  Tracked,
  TrackGroup,
  VirtualAddress,
  VrrpInstance,
} from './config.js';
import type { SourceEdges } from './edges.js';
import { readPieces } from './lines.js';
import { readAddresses } from './read-addresses.js';
import { emptyGlobalSettings, type GlobalSettings, readGlobal } from './read-global.js';
import { readInstance } from './read-instance.js';
import { readGarpGroup, readInterfaceDelays, readTrackGroup } from './read-network.js';
import { readRoutes } from './read-routes.js';
import { readRules } from './read-rules.js';
import { completeSyncGroup, type RawSyncGroup, readSyncGroup, settleMembers } from './read-sync-group.js';
import { readBfd, readTrackFile, readTrackProcess } from './read-tracked.js';
import { readVrrpScript } from './read-vrrp-script.js';
import type { Remark } from './remark.js';
import { quoted, Remarks } from './remarks.js';
import { parseTableNames, type TableNames } from './rtnetlink-names.js';
import { buildTree, type Statement } from './tree.js';

/** Which host the file is read for: conditional lines (`@id`) depend on it. */
export interface HostIdentity {
  /** keepalived's --config-id. Absent: the first label of `hostName`. */
  readonly configId?: string | undefined;
  /** Absent as well: conditional lines are errors. */
  readonly hostName?: string | undefined;
}

const TABLE_NAMES = '/etc/iproute2/rt_tables';

/**
 * Never throws: whatever the file holds, the answer is what could be understood and the remarks on the rest. `path` is
 * as it shall appear in remarks. global_defs counts for the whole file, wherever it stands.
 */
export function readKeepalived(
  path: string,
  edges: SourceEdges,
  identity: HostIdentity = {},
): { readonly config: KeepalivedConfig; readonly remarks: readonly Remark[] } {
  const remarks = new Remarks();
  const configId = identity.configId ?? identity.hostName?.split('.', 1)[0];
  const tree = buildTree(readPieces(path, edges, { configId }, remarks), remarks);
  const settings = emptyGlobalSettings();
  const blocks = collectBlocks(tree, settings, remarks);
  const tables = tableNames(edges);

  const scripts = named(blocks.scripts, remarks, (statement, order) =>
    readVrrpScript(statement, order, settings.scriptUser, remarks),
  );
  const trackFiles = named(blocks.trackFiles, remarks, (statement, order) => readTrackFile(statement, order, remarks));
  const trackProcesses = named(blocks.trackProcesses, remarks, (statement, order) =>
    readTrackProcess(statement, order, remarks),
  );
  const bfds = named(blocks.bfds, remarks, (statement, order) => readBfd(statement, order, remarks));
  const tracked = {
    trackScripts: scripts,
    trackFiles,
    trackProcesses,
    trackBfds: bfds,
  };

  const surroundings = { host: edges.host, tables };
  const raws = named(blocks.instances, remarks, (statement, order) => {
    const raw = readInstance(statement, surroundings, remarks);
    return raw && { ...raw, order };
  });
  const rawGroups = named(blocks.groups, remarks, (statement, order) => readSyncGroup(statement, order, remarks));
  const memberships = settleMembers([...rawGroups.values()], (name) => raws.has(name), remarks);
  const groupOf = new Map<string, RawSyncGroup>(
    [...memberships].flatMap(([group, members]) => members.map(({ value }) => [value, group] as const)),
  );
  const instances = [...raws.values()].flatMap((raw) => {
    const context = { order: raw.order, settings, tables: tracked, group: groupOf.get(raw.name) };
    return completeInstance(raw, context, remarks) ?? [];
  });
  const syncGroups = [...memberships].flatMap(([raw, members]): SyncGroup[] => {
    const left = members.filter(({ value }) => instances.some(({ name }) => name === value));
    if (left.length === 0) return [];
    const hasOwner = left.some(({ value }) => instances.find(({ name }) => name === value)?.priority === 255);
    return [completeSyncGroup(raw, left, hasOwner, settings, tracked, remarks)];
  });
  const network = readNetwork(blocks, settings, tables, (name) => raws.has(name), remarks);

  reportSharedIdentifiers(instances, remarks);
  reportMixedOwners(syncGroups, instances, remarks);
  reportUnused(tracked, [...instances, ...syncGroups], remarks);
  if (raws.size === 0 && !remarks.list().some((remark) => remark.severity === 'error')) {
    remarks.warning({ file: path, line: 1 }, 'the file has no vrrp_instance: there is nothing to run');
  }
  return {
    config: {
      file: path,
      global: settings.definitions,
      scripts: [...scripts.values()],
      trackFiles: [...trackFiles.values()],
      trackProcesses: [...trackProcesses.values()],
      bfdInstances: [...bfds.values()],
      instances,
      syncGroups,
      network,
    },
    remarks: remarks.list(),
  };
}

/** A top-level block with its position. */
interface Placed {
  readonly statement: Statement;
  readonly order: number;
}

type Blocks = Readonly<
  Record<
    | 'scripts'
    | 'trackFiles'
    | 'trackProcesses'
    | 'bfds'
    | 'instances'
    | 'groups'
    | 'addresses'
    | 'routes'
    | 'rules'
    | 'trackGroups'
    | 'garpGroups'
    | 'delays',
    Placed[]
  >
>;

/** Sorts the top-level blocks by kind and reads the global settings, which all others may need. */
function collectBlocks(tree: readonly Statement[], settings: GlobalSettings, remarks: Remarks): Blocks {
  const blocks: Blocks = {
    scripts: [],
    trackFiles: [],
    trackProcesses: [],
    bfds: [],
    instances: [],
    groups: [],
    addresses: [],
    routes: [],
    rules: [],
    trackGroups: [],
    garpGroups: [],
    delays: [],
  };
  let order = 0;
  const collect = (kind: keyof Blocks): Handler => {
    return (statement) => {
      order += 1;
      blocks[kind].push({ statement, order });
    };
  };
  const handlers: Record<string, Handler> = {
    global_defs: (statement) => readGlobal(statement, settings, remarks),
    vrrp_script: collect('scripts'),
    track_file: collect('trackFiles'),
    vrrp_track_file: collect('trackFiles'),
    vrrp_track_process: collect('trackProcesses'),
    bfd_instance: collect('bfds'),
    vrrp_instance: collect('instances'),
    vrrp_sync_group: collect('groups'),
    static_ipaddress: collect('addresses'),
    static_routes: collect('routes'),
    static_rules: collect('rules'),
    track_group: collect('trackGroups'),
    garp_group: collect('garpGroups'),
    interface_up_down_delays: collect('delays'),
  };
  walkBlock('top', tree, handlers, remarks);
  return blocks;
}

/** Reads blocks that have a name of their own; one that is there already is reported and left out. */
function named<T extends { readonly name: string; readonly origin: Placed['statement']['origin'] }>(
  blocks: readonly Placed[],
  remarks: Remarks,
  read: (statement: Statement, order: number) => T | undefined,
): Map<string, T> {
  const found = new Map<string, T>();
  for (const { statement, order } of blocks) {
    const item = read(statement, order);
    if (item === undefined) continue;
    const first = found.get(item.name);
    if (first === undefined) {
      found.set(item.name, item);
      continue;
    }
    remarks.error(
      item.origin,
      `${statement.words[0]} ${quoted(item.name)} stands in ${first.origin.file}:${first.origin.line} already; this one is left out, as in keepalived`,
    );
  }
  return found;
}

function tableNames({ host }: SourceEdges): TableNames {
  const content = host?.readFile(TABLE_NAMES);
  return content?.ok === true ? parseTableNames(Buffer.from(content.bytes).toString('utf8')) : new Map();
}

function readNetwork(
  blocks: Blocks,
  settings: GlobalSettings,
  tables: TableNames,
  isInstance: (name: string) => boolean,
  remarks: Remarks,
): HostItems {
  const addresses: VirtualAddress[] = [];
  const routes: Item<Route>[] = [];
  const rules: Item<Rule>[] = [];
  const limits: AnnouncementGroup[] = [];
  const delays: InterfaceDelays[] = [];
  const limited = new Set<string>();
  const orders = new Map<object, number>();
  const each = <T extends object>(placed: readonly Placed[], list: T[], read: (statement: Statement) => void): void => {
    for (const { statement, order } of placed) {
      const from = list.length;
      read(statement);
      for (const item of list.slice(from)) orders.set(item, order);
    }
  };
  each(blocks.addresses, addresses, (statement) => readAddresses(statement, 'static', addresses, remarks));
  each(blocks.routes, routes, (statement) => readRoutes(statement, routes, true, tables, remarks));
  each(blocks.rules, rules, (statement) => readRules(statement, rules, true, tables, remarks));
  for (const { statement } of blocks.garpGroups) readGarpGroup(statement, limited, limits, remarks);
  for (const { statement } of blocks.delays) readInterfaceDelays(statement, delays, remarks);
  const groups = named(blocks.trackGroups, remarks, (statement, order) => {
    const group = readTrackGroup(statement, remarks);
    return group && { ...group, order };
  });
  const trackGroups = [...groups.values()].map(({ order: _, ...group }): TrackGroup => {
    const members = group.members.filter(({ value, origin }) => {
      if (isInstance(value)) return true;
      remarks.error(
        origin,
        `track_group ${quoted(group.name)}: there is no vrrp_instance ${quoted(value)}; it is left out, as in keepalived`,
      );
      return false;
    });
    return { ...group, members };
  });
  const known = <T extends Pick<VirtualAddress, 'trackGroup' | 'origin'>>(item: T): T => {
    if (item.trackGroup === undefined) return item;
    const group = groups.get(item.trackGroup);
    if (group === undefined) {
      remarks.error(
        item.origin,
        `track_group ${quoted(item.trackGroup)} does not exist; the item is in none, as in keepalived`,
      );
      return { ...item, trackGroup: undefined };
    }
    if (group.order > (orders.get(item) ?? 0)) {
      remarks.warning(
        item.origin,
        `track_group ${quoted(item.trackGroup)} stands further down, so keepalived ignores the word; Baton does not`,
      );
    }
    return item;
  };
  return {
    addresses: addresses.map((entry) => {
      const settled = known(entry);
      if (entry.device !== undefined) return settled;
      remarks.note(
        entry.origin,
        `${entry.address} has no dev, so it is on ${settings.defaultInterface} (default_interface), as in keepalived`,
      );
      return { ...settled, device: settings.defaultInterface };
    }),
    routes: routes.map(known),
    rules: rules.map(known),
    trackGroups,
    limits,
    delays,
  };
}

/** keepalived refuses to start over one VRID twice on an interface. */
function reportSharedIdentifiers(instances: readonly VrrpInstance[], remarks: Remarks): void {
  const seen = new Map<string, VrrpInstance>();
  for (const instance of instances) {
    const key = `${instance.interface} ${instance.vrid} ${instance.family}`;
    const first = seen.get(key);
    if (first === undefined) {
      seen.set(key, instance);
      continue;
    }
    if (instance.unicastPeers !== undefined && first.unicastPeers !== undefined) continue;
    remarks.error(
      instance.origins.get('virtual_router_id') ?? instance.origin,
      `${quoted(first.name)} and ${quoted(instance.name)} both use VRID ${instance.vrid} on ${instance.interface}; keepalived does not start over this`,
    );
  }
}

function reportMixedOwners(groups: readonly SyncGroup[], instances: readonly VrrpInstance[], remarks: Remarks): void {
  for (const group of groups) {
    const members = instances.filter(({ name }) => group.members.some(({ value }) => value === name));
    const owners = members.filter(({ priority }) => priority === 255);
    if (owners.length === 0 || owners.length === members.length) continue;
    remarks.error(
      group.origin,
      `vrrp_sync_group ${quoted(group.name)} has members with priority 255 and others: an owner cannot wait for them; give all or none priority 255`,
    );
  }
}

const MADE_BY = {
  trackScripts: 'vrrp_script',
  trackFiles: 'track_file',
  trackProcesses: 'vrrp_track_process',
  trackBfds: 'bfd_instance',
} as const;

function reportUnused(
  tracked: Readonly<Record<keyof typeof MADE_BY, ReadonlyMap<string, Tracked>>>,
  owners: readonly Pick<VrrpInstance, keyof typeof MADE_BY>[],
  remarks: Remarks,
): void {
  for (const list of Object.keys(MADE_BY) as (keyof typeof MADE_BY)[]) {
    const used = new Set(owners.flatMap((owner) => owner[list].map((entry) => entry.name)));
    for (const item of tracked[list].values()) {
      if (used.has(item.name)) continue;
      remarks.note(item.origin, `${MADE_BY[list]} ${quoted(item.name)} is tracked by no instance, so it is not run`);
    }
  }
}
