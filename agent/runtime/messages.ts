/**
 * What the election (main) thread and the worker thread say to each other. Structured-clone data only. The main thread
 * never waits for the worker: losing the worker costs observation and configuration, never an election.
 */
import type { Instant, Micros } from '../../proto/rules/time.js';
import type { StateName, TrackState, VirtualRouter } from '../vrrp/index.js';

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
}

/** An address as the kernel is to have it. */
export interface VirtualAddress {
  readonly address: string;
  readonly prefixLength: number;
  readonly device: string;
  readonly label?: string;
  readonly broadcast?: string;
}

/** Worker to main. */
export type ToElection =
  /** Replace the whole configuration by the smallest difference. Answered with `configured`. */
  | { readonly kind: 'configure'; readonly nonce: number; readonly routers: readonly RouterSettings[] }
  /** State of a check after rise and fall. */
  | { readonly kind: 'check'; readonly check: string; readonly state: TrackState }
  | { readonly kind: 'statusRequest'; readonly id: number }
  /** The worker listens; occurrences kept until now may be sent. */
  | { readonly kind: 'workerReady' }
  /** Planned stop, asked for locally. */
  | { readonly kind: 'shutdown'; readonly handover: boolean };

/** Main to worker. */
export type FromElection =
  | { readonly kind: 'configured'; readonly nonce: number; readonly problems: readonly Problem[] }
  | { readonly kind: 'occurrence'; readonly occurrence: Occurrence }
  | { readonly kind: 'status'; readonly id: number; readonly status: ElectionStatus }
  /** Election is over (all routers stopped), this is how it ended; the worker flushes and ends. Nothing is answered any more. */
  | { readonly kind: 'stopped'; readonly status: ElectionStatus };

/** Why a configuration could not be put in force: nothing of it is. */
export interface Problem {
  readonly path: string;
  readonly reason: string;
}

/** What happened, stamped by the election thread; the worker makes events, hooks, log lines and reports of it. */
export type Occurrence = { readonly at: Instant; readonly wallMs: number } & (
  | {
      readonly kind: 'transition';
      readonly router: string;
      readonly vrid: number;
      readonly from: StateName;
      readonly to: StateName;
      /** Reason code, and the whole reason as a sentence. */
      readonly cause: string;
      readonly sentence: string;
      readonly effectivePriority: number;
      /** The advertisement's source that caused it. */
      readonly peer?: string;
    }
  | {
      readonly kind: 'rejected';
      readonly router: string;
      readonly reason: string;
      readonly source: string;
      readonly count: number;
    }
  | {
      readonly kind: 'notice';
      readonly router: string;
      readonly notice: string;
      readonly source?: string;
      readonly sentence: string;
    }
  | { readonly kind: 'leaseLost'; readonly router: string; readonly away: Micros }
  | {
      readonly kind: 'address';
      readonly router: string;
      readonly address: string;
      readonly interface: string;
      readonly change: 'restored' | 'removed-by-other' | 'add-failed' | 'leftover-removed' | 'leftover-adopted';
      readonly detail: string;
    }
  | {
      readonly kind: 'lowerPriorityHeard';
      readonly router: string;
      readonly source: string;
      readonly priority: number;
      readonly effectivePriority: number;
    }
  | {
      readonly kind: 'log';
      readonly level: 'debug' | 'info' | 'warn' | 'error';
      readonly message: string;
      readonly fields: Readonly<Record<string, string | number | boolean>>;
    }
);

/** A snapshot of the election thread. */
export interface ElectionStatus {
  readonly at: Instant;
  readonly wallMs: number;
  readonly routers: readonly ElectionRouterStatus[];
  /** Interfaces that virtual routers are on. */
  readonly interfaces: readonly ElectionInterfaceStatus[];
  readonly lag: { readonly last: Micros; readonly max: Micros; readonly timers: number };
}

export interface ElectionInterfaceStatus {
  readonly name: string;
  /** It exists, is up, has carrier, and we can hear on it. */
  readonly up: boolean;
  /** Packets of protocol 112 that concern no virtual router here, by reason ("unknown-vrid", "truncated"), and "overruns". */
  readonly counters: Readonly<Record<string, number>>;
}

export interface ElectionRouterStatus {
  readonly name: string;
  readonly vrid: number;
  readonly version: 2 | 3;
  readonly interface: string;
  readonly state: StateName;
  readonly sinceWallMs: number;
  readonly cause: string;
  readonly sentence: string;
  readonly effectivePriority: number;
  readonly terms: readonly { readonly term: string; readonly value: number; readonly reason: string }[];
  readonly holdReasons: readonly string[];
  readonly addresses: readonly string[];
  readonly heldAddresses: readonly string[];
  readonly sourceAddress?: string;
  readonly advertisementInterval: Micros;
  readonly activeAdverInterval: Micros;
  readonly skewTime: Micros;
  readonly activeDownInterval: Micros;
  readonly nextDeadlineIn?: Micros;
  readonly lease?: Micros;
  readonly activeRouter?: { readonly address: string; readonly priority: number };
  readonly preemptMode: boolean;
  readonly handingOver: boolean;
  readonly peers: readonly {
    readonly address: string;
    readonly lastHeardWallMs: number;
    readonly priority: number;
    readonly interval: Micros;
    readonly advertisements: number;
    readonly checksumForm?: 'message_only' | 'pseudo_header';
  }[];
  readonly counters: Readonly<Record<string, number>>;
  readonly tracks: readonly {
    readonly id: string;
    readonly state: TrackState;
    readonly weight: number;
    readonly reverse: boolean;
  }[];
}
