/**
 * A recording: what the election core was given and what it decided, as lines of JSON (docs/recording.md). A file is one
 * or more segments, each of which can be replayed without the others: a router's parameters and its whole state stand
 * before the first input that it gets in a segment.
 *
 * Nothing secret is in it: the core knows neither passwords nor keys.
 */
import { formatIp, type IpAddress, parseIpv6 } from '../../proto/rules/ip.js';
import type { Effect, Input, Instant, Member, Micros, SyncGroup, VirtualRouter } from '../vrrp/index.js';

/** Another number for whatever a reader of this one would misunderstand. */
export const RECORDING_FORMAT = 1;
export const RECORDING_NAME = 'baton-agent';
/** How every segment begins, and no other line. */
export const SEGMENT_MARK = '{"recording":';

/** A recording that is full gives up its oldest segment; so many of them fit. */
export const SEGMENTS_KEPT = 4;

/**
 * Why a segment begins: the process did; the one before is long enough, and nothing is missing in between; another
 * worker thread took over; or the worker could not keep up or not write.
 */
export const SEGMENT_REASONS = ['start', 'size', 'worker', 'lost'] as const;
export type SegmentReason = (typeof SEGMENT_REASONS)[number];

export interface SegmentStart {
  readonly reason: SegmentReason;
  readonly at: Instant;
  /** The same moment, in milliseconds since 1970. */
  readonly wallMs: number;
}

/** Part of a recording on its way from the election thread to the worker: whole lines. */
export interface RecordingChunk {
  /** Its lines are the first ones of a segment. */
  readonly begins?: SegmentStart;
  readonly lines: string;
}

export type Transition = Extract<Effect, { readonly kind: 'transitioned' }>;
export type AdvertisementInput = Extract<Input, { readonly kind: 'advertisement' }>;

/** One line. Routers and groups go by numbers, which are good from a process's start to its end. */
export type RecordingLine =
  | ({ readonly kind: 'segment'; readonly agent: string } & SegmentStart)
  /** Parameters that are new or changed; `member` where the segment has not had this router yet. */
  | { readonly kind: 'router'; readonly id: number; readonly router: VirtualRouter; readonly member?: Member }
  | {
      readonly kind: 'group';
      readonly id: number;
      readonly group: SyncGroup;
      readonly members: readonly (readonly [name: string, router: number])[];
    }
  /** The router moves with this group from here on; null: alone. */
  | { readonly kind: 'grouped'; readonly id: number; readonly group: number | null }
  /** `since` the input before. */
  | { readonly kind: 'input'; readonly since: Micros; readonly id: number; readonly input: Input }
  /** The same advertisement as the one that was given this number for this router. */
  | { readonly kind: 'again'; readonly since: Micros; readonly id: number; readonly number: number }
  | {
      readonly kind: 'heard';
      readonly since: Micros;
      readonly id: number;
      readonly number: number;
      readonly input: AdvertisementInput;
    }
  /** What the input before it did, one line for each transition. */
  | { readonly kind: 'moved'; readonly id: number; readonly transition: Transition };

export function segmentLine(agent: string, { reason, at, wallMs }: SegmentStart): string {
  return `${encode({ recording: RECORDING_NAME, format: RECORDING_FORMAT, agent, reason, at, wallMs })}\n`;
}

export function routerLine(id: number, router: VirtualRouter, member: Member | undefined): string {
  return `${encode({ router: id, is: router, ...(member === undefined ? {} : { member }) })}\n`;
}

export function groupLine(id: number, group: SyncGroup, members: readonly (readonly [string, number])[]): string {
  return `${encode({ group: id, is: group, members })}\n`;
}

export function groupedLine(id: number, group: number | undefined): string {
  return `{"router":${id},"group":${group ?? 'null'}}\n`;
}

export function inputLine(since: Micros, id: number, input: Input): string {
  return input.kind === 'tick' ? `[${since},${id},"t"]\n` : `[${since},${id},"i",${encode(input)}]\n`;
}

export function heardLine(since: Micros, id: number, number: number, input: AdvertisementInput): string {
  return `[${since},${id},"a",${number},${encode(input)}]\n`;
}

export function againLine(since: Micros, id: number, number: number): string {
  return `[${since},${id},${number}]\n`;
}

export function movedLine(id: number, transition: Transition): string {
  return `${encode({ moved: id, transition })}\n`;
}

/** JSON, with an IPv6 address (a bigint) as {"ip6":"fe80::1"}. The same text for the same data. */
export function encode(value: unknown): string {
  return JSON.stringify(value, (_key, each: unknown) => (typeof each === 'bigint' ? { ip6: formatIp(each) } : each));
}

function decode(text: string): unknown {
  return JSON.parse(text, (_key, each: unknown) => addressOf(each) ?? each);
}

function addressOf(value: unknown): IpAddress | undefined {
  if (!isRecord(value) || typeof value['ip6'] !== 'string' || Object.keys(value).length !== 1) return undefined;
  return parseIpv6(value['ip6']);
}

/**
 * One line, read. Undefined: it makes no sense. What is within parameters, states and inputs is not judged: whoever
 * replays them must be ready for anything.
 */
export function parseLine(text: string): RecordingLine | undefined {
  let value: unknown;
  try {
    value = decode(text);
  } catch {
    return undefined;
  }
  if (Array.isArray(value)) return inputOf(value);
  if (!isRecord(value)) return undefined;
  if ('recording' in value) return segmentOf(value);
  const { router, group, moved, is, member, members, transition } = value;
  // Casts: what a program of ours wrote; a file that lies is found out when it is replayed.
  if (isNumber(router) && isRecord(is)) {
    if (member !== undefined && !(isRecord(member) && isRecord(member['phase']))) return undefined;
    return {
      kind: 'router',
      id: router,
      router: is as unknown as VirtualRouter,
      ...(member === undefined ? {} : { member: member as unknown as Member }),
    };
  }
  if (isNumber(router) && (group === null || isNumber(group))) return { kind: 'grouped', id: router, group };
  if (isNumber(group) && isRecord(is) && Array.isArray(is['routers']) && Array.isArray(members)) {
    const pairs = members.filter(
      (pair): pair is [string, number] => Array.isArray(pair) && typeof pair[0] === 'string' && isNumber(pair[1]),
    );
    return { kind: 'group', id: group, group: is as unknown as SyncGroup, members: pairs };
  }
  if (isNumber(moved) && isRecord(transition) && isRecord(transition['reason'])) {
    return { kind: 'moved', id: moved, transition: transition as unknown as Transition };
  }
  return undefined;
}

/** The format that a first line says, if it is one of a recording at all. */
export function formatOf(text: string): number | undefined {
  let value: unknown;
  try {
    value = decode(text);
  } catch {
    return undefined;
  }
  if (!isRecord(value) || value['recording'] !== RECORDING_NAME) return undefined;
  return isNumber(value['format']) ? value['format'] : undefined;
}

function segmentOf({ recording, format, agent, reason, at, wallMs }: Readonly<Record<string, unknown>>) {
  const known = SEGMENT_REASONS.find((each) => each === reason);
  if (recording !== RECORDING_NAME || format !== RECORDING_FORMAT || known === undefined) return undefined;
  if (typeof agent !== 'string' || !isNumber(at) || !isNumber(wallMs)) return undefined;
  return { kind: 'segment' as const, agent, reason: known, at, wallMs };
}

function inputOf([since, id, what, ...rest]: readonly unknown[]): RecordingLine | undefined {
  if (!isNumber(since) || !isNumber(id)) return undefined;
  if (isNumber(what)) return { kind: 'again', since, id, number: what };
  if (what === 't') return { kind: 'input', since, id, input: { kind: 'tick' } };
  const [first, second] = rest;
  if (what === 'i' && isRecord(first)) return { kind: 'input', since, id, input: first as unknown as Input };
  if (what === 'a' && isNumber(first) && isRecord(second) && isRecord(second['advertisement'])) {
    return { kind: 'heard', since, id, number: first, input: second as unknown as AdvertisementInput };
  }
  return undefined;
}

/** JSON has no infinity, but 1e999 is read as it. */
function isNumber(value: unknown): value is number {
  return Number.isFinite(value);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
