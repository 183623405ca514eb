/** What the lines of a vrrp_instance mean together, with keepalived's rules and defaults. */
import { MICROS_PER_CENTISECOND, MICROS_PER_SECOND, type Micros } from '../rules/time.js';
import type { TrackEntry, VrrpInstance, VrrpScript } from './config.js';
import { resolveGarp } from './read-garp.js';
import type { GlobalSettings } from './read-global.js';
import type { RawInstance } from './read-instance.js';
import { resolveScriptTracks } from './read-tracks.js';
import type { Origin } from './remark.js';
import { quoted, type Remarks } from './remarks.js';
import { showSeconds } from './values.js';

const OWNER = 255;
const DEFAULT_PRIORITY = 100;
const DEFAULT_VERSION = 2;
/** 12 bits of centiseconds. */
const MAX_V3_INTERVAL: Micros = 4_095 * MICROS_PER_CENTISECOND;

type OrderedScripts = ReadonlyMap<string, VrrpScript & { readonly order: number }>;

/** Undefined and reported when it cannot run at all. `order` is its position among the file's top-level blocks. */
export function completeInstance(
  raw: RawInstance,
  order: number,
  settings: GlobalSettings,
  scripts: OrderedScripts,
  remarks: Remarks,
): VrrpInstance | undefined {
  const at = (keyword: string): Origin => raw.origins.get(keyword) ?? raw.origin;
  const strict = raw.strict ?? settings.strict;
  if (raw.vrid === undefined || raw.interface === undefined) {
    const what = raw.vrid === undefined ? 'virtual_router_id' : 'interface';
    remarks.error(
      raw.origin,
      `${quoted(raw.name)} has no valid ${what}; the instance is left out, and keepalived does not start over this`,
    );
    return undefined;
  }
  if (raw.hasIpv6 && raw.addresses.length === 0) {
    remarks.error(
      raw.origin,
      `${quoted(raw.name)} has IPv6 addresses only, which are not supported yet; the instance is left out`,
    );
    return undefined;
  }
  if (raw.addresses.length === 0) {
    remarks.error(
      raw.origin,
      `${quoted(raw.name)} has no virtual_ipaddress; Baton needs at least one, the instance is left out`,
    );
    return undefined;
  }
  const version = raw.version ?? settings.version ?? DEFAULT_VERSION;
  const election = settleElection(raw, strict, at, remarks);
  const unicast = raw.unicastPeers.length > 0;
  if (raw.unicastKeyword && !unicast) {
    remarks.warning(
      at('unicast_src_ip'),
      `${quoted(raw.name)} has no usable unicast_peer, so it uses multicast, as in keepalived`,
    );
  }
  if (unicast && strict) {
    remarks.error(at('unicast_peer'), 'unicast_peer is not allowed in strict mode: keepalived refuses it');
  }
  const trackScripts = resolveScriptTracks(raw.trackScripts, scripts, order, raw.name, remarks);
  const garp = resolveGarp(raw.garp, settings.garp, settings.minimalGarp);
  return {
    name: raw.name,
    origin: raw.origin,
    origins: raw.origins,
    vrid: raw.vrid,
    version,
    interface: raw.interface,
    initialState: raw.state,
    ...election,
    advertisementInterval: settleInterval(raw, version, at('advert_int'), remarks),
    password: settlePassword(raw, version, strict, at('authentication'), remarks),
    sourceAddress: raw.sourceAddress,
    unicastPeers: unicast ? raw.unicastPeers : undefined,
    addresses: raw.addresses,
    trackInterfaces: forOwner(ownInterfaceLeftOut(raw, remarks), election.priority, remarks),
    trackScripts: forOwner(trackScripts, election.priority, remarks),
    hooks: withUser(raw, settings.scriptUser),
    smtpAlert: raw.smtpAlert ?? settings.smtpAlertVrrp ?? settings.smtpAlert ?? false,
    garp: strict ? { ...garp, lowerPriorityRepeat: 0, lowerPriorityDelay: 0 } : garp,
    checksumWithoutPseudoHeader: raw.checksumWithoutPseudoHeader ?? settings.checksumWithoutPseudoHeader,
  };
}

type Election = Pick<VrrpInstance, 'priority' | 'preempt' | 'preemptDelay'>;

/** keepalived's rules for state, priority, nopreempt and preempt_delay. */
function settleElection(
  raw: RawInstance,
  strict: boolean,
  at: (keyword: string) => Origin,
  remarks: Remarks,
): Election {
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
  origin: Origin,
  remarks: Remarks,
): string | undefined {
  if (!raw.origins.has('authentication')) return undefined;
  if (version === 3 || strict) {
    remarks.warning(
      origin,
      `authentication is ignored ${version === 3 ? 'in version 3' : 'in strict mode'}, by keepalived and by Baton`,
    );
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

/** The own interface is tracked in any case, and its weight never counts. */
function ownInterfaceLeftOut(raw: RawInstance, remarks: Remarks): readonly TrackEntry[] {
  return raw.trackInterfaces.flatMap((entry) => {
    if (entry.name === raw.interface) {
      remarks.note(
        entry.origin,
        `track_interface ${entry.name} is the instance's own interface, which puts it in fault in any case; the entry is left out, as in keepalived`,
      );
      return [];
    }
    return [{ name: entry.name, weight: entry.weight ?? 0, reverse: entry.reverse ?? false, origin: entry.origin }];
  });
}

/** Priority 255 never moves: weights mean nothing to it. */
function forOwner(entries: readonly TrackEntry[], priority: number, remarks: Remarks): readonly TrackEntry[] {
  if (priority !== OWNER) return entries;
  return entries.filter((entry) => {
    if (entry.weight === 0) return true;
    remarks.warning(
      entry.origin,
      `${quoted(entry.name)} has weight ${entry.weight}, but priority 255 never moves; the entry is left out, as in keepalived`,
    );
    return false;
  });
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
  };
}
