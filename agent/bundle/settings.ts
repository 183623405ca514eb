/**
 * A bundle as the two threads want it: settings of the routers for the elections, of the checks and hooks for the
 * worker. The one place where messages become the core's parameters; what it lets through is in range.
 */
import type { Bundle, BundleCheck, BundleRouter } from '../../proto/gen/baton/v1/bundle.js';
import type { Refusal } from '../../proto/gen/baton/v1/events.js';
import {
  type Address,
  ChecksumForm,
  Lease,
  type Track as TrackMessage,
  Transport,
} from '../../proto/gen/baton/v1/resources.js';
import { durationToMicros } from '../../proto/rules/duration.js';
import { broadcastOf, formatIpv4, networkOf, parseCidr, parseIpv4 } from '../../proto/rules/ipv4.js';
import type { CheckSettings } from '../health/checks.js';
import type { RouterSettings, VirtualAddress } from '../runtime/messages.js';
import type { Announcements, Track, VirtualRouter } from '../vrrp/index.js';

export interface BundleSettings {
  readonly routers: readonly RouterSettings[];
  readonly checks: readonly CheckSettings[];
}

export type SettingsResult =
  | { readonly ok: true; readonly settings: BundleSettings }
  | { readonly ok: false; readonly refusals: readonly Refusal[] };

/** Never throws: what cannot be translated is refused with its path in the bundle. */
export function settingsOf(bundle: Bundle): SettingsResult {
  const refusals: Refusal[] = [];
  const checkNames = new Set(bundle.checks.map((check) => check.name));
  const routers = bundle.routers.map((router) => routerSettings(router, checkNames, refusals));
  const checks = bundle.checks.map((check) => checkSettings(check, refusals));
  return refusals.length > 0 ? { ok: false, refusals } : { ok: true, settings: { routers, checks } };
}

function routerSettings(message: BundleRouter, checks: ReadonlySet<string>, refusals: Refusal[]): RouterSettings {
  const at = `routers[${message.name}]`;
  const refuse = (field: string, reason: string): void => {
    refusals.push({ path: `${at}.${field}`, reason });
  };
  inRange(message.vrid, 1, 255, 'vrid', refuse);
  inRange(message.priority, 1, 255, 'priority', refuse);
  if (message.version !== 2 && message.version !== 3) refuse('version', `${message.version} is not 2 or 3`);
  if (message.interface === '') refuse('interface', 'it is empty');
  const interval = durationToMicros(message.advertisementInterval);
  // What the wire can carry: RFC 3768 section 5.3.7, RFC 9568 section 5.2.7.
  const unit = message.version === 2 ? 1_000_000 : 10_000;
  const longest = message.version === 2 ? 255_000_000 : 40_950_000;
  if (interval < unit || interval > longest || interval % unit !== 0) {
    refuse('advertisement_interval', `version ${message.version} cannot carry ${interval} us`);
  }
  if (message.addresses.length === 0) refuse('addresses', 'there is none');
  const virtual = message.addresses.map((address, index) =>
    virtualAddress(address, message.interface, (reason) => refuse(`addresses[${index}]`, reason)),
  );
  for (const track of message.track) {
    if (track.check !== '' && !checks.has(track.check)) refuse('track', `check ${track.check} is not in the bundle`);
  }
  for (const [index, peer] of message.peers.entries()) {
    if (parseIpv4(peer) === undefined) refuse(`peers[${index}]`, `"${peer}" is not an IPv4 address`);
  }
  if (message.sourceAddress !== '' && parseIpv4(message.sourceAddress) === undefined) {
    refuse('source_address', `"${message.sourceAddress}" is not an IPv4 address`);
  }
  if (message.password.length !== 0 && message.password.length !== 8) {
    refuse('password', 'it is not padded to 8 bytes');
  }
  const router: VirtualRouter = {
    name: message.name,
    vrid: message.vrid,
    version: message.version === 2 ? 2 : 3,
    priority: message.priority,
    advertisementInterval: interval,
    preemptMode: message.preempt,
    preemptDelay: durationToMicros(message.preemptDelay),
    strictRfc: message.strictRfc,
    addresses: virtual.map(({ address }) => parseIpv4(address) ?? 0),
    tracks: tracksOf(message),
    announcements: announcementsOf(message),
    leased: message.lease !== Lease.OFF,
  };
  return {
    router,
    interface: message.interface,
    ...(message.sourceAddress === '' ? {} : { sourceAddress: message.sourceAddress }),
    ...(message.transport === Transport.UNICAST ? { peers: message.peers } : {}),
    ...(message.password.length === 8 ? { password: Uint8Array.from(message.password) } : {}),
    checksum: message.checksum === ChecksumForm.PSEUDO_HEADER ? 'pseudo_header' : 'message_only',
    addresses: virtual,
  };
}

function inRange(
  value: number,
  least: number,
  most: number,
  field: string,
  refuse: (field: string, reason: string) => void,
): void {
  if (!Number.isInteger(value) || value < least || value > most) {
    refuse(field, `${value} is not between ${least} and ${most}`);
  }
}

function virtualAddress(message: Address, device: string, refuse: (reason: string) => void): VirtualAddress {
  const cidr = parseCidr(message.address);
  if (cidr === undefined) {
    refuse(`"${message.address}" is not an IPv4 address with prefix length`);
    return { address: '0.0.0.0', prefixLength: 32, device };
  }
  const broadcast =
    message.broadcast === '+'
      ? formatIpv4(broadcastOf(cidr))
      : message.broadcast === '-'
        ? formatIpv4(networkOf(cidr))
        : message.broadcast;
  if (broadcast !== '' && parseIpv4(broadcast) === undefined) refuse(`"${broadcast}" is not a broadcast address`);
  return {
    address: formatIpv4(cidr.address),
    prefixLength: cidr.prefixLength,
    device: message.device === '' ? device : message.device,
    ...(message.label === '' ? {} : { label: message.label }),
    ...(broadcast === '' ? {} : { broadcast }),
  };
}

/** What the bundle names, after what every router depends on: its own interface and its source address. */
function tracksOf(message: BundleRouter): Track[] {
  const own = `interface ${message.interface}`;
  const named = message.track.map(trackOf);
  const implied: Track[] = [];
  if (!named.some((track) => track.id === own && track.weight === 0)) {
    implied.push({ id: own, weight: 0, reverse: false });
  }
  implied.push({ id: 'source address', weight: 0, reverse: false });
  return [...implied, ...named];
}

function trackOf(message: TrackMessage): Track {
  const id = message.check === '' ? `interface ${message.interface}` : `check ${message.check}`;
  return { id, weight: message.weight, reverse: message.reverse };
}

/** The compiler has filled in every field; what is absent all the same is keepalived's default. */
function announcementsOf(message: BundleRouter): Announcements {
  const given = message.announcements;
  const delay = given?.delay === undefined ? 5_000_000 : durationToMicros(given.delay);
  const repeat = given?.repeat ?? 5;
  return {
    repeat,
    delay,
    refresh: durationToMicros(given?.refresh),
    refreshRepeat: given?.refreshRepeat ?? 1,
    lowerPriorityRepeat: given?.lowerPriorityRepeat ?? repeat,
    lowerPriorityDelay: given?.lowerPriorityDelay === undefined ? delay : durationToMicros(given.lowerPriorityDelay),
  };
}

function checkSettings(message: BundleCheck, refusals: Refusal[]): CheckSettings {
  const at = `checks[${message.name}].spec`;
  const { spec } = message;
  const exec = spec?.kind?.$case === 'exec' ? spec.kind.value : undefined;
  if (exec === undefined) refusals.push({ path: at, reason: 'this agent runs no checks of that kind' });
  else if (exec.command.length === 0) refusals.push({ path: `${at}.exec.command`, reason: 'it is empty' });
  const interval = durationToMicros(spec?.interval) / 1_000 || 1_000;
  return {
    name: message.name,
    program: {
      command: exec?.command ?? [],
      timeout: durationToMicros(spec?.timeout) / 1_000 || interval,
      ...(exec === undefined || exec.user === '' ? {} : { user: exec.user }),
    },
    interval,
    hysteresis: { rise: Math.max(1, spec?.rise ?? 1), fall: Math.max(1, spec?.fall ?? 1) },
  };
}
