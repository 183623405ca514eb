/**
 * What a keepalived.conf means: keepalived's own model with its defaults filled in, each value as keepalived would run
 * it. Still one host's view; the importer turns one or several of these into resources.
 */
import type { Micros } from '../rules/time.js';
import type { Located, Origin } from './remark.js';

export interface KeepalivedConfig {
  /** The path that was read first. */
  readonly file: string;
  readonly global: GlobalDefinitions;
  readonly scripts: readonly VrrpScript[];
  readonly instances: readonly VrrpInstance[];
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

export interface VrrpScript {
  readonly name: string;
  readonly origin: Origin;
  readonly command: ScriptCommand;
  readonly interval: Micros;
  readonly timeout: Micros;
  readonly weight: number;
  readonly reverse: boolean;
  readonly rise: number;
  readonly fall: number;
}

export interface TrackEntry {
  readonly name: string;
  readonly weight: number;
  readonly reverse: boolean;
  readonly origin: Origin;
}

export interface VirtualAddress {
  /** Dotted IPv4 address. */
  readonly address: string;
  readonly prefixLength: number;
  readonly device: string | undefined;
  readonly label: string | undefined;
  readonly broadcast: string | undefined;
  readonly origin: Origin;
}

export interface InstanceHooks {
  readonly master: ScriptCommand | undefined;
  readonly backup: ScriptCommand | undefined;
  readonly fault: ScriptCommand | undefined;
  readonly stop: ScriptCommand | undefined;
  readonly any: ScriptCommand | undefined;
}

/** keepalived's gratuitous ARP settings; counts are per address. */
export interface GarpSettings {
  readonly masterRepeat: number;
  readonly masterDelay: Micros;
  readonly masterRefresh: Micros;
  readonly masterRefreshRepeat: number;
  readonly lowerPriorityRepeat: number;
  readonly lowerPriorityDelay: Micros;
}

export interface VrrpInstance {
  readonly name: string;
  readonly origin: Origin;
  /** Where each keyword of this instance was set. */
  readonly origins: ReadonlyMap<string, Origin>;
  readonly vrid: number;
  readonly version: 2 | 3;
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
  /** unicast_src_ip or mcast_src_ip. */
  readonly sourceAddress: string | undefined;
  /** Undefined: multicast. */
  readonly unicastPeers: readonly Located<string>[] | undefined;
  readonly addresses: readonly VirtualAddress[];
  readonly trackInterfaces: readonly TrackEntry[];
  readonly trackScripts: readonly TrackEntry[];
  readonly hooks: InstanceHooks;
  readonly smtpAlert: boolean;
  readonly garp: GarpSettings;
  /** Whether v3_checksum_as_v2 asks for the checksum without pseudo-header. */
  readonly checksumWithoutPseudoHeader: boolean;
}
