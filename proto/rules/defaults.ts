/**
 * What an unset field means: the only place that knows. The functions return messages with every field filled in, as
 * the .proto files document it.
 */
import {
  type Announcements,
  type BfdSessionSpec,
  type CheckSpec,
  ChecksumForm,
  type Command,
  DuplicateProbe,
  type EmailReceiver,
  HmacMode,
  HmacReplayGuard,
  type Hooks,
  Lease,
  MailSecurity,
  type Member,
  PeerPolicy,
  ProcessMatch,
  type SyncGroupSpec,
  SyncPolicy,
  Transport,
  type UnicastOptions,
  type VirtualRouterSpec,
} from '../gen/baton/v1/resources.js';
import { durationToMicros, microsToDuration } from './duration.js';
import { type Family, familyOf, parseIp, parseIpPrefix } from './ip.js';
import { MICROS_PER_MILLISECOND, MICROS_PER_SECOND, type Micros } from './time.js';

export const DEFAULT_VERSION = 3;
export const DEFAULT_PRIORITY = 100;
export const DEFAULT_ADVERTISEMENT_INTERVAL: Micros = MICROS_PER_SECOND;
export const DEFAULT_CHECK_INTERVAL: Micros = MICROS_PER_SECOND;
export const DEFAULT_HOOK_TIMEOUT: Micros = 60 * MICROS_PER_SECOND;
export const DEFAULT_MAIL_TIMEOUT: Micros = 30 * MICROS_PER_SECOND;
/** RFC 9568 section 6.1: Active_Down_Interval counts three. */
export const DEFAULT_DOWN_TIMER_ADVERTISEMENTS = 3;
/** While not active, how often the addresses are asked for. */
const DEFAULT_VERIFY_INTERVAL: Micros = 10 * MICROS_PER_SECOND;
/** The owner of the addresses (RFC 9568 section 5.2.4). */
export const OWNER_PRIORITY = 255;
/** RFC 9568 sections 5.1.1.2 and 5.1.2.2. */
const MULTICAST_GROUPS: Readonly<Record<Family, string>> = { 4: '224.0.0.18', 6: 'ff02::12' };
const MAX_TTL = 255;
const LEAST_TIME_WINDOW: Micros = 5 * MICROS_PER_SECOND;
export const MAX_TIME_WINDOW: Micros = 300 * MICROS_PER_SECOND;
/** keepalived's, as bfd_instance has them. */
const DEFAULT_BFD_INTERVAL: Micros = 10 * MICROS_PER_MILLISECOND;
const DEFAULT_BFD_IDLE: Micros = MICROS_PER_SECOND;
const DEFAULT_BFD_MULTIPLIER = 5;
const DEFAULT_MAX_HOPS = 254;
const MAX_START_JITTER: Micros = MICROS_PER_SECOND;
const DEFAULT_PING_SIZE = 56;
const DNS_PORT = 53;

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

/** The family of its advertisements: of its addresses, else of what the members say of theirs, else IPv4. */
export function familyOfRouter(spec: VirtualRouterSpec): Family {
  for (const text of [
    ...spec.addresses.map(({ address }) => address),
    spec.multicastGroup,
    ...spec.members.map(({ address }) => address),
    ...spec.externalPeers,
  ]) {
    const address = parseIpPrefix(text)?.address ?? parseIp(text);
    if (address !== undefined) {
      return familyOf(address);
    }
  }
  return 4;
}

export function multicastGroupOf(spec: VirtualRouterSpec): string {
  return spec.multicastGroup === '' ? MULTICAST_GROUPS[familyOfRouter(spec)] : spec.multicastGroup;
}

export function peerPolicyOf(spec: VirtualRouterSpec): PeerPolicy {
  return spec.peers === PeerPolicy.UNSPECIFIED ? PeerPolicy.ANY : spec.peers;
}

/** Accept_Mode (RFC 9568 section 6.1), which the owner does not have: it always accepts. */
export function acceptOf(spec: VirtualRouterSpec, member: Member): boolean {
  return priorityOf(member) === OWNER_PRIORITY || (spec.accept ?? !spec.strictRfc);
}

export function downTimerAdvertisementsOf(spec: VirtualRouterSpec): number {
  return spec.downTimerAdvertisements === 0 ? DEFAULT_DOWN_TIMER_ADVERTISEMENTS : spec.downTimerAdvertisements;
}

export function duplicateProbeOf(spec: VirtualRouterSpec): DuplicateProbe {
  return spec.duplicateProbe === DuplicateProbe.UNSPECIFIED ? DuplicateProbe.WARN : spec.duplicateProbe;
}

/** How often a member that is not active asks who answers for the addresses; 0: never. */
export function verifyIntervalOf(spec: VirtualRouterSpec): Micros {
  return spec.verifyInterval === undefined ? DEFAULT_VERIFY_INTERVAL : durationToMicros(spec.verifyInterval);
}

/** Undefined with multicast. */
export function unicastOf(spec: VirtualRouterSpec): UnicastOptions | undefined {
  if (transportOf(spec) !== Transport.UNICAST) {
    return undefined;
  }
  const given = spec.unicast;
  return {
    ttl: given?.ttl || MAX_TTL,
    minTtl: given?.minTtl ?? 0,
    maxTtl: given?.maxTtl || MAX_TTL,
    peerTtl: (given?.peerTtl ?? []).map((peer) => ({ ...peer, maxTtl: peer.maxTtl || MAX_TTL })),
    faultWithoutPeers: given?.faultWithoutPeers ?? false,
  };
}

/** 00:00:5e:00:01:VRID, for IPv6 00:00:5e:00:02:VRID (RFC 9568 section 7.3). */
export function virtualMacAddressOf(spec: VirtualRouterSpec): string {
  const given = spec.virtualMac?.address ?? '';
  if (given !== '') {
    return given.toLowerCase();
  }
  const vrid = spec.vrid.toString(16).padStart(2, '0');
  return `00:00:5e:00:${familyOfRouter(spec) === 6 ? '02' : '01'}:${vrid}`;
}

/** keepalived's name of it, without what makes it unique on a host. */
export function virtualMacBaseName(spec: VirtualRouterSpec): string {
  return `${familyOfRouter(spec) === 6 ? 'vrrp6' : 'vrrp'}.${spec.vrid}`;
}

export function replayGuardOf(guard: HmacReplayGuard): HmacReplayGuard {
  return guard === HmacReplayGuard.UNSPECIFIED ? HmacReplayGuard.TIME : guard;
}

export function hmacModeOf(mode: HmacMode): HmacMode {
  return mode === HmacMode.UNSPECIFIED ? HmacMode.ENFORCE : mode;
}

/** Three intervals, at least 5 s, and no longer than may be configured. */
export function timeWindowOf(spec: VirtualRouterSpec): Micros {
  const given = spec.authentication?.hmac?.timeWindow;
  return given === undefined
    ? Math.min(MAX_TIME_WINDOW, Math.max(LEAST_TIME_WINDOW, 3 * advertisementIntervalOf(spec)))
    : durationToMicros(given);
}

export function syncPolicyOf(spec: SyncGroupSpec): SyncPolicy {
  return spec.policy === SyncPolicy.UNSPECIFIED ? SyncPolicy.ALL : spec.policy;
}

/** Everything of a session but its ends. */
export function bfdWithDefaults(
  spec: BfdSessionSpec,
): Pick<BfdSessionSpec, 'minRx' | 'minTx' | 'idleTx' | 'multiplier' | 'passive' | 'multihop'> & { maxHops: number } {
  return {
    minRx: spec.minRx ?? microsToDuration(DEFAULT_BFD_INTERVAL),
    minTx: spec.minTx ?? microsToDuration(DEFAULT_BFD_INTERVAL),
    idleTx: spec.idleTx ?? microsToDuration(DEFAULT_BFD_IDLE),
    multiplier: spec.multiplier === 0 ? DEFAULT_BFD_MULTIPLIER : spec.multiplier,
    passive: spec.passive,
    multihop: spec.multihop,
    maxHops: spec.multihop ? (spec.maxHops ?? DEFAULT_MAX_HOPS) : 0,
  };
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
  return hooksWithDefaults(member.hooks ?? spec.hooks);
}

/** What is not given stays so: a router without a "deleted" hook tells of it by its "fault" hook. */
export function hooksWithDefaults(hooks: Hooks | undefined): Hooks | undefined {
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
    lowerPriorityHeard: withTimeout(hooks.lowerPriorityHeard),
    deleted: withTimeout(hooks.deleted),
    priorityChanges: hooks.priorityChanges,
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
    arpInterval: given?.arpInterval ?? microsToDuration(0),
    neighborInterval: given?.neighborInterval ?? microsToDuration(0),
    extraRefresh: given?.extraRefresh ?? microsToDuration(0),
    extraRefreshAll: given?.extraRefreshAll ?? false,
  };
}

export function checkWithDefaults(spec: CheckSpec): CheckSpec {
  const interval = spec.interval ?? microsToDuration(DEFAULT_CHECK_INTERVAL);
  return {
    kind: checkKindWithDefaults(spec.kind),
    interval,
    timeout: spec.timeout ?? interval,
    rise: spec.rise === 0 ? 1 : spec.rise,
    fall: spec.fall === 0 ? 1 : spec.fall,
    startJitter:
      spec.startJitter ?? microsToDuration(Math.min(MAX_START_JITTER, Math.floor(durationToMicros(interval) / 10))),
  };
}

function checkKindWithDefaults(kind: CheckSpec['kind']): CheckSpec['kind'] {
  switch (kind?.$case) {
    case 'http': {
      const { method, status } = kind.value;
      return {
        $case: 'http',
        value: {
          ...kind.value,
          method: method === '' ? 'GET' : method,
          status: status.length === 0 ? ['2xx'] : status,
        },
      };
    }
    case 'dns': {
      const { port, name, type } = kind.value;
      return { $case: 'dns', value: { ...kind.value, port: port || DNS_PORT, name: name || '.', type: type || 'SOA' } };
    }
    case 'ping':
      return { $case: 'ping', value: { ...kind.value, size: kind.value.size ?? DEFAULT_PING_SIZE } };
    case 'process': {
      const { match, quorum, quorumMax, upDelay, downDelay } = kind.value;
      return {
        $case: 'process',
        value: {
          ...kind.value,
          match: match === ProcessMatch.UNSPECIFIED ? ProcessMatch.EXACT : match,
          // None at all is what a limit of 0 asks for.
          quorum: quorum || (quorumMax === 0 ? 0 : 1),
          upDelay: upDelay ?? microsToDuration(0),
          downDelay: downDelay ?? microsToDuration(0),
        },
      };
    }
    default:
      return kind;
  }
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
