/**
 * rtnetlink messages about interfaces (rtnetlink(7), linux/if_link.h). Pure and total, as netlink-message.ts.
 */
import {
  attributesOf,
  type NetlinkMessage,
  type NetlinkWriter,
  NLM_F_ACK,
  NLM_F_CREATE,
  NLM_F_DUMP,
  NLM_F_EXCL,
  NLM_F_REQUEST,
  textOf,
  uint32Of,
} from './netlink-message.js';
import { AF_INET, AF_INET6, AF_UNSPEC } from './rtnetlink-family.js';

export const RTM_NEWLINK = 16;
export const RTM_DELLINK = 17;
const RTM_GETLINK = 18;

const IFLA_ADDRESS = 1;
const IFLA_IFNAME = 3;
const IFLA_MTU = 4;
const IFLA_LINK = 5;
const IFLA_MASTER = 10;
const IFLA_OPERSTATE = 16;
const IFLA_LINKINFO = 18;
const IFLA_IFALIAS = 20;
const IFLA_AF_SPEC = 26;
const IFLA_LINK_NETNSID = 37;
const IFLA_INFO_KIND = 1;
const IFLA_INFO_DATA = 2;
const IFLA_MACVLAN_MODE = 1;
const MACVLAN_MODE_PRIVATE = 1;
const IFLA_INET_CONF = 1;
const IFLA_INET6_ADDR_GEN_MODE = 8;
const IN6_ADDR_GEN_MODE_NONE = 1;
const IFINFOMSG_LENGTH = 16;

const IFF_UP = 0x1;
const IFF_RUNNING = 0x40;

/** Longest interface name or label, without the terminating NUL (IFNAMSIZ - 1). */
export const MAX_NAME_LENGTH = 15;
/** Longest alias (IFALIASZ - 1). */
export const MAX_ALIAS_LENGTH = 255;

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
  /** "macvlan", "veth", "bridge", "vlan", ...; absent for hardware and the loopback. */
  readonly kind?: string;
  /** What a macvlan or vlan is on; absent where that is in another network namespace. */
  readonly parentIndex?: number;
  /** Bridge, bond or VRF that it is a port of. */
  readonly masterIndex?: number;
  /** Free text of whoever set it. */
  readonly alias?: string;
}

/** net.ipv4.conf.IFACE.* by the names of /proc, in camel case. */
export interface Ipv4Conf {
  readonly forwarding?: number;
  readonly acceptRedirects?: number;
  readonly sendRedirects?: number;
  readonly rpFilter?: number;
  readonly arpFilter?: number;
  readonly arpAnnounce?: number;
  readonly arpIgnore?: number;
  readonly promoteSecondaries?: number;
  readonly acceptLocal?: number;
}

/** IPV4_DEVCONF_* of linux/ip.h. */
const CONF_NUMBERS: Readonly<Record<keyof Ipv4Conf, number>> = {
  forwarding: 1,
  acceptRedirects: 4,
  sendRedirects: 6,
  rpFilter: 8,
  arpFilter: 13,
  arpAnnounce: 18,
  arpIgnore: 19,
  promoteSecondaries: 20,
  acceptLocal: 23,
};

export interface MacvlanRequest {
  /** At most 15 bytes. */
  readonly name: string;
  readonly baseIndex: number;
  /** 6 bytes. */
  readonly address: Uint8Array;
  /** At most 255 bytes of ASCII: whose it is. */
  readonly alias: string;
  readonly ipv4Conf?: Ipv4Conf;
}

export interface LinkChange {
  readonly up?: boolean;
  readonly hardwareAddress?: Uint8Array;
  readonly alias?: string;
  readonly mtu?: number;
  readonly ipv4Conf?: Ipv4Conf;
  /** IPv6: the kernel makes no link-local address of its own when the interface comes up. */
  readonly noLinkLocal?: boolean;
}

/** An interface by its index, or by its name. */
export type LinkKey = number | string;

/** Asks for all interfaces. */
export function writeLinkDump(writer: NetlinkWriter, sequence: number): void {
  begin(writer, RTM_GETLINK, NLM_F_REQUEST | NLM_F_DUMP, sequence, 0);
  writer.end();
}

/** Asks for one interface. */
export function writeLinkQuestion(writer: NetlinkWriter, key: LinkKey, sequence: number): void {
  begin(writer, RTM_GETLINK, NLM_F_REQUEST, sequence, key);
  writer.end();
}

/** Makes a macvlan in private mode. The kernel takes nothing else at that moment: the rest is writeLinkChange()'s. */
export function writeMacvlan(writer: NetlinkWriter, request: MacvlanRequest, sequence: number): void {
  begin(writer, RTM_NEWLINK, NLM_F_REQUEST | NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK, sequence, request.name);
  writer.uint32(IFLA_LINK, request.baseIndex);
  writer.attribute(IFLA_ADDRESS, request.address);
  const info = writer.open(IFLA_LINKINFO);
  writer.text(IFLA_INFO_KIND, 'macvlan');
  const data = writer.open(IFLA_INFO_DATA);
  writer.uint32(IFLA_MACVLAN_MODE, MACVLAN_MODE_PRIVATE);
  writer.close(data);
  writer.close(info);
  writer.end();
}

/** Changes an interface. EAFNOSUPPORT: `ipv4Conf` or `noLinkLocal` of a family that the kernel has not. */
export function writeLinkChange(writer: NetlinkWriter, key: LinkKey, change: LinkChange, sequence: number): void {
  const { up, hardwareAddress, alias, mtu, ipv4Conf, noLinkLocal } = change;
  begin(writer, RTM_NEWLINK, NLM_F_REQUEST | NLM_F_ACK, sequence, key, up);
  if (hardwareAddress !== undefined) writer.attribute(IFLA_ADDRESS, hardwareAddress);
  if (mtu !== undefined) writer.uint32(IFLA_MTU, mtu);
  // The kernel wants no terminating NUL here.
  if (alias !== undefined) writer.text(IFLA_IFALIAS, alias, false);
  if (ipv4Conf !== undefined || noLinkLocal === true) {
    const specific = writer.open(IFLA_AF_SPEC);
    if (ipv4Conf !== undefined) writeIpv4Conf(writer, ipv4Conf);
    if (noLinkLocal === true) {
      const inet6 = writer.open(AF_INET6);
      writer.uint8(IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
      writer.close(inet6);
    }
    writer.close(specific);
  }
  writer.end();
}

export function writeLinkRemoval(writer: NetlinkWriter, key: LinkKey, sequence: number): void {
  begin(writer, RTM_DELLINK, NLM_F_REQUEST | NLM_F_ACK, sequence, key);
  writer.end();
}

function begin(writer: NetlinkWriter, type: number, flags: number, sequence: number, key: LinkKey, up?: boolean): void {
  const fixed = new Uint8Array(IFINFOMSG_LENGTH);
  const view = new DataView(fixed.buffer);
  if (typeof key === 'number') view.setInt32(4, key, true);
  if (up !== undefined) {
    view.setUint32(8, up ? IFF_UP : 0, true);
    view.setUint32(12, IFF_UP, true);
  }
  writer.begin(type, flags, sequence);
  writer.bytes(fixed);
  if (typeof key === 'string') writer.text(IFLA_IFNAME, key);
}

function writeIpv4Conf(writer: NetlinkWriter, conf: Ipv4Conf): void {
  const inet = writer.open(AF_INET);
  const values = writer.open(IFLA_INET_CONF);
  for (const [name, number] of Object.entries(CONF_NUMBERS)) {
    const value = conf[name as keyof Ipv4Conf];
    if (value !== undefined) writer.uint32(number, value);
  }
  writer.close(values);
  writer.close(inet);
}

/** Reads RTM_NEWLINK or RTM_DELLINK; undefined for any other message or a malformed one. */
export function readLink(message: NetlinkMessage): Link | undefined {
  const attributes = linkAttributes(message);
  const name = attributes?.get(IFLA_IFNAME);
  if (attributes === undefined || name === undefined) return undefined;
  const { payload } = message;
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const flags = view.getUint32(8, true);
  const hardwareAddress = attributes.get(IFLA_ADDRESS);
  const kind = nested(attributes.get(IFLA_LINKINFO))?.get(IFLA_INFO_KIND);
  // Of a veth it is the other end, which may be in another namespace and mean nothing here.
  const parentIndex = attributes.has(IFLA_LINK_NETNSID) ? undefined : uint32Of(attributes.get(IFLA_LINK));
  const masterIndex = uint32Of(attributes.get(IFLA_MASTER));
  const alias = attributes.get(IFLA_IFALIAS);
  return {
    index: view.getInt32(4, true),
    name: textOf(name),
    isUp: (flags & IFF_UP) !== 0 && (flags & IFF_RUNNING) !== 0,
    flags,
    operationalState: attributes.get(IFLA_OPERSTATE)?.[0] ?? 0,
    type: view.getUint16(2, true),
    mtu: uint32Of(attributes.get(IFLA_MTU)) ?? 0,
    ...(hardwareAddress === undefined ? {} : { hardwareAddress: hardwareAddress.slice() }),
    ...(kind === undefined ? {} : { kind: textOf(kind) }),
    ...(parentIndex === undefined || parentIndex === 0 ? {} : { parentIndex }),
    ...(masterIndex === undefined ? {} : { masterIndex }),
    ...(alias === undefined ? {} : { alias: textOf(alias) }),
  };
}

/** The interface's net.ipv4.conf.* in an answer of RTM_GETLINK; undefined where it has none. */
export function readIpv4Conf(message: NetlinkMessage): Required<Ipv4Conf> | undefined {
  const specific = nested(linkAttributes(message)?.get(IFLA_AF_SPEC));
  const values = nested(specific?.get(AF_INET))?.get(IFLA_INET_CONF);
  if (values === undefined) return undefined;
  const conf: Record<string, number> = {};
  for (const [name, number] of Object.entries(CONF_NUMBERS)) {
    // An array, where the numbers of the attributes to set are one more than the place.
    const value = uint32Of(values.subarray((number - 1) * 4, number * 4));
    if (value === undefined) return undefined;
    conf[name] = value;
  }
  // Every name of the record is in CONF_NUMBERS.
  return conf as unknown as Required<Ipv4Conf>;
}

function linkAttributes(message: NetlinkMessage): Map<number, Uint8Array> | undefined {
  const { payload } = message;
  if (message.type !== RTM_NEWLINK && message.type !== RTM_DELLINK) return undefined;
  // Other families are notices of, for example, a bridge's ports.
  if (payload.length < IFINFOMSG_LENGTH || payload[0] !== AF_UNSPEC) return undefined;
  return attributesOf(payload, IFINFOMSG_LENGTH);
}

function nested(bytes: Uint8Array | undefined): Map<number, Uint8Array> | undefined {
  return bytes === undefined ? undefined : attributesOf(bytes, 0);
}
