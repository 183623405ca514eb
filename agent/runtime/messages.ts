/**
 * What the election (main) thread and the worker thread say to each other. Structured-clone data only. The main thread
 * never waits for the worker: losing the worker costs observation and configuration, never an election.
 */
import type { Instant, Micros } from '../../proto/rules/time.js';
import type { RecordingChunk } from '../record/recording-format.js';
import type { StateName, TrackState } from '../vrrp/index.js';
import type { ElectionSettings, ResumedRouter } from './settings.js';

export type * from './settings.js';

/** Worker to main. */
export type ToElection =
  /** Replace the whole configuration by the smallest difference. Answered with `configured`. */
  | {
      readonly kind: 'configure';
      readonly nonce: number;
      readonly settings: ElectionSettings;
      /** With the first configuration after a start: routers that may go on as active, if it is not too late. */
      readonly resumed?: readonly ResumedRouter[];
    }
  /** State of a track that the worker knows: "check NAME" after rise and fall, "bfd NAME". */
  | { readonly kind: 'track'; readonly id: string; readonly state: TrackState }
  | { readonly kind: 'statusRequest'; readonly id: number }
  /** The worker listens; occurrences kept until now may be sent. */
  | { readonly kind: 'workerReady' }
  /** Planned stop, asked for locally. */
  | { readonly kind: 'shutdown'; readonly handover: boolean }
  /** Stop at once and keep what the routers hold, for the next process to go on with. */
  | { readonly kind: 'suspend' }
  /** So many characters of a recording are dealt with. `again`: not written; a new segment is tried. */
  | { readonly kind: 'recordingTaken'; readonly characters: number; readonly again: boolean };

/** Main to worker. */
export type FromElection =
  | { readonly kind: 'configured'; readonly nonce: number; readonly problems: readonly Problem[] }
  | { readonly kind: 'occurrence'; readonly occurrence: Occurrence }
  | { readonly kind: 'status'; readonly id: number; readonly status: ElectionStatus }
  /** Answered with `recordingTaken`. */
  | { readonly kind: 'recorded'; readonly chunk: RecordingChunk }
  /** Election is over (all routers stopped), this is how it ended; the worker flushes and ends. Nothing is answered any more. */
  | {
      readonly kind: 'stopped';
      readonly status: ElectionStatus;
      /** After `suspend`: the routers that were active. */
      readonly resumable: readonly ResumedRouter[];
    };

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
  | {
      /** A virtual router that this host has no part in was heard on an interface of one that it has; once for each. */
      readonly kind: 'unknownVrid';
      readonly interface: string;
      readonly vrid: number;
      readonly source: string;
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
      /** A virtual or static route or rule; `item` is its text. */
      readonly kind: 'item';
      /** Router or host network. */
      readonly owner: string;
      readonly item: string;
      readonly change: 'restored' | 'removed-by-other' | 'add-failed' | 'leftover-removed';
      readonly detail: string;
    }
  | {
      readonly kind: 'groupTransition';
      readonly group: string;
      readonly from: StateName;
      readonly to: StateName;
      readonly cause: string;
      readonly sentence: string;
    }
  | {
      /** Somebody else answers for one of our addresses. */
      readonly kind: 'addressConflict';
      readonly router: string;
      readonly address: string;
      readonly interface: string;
      readonly mac: string;
      readonly sentence: string;
    }
  | {
      readonly kind: 'lowerPriorityHeard';
      readonly router: string;
      readonly source: string;
      readonly priority: number;
      readonly effectivePriority: number;
    }
  | {
      /** The effective priority changed without a change of state. */
      readonly kind: 'priorityChanged';
      readonly router: string;
      readonly state: StateName;
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
  readonly groups: readonly ElectionGroupStatus[];
  readonly hostItems: readonly ElectionItemStatus[];
  /** Interfaces that virtual routers are on. */
  readonly interfaces: readonly ElectionInterfaceStatus[];
  readonly lag: { readonly last: Micros; readonly max: Micros; readonly timers: number };
}

export interface ElectionGroupStatus {
  readonly name: string;
  readonly state: StateName;
  readonly sinceWallMs: number;
  readonly policy: 'all' | 'any';
  readonly routers: readonly string[];
}

export interface ElectionItemStatus {
  readonly item: string;
  readonly kind: 'address' | 'route' | 'rule';
  readonly present: boolean;
  readonly error?: string;
}

export interface ElectionInterfaceStatus {
  readonly name: string;
  /** It exists, is up, has carrier, and we can hear on it. */
  readonly up: boolean;
  /** Packets of protocol 112 that concern no virtual router here, by reason ("unknown-vrid", "truncated"), and "overruns". */
  readonly counters: Readonly<Record<string, number>>;
  /** Routers of VRIDs that this host has no part in. */
  readonly foreign: readonly {
    readonly vrid: number;
    readonly source: string;
    readonly advertisements: number;
    readonly lastWallMs: number;
  }[];
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
    /** Promised by its interval and not come, while it was active. */
    readonly lost: number;
    /** Smoothed mean deviation from the interval (RFC 3550 section 6.4.1). */
    readonly jitter: Micros;
    readonly authentication?: 'signed' | 'unsigned';
  }[];
  readonly rejected: readonly {
    readonly source: string;
    readonly reason: string;
    readonly count: number;
    readonly lastWallMs: number;
  }[];
  readonly family: 4 | 6;
  readonly transport: 'multicast' | 'unicast';
  readonly excludedAddresses: readonly string[];
  readonly routes: readonly string[];
  readonly heldRoutes: readonly string[];
  readonly rules: readonly string[];
  readonly heldRules: readonly string[];
  readonly virtualMac?: { readonly interface: string; readonly address: string };
  readonly group?: string;
  /** What is sent in version 3 over IPv4. */
  readonly checksum?: 'message_only' | 'pseudo_header';
  readonly authentication: string;
  readonly accept: boolean;
  readonly conflicts: readonly { readonly address: string; readonly mac: string; readonly lastWallMs: number }[];
  /** While not active: who answered for each address when it was last asked for. */
  readonly sightings: readonly {
    readonly address: string;
    readonly macs: readonly string[];
    readonly lastWallMs: number;
    readonly asExpected: boolean;
  }[];
  readonly counters: Readonly<Record<string, number>>;
  readonly tracks: readonly {
    readonly id: string;
    readonly state: TrackState;
    readonly weight: number;
    readonly reverse: boolean;
  }[];
}
