/**
 * rtnetlink messages about routes (rtnetlink(7), linux/rtnetlink.h). Pure and total, as netlink-message.ts.
 */
import type { Family, IpAddress, IpPrefix } from '../../proto/rules/ip.js';

/** What identifies a route to the kernel, and what it is to be. Numbers are rtnetlink's. */
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
  /** IPv6: 0 is 1024's absence; IPv4: 0. */
  readonly metric: number;
  readonly scope: number;
  /** RTNH_F_DEAD or RTNH_F_LINKDOWN on the only next hop, or on all: it is there, but not used. */
  readonly isDead: boolean;
}
