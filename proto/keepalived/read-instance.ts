/** Reads the lines of one vrrp_instance; what they mean together is settled afterwards. */

import { MICROS_PER_SECOND, type Micros } from '../rules/time.js';
import { type Handler, singleValue, walkBlock } from './block.js';
import type { InstanceHooks, VirtualAddress } from './config.js';
import { INTERFACE_RULE, isInterfaceName } from './interface-name.js';
import { readAddresses, readPeers } from './read-addresses.js';
import { readNotify } from './read-command.js';
import { garpHandlers, type PartialGarp } from './read-garp.js';
import { reportDownTimer, reportGroup, reportStrict } from './read-global.js';
import { readSwitch, readTime, readWhole } from './read-number.js';
import { type RawTrack, readTracks } from './read-tracks.js';
import type { Located, Origin } from './remark.js';
import { quoted, type Remarks } from './remarks.js';
import type { Statement } from './tree.js';
import { looksLikeIpv6, parseIpv4, parseSwitch } from './values.js';

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
  sourceAddress: string | undefined;
  unicastKeyword: boolean;
  readonly unicastPeers: Located<string>[];
  readonly addresses: VirtualAddress[];
  hasIpv6: boolean;
  readonly trackInterfaces: RawTrack[];
  readonly trackScripts: RawTrack[];
  readonly hooks: { -readonly [K in keyof InstanceHooks]: InstanceHooks[K] };
  smtpAlert: boolean | undefined;
  readonly garp: PartialGarp;
  strict: boolean | undefined;
  checksumWithoutPseudoHeader: boolean | undefined;
}

/** RFC 2338 section 5.3.6: eight bytes. */
const PASSWORD_BYTES = 8;
const MIN_INTERVAL: Micros = 10_000;
const MAX_INTERVAL: Micros = 255 * MICROS_PER_SECOND;
const MAX_PREEMPT_DELAY: Micros = 1_000 * MICROS_PER_SECOND;
const DEFAULT_PRIORITY = 100;

/** Undefined and reported when it has no name. */
export function readInstance(statement: Statement, remarks: Remarks): RawInstance | undefined {
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
    sourceAddress: undefined,
    unicastKeyword: false,
    unicastPeers: [],
    addresses: [],
    hasIpv6: false,
    trackInterfaces: [],
    trackScripts: [],
    hooks: { master: undefined, backup: undefined, fault: undefined, stop: undefined, any: undefined },
    smtpAlert: undefined,
    garp: {},
    strict: undefined,
    checksumWithoutPseudoHeader: undefined,
  };
  walkBlock('vrrp_instance', statement.block ?? [], handlersOf(raw, remarks), remarks);
  return raw;
}

/** Keywords that may stand several times. */
const REPEATABLE: ReadonlySet<string> = new Set([
  'virtual_ipaddress',
  'unicast_peer',
  'track_interface',
  'track_script',
]);

function handlersOf(raw: RawInstance, remarks: Remarks): Readonly<Record<string, Handler>> {
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
    preempt: () => {
      raw.noPreempt = false;
    },
    nopreempt: () => {
      raw.noPreempt = true;
    },
    preempt_delay: (line) => {
      raw.preemptDelay = readTime(line, [0, MAX_PREEMPT_DELAY], 'there is none', remarks) ?? raw.preemptDelay;
    },
    mcast_src_ip: (line) => {
      raw.sourceAddress = readSource(line, remarks) ?? raw.sourceAddress;
    },
    unicast_src_ip: (line) => {
      raw.unicastKeyword = true;
      raw.sourceAddress = readSource(line, remarks) ?? raw.sourceAddress;
    },
    unicast_peer: (line) => {
      raw.unicastKeyword = true;
      readPeers(line, raw.unicastPeers, remarks);
    },
    authentication: (line) => readAuthentication(line, raw, remarks),
    virtual_ipaddress: (line) => {
      readAddresses(
        line,
        raw.addresses,
        () => {
          raw.hasIpv6 = true;
        },
        remarks,
      );
    },
    track_interface: (line) => readTracks(line, raw.trackInterfaces, remarks),
    track_script: (line) => readTracks(line, raw.trackScripts, remarks),
    notify_master: notify('master'),
    notify_backup: notify('backup'),
    notify_fault: notify('fault'),
    notify_stop: notify('stop'),
    notify: notify('any'),
    smtp_alert: (line) => {
      raw.smtpAlert = readSwitch(line, remarks) ?? raw.smtpAlert;
    },
    v3_checksum_as_v2: (line) => {
      raw.checksumWithoutPseudoHeader = readSwitch(line, remarks) ?? raw.checksumWithoutPseudoHeader;
    },
    mcast_dst_ip: (line) => reportGroup(line, remarks),
    down_timer_adverts: (line) => reportDownTimer(line, remarks),
    strict_mode: (line) => {
      raw.strict = readSwitch(line, remarks) ?? raw.strict;
      if (raw.strict === true) reportStrict(line, remarks);
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

/** Keywords without a value. */
const BARE: ReadonlySet<string> = new Set(['preempt', 'nopreempt']);

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

function readSource(line: Statement, remarks: Remarks): string | undefined {
  const word = singleValue(line, remarks);
  if (word === undefined || parseIpv4(word) !== undefined) return word;
  const reason = looksLikeIpv6(word) ? 'is IPv6, which is not supported yet' : 'is not an IP address';
  remarks.error(line.origin, `${line.words[0]} ${quoted(word)} ${reason}; the interface's own address would be used`);
  return undefined;
}

function readAuthentication(statement: Statement, raw: RawInstance, remarks: Remarks): void {
  const handlers: Record<string, Handler> = {
    auth_type: (line) => {
      const word = singleValue(line, remarks);
      if (word === undefined) return;
      if (word === 'PASS' || word === 'AH') raw.authenticationType = word;
      else
        remarks.error(
          line.origin,
          'auth_type is neither PASS nor AH; there is no authentication then, as in keepalived',
        );
    },
    auth_pass: (line) => {
      const word = singleValue(line, remarks);
      if (word === undefined) return;
      const bytes = new TextEncoder().encode(word);
      if (bytes.length > PASSWORD_BYTES) {
        remarks.warning(
          line.origin,
          `auth_pass has ${bytes.length} bytes; only the first ${PASSWORD_BYTES} count, in keepalived and in Baton`,
        );
      }
      raw.password = firstBytes(word, PASSWORD_BYTES);
    },
  };
  walkBlock('authentication', statement.block ?? [], handlers, remarks);
}

/** The longest beginning of whole characters that fits into so many bytes of UTF-8. */
function firstBytes(text: string, limit: number): string {
  let kept = '';
  let used = 0;
  for (const character of text) {
    used += new TextEncoder().encode(character).length;
    if (used > limit) break;
    kept += character;
  }
  return kept;
}
