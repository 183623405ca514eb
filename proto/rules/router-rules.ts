/** What one virtual router may hold, judged by itself; other resources are asked for by callbacks. */
import { type Member, PeerPolicy, Transport, type VirtualRouterSpec } from '../gen/baton/v1/resources.js';
import { checkAddress, checkAddressList, checkHostAddress, checkMulticastGroup } from './address-rules.js';
import { checkAuthentication, type SecretQuestions } from './authentication-rules.js';
import { canonicalIp } from './compile-address.js';
import { familyOfRouter, OWNER_PRIORITY, preemptOf, priorityOf, transportOf, versionOf } from './defaults.js';
import {
  checkAdvertisementInterval,
  checkAnnouncements,
  checkExtraRefresh,
  checkHooks,
  checkInterface,
  checkKnown,
  checkPreemptDelay,
  checkStartupDelays,
  checkVerifyInterval,
  checkVersion,
  checkVrid,
  checkWhole,
  quote,
  type Report,
  within,
} from './field-rules.js';
import { isLinkLocal, parseIp, parseIpPrefix } from './ip.js';
import { isInterfaceName, isResourceName } from './names.js';
import { checkRoutes, checkRules } from './route-rules.js';
import { checkTracks } from './track-rules.js';
import type { CheckKinds } from './tracks.js';

export type ReferredKind = 'Node' | 'Check' | 'Receiver' | 'Secret' | 'BfdSession' | 'VirtualRouter';

/** Judges a reference by name to a resource of that kind at that path. */
export type CheckReference = (kind: ReferredKind, name: string, path: string) => void;

/** What a router may need to know of other resources. */
export interface RouterQuestions {
  readonly checkReference: CheckReference;
  /** Value of a Secret; undefined: there is none of that name. */
  readonly secretOf: SecretQuestions['valueOf'];
  readonly checkKinds: CheckKinds;
}

export function checkRouter(spec: VirtualRouterSpec, questions: RouterQuestions, report: Report): void {
  const { checkReference, checkKinds } = questions;
  const version = versionOf(spec);
  checkVrid(spec.vrid, report);
  checkVersion(version, report);
  checkAdvertisementInterval(version, spec.advertisementInterval, report);
  checkPreemptDelay(spec.preemptDelay, report);
  const secrets = {
    refer: (name: string, path: string) => checkReference('Secret', name, path),
    valueOf: questions.secretOf,
  };
  checkAuthentication(spec, version, secrets, report);
  for (const name of ['transport', 'checksum', 'lease', 'peers', 'duplicateProbe'] as const) {
    checkKnown(spec[name], name, report);
  }
  checkRouterAddresses(spec, report);
  const family = familyOfRouter(spec);
  checkRoutes(spec.routes, family, false, report);
  checkRules(spec.rules, family, report);
  if (spec.hooks !== undefined) {
    checkHooks(spec.hooks, within(report, 'hooks'));
  }
  if (spec.announcements !== undefined) {
    checkAnnouncements(spec.announcements, within(report, 'announcements'));
    checkExtraRefresh(spec.announcements, within(report, 'announcements'));
  }
  checkReceivers(spec.receivers, checkReference, report);
  checkTracks(spec.track, checkKinds, new Map(), 'spec.', report);
  checkMembers(spec, questions, report);
  checkTransport(spec, report);
  checkBehaviour(spec, report);
  checkVirtualMac(spec, report);
  checkStartupDelays(spec, report);
  checkVerifyInterval(spec.verifyInterval, report);
}

/** RFC 9568 section 5.2.5 for one address at least, section 5.2.9 for the link-local one. */
function checkRouterAddresses(spec: VirtualRouterSpec, report: Report): void {
  if (spec.addresses.length === 0 && !spec.noAddresses) {
    report('addresses', 'is missing; give at least one virtual address, or noAddresses: true for an election alone');
  }
  if (spec.noAddresses && spec.addresses.length > 0) {
    report('noAddresses', 'does not go together with addresses; remove one');
  }
  const seen = new Map<string, string>();
  checkAddressList(spec.addresses, { path: 'addresses', advertised: true, needsDevice: false }, seen, report);
  const excluded = { path: 'excludedAddresses', advertised: false, needsDevice: false } as const;
  checkAddressList(spec.excludedAddresses, excluded, seen, report);
  if (!spec.strictRfc) {
    return;
  }
  if (spec.noAddresses) {
    report('strictRfc', 'does not go together with noAddresses: an advertisement has at least one address');
  }
  if (familyOfRouter(spec) === 6) {
    if (versionOf(spec) === 2) {
      report('version', 'must be 3 for IPv6 with strictRfc; version 2 knows no IPv6');
    }
    const first = parseIpPrefix(spec.addresses[0]?.address ?? '')?.address;
    if (first !== undefined && !isLinkLocal(first)) {
      report('addresses[0].address', 'must be link-local with strictRfc, such as fe80::1; put one first');
    }
  }
}

export function checkReceivers(receivers: readonly string[], checkReference: CheckReference, report: Report): void {
  for (const [index, name] of receivers.entries()) {
    if (receivers.indexOf(name) < index) {
      report(`receivers[${index}]`, `${JSON.stringify(name)} is given twice; remove one`);
    } else {
      checkReference('Receiver', name, `receivers[${index}]`);
    }
  }
}

function checkMembers(spec: VirtualRouterSpec, questions: RouterQuestions, report: Report): void {
  if (spec.members.length === 0) {
    report('members', 'is missing; give at least one node that runs this router');
  }
  const byNode = new Map<string, number>();
  const byAddress = new Map<string, number>();
  let owner: number | undefined;
  for (const [index, member] of spec.members.entries()) {
    const at = within(report, `members[${index}]`);
    checkMember(spec, member, questions.checkKinds, at);
    checkOnce(byNode, member.node, index, 'node', at);
    checkOnce(byAddress, canonicalIp(member.address), index, 'address', at);
    if (isResourceName(member.node)) {
      questions.checkReference('Node', member.node, `members[${index}].node`);
    }
    if (priorityOf(member) === OWNER_PRIORITY) {
      if (owner !== undefined) {
        at('priority', `255 is for the one owner of the addresses, which is spec.members[${owner}] already`);
      }
      owner ??= index;
    }
  }
  if (spec.ownerIgnoreAdvertisements && owner === undefined && spec.members.length > 0) {
    report('ownerIgnoreAdvertisements', 'is for the owner, the member of priority 255; there is none, so remove it');
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

function checkMember(spec: VirtualRouterSpec, member: Member, kinds: CheckKinds, report: Report): void {
  if (!isResourceName(member.node)) {
    report('node', member.node === '' ? 'is missing; give the name of the node' : `${NAME_RULE}`);
  }
  checkInterface(member.interface, 'interface', report);
  checkWhole(member.priority, 0, 255, 'priority', report);
  checkPreemptDelay(member.preemptDelay, report);
  if (member.hooks !== undefined) {
    checkHooks(member.hooks, within(report, 'hooks'));
  }
  const taken = new Map<string, string>();
  checkTracks(spec.track, kinds, taken, 'spec.', () => {});
  checkTracks(member.track, kinds, taken, '', report);
  if (member.address === '') {
    const why = whyAddressNeeded(spec);
    if (why !== undefined) {
      report('address', `is missing; ${why}`);
    }
    return;
  }
  const address = checkHostAddress(member.address, 'address', report, familyOfRouter(spec));
  const isVirtual = spec.addresses.some((virtual) => parseIpPrefix(virtual.address)?.address === address);
  if (address !== undefined && isVirtual && priorityOf(member) !== OWNER_PRIORITY) {
    report(
      'address',
      `${member.address} is a virtual address of this router; only the owner, priority 255, can have it`,
    );
  }
}

/** Why every member must say its address; undefined: it need not. */
function whyAddressNeeded(spec: VirtualRouterSpec): string | undefined {
  if (transportOf(spec) === Transport.UNICAST) {
    if (spec.members.length > 1) {
      return 'with unicast the other members send to it';
    }
    return familyOfRouter(spec) === 6 ? 'with unicast over IPv6 no address of the interface can be guessed' : undefined;
  }
  return spec.peers === PeerPolicy.MEMBERS && spec.members.length > 1
    ? 'with peers: members the others believe no other address'
    : undefined;
}

function checkTransport(spec: VirtualRouterSpec, report: Report): void {
  const isUnicast = transportOf(spec) === Transport.UNICAST;
  const knowsOthers = isUnicast || spec.peers === PeerPolicy.MEMBERS;
  if (!knowsOthers && spec.externalPeers.length > 0) {
    report('externalPeers', 'is for unicast or peers: members only; set one of them, or remove it');
  }
  const isAlone = spec.members.length + spec.externalPeers.length < 2;
  if (isUnicast && isAlone && spec.unicast?.faultWithoutPeers !== true) {
    report(
      'transport',
      'is unicast, but there is nobody to send to; add a member or externalPeers, or unicast: {faultWithoutPeers: true}',
    );
  }
  if (isUnicast && spec.peers === PeerPolicy.ANY) {
    report('peers', 'cannot be any with unicast, which believes the members and externalPeers alone; remove it');
  }
  if (!isUnicast && spec.peers === PeerPolicy.MEMBERS && isAlone) {
    report('peers', 'is members, but there are no others; add a member or externalPeers');
  }
  checkExternalPeers(spec, report);
  if (spec.multicastGroup !== '') {
    if (isUnicast) {
      report('multicastGroup', 'is for multicast; remove it, or transport: unicast');
    }
    checkMulticastGroup(spec.multicastGroup, familyOfRouter(spec), 'multicastGroup', report);
  }
  if (spec.unicast !== undefined) {
    if (!isUnicast) {
      report('unicast', 'is for unicast; set transport: unicast, or remove it');
    }
    checkUnicast(spec, within(report, 'unicast'));
  }
}

function checkExternalPeers(spec: VirtualRouterSpec, report: Report): void {
  for (const [index, peer] of spec.externalPeers.entries()) {
    const path = `externalPeers[${index}]`;
    const address = checkHostAddress(peer, path, report, familyOfRouter(spec));
    if (address === undefined) {
      continue;
    }
    if (spec.externalPeers.findIndex((other) => parseIp(other) === address) < index) {
      report(path, `${peer} is given twice; remove one`);
    } else if (spec.members.some((member) => parseIp(member.address) === address)) {
      report(path, `${peer} is the address of a member; remove it here`);
    }
  }
}

function checkUnicast(spec: VirtualRouterSpec, report: Report): void {
  const { ttl = 0, minTtl = 0, maxTtl = 0, peerTtl = [] } = spec.unicast ?? {};
  checkWhole(ttl, 0, 255, 'ttl', report);
  checkTtlRange(minTtl, maxTtl, report);
  const peers = [...spec.members.map(({ address }) => address), ...spec.externalPeers].map(parseIp);
  const seen = new Set<number | bigint>();
  for (const [index, peer] of peerTtl.entries()) {
    const at = within(report, `peerTtl[${index}]`);
    checkTtlRange(peer.minTtl, peer.maxTtl, at);
    const address = checkAddress(peer.address, 'address', at, familyOfRouter(spec));
    if (address === undefined) {
      continue;
    }
    if (!peers.includes(address)) {
      at('address', `${peer.address} is neither the address of a member nor among externalPeers`);
    } else if (seen.has(address)) {
      at('address', `${peer.address} is given twice; remove one`);
    }
    seen.add(address);
  }
}

/** @param max 0 stands for 255. */
export function checkTtlRange(min: number, max: number, report: Report): void {
  checkWhole(min, 0, 255, 'minTtl', report);
  checkWhole(max, 0, 255, 'maxTtl', report);
  if (max !== 0 && min > max) {
    report('maxTtl', `must not be less than minTtl, which is ${min}`);
  }
}

/** Options that need others beside them. */
function checkBehaviour(spec: VirtualRouterSpec, report: Report): void {
  checkWhole(spec.downTimerAdvertisements, 0, 100, 'downTimerAdvertisements', report);
  checkWhole(spec.timerExpiredBackup, 0, 254, 'timerExpiredBackup', report);
  if (spec.timerExpiredBackup !== 0 && spec.members.length > 0 && spec.members.every((one) => preemptOf(spec, one))) {
    report('timerExpiredBackup', 'is for routers that do not preempt; set preempt: false, or remove it');
  }
  if (spec.strictRfc && spec.accept === true && versionOf(spec) === 2) {
    report('accept', 'must not be true for version 2 with strictRfc: only the owner accepts (RFC 3768 section 6.4.3)');
  }
}

function checkVirtualMac(spec: VirtualRouterSpec, report: Report): void {
  const { virtualMac } = spec;
  if (virtualMac === undefined) {
    return;
  }
  const at = within(report, 'virtualMac');
  if (virtualMac.name !== '' && !isInterfaceName(virtualMac.name)) {
    at(
      'name',
      `${quote(virtualMac.name)} cannot be an interface's name: 1 to 15 visible characters without "/" and ":"`,
    );
  }
  if (spec.members.some((member) => member.interface === virtualMac.name)) {
    at('name', `${virtualMac.name} is the interface of a member; the virtual MAC address needs one of its own`);
  }
  if (virtualMac.address !== '') {
    checkMacAddress(virtualMac.address, 'address', at);
  }
}

/** One that an interface can have: six bytes, not all zero, not of a group. */
export function checkMacAddress(text: string, path: string, report: Report): void {
  if (!/^[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}$/.test(text)) {
    report(path, `${quote(text)} is not a MAC address; write it like 00:00:5e:00:01:0a`);
  } else if (Number.parseInt(text.slice(0, 2), 16) % 2 === 1) {
    report(path, `${text} is the address of a group, which no interface can have`);
  } else if (/^[0:]+$/.test(text)) {
    report(path, `${text} is no address`);
  }
}

export const NAME_RULE =
  'a name has 1 to 63 characters of a-z, 0-9, "-", "_" and ".", and begins and ends with a letter or digit';
