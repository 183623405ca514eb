/**
 * What an agent checks of a bundle that it was sent or has stored, before anything of it is put in force: everything
 * that the election and the check runner rely upon. Total: any decoded bundle gets an answer, never an exception.
 * Whether the host allows it and has the interfaces is another question (agent/bundle).
 */
import type { Bundle, BundleCheck, BundleRouter } from '../gen/baton/v1/bundle.js';
import type { Refusal } from '../gen/baton/v1/events.js';
import { ChecksumForm, Lease, Transport } from '../gen/baton/v1/resources.js';
import { PASSWORD_BYTES } from './compile-router.js';
import {
  checkAddresses,
  checkAdvertisementInterval,
  checkAnnouncements,
  checkCheckSpec,
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
import { parseCidr } from './ipv4.js';
import { isPlainLine, isResourceName } from './names.js';

/** Every reason to refuse it; empty when it can be put in force. Paths name routers and checks: "routers[pg].vrid". */
export function validateBundle(bundle: Bundle): Refusal[] {
  const refusals: Refusal[] = [];
  const report: Report = (path, reason) => refusals.push({ path, reason });
  checkName(bundle.node, 'node', report);
  const names = new Set<string>();
  const identifiers = new Map<string, string>();
  const checks = new Set(bundle.checks.map(({ name }) => name));
  for (const router of bundle.routers) {
    const at = within(report, `routers[${shown(router.name)}]`);
    checkUnique(names, router.name, at);
    const place = `${router.interface}\n${router.vrid}`;
    const other = identifiers.get(place);
    if (other !== undefined) {
      at('vrid', `${router.vrid} on ${router.interface} is used by ${shown(other)} already`);
    }
    identifiers.set(place, router.name);
    checkBundleRouter(router, checks, at);
  }
  const checkNames = new Set<string>();
  for (const check of bundle.checks) {
    const at = within(report, `checks[${shown(check.name)}]`);
    checkUnique(checkNames, check.name, at);
    checkBundleCheck(check, at);
  }
  return refusals;
}

function checkBundleRouter(router: BundleRouter, checks: ReadonlySet<string>, report: Report): void {
  checkName(router.name, 'name', report);
  if (!isPlainLine(router.displayName)) {
    report('displayName', 'has characters that cannot be printed');
  }
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
  checkTransport(router, report);
  checkAddresses(router.addresses, report);
  for (const [index, { address, device }] of router.addresses.entries()) {
    if (device === '' || (parseCidr(address) !== undefined && !address.includes('/'))) {
      report(`addresses[${index}]`, 'must have its device and prefix length filled in');
    }
  }
  checkTracks(router.track, new Map(), '', report);
  for (const [index, track] of router.track.entries()) {
    if (track.check !== '' && !checks.has(track.check)) {
      report(`track[${index}].check`, `there is no check ${shown(track.check)} in the bundle`);
    }
  }
  checkBundleHooks(router, report);
  checkBundleAnnouncements(router, report);
  checkChosen(router.checksum, ChecksumForm.UNSPECIFIED, 'checksum', report);
  checkChosen(router.lease, Lease.UNSPECIFIED, 'lease', report);
}

function checkTransport(router: BundleRouter, report: Report): void {
  checkChosen(router.transport, Transport.UNSPECIFIED, 'transport', report);
  if (router.sourceAddress !== '') {
    checkHostAddress(router.sourceAddress, 'sourceAddress', report);
  }
  for (const [index, peer] of router.peers.entries()) {
    checkHostAddress(peer, `peers[${index}]`, report);
  }
  if (router.transport === Transport.UNICAST) {
    if (router.peers.length === 0) {
      report('peers', 'is missing; unicast needs somebody to send to');
    }
  } else if (router.peers.length > 0) {
    report('peers', 'is for unicast only');
  }
}

function checkBundleHooks(router: BundleRouter, report: Report): void {
  const { hooks } = router;
  if (hooks === undefined) {
    return;
  }
  const at = within(report, 'hooks');
  checkHooks(hooks, at);
  for (const name of ['active', 'backup', 'fault', 'stop', 'any'] as const) {
    if (hooks[name] !== undefined) {
      checkPresent(hooks[name].timeout, `${name}.timeout`, at);
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
