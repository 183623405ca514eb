/**
 * What an unset field means: the only place that knows. The functions return messages with every field filled in, as
 * the .proto files document it.
 */
import {
  type Announcements,
  type CheckSpec,
  ChecksumForm,
  type Command,
  type EmailReceiver,
  type Hooks,
  Lease,
  MailSecurity,
  type Member,
  Transport,
  type VirtualRouterSpec,
} from '../gen/baton/v1/resources.js';
import { durationToMicros, microsToDuration } from './duration.js';
import { MICROS_PER_SECOND, type Micros } from './time.js';

export const DEFAULT_VERSION = 3;
export const DEFAULT_PRIORITY = 100;
export const DEFAULT_ADVERTISEMENT_INTERVAL: Micros = MICROS_PER_SECOND;
export const DEFAULT_CHECK_INTERVAL: Micros = MICROS_PER_SECOND;
export const DEFAULT_HOOK_TIMEOUT: Micros = 60 * MICROS_PER_SECOND;
export const DEFAULT_MAIL_TIMEOUT: Micros = 30 * MICROS_PER_SECOND;

/** keepalived's: garp_master_repeat, garp_master_delay, garp_master_refresh, garp_master_refresh_repeat. */
const DEFAULT_ANNOUNCEMENT_REPEAT = 5;
const DEFAULT_ANNOUNCEMENT_DELAY: Micros = 5 * MICROS_PER_SECOND;
const DEFAULT_REFRESH_REPEAT = 1;

export function versionOf(spec: VirtualRouterSpec): number {
  return spec.version === 0 ? DEFAULT_VERSION : spec.version;
}

export function advertisementIntervalOf(spec: VirtualRouterSpec): Micros {
  return spec.advertisementInterval === undefined
    ? DEFAULT_ADVERTISEMENT_INTERVAL
    : durationToMicros(spec.advertisementInterval);
}

export function transportOf(spec: VirtualRouterSpec): Transport {
  return spec.transport === Transport.UNSPECIFIED ? Transport.MULTICAST : spec.transport;
}

export function checksumOf(spec: VirtualRouterSpec): ChecksumForm {
  return spec.checksum === ChecksumForm.UNSPECIFIED ? ChecksumForm.MESSAGE_ONLY : spec.checksum;
}

export function leaseOf(spec: VirtualRouterSpec): Lease {
  return spec.lease === Lease.UNSPECIFIED ? Lease.AUTO : spec.lease;
}

export function priorityOf(member: Member): number {
  return member.priority === 0 ? DEFAULT_PRIORITY : member.priority;
}

/** The member's own word, else the router's, else true. */
export function preemptOf(spec: VirtualRouterSpec, member: Member): boolean {
  return member.preempt ?? spec.preempt ?? true;
}

/** The member's own word, else the router's, else none. */
export function preemptDelayOf(spec: VirtualRouterSpec, member: Member): Micros {
  return durationToMicros(member.preemptDelay ?? spec.preemptDelay);
}

/** The member's hooks, whole, else the router's; with timeouts. Undefined: none. */
export function hooksOf(spec: VirtualRouterSpec, member: Member): Hooks | undefined {
  const hooks = member.hooks ?? spec.hooks;
  if (hooks === undefined) {
    return undefined;
  }
  return {
    active: withTimeout(hooks.active),
    backup: withTimeout(hooks.backup),
    fault: withTimeout(hooks.fault),
    stop: withTimeout(hooks.stop),
    any: withTimeout(hooks.any),
    fifo: hooks.fifo,
  };
}

function withTimeout(command: Command | undefined): Command | undefined {
  return command === undefined
    ? undefined
    : { ...command, timeout: command.timeout ?? microsToDuration(DEFAULT_HOOK_TIMEOUT) };
}

export function announcementsOf(spec: VirtualRouterSpec): Announcements {
  const given = spec.announcements;
  const repeat = given?.repeat ?? DEFAULT_ANNOUNCEMENT_REPEAT;
  const delay = given?.delay ?? microsToDuration(DEFAULT_ANNOUNCEMENT_DELAY);
  return {
    repeat,
    delay,
    refresh: given?.refresh ?? microsToDuration(0),
    refreshRepeat: given?.refreshRepeat ?? DEFAULT_REFRESH_REPEAT,
    lowerPriorityRepeat: given?.lowerPriorityRepeat ?? repeat,
    lowerPriorityDelay: given?.lowerPriorityDelay ?? delay,
  };
}

export function checkWithDefaults(spec: CheckSpec): CheckSpec {
  const interval = spec.interval ?? microsToDuration(DEFAULT_CHECK_INTERVAL);
  return {
    kind: spec.kind,
    interval,
    timeout: spec.timeout ?? interval,
    rise: spec.rise === 0 ? 1 : spec.rise,
    fall: spec.fall === 0 ? 1 : spec.fall,
  };
}

/** Security, port and timeout filled in; the name for EHLO stays empty (only the controller knows its host name). */
export function emailWithDefaults(email: EmailReceiver): EmailReceiver {
  const security = email.security === MailSecurity.UNSPECIFIED ? MailSecurity.STARTTLS : email.security;
  return {
    ...email,
    security,
    port: email.port === 0 ? defaultMailPort(security, email.authentication !== undefined) : email.port,
    timeout: email.timeout ?? microsToDuration(DEFAULT_MAIL_TIMEOUT),
  };
}

/** RFC 8314 section 3.3 for 465, RFC 6409 section 3.1 for 587. */
function defaultMailPort(security: MailSecurity, authenticated: boolean): number {
  if (security === MailSecurity.TLS) {
    return 465;
  }
  return security === MailSecurity.STARTTLS && authenticated ? 587 : 25;
}
