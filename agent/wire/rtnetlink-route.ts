/**
 * rtnetlink messages about routes (rtnetlink(7), linux/rtnetlink.h). Pure and total, as netlink-message.ts.
 */
import { type Family, familyOf, type IpAddress, type IpPrefix, networkAddressOf } from '../../proto/rules/ip.js';
import {
  attributesOf,
  type NetlinkMessage,
  type NetlinkWriter,
  NLM_F_ACK,
  NLM_F_APPEND,
  NLM_F_CREATE,
  NLM_F_DUMP,
  NLM_F_EXCL,
  NLM_F_REPLACE,
  NLM_F_REQUEST,
  textOf,
  uint32Of,
} from './netlink-message.js';
import { familyNumber, familyOfNumber, ipAddressOf } from './rtnetlink-family.js';

export const RTM_NEWROUTE = 24;
export const RTM_DELROUTE = 25;
const RTM_GETROUTE = 26;

const RTN_UNICAST = 1;
const RTN_LOCAL = 2;
const RTN_BROADCAST = 3;
const RTN_ANYCAST = 4;
const RTN_MULTICAST = 5;
const RTN_NAT = 10;
const RT_SCOPE_LINK = 253;
const RT_SCOPE_HOST = 254;
const RT_SCOPE_NOWHERE = 255;

export const RTA_DST = 1;
const RTA_OIF = 4;
const RTA_GATEWAY = 5;
const RTA_PRIORITY = 6;
const RTA_PREFSRC = 7;
const RTA_METRICS = 8;
const RTA_MULTIPATH = 9;
const RTA_TABLE = 15;
const RTA_VIA = 18;
const RTA_PREF = 20;
const RTAX_LOCK = 1;
const RTAX_CC_ALGO = 16;
const RTMSG_LENGTH = 12;
const NEXT_HOP_LENGTH = 8;

const RTM_F_CLONED = 0x200;
const RTNH_F_DEAD = 0x1;
const RTNH_F_ONLINK = 0x4;
const RTNH_F_LINKDOWN = 0x10;

/** Numbers are rtnetlink's. */
export interface RouteRequest {
  readonly family: Family;
  /** RTN_*: 1 unicast, 2 local, 6 blackhole, 7 unreachable, 8 prohibit ... */
  readonly type: number;
  /** Host bits are cleared. Absent: the default route. */
  readonly destination?: IpPrefix;
  /** Of either family; of the other one it goes out as RTA_VIA. */
  readonly gateway?: IpAddress;
  readonly interfaceIndex?: number;
  /** Preferred source (RTA_PREFSRC). */
  readonly source?: IpAddress;
  readonly table: number;
  /** Absent: 0 in IPv4, 1024 in IPv6, as the kernel has it. */
  readonly metric?: number;
  /** Absent: as ip(8) does: link without a gateway, host for local routes, else global. IPv6 knows none. */
  readonly scope?: number;
  /** RTPROT_*; 18 is keepalived's. */
  readonly protocol: number;
  /** IPv4 only. */
  readonly tos: number;
  readonly onLink: boolean;
  readonly nextHops: readonly NextHop[];
  /** RTAX_* and value, in the kernel's units. */
  readonly metrics: readonly RouteMetric[];
  /** Bit mask of locked metrics (RTAX_LOCK). */
  readonly lockedMetrics: number;
  readonly congestionControl?: string;
  /** RTA_PREF, IPv6 only: 0 medium, 1 high, 3 low. */
  readonly preference?: number;
  /** Added after others with the same destination and metric, instead of being refused with EEXIST. */
  readonly append: boolean;
}

export interface NextHop {
  readonly gateway?: IpAddress;
  readonly interfaceIndex?: number;
  /** 1..256 */
  readonly weight: number;
  readonly onLink: boolean;
}

export interface RouteMetric {
  readonly metric: number;
  readonly value: number;
}

/** A route as the kernel has it; of several next hops `gateway` and `interfaceIndex` are absent. */
export interface Route extends Omit<RouteRequest, 'append'> {
  readonly metric: number;
  readonly scope: number;
  /** RTNH_F_DEAD or RTNH_F_LINKDOWN on the only next hop, or on all: it is there, but not used. */
  readonly isDead: boolean;
}

export type RouteVerb = 'add' | 'replace' | 'delete';

/** Appends one request. Without `acknowledge` the kernel answers only if it refuses. */
export function writeRouteRequest(
  writer: NetlinkWriter,
  verb: RouteVerb,
  request: RouteRequest,
  sequence: number,
  acknowledge: boolean,
): void {
  const { family, destination, table, gateway, interfaceIndex, source, metric, preference } = request;
  const fixed = new Uint8Array(RTMSG_LENGTH);
  const view = new DataView(fixed.buffer);
  view.setUint8(0, familyNumber(family));
  view.setUint8(1, destination?.prefixLength ?? 0);
  view.setUint8(3, request.tos);
  view.setUint8(4, table < 256 ? table : 0);
  view.setUint8(5, request.protocol);
  view.setUint8(6, scopeToWrite(verb, request));
  view.setUint8(7, request.type);
  view.setUint32(8, request.onLink ? RTNH_F_ONLINK : 0, true);
  const flags = NLM_F_REQUEST | (acknowledge ? NLM_F_ACK : 0);
  writer.begin(verb === 'delete' ? RTM_DELROUTE : RTM_NEWROUTE, flags | changeFlags(verb, request), sequence);
  writer.bytes(fixed);
  if (destination !== undefined) writer.ipAddress(RTA_DST, networkAddressOf(destination));
  if (table > 255) writer.uint32(RTA_TABLE, table);
  writeGateway(writer, family, gateway);
  if (interfaceIndex !== undefined) writer.uint32(RTA_OIF, interfaceIndex);
  if (source !== undefined) writer.ipAddress(RTA_PREFSRC, source);
  if (metric !== undefined) writer.uint32(RTA_PRIORITY, metric);
  if (preference !== undefined) writer.uint8(RTA_PREF, preference);
  if (request.nextHops.length > 0) writeNextHops(writer, request);
  // The kernel would compare them before it removes a route.
  if (verb !== 'delete') writeMetrics(writer, request);
  writer.end();
}

function changeFlags(verb: RouteVerb, { append }: RouteRequest): number {
  if (verb === 'delete') return 0;
  if (verb === 'replace') return NLM_F_CREATE | NLM_F_REPLACE;
  return append ? NLM_F_CREATE | NLM_F_APPEND : NLM_F_CREATE | NLM_F_EXCL;
}

function scopeToWrite(verb: RouteVerb, request: RouteRequest): number {
  // Nowhere means any when deleting.
  return request.scope ?? (verb === 'delete' ? RT_SCOPE_NOWHERE : defaultScope(request));
}

/** As ip-route(8) has it. */
export function defaultScope({ family, type, gateway, nextHops }: RouteRequest): number {
  if (family === 6) return 0;
  if (type === RTN_LOCAL || type === RTN_NAT) return RT_SCOPE_HOST;
  const isOnLink = type === RTN_UNICAST && gateway === undefined && nextHops.length === 0;
  return isOnLink || type === RTN_BROADCAST || type === RTN_MULTICAST || type === RTN_ANYCAST ? RT_SCOPE_LINK : 0;
}

function writeGateway(writer: NetlinkWriter, family: Family, gateway: IpAddress | undefined): void {
  if (gateway === undefined) return;
  if (familyOf(gateway) === family) {
    writer.ipAddress(RTA_GATEWAY, gateway);
    return;
  }
  // struct rtvia: the family in host order, the address after it without padding.
  const via = new Uint8Array(typeof gateway === 'bigint' ? 18 : 6);
  const view = new DataView(via.buffer);
  view.setUint16(0, familyNumber(familyOf(gateway)), true);
  if (typeof gateway === 'number') {
    view.setUint32(2, gateway);
  } else {
    view.setBigUint64(2, gateway >> 64n);
    view.setBigUint64(10, gateway & 0xffff_ffff_ffff_ffffn);
  }
  writer.attribute(RTA_VIA, via);
}

/** Each is a struct rtnexthop, whose length is the first field as an attribute's is, and attributes. */
function writeNextHops(writer: NetlinkWriter, { family, nextHops }: RouteRequest): void {
  const list = writer.open(RTA_MULTIPATH);
  for (const { gateway, interfaceIndex, weight, onLink } of nextHops) {
    const fixed = new Uint8Array(NEXT_HOP_LENGTH);
    const view = new DataView(fixed.buffer);
    view.setUint8(2, onLink ? RTNH_F_ONLINK : 0);
    view.setUint8(3, weight - 1);
    view.setInt32(4, interfaceIndex ?? 0, true);
    const opened = writer.length;
    writer.bytes(fixed);
    writeGateway(writer, family, gateway);
    writer.close(opened);
  }
  writer.close(list);
}

function writeMetrics(writer: NetlinkWriter, { metrics, lockedMetrics, congestionControl }: RouteRequest): void {
  if (metrics.length === 0 && lockedMetrics === 0 && congestionControl === undefined) return;
  const list = writer.open(RTA_METRICS);
  if (lockedMetrics !== 0) writer.uint32(RTAX_LOCK, lockedMetrics);
  for (const { metric, value } of metrics) writer.uint32(metric, value);
  if (congestionControl !== undefined) writer.text(RTAX_CC_ALGO, congestionControl);
  writer.close(list);
}

/** Which routes are wanted; what is absent does not matter. */
export interface RouteSelection {
  readonly family?: Family;
  readonly table?: number;
  readonly protocol?: number;
  /** Exactly these. */
  readonly destinations?: readonly IpPrefix[];
}

/**
 * Asks for all routes of one family; a kernel that can (Linux 4.20, strict checking) gives those of one table and protocol
 * only, an older one gives all.
 */
export function writeRouteDump(writer: NetlinkWriter, family: Family, of: RouteSelection, sequence: number): void {
  const fixed = new Uint8Array(RTMSG_LENGTH);
  fixed[0] = familyNumber(family);
  fixed[5] = of.protocol ?? 0;
  writer.begin(RTM_GETROUTE, NLM_F_REQUEST | NLM_F_DUMP, sequence);
  writer.bytes(fixed);
  if (of.table !== undefined) writer.uint32(RTA_TABLE, of.table);
  writer.end();
}

/** Whether a message is of a selected route, found out with little work: a host may have a million routes. */
export function routeSelector(of: RouteSelection): (message: NetlinkMessage) => boolean {
  const wanted = new Map<number, readonly (IpAddress | undefined)[]>();
  for (const destination of of.destinations ?? []) {
    const kind = familyNumber(familyOf(destination.address)) * 256 + destination.prefixLength;
    const address = destination.prefixLength === 0 ? undefined : networkAddressOf(destination);
    wanted.set(kind, [...(wanted.get(kind) ?? []), address]);
  }
  return ({ payload }) => {
    const [family = 0, prefixLength = 0, , , table = 0, protocol] = payload;
    if (of.protocol !== undefined && protocol !== of.protocol) return false;
    // Tables from 256 on do not fit there; the kernel then writes 0 or 252.
    if (of.table !== undefined && of.table < 256 && table !== of.table) return false;
    const addresses = of.destinations === undefined ? undefined : wanted.get(family * 256 + prefixLength);
    if (of.destinations !== undefined && addresses === undefined) return false;
    if (addresses === undefined && (of.table === undefined || of.table < 256)) return true;
    const attributes = attributesOf(payload, RTMSG_LENGTH);
    if (of.table !== undefined && (uint32Of(attributes.get(RTA_TABLE)) ?? table) !== of.table) return false;
    return addresses?.includes(ipAddressOf(family, attributes.get(RTA_DST))) ?? true;
  };
}

/**
 * Reads RTM_NEWROUTE or RTM_DELROUTE of IPv4 or IPv6; undefined for any other message, a malformed one, and what the
 * kernel remembers of single destinations.
 */
export function readRoute(message: NetlinkMessage): Route | undefined {
  const { payload } = message;
  if (message.type !== RTM_NEWROUTE && message.type !== RTM_DELROUTE) return undefined;
  const family = familyOfNumber(payload[0]);
  if (payload.length < RTMSG_LENGTH || family === undefined) return undefined;
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const flags = view.getUint32(8, true);
  if ((flags & RTM_F_CLONED) !== 0) return undefined;
  const attributes = attributesOf(payload, RTMSG_LENGTH);
  const prefixLength = view.getUint8(1);
  const address = ipAddressOf(payload[0], attributes.get(RTA_DST));
  if (prefixLength > (family === 6 ? 128 : 32) || (prefixLength > 0 && address === undefined)) return undefined;
  const { hops, areDead } = readNextHops(payload[0], attributes.get(RTA_MULTIPATH));
  const gateway = readGateway(payload[0], attributes);
  const interfaceIndex = uint32Of(attributes.get(RTA_OIF));
  const source = ipAddressOf(payload[0], attributes.get(RTA_PREFSRC));
  const preference = attributes.get(RTA_PREF)?.[0];
  return {
    family,
    type: view.getUint8(7),
    ...(address === undefined || prefixLength === 0 ? {} : { destination: { address, prefixLength } }),
    ...(gateway === undefined ? {} : { gateway }),
    ...(interfaceIndex === undefined ? {} : { interfaceIndex }),
    ...(source === undefined ? {} : { source }),
    table: uint32Of(attributes.get(RTA_TABLE)) ?? view.getUint8(4),
    metric: uint32Of(attributes.get(RTA_PRIORITY)) ?? 0,
    scope: view.getUint8(6),
    protocol: view.getUint8(5),
    tos: view.getUint8(3),
    onLink: (flags & RTNH_F_ONLINK) !== 0,
    nextHops: hops,
    ...readMetrics(attributes.get(RTA_METRICS)),
    ...(preference === undefined ? {} : { preference }),
    isDead: hops.length > 0 ? areDead : isDead(flags),
  };
}

function isDead(flags: number): boolean {
  return (flags & (RTNH_F_DEAD | RTNH_F_LINKDOWN)) !== 0;
}

function readGateway(family: number | undefined, attributes: Map<number, Uint8Array>): IpAddress | undefined {
  const gateway = ipAddressOf(family, attributes.get(RTA_GATEWAY));
  const via = attributes.get(RTA_VIA);
  if (gateway !== undefined || via === undefined || via.length < 2) return gateway;
  return ipAddressOf((via[0] ?? 0) | ((via[1] ?? 0) << 8), via.subarray(2));
}

function readNextHops(
  family: number | undefined,
  bytes: Uint8Array | undefined,
): { readonly hops: readonly NextHop[]; readonly areDead: boolean } {
  const hops: NextHop[] = [];
  let areDead = true;
  if (bytes === undefined) return { hops, areDead };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  while (at + NEXT_HOP_LENGTH <= bytes.length) {
    const length = view.getUint16(at, true);
    if (length < NEXT_HOP_LENGTH || length > bytes.length - at) break;
    const flags = view.getUint8(at + 2);
    const gateway = readGateway(family, attributesOf(bytes.subarray(at, at + length), NEXT_HOP_LENGTH));
    const interfaceIndex = view.getInt32(at + 4, true);
    hops.push({
      ...(gateway === undefined ? {} : { gateway }),
      ...(interfaceIndex === 0 ? {} : { interfaceIndex }),
      weight: view.getUint8(at + 3) + 1,
      onLink: (flags & RTNH_F_ONLINK) !== 0,
    });
    if (!isDead(flags)) areDead = false;
    at += (length + 3) & ~3;
  }
  return { hops, areDead };
}

function readMetrics(bytes: Uint8Array | undefined): Pick<Route, 'metrics' | 'lockedMetrics' | 'congestionControl'> {
  const metrics: RouteMetric[] = [];
  let lockedMetrics = 0;
  let congestionControl: string | undefined;
  for (const [metric, bytesOfValue] of bytes === undefined ? [] : attributesOf(bytes, 0)) {
    if (metric === RTAX_CC_ALGO) {
      congestionControl = textOf(bytesOfValue);
      continue;
    }
    const value = uint32Of(bytesOfValue);
    if (value === undefined) continue;
    if (metric === RTAX_LOCK) lockedMetrics = value;
    else metrics.push({ metric, value });
  }
  return { metrics, lockedMetrics, ...(congestionControl === undefined ? {} : { congestionControl }) };
}
