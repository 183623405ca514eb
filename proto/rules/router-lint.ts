/**
 * Settings that are legal and probably not meant. What a check does to the priorities decides whether a failure ever
 * moves the addresses, and the two usual mistakes are invisible until the day it matters.
 */
import {
  AuthenticationType,
  ChecksumForm,
  HmacMode,
  type HostNetworkSpec,
  type Member,
  type Track,
  Transport,
  type VirtualRouterSpec,
} from '../gen/baton/v1/resources.js';
import { lintAddress } from './address-rules.js';
import {
  downTimerAdvertisementsOf,
  familyOfRouter,
  hmacModeOf,
  OWNER_PRIORITY,
  preemptDelayOf,
  preemptOf,
  priorityOf,
  transportOf,
  versionOf,
} from './defaults.js';
import { type Report, within } from './field-rules.js';
import { lintRoute } from './route-rules.js';
import { type CheckKinds, subjectOf } from './tracks.js';

export interface LintContext {
  /** The router is seen from one host alone; other members are elsewhere and unknown. */
  readonly standalone: boolean;
  readonly checkKinds: CheckKinds;
}

export function lintRouter(spec: VirtualRouterSpec, { standalone, checkKinds }: LintContext, warn: Report): void {
  const hasOthers = spec.members.length > 1 || spec.externalPeers.length > 0;
  if (!hasOthers && !standalone) {
    warn('members', 'has one member only: nobody takes over when it fails');
  }
  lintProtocol(spec, warn);
  lintStrictness(spec, warn);
  lintPreemption(spec, warn);
  for (const list of ['addresses', 'excludedAddresses'] as const) {
    for (const [index, address] of spec[list].entries()) {
      lintAddress(address, within(warn, `${list}[${index}]`));
    }
  }
  for (const [index, route] of spec.routes.entries()) {
    lintRoute(route, familyOfRouter(spec), within(warn, `routes[${index}]`));
  }
  for (const place of trackPlaces(spec)) {
    const problem = lintTrack(spec, place.track, place.members, checkKinds);
    if (problem !== undefined) {
      warn(place.path, problem);
    }
  }
}

export function lintHostNetwork(spec: HostNetworkSpec, warn: Report): void {
  for (const [index, address] of spec.addresses.entries()) {
    lintAddress(address, within(warn, `addresses[${index}]`));
  }
  for (const [index, route] of spec.routes.entries()) {
    lintRoute(route, 4, within(warn, `routes[${index}]`));
  }
}

function lintProtocol(spec: VirtualRouterSpec, warn: Report): void {
  const family = familyOfRouter(spec);
  const isUnicast = transportOf(spec) === Transport.UNICAST;
  if (versionOf(spec) === 2 && family === 6) {
    warn('version', 'is 2, which no RFC has for IPv6: only keepalived understands it');
  }
  if (spec.checksum !== ChecksumForm.UNSPECIFIED && (versionOf(spec) === 2 || family === 6)) {
    warn('checksum', `has no effect: ${family === 6 ? 'IPv6' : 'version 2'} has one form of checksum only`);
  }
  if (isUnicast && spec.members.length + spec.externalPeers.length > 32) {
    warn('transport', 'sends each advertisement to every other member; with so many, multicast is cheaper');
  }
  if (isUnicast && spec.virtualMac !== undefined && !spec.virtualMac.transmitOnBase) {
    warn(
      'virtualMac.transmitOnBase',
      'is not set: unicast advertisements would leave from the virtual MAC address, which answers do not come back to ' +
        'while another member is active',
    );
  }
  const { authentication } = spec;
  const mode = authentication?.type === AuthenticationType.HMAC ? authentication.hmac?.mode : undefined;
  if (mode !== undefined && hmacModeOf(mode) !== HmacMode.ENFORCE) {
    warn(
      'authentication.hmac.mode',
      'still believes unsigned advertisements; set enforce once every member and external peer signs',
    );
  }
  if (downTimerAdvertisementsOf(spec) === 1) {
    warn('downTimerAdvertisements', 'is 1: a single lost advertisement makes a second router active');
  }
}

function lintStrictness(spec: VirtualRouterSpec, warn: Report): void {
  if (!spec.strictRfc) {
    return;
  }
  const departures: readonly (readonly [string, boolean])[] = [
    ['downTimerAdvertisements', downTimerAdvertisementsOf(spec) !== 3],
    ['lowerPriorityNoAdvertisement', spec.lowerPriorityNoAdvertisement],
    ['higherPrioritySendAdvertisement', spec.higherPrioritySendAdvertisement],
    ['preemptDelay', spec.preemptDelay !== undefined],
    ['transport', transportOf(spec) === Transport.UNICAST],
  ];
  for (const [path, departs] of departures) {
    if (departs) {
      warn(path, 'departs from RFC 9568 although strictRfc is set');
    }
  }
}

function lintPreemption(spec: VirtualRouterSpec, warn: Report): void {
  for (const [index, member] of spec.members.entries()) {
    const delayPath = member.preemptDelay === undefined ? 'preemptDelay' : `members[${index}].preemptDelay`;
    if (!preemptOf(spec, member) && preemptDelayOf(spec, member) > 0) {
      warn(delayPath, `has no effect on ${member.node}, which does not preempt`);
    }
    if (spec.timerExpiredBackup !== 0 && preemptOf(spec, member)) {
      warn('timerExpiredBackup', `has no effect on ${member.node}, which preempts`);
    }
    if (spec.accept === false && priorityOf(member) === OWNER_PRIORITY) {
      warn('accept', `has no effect on ${member.node}, which owns the addresses and always accepts`);
    }
  }
}

interface TrackPlace {
  readonly track: Track;
  readonly path: string;
  /** Whom it concerns. */
  readonly members: readonly Member[];
}

function trackPlaces(spec: VirtualRouterSpec): TrackPlace[] {
  return [
    ...spec.track.map((track, index) => ({ track, path: `track[${index}]`, members: spec.members })),
    ...spec.members.flatMap((member, at) =>
      member.track.map((track, index) => ({ track, path: `members[${at}].track[${index}]`, members: [member] })),
    ),
  ];
}

/** The first thing that is odd about a weight, or undefined. Weight 0 puts the member in fault, which always counts. */
function lintTrack(
  spec: VirtualRouterSpec,
  track: Track,
  members: readonly Member[],
  kinds: CheckKinds,
): string | undefined {
  if (track.weight === 0) {
    return undefined;
  }
  const owner = members.find((member) => priorityOf(member) === OWNER_PRIORITY);
  if (owner !== undefined) {
    return `its weight has no effect on ${owner.node}: nothing moves priority 255; use weight 0 or another priority`;
  }
  for (const member of members) {
    const rivals = spec.members.filter((other) => other !== member);
    if (rivals.length > 0 && spec.externalPeers.length === 0 && rivals.every((rival) => !preemptOf(spec, rival))) {
      return (
        `when ${subjectOf(track)} fails on an active ${member.node}, its priority falls but nobody takes over, as no ` +
        'other member preempts (preempt: false); use weight 0, so that the failing member goes to fault, or preempt: true'
      );
    }
  }
  return lintPriorities(spec, members, kinds);
}

/**
 * (active priority - backup priority) < |weight|: failing must bring the member that is active when all is well below
 * the best of the others. Judged with all of its tracks failing, so that several small weights may add up.
 */
function lintPriorities(spec: VirtualRouterSpec, members: readonly Member[], kinds: CheckKinds): string | undefined {
  const ranked = [...spec.members].sort(
    (a, b) => effective(spec, b, 'good', kinds) - effective(spec, a, 'good', kinds),
  );
  const [active, rival] = ranked;
  if (active === undefined || rival === undefined || !members.includes(active)) {
    return undefined;
  }
  const well = effective(spec, active, 'good', kinds);
  const failing = effective(spec, active, 'failing', kinds);
  const needed = effective(spec, rival, 'good', kinds);
  if (failing < needed) {
    return undefined;
  }
  const numbers = `${active.node} falls from ${well} to ${failing}, and ${rival.node} has ${needed}`;
  return failing === needed
    ? `is just too weak: ${numbers}, so that only the greater address decides; make the weight greater than ${well - needed}`
    : `can never move the addresses: ${numbers}; make the weight greater than ${well - needed}`;
}

/**
 * Sum of base and weights, clamped to 1..254, with every track of the member good or every one failing. A file's value
 * may be anything: while all is well it is taken to be 0, and failing to be enough for any change.
 */
function effective(spec: VirtualRouterSpec, member: Member, tracks: 'good' | 'failing', kinds: CheckKinds): number {
  const base = priorityOf(member);
  if (base === OWNER_PRIORITY) {
    return OWNER_PRIORITY;
  }
  let sum = base;
  for (const { check, weight, reverse } of [...spec.track, ...member.track]) {
    if (kinds.get(check) === 'file') {
      sum -= tracks === 'failing' && weight !== 0 ? 254 : 0;
      continue;
    }
    // Good and failing swapped is the weight with its sign swapped.
    const counted = reverse ? -weight : weight;
    if (tracks === 'good' ? counted > 0 : counted < 0) {
      sum += counted;
    }
  }
  return Math.min(254, Math.max(1, sum));
}
