/**
 * Parameters of one virtual router on one node (RFC 9568 section 6.1), already valid: whoever makes one has checked
 * every range. Pure data.
 */
import type { Instant, Micros } from '../../proto/rules/time.js';

/** Numeric IPv4 address (0..2^32-1), most significant byte first as on the wire; compared as a number. */
export type Ipv4 = number;

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
  /** Follow RFC 9568 where Baton deviates for safety: no bound on the learned interval. */
  readonly strictRfc: boolean;
  /** Virtual addresses, in the order in which they are advertised. */
  readonly addresses: readonly Ipv4[];
  readonly tracks: readonly Track[];
  readonly announcements: Announcements;
  /** Whether addresses carry a kernel lifetime; the core renews them while active. */
  readonly leased: boolean;
}

/**
 * Something that moves the priority or puts the router in fault: a check, an interface, the router's own interface,
 * its source address. `id` is "check NAME", "interface NAME" or "source address"; weight 0 means fault.
 */
export interface Track {
  readonly id: string;
  readonly weight: number;
  readonly reverse: boolean;
}

/** What is known of a tracked thing. Unknown is only ever the state before the first result. */
export type TrackState = 'unknown' | 'up' | 'down';

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
