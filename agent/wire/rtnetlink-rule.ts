/**
 * rtnetlink messages about routing rules (linux/fib_rules.h). Pure and total, as netlink-message.ts.
 */
import type { Family, IpPrefix } from '../../proto/rules/ip.js';

export interface NumberRange {
  readonly first: number;
  readonly last: number;
}

export interface RuleRequest {
  readonly family: Family;
  readonly from?: IpPrefix;
  readonly to?: IpPrefix;
  /** Absent when adding: the kernel puts it before all others but the first. */
  readonly priority?: number;
  /** FIB_RULE_INVERT: applies to all that does not match. */
  readonly not: boolean;
  /** Names: a rule outlives its interface. */
  readonly inputInterface?: string;
  readonly outputInterface?: string;
  readonly mark?: number;
  /** Absent: all bits of the mark. */
  readonly mask?: number;
  readonly tos: number;
  readonly ipProtocol?: number;
  readonly sourcePorts?: NumberRange;
  readonly destinationPorts?: NumberRange;
  readonly users?: NumberRange;
  readonly l3mdev: boolean;
  readonly table?: number;
  /** FR_ACT_*: 1 to table, 2 goto, 3 nop, 6 blackhole, 7 unreachable, 8 prohibit. */
  readonly action: number;
  /** Priority of the rule to go to. */
  readonly target?: number;
  readonly suppressPrefixLength?: number;
  readonly suppressGroup?: number;
  /** RTPROT_*; 18 is keepalived's. Absent when deleting: whosever it is. */
  readonly protocol?: number;
}

/** A rule as the kernel has it. */
export interface Rule extends RuleRequest {
  readonly priority: number;
  readonly protocol: number;
}
