/**
 * Settings that are legal and probably not meant. What a check does to the priorities decides whether a failure ever
 * moves the addresses, and the two usual mistakes are invisible until the day it matters.
 */
import { ChecksumForm, type Member, type Track, Transport, type VirtualRouterSpec } from '../gen/baton/v1/resources.js';
import { preemptDelayOf, preemptOf, priorityOf, transportOf, versionOf } from './defaults.js';
import type { Report } from './field-rules.js';
import { subjectOf } from './tracks.js';

/** Priority of the owner of the addresses, which no track moves (RFC 9568 section 5.2.4). */
const OWNER = 255;

/** @param standalone The router is seen from one host alone; other members are elsewhere and unknown. */
export function lintRouter(spec: VirtualRouterSpec, standalone: boolean, warn: Report): void {
  const hasOthers = spec.members.length > 1 || spec.externalPeers.length > 0;
  if (!hasOthers && !standalone) {
    warn('members', 'has one member only: nobody takes over when it fails');
  }
  if (versionOf(spec) === 2 && spec.checksum !== ChecksumForm.UNSPECIFIED) {
    warn('checksum', 'has no effect: version 2 has one form of checksum only');
  }
  if (transportOf(spec) === Transport.UNICAST && spec.members.length + spec.externalPeers.length > 32) {
    warn('transport', 'sends each advertisement to every other member; with so many, multicast is cheaper');
  }
  for (const [index, member] of spec.members.entries()) {
    const delayPath = member.preemptDelay === undefined ? 'preemptDelay' : `members[${index}].preemptDelay`;
    if (!preemptOf(spec, member) && preemptDelayOf(spec, member) > 0) {
      warn(delayPath, `has no effect on ${member.node}, which does not preempt`);
    }
  }
  for (const place of trackPlaces(spec)) {
    const problem = lintTrack(spec, place.track, place.members);
    if (problem !== undefined) {
      warn(place.path, problem);
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
function lintTrack(spec: VirtualRouterSpec, track: Track, members: readonly Member[]): string | undefined {
  if (track.weight === 0) {
    return undefined;
  }
  const owner = members.find((member) => priorityOf(member) === OWNER);
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
  return lintPriorities(spec, members);
}

/**
 * (active priority - backup priority) < |weight|: failing must bring the member that is active when all is well below
 * the best of the others. Judged with all of its tracks failing, so that several small weights may add up.
 */
function lintPriorities(spec: VirtualRouterSpec, members: readonly Member[]): string | undefined {
  const ranked = [...spec.members].sort((a, b) => effective(spec, b, 'good') - effective(spec, a, 'good'));
  const [active, rival] = ranked;
  if (active === undefined || rival === undefined || !members.includes(active)) {
    return undefined;
  }
  const well = effective(spec, active, 'good');
  const failing = effective(spec, active, 'failing');
  const needed = effective(spec, rival, 'good');
  if (failing < needed) {
    return undefined;
  }
  const numbers = `${active.node} falls from ${well} to ${failing}, and ${rival.node} has ${needed}`;
  return failing === needed
    ? `is just too weak: ${numbers}, so that only the greater address decides; make the weight greater than ${well - needed}`
    : `can never move the addresses: ${numbers}; make the weight greater than ${well - needed}`;
}

/** Sum of base and weights, clamped to 1..254, with every track of the member good or every one failing. */
function effective(spec: VirtualRouterSpec, member: Member, tracks: 'good' | 'failing'): number {
  const base = priorityOf(member);
  if (base === OWNER) {
    return OWNER;
  }
  const counts = [...spec.track, ...member.track]
    .map(({ weight }) => weight)
    .filter((weight) => (tracks === 'good' ? weight > 0 : weight < 0));
  return Math.min(
    254,
    Math.max(
      1,
      counts.reduce((sum, weight) => sum + weight, base),
    ),
  );
}
