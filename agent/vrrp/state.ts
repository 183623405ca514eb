/**
 * State, inputs and effects of the election core. All of it plain data: an input log is a reproduction, an effect list
 * an assertion. The step function is in step.ts.
 */
import type { Instant, IpAddress, Micros, TrackState, VirtualRouter } from './virtual-router.js';

export type StateName = 'initialize' | 'backup' | 'active' | 'fault';

/** A state holds only what exists in that state; timers are absolute deadlines. */
export type Phase =
  /** Not started, stopped, or (started) waiting for the first result of a check whose failure would be a fault. */
  | { readonly name: 'initialize'; readonly started: boolean }
  | {
      readonly name: 'backup';
      readonly activeDownAt: Instant;
      /** Learned from the active router in version 3, else the configured one. */
      readonly activeAdverInterval: Micros;
      /** While set, lower-priority advertisements are accepted until then (preempt delay). */
      readonly preemptAt?: Instant;
      /** Who is active as far as we know, of whatever priority. */
      readonly activeRouter?: Heard;
      /** The timer runs for a skew time only, because the active router said that it stops. */
      readonly priorityZeroHeard?: true;
      /** The timer had expired while this thread was away; it listens for a moment before it believes that. */
      readonly listening?: true;
      /** In a sync group: its timer expired, and it waits for the others to want the same. */
      readonly wantsActive?: true;
      /** The timer expired and other holders of the addresses are looked for until `activeDownAt`; why it takes over. */
      readonly probing?: { readonly reason: Reason };
    }
  | {
      readonly name: 'active';
      readonly lastAdvertAt: Instant;
      readonly adverAt: Instant;
      /** Next announcement burst and its repeat count. */
      readonly announceAt?: Instant;
      readonly announceRepeat?: number;
      readonly refreshAt?: Instant;
      /** The last burst in answer to an advertisement of lower priority, and whether another one waits its turn. */
      readonly answered?: { readonly at: Instant; readonly again: boolean };
      /** When the leases of the addresses are renewed; absent without leases. */
      readonly renewAt?: Instant;
      /** Set during a planned stop: see Handover. Nothing but priority 0 is sent then. */
      readonly handover?: Handover;
      /** Another address owner (priority 255) of lower address does not yield to us. */
      readonly ownerConflict?: OwnerConflict;
    }
  | { readonly name: 'fault' };

/** A planned stop (design: hitless handover): addresses are kept and answered for until a successor has announced them. */
export interface Handover {
  /** The successor did not come: priority 0 is sent (again) and everything removed. */
  readonly until: Instant;
  /** When priority 0 is said again, in case it was lost; a backup starts its skew timer at each. */
  readonly repeatAt?: Instant;
  /** Set once a successor's advertisement was heard: removed at its announcement, or then. */
  readonly releaseAt?: Instant;
}

/** Two owners advertise and the one that should yield does not: after a while the other one does. */
export interface OwnerConflict {
  /** We yield if we hear it at or after this instant. */
  readonly yieldAt: Instant;
  readonly lastHeardAt: Instant;
}

export interface Heard {
  readonly source: IpAddress;
  readonly priority: number;
  readonly interval: Micros;
  readonly at: Instant;
}

/** Whole state of one virtual router on one node. */
export interface Member {
  readonly phase: Phase;
  /** By track id; a track that is not in it is unknown. */
  readonly tracks: Readonly<Record<string, TrackState>>;
  /** Notices already given since the last change of state, so that each is given once per source; bounded. */
  readonly noticed: readonly Noticed[];
}

export interface Noticed {
  readonly notice: Notice;
  readonly source?: IpAddress;
}

/** A decoded and accepted advertisement. */
export interface Advertisement {
  readonly priority: number;
  /** In microseconds; version 2 seconds and version 3 centiseconds are converted by the decoder. */
  readonly interval: Micros;
  readonly addresses: readonly IpAddress[];
}

export type Input =
  /**
   * Start. With `resume` the process before this one was suspended while it was active and last advertised at that
   * instant: unless that is too long ago, the router is active at once and adopts what is still there.
   */
  | { readonly kind: 'startup'; readonly resume?: { readonly lastAdvertAt: Instant } }
  /**
   * Stop at once and leave everything as it is for the process that goes on: one more advertisement, and no priority 0.
   * The transition's reason is `suspended` if that was done; a handover that is under way is ended instead.
   */
  | { readonly kind: 'suspend' }
  /** Stop. With handover, keep serving until a successor has taken over. */
  | { readonly kind: 'shutdown'; readonly handover: boolean }
  | { readonly kind: 'tick' }
  /** The parameters changed; `router` is already the new one. */
  | { readonly kind: 'reconfigured'; readonly previous: VirtualRouter }
  | {
      readonly kind: 'advertisement';
      readonly source: IpAddress;
      /** Our own source address, for ties. */
      readonly local: IpAddress;
      readonly advertisement: Advertisement;
    }
  | { readonly kind: 'track'; readonly id: string; readonly state: TrackState }
  /** Somebody else announced all of our addresses by gratuitous ARP. Only asked for during a handover. */
  | { readonly kind: 'announcementHeard' }
  /** A tracked virtual address was removed by somebody else and could not be put back. */
  | { readonly kind: 'addressLost' }
  /** After `probeAddresses`: somebody else answers for one of our addresses. */
  | { readonly kind: 'addressConflict' };

/** Intentions, in the order in which the runtime must carry them out. */
export type Effect =
  | { readonly kind: 'advertise'; readonly priority: number }
  | { readonly kind: 'addAddresses' }
  /** Ask whether anybody else has the addresses, by ARP or neighbour discovery; `addressConflict` is the answer. */
  | { readonly kind: 'probeAddresses' }
  | { readonly kind: 'removeAddresses' }
  | { readonly kind: 'renewAddresses' }
  /** The list of addresses changed while they are held: add what is new, remove what is gone, leave the others alone. */
  | { readonly kind: 'syncAddresses' }
  /** Gratuitous ARP for every address, `repeat` rounds over all of them. */
  | { readonly kind: 'announceAddresses'; readonly repeat: number }
  /** Start or stop listening for others' gratuitous ARP for our addresses. */
  | { readonly kind: 'listenForAnnouncements'; readonly on: boolean }
  | {
      readonly kind: 'transitioned';
      readonly from: StateName;
      readonly to: StateName;
      readonly reason: Reason;
      readonly effectivePriority: number;
    }
  /** The thread was away longer than its lease or the others' patience; it stepped down before this input was looked at. */
  | { readonly kind: 'pausedTooLong'; readonly away: Micros }
  /** Something an operator should know that changed no state. */
  | { readonly kind: 'noticed'; readonly notice: Notice; readonly source?: IpAddress }
  /** notify_master_rx_lower_pri: an active router heard a lower-priority advertisement. */
  | { readonly kind: 'lowerPriorityHeard'; readonly source: IpAddress; readonly priority: number };

export type Notice =
  | 'interval-bounded'
  | 'interval-mismatch'
  | 'address-list-mismatch'
  | 'equal-priority-and-address'
  | 'owner-conflict'
  | 'address-conflict';

/** Why a state was entered. */
export type Reason =
  | { readonly code: 'startup' | 'owner-startup' | 'shutdown' | 'handed-over' | 'handover-expired' }
  | { readonly code: 'suspended' | 'resumed' }
  | { readonly code: 'active-down' | 'priority-zero-heard' | 'paused' | 'address-lost' }
  | {
      /** `preempted`: we took over from that peer; the others: we yielded to it. */
      readonly code: 'higher-priority-heard' | 'equal-priority-greater-address' | 'owner-conflict' | 'preempted';
      readonly peer: IpAddress;
      readonly priority: number;
    }
  | {
      readonly code: 'track-failed' | 'tracks-recovered' | 'checks-pending' | 'checks-ready';
      readonly tracks: readonly string[];
    }
  /** A member of the sync group moved, for that reason, and the others with it. */
  | { readonly code: 'group'; readonly member: string; readonly why?: Reason };
