/**
 * A whole configuration judged before any of it is put in force, and the smallest way from one to the next. Pure.
 *
 * Routers are matched by name. One whose VRID, interface or version changed is another router to everybody on the LAN:
 * the old one is stopped and the new one started.
 */
import { MICROS_PER_CENTISECOND, MICROS_PER_SECOND } from '../../proto/rules/time.js';
import { MAX_INTERVAL } from '../wire/advertisement.js';
import { parseIpv4 } from '../wire/ipv4-address.js';
import type { Problem, RouterSettings } from './messages.js';

/** IFNAMSIZ less the final zero (net/if.h). */
const LONGEST_INTERFACE_NAME = 15;
const PASSWORD_BYTES = 8;

export interface Change {
  /** Names of routers to stop. */
  readonly stop: readonly string[];
  /** Settings of routers that go on, changed. */
  readonly change: readonly RouterSettings[];
  readonly start: readonly RouterSettings[];
}

/** Everything that makes the configuration impossible; empty: it can be put in force. */
export function problemsOf(routers: readonly RouterSettings[]): readonly Problem[] {
  const problems: Problem[] = [];
  const refuse = (path: string, reason: string) => problems.push({ path, reason });
  const names = new Set<string>();
  const vrids = new Map<string, string>();
  const holders = new Map<string, string>();
  for (const settings of routers) {
    const { name, vrid, version, priority, advertisementInterval } = settings.router;
    const path = `routers[${name}]`;
    if (names.has(name)) refuse(path, `two routers are named ${name}: give each its own name`);
    names.add(name);

    if (!isInterfaceName(settings.interface)) {
      refuse(`${path}.interface`, `"${settings.interface}" cannot be the name of an interface`);
    }
    if (!isWhole(vrid, 1, 255)) refuse(`${path}.vrid`, `the VRID must be 1 to 255, not ${vrid}`);
    if (!isWhole(priority, 1, 255)) refuse(`${path}.priority`, `the priority must be 1 to 255, not ${priority}`);
    const unit = version === 2 ? MICROS_PER_SECOND : MICROS_PER_CENTISECOND;
    if (!isWhole(advertisementInterval / unit, 1, MAX_INTERVAL[version] / unit)) {
      const allowed = version === 2 ? 'whole seconds, 1 to 255' : 'whole centiseconds, 0.01 s to 40.95 s';
      refuse(`${path}.advertisementInterval`, `the interval must be ${allowed}, not ${advertisementInterval} us`);
    }
    const wire = `${settings.interface} ${vrid}`;
    const other = vrids.get(wire);
    if (other === undefined) vrids.set(wire, name);
    else refuse(`${path}.vrid`, `VRID ${vrid} is already used by ${other} on ${settings.interface}: choose another`);

    for (const { address, prefixLength, device } of settings.addresses) {
      const where = `${path}.addresses[${address}]`;
      if (parseIpv4(address) === undefined) refuse(where, `${address} is not an IPv4 address`);
      if (!isWhole(prefixLength, 1, 32)) {
        refuse(where, `the prefix length must be 1 to 32, not ${prefixLength}`);
      }
      if (!isInterfaceName(device)) refuse(where, `"${device}" cannot be the name of an interface`);
      const holder = holders.get(`${device} ${address}`);
      if (holder === undefined) holders.set(`${device} ${address}`, name);
      else if (holder === name) refuse(where, `${address} is listed twice`);
      else refuse(where, `${address} on ${device} already belongs to ${holder}: an address has one router`);
    }
    if (!isWhole(settings.addresses.length, 1, 255)) {
      refuse(`${path}.addresses`, `a virtual router has 1 to 255 addresses, not ${settings.addresses.length}`);
    }

    const { sourceAddress, peers, password } = settings;
    if (sourceAddress !== undefined && parseIpv4(sourceAddress) === undefined) {
      refuse(`${path}.sourceAddress`, `${sourceAddress} is not an IPv4 address`);
    }
    for (const peer of peers ?? []) {
      if (parseIpv4(peer) === undefined) refuse(`${path}.peers`, `${peer} is not an IPv4 address`);
    }
    if (password !== undefined && version !== 2) {
      refuse(`${path}.password`, 'only version 2 has passwords: remove it or set version: 2');
    }
    if (password !== undefined && password.length !== PASSWORD_BYTES) {
      refuse(`${path}.password`, `a password is ${PASSWORD_BYTES} bytes on the wire, not ${password.length}`);
    }
  }
  return problems;
}

/** The way from what runs to what is wanted. */
export function changeBetween(running: readonly RouterSettings[], wanted: readonly RouterSettings[]): Change {
  const before = new Map(running.map((settings) => [settings.router.name, settings]));
  const stop = new Set(before.keys());
  const change: RouterSettings[] = [];
  const start: RouterSettings[] = [];
  for (const settings of wanted) {
    const former = before.get(settings.router.name);
    if (former === undefined || !isSameRouter(former, settings)) {
      start.push(settings);
      continue;
    }
    stop.delete(settings.router.name);
    if (!isEqual(former, settings)) change.push(settings);
  }
  return { stop: [...stop], change, start };
}

function isSameRouter(a: RouterSettings, b: RouterSettings): boolean {
  return a.router.vrid === b.router.vrid && a.router.version === b.router.version && a.interface === b.interface;
}

/** Deep equality of plain data. Fields that are undefined and fields that are absent are the same. */
function isEqual(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  const left = a as Readonly<Record<string, unknown>>;
  const right = b as Readonly<Record<string, unknown>>;
  for (const key of new Set([...Object.keys(left), ...Object.keys(right)])) {
    if (!isEqual(left[key], right[key])) return false;
  }
  return true;
}

function isWhole(value: number, least: number, most: number): boolean {
  return Number.isInteger(value) && value >= least && value <= most;
}

function isInterfaceName(name: string): boolean {
  return name.length <= LONGEST_INTERFACE_NAME && /^[^\s/:]+$/.test(name) && name !== '.' && name !== '..';
}
