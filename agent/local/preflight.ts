/**
 * What of this host stands in the way of its virtual routers: settings of the kernel, interfaces, the packet filter, the
 * process's own limits. Judges facts that were gathered before; pure.
 */

import type { Bundle, BundleRouter } from '../../proto/gen/baton/v1/bundle.js';
import type { Scheduling } from '../../proto/gen/baton/v1/config.js';
import type { Address } from '../../proto/gen/baton/v1/resources.js';
import { Transport } from '../../proto/gen/baton/v1/resources.js';
import { type PreflightFinding, PreflightSeverity } from '../../proto/gen/baton/v1/status.js';
import {
  type IpAddress,
  type IpPrefix,
  networkAddressOf,
  parseIp,
  parseIpPrefix,
  prefixContains,
} from '../../proto/rules/ip.js';
import { HMAC_TRAILER_LENGTH } from '../wire/hmac-trailer.js';
import type { Drop, FilteredPacket } from './filtered-packet.js';

export interface InterfaceFacts {
  readonly name: string;
  readonly isUp: boolean;
  readonly isMulticast: boolean;
  readonly isLoopback: boolean;
  readonly mtu: number;
  /** Of the host itself and of others, both families. */
  readonly prefixes: readonly IpPrefix[];
}

export interface HostFacts {
  readonly interfaces: ReadonlyMap<string, InterfaceFacts>;
  /** net.ipv4.conf.em1.rp_filter and its like; absent: there is no such setting. */
  sysctl(name: string): number | undefined;
  /** Rules of the packet filter that would lose the packet. */
  drops(packet: FilteredPacket): readonly Drop[];
  /** Interfaces that the default routes of IPv4 go out by. */
  readonly defaultInterfaces: readonly string[];
  /** Soft limits of the process; absent: unlimited, or not known. */
  readonly limits: { readonly realtimePriority?: number; readonly lockedBytes?: number };
  /** Capabilities by name: "sys_nice", "ipc_lock". */
  readonly capabilities: ReadonlySet<string>;
}

const VRRP = 112;
const ICMPV6 = 58;
const NEIGHBOR_SOLICITATION = 135;
const IPV4_HEADER = 20;
const IPV6_HEADER = 40;

const RANK: Partial<Record<PreflightSeverity, number>> = {
  [PreflightSeverity.ERROR]: 0,
  [PreflightSeverity.WARNING]: 1,
  [PreflightSeverity.HINT]: 2,
};

/** Worst first. What concerns several routers in the same way is said once. */
export function judgeHost(bundle: Bundle, scheduling: Scheduling | undefined, facts: HostFacts): PreflightFinding[] {
  const found = new Map<string, PreflightFinding>();
  for (const router of bundle.routers) {
    for (const finding of judgeRouter(router, facts)) {
      const key = `${finding.subject}\n${finding.message}`;
      const before = found.get(key);
      if (before === undefined) found.set(key, { ...finding, routers: [router.name] });
      else if (!before.routers.includes(router.name)) before.routers.push(router.name);
    }
  }
  const all = [...found.values(), ...judgeProcess(scheduling, facts)];
  return all.sort((one, other) => (RANK[one.severity] ?? 3) - (RANK[other.severity] ?? 3));
}

type Remark = Omit<PreflightFinding, 'routers'>;

function remark(severity: PreflightSeverity, subject: string, message: string, remedy: string): Remark {
  return { severity, subject, message, remedy };
}
const error = remark.bind(undefined, PreflightSeverity.ERROR);
const warning = remark.bind(undefined, PreflightSeverity.WARNING);
const hint = remark.bind(undefined, PreflightSeverity.HINT);

function judgeRouter(router: BundleRouter, facts: HostFacts): Remark[] {
  const present = facts.interfaces.get(router.interface);
  const remarks = judgeInterface(router, present, facts);
  if (present === undefined) return remarks;
  const addresses = addressesOf(router);
  const families = new Set(addresses.map(({ family }) => family)).add(router.family === 6 ? 6 : 4);
  if (families.has(4)) {
    remarks.push(...judgeReversePath(router, present, facts), ...judgeArp(router, addresses, facts));
    remarks.push(...judgeSecondaries(router, addresses, facts));
  }
  if (families.has(6)) remarks.push(...judgeIpv6(router, addresses, facts));
  remarks.push(...judgeForwarding(router, facts), ...judgeFilter(router, families, facts));
  return remarks;
}

interface Wanted {
  readonly text: string;
  readonly family: 4 | 6;
  readonly prefix: IpPrefix;
  readonly device: string;
}

function addressesOf({ addresses, excludedAddresses, interface: own, virtualMac }: BundleRouter): Wanted[] {
  return [...addresses, ...excludedAddresses].flatMap((address: Address) => {
    const prefix = parseIpPrefix(address.address);
    if (prefix === undefined) return [];
    const device = address.device || own;
    const isOnMacvlan = virtualMac !== undefined && (device === own || device === virtualMac.name);
    const family = typeof prefix.address === 'bigint' ? 6 : 4;
    return [{ text: address.address, family, prefix, device: isOnMacvlan ? own : device }];
  });
}

function judgeInterface(router: BundleRouter, present: InterfaceFacts | undefined, facts: HostFacts): Remark[] {
  const { interface: name } = router;
  const subject = `interface ${name}`;
  if (present === undefined) {
    return [error(subject, 'does not exist: the router is in fault', `make ${name}, or name another interface`)];
  }
  const remarks: Remark[] = [];
  if (!present.isUp) {
    remarks.push(
      error(
        subject,
        'is down or has no carrier: the router is in fault',
        `ip link set ${name} up, and look at its cable`,
      ),
    );
  }
  if (router.transport === Transport.MULTICAST && !present.isMulticast && !present.isLoopback) {
    remarks.push(
      error(
        subject,
        'has no MULTICAST flag: advertisements are not heard',
        `ip link set ${name} multicast on, or use unicast`,
      ),
    );
  }
  const size = advertisementBytes(router);
  if (size > present.mtu) {
    const message = `has an MTU of ${present.mtu}, and an advertisement has ${size} bytes: it is not sent`;
    remarks.push(error(subject, message, 'raise the MTU, or make some addresses excluded addresses'));
  }
  for (const { device, text } of addressesOf(router)) {
    const other = facts.interfaces.get(device);
    if (device === name) continue;
    if (other === undefined) {
      remarks.push(error(`interface ${device}`, `does not exist: ${text} cannot be added`, `make ${device}`));
    } else if (!other.isUp && !other.isLoopback) {
      remarks.push(
        warning(`interface ${device}`, `is down or has no carrier: ${text} is of no use`, `ip link set ${device} up`),
      );
    }
  }
  return remarks;
}

function advertisementBytes({ family, version, addresses, hmac }: BundleRouter): number {
  const trailer = hmac === undefined ? 0 : HMAC_TRAILER_LENGTH;
  if (family === 6) return IPV6_HEADER + 8 + 16 * addresses.length + trailer;
  return IPV4_HEADER + 8 + 4 * addresses.length + (version === 2 ? 8 : 0) + trailer;
}

/** The kernel takes the higher one of the interface's value and of "all". */
function highest(facts: HostFacts, interfaceName: string, key: string): { value: number; subject: string } {
  const own = facts.sysctl(`net.ipv4.conf.${interfaceName}.${key}`) ?? 0;
  const all = facts.sysctl(`net.ipv4.conf.all.${key}`) ?? 0;
  const which = all > own ? 'all' : interfaceName;
  return { value: Math.max(own, all), subject: `net.ipv4.conf.${which}.${key}` };
}

function set(subject: string, value: number): string {
  return `sysctl -w ${subject}=${value}`;
}

/** RFC 3704: strict (1) drops what came in by another interface than the way back to its source. */
function judgeReversePath(router: BundleRouter, present: InterfaceFacts, facts: HostFacts): Remark[] {
  const { interface: name, virtualMac } = router;
  const all = facts.sysctl('net.ipv4.conf.all.rp_filter') ?? 0;
  if (virtualMac !== undefined && all === 1) {
    const subject = 'net.ipv4.conf.all.rp_filter';
    const message = `is strict for every interface, also for ${virtualMac.name}: what comes for the virtual MAC address is dropped`;
    return [error(subject, message, `${set(subject, 0)}, and 1 for single interfaces`)];
  }
  const { value, subject } = highest(facts, name, 'rp_filter');
  if (value !== 1 || router.family === 6) return [];
  const remarks: Remark[] = [];
  const far = sourcesOf(router).filter(
    (source) => typeof source.address === 'number' && !isOnLink(source.address, present),
  );
  if (far.length > 0) {
    const who = far.map(({ text }) => text).join(', ');
    const message = `is strict, and ${who} is in no network of ${name}: its advertisements are dropped unless its route is by ${name}`;
    remarks.push(warning(subject, message, set(subject, 2)));
  }
  const elsewhere = facts.defaultInterfaces.length > 0 && !facts.defaultInterfaces.includes(name);
  if (elsewhere) {
    const message = `is strict, and the default route is by ${facts.defaultInterfaces.join(', ')}: clients from other networks do not reach the addresses by ${name}`;
    remarks.push(warning(subject, message, set(subject, 2)));
  }
  return remarks;
}

function sourcesOf({ peers, believedSources, knownSources }: BundleRouter): { text: string; address: IpAddress }[] {
  const texts = new Set([...peers, ...believedSources, ...knownSources]);
  return [...texts].flatMap((text) => {
    const address = parseIp(text);
    return address === undefined ? [] : [{ text, address }];
  });
}

function isOnLink(address: IpAddress, { prefixes }: InterfaceFacts): boolean {
  return prefixes.some((prefix) => prefixContains(prefix, address));
}

function judgeArp(router: BundleRouter, addresses: readonly Wanted[], facts: HostFacts): Remark[] {
  const { interface: name } = router;
  const mine = addresses.filter(({ family }) => family === 4);
  const [first] = mine;
  if (first === undefined || facts.interfaces.get(name)?.isLoopback) return [];
  const remarks: Remark[] = [];
  const ignore = highest(facts, name, 'arp_ignore');
  const bare = mine.filter(({ prefix, device }) => prefix.prefixLength === 32 && device === name);
  const foreign = mine.filter(({ device }) => device !== name);
  if (ignore.value === 8) {
    remarks.push(error(ignore.subject, 'is 8: nobody is answered who asks for the addresses', set(ignore.subject, 0)));
  } else if (ignore.value === 2 && bare.length > 0) {
    const message = `is 2: who asks for ${textsOf(bare)} is not answered, since nobody else is in its network`;
    remarks.push(
      error(ignore.subject, message, `${set(ignore.subject, 1)}, or give the addresses their prefix length`),
    );
  }
  if (ignore.value >= 1 && ignore.value <= 2 && foreign.length > 0) {
    const message = `is ${ignore.value}: who asks for ${textsOf(foreign)} on ${name} is not answered, since it is on another interface`;
    remarks.push(warning(ignore.subject, message, set(ignore.subject, 0)));
  }
  const filter = highest(facts, name, 'arp_filter');
  if (filter.value !== 0 && router.virtualMac === undefined && twinsOf(name, mine, facts).length > 0) {
    const message = `is ${filter.value}: who asks for the addresses is answered by ${name} only if the route back is by ${name}`;
    remarks.push(hint(filter.subject, message, `${set(filter.subject, 0)} with arp_ignore 1, or see to the routes`));
  }
  for (const twin of twinsOf(name, mine, facts)) {
    if (highest(facts, twin, 'arp_ignore').value > 0 || highest(facts, twin, 'arp_filter').value > 0) continue;
    const announce = highest(facts, twin, 'arp_announce').value < 2 ? ` net.ipv4.conf.${twin}.arp_announce=2` : '';
    const message = `is 0, and ${twin} is in a network of the addresses of ${name}: it answers for them with its own MAC address`;
    remarks.push(
      warning(`net.ipv4.conf.${twin}.arp_ignore`, message, `sysctl -w net.ipv4.conf.${twin}.arp_ignore=1${announce}`),
    );
  }
  const proxy = highest(facts, name, 'proxy_arp');
  if (proxy.value !== 0) {
    const message = `is on: this host may answer for ${textsOf(mine)} while another member is active`;
    remarks.push(warning(proxy.subject, message, set(proxy.subject, 0)));
  }
  return remarks;
}

function textsOf(addresses: readonly Wanted[]): string {
  return addresses.map(({ text }) => text).join(', ');
}

/** Other interfaces in a network of the addresses, or of the interface that they are on. */
function twinsOf(name: string, addresses: readonly Wanted[], facts: HostFacts): string[] {
  const own = facts.interfaces.get(name)?.prefixes ?? [];
  const networks = [...own, ...addresses.map(({ prefix }) => prefix)].filter(
    ({ address, prefixLength }) => typeof address === 'number' && prefixLength < 32,
  );
  return [...facts.interfaces.values()]
    .filter((one) => one.name !== name && one.isUp && !one.isLoopback && !isOurMacvlan(one))
    .filter((one) =>
      one.prefixes.some(
        ({ address, prefixLength }) =>
          typeof address === 'number' &&
          prefixLength < 32 &&
          networks.some((network) => prefixContains(network, address)),
      ),
    )
    .map((one) => one.name);
}

function isOurMacvlan({ name }: InterfaceFacts): boolean {
  return /^vrrp6?\.\d+$/.test(name);
}

/** Without promotion the kernel removes the later addresses of a network along with its first one. */
function judgeSecondaries(router: BundleRouter, addresses: readonly Wanted[], facts: HostFacts): Remark[] {
  if (router.promoteSecondaries) return [];
  const remarks: Remark[] = [];
  const seen = new Map<string, Wanted>();
  for (const one of addresses) {
    if (one.family !== 4 || one.prefix.prefixLength === 32) continue;
    const host = facts.interfaces.get(one.device)?.prefixes ?? [];
    // Later than the host's own address of the network, it never is the first.
    const network = networkAddressOf(one.prefix);
    const isLater = host.some(
      (own) =>
        own.prefixLength === one.prefix.prefixLength &&
        own.address !== one.prefix.address &&
        networkAddressOf(own) === network,
    );
    const key = `${one.device} ${network}/${one.prefix.prefixLength}`;
    const first = seen.get(key);
    seen.set(key, first ?? one);
    const promote = highest(facts, one.device, 'promote_secondaries');
    if (first === undefined || isLater || promote.value !== 0) continue;
    const message = `is 0: when ${first.text} is taken from the configuration, the kernel removes ${one.text} of the same network too, until it is put back`;
    remarks.push(
      hint(`net.ipv4.conf.${one.device}.promote_secondaries`, message, 'set promoteSecondaries: true on the router'),
    );
  }
  return remarks;
}

function judgeIpv6(router: BundleRouter, addresses: readonly Wanted[], facts: HostFacts): Remark[] {
  const devices = new Set(addresses.filter(({ family }) => family === 6).map(({ device }) => device));
  if (router.family === 6) devices.add(router.interface);
  const remarks: Remark[] = [];
  for (const device of devices) {
    const subject = `net.ipv6.conf.${device}.disable_ipv6`;
    const value = facts.sysctl(subject);
    if (value === undefined && facts.interfaces.has(device)) {
      remarks.push(error(subject, 'is not there: this host has no IPv6', 'start the kernel without ipv6.disable=1'));
    } else if (value === 1) {
      remarks.push(error(subject, `is 1: ${device} has no IPv6`, set(subject, 0)));
    }
    const dad = `net.ipv6.conf.${device}.accept_dad`;
    if (facts.sysctl(dad) === 2) {
      const message = `is 2: when another host has an address of ${device} too, the kernel switches IPv6 off there`;
      remarks.push(warning(dad, message, set(dad, 1)));
    }
  }
  return remarks;
}

/** Only where the router is there to forward: it has routes, or takes no traffic for itself. */
function judgeForwarding(router: BundleRouter, facts: HostFacts): Remark[] {
  if (router.routes.length === 0 && router.accept) return [];
  const subject = router.family === 6 ? 'net.ipv6.conf.all.forwarding' : 'net.ipv4.ip_forward';
  if (facts.sysctl(subject) !== 0) return [];
  const why = router.accept ? 'the router has routes' : 'the router does not accept traffic for itself';
  return [hint(subject, `is 0, and ${why}: an active member forwards nothing`, set(subject, 1))];
}

function judgeFilter(router: BundleRouter, families: ReadonlySet<4 | 6>, facts: HostFacts): Remark[] {
  const family = router.family === 6 ? 6 : 4;
  const isMulticast = router.transport === Transport.MULTICAST;
  const own = facts.interfaces.get(router.interface)?.prefixes.map(({ address }) => address);
  const ours = own?.filter((address) => (typeof address === 'bigint') === (family === 6)) ?? [];
  const others = sourcesOf(router).map(({ address }) => address);
  const group = parseIp(router.multicastGroup);
  const base = {
    family,
    what: 'VRRP (protocol 112)',
    interface: router.interface,
    protocol: VRRP,
    isMulticast,
  } as const;
  const towards = isMulticast ? { destinations: group === undefined ? [] : [group] } : {};
  const packets: FilteredPacket[] = [
    { ...base, direction: 'input', sources: others, ...(isMulticast ? towards : { destinations: ours }) },
    { ...base, direction: 'output', sources: ours, ...(isMulticast ? towards : { destinations: others }) },
  ];
  if (families.has(6)) {
    packets.push({
      family: 6,
      what: 'neighbour solicitations (ICMPv6 type 135)',
      direction: 'input',
      interface: router.interface,
      protocol: ICMPV6,
      icmpType: NEIGHBOR_SOLICITATION,
      isMulticast: true,
    });
  }
  return packets.flatMap((packet) =>
    facts.drops(packet).map(({ chain, why }) => {
      const [verb, way, side] = packet.direction === 'input' ? ['drops', 'from', 'input'] : ['drops', 'to', 'output'];
      const consequence =
        packet.protocol !== VRRP
          ? 'the addresses cannot be reached'
          : packet.direction === 'input'
            ? 'the others are not heard'
            : 'the others do not hear this host';
      const match = packet.protocol === VRRP ? 'protocol 112' : 'ICMPv6 neighbour discovery';
      const message = `${verb} ${packet.what} ${way} ${packet.interface}: ${why}; ${consequence}`;
      return warning(chain, message, `accept ${match} for ${packet.interface} at the beginning of its ${side} chain`);
    }),
  );
}

function judgeProcess(scheduling: Scheduling | undefined, { limits, capabilities }: HostFacts): PreflightFinding[] {
  if (scheduling === undefined) return [];
  const { realtimePriority, lockMemory } = scheduling;
  const remarks: Remark[] = [];
  const mayRealtime = capabilities.has('sys_nice') || (limits.realtimePriority ?? 99) >= realtimePriority;
  if (realtimePriority > 0 && !mayRealtime) {
    const message = `allows ${limits.realtimePriority ?? 0}, and agent.yaml asks for the real-time priority ${realtimePriority}`;
    remarks.push(
      error('limit of real-time priority', message, `LimitRTPRIO=${realtimePriority} in the unit, or CAP_SYS_NICE`),
    );
  }
  if (lockMemory && !capabilities.has('ipc_lock') && limits.lockedBytes !== undefined) {
    const message = `is ${limits.lockedBytes} bytes, and agent.yaml asks for the program to be locked in memory`;
    remarks.push(error('limit of locked memory', message, 'LimitMEMLOCK=infinity in the unit, or CAP_IPC_LOCK'));
  }
  return remarks.map((one) => ({ ...one, routers: [] }));
}
