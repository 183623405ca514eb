/**
 * rtnetlink messages about interfaces and IPv4 addresses (rtnetlink(7), linux/if_addr.h, linux/if_link.h). Pure and
 * total, as netlink-message.ts.
 */
import type { Ipv4 } from '../vrrp/virtual-router.js';
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
  textBytes,
  textOf,
  uint32Of,
} from './netlink-message.js';

export const RTM_NEWLINK = 16;
export const RTM_DELLINK = 17;
const RTM_GETLINK = 18;
export const RTM_NEWADDR = 20;
export const RTM_DELADDR = 21;
const RTM_GETADDR = 22;

const AF_UNSPEC = 0;
const AF_INET = 2;

const IFA_ADDRESS = 1;
const IFA_LOCAL = 2;
const IFA_LABEL = 3;
const IFA_BROADCAST = 4;
const IFA_CACHEINFO = 6;
const IFA_FLAGS = 8;
const IFLA_ADDRESS = 1;
const IFLA_IFNAME = 3;
const IFLA_MTU = 4;
const IFLA_OPERSTATE = 16;

const IFADDRMSG_LENGTH = 8;
const IFINFOMSG_LENGTH = 16;
const CACHEINFO_LENGTH = 16;

const IFF_UP = 0x1;
const IFF_RUNNING = 0x40;
const IFA_F_PERMANENT = 0x80;
const FOREVER = 0xffffffff;

/** Longest interface name or label, without the terminating NUL (IFNAMSIZ - 1). */
export const MAX_NAME_LENGTH = 15;

/** Kernel lifetime of an address: whole seconds, 1..4294967294, after which the kernel removes it. */
export type Lifetime = number | 'forever';

/** Identifies an address: the kernel distinguishes by all three. */
export interface AddressKey {
  readonly interfaceIndex: number;
  readonly address: Ipv4;
  readonly prefixLength: number;
}

export interface AddressRequest extends AddressKey {
  readonly lifetime: Lifetime;
  /** Such as "eth0:1"; at most 15 bytes; the kernel wants no more of it. Absent: the interface's name. */
  readonly label?: string;
  readonly broadcast?: Ipv4;
  /** rtnetlink(7) scope; absent: 0, global. */
  readonly scope?: number;
}

/** An address as the kernel has it. */
export interface InterfaceAddress extends AddressKey {
  readonly label?: string;
  readonly broadcast?: Ipv4;
  readonly scope: number;
  /** IFA_F_*: 0x01 secondary, 0x80 permanent (no lifetime). */
  readonly flags: number;
  /** Remaining when the kernel wrote the message. */
  readonly validLifetime: Lifetime;
  readonly preferredLifetime: Lifetime;
}

/** An interface as the kernel has it. */
export interface Link {
  readonly index: number;
  readonly name: string;
  /** IFF_UP and IFF_RUNNING: administratively up and with carrier. */
  readonly isUp: boolean;
  /** IFF_* bits. */
  readonly flags: number;
  /** IF_OPER_*: 0 unknown, 1 not present, 2 down, 3 lower layer down, 4 testing, 5 dormant, 6 up. */
  readonly operationalState: number;
  /** ARPHRD_*: 1 is Ethernet. */
  readonly type: number;
  readonly mtu: number;
  /** Absent for interfaces without one. */
  readonly hardwareAddress?: Uint8Array;
}

/**
 * What to do with an address. `add` refuses with EEXIST if it is there; `renew` sets the lifetimes of one that is there,
 * and adds one that is not.
 */
export type AddressVerb = 'add' | 'renew' | 'delete';

/** Appends one request. Without `acknowledge` the kernel answers only if it refuses. */
export function writeAddressRequest(
  writer: NetlinkWriter,
  verb: AddressVerb,
  request: AddressRequest | AddressKey,
  sequence: number,
  acknowledge: boolean,
): void {
  const flags = NLM_F_REQUEST | (acknowledge ? NLM_F_ACK : 0);
  const fixed = new Uint8Array(IFADDRMSG_LENGTH);
  const view = new DataView(fixed.buffer);
  view.setUint8(0, AF_INET);
  view.setUint8(1, request.prefixLength);
  view.setUint32(4, request.interfaceIndex, true);

  if (!('lifetime' in request) || verb === 'delete') {
    writer.begin(RTM_DELADDR, flags, sequence);
    writer.bytes(fixed);
    writer.attribute(IFA_LOCAL, addressBytes(request.address));
    // The kernel compares the label as well if it is named, so it is not.
    writer.attribute(IFA_ADDRESS, addressBytes(request.address));
    writer.end();
    return;
  }

  view.setUint8(3, request.scope ?? 0);
  writer.begin(RTM_NEWADDR, flags | NLM_F_CREATE | (verb === 'add' ? NLM_F_EXCL : NLM_F_REPLACE), sequence);
  writer.bytes(fixed);
  writer.attribute(IFA_LOCAL, addressBytes(request.address));
  writer.attribute(IFA_ADDRESS, addressBytes(request.address));
  if (request.broadcast !== undefined) writer.attribute(IFA_BROADCAST, addressBytes(request.broadcast));
  if (request.label !== undefined) writer.attribute(IFA_LABEL, textBytes(request.label));
  const seconds = request.lifetime === 'forever' ? FOREVER : request.lifetime;
  const cacheInfo = new Uint8Array(CACHEINFO_LENGTH);
  const times = new DataView(cacheInfo.buffer);
  times.setUint32(0, seconds, true);
  times.setUint32(4, seconds, true);
  writer.attribute(IFA_CACHEINFO, cacheInfo);
  writer.end();
}

/** Asks for all IPv4 addresses. */
export function writeAddressDump(writer: NetlinkWriter, sequence: number): void {
  const fixed = new Uint8Array(IFADDRMSG_LENGTH);
  fixed[0] = AF_INET;
  writer.begin(RTM_GETADDR, NLM_F_REQUEST | NLM_F_DUMP, sequence);
  writer.bytes(fixed);
  writer.end();
}

/** Asks for all interfaces. */
export function writeLinkDump(writer: NetlinkWriter, sequence: number): void {
  writer.begin(RTM_GETLINK, NLM_F_REQUEST | NLM_F_DUMP, sequence);
  writer.bytes(new Uint8Array(IFINFOMSG_LENGTH));
  writer.end();
}

/** Asks for one interface by name. */
export function writeLinkRequest(writer: NetlinkWriter, name: string, sequence: number): void {
  writer.begin(RTM_GETLINK, NLM_F_REQUEST, sequence);
  writer.bytes(new Uint8Array(IFINFOMSG_LENGTH));
  writer.attribute(IFLA_IFNAME, textBytes(name));
  writer.end();
}

/** Reads RTM_NEWADDR or RTM_DELADDR of an IPv4 address; undefined for any other message or a malformed one. */
export function readAddress(message: NetlinkMessage): InterfaceAddress | undefined {
  const { payload } = message;
  if (message.type !== RTM_NEWADDR && message.type !== RTM_DELADDR) return undefined;
  if (payload.length < IFADDRMSG_LENGTH || payload[0] !== AF_INET) return undefined;
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const attributes = attributesOf(payload, IFADDRMSG_LENGTH);
  // On point-to-point interfaces IFA_ADDRESS is the peer's; IFA_LOCAL is ours where it exists.
  const address = addressOf(attributes.get(IFA_LOCAL) ?? attributes.get(IFA_ADDRESS));
  if (address === undefined) return undefined;
  const label = attributes.get(IFA_LABEL);
  const broadcast = addressOf(attributes.get(IFA_BROADCAST));
  const flags = uint32Of(attributes.get(IFA_FLAGS)) ?? view.getUint8(2);
  const cacheInfo = attributes.get(IFA_CACHEINFO);
  return {
    interfaceIndex: view.getUint32(4, true),
    address,
    prefixLength: view.getUint8(1),
    ...(label === undefined ? {} : { label: textOf(label) }),
    ...(broadcast === undefined ? {} : { broadcast }),
    scope: view.getUint8(3),
    flags,
    validLifetime: lifetimeAt(cacheInfo, 4, flags),
    preferredLifetime: lifetimeAt(cacheInfo, 0, flags),
  };
}

/** Reads RTM_NEWLINK or RTM_DELLINK; undefined for any other message or a malformed one. */
export function readLink(message: NetlinkMessage): Link | undefined {
  const { payload } = message;
  if (message.type !== RTM_NEWLINK && message.type !== RTM_DELLINK) return undefined;
  // Other families are notices of, for example, a bridge's ports.
  if (payload.length < IFINFOMSG_LENGTH || payload[0] !== AF_UNSPEC) return undefined;
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const attributes = attributesOf(payload, IFINFOMSG_LENGTH);
  const name = attributes.get(IFLA_IFNAME);
  if (name === undefined) return undefined;
  const flags = view.getUint32(8, true);
  const hardwareAddress = attributes.get(IFLA_ADDRESS);
  return {
    index: view.getInt32(4, true),
    name: textOf(name),
    isUp: (flags & IFF_UP) !== 0 && (flags & IFF_RUNNING) !== 0,
    flags,
    operationalState: attributes.get(IFLA_OPERSTATE)?.[0] ?? 0,
    type: view.getUint16(2, true),
    mtu: uint32Of(attributes.get(IFLA_MTU)) ?? 0,
    ...(hardwareAddress === undefined ? {} : { hardwareAddress: hardwareAddress.slice() }),
  };
}

function lifetimeAt(cacheInfo: Uint8Array | undefined, offset: number, flags: number): Lifetime {
  const seconds = uint32Of(cacheInfo?.subarray(offset, offset + 4));
  if (seconds === undefined || seconds === FOREVER || (flags & IFA_F_PERMANENT) !== 0) return 'forever';
  return seconds;
}

/** Addresses are in network order within a message of host order. */
function addressBytes(address: Ipv4): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, address);
  return bytes;
}

function addressOf(bytes: Uint8Array | undefined): Ipv4 | undefined {
  if (bytes?.length !== 4) return undefined;
  return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0);
}
