/** What the lines of a vrrp_instance mean together, with keepalived's rules and defaults. */
import { HmacMode } from '../gen/baton/v1/resources.js';
import { MICROS_PER_CENTISECOND, MICROS_PER_SECOND, type Micros } from '../rules/time.js';
import { settleAddresses } from './complete-addresses.js';
import { ownInterfaceLeftOut, settleTracks } from './complete-tracks.js';
import type { VrrpInstance } from './config.js';
import { resolveGarp } from './read-garp.js';
import { DEFAULT_DOWN_TIMER_ADVERTS, DEFAULT_VIRTUAL_MAC_PREFIX, type GlobalSettings } from './read-global.js';
import type { RawInstance } from './read-instance.js';
import type { RawSyncGroup } from './read-sync-group.js';
import { resolveTracks, type TrackedTables } from './read-tracks.js';
import { virtualMacText } from './read-virtual-mac.js';
import type { Origin } from './remark.js';
import { quoted, type Remarks } from './remarks.js';
import { showSeconds } from './values.js';

const OWNER = 255;
const DEFAULT_PRIORITY = 100;
const DEFAULT_VERSION = 2;
/** 12 bits of centiseconds. */
const MAX_V3_INTERVAL: Micros = 4_095 * MICROS_PER_CENTISECOND;

/** What an instance depends on outside its own block. */
export interface CompletionContext {
  /** Position of the instance among the file's top-level blocks. */
  readonly order: number;
  readonly settings: GlobalSettings;
  readonly tables: TrackedTables;
  /** The sync group that it is in. */
  readonly group: RawSyncGroup | undefined;
}

/** Undefined and reported when it cannot run at all. */
export function completeInstance(
  raw: RawInstance,
  { order, settings, tables, group }: CompletionContext,
  remarks: Remarks,
): VrrpInstance | undefined {
  const at = (keyword: string): Origin => raw.origins.get(keyword) ?? raw.origin;
  const strict = raw.switches.get('strict_mode') ?? settings.strict;
  if (raw.vrid === undefined || raw.interface === undefined) {
    const what = raw.vrid === undefined ? 'virtual_router_id' : 'interface';
    const why =
      raw.vrid === undefined || raw.sourceAddress === undefined
        ? 'keepalived does not start over this'
        : 'Baton needs one with unicast_src_ip as well';
    remarks.error(raw.origin, `${quoted(raw.name)} has no valid ${what}; the instance is left out, ${why}`);
    return undefined;
  }
  const family = raw.family ?? 4;
  const version = settleVersion(raw, family, strict, settings, at, remarks);
  const lists = settleAddresses(raw, version, family, strict, at, remarks);
  if (version === undefined || lists === undefined) return undefined;
  const election = settleElection(raw, strict, at, remarks);
  const isOwner = election.priority === OWNER;
  const unicast = settleUnicast(raw, strict, at, remarks);
  const garp = resolveGarp(raw.garp, settings.garp, settings.minimalGarp);
  const tracks = resolveTracks(raw.tracks, tables, order, raw.name, remarks);
  const hmac = settleHmac(raw, strict, at, remarks);
  return {
    name: raw.name,
    origin: raw.origin,
    origins: raw.origins,
    vrid: raw.vrid,
    version,
    family,
    interface: raw.interface,
    initialState: raw.state,
    ...election,
    advertisementInterval: settleInterval(raw, version, at('advert_int'), remarks),
    password: settlePassword(raw, version, strict, hmac !== undefined, at('authentication'), remarks),
    hmac,
    sourceAddress: raw.sourceAddress,
    ...unicast,
    multicastGroup: settleGroup(raw, family, unicast.unicastPeers !== undefined, settings, at, remarks),
    ...lists,
    routes: raw.routes,
    rules: raw.rules,
    virtualMac: settleVirtualMac(
      raw,
      { vrid: raw.vrid, family, strict, unicast: unicast.unicastPeers !== undefined },
      settings,
      at,
      remarks,
    ),
    virtualMacElsewhere: raw.switches.get('use_vmac_addr') ?? false,
    accept: settleAccept(raw, version, isOwner, strict, at, remarks),
    ...settleTimers(raw, election, isOwner, strict, settings, at, remarks),
    startupDelay: settings.startupDelay,
    bootDelay: settings.bootDelay,
    untrackedInterface: raw.switches.get('dont_track_primary') ?? false,
    promoteSecondaries: raw.switches.get('promote_secondaries') ?? false,
    ...settleTracks(ownInterfaceLeftOut(tracks, raw, remarks), isOwner, group, remarks),
    hooks: withUser(raw, settings.scriptUser),
    priorityChanges: raw.switches.get('notify_priority_changes') ?? group?.priorityChanges ?? settings.priorityChanges,
    smtpAlert: raw.switches.get('smtp_alert') ?? settings.smtpAlertVrrp ?? settings.smtpAlert ?? false,
    garp: strict ? { ...garp, lowerPriorityRepeat: 0, lowerPriorityDelay: 0 } : garp,
    checksumWithoutPseudoHeader: raw.switches.get('v3_checksum_as_v2') ?? settings.checksumWithoutPseudoHeader,
  };
}

type At = (keyword: string) => Origin;

/** Undefined and reported when there is no such protocol. */
function settleVersion(
  raw: RawInstance,
  family: 4 | 6,
  strict: boolean,
  settings: GlobalSettings,
  at: At,
  remarks: Remarks,
): 2 | 3 | undefined {
  if (family === 4) return raw.version ?? settings.version ?? DEFAULT_VERSION;
  if (raw.version !== 2) return 3;
  if (strict) {
    remarks.error(
      at('version'),
      `version 2 has no IPv6 (RFC 3768), and strict mode allows none; write version 3 for ${quoted(raw.name)}, the instance is left out`,
    );
    return undefined;
  }
  remarks.warning(
    at('version'),
    `version 2 has no IPv6 (RFC 3768): this is keepalived's own form of it, which carries no password; write version 3 for ${quoted(raw.name)} on all hosts`,
  );
  return 2;
}

type Election = Pick<VrrpInstance, 'priority' | 'preempt' | 'preemptDelay'>;

/** keepalived's rules for state, priority, nopreempt and preempt_delay. */
function settleElection(raw: RawInstance, strict: boolean, at: At, remarks: Remarks): Election {
  const isMaster = raw.state === 'MASTER';
  const priority = raw.priority ?? (isMaster ? OWNER : DEFAULT_PRIORITY);
  if (isMaster && raw.priority === undefined) {
    remarks.warning(
      at('state'),
      `state MASTER without priority makes ${quoted(raw.name)} the owner of its addresses: priority 255, which no check can lower, in keepalived and in Baton; write a priority below 255 unless that is meant`,
    );
  } else if (isMaster && priority !== OWNER) {
    remarks.note(at('state'), `state MASTER decides nothing: priority ${priority} does, in keepalived and in Baton`);
  } else if (raw.state === 'BACKUP' && priority === OWNER) {
    remarks.warning(
      at('state'),
      'state BACKUP with priority 255: Baton takes over at once, keepalived waits one down interval first',
    );
  }
  // Strict mode ignores state MASTER without priority 255, so it clears nothing there.
  const clears = priority === OWNER || (isMaster && !strict);
  if (raw.noPreempt && clears) {
    const cause = priority === OWNER ? 'priority 255' : 'state MASTER';
    remarks.warning(
      at('nopreempt'),
      `nopreempt has no effect with ${cause}, in keepalived and in Baton; write state BACKUP`,
    );
  }
  const preempt = !raw.noPreempt || clears;
  let preemptDelay = raw.preemptDelay ?? 0;
  if (preemptDelay > 0 && (!preempt || clears || strict)) {
    const cause = !preempt ? 'nopreempt' : strict ? 'strict mode' : isMaster ? 'state MASTER' : 'priority 255';
    remarks.warning(at('preempt_delay'), `preempt_delay has no effect with ${cause}, in keepalived and in Baton`);
    preemptDelay = 0;
  }
  return { priority, preempt, preemptDelay };
}

/** Version 2 sends whole seconds, version 3 hundredths up to 40.95 s. */
function settleInterval(raw: RawInstance, version: 2 | 3, origin: Origin, remarks: Remarks): Micros {
  const asked = raw.advertisementInterval ?? MICROS_PER_SECOND;
  const unit = version === 2 ? MICROS_PER_SECOND : MICROS_PER_CENTISECOND;
  const rounded = Math.max(unit, Math.round(asked / unit) * unit);
  const interval = version === 3 ? Math.min(rounded, MAX_V3_INTERVAL) : rounded;
  if (interval !== asked) {
    const rule = version === 2 ? 'version 2 has whole seconds' : 'version 3 has hundredths of a second up to 40.95s';
    remarks.warning(
      origin,
      `advert_int ${showSeconds(asked)} is taken as ${showSeconds(interval)}: ${rule}, in keepalived and in Baton`,
    );
  }
  return interval;
}

function settlePassword(
  raw: RawInstance,
  version: 2 | 3,
  strict: boolean,
  hasHmac: boolean,
  origin: Origin,
  remarks: Remarks,
): string | undefined {
  if (!raw.origins.has('authentication')) return undefined;
  if (version === 3 || strict || hasHmac) {
    const where = version === 3 ? 'in version 3' : strict ? 'in strict mode' : 'beside auth_hmac';
    remarks.warning(origin, `authentication is ignored ${where}, by keepalived and by Baton`);
    return undefined;
  }
  if (raw.authenticationType === 'AH') {
    remarks.error(
      origin,
      'auth_type AH is not supported: Baton and its peers would refuse each other; use PASS on all of them, or no authentication',
    );
    return undefined;
  }
  if (raw.authenticationType === undefined || raw.password === undefined || raw.password === '') {
    const what = raw.authenticationType === undefined ? 'valid auth_type' : 'auth_pass';
    remarks.warning(origin, `authentication without ${what} is ignored, by keepalived and by Baton`);
    return undefined;
  }
  return raw.password;
}

function settleHmac(raw: RawInstance, strict: boolean, at: At, remarks: Remarks): VrrpInstance['hmac'] {
  if (raw.hmac === undefined || !strict || raw.hmac.mode === HmacMode.ENFORCE) return raw.hmac;
  remarks.warning(at('auth_hmac'), 'mode of auth_hmac is enforce in strict mode, as in keepalived');
  return { ...raw.hmac, mode: HmacMode.ENFORCE };
}

function settleUnicast(
  raw: RawInstance,
  strict: boolean,
  at: At,
  remarks: Remarks,
): Pick<VrrpInstance, 'unicastPeers' | 'unicastTtl' | 'faultWithoutPeers'> {
  const hasPeers = raw.unicastPeers.length > 0;
  const fault = raw.switches.get('unicast_fault_no_peer') ?? false;
  const origin = raw.origins.get('unicast_peer') ?? at('unicast_src_ip');
  if (raw.unicastKeyword && !hasPeers) {
    remarks.warning(
      origin,
      fault
        ? `${quoted(raw.name)} has no usable unicast_peer, so it is in fault (unicast_fault_no_peer), as in keepalived`
        : `${quoted(raw.name)} has no usable unicast_peer, so it uses multicast, as in keepalived`,
    );
  }
  if (hasPeers && strict) {
    remarks.error(origin, 'unicast_peer is not allowed in strict mode: keepalived refuses it');
  }
  const unicast = hasPeers || (raw.unicastKeyword && fault);
  if (!unicast && raw.unicastTtl !== undefined) {
    remarks.note(at('unicast_ttl'), 'unicast_ttl means nothing with multicast, which has TTL 255');
  }
  return {
    unicastPeers: unicast ? raw.unicastPeers : undefined,
    unicastTtl: unicast && raw.unicastTtl !== 255 ? raw.unicastTtl : undefined,
    faultWithoutPeers: fault,
  };
}

function settleGroup(
  raw: RawInstance,
  family: 4 | 6,
  unicast: boolean,
  settings: GlobalSettings,
  at: At,
  remarks: Remarks,
): string | undefined {
  if (unicast) {
    if (raw.multicastGroup !== undefined) {
      remarks.warning(at('mcast_dst_ip'), 'mcast_dst_ip is ignored with unicast, by keepalived and by Baton');
    }
    return undefined;
  }
  if (raw.multicastGroup !== undefined) return raw.multicastGroup.value;
  return family === 6 ? settings.multicastGroup6 : settings.multicastGroup4;
}

function settleVirtualMac(
  raw: RawInstance,
  { vrid, family, strict, unicast }: { vrid: number; family: 4 | 6; strict: boolean; unicast: boolean },
  settings: GlobalSettings,
  at: At,
  remarks: Remarks,
): VrrpInstance['virtualMac'] {
  let transmitOnBase = raw.switches.get('vmac_xmit_base') ?? false;
  if (raw.virtualMac === undefined) {
    if (transmitOnBase) remarks.note(at('vmac_xmit_base'), 'vmac_xmit_base means nothing without use_vmac');
    return undefined;
  }
  if (unicast && !transmitOnBase) {
    remarks.warning(at('use_vmac'), 'use_vmac with unicast: vmac_xmit_base is set, as in keepalived');
    transmitOnBase = true;
  }
  let { octets } = raw.virtualMac;
  if (octets !== undefined && strict) {
    remarks.warning(
      at('use_vmac'),
      "use_vmac: in strict mode the MAC address is the virtual router's own, as in keepalived",
    );
    octets = undefined;
  }
  const prefix = settings.virtualMacPrefix;
  const usual = prefix === DEFAULT_VIRTUAL_MAC_PREFIX ? undefined : `${prefix}${family === 6 ? '6' : ''}.${vrid}`;
  return {
    name: raw.virtualMac.name ?? usual,
    address: octets === undefined ? undefined : virtualMacText(octets, vrid),
    transmitOnBase,
  };
}

function settleAccept(
  raw: RawInstance,
  version: 2 | 3,
  isOwner: boolean,
  strict: boolean,
  at: At,
  remarks: Remarks,
): boolean {
  const accept = raw.switches.get('accept') ?? (isOwner || !strict);
  if (!accept || isOwner || !strict || version === 3) return accept;
  remarks.warning(
    at('accept'),
    'accept has no effect in strict mode with version 2 (RFC 3768), in keepalived and in Baton',
  );
  return false;
}

type Timers = Pick<
  VrrpInstance,
  | 'downTimerAdverts'
  | 'lowerPriorityNoAdvert'
  | 'higherPrioritySendAdvert'
  | 'ownerIgnoresAdverts'
  | 'timerExpiredBackup'
>;

function settleTimers(
  raw: RawInstance,
  election: Election,
  isOwner: boolean,
  strict: boolean,
  settings: GlobalSettings,
  at: At,
  remarks: Remarks,
): Timers {
  const reset = (keyword: string, why: string): void =>
    remarks.warning(at(keyword), `${keyword} has no effect ${why}, in keepalived and in Baton`);
  let downTimerAdverts = raw.downTimerAdverts ?? settings.downTimerAdverts;
  if (strict && downTimerAdverts !== DEFAULT_DOWN_TIMER_ADVERTS) {
    reset('down_timer_adverts', 'in strict mode');
    downTimerAdverts = DEFAULT_DOWN_TIMER_ADVERTS;
  }
  let timerExpiredBackup = raw.timerExpiredBackup ?? 0;
  if (timerExpiredBackup > 0 && election.preempt) {
    reset(
      raw.origins.has('timer_expired_backup') ? 'timer_expired_backup' : 'thread_timer_expired',
      'without nopreempt',
    );
    timerExpiredBackup = 0;
  }
  if (strict && raw.switches.get('lower_prio_no_advert') === false)
    reset('lower_prio_no_advert', 'in strict mode, where it is on');
  if (strict && raw.switches.get('higher_prio_send_advert') === true)
    reset('higher_prio_send_advert', 'in strict mode');
  if (!isOwner && raw.switches.get('owner_ignore_adverts') === true) {
    reset('owner_ignore_adverts', `with priority ${election.priority}: it is for priority 255`);
  }
  return {
    downTimerAdverts,
    lowerPriorityNoAdvert: strict || (raw.switches.get('lower_prio_no_advert') ?? settings.lowerPriorityNoAdvert),
    higherPrioritySendAdvert:
      !strict && (raw.switches.get('higher_prio_send_advert') ?? settings.higherPrioritySendAdvert),
    ownerIgnoresAdverts:
      isOwner && (strict || (raw.switches.get('owner_ignore_adverts') ?? settings.ownerIgnoresAdverts)),
    timerExpiredBackup,
  };
}

function withUser(raw: RawInstance, scriptUser: string | undefined): VrrpInstance['hooks'] {
  const fill = (command: VrrpInstance['hooks']['any']): VrrpInstance['hooks']['any'] =>
    command && { ...command, user: command.user ?? scriptUser };
  return {
    master: fill(raw.hooks.master),
    backup: fill(raw.hooks.backup),
    fault: fill(raw.hooks.fault),
    stop: fill(raw.hooks.stop),
    any: fill(raw.hooks.any),
    deleted: fill(raw.hooks.deleted),
    lowerPriority: fill(raw.hooks.lowerPriority),
  };
}
