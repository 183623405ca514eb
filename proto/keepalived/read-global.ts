/** Reads global_defs. Several such blocks add up, the last setting wins. */
import { MICROS_PER_SECOND, type Micros } from '../rules/time.js';
import { type Handler, listedWords, reportExtra, singleValue, walkBlock } from './block.js';
import type { GlobalDefinitions } from './config.js';
import { readUser } from './read-command.js';
import { garpHandlers, type PartialGarp } from './read-garp.js';
import { readSwitch, readTime, readWhole } from './read-number.js';
import type { Located } from './remark.js';
import { quoted, type Remarks } from './remarks.js';
import type { Statement } from './tree.js';
import { parseIpv4, parseWhole } from './values.js';

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
  };
}

const DEFAULT_MULTICAST_GROUP = '224.0.0.18';
const DEFAULT_DOWN_TIMER_ADVERTS = 3;
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
    vrrp_mcast_group4: (line) => reportGroup(line, remarks),
    vrrp_down_timer_adverts: (line) => reportDownTimer(line, remarks),
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

/** A multicast group other than the standard one, globally or in an instance. */
export function reportGroup(line: Statement, remarks: Remarks): void {
  const group = singleValue(line, remarks);
  if (group === undefined || group === DEFAULT_MULTICAST_GROUP) return;
  const valid = parseIpv4(group) !== undefined;
  remarks.error(
    line.origin,
    valid
      ? `${line.words[0]}: groups other than ${DEFAULT_MULTICAST_GROUP} are not supported yet; Baton and routers on ${group} would not hear each other`
      : `${line.words[0]}: ${quoted(group)} is not an IPv4 address`,
  );
}

/** A number of missed advertisements other than three, globally or in an instance. */
export function reportDownTimer(line: Statement, remarks: Remarks): void {
  const count = readWhole(line, [1, 100], 'the default of 3 is used', remarks);
  if (count === undefined || count === DEFAULT_DOWN_TIMER_ADVERTS) return;
  remarks.warning(
    line.origin,
    `${line.words[0]} ${count} is not supported yet: a backup takes over after 3 missed advertisements, not after ${count}`,
  );
}

/** What strict mode does besides what is carried over: no authentication, no preempt_delay, owner means MASTER. */
export function reportStrict(line: Statement, remarks: Remarks): void {
  remarks.warning(
    line.origin,
    `${line.words[0]}: as in keepalived, authentication and preempt_delay are dropped and nothing is announced after a lower-priority advertisement; not supported: keepalived's firewall rules that drop traffic to the addresses (no_accept), the addresses answer in Baton`,
  );
}
