/** What addresses may be: of hosts, of virtual routers, of multicast groups; of either family. */
import type { Address } from '../gen/baton/v1/resources.js';
import { durationToMicros } from './duration.js';
import { checkInterface, checkSpan, quote, type Report, type SpanRange, within } from './field-rules.js';
import {
  bitsOf,
  type Family,
  familyOf,
  formatIpPrefix,
  type IpAddress,
  type IpPrefix,
  isMulticastIp,
  networkAddressOf,
  parseIp,
  parseIpPrefix,
  prefixContains,
} from './ip.js';
import { isAddressLabel } from './names.js';
import { SCOPE_NAMES, scopeNumber } from './routing-names.js';
import { MICROS_PER_SECOND } from './time.js';

/** RFC 9568 section 5.2.5: the count of addresses is one byte. */
export const MAX_ADDRESSES = 255;
/** The kernel's lifetimes are whole seconds in 32 bits, of which the last means for ever (struct ifa_cacheinfo). */
const LIFETIME: SpanRange = { min: 0, max: (2 ** 32 - 2) * MICROS_PER_SECOND, step: MICROS_PER_SECOND };
const IPV4_MAPPED: IpPrefix = { address: 0xffff_0000_0000n, prefixLength: 96 };

/** Text that must be an address, whatever it is for. Undefined, and reported, if it is none or of the other family. */
export function checkAddress(text: string, path: string, report: Report, family?: Family): IpAddress | undefined {
  const address = parseIp(text);
  if (address === undefined) {
    report(path, `${quote(text)} ${whyNoAddress(text)}`);
    return undefined;
  }
  if (family !== undefined && familyOf(address) !== family) {
    report(path, `${text} is an IPv${familyOf(address)} address, but IPv${family} is needed here`);
    return undefined;
  }
  return address;
}

function whyNoAddress(text: string): string {
  if (text.includes('%')) {
    return 'names a zone; an address is written without "%", the interface has a field of its own';
  }
  if (text.includes('/')) {
    return 'has a prefix length; an address alone is wanted here';
  }
  return text.includes(':')
    ? 'is not an IPv6 address; write it like 2001:db8::1'
    : 'is not an IPv4 address; write four decimal numbers, such as 192.0.2.1';
}

/** An address that one host can have. Returns it if it is one. */
export function checkHostAddress(text: string, path: string, report: Report, family?: Family): IpAddress | undefined {
  const address = checkAddress(text, path, report, family);
  const why = address === undefined ? undefined : whyNoHost(address);
  if (why !== undefined) {
    report(path, `${text} ${why}`);
    return undefined;
  }
  return address;
}

/** RFC 1122 section 3.2.1.3; RFC 4291 sections 2.5 and 2.7. */
function whyNoHost(address: IpAddress): string | undefined {
  if (isMulticastIp(address)) {
    return 'is a multicast address, which no host can have';
  }
  if (typeof address === 'bigint') {
    if (address === 0n) {
      return 'is the unspecified address, which no host can have';
    }
    if (address === 1n) {
      return 'is the loopback address, which no other host can reach';
    }
    return prefixContains(IPV4_MAPPED, address)
      ? 'is an IPv4 address in IPv6 notation; write it as an IPv4 address'
      : undefined;
  }
  const first = address >>> 24;
  if (first === 0) {
    return 'is in 0.0.0.0/8, which no host can have';
  }
  if (first === 127) {
    return 'is a loopback address, which no other host can reach';
  }
  return first >= 240 ? 'is in 240.0.0.0/4, which is reserved' : undefined;
}

/** RFC 5771 and RFC 4291 section 2.7; an IPv6 group must be of link-local scope, as advertisements are never routed. */
export function checkMulticastGroup(text: string, family: Family, path: string, report: Report): void {
  const address = checkAddress(text, path, report, family);
  if (address === undefined) {
    return;
  }
  if (!isMulticastIp(address)) {
    report(path, `${text} is not a multicast address; leave it out for ${family === 6 ? 'ff02::12' : '224.0.0.18'}`);
  } else if (typeof address === 'bigint' && ((address >> 112n) & 0xfn) !== 2n) {
    report(path, `${text} is not of link-local scope; advertisements need a group such as ff02::12`);
  }
}

/** Where addresses stand and what they must be there. */
export interface AddressList {
  readonly path: 'addresses' | 'excludedAddresses';
  /** All of them are advertised: one family, no multicast. */
  readonly advertised: boolean;
  /** Each names its interface. */
  readonly needsDevice: boolean;
  /** The family that all of them must be of; absent: any, or for advertised ones that of the first. */
  readonly family?: Family;
}

/** @param seen By "family address device", the path of it; receives these. */
export function checkAddressList(
  addresses: readonly Address[],
  list: AddressList,
  seen: Map<string, string>,
  report: Report,
): void {
  if (addresses.length > MAX_ADDRESSES && list.advertised) {
    report(list.path, `has ${addresses.length} addresses; an advertisement holds ${MAX_ADDRESSES} at most`);
    return;
  }
  let first: { readonly family: Family; readonly text: string } | undefined;
  for (const [index, given] of addresses.entries()) {
    const at = within(report, `${list.path}[${index}]`);
    const prefix = checkPrefixed(given, list, at);
    if (prefix !== undefined) {
      const family = familyOf(prefix.address);
      first ??= { family, text: given.address };
      if (list.family !== undefined && family !== list.family) {
        at('address', `${given.address} is IPv${family}, but the router is of IPv${list.family}`);
      } else if (list.advertised && family !== first.family) {
        at(
          'address',
          `${given.address} is IPv${family}, but ${first.text} is IPv${first.family}: a router advertises one family; ` +
            'declare another VirtualRouter for it, which may have the same vrid, or list it under excludedAddresses',
        );
      }
      const key = `${prefix.address} ${given.device}`;
      const twin = seen.get(key);
      if (twin !== undefined) {
        at('address', `${given.address} is given twice${twin === list.path ? '' : `, also in ${twin}`}; remove one`);
      } else {
        seen.set(key, list.path);
      }
    }
    checkOptions(given, prefix, list, at);
  }
}

function checkPrefixed(given: Address, list: AddressList, report: Report): IpPrefix | undefined {
  const text = given.address;
  if (text === '') {
    report('address', 'is missing; give an address, with an optional prefix length');
    return undefined;
  }
  const prefix = parseIpPrefix(text);
  if (prefix === undefined) {
    const slash = text.indexOf('/');
    const address = slash === -1 ? undefined : parseIp(text.slice(0, slash));
    const example = text.includes(':') ? '2001:db8::1/64' : '192.0.2.1/24';
    report(
      'address',
      address === undefined
        ? `${quote(text)} ${whyNoAddress(slash === -1 ? text : text.slice(0, slash))}`
        : `${quote(text)} is not an address with a prefix length; write it like ${example}`,
    );
    return undefined;
  }
  if (isMulticastIp(prefix.address) && !list.advertised) {
    if (!given.autojoin) {
      report('autojoin', `is missing: ${text} is a multicast address, which an interface can only join`);
    }
    return prefix;
  }
  const [bare = ''] = text.split('/');
  if (checkHostAddress(bare, 'address', report) === undefined) {
    return undefined;
  }
  checkHostBits(text, prefix, report);
  return prefix;
}

function checkHostBits(text: string, prefix: IpPrefix, report: Report): void {
  const { address, prefixLength } = prefix;
  const bits = bitsOf(familyOf(address));
  if (prefixLength === 0) {
    report('address', `${text} has prefix length 0, which would be every address; give 1 to ${bits}`);
  } else if (typeof address === 'number' && prefixLength < 31) {
    const hostMask = 0xffffffff >>> prefixLength;
    if (address === networkAddressOf(prefix)) {
      report('address', `${text} is the address of the network itself, which no host can have`);
    } else if ((address & hostMask) >>> 0 === hostMask) {
      report('address', `${text} is the broadcast address of its network, which no host can have`);
    }
  }
}

function checkOptions(given: Address, prefix: IpPrefix | undefined, list: AddressList, report: Report): void {
  if (given.device !== '' || list.needsDevice) {
    checkInterface(given.device, 'device', report);
  }
  if (given.label !== '' && !isAddressLabel(given.label)) {
    report('label', `${quote(given.label)} cannot be a label: up to 15 visible characters without "/"`);
  }
  if (!['', '+', '-'].includes(given.broadcast) && typeof parseIp(given.broadcast) !== 'number') {
    report('broadcast', `${quote(given.broadcast)} is neither an IPv4 address nor "+" or "-"`);
  }
  if (given.scope !== '' && scopeNumber(given.scope) === undefined) {
    report('scope', `${quote(given.scope)} is no scope: give ${SCOPE_NAMES.join(', ')} or a number up to 255`);
  }
  if (given.peer !== '') {
    checkPeer(given.peer, prefix, report);
  }
  checkSpan(given.preferredLifetime, LIFETIME, 'preferredLifetime', report);
  if (given.autojoin && prefix !== undefined && !isMulticastIp(prefix.address)) {
    report('autojoin', 'is for multicast addresses among excludedAddresses or of a HostNetwork; remove it');
  }
  if (given.virtualMac && !list.advertised && list.path === 'addresses') {
    report('virtualMac', 'is for the addresses of a VirtualRouter; remove it');
  }
}

function checkPeer(text: string, prefix: IpPrefix | undefined, report: Report): void {
  const peer = parseIpPrefix(text);
  if (peer === undefined) {
    report('peer', `${quote(text)} is not an address; give that of the other end, with an optional prefix length`);
  } else if (prefix !== undefined && familyOf(peer.address) !== familyOf(prefix.address)) {
    report('peer', `${text} must be of the family of the address`);
  } else if (peer.prefixLength === 0) {
    report('peer', `${text} has prefix length 0; give 1 to ${bitsOf(familyOf(peer.address))}`);
  }
}

/** What options of an address do nothing; its path and why. */
export function lintAddress(given: Address, report: Report): void {
  const prefix = parseIpPrefix(given.address);
  if (prefix === undefined) {
    return;
  }
  if (familyOf(prefix.address) === 6) {
    for (const name of ['label', 'broadcast', 'scope'] as const) {
      if (given[name] !== '') {
        report(
          name,
          `has no effect: ${name === 'scope' ? 'the kernel decides the scope of' : `no ${name} exists for`} an IPv6 address`,
        );
      }
    }
  } else {
    for (const name of ['home', 'noDad', 'manageTemporary'] as const) {
      if (given[name]) {
        report(name, 'has no effect: it is for IPv6 addresses');
      }
    }
    if (given.preferredLifetime !== undefined && durationToMicros(given.preferredLifetime) >= 0) {
      report('preferredLifetime', 'has no effect: it is for IPv6 addresses');
    }
  }
  if (given.peer !== '' && given.address.includes('/') && prefix.prefixLength < bitsOf(familyOf(prefix.address))) {
    report('address', `has a prefix length without effect: with peer, that of the peer counts`);
  }
}

/** A prefix whose host bits are clear. Returns it if it is one. */
export function checkPrefix(text: string, path: string, report: Report, family?: Family): IpPrefix | undefined {
  const prefix = parseIpPrefix(text);
  if (prefix === undefined) {
    report(path, `${quote(text)} is not a prefix; write it like 192.0.2.0/24 or 2001:db8::/32`);
    return undefined;
  }
  if (family !== undefined && familyOf(prefix.address) !== family) {
    report(path, `${text} is of IPv${familyOf(prefix.address)}, but IPv${family} is needed here`);
    return undefined;
  }
  const network = networkAddressOf(prefix);
  if (network !== prefix.address) {
    const clean = formatIpPrefix({ address: network, prefixLength: prefix.prefixLength });
    report(path, `${text} has bits beyond its prefix length; write ${clean}`);
  }
  return prefix;
}
