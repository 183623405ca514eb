/**
 * Parameters of one virtual router on one node (RFC 9568 section 6.1), already valid: whoever makes one has checked
 * every range. Pure data.
 */
import type { Instant, Micros } from '../../proto/rules/time.js';

/** Numeric IPv4 address (0..2^32-1), most significant byte first as on the wire; compared as a number. */
export type Ipv4 = number;
/** Numeric IPv6 address (0n..2n^128-1n), most significant byte first; compared as a number. */
export type Ipv6 = bigint;
/** Of either family, which the type tells: one router's advertisements are of one. Compared with <, > and ===. */
export type IpAddress = Ipv4 | Ipv6;

export type Version = 2 | 3;

export interface VirtualRouter {
  readonly name: string;
  /** 1..255 */
  readonly vrid: number;
  readonly version: Version;
  /** Base priority, 1..255; 255 is the address owner, whose priority nothing moves. */
  readonly priority: number;
  readonly advertisementInterval: Micros;
  readonly preemptMode: boolean;
  /** How long a backup accepts lower-priority advertisements before it preempts; 0 for none. */
  readonly preemptDelay: Micros;
  /**
   * Follow RFC 9568 where Baton deviates for safety. It switches one thing here: a backup adopts whatever interval is
   * advertised (decision 0003). What does not break the protocol stays: the pause rule and leases, the planned stop, the
   * order of announcement and advertisement, the pauses between answers. keepalived's strict_mode is a set of the other
   * settings, and made into them where its configuration is read.
   */
  readonly strictRfc: boolean;
  /** Virtual addresses, in the order in which they are advertised. */
  readonly addresses: readonly IpAddress[];
  readonly tracks: readonly Track[];
  readonly announcements: Announcements;
  /** Whether addresses carry a kernel lifetime; the core renews them while active. */
  readonly leased: boolean;
  /** Advertisements missed before a backup takes over, 1..100; RFC 9568 has 3. */
  readonly downTimerAdvertisements: number;
  /**
   * An active router does not advertise in answer to a lower priority (keepalived's lower_prio_no_advert); it does
   * announce. Its advertisements come when they would have come anyway.
   */
  readonly lowerPriorityNoAdvertisement: boolean;
  /** One more advertisement before yielding to a better router (keepalived's higher_prio_send_advert). */
  readonly higherPrioritySendAdvertisement: boolean;
  /** An owner discards advertisements (RFC 9568 section 7.1 as published), but those of its successor. */
  readonly ownerIgnoresAdvertisements: boolean;
  /**
   * Priority, 1..254: without preempt mode, an active router that was away for the down interval of this priority
   * becomes backup, where the pause rule does not ask for it earlier; 0 for off (keepalived's timer_expired_backup).
   */
  readonly timerExpiredBackup: number;
  /**
   * Whether other holders of the addresses are looked for when they are claimed: along with it, or before, so that a
   * router does not become active while somebody else has its addresses (decision 0011).
   */
  readonly duplicateProbe: 'off' | 'warn' | 'refuse';
  /** In a sync group: becomes active only with the others; see sync-group.ts. */
  readonly group?: string;
}

/**
 * Something that moves the priority or puts the router in fault: a check, an interface, the router's own interface,
 * its source address. `id` is "check NAME", "interface NAME", "bfd NAME", "route PREFIX" (with " table N" if not main),
 * "source address", "virtual mac", "startup delay", "host network NAME" or "peers"; weight 0 means fault.
 */
export interface Track {
  readonly id: string;
  readonly weight: number;
  readonly reverse: boolean;
}

/**
 * What is known of a tracked thing. Unknown is only ever the state before the first result. A number is a file check's
 * value: it counts as value x weight, or with weight 0 as a fault if it is not 0 (keepalived's track_file).
 */
export type TrackState = 'unknown' | 'up' | 'down' | number;

/** Gratuitous ARP schedule; counts are announcements per address. */
export interface Announcements {
  readonly repeat: number;
  /** Second burst this long after the first; 0 for none. */
  readonly delay: Micros;
  /** Again this often while active; 0 for never. */
  readonly refresh: Micros;
  readonly refreshRepeat: number;
  /** After an advertisement of lower priority; 0 for none. */
  readonly lowerPriorityRepeat: number;
  readonly lowerPriorityDelay: Micros;
}

export type { Instant, Micros };
