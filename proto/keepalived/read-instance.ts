/** Reads the lines of one vrrp_instance; what they mean together is settled afterwards. */
import type { Route, Rule } from '../gen/baton/v1/resources.js';
import { MICROS_PER_SECOND, type Micros } from '../rules/time.js';
import { type Handler, singleValue, walkBlock } from './block.js';
import type { HmacSettings, InstanceHooks, Item, UnicastPeer, VirtualAddress } from './config.js';
import type { HostEdges } from './edges.js';
import { INTERFACE_RULE, isInterfaceName } from './interface-name.js';
import { readAddresses } from './read-addresses.js';
import { readAuthentication } from './read-authentication.js';
import { readNotify } from './read-command.js';
import { garpHandlers, type PartialGarp } from './read-garp.js';
import { MAX_DOWN_TIMER_ADVERTS, readGroup, reportStrict } from './read-global.js';
import { readHmac } from './read-hmac.js';
import { readSwitch, readTime, readWhole } from './read-number.js';
import { readPeers } from './read-peers.js';
import { readRoutes } from './read-routes.js';
import { readRules } from './read-rules.js';
import { emptyTracks, type RawTracks, trackHandlers } from './read-tracks.js';
import { type RawVirtualMac, readVirtualMac } from './read-virtual-mac.js';
import type { Origin } from './remark.js';
import { quoted, type Remarks } from './remarks.js';
import type { TableNames } from './rtnetlink-names.js';
import type { Statement } from './tree.js';
import { parseAddress, parseSwitch } from './values.js';

/** Undefined or false: not given, or given in a way that keepalived ignores. */
export interface RawInstance {
  readonly name: string;
  readonly origin: Origin;
  /** Where each keyword stood last. */
  readonly origins: Map<string, Origin>;
  state: 'MASTER' | 'BACKUP' | undefined;
  interface: string | undefined;
  vrid: number | undefined;
  priority: number | undefined;
  advertisementInterval: Micros | undefined;
  version: 2 | 3 | undefined;
  noPreempt: boolean;
  preemptDelay: Micros | undefined;
  authenticationType: 'PASS' | 'AH' | undefined;
  password: string | undefined;
  hmac: HmacSettings | undefined;
  /** Of the first thing that has one: source, peer, address or group. */
  family: 4 | 6 | undefined;
  sourceAddress: string | undefined;
  unicastKeyword: boolean;
  readonly unicastPeers: UnicastPeer[];
  unicastTtl: number | undefined;
  multicastGroup: { readonly value: string | undefined } | undefined;
  readonly addresses: VirtualAddress[];
  readonly excludedAddresses: VirtualAddress[];
  readonly routes: Item<Route>[];
  readonly rules: Item<Rule>[];
  virtualMac: RawVirtualMac | undefined;
  downTimerAdverts: number | undefined;
  timerExpiredBackup: number | undefined;
  readonly tracks: RawTracks;
  /** Keywords that are on or off, by themselves. */
  readonly switches: Map<string, boolean>;
  readonly hooks: { -readonly [K in keyof InstanceHooks]: InstanceHooks[K] };
  readonly garp: PartialGarp;
}

/** What reading an instance needs of its surroundings. */
export interface InstanceSurroundings {
  readonly host: HostEdges | undefined;
  readonly tables: TableNames;
}

const MIN_INTERVAL: Micros = 10_000;
const MAX_INTERVAL: Micros = 255 * MICROS_PER_SECOND;
const MAX_PREEMPT_DELAY: Micros = 1_000 * MICROS_PER_SECOND;
const DEFAULT_PRIORITY = 100;

/** Undefined and reported when it has no name. */
export function readInstance(
  statement: Statement,
  surroundings: InstanceSurroundings,
  remarks: Remarks,
): RawInstance | undefined {
  const name = singleValue(statement, remarks);
  if (name === undefined) return undefined;
  const raw: RawInstance = {
    name,
    origin: statement.origin,
    origins: new Map(),
    state: undefined,
    interface: undefined,
    vrid: undefined,
    priority: undefined,
    advertisementInterval: undefined,
    version: undefined,
    noPreempt: false,
    preemptDelay: undefined,
    authenticationType: undefined,
    password: undefined,
    hmac: undefined,
    family: undefined,
    sourceAddress: undefined,
    unicastKeyword: false,
    unicastPeers: [],
    unicastTtl: undefined,
    multicastGroup: undefined,
    addresses: [],
    excludedAddresses: [],
    routes: [],
    rules: [],
    virtualMac: undefined,
    downTimerAdverts: undefined,
    timerExpiredBackup: undefined,
    tracks: emptyTracks(),
    switches: new Map(),
    hooks: {
      master: undefined,
      backup: undefined,
      fault: undefined,
      stop: undefined,
      any: undefined,
      deleted: undefined,
      lowerPriority: undefined,
    },
    garp: {},
  };
  walkBlock('vrrp_instance', statement.block ?? [], handlersOf(raw, surroundings, remarks), remarks);
  return raw;
}

/** Keywords that may stand several times. */
const REPEATABLE: ReadonlySet<string> = new Set([
  'virtual_ipaddress',
  'virtual_ipaddress_excluded',
  'virtual_routes',
  'virtual_rules',
  'unicast_peer',
  'track_interface',
  'track_script',
  'track_file',
  'track_process',
  'track_bfd',
]);

/** Keywords that are on by themselves and may be followed by a switch. */
const SWITCHES = [
  'smtp_alert',
  'v3_checksum_as_v2',
  'lower_prio_no_advert',
  'higher_prio_send_advert',
  'owner_ignore_adverts',
  'notify_priority_changes',
] as const;

/** Keywords without a value. */
const BARE: ReadonlySet<string> = new Set([
  'preempt',
  'nopreempt',
  'accept',
  'no_accept',
  'use_vmac_addr',
  'vmac_xmit_base',
  'no_virtual_ipaddress',
  'promote_secondaries',
  'dont_track_primary',
  'unicast_fault_no_peer',
]);

function handlersOf(
  raw: RawInstance,
  { host, tables }: InstanceSurroundings,
  remarks: Remarks,
): Readonly<Record<string, Handler>> {
  const notify = (hook: keyof InstanceHooks): Handler => {
    return (line) => {
      if (raw.hooks[hook] !== undefined) {
        remarks.warning(line.origin, `${line.words[0]} is there already; the first one counts, as in keepalived`);
        return;
      }
      raw.hooks[hook] = readNotify(line, remarks);
    };
  };
  const handlers: Record<string, Handler> = {
    state: (line) => {
      raw.state = readState(line, remarks) ?? raw.state;
    },
    interface: (line) => {
      raw.interface = readInterface(line, remarks) ?? raw.interface;
    },
    virtual_router_id: (line) => {
      raw.vrid = readWhole(line, [1, 255], 'the instance has none', remarks) ?? raw.vrid;
    },
    priority: (line) => {
      raw.priority = readWhole(line, [1, 255], `${DEFAULT_PRIORITY} is used`, remarks) ?? DEFAULT_PRIORITY;
    },
    advert_int: (line) => {
      const value = readTime(line, [MIN_INTERVAL, MAX_INTERVAL], 'the default of 1s is used', remarks);
      raw.advertisementInterval = value ?? raw.advertisementInterval;
    },
    version: (line) => readVersion(line, raw, remarks),
    ...Object.fromEntries(
      SWITCHES.map((keyword) => [
        keyword,
        (line: Statement): void => {
          const value = readSwitch(line, remarks);
          if (value !== undefined) raw.switches.set(keyword, value);
        },
      ]),
    ),
    ...Object.fromEntries([...BARE].map((keyword) => [keyword, (): unknown => raw.switches.set(keyword, true)])),
    preempt: () => {
      raw.noPreempt = false;
    },
    nopreempt: () => {
      raw.noPreempt = true;
    },
    accept: () => {
      raw.switches.set('accept', true);
    },
    no_accept: ({ origin }) => {
      raw.switches.set('accept', false);
      raw.origins.set('accept', origin);
    },
    preempt_delay: (line) => {
      raw.preemptDelay = readTime(line, [0, MAX_PREEMPT_DELAY], 'there is none', remarks) ?? raw.preemptDelay;
    },
    mcast_src_ip: (line) => readSource(line, raw, remarks),
    unicast_src_ip: (line) => {
      raw.unicastKeyword = true;
      readSource(line, raw, remarks);
    },
    unicast_peer: (line) => {
      raw.unicastKeyword = true;
      const from = raw.unicastPeers.length;
      readPeers(line, raw.unicastPeers, remarks);
      keepFamily(raw, raw.unicastPeers, from, ({ value }) => (value.includes(':') ? 6 : 4), 'is ignored', remarks);
    },
    unicast_ttl: (line) => {
      raw.unicastTtl = readWhole(line, [1, 255], 'the line is ignored', remarks) ?? raw.unicastTtl;
    },
    authentication: (line) => {
      const { type, password } = readAuthentication(line, remarks);
      raw.authenticationType = type ?? raw.authenticationType;
      raw.password = password ?? raw.password;
    },
    auth_hmac: (line) => {
      raw.hmac ??= readHmac(line, host, remarks);
    },
    virtual_ipaddress: (line) => {
      const from = raw.addresses.length;
      readAddresses(line, 'virtual', raw.addresses, remarks);
      const fate = 'will not be moved; write it into virtual_ipaddress_excluded or an instance of its own';
      keepFamily(raw, raw.addresses, from, ({ family }) => family, fate, remarks);
    },
    virtual_ipaddress_excluded: (line) => readAddresses(line, 'excluded', raw.excludedAddresses, remarks),
    virtual_routes: (line) => readRoutes(line, raw.routes, false, tables, remarks),
    virtual_rules: (line) => readRules(line, raw.rules, false, tables, remarks),
    use_vmac: (line) => {
      raw.virtualMac = readVirtualMac(line, remarks);
    },
    ...trackHandlers(raw.tracks, remarks),
    notify_master: notify('master'),
    notify_backup: notify('backup'),
    notify_fault: notify('fault'),
    notify_stop: notify('stop'),
    notify: notify('any'),
    notify_deleted: notify('deleted'),
    notify_master_rx_lower_pri: notify('lowerPriority'),
    mcast_dst_ip: (line) => {
      const group = readGroup(line, raw.family, remarks);
      if (group === undefined) return;
      raw.family ??= group.family;
      raw.multicastGroup = { value: group.value };
    },
    down_timer_adverts: (line) => {
      raw.downTimerAdverts =
        readWhole(line, [1, MAX_DOWN_TIMER_ADVERTS], 'the line is ignored', remarks) ?? raw.downTimerAdverts;
    },
    timer_expired_backup: (line) => readTimerExpired(line, raw, remarks),
    thread_timer_expired: (line) => readTimerExpired(line, raw, remarks),
    strict_mode: (line) => {
      const strict = readSwitch(line, remarks);
      if (strict !== undefined) raw.switches.set('strict_mode', strict);
      if (strict === true) reportStrict(line, remarks);
    },
    ...garpHandlers(raw.garp, '', remarks),
  };
  return Object.fromEntries(
    Object.entries(handlers).map(([keyword, handle]) => [
      keyword,
      (line: Statement): void => {
        const before = raw.origins.get(keyword);
        if (before !== undefined && !REPEATABLE.has(keyword) && !keyword.startsWith('notify')) {
          const counts = keyword === 'version' ? 'first' : 'last';
          remarks.warning(
            line.origin,
            `${keyword} stands in line ${before.line} already; the ${counts} one counts, as in keepalived`,
          );
        }
        raw.origins.set(keyword, line.origin);
        if (BARE.has(keyword)) reportBare(line, remarks);
        handle(line);
      },
    ]),
  );
}

function reportBare(line: Statement, remarks: Remarks): void {
  const word = line.words[1];
  if (word === undefined) return;
  const off = parseSwitch(word) === false;
  remarks.add(
    off ? 'error' : 'warning',
    line.origin,
    `${line.words[0]} takes no value; ${quoted(word)} is ignored, as in keepalived${off ? `, so it is ${line.words[0]} all the same` : ''}`,
  );
}

function readState(line: Statement, remarks: Remarks): RawInstance['state'] {
  const word = singleValue(line, remarks);
  if (word === undefined || word === 'MASTER' || word === 'BACKUP') return word;
  remarks.error(line.origin, `state ${quoted(word)} is neither MASTER nor BACKUP; BACKUP is used, as in keepalived`);
  return 'BACKUP';
}

function readInterface(line: Statement, remarks: Remarks): string | undefined {
  const word = singleValue(line, remarks);
  if (word === undefined) return undefined;
  if (!isInterfaceName(word)) {
    remarks.error(line.origin, `interface ${quoted(word)} cannot exist: ${INTERFACE_RULE}`);
    return undefined;
  }
  return word;
}

function readVersion(line: Statement, raw: RawInstance, remarks: Remarks): void {
  const value = readWhole(line, [2, 3], 'the line is ignored', remarks);
  if (value === undefined || raw.version !== undefined) return;
  raw.version = value === 2 ? 2 : 3;
}

function readSource(line: Statement, raw: RawInstance, remarks: Remarks): void {
  const word = singleValue(line, remarks);
  const parsed = word === undefined ? undefined : parseAddress(word);
  if (word === undefined) return;
  if (parsed === undefined || (raw.family !== undefined && raw.family !== parsed.family)) {
    const reason = parsed === undefined ? 'is not an IP address' : `is not of the instance's family, IPv${raw.family}`;
    remarks.error(line.origin, `${line.words[0]} ${quoted(word)} ${reason}; the interface's own address would be used`);
    return;
  }
  raw.family ??= parsed.family;
  raw.sourceAddress = parsed.address;
}

/** Takes those from `from` on out of the list that are not of the instance's family, which the first one decides. */
function keepFamily<T extends { readonly origin: Origin }>(
  raw: RawInstance,
  list: T[],
  from: number,
  familyOf: (entry: T) => 4 | 6,
  fate: string,
  remarks: Remarks,
): void {
  for (const entry of list.splice(from)) {
    const family = familyOf(entry);
    raw.family ??= family;
    if (family === raw.family) list.push(entry);
    else {
      remarks.error(
        entry.origin,
        `IPv${family} address in ${quoted(raw.name)}, which is an IPv${raw.family} instance, as in keepalived; it ${fate}`,
      );
    }
  }
}

/** `timer_expired_backup [PRIORITY]`. */
function readTimerExpired(line: Statement, raw: RawInstance, remarks: Remarks): void {
  if (line.words[1] === undefined) raw.timerExpiredBackup = GREATEST_BACKUP_PRIORITY;
  else {
    raw.timerExpiredBackup =
      readWhole(line, [1, GREATEST_BACKUP_PRIORITY], 'the line is ignored', remarks) ?? raw.timerExpiredBackup;
  }
}

const GREATEST_BACKUP_PRIORITY = 254;
