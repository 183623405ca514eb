/**
 * What an agent checks of a bundle that it was sent or has stored, before anything of it is put in force: everything
 * that the election and the check runner rely upon. Total: any decoded bundle gets an answer, never an exception.
 * Whether the host allows it and has the interfaces is another question (agent/bundle).
 */
import type {
  Bundle,
  BundleBfdSession,
  BundleCheck,
  BundleGroup,
  BundleHmac,
  BundleHostNetwork,
  BundleRouter,
} from '../gen/baton/v1/bundle.js';
import type { Refusal } from '../gen/baton/v1/events.js';
import {
  ChecksumForm,
  type Command,
  DuplicateProbe,
  HmacMode,
  HmacReplayGuard,
  type Hooks,
  Lease,
  SyncPolicy,
  Transport,
} from '../gen/baton/v1/resources.js';
import { checkAddress, checkAddressList, checkHostAddress, checkMulticastGroup } from './address-rules.js';
import { TIME_WINDOW } from './authentication-rules.js';
import { checkCheckSpec } from './check-rules.js';
import { PASSWORD_BYTES } from './compile-router.js';
import {
  checkAdvertisementInterval,
  checkAnnouncements,
  checkGroupHooks,
  checkHooks,
  checkInterface,
  checkKnown,
  checkPreemptDelay,
  checkSpan,
  checkStartupDelays,
  checkVerifyInterval,
  checkVersion,
  checkVrid,
  checkWhole,
  type Report,
  within,
} from './field-rules.js';
import { checkHostItems, checkSessionEnds, checkSessionNumbers } from './group-rules.js';
import { LEAST_KEY_BYTES, MOST_KEY_BYTES } from './hmac-key.js';
import type { Family } from './ip.js';
import { parseIpPrefix } from './ip.js';
import { isPlainLine, isResourceName } from './names.js';
import { checkRoutes, checkRules } from './route-rules.js';
import { checkMacAddress, checkTtlRange } from './router-rules.js';
import { checkTracks } from './track-rules.js';
import type { CheckKinds } from './tracks.js';

/** Every reason to refuse it; empty when it can be put in force. Paths name routers and checks: "routers[pg].vrid". */
export function validateBundle(bundle: Bundle): Refusal[] {
  const refusals: Refusal[] = [];
  const report: Report = (path, reason) => refusals.push({ path, reason });
  checkName(bundle.node, 'node', report);
  const kinds = kindsOf(bundle);
  const names = {
    checks: new Set(bundle.checks.map(({ name }) => name)),
    sessions: new Set(bundle.bfdSessions.map(({ name }) => name)),
  };
  const identifiers = new Map<string, string>();
  const macvlans = new Map<string, string>();
  checkEach(bundle.routers, 'routers', report, (router, at) => {
    const place = `${router.interface}\n${router.vrid}\n${router.family}`;
    const other = identifiers.get(place);
    if (other !== undefined) {
      at('vrid', `${router.vrid} on ${router.interface} is used by ${shown(other)} already`);
    }
    identifiers.set(place, router.name);
    const twin = router.virtualMac === undefined ? undefined : macvlans.get(router.virtualMac.name);
    if (twin !== undefined) {
      at('virtualMac.name', `is used by ${shown(twin)} already`);
    }
    macvlans.set(router.virtualMac?.name ?? '', router.name);
    checkBundleRouter(router, kinds, names, at);
  });
  checkEach(bundle.checks, 'checks', report, checkBundleCheck);
  checkGroups(bundle, report);
  checkEach(bundle.bfdSessions, 'bfdSessions', report, checkBundleSession);
  checkEach(bundle.hostNetworks, 'hostNetworks', report, (network, at) => checkBundleNetwork(network, bundle, at));
  return refusals;
}

function checkEach<T extends { readonly name: string }>(
  items: readonly T[],
  list: string,
  report: Report,
  check: (item: T, report: Report) => void,
): void {
  const names = new Set<string>();
  for (const item of items) {
    const at = within(report, `${list}[${shown(item.name)}]`);
    checkUnique(names, item.name, at);
    check(item, at);
  }
}

function kindsOf({ checks }: Bundle): CheckKinds {
  return new Map(checks.flatMap(({ name, spec }) => (spec?.kind === undefined ? [] : [[name, spec.kind.$case]])));
}

function checkBundleRouter(
  router: BundleRouter,
  kinds: CheckKinds,
  names: { readonly checks: ReadonlySet<string>; readonly sessions: ReadonlySet<string> },
  report: Report,
): void {
  checkName(router.name, 'name', report);
  checkDisplayName(router.displayName, report);
  checkVrid(router.vrid, report);
  checkVersion(router.version, report);
  checkInterface(router.interface, 'interface', report);
  checkWhole(router.priority, 1, 255, 'priority', report);
  checkPresent(router.advertisementInterval, 'advertisementInterval', report);
  checkAdvertisementInterval(router.version, router.advertisementInterval, report);
  checkPresent(router.preemptDelay, 'preemptDelay', report);
  checkPreemptDelay(router.preemptDelay, report);
  if (router.password.length !== 0 && (router.version !== 2 || router.password.length !== PASSWORD_BYTES)) {
    report('password', `must be ${PASSWORD_BYTES} bytes with version 2, and empty otherwise`);
  }
  if (router.family !== 4 && router.family !== 6) {
    report('family', `must be 4 or 6, not ${router.family}`);
  }
  const family: Family = router.family === 6 ? 6 : 4;
  checkTransport(router, family, report);
  checkBundleAddresses(router, family, report);
  checkRoutes(router.routes, family, false, report);
  checkRules(router.rules, family, report);
  checkTracks(router.track, kinds, new Map(), '', report);
  for (const [index, track] of router.track.entries()) {
    if (track.check !== '' && !names.checks.has(track.check)) {
      report(`track[${index}].check`, `there is no check ${shown(track.check)} in the bundle`);
    }
    if (track.bfd !== '' && !names.sessions.has(track.bfd)) {
      report(`track[${index}].bfd`, `there is no BFD session ${shown(track.bfd)} in the bundle`);
    }
  }
  checkBundleHooks(router.hooks, checkHooks, report);
  checkBundleAnnouncements(router, report);
  checkChosen(router.checksum, ChecksumForm.UNSPECIFIED, 'checksum', report);
  checkChosen(router.lease, Lease.UNSPECIFIED, 'lease', report);
  checkChosen(router.duplicateProbe, DuplicateProbe.UNSPECIFIED, 'duplicateProbe', report);
  checkWhole(router.downTimerAdvertisements, 1, 100, 'downTimerAdvertisements', report);
  checkWhole(router.timerExpiredBackup, 0, 254, 'timerExpiredBackup', report);
  checkPresent(router.startupDelay, 'startupDelay', report);
  checkPresent(router.bootDelay, 'bootDelay', report);
  checkStartupDelays(router, report);
  checkPresent(router.verifyInterval, 'verifyInterval', report);
  checkVerifyInterval(router.verifyInterval, report);
  if (router.virtualMac !== undefined) {
    checkInterface(router.virtualMac.name, 'virtualMac.name', report);
    checkMacAddress(router.virtualMac.address, 'virtualMac.address', report);
    if (router.virtualMac.name === router.interface) {
      report('virtualMac.name', 'is the interface of the router itself');
    }
  }
  if (router.hmac !== undefined) {
    checkBundleHmac(router.hmac, within(report, 'hmac'));
    if (router.password.length !== 0) {
      report('hmac', 'does not go together with a password');
    }
  }
}

function checkBundleAddresses(router: BundleRouter, family: Family, report: Report): void {
  const seen = new Map<string, string>();
  const advertised = { path: 'addresses', advertised: true, needsDevice: false, family } as const;
  checkAddressList(router.addresses, advertised, seen, report);
  const excluded = { path: 'excludedAddresses', advertised: false, needsDevice: false } as const;
  checkAddressList(router.excludedAddresses, excluded, seen, report);
  for (const list of ['addresses', 'excludedAddresses'] as const) {
    for (const [index, { address, device }] of router[list].entries()) {
      if (device === '' || (parseIpPrefix(address) !== undefined && !address.includes('/'))) {
        report(`${list}[${index}]`, 'must have its device and prefix length filled in');
      }
    }
  }
}

function checkTransport(router: BundleRouter, family: Family, report: Report): void {
  checkChosen(router.transport, Transport.UNSPECIFIED, 'transport', report);
  if (router.sourceAddress !== '') {
    checkHostAddress(router.sourceAddress, 'sourceAddress', report, family);
  }
  for (const list of ['peers', 'believedSources', 'knownSources'] as const) {
    for (const [index, address] of router[list].entries()) {
      checkHostAddress(address, `${list}[${index}]`, report, family);
    }
  }
  checkMulticastGroup(router.multicastGroup, family, 'multicastGroup', report);
  if (router.transport !== Transport.UNICAST) {
    if (router.peers.length > 0) {
      report('peers', 'is for unicast only');
    }
    return;
  }
  if (router.believedSources.length > 0) {
    report('believedSources', 'is for multicast only');
  }
  const { unicast } = router;
  if (unicast === undefined) {
    report('unicast', 'is missing; a bundle has every default filled in');
    return;
  }
  if (router.peers.length === 0 && !unicast.faultWithoutPeers) {
    report('peers', 'is missing; unicast needs somebody to send to');
  }
  checkWhole(unicast.ttl, 1, 255, 'unicast.ttl', report);
  for (const [path, limits] of [
    ['unicast', unicast] as const,
    ...unicast.peerTtl.map((limits, index) => [`unicast.peerTtl[${index}]`, limits] as const),
  ]) {
    checkTtlRange(limits.minTtl, limits.maxTtl, within(report, path));
  }
  for (const [index, { address }] of unicast.peerTtl.entries()) {
    checkAddress(address, `unicast.peerTtl[${index}].address`, report, family);
  }
}

function checkBundleHmac(hmac: BundleHmac, report: Report): void {
  const ids = new Set<number>();
  for (const [index, { id, key }] of hmac.keys.entries()) {
    checkWhole(id, 1, 255, `keys[${index}].id`, report);
    checkWhole(key.length, LEAST_KEY_BYTES, MOST_KEY_BYTES, `keys[${index}].key`, (path) =>
      report(path, `must have ${LEAST_KEY_BYTES} to ${MOST_KEY_BYTES} bytes, not ${key.length}`),
    );
    if (ids.has(id)) {
      report(`keys[${index}].id`, `${id} is there twice`);
    }
    ids.add(id);
  }
  if (!ids.has(hmac.activeKey)) {
    report('activeKey', `there is no key ${hmac.activeKey}`);
  }
  checkChosen(hmac.replayGuard, HmacReplayGuard.UNSPECIFIED, 'replayGuard', report);
  checkChosen(hmac.mode, HmacMode.UNSPECIFIED, 'mode', report);
  checkPresent(hmac.timeWindow, 'timeWindow', report);
  checkSpan(hmac.timeWindow, TIME_WINDOW, 'timeWindow', report);
}

function checkBundleHooks(
  hooks: Hooks | undefined,
  check: (hooks: Hooks, report: Report) => void,
  report: Report,
): void {
  if (hooks === undefined) {
    return;
  }
  const at = within(report, 'hooks');
  check(hooks, at);
  for (const [name, hook] of Object.entries(hooks) as [string, Command | string | boolean | undefined][]) {
    if (typeof hook === 'object') {
      checkPresent(hook.timeout, `${name}.timeout`, at);
    }
  }
}

function checkBundleAnnouncements(router: BundleRouter, report: Report): void {
  const { announcements } = router;
  if (announcements === undefined) {
    report('announcements', 'is missing');
    return;
  }
  const at = within(report, 'announcements');
  checkAnnouncements(announcements, at);
  for (const [name, value] of Object.entries(announcements)) {
    checkPresent(value, name, at);
  }
}

function checkGroups(bundle: Bundle, report: Report): void {
  const routers = new Set(bundle.routers.map(({ name }) => name));
  const groupOf = new Map<string, string>();
  checkEach(bundle.groups, 'groups', report, (group: BundleGroup, at) => {
    checkName(group.name, 'name', at);
    checkDisplayName(group.displayName, at);
    checkChosen(group.policy, SyncPolicy.UNSPECIFIED, 'policy', at);
    checkBundleHooks(group.hooks, checkGroupHooks, at);
    if (group.routers.length === 0) {
      at('routers', 'is missing');
    }
    for (const [index, router] of group.routers.entries()) {
      const other = groupOf.get(router);
      if (other !== undefined) {
        at(`routers[${index}]`, `${shown(router)} is in ${shown(other)} already`);
      }
      groupOf.set(router, group.name);
      if (!routers.has(router)) {
        at(`routers[${index}]`, `there is no router ${shown(router)} in the bundle`);
      }
    }
  });
}

function checkBundleSession(session: BundleBfdSession, report: Report): void {
  checkName(session.name, 'name', report);
  checkSessionEnds(session, session.multihop, report);
  checkSessionNumbers(session, report);
  checkWhole(session.multiplier, 1, 255, 'multiplier', report);
  for (const name of ['minRx', 'minTx', 'idleTx'] as const) {
    checkPresent(session[name], name, report);
  }
}

function checkBundleNetwork({ name, spec }: BundleHostNetwork, bundle: Bundle, report: Report): void {
  checkName(name, 'name', report);
  if (spec === undefined) {
    report('spec', 'is missing');
    return;
  }
  checkHostItems(spec, within(report, 'spec'));
  for (const [index, router] of spec.requiredBy.entries()) {
    if (!bundle.routers.some((one) => one.name === router)) {
      report(`spec.requiredBy[${index}]`, `there is no router ${shown(router)} in the bundle`);
    }
  }
}

function checkDisplayName(name: string, report: Report): void {
  if (!isPlainLine(name)) {
    report('displayName', 'has characters that cannot be printed');
  }
}

function checkBundleCheck(check: BundleCheck, report: Report): void {
  checkName(check.name, 'name', report);
  const { spec } = check;
  if (spec === undefined) {
    report('spec', 'is missing');
    return;
  }
  const at = within(report, 'spec');
  checkCheckSpec(spec, at);
  checkPresent(spec.interval, 'interval', at);
  checkPresent(spec.timeout, 'timeout', at);
  checkPresent(spec.startJitter, 'startJitter', at);
  checkWhole(spec.rise, 1, 2 ** 32 - 1, 'rise', at);
  checkWhole(spec.fall, 1, 2 ** 32 - 1, 'fall', at);
}

function checkName(name: string, path: string, report: Report): void {
  if (!isResourceName(name)) {
    report(path, `${shown(name)} is not a name`);
  }
}

function checkUnique(seen: Set<string>, name: string, report: Report): void {
  if (seen.has(name)) {
    report('name', 'is there twice');
  }
  seen.add(name);
}

function checkPresent(value: unknown, path: string, report: Report): void {
  if (value === undefined) {
    report(path, 'is missing; a bundle has every default filled in');
  }
}

function checkChosen(value: string, unspecified: string, path: string, report: Report): void {
  checkKnown(value, path, report);
  if (value === unspecified) {
    report(path, 'is missing; a bundle has every default filled in');
  }
}

/** A name in a path or message, even if it is none. */
function shown(name: string): string {
  return isResourceName(name) ? name : JSON.stringify(name.slice(0, 63));
}
