/**
 * What the election thread is to run: virtual routers, sync groups and host networks, defaults filled in and ranges
 * checked. Structured-clone data only, made by agent/bundle.
 */
import type { Instant, Micros } from '../../proto/rules/time.js';
import type { VirtualRouter } from '../vrrp/index.js';

/** Everything the election thread needs to run one virtual router. Defaults filled in, ranges checked. */
export interface RouterSettings {
  readonly router: VirtualRouter;
  readonly interface: string;
  /** Dotted quad. Absent: the interface's first address that is not a virtual one. */
  readonly sourceAddress?: string;
  /** Unicast: dotted quads of the peers. Absent: multicast. */
  readonly peers?: readonly string[];
  /** Version 2 PASS: exactly 8 bytes. */
  readonly password?: Uint8Array;
  readonly checksum: 'message_only' | 'pseudo_header';
  readonly addresses: readonly VirtualAddress[];
  /** Family of the advertisements. */
  readonly family: 4 | 6;
  /** Move with the router, are not advertised; of either family. */
  readonly excludedAddresses: readonly VirtualAddress[];
  readonly routes: readonly RouteSettings[];
  readonly rules: readonly RuleSettings[];
  /** Of the router's family, as text. */
  readonly multicastGroup: string;
  readonly virtualMac?: VirtualMacSettings;
  /** False: traffic to the addresses is dropped while active, but for IPv6 neighbour discovery. */
  readonly accept: boolean;
  /** Multicast: only these sources are believed. Absent: any on the link. */
  readonly believedSources?: readonly string[];
  /** Unicast. */
  readonly unicast: UnicastSettings;
  /** Takes no part until this long after the election thread started. */
  readonly startupDelay: Micros;
  /** Takes no part until this long after the host's boot. */
  readonly bootDelay: Micros;
  readonly promoteSecondaries: boolean;
  readonly hmac?: HmacSettings;
  /** Spacing of announcements on each interface; 0 for none. */
  readonly spacing: AnnouncementSpacing;
  /** Announces addresses on other interfaces than `interface` again this often while active; 0 for never. */
  readonly extraRefresh: Micros;
  /** That is for all such interfaces; else for those with a virtual MAC address. */
  readonly extraRefreshAll: boolean;
  /** Tracked interfaces, routes and so on are in router.tracks; this says where to look for each route track. */
  readonly routeTracks: readonly RouteTrack[];
  /** How long a change of a track must last before it counts, after its first result. */
  readonly trackDelays: readonly TrackDelay[];
  /** All that may advertise this router: another source is told as a foreign router. Empty: not known. */
  readonly knownSources: readonly string[];
  /** While not active, how often the addresses are asked for; 0 for never. */
  readonly verifyInterval: Micros;
}

export interface TrackDelay {
  /** The track's id. */
  readonly id: string;
  readonly up: Micros;
  readonly down: Micros;
}

/** An address as the kernel is to have it. */
export interface VirtualAddress {
  readonly address: string;
  readonly prefixLength: number;
  /** Interface; with a virtual MAC the base interface's name, the runtime puts the address on the macvlan. */
  readonly device: string;
  readonly label?: string;
  readonly broadcast?: string;
  /** rtnetlink's number; absent: global. */
  readonly scope?: number;
  readonly peer?: { readonly address: string; readonly prefixLength: number };
  readonly noPrefixRoute?: boolean;
  /** Whole seconds; absent: as long as it is valid. */
  readonly preferredLifetime?: number;
  readonly home?: boolean;
  readonly noDad?: boolean;
  readonly manageTemporary?: boolean;
  readonly autojoin?: boolean;
  /** Losing it is not answered. */
  readonly noTrack?: boolean;
  /** On the virtual MAC interface even if the router's adverts are not (keepalived's use_vmac of an address). */
  readonly virtualMac?: boolean;
}

export interface VirtualMacSettings {
  readonly name: string;
  /** Six bytes as aa:bb:cc:dd:ee:ff. */
  readonly address: string;
  readonly transmitOnBase: boolean;
}

export interface UnicastSettings {
  /** Sent TTL or hop limit. */
  readonly ttl: number;
  readonly minTtl: number;
  readonly maxTtl: number;
  readonly peerTtl: readonly { readonly address: string; readonly minTtl: number; readonly maxTtl: number }[];
}

export interface HmacSettings {
  readonly keys: readonly { readonly id: number; readonly key: Uint8Array }[];
  readonly activeKey: number;
  readonly replayGuard: 'time' | 'monotonic';
  readonly timeWindow: Micros;
  readonly mode: 'enforce' | 'permissive' | 'receive-only';
}

export interface AnnouncementSpacing {
  readonly arp: Micros;
  readonly neighbor: Micros;
}

/** Numbers are rtnetlink's (rtnetlink(7)); names were resolved where the settings were made. */
export interface RouteSettings {
  /** As ip(8) would write it; identifies the route. */
  readonly text: string;
  readonly family: 4 | 6;
  readonly type: number;
  /** Absent: default. */
  readonly to?: { readonly address: string; readonly prefixLength: number };
  readonly via?: string;
  readonly device?: string;
  readonly source?: string;
  readonly table: number;
  readonly metric?: number;
  readonly scope?: number;
  readonly protocol: number;
  readonly tos: number;
  readonly onLink: boolean;
  readonly nextHops: readonly {
    readonly via?: string;
    readonly device?: string;
    readonly weight: number;
    readonly onLink: boolean;
  }[];
  /** RTAX_* number and value, in the kernel's units. */
  readonly metrics: readonly { readonly metric: number; readonly value: number }[];
  /** Bit mask of locked metrics (RTAX_LOCK). */
  readonly lockedMetrics: number;
  readonly congestionControl?: string;
  /** RTA_PREF. */
  readonly preference?: number;
  readonly append: boolean;
  readonly noTrack: boolean;
}

export interface RuleSettings {
  /** As ip(8) would write it; identifies the rule. */
  readonly text: string;
  readonly family: 4 | 6;
  readonly from?: { readonly address: string; readonly prefixLength: number };
  readonly to?: { readonly address: string; readonly prefixLength: number };
  readonly priority?: number;
  readonly not: boolean;
  readonly inputInterface?: string;
  readonly outputInterface?: string;
  readonly mark?: number;
  readonly mask?: number;
  readonly tos: number;
  readonly ipProtocol?: number;
  readonly sourcePorts?: { readonly first: number; readonly last: number };
  readonly destinationPorts?: { readonly first: number; readonly last: number };
  readonly users?: { readonly first: number; readonly last: number };
  readonly l3mdev: boolean;
  readonly table?: number;
  /** FR_ACT_*; FR_ACT_TO_TBL with `table`, FR_ACT_GOTO with `target`. */
  readonly action: number;
  readonly target?: number;
  readonly suppressPrefixLength?: number;
  readonly suppressGroup?: number;
  readonly noTrack: boolean;
}

export interface RouteTrack {
  /** The track's id. */
  readonly id: string;
  readonly prefix: { readonly address: string; readonly prefixLength: number };
  readonly table: number;
}

/** Routers that move together (agent/vrrp/sync-group.ts). */
export interface GroupSettings {
  readonly name: string;
  readonly routers: readonly string[];
  readonly policy: 'all' | 'any';
}

/** What the host has whether or not a router is active. */
export interface HostNetworkSettings {
  readonly name: string;
  readonly addresses: readonly VirtualAddress[];
  readonly routes: readonly RouteSettings[];
  readonly rules: readonly RuleSettings[];
  readonly announcementLimits: readonly {
    readonly interfaces: readonly string[];
    readonly spacing: AnnouncementSpacing;
  }[];
  readonly interfaceDelays: readonly { readonly interface: string; readonly down: Micros; readonly up: Micros }[];
}

/** All that the election thread runs. */
export interface ElectionSettings {
  readonly routers: readonly RouterSettings[];
  readonly groups: readonly GroupSettings[];
  readonly hostNetworks: readonly HostNetworkSettings[];
}

/** A router that was active in the process before this one, which went without giving up its addresses. */
export interface ResumedRouter {
  readonly name: string;
  /** On the monotonic clock, which the two processes share. */
  readonly lastAdvertAt: Instant;
}
