/** A whole configuration judged before any of it is put in force. Pure. */
import { bitsOf, type Family, familyOf, formatIp, isMulticastIp, parseIp } from '../../proto/rules/ip.js';
import { MICROS_PER_CENTISECOND, MICROS_PER_SECOND } from '../../proto/rules/time.js';
import { MAX_INTERVAL } from '../wire/advertisement.js';
import type { ElectionSettings, GroupSettings, HostNetworkSettings, Problem, RouterSettings } from './messages.js';
import { deviceOf, macvlansOf } from './placement.js';

/** IFNAMSIZ less the final zero (net/if.h). */
const LONGEST_INTERFACE_NAME = 15;
const PASSWORD_BYTES = 8;
const HMAC_KEY_BYTES = { least: 32, most: 64 };
const MAC_ADDRESS = /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i;

type Refuse = (path: string, reason: string) => void;

/** What is taken already, over all routers. */
interface Taken {
  readonly names: Set<string>;
  /** Name of the router by family, interface and VRID. */
  readonly vrids: Map<string, string>;
  /** Name of the router by interface and address. */
  readonly holders: Map<string, string>;
  /** Name of the router by name of macvlan interface. */
  readonly macvlans: Map<string, string>;
}

/** Everything that makes the configuration impossible; empty: it can be put in force. */
export function problemsOf({ routers, groups, hostNetworks }: ElectionSettings): readonly Problem[] {
  const problems: Problem[] = [];
  const refuse: Refuse = (path, reason) => problems.push({ path, reason });
  const taken: Taken = { names: new Set(), vrids: new Map(), holders: new Map(), macvlans: new Map() };
  for (const settings of routers) {
    const { name } = settings.router;
    const path = `routers[${name}]`;
    if (taken.names.has(name)) refuse(path, `two routers are named ${name}: give each its own name`);
    taken.names.add(name);
    judgeElection(settings, path, taken, refuse);
    judgeAddresses(settings, path, taken, refuse);
    judgeTransport(settings, path, refuse);
    judgeWatching(settings, path, refuse);
    judgeAuthentication(settings, path, refuse);
  }
  judgeGroups(groups, routers, refuse);
  judgeHostNetworks(hostNetworks, refuse);
  return problems;
}

function judgeElection(settings: RouterSettings, path: string, { vrids, macvlans }: Taken, refuse: Refuse): void {
  const { name, vrid, version, priority, advertisementInterval, downTimerAdvertisements } = settings.router;
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
  if (!isWhole(downTimerAdvertisements, 1, 100)) {
    const reason = `the advertisements missed before a takeover must be 1 to 100, not ${downTimerAdvertisements}`;
    refuse(`${path}.downTimerAdvertisements`, reason);
  }
  const wire = `${settings.family} ${settings.interface} ${vrid}`;
  const other = vrids.get(wire);
  if (other === undefined) vrids.set(wire, name);
  else refuse(`${path}.vrid`, `VRID ${vrid} is already used by ${other} on ${settings.interface}: choose another`);

  for (const macvlan of macvlansOf(settings)) {
    const where = `${path}.virtualMac`;
    if (!isInterfaceName(macvlan.name)) refuse(where, `"${macvlan.name}" cannot be the name of an interface`);
    if (!MAC_ADDRESS.test(macvlan.address)) refuse(where, `${macvlan.address} is not a MAC address`);
    const owner = macvlans.get(macvlan.name);
    if (owner === undefined) macvlans.set(macvlan.name, name);
    else refuse(where, `the interface ${macvlan.name} already belongs to ${owner}: choose another name`);
  }
}

function judgeAddresses(settings: RouterSettings, path: string, { holders }: Taken, refuse: Refuse): void {
  const { name } = settings.router;
  const judge = (list: 'addresses' | 'excludedAddresses', family: Family | undefined) => {
    for (const each of settings[list]) {
      const { address, prefixLength, device } = each;
      const where = `${path}.${list}[${address}]`;
      const parsed = parseOf(address, family);
      if (parsed === undefined) {
        refuse(where, `${address} is not ${nameOf(family)} address`);
        continue;
      }
      const bits = bitsOf(familyOf(parsed));
      if (!isWhole(prefixLength, 1, bits)) {
        refuse(where, `the prefix length must be 1 to ${bits}, not ${prefixLength}`);
      }
      if (!isInterfaceName(device)) refuse(where, `"${device}" cannot be the name of an interface`);
      const key = `${deviceOf(settings, each)} ${formatIp(parsed)}`;
      const holder = holders.get(key);
      if (holder === undefined) holders.set(key, name);
      else if (holder === name) refuse(where, `${address} is listed twice`);
      else refuse(where, `${address} on ${device} already belongs to ${holder}: an address has one router`);
    }
  };
  judge('addresses', settings.family);
  judge('excludedAddresses', undefined);
  if (settings.addresses.length > 255) {
    refuse(`${path}.addresses`, `a virtual router has at most 255 addresses, not ${settings.addresses.length}`);
  }
}

function judgeTransport(settings: RouterSettings, path: string, refuse: Refuse): void {
  const { sourceAddress, peers, family, multicastGroup, believedSources, unicast } = settings;
  if (sourceAddress !== undefined && parseOf(sourceAddress, family) === undefined) {
    refuse(`${path}.sourceAddress`, `${sourceAddress} is not ${nameOf(family)} address`);
  }
  for (const peer of peers ?? []) {
    if (parseOf(peer, family) === undefined) refuse(`${path}.peers`, `${peer} is not ${nameOf(family)} address`);
  }
  const group = parseOf(multicastGroup, family);
  if (group === undefined || !isMulticastIp(group)) {
    refuse(`${path}.multicastGroup`, `${multicastGroup} is not ${nameOf(family)} multicast address`);
  }
  for (const source of believedSources ?? []) {
    if (parseOf(source, family) === undefined) {
      refuse(`${path}.believedSources`, `${source} is not ${nameOf(family)} address`);
    }
  }
  if (!isWhole(unicast.ttl, 1, 255)) refuse(`${path}.unicast.ttl`, `a TTL must be 1 to 255, not ${unicast.ttl}`);
  for (const { minTtl, maxTtl } of [unicast, ...unicast.peerTtl]) {
    if (!isWhole(minTtl, 0, 255) || !isWhole(maxTtl, minTtl, 255)) {
      refuse(`${path}.unicast`, `the TTL must be between 0 and 255, not from ${minTtl} to ${maxTtl}`);
    }
  }
}

/** Hold times, and whom it knows and asks for. */
function judgeWatching(settings: RouterSettings, path: string, refuse: Refuse): void {
  const { router, family, knownSources, trackDelays, verifyInterval } = settings;
  for (const source of knownSources) {
    if (parseOf(source, family) === undefined) {
      refuse(`${path}.knownSources`, `${source} is not ${nameOf(family)} address`);
    }
  }
  for (const { id, up, down } of trackDelays) {
    if (!router.tracks.some((track) => track.id === id)) refuse(`${path}.trackDelays`, `${id} is not tracked`);
    if (!(up >= 0 && down >= 0)) refuse(`${path}.trackDelays`, `a delay of ${id} must not be negative`);
  }
  if (!(verifyInterval === 0 || verifyInterval >= MICROS_PER_SECOND)) {
    refuse(`${path}.verifyInterval`, `it must be 0 or at least 1 s, not ${verifyInterval} us`);
  }
}

function judgeAuthentication({ router, password, hmac }: RouterSettings, path: string, refuse: Refuse): void {
  if (password !== undefined && router.version !== 2) {
    refuse(`${path}.password`, 'only version 2 has passwords: remove it or set version: 2');
  }
  if (password !== undefined && password.length !== PASSWORD_BYTES) {
    refuse(`${path}.password`, `a password is ${PASSWORD_BYTES} bytes on the wire, not ${password.length}`);
  }
  if (hmac === undefined) return;
  if (password !== undefined) refuse(`${path}.hmac`, 'a password and an HMAC exclude each other: remove one');
  for (const { id, key } of hmac.keys) {
    if (!isWhole(id, 1, 255)) refuse(`${path}.hmac.keys`, `the id of a key must be 1 to 255, not ${id}`);
    if (!isWhole(key.length, HMAC_KEY_BYTES.least, HMAC_KEY_BYTES.most)) {
      refuse(`${path}.hmac.keys`, `key ${id} must have 32 to 64 bytes, not ${key.length}`);
    }
  }
  if (!hmac.keys.some(({ id }) => id === hmac.activeKey)) {
    refuse(`${path}.hmac.activeKey`, `there is no key ${hmac.activeKey}: add it or choose another`);
  }
}

function judgeGroups(groups: readonly GroupSettings[], routers: readonly RouterSettings[], refuse: Refuse): void {
  const names = new Set<string>();
  const groupOf = new Map<string, string>();
  for (const { name, routers: members } of groups) {
    const path = `groups[${name}]`;
    if (names.has(name)) refuse(path, `two groups are named ${name}: give each its own name`);
    names.add(name);
    if (members.length === 0) refuse(`${path}.routers`, 'a group has at least one router');
    for (const member of members) {
      const other = groupOf.get(member);
      if (other !== undefined) refuse(`${path}.routers[${member}]`, `${member} is already in the group ${other}`);
      groupOf.set(member, name);
    }
  }
  const known = new Set(routers.map(({ router }) => router.name));
  for (const [member, group] of groupOf) {
    if (!known.has(member)) refuse(`groups[${group}].routers[${member}]`, `there is no router ${member}`);
  }
  for (const { router } of routers) {
    if (router.group !== groupOf.get(router.name)) {
      refuse(`routers[${router.name}].group`, `${router.group ?? 'no group'} does not list it, or another group does`);
    }
  }
}

function judgeHostNetworks(networks: readonly HostNetworkSettings[], refuse: Refuse): void {
  const names = new Set<string>();
  for (const { name, addresses, interfaceDelays } of networks) {
    const path = `hostNetworks[${name}]`;
    if (names.has(name)) refuse(path, `two host networks are named ${name}: give each its own name`);
    names.add(name);
    for (const { address, prefixLength, device } of addresses) {
      const where = `${path}.addresses[${address}]`;
      const parsed = parseIp(address);
      if (parsed === undefined) {
        refuse(where, `${address} is not an IP address`);
        continue;
      }
      const bits = bitsOf(familyOf(parsed));
      if (!isWhole(prefixLength, 1, bits)) {
        refuse(where, `the prefix length must be 1 to ${bits}, not ${prefixLength}`);
      }
      if (!isInterfaceName(device)) refuse(where, `"${device}" cannot be the name of an interface`);
    }
    for (const { interface: device, down, up } of interfaceDelays) {
      const where = `${path}.interfaceDelays[${device}]`;
      if (!isInterfaceName(device)) refuse(where, `"${device}" cannot be the name of an interface`);
      if (!(down >= 0 && up >= 0)) refuse(where, 'a delay must not be negative');
    }
  }
}

function parseOf(text: string, family: Family | undefined) {
  const address = parseIp(text);
  return address === undefined || family === undefined || familyOf(address) === family ? address : undefined;
}

function nameOf(family: Family | undefined): string {
  return family === undefined ? 'an IP' : `an IPv${family}`;
}

function isWhole(value: number, least: number, most: number): boolean {
  return Number.isInteger(value) && value >= least && value <= most;
}

function isInterfaceName(name: string): boolean {
  return name.length <= LONGEST_INTERFACE_NAME && /^[^\s/:]+$/.test(name) && name !== '.' && name !== '..';
}
