/**
 * rtnetlink messages about addresses of both families (rtnetlink(7), linux/if_addr.h). Pure and total, as
 * netlink-message.ts.
 */
import type { Family, IpAddress } from '../../proto/rules/ip.js';
import {
  attributesOf,
  type NetlinkMessage,
  type NetlinkWriter,
  NLM_F_ACK,
  NLM_F_CREATE,
  NLM_F_DUMP,
  NLM_F_EXCL,
  NLM_F_REPLACE,
  NLM_F_REQUEST,
  textOf,
  uint32Of,
} from './netlink-message.js';
import { AF_INET, AF_INET6, familyNumber, ipAddressOf } from './rtnetlink-family.js';

export const RTM_NEWADDR = 20;
export const RTM_DELADDR = 21;
const RTM_GETADDR = 22;

const IFA_ADDRESS = 1;
const IFA_LOCAL = 2;
const IFA_LABEL = 3;
const IFA_BROADCAST = 4;
const IFA_CACHEINFO = 6;
const IFA_FLAGS = 8;
export const IFA_PROTO = 11;
const IFADDRMSG_LENGTH = 8;
const CACHEINFO_LENGTH = 16;

export const IFA_F_NODAD = 0x02;
const IFA_F_OPTIMISTIC = 0x04;
export const IFA_F_DADFAILED = 0x08;
const IFA_F_HOMEADDRESS = 0x10;
export const IFA_F_TENTATIVE = 0x40;
const IFA_F_PERMANENT = 0x80;
const IFA_F_MANAGETEMPADDR = 0x100;
const IFA_F_NOPREFIXROUTE = 0x200;
const IFA_F_MCAUTOJOIN = 0x400;
const FOREVER = 0xffffffff;
/**
 * IFA_PROTO of all addresses that Baton adds, the number that its routes carry as well. Kernels before Linux 5.18 ignore
 * it. A change by others that does not name it clears it.
 */
export const ADDRESS_PROTOCOL = 18;

/** Whole seconds, 0..4294967294: a valid lifetime (1 and more) ends with the address, a preferred one deprecates it. */
export type Lifetime = number | 'forever';

/**
 * Identifies an address. The kernel distinguishes IPv4 addresses by all of it; in IPv6 an interface has an address once,
 * and the prefix length must be right only for deleting it.
 */
export interface AddressKey {
  readonly interfaceIndex: number;
  readonly address: IpAddress;
  /** With a peer it is the peer's. */
  readonly prefixLength: number;
  /** The other end of a point-to-point address; absent: none. */
  readonly peer?: IpAddress;
}

export interface AddressRequest extends AddressKey {
  /** After which the kernel removes it; 1 s and more. */
  readonly lifetime: Lifetime;
  /** After which it is no source of new connections; 0: at once. Absent, or longer than `lifetime`: as `lifetime`. */
  readonly preferredLifetime?: Lifetime;
  /** IPv4: such as "eth0:1"; at most 15 bytes; the kernel wants no more of it. Absent: the interface's name. */
  readonly label?: string;
  /** IPv4. */
  readonly broadcast?: IpAddress;
  /** IPv4: rtnetlink(7) scope; absent: 0, global. IPv6 derives it from the address. */
  readonly scope?: number;
  /** No route to the subnet comes with the address. */
  readonly noPrefixRoute?: boolean;
  /** IPv6: usable at once, without duplicate address detection, which takes about a second. */
  readonly noDad?: boolean;
  /** IPv6: usable while duplicate address detection runs, where net.ipv6.conf.IFACE.optimistic_dad allows it. */
  readonly optimistic?: boolean;
  /** IPv6: a mobile node's home address (RFC 6275). */
  readonly home?: boolean;
  /** IPv6: the kernel makes temporary addresses of it (RFC 8981). */
  readonly manageTemporary?: boolean;
  /** The interface joins the multicast group that the address is. */
  readonly autojoin?: boolean;
}

/** An address as the kernel has it. */
export interface InterfaceAddress extends AddressKey {
  readonly label?: string;
  readonly broadcast?: IpAddress;
  readonly scope: number;
  /** IFA_F_*. */
  readonly flags: number;
  /** IFA_PROTO, who put it there: ADDRESS_PROTOCOL is Baton; absent or 0 where it is not told. */
  readonly protocol?: number;
  /** Remaining when the kernel wrote the message. */
  readonly validLifetime: Lifetime;
  readonly preferredLifetime: Lifetime;
}

/**
 * What to do with an address. `add` refuses with EEXIST if it is there; `renew` sets the lifetimes of one that is there,
 * and adds one that is not.
 */
export type AddressVerb = 'add' | 'renew' | 'delete';

/**
 * Duplicate address detection (RFC 4862): `tentative` addresses cannot be used yet (an optimistic one can), those of
 * which another host was found stay unusable as `failed`.
 */
export function detectionOf({ flags }: InterfaceAddress): 'done' | 'tentative' | 'failed' {
  if ((flags & IFA_F_DADFAILED) !== 0) return 'failed';
  return (flags & IFA_F_TENTATIVE) === 0 ? 'done' : 'tentative';
}

const FLAGS_BY_NAME = [
  ['noPrefixRoute', IFA_F_NOPREFIXROUTE],
  ['noDad', IFA_F_NODAD],
  ['optimistic', IFA_F_OPTIMISTIC],
  ['home', IFA_F_HOMEADDRESS],
  ['manageTemporary', IFA_F_MANAGETEMPADDR],
  ['autojoin', IFA_F_MCAUTOJOIN],
] as const;

/** Appends one request. Without `acknowledge` the kernel answers only if it refuses. */
export function writeAddressRequest(
  writer: NetlinkWriter,
  verb: AddressVerb,
  request: AddressRequest | AddressKey,
  sequence: number,
  acknowledge: boolean,
): void {
  const { address, peer = address } = request;
  const flags = NLM_F_REQUEST | (acknowledge ? NLM_F_ACK : 0);
  const fixed = new Uint8Array(IFADDRMSG_LENGTH);
  const view = new DataView(fixed.buffer);
  view.setUint8(0, typeof address === 'bigint' ? AF_INET6 : AF_INET);
  view.setUint8(1, request.prefixLength);
  view.setUint32(4, request.interfaceIndex, true);

  if (!('lifetime' in request) || verb === 'delete') {
    // The kernel compares the label as well if it is named, so it is not.
    writer.begin(RTM_DELADDR, flags, sequence);
    writer.bytes(fixed);
    writer.ipAddress(IFA_LOCAL, address);
    writer.ipAddress(IFA_ADDRESS, peer);
    writer.end();
    return;
  }

  const addressFlags = flagsOf(request);
  view.setUint8(2, addressFlags & 0xff);
  view.setUint8(3, request.scope ?? 0);
  writer.begin(RTM_NEWADDR, flags | NLM_F_CREATE | (verb === 'add' ? NLM_F_EXCL : NLM_F_REPLACE), sequence);
  writer.bytes(fixed);
  writer.ipAddress(IFA_LOCAL, address);
  writer.ipAddress(IFA_ADDRESS, peer);
  if (request.broadcast !== undefined) writer.ipAddress(IFA_BROADCAST, request.broadcast);
  if (request.label !== undefined) writer.text(IFA_LABEL, request.label);
  if (addressFlags > 0xff) writer.uint32(IFA_FLAGS, addressFlags);
  writer.uint8(IFA_PROTO, ADDRESS_PROTOCOL);
  const valid = secondsOf(request.lifetime);
  const cacheInfo = new Uint8Array(CACHEINFO_LENGTH);
  const times = new DataView(cacheInfo.buffer);
  // The kernel refuses to prefer an address for longer than it is valid.
  times.setUint32(0, Math.min(valid, secondsOf(request.preferredLifetime ?? request.lifetime)), true);
  times.setUint32(4, valid, true);
  writer.attribute(IFA_CACHEINFO, cacheInfo);
  writer.end();
}

function flagsOf(request: AddressRequest): number {
  let flags = 0;
  for (const [name, flag] of FLAGS_BY_NAME) if (request[name] === true) flags |= flag;
  return flags;
}

function secondsOf(lifetime: Lifetime): number {
  return lifetime === 'forever' ? FOREVER : lifetime;
}

/** Asks for all addresses of one family. */
export function writeAddressDump(writer: NetlinkWriter, family: Family, sequence: number): void {
  const fixed = new Uint8Array(IFADDRMSG_LENGTH);
  fixed[0] = familyNumber(family);
  writer.begin(RTM_GETADDR, NLM_F_REQUEST | NLM_F_DUMP, sequence);
  writer.bytes(fixed);
  writer.end();
}

/** Reads RTM_NEWADDR or RTM_DELADDR; undefined for any other message, another family, or a malformed one. */
export function readAddress(message: NetlinkMessage): InterfaceAddress | undefined {
  const { payload } = message;
  if (message.type !== RTM_NEWADDR && message.type !== RTM_DELADDR) return undefined;
  if (payload.length < IFADDRMSG_LENGTH) return undefined;
  const family = payload[0];
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const attributes = attributesOf(payload, IFADDRMSG_LENGTH);
  // With a peer IFA_ADDRESS is the peer's; IFA_LOCAL is ours where it exists.
  const other = ipAddressOf(family, attributes.get(IFA_ADDRESS));
  const local = attributes.get(IFA_LOCAL);
  const address = local === undefined ? other : ipAddressOf(family, local);
  if (address === undefined) return undefined;
  const label = attributes.get(IFA_LABEL);
  const broadcast = ipAddressOf(family, attributes.get(IFA_BROADCAST));
  const flags = uint32Of(attributes.get(IFA_FLAGS)) ?? view.getUint8(2);
  const cacheInfo = attributes.get(IFA_CACHEINFO);
  const protocol = attributes.get(IFA_PROTO)?.[0];
  return {
    interfaceIndex: view.getUint32(4, true),
    address,
    prefixLength: view.getUint8(1),
    ...(other === undefined || other === address ? {} : { peer: other }),
    ...(label === undefined ? {} : { label: textOf(label) }),
    ...(broadcast === undefined ? {} : { broadcast }),
    scope: view.getUint8(3),
    flags,
    ...(protocol === undefined ? {} : { protocol }),
    validLifetime: lifetimeAt(cacheInfo, 4, flags),
    preferredLifetime: lifetimeAt(cacheInfo, 0, 0),
  };
}

/** `flags` say of a valid lifetime that there is no end to it; a preferred one may have one nevertheless. */
function lifetimeAt(cacheInfo: Uint8Array | undefined, offset: number, flags: number): Lifetime {
  const seconds = uint32Of(cacheInfo?.subarray(offset, offset + 4));
  if (seconds === undefined || seconds === FOREVER || (flags & IFA_F_PERMANENT) !== 0) return 'forever';
  return seconds;
}
