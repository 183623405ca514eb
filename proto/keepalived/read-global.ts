/** Reads global_defs. Several such blocks add up, the last setting wins. */
import { isMulticastIp, parseIp } from '../rules/ip.js';
import { MICROS_PER_SECOND, type Micros } from '../rules/time.js';
import { type Handler, listedWords, reportExtra, singleValue, walkBlock } from './block.js';
import type { GlobalDefinitions } from './config.js';
import { INTERFACE_RULE, isInterfaceName } from './interface-name.js';
import { readUser } from './read-command.js';
import { garpHandlers, type PartialGarp } from './read-garp.js';
import { MAX_U32, readSwitch, readTime, readWhole } from './read-number.js';
import type { Located } from './remark.js';
import { quoted, type Remarks } from './remarks.js';
import type { Statement } from './tree.js';
import { parseAddress, parseWhole, showSeconds } from './values.js';

/** What global_defs says, with that what only the reading of instances needs. */
export interface GlobalSettings {
  definitions: { -readonly [K in keyof GlobalDefinitions]: GlobalDefinitions[K] };
  /** The list that `definitions.notificationEmail` is. */
  readonly recipients: Located<string>[];
  version: 2 | 3 | undefined;
  garp: PartialGarp;
  minimalGarp: boolean;
  smtpAlert: boolean | undefined;
  smtpAlertVrrp: boolean | undefined;
  scriptUser: string | undefined;
  strict: boolean;
  checksumWithoutPseudoHeader: boolean;
  /** Undefined: the standard one. */
  multicastGroup4: string | undefined;
  multicastGroup6: string | undefined;
  defaultInterface: string;
  downTimerAdverts: number;
  lowerPriorityNoAdvert: boolean;
  higherPrioritySendAdvert: boolean;
  ownerIgnoresAdverts: boolean;
  priorityChanges: boolean;
  startupDelay: Micros;
  bootDelay: Micros;
  /** How names of virtual MAC interfaces begin. */
  virtualMacPrefix: string;
}

export function emptyGlobalSettings(): GlobalSettings {
  const recipients: Located<string>[] = [];
  return {
    recipients,
    definitions: {
      routerId: undefined,
      notificationEmail: recipients,
      notificationEmailFrom: undefined,
      smtpServer: undefined,
      smtpConnectTimeout: undefined,
      smtpHeloName: undefined,
      notifyFifo: undefined,
      vrrpNotifyFifo: undefined,
    },
    version: undefined,
    garp: {},
    minimalGarp: false,
    smtpAlert: undefined,
    smtpAlertVrrp: undefined,
    scriptUser: undefined,
    strict: false,
    checksumWithoutPseudoHeader: false,
    multicastGroup4: undefined,
    multicastGroup6: undefined,
    defaultInterface: 'eth0',
    downTimerAdverts: DEFAULT_DOWN_TIMER_ADVERTS,
    lowerPriorityNoAdvert: false,
    higherPrioritySendAdvert: false,
    ownerIgnoresAdverts: false,
    priorityChanges: false,
    startupDelay: 0,
    bootDelay: 0,
    virtualMacPrefix: DEFAULT_VIRTUAL_MAC_PREFIX,
  };
}

const STANDARD_GROUPS = { 4: '224.0.0.18', 6: 'ff02::12' } as const;
export const DEFAULT_DOWN_TIMER_ADVERTS = 3;
export const DEFAULT_VIRTUAL_MAC_PREFIX = 'vrrp';
/** Baton's greatest startup delay. */
const MAX_STARTUP_DELAY: Micros = 3_600 * MICROS_PER_SECOND;
/** As much as keepalived's 32 bits of microseconds hold. */
const MAX_SPACING: Micros = MAX_U32;
const MAX_CONNECT_TIMEOUT: Micros = 4_294 * MICROS_PER_SECOND;

/** Adds what one global_defs block says to `settings`. */
export function readGlobal(statement: Statement, settings: GlobalSettings, remarks: Remarks): void {
  const { definitions } = settings;
  const located = (line: Statement): Located<string> | undefined => {
    const value = singleValue(line, remarks);
    return value === undefined ? undefined : { value, origin: line.origin };
  };
  const handlers: Record<string, Handler> = {
    router_id: (line) => {
      definitions.routerId = located(line) ?? definitions.routerId;
    },
    notification_email: (line) => {
      for (const { word, origin } of listedWords(line, remarks)) settings.recipients.push({ value: word, origin });
    },
    notification_email_from: (line) => {
      definitions.notificationEmailFrom = located(line) ?? definitions.notificationEmailFrom;
    },
    smtp_server: (line) => {
      definitions.smtpServer = readSmtpServer(line, remarks) ?? definitions.smtpServer;
    },
    smtp_helo_name: (line) => {
      definitions.smtpHeloName = located(line) ?? definitions.smtpHeloName;
    },
    smtp_connect_timeout: (line) => {
      const value = readTime(line, [1, MAX_CONNECT_TIMEOUT], 'the default of 30s is used', remarks);
      if (value !== undefined) definitions.smtpConnectTimeout = { value, origin: line.origin };
    },
    smtp_alert: (line) => {
      settings.smtpAlert = readSwitch(line, remarks) ?? settings.smtpAlert;
    },
    smtp_alert_vrrp: (line) => {
      settings.smtpAlertVrrp = readSwitch(line, remarks) ?? settings.smtpAlertVrrp;
    },
    vrrp_version: (line) => {
      const version = readWhole(line, [2, 3], 'the line is ignored', remarks);
      if (version !== undefined) settings.version = version === 2 ? 2 : 3;
    },
    vrrp_mcast_group4: (line) => {
      const group = readGroup(line, 4, remarks);
      if (group !== undefined) settings.multicastGroup4 = group.value;
    },
    vrrp_mcast_group6: (line) => {
      const group = readGroup(line, 6, remarks);
      if (group !== undefined) settings.multicastGroup6 = group.value;
    },
    vrrp_down_timer_adverts: (line) => {
      settings.downTimerAdverts =
        readWhole(line, [1, MAX_DOWN_TIMER_ADVERTS], 'the line is ignored', remarks) ?? settings.downTimerAdverts;
    },
    default_interface: (line) => {
      const name = singleValue(line, remarks);
      if (name === undefined) return;
      if (isInterfaceName(name)) settings.defaultInterface = name;
      else remarks.error(line.origin, `default_interface ${quoted(name)} cannot exist: ${INTERFACE_RULE}`);
    },
    vrrp_garp_interval: (line) => {
      settings.garp.arpInterval = readSpacing(line, remarks) ?? settings.garp.arpInterval ?? 0;
    },
    vrrp_gna_interval: (line) => {
      settings.garp.neighborInterval = readSpacing(line, remarks) ?? settings.garp.neighborInterval ?? 0;
    },
    vrrp_lower_prio_no_advert: (line) => {
      settings.lowerPriorityNoAdvert = readSwitch(line, remarks) ?? settings.lowerPriorityNoAdvert;
    },
    vrrp_higher_prio_send_advert: (line) => {
      settings.higherPrioritySendAdvert = readSwitch(line, remarks) ?? settings.higherPrioritySendAdvert;
    },
    vrrp_owner_ignore_adverts: (line) => {
      settings.ownerIgnoresAdverts = readSwitch(line, remarks) ?? settings.ownerIgnoresAdverts;
    },
    vrrp_notify_priority_changes: (line) => {
      settings.priorityChanges = readSwitch(line, remarks) ?? settings.priorityChanges;
    },
    vrrp_startup_delay: (line) => {
      settings.startupDelay = readStartupDelay(line, remarks) ?? settings.startupDelay;
    },
    vrrp_delay_after_boot: (line) => {
      settings.bootDelay = readStartupDelay(line, remarks) ?? settings.bootDelay;
    },
    vmac_prefix: (line) => {
      const prefix = singleValue(line, remarks);
      if (prefix === undefined) return;
      if (isInterfaceName(`${prefix}6.255`)) settings.virtualMacPrefix = prefix;
      else
        remarks.error(
          line.origin,
          `vmac_prefix ${quoted(prefix)} is too long or cannot begin an interface's name; it is ignored`,
        );
    },
    random_seed: (line) => {
      // Its meaning is the preprocessor's, which has it already.
      readWhole(line, [0, MAX_U32], 'the line is ignored', remarks);
    },
    include_check: () => undefined,
    vrrp_min_garp: (line) => {
      settings.minimalGarp = readSwitch(line, remarks) ?? settings.minimalGarp;
    },
    vrrp_strict: (line) => {
      settings.strict = readSwitch(line, remarks) ?? settings.strict;
      if (settings.strict) reportStrict(line, remarks);
    },
    v3_checksum_as_v2: (line) => {
      settings.checksumWithoutPseudoHeader = readSwitch(line, remarks) ?? settings.checksumWithoutPseudoHeader;
    },
    notify_fifo: (line) => {
      definitions.notifyFifo = readFifo(line, remarks) ?? definitions.notifyFifo;
    },
    vrrp_notify_fifo: (line) => {
      definitions.vrrpNotifyFifo = readFifo(line, remarks) ?? definitions.vrrpNotifyFifo;
    },
    script_user: (line) => {
      settings.scriptUser = readUser(line, remarks) ?? settings.scriptUser;
    },
    ...garpHandlers(settings.garp, 'vrrp_', remarks),
  };
  walkBlock('global_defs', statement.block ?? [], handlers, remarks);
}

function readSmtpServer(line: Statement, remarks: Remarks): GlobalDefinitions['smtpServer'] {
  const host = line.words[1];
  if (host === undefined) {
    remarks.error(line.origin, 'smtp_server needs a host name or an address');
    return undefined;
  }
  reportExtra(line, 3, remarks);
  const word = line.words[2];
  const port = word === undefined ? 25 : parseWhole(word);
  if (port === undefined || port < 1 || port > 65_535) {
    remarks.error(line.origin, `smtp_server: port ${quoted(word ?? '')} is not a number from 1 to 65535; 25 is used`);
    return { value: { host, port: 25 }, origin: line.origin };
  }
  return { value: { host, port }, origin: line.origin };
}

function readFifo(line: Statement, remarks: Remarks): Located<string> | undefined {
  const path = line.words[1];
  if (path === undefined) {
    remarks.error(line.origin, `${line.words[0]} needs a path`);
    return undefined;
  }
  if (!path.startsWith('/')) {
    remarks.error(line.origin, `${line.words[0]}: ${quoted(path)} is not an absolute path; nothing would be written`);
    return undefined;
  }
  const owner = line.words.slice(2).join(' ');
  if (owner !== '') {
    remarks.warning(
      line.origin,
      `${line.words[0]}: owner ${quoted(owner)} is not supported; make the FIFO beforehand with the owner that it needs`,
    );
  }
  return { value: path, origin: line.origin };
}

/** A multicast group, globally or in an instance; its value is undefined when it is the standard one. */
export function readGroup(
  line: Statement,
  family: 4 | 6 | undefined,
  remarks: Remarks,
): { readonly value: string | undefined; readonly family: 4 | 6 } | undefined {
  const word = singleValue(line, remarks);
  if (word === undefined) return undefined;
  const parsed = parseAddress(word);
  const ip = parseIp(word);
  const isGroup = ip !== undefined && isMulticastIp(ip);
  if (parsed === undefined || !isGroup || (family !== undefined && parsed.family !== family)) {
    const kind = family === undefined ? '' : `IPv${family} `;
    remarks.error(line.origin, `${line.words[0]}: ${quoted(word)} is not an ${kind}multicast address; it is ignored`);
    return undefined;
  }
  if (parsed.family === 6 && !parsed.address.startsWith('ff02:')) {
    remarks.warning(line.origin, `${line.words[0]}: ${parsed.address} is not link-local (ff02::/16), as it should be`);
  }
  return {
    value: parsed.address === STANDARD_GROUPS[parsed.family] ? undefined : parsed.address,
    family: parsed.family,
  };
}

export const MAX_DOWN_TIMER_ADVERTS = 100;

/** A least time between announcements, globally or of a garp_group. */
export function readSpacing(line: Statement, remarks: Remarks): Micros | undefined {
  const value = readTime(line, [1, MAX_SPACING], 'there is none', remarks);
  if (value !== undefined && value >= MICROS_PER_SECOND) {
    remarks.warning(line.origin, `${line.words[0]} ${showSeconds(value)}: a burst takes very long with it`);
  }
  return value;
}

function readStartupDelay(line: Statement, remarks: Remarks): Micros | undefined {
  const value = readTime(line, [1_000, MAX_SPACING], 'there is none', remarks);
  if (value === undefined || value <= MAX_STARTUP_DELAY) return value;
  remarks.warning(line.origin, `${line.words[0]} ${showSeconds(value)} is taken as ${showSeconds(MAX_STARTUP_DELAY)}`);
  return MAX_STARTUP_DELAY;
}

/** What strict mode changes, all of which is carried over. */
export function reportStrict(line: Statement, remarks: Remarks): void {
  remarks.note(
    line.origin,
    `${line.words[0]}: as in keepalived, authentication, preempt_delay and down_timer_adverts are dropped, addresses answer on their owner only (no_accept) unless accept is given, nothing is announced after a lower-priority advertisement and none is sent in answer`,
  );
}
