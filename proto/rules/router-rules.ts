/** What one virtual router may hold, judged by itself; other resources are asked for by callbacks. */
import { AuthenticationType, type Member, Transport, type VirtualRouterSpec } from '../gen/baton/v1/resources.js';
import { priorityOf, transportOf, versionOf } from './defaults.js';
import {
  checkAddresses,
  checkAdvertisementInterval,
  checkAnnouncements,
  checkHooks,
  checkHostAddress,
  checkInterface,
  checkKnown,
  checkPreemptDelay,
  checkTracks,
  checkVersion,
  checkVrid,
  checkWhole,
  type Report,
  within,
} from './field-rules.js';
import { parseCidr, parseIpv4 } from './ipv4.js';
import { isResourceName } from './names.js';

/** Judges a reference by name to a resource of that kind at that path. */
export type CheckReference = (kind: 'Node' | 'Check' | 'Receiver' | 'Secret', name: string, path: string) => void;

export function checkRouter(spec: VirtualRouterSpec, checkReference: CheckReference, report: Report): void {
  const version = versionOf(spec);
  checkVrid(spec.vrid, report);
  checkVersion(version, report);
  checkAdvertisementInterval(version, spec.advertisementInterval, report);
  checkPreemptDelay(spec.preemptDelay, report);
  checkAuthentication(spec, version, checkReference, report);
  checkKnown(spec.transport, 'transport', report);
  checkKnown(spec.checksum, 'checksum', report);
  checkKnown(spec.lease, 'lease', report);
  checkAddresses(spec.addresses, report);
  if (spec.hooks !== undefined) {
    checkHooks(spec.hooks, within(report, 'hooks'));
  }
  if (spec.announcements !== undefined) {
    checkAnnouncements(spec.announcements, within(report, 'announcements'));
  }
  checkReceivers(spec.receivers, checkReference, report);
  checkTracks(spec.track, new Map(), 'spec.', report);
  checkTrackedChecks(spec, checkReference);
  checkMembers(spec, checkReference, report);
  checkExternalPeers(spec, report);
}

function checkAuthentication(
  spec: VirtualRouterSpec,
  version: number,
  checkReference: CheckReference,
  report: Report,
): void {
  const { authentication } = spec;
  if (authentication === undefined) {
    return;
  }
  if (version === 3) {
    report('authentication', 'exists in version 2 only; remove it, or set version: 2 to keep it');
  }
  if (authentication.type === AuthenticationType.UNSPECIFIED) {
    report('authentication.type', 'is missing; PASS is the only type');
  }
  checkKnown(authentication.type, 'authentication.type', report);
  if (authentication.secret === '') {
    report('authentication.secret', 'is missing; give the name of the Secret that holds the password');
  } else {
    checkReference('Secret', authentication.secret, 'authentication.secret');
  }
}

function checkReceivers(receivers: readonly string[], checkReference: CheckReference, report: Report): void {
  for (const [index, name] of receivers.entries()) {
    if (receivers.indexOf(name) < index) {
      report(`receivers[${index}]`, `${JSON.stringify(name)} is given twice; remove one`);
    } else {
      checkReference('Receiver', name, `receivers[${index}]`);
    }
  }
}

function checkTrackedChecks(spec: VirtualRouterSpec, checkReference: CheckReference): void {
  const all = [
    ...spec.track.map((track, index) => ({ track, path: `track[${index}]` })),
    ...spec.members.flatMap((member, at) =>
      member.track.map((track, index) => ({ track, path: `members[${at}].track[${index}]` })),
    ),
  ];
  for (const { track, path } of all) {
    if (track.check !== '' && track.interface === '') {
      checkReference('Check', track.check, `${path}.check`);
    }
  }
}

function checkMembers(spec: VirtualRouterSpec, checkReference: CheckReference, report: Report): void {
  if (spec.members.length === 0) {
    report('members', 'is missing; give at least one node that runs this router');
  }
  const byNode = new Map<string, number>();
  const byAddress = new Map<string, number>();
  let owner: number | undefined;
  for (const [index, member] of spec.members.entries()) {
    const at = within(report, `members[${index}]`);
    checkMember(spec, member, at);
    checkOnce(byNode, member.node, index, 'node', at);
    checkOnce(byAddress, member.address, index, 'address', at);
    if (isResourceName(member.node)) {
      checkReference('Node', member.node, `members[${index}].node`);
    }
    if (priorityOf(member) === 255) {
      if (owner !== undefined) {
        at('priority', `255 is for the one owner of the addresses, which is spec.members[${owner}] already`);
      }
      owner ??= index;
    }
  }
}

function checkOnce(seen: Map<string, number>, value: string, index: number, path: string, report: Report): void {
  const first = seen.get(value);
  if (first !== undefined && value !== '') {
    report(path, `${JSON.stringify(value)} is that of spec.members[${first}] already; each member has its own`);
  } else {
    seen.set(value, index);
  }
}

function checkMember(spec: VirtualRouterSpec, member: Member, report: Report): void {
  if (!isResourceName(member.node)) {
    report('node', member.node === '' ? 'is missing; give the name of the node' : `${NAME_RULE}`);
  }
  checkInterface(member.interface, 'interface', report);
  checkWhole(member.priority, 0, 255, 'priority', report);
  checkPreemptDelay(member.preemptDelay, report);
  if (member.hooks !== undefined) {
    checkHooks(member.hooks, within(report, 'hooks'));
  }
  checkTracks(member.track, subjectsOfRouter(spec), '', report);
  if (member.address === '') {
    if (transportOf(spec) === Transport.UNICAST && spec.members.length > 1) {
      report('address', 'is missing; with unicast the other members send to it');
    }
    return;
  }
  const address = checkHostAddress(member.address, 'address', report);
  const isVirtual = spec.addresses.some((virtual) => parseCidr(virtual.address)?.address === address);
  if (address !== undefined && isVirtual && priorityOf(member) !== 255) {
    report(
      'address',
      `${member.address} is a virtual address of this router; only the owner, priority 255, can have it`,
    );
  }
}

function subjectsOfRouter(spec: VirtualRouterSpec): Map<string, string> {
  const subjects = new Map<string, string>();
  checkTracks(spec.track, subjects, 'spec.', () => {});
  return subjects;
}

function checkExternalPeers(spec: VirtualRouterSpec, report: Report): void {
  const unicast = transportOf(spec) === Transport.UNICAST;
  if (!unicast && spec.externalPeers.length > 0) {
    report('externalPeers', 'is for unicast only; set transport: unicast or remove it');
  }
  if (unicast && spec.members.length + spec.externalPeers.length < 2) {
    report('transport', 'is unicast, but there is nobody to send to; add a member or externalPeers');
  }
  for (const [index, peer] of spec.externalPeers.entries()) {
    const path = `externalPeers[${index}]`;
    const address = checkHostAddress(peer, path, report);
    if (address === undefined) {
      continue;
    }
    if (spec.externalPeers.indexOf(peer) < index) {
      report(path, `${peer} is given twice; remove one`);
    } else if (spec.members.some((member) => parseIpv4(member.address) === address)) {
      report(path, `${peer} is the address of a member; remove it here`);
    }
  }
}

export const NAME_RULE =
  'a name has 1 to 63 characters of a-z, 0-9, "-", "_" and ".", and begins and ends with a letter or digit';
