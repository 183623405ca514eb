/**
 * What a keepalived.conf means: keepalived's own model with its defaults filled in, each value as keepalived would run
 * it. Still one host's view; the importer turns one or several of these into resources.
 */
import type { HmacMode, HmacReplayGuard, ProcessMatch, Route, Rule } from '../gen/baton/v1/resources.js';
import type { Micros } from '../rules/time.js';
import type { Located, Origin } from './remark.js';

export interface KeepalivedConfig {
  /** The path that was read first. */
  readonly file: string;
  readonly global: GlobalDefinitions;
  readonly scripts: readonly VrrpScript[];
  readonly trackFiles: readonly TrackFile[];
  readonly trackProcesses: readonly TrackProcess[];
  readonly bfdInstances: readonly BfdInstance[];
  readonly instances: readonly VrrpInstance[];
  readonly syncGroups: readonly SyncGroup[];
  readonly network: HostItems;
}

export interface GlobalDefinitions {
  readonly routerId: Located<string> | undefined;
  readonly notificationEmail: readonly Located<string>[];
  readonly notificationEmailFrom: Located<string> | undefined;
  readonly smtpServer: Located<{ readonly host: string; readonly port: number }> | undefined;
  readonly smtpConnectTimeout: Located<Micros> | undefined;
  readonly smtpHeloName: Located<string> | undefined;
  readonly notifyFifo: Located<string> | undefined;
  readonly vrrpNotifyFifo: Located<string> | undefined;
}

/** A program with arguments, split as keepalived would. */
export interface ScriptCommand {
  readonly words: readonly string[];
  /** Its own user, else script_user's; undefined when neither is given. */
  readonly user: string | undefined;
  readonly origin: Origin;
}

/** Something that instances and groups track, with the weight that counts where an entry gives none. */
export interface Tracked {
  readonly name: string;
  readonly origin: Origin;
  readonly weight: number;
  readonly reverse: boolean;
  /** Its position among the file's top-level blocks; keepalived knows only what stands further up. */
  readonly order: number;
}

export interface VrrpScript extends Tracked {
  readonly command: ScriptCommand;
  readonly interval: Micros;
  readonly timeout: Micros;
  readonly rise: number;
  readonly fall: number;
}

export interface TrackFile extends Tracked {
  readonly path: string;
  /** Undefined: nothing is written at the start. */
  readonly initialValue: number | undefined;
  readonly overwrite: boolean;
}

export interface TrackProcess extends Tracked {
  readonly process: string;
  readonly arguments: readonly string[];
  readonly match: ProcessMatch;
  readonly fullCommand: boolean;
  readonly quorum: number;
  readonly quorumMax: number | undefined;
  readonly upDelay: Micros;
  readonly downDelay: Micros;
}

export interface BfdInstance extends Tracked {
  readonly neighbor: string;
  /** Of a link-local neighbour. */
  readonly interface: string | undefined;
  readonly source: string | undefined;
  readonly minRx: Micros;
  readonly minTx: Micros;
  readonly idleTx: Micros;
  readonly multiplier: number;
  readonly passive: boolean;
  readonly multihop: boolean;
  readonly maxHops: number;
}

export interface TrackEntry {
  readonly name: string;
  readonly weight: number;
  readonly reverse: boolean;
  readonly origin: Origin;
}

export interface TrackEntries {
  readonly trackInterfaces: readonly TrackEntry[];
  readonly trackScripts: readonly TrackEntry[];
  readonly trackFiles: readonly TrackEntry[];
  readonly trackProcesses: readonly TrackEntry[];
  readonly trackBfds: readonly TrackEntry[];
}

export interface VirtualAddress {
  /** As RFC 5952 writes it. */
  readonly address: string;
  readonly family: 4 | 6;
  readonly prefixLength: number;
  readonly device: string | undefined;
  readonly label: string | undefined;
  readonly broadcast: string | undefined;
  readonly scope: string | undefined;
  /** With prefix length. */
  readonly peer: string | undefined;
  /** Seconds; undefined: for ever. */
  readonly preferredLifetime: number | undefined;
  /** Words without a value: home, -nodad, mngtmpaddr, noprefixroute, autojoin, no_track, use_vmac. */
  readonly flags: ReadonlySet<AddressFlag>;
  /** Static addresses only. */
  readonly trackGroup: string | undefined;
  readonly origin: Origin;
}

export const ADDRESS_FLAGS = [
  'home',
  '-nodad',
  'mngtmpaddr',
  'noprefixroute',
  'autojoin',
  'no_track',
  'use_vmac',
] as const;
export type AddressFlag = (typeof ADDRESS_FLAGS)[number];

/** A route or rule as Baton writes it. */
export interface Item<T> {
  readonly value: T;
  readonly origin: Origin;
  /** Static items only. */
  readonly trackGroup: string | undefined;
}

export interface InstanceHooks {
  readonly master: ScriptCommand | undefined;
  readonly backup: ScriptCommand | undefined;
  readonly fault: ScriptCommand | undefined;
  readonly stop: ScriptCommand | undefined;
  readonly any: ScriptCommand | undefined;
  readonly deleted: ScriptCommand | undefined;
  readonly lowerPriority: ScriptCommand | undefined;
}

/** keepalived's gratuitous ARP settings; counts are per address. */
export interface GarpSettings {
  readonly masterRepeat: number;
  readonly masterDelay: Micros;
  readonly masterRefresh: Micros;
  readonly masterRefreshRepeat: number;
  readonly lowerPriorityRepeat: number;
  readonly lowerPriorityDelay: Micros;
  /** Spacing per interface; 0: none. These are global. */
  readonly arpInterval: Micros;
  readonly neighborInterval: Micros;
  /** 0: never. */
  readonly extraRefresh: Micros;
  readonly extraRefreshAll: boolean;
}

export interface UnicastPeer {
  readonly value: string;
  readonly minTtl: number | undefined;
  readonly maxTtl: number | undefined;
  readonly origin: Origin;
}

export interface VirtualMacSettings {
  /** Undefined: keepalived's default name. */
  readonly name: string | undefined;
  /** Undefined: the virtual router's own. */
  readonly address: string | undefined;
  readonly transmitOnBase: boolean;
}

export interface HmacSettings {
  readonly keys: readonly { readonly id: number; readonly key: string; readonly origin: Origin }[];
  readonly activeKey: number;
  readonly replayGuard: HmacReplayGuard;
  /** Undefined: by the interval. */
  readonly timeWindow: Micros | undefined;
  readonly mode: HmacMode;
}

export interface VrrpInstance extends TrackEntries {
  readonly name: string;
  readonly origin: Origin;
  /** Where each keyword of this instance was set. */
  readonly origins: ReadonlyMap<string, Origin>;
  readonly vrid: number;
  readonly version: 2 | 3;
  /** Of the advertisements. */
  readonly family: 4 | 6;
  readonly interface: string;
  /** Undefined: the file gives none. */
  readonly initialState: 'MASTER' | 'BACKUP' | undefined;
  /** 1..255, keepalived's default filled in. */
  readonly priority: number;
  readonly advertisementInterval: Micros;
  readonly preempt: boolean;
  readonly preemptDelay: Micros;
  /** At most 8 bytes; undefined without authentication. */
  readonly password: string | undefined;
  readonly hmac: HmacSettings | undefined;
  /** unicast_src_ip or mcast_src_ip. */
  readonly sourceAddress: string | undefined;
  /** Undefined: multicast. */
  readonly unicastPeers: readonly UnicastPeer[] | undefined;
  /** Undefined: 255. */
  readonly unicastTtl: number | undefined;
  /** Without peers the instance is in fault instead of using multicast. */
  readonly faultWithoutPeers: boolean;
  /** Undefined: the standard one. */
  readonly multicastGroup: string | undefined;
  readonly addresses: readonly VirtualAddress[];
  readonly excludedAddresses: readonly VirtualAddress[];
  readonly routes: readonly Item<Route>[];
  readonly rules: readonly Item<Rule>[];
  readonly virtualMac: VirtualMacSettings | undefined;
  /** Addresses on other interfaces have virtual MAC addresses there (use_vmac_addr). */
  readonly virtualMacElsewhere: boolean;
  readonly accept: boolean;
  readonly downTimerAdverts: number;
  readonly lowerPriorityNoAdvert: boolean;
  readonly higherPrioritySendAdvert: boolean;
  readonly ownerIgnoresAdverts: boolean;
  /** 0: off. */
  readonly timerExpiredBackup: number;
  readonly startupDelay: Micros;
  readonly bootDelay: Micros;
  /** dont_track_primary. */
  readonly untrackedInterface: boolean;
  readonly promoteSecondaries: boolean;
  readonly hooks: InstanceHooks;
  readonly priorityChanges: boolean;
  readonly smtpAlert: boolean;
  readonly garp: GarpSettings;
  /** Whether v3_checksum_as_v2 asks for the checksum without pseudo-header. */
  readonly checksumWithoutPseudoHeader: boolean;
}

export interface SyncGroup extends TrackEntries {
  readonly name: string;
  readonly origin: Origin;
  readonly origins: ReadonlyMap<string, Origin>;
  /** Names of instances that exist. */
  readonly members: readonly Located<string>[];
  readonly hooks: Pick<InstanceHooks, 'master' | 'backup' | 'fault' | 'stop' | 'any'>;
  readonly smtpAlert: boolean;
  /** Weights of the members' tracks count. */
  readonly trackingWeight: boolean;
  readonly priorityChanges: boolean | undefined;
}

/** What the host has whether or not an instance is master. */
export interface HostItems {
  readonly addresses: readonly VirtualAddress[];
  readonly routes: readonly Item<Route>[];
  readonly rules: readonly Item<Rule>[];
  readonly trackGroups: readonly TrackGroup[];
  readonly limits: readonly AnnouncementGroup[];
  readonly delays: readonly InterfaceDelays[];
}

export interface TrackGroup {
  readonly name: string;
  readonly members: readonly Located<string>[];
  readonly origin: Origin;
}

/** garp_group: the spacing is over all of its interfaces together. */
export interface AnnouncementGroup {
  readonly interfaces: readonly string[];
  readonly arpInterval: Micros;
  readonly neighborInterval: Micros;
  readonly origin: Origin;
}

export interface InterfaceDelays {
  readonly interface: string;
  readonly down: Micros;
  readonly up: Micros;
  readonly origin: Origin;
}
