/**
 * rtnetlink messages about routing rules (linux/fib_rules.h). Pure and total, as netlink-message.ts.
 */
import { type Family, type IpPrefix, networkAddressOf } from '../../proto/rules/ip.js';
import {
  attributesOf,
  type NetlinkMessage,
  type NetlinkWriter,
  NLM_F_ACK,
  NLM_F_CREATE,
  NLM_F_DUMP,
  NLM_F_EXCL,
  NLM_F_REQUEST,
  textOf,
  uint32Of,
} from './netlink-message.js';
import { familyNumber, familyOfNumber, ipAddressOf } from './rtnetlink-family.js';

export const RTM_NEWRULE = 32;
export const RTM_DELRULE = 33;
const RTM_GETRULE = 34;

const FRA_DST = 1;
const FRA_SRC = 2;
const FRA_IIFNAME = 3;
const FRA_GOTO = 4;
const FRA_PRIORITY = 6;
const FRA_FWMARK = 10;
const FRA_SUPPRESS_IFGROUP = 13;
const FRA_SUPPRESS_PREFIXLEN = 14;
const FRA_TABLE = 15;
const FRA_FWMASK = 16;
const FRA_OIFNAME = 17;
const FRA_L3MDEV = 19;
const FRA_UID_RANGE = 20;
const FRA_PROTOCOL = 21;
const FRA_IP_PROTO = 22;
const FRA_SPORT_RANGE = 23;
const FRA_DPORT_RANGE = 24;
const RULE_LENGTH = 12;
const FIB_RULE_INVERT = 0x2;
const NONE = 0xffffffff;

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

export type RuleVerb = 'add' | 'delete';

/** Appends one request. Without `acknowledge` the kernel answers only if it refuses. */
export function writeRuleRequest(
  writer: NetlinkWriter,
  verb: RuleVerb,
  request: RuleRequest,
  sequence: number,
  acknowledge: boolean,
): void {
  const { from, to, table = 0 } = request;
  const fixed = new Uint8Array(RULE_LENGTH);
  const view = new DataView(fixed.buffer);
  view.setUint8(0, familyNumber(request.family));
  view.setUint8(1, to?.prefixLength ?? 0);
  view.setUint8(2, from?.prefixLength ?? 0);
  view.setUint8(3, request.tos);
  view.setUint8(4, table < 256 ? table : 0);
  view.setUint8(7, request.action);
  view.setUint32(8, request.not ? FIB_RULE_INVERT : 0, true);
  const flags = NLM_F_REQUEST | (acknowledge ? NLM_F_ACK : 0);
  if (verb === 'add') writer.begin(RTM_NEWRULE, flags | NLM_F_CREATE | NLM_F_EXCL, sequence);
  else writer.begin(RTM_DELRULE, flags, sequence);
  writer.bytes(fixed);
  if (to !== undefined) writer.ipAddress(FRA_DST, networkAddressOf(to));
  if (from !== undefined) writer.ipAddress(FRA_SRC, networkAddressOf(from));
  if (table > 255) writer.uint32(FRA_TABLE, table);
  for (const [type, value] of [
    [FRA_PRIORITY, request.priority],
    [FRA_FWMARK, request.mark],
    [FRA_FWMASK, request.mask],
    [FRA_GOTO, request.target],
    [FRA_SUPPRESS_PREFIXLEN, request.suppressPrefixLength],
    [FRA_SUPPRESS_IFGROUP, request.suppressGroup],
  ] as const) {
    if (value !== undefined) writer.uint32(type, value);
  }
  for (const [type, value] of [
    [FRA_PROTOCOL, request.protocol],
    [FRA_IP_PROTO, request.ipProtocol],
    [FRA_L3MDEV, request.l3mdev ? 1 : undefined],
  ] as const) {
    if (value !== undefined) writer.uint8(type, value);
  }
  if (request.inputInterface !== undefined) writer.text(FRA_IIFNAME, request.inputInterface);
  if (request.outputInterface !== undefined) writer.text(FRA_OIFNAME, request.outputInterface);
  writeRange(writer, FRA_UID_RANGE, request.users, 4);
  writeRange(writer, FRA_SPORT_RANGE, request.sourcePorts, 2);
  writeRange(writer, FRA_DPORT_RANGE, request.destinationPorts, 2);
  writer.end();
}

function writeRange(writer: NetlinkWriter, type: number, range: NumberRange | undefined, size: 2 | 4): void {
  if (range === undefined) return;
  const bytes = new Uint8Array(size * 2);
  const view = new DataView(bytes.buffer);
  for (const [at, value] of [
    [0, range.first],
    [size, range.last],
  ] as const) {
    if (size === 4) view.setUint32(at, value, true);
    else view.setUint16(at, value, true);
  }
  writer.attribute(type, bytes);
}

/** Asks for all rules of one family. */
export function writeRuleDump(writer: NetlinkWriter, family: Family, sequence: number): void {
  const fixed = new Uint8Array(RULE_LENGTH);
  fixed[0] = familyNumber(family);
  writer.begin(RTM_GETRULE, NLM_F_REQUEST | NLM_F_DUMP, sequence);
  writer.bytes(fixed);
  writer.end();
}

/** Reads RTM_NEWRULE or RTM_DELRULE of IPv4 or IPv6; undefined for any other message or a malformed one. */
export function readRule(message: NetlinkMessage): Rule | undefined {
  const { payload } = message;
  if (message.type !== RTM_NEWRULE && message.type !== RTM_DELRULE) return undefined;
  const family = familyOfNumber(payload[0]);
  if (payload.length < RULE_LENGTH || family === undefined) return undefined;
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const attributes = attributesOf(payload, RULE_LENGTH);
  const to = prefixOf(payload[0], view.getUint8(1), attributes.get(FRA_DST));
  const from = prefixOf(payload[0], view.getUint8(2), attributes.get(FRA_SRC));
  if (to === 'malformed' || from === 'malformed') return undefined;
  const number = (type: number) => {
    const value = uint32Of(attributes.get(type));
    return value === NONE && type !== FRA_FWMASK && type !== FRA_FWMARK ? undefined : value;
  };
  const name = (type: number) => {
    const bytes = attributes.get(type);
    return bytes === undefined ? undefined : textOf(bytes);
  };
  return present({
    family,
    from,
    to,
    priority: number(FRA_PRIORITY) ?? 0,
    not: (view.getUint32(8, true) & FIB_RULE_INVERT) !== 0,
    inputInterface: name(FRA_IIFNAME),
    outputInterface: name(FRA_OIFNAME),
    mark: number(FRA_FWMARK),
    mask: number(FRA_FWMASK),
    tos: view.getUint8(3),
    ipProtocol: attributes.get(FRA_IP_PROTO)?.[0],
    sourcePorts: rangeOf(attributes.get(FRA_SPORT_RANGE), 2),
    destinationPorts: rangeOf(attributes.get(FRA_DPORT_RANGE), 2),
    users: rangeOf(attributes.get(FRA_UID_RANGE), 4),
    l3mdev: attributes.get(FRA_L3MDEV)?.[0] === 1,
    table: (number(FRA_TABLE) ?? view.getUint8(4)) || undefined,
    action: view.getUint8(7),
    target: number(FRA_GOTO),
    suppressPrefixLength: number(FRA_SUPPRESS_PREFIXLEN),
    suppressGroup: number(FRA_SUPPRESS_IFGROUP),
    protocol: attributes.get(FRA_PROTOCOL)?.[0] ?? 0,
  });
}

type WithAbsent<T> = { readonly [K in keyof T]: T[K] | undefined };

function present(rule: WithAbsent<Required<Rule>>): Rule {
  // Only optional fields can be undefined in what readRule() makes.
  return Object.fromEntries(Object.entries(rule).filter(([, value]) => value !== undefined)) as unknown as Rule;
}

function prefixOf(
  family: number | undefined,
  prefixLength: number,
  bytes: Uint8Array | undefined,
): IpPrefix | 'malformed' | undefined {
  if (prefixLength === 0) return undefined;
  const address = ipAddressOf(family, bytes);
  const bits = typeof address === 'bigint' ? 128 : 32;
  return address === undefined || prefixLength > bits ? 'malformed' : { address, prefixLength };
}

function rangeOf(bytes: Uint8Array | undefined, size: 2 | 4): NumberRange | undefined {
  if (bytes?.length !== size * 2) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (size === 4) return { first: view.getUint32(0, true), last: view.getUint32(4, true) };
  return { first: view.getUint16(0, true), last: view.getUint16(2, true) };
}

/** Whether the kernel's rule is the one that was asked for. Priority and protocol may be left open. */
export function isRequestedRule(request: RuleRequest, rule: Rule): boolean {
  return (
    (request.priority === undefined || request.priority === rule.priority) &&
    (request.protocol === undefined || request.protocol === rule.protocol) &&
    selectorOf(request) === selectorOf(rule)
  );
}

/** What a rule selects and does, as text, without its priority and protocol. */
function selectorOf(rule: RuleRequest): string {
  const { mark = 0, mask = mark === 0 ? 0 : 0xffffffff } = rule;
  return [
    rule.family,
    prefixText(rule.from),
    prefixText(rule.to),
    rule.not,
    rule.inputInterface,
    rule.outputInterface,
    mark,
    mask,
    rule.tos,
    rule.ipProtocol,
    rangeText(rule.sourcePorts),
    rangeText(rule.destinationPorts),
    rangeText(rule.users),
    rule.l3mdev,
    rule.table,
    rule.action,
    rule.target,
    rule.suppressPrefixLength,
    rule.suppressGroup,
  ].join(' ');
}

function prefixText(prefix: IpPrefix | undefined): string {
  return prefix === undefined || prefix.prefixLength === 0 ? '' : `${networkAddressOf(prefix)}/${prefix.prefixLength}`;
}

function rangeText(range: NumberRange | undefined): string {
  return range === undefined ? '' : `${range.first}-${range.last}`;
}
