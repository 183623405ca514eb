/**
 * What would become of a virtual router if something that it tracks changed on one node: its priority there, term by
 * term, and who would be active. From what nodes say of themselves, and computed as the election computes. Pure.
 */
import { MemberState, type NodeStatus, type RouterStatus } from '../gen/baton/v1/status.js';
import {
  effectivePriority,
  OWNER_PRIORITY,
  type PriorityTerm,
  type TrackState,
  type Weighted,
} from './effective-priority.js';
import { parseIp } from './ip.js';
import { suggestion } from './nearest-name.js';
import { type Contender, type GroupPolicy, predictElection, type Standing } from './predicted-election.js';

/** What is supposed. */
export type Supposition =
  /** "check pg-alive", "interface em2", "route 0.0.0.0/0". */
  | { readonly kind: 'track'; readonly subject: string; readonly state: TrackState }
  /** Another base priority, 1 to 255. */
  | { readonly kind: 'priority'; readonly priority: number };

export type ParsedSupposition =
  | { readonly ok: true; readonly supposition: Supposition }
  | { readonly ok: false; readonly reason: string };

/** What is known of one node. */
export interface NodeReport {
  readonly node: string;
  /** Absent: it has never said anything. */
  readonly status: NodeStatus | undefined;
  /** False: what it said is old. */
  readonly connected: boolean;
}

export interface Question {
  readonly router: string;
  /** Where something is supposed. */
  readonly node: string;
  readonly suppositions: readonly Supposition[];
  /** Of every member of the router, or of this node alone: then the others are what it hears. */
  readonly reports: readonly NodeReport[];
  readonly scope: 'fleet' | 'node';
}

/** One router on one node, now and then. */
export interface MemberForecast {
  readonly node: string;
  /** "active", "backup", "fault", "initialize". */
  readonly stateNow: StateWord;
  readonly stateThen: StateWord;
  readonly priorityNow: number;
  readonly priorityThen: number;
  /** False: what is known of it is old. */
  readonly connected: boolean;
}

export type StateWord = 'active' | 'backup' | 'fault' | 'initialize' | 'unknown';

export interface Forecast {
  readonly router: string;
  readonly node: string;
  readonly changes: readonly { readonly subject: string; readonly from: string; readonly to: string }[];
  /** On the node, of the priority that it would have. */
  readonly terms: readonly PriorityTerm[];
  /** What would hold the router in fault on the node. */
  readonly faults: readonly string[];
  /** What it would be waiting for. */
  readonly pending: readonly string[];
  readonly preempts: boolean;
  /** The node first. What it hears of others it names by address. */
  readonly members: readonly MemberForecast[];
  /** Nodes that have never said anything of the router. */
  readonly silent: readonly string[];
  readonly group: GroupForecast | undefined;
  /** Nodes of which each is the better one for another router of the group: then nothing can be said for sure. */
  readonly contested: readonly string[];
}

export interface GroupForecast {
  readonly name: string;
  readonly policy: GroupPolicy;
  /** Of the node, the asked one first. */
  readonly routers: readonly { readonly router: string; readonly stateNow: StateWord; readonly stateThen: StateWord }[];
  /** Members of the group that hold it, or themselves, in fault there. */
  readonly culprits: readonly string[];
}

export type Answer =
  | { readonly ok: true; readonly forecast: Forecast }
  | { readonly ok: false; readonly reason: string };

/** "check pg-alive=down", "interface em2=up", "check load=17", "priority=150". */
export function parseSupposition(text: string): ParsedSupposition {
  const at = text.lastIndexOf('=');
  const subject = text.slice(0, Math.max(0, at)).trim().replace(/\s+/g, ' ');
  const value = text.slice(at + 1).trim();
  if (at < 0 || subject === '' || value === '') {
    const reason = `"${text}" is not understood: write "check NAME=down", "interface NAME=down" or "priority=150"`;
    return { ok: false, reason };
  }
  if (subject === 'priority') {
    const priority = /^\d{1,3}$/.test(value) ? Number(value) : 0;
    if (priority >= 1 && priority <= 255) return { ok: true, supposition: { kind: 'priority', priority } };
    return { ok: false, reason: `a priority is 1 to 255, not "${value}"` };
  }
  if (value === 'up' || value === 'down' || value === 'unknown') {
    return { ok: true, supposition: { kind: 'track', subject, state: value } };
  }
  if (/^[+-]?\d{1,10}$/.test(value)) {
    return { ok: true, supposition: { kind: 'track', subject, state: Number(value) } };
  }
  return { ok: false, reason: `${subject} is up, down, or the number of a file check; not "${value}"` };
}

export function whatIf(question: Question): Answer {
  const { node, router, reports, suppositions } = question;
  const report = reports.find((one) => one.node === node);
  const own = routerOf(report?.status, router);
  if (report === undefined || own === undefined) {
    return { ok: false, reason: `${node} has not reported a router "${router}"` };
  }
  const refusal = suppositions.map((one) => refusalOf(one, own, report.status, node)).find((one) => one !== undefined);
  if (refusal !== undefined) return { ok: false, reason: refusal };

  const group = report.status?.groups.find(({ name }) => name === own.group);
  const names = [own.name, ...(group?.routers ?? []).filter((name) => name !== own.name)];
  const policy: GroupPolicy | undefined = group && (group.policy === 'any' ? 'any' : 'all');
  const before = stateOf(report, names, own.name, []);
  const after = stateOf(report, names, own.name, suppositions);
  const others =
    question.scope === 'fleet'
      ? reports.filter((one) => one.node !== node).map((one) => stateOf(one, names, own.name, []))
      : [heardActive(report, names)].filter((one) => one !== undefined);
  const prediction = predictElection(names, policy, [after, ...others]);
  const thenOf = ({ node: name, standings }: Member, of: string): StateWord => {
    const standing = standings.get(of);
    if (standing === undefined) return 'unknown';
    if (!standing.takesPart) return standing.outAs;
    if (prediction.active.get(of) === name) return 'active';
    // It could go on by itself, and the group holds it.
    return prediction.out.has(name) ? 'fault' : 'backup';
  };
  const forecastOf = (member: Member, was: Member): MemberForecast[] => {
    const [now, then] = [was.standings.get(own.name), member.standings.get(own.name)];
    if (now === undefined || then === undefined) return [];
    return [
      {
        node: member.node,
        stateNow: now.now,
        stateThen: thenOf(member, own.name),
        priorityNow: now.priority,
        priorityThen: then.priority,
        connected: member.connected,
      },
    ];
  };
  const mine = after.standings.get(own.name);
  return {
    ok: true,
    forecast: {
      router: own.name,
      node,
      changes: suppositions.map((one) => changeOf(one, own)),
      terms: mine?.terms ?? [],
      faults: mine?.faults ?? [],
      pending: mine?.pending ?? [],
      preempts: own.preempt,
      contested: prediction.contested,
      members: [...forecastOf(after, before), ...others.flatMap((one) => forecastOf(one, one))],
      silent: reports
        .filter((one) => one.node !== node && routerOf(one.status, own.name) === undefined)
        .map((one) => one.node),
      group: group &&
        policy && {
          name: group.name,
          policy,
          routers: names.flatMap((of) => {
            const now = before.standings.get(of)?.now;
            return now === undefined ? [] : [{ router: of, stateNow: now, stateThen: thenOf(after, of) }];
          }),
          culprits: names.filter((of) => (after.standings.get(of)?.faults.length ?? 0) > 0),
        },
    },
  };
}

/** Case does not count: an imported VI_1 is vi_1. */
function routerOf(status: NodeStatus | undefined, name: string): RouterStatus | undefined {
  const routers = status?.routers ?? [];
  return routers.find((one) => one.name === name) ?? routers.find((one) => one.name === name.toLowerCase());
}

function refusalOf(
  supposition: Supposition,
  router: RouterStatus,
  status: NodeStatus | undefined,
  node: string,
): string | undefined {
  if (supposition.kind === 'priority') return undefined;
  const { subject, state } = supposition;
  const subjects = router.tracks.map((track) => track.subject);
  const track = router.tracks.find((one) => one.subject === subject);
  if (track === undefined) {
    const known = subjects.length === 0 ? 'nothing' : subjects.join(', ');
    return `${router.name} on ${node} does not track "${subject}"${suggestion(subject, subjects)}; it tracks ${known}`;
  }
  const kind = status?.checks.find(({ name }) => subject === `check ${name}`)?.kind;
  const isNumeric = kind === 'file' || isNumber(track.state);
  if (isNumeric && state !== 'unknown' && typeof state !== 'number') {
    return `${subject} reads a number: write "${subject}=5"`;
  }
  if (!isNumeric && typeof state === 'number') return `${subject} is up or down, not ${state}`;
  return undefined;
}

function changeOf(supposition: Supposition, router: RouterStatus): Forecast['changes'][number] {
  if (supposition.kind === 'priority') {
    return { subject: 'priority', from: String(basePriorityOf(router)), to: String(supposition.priority) };
  }
  const { subject, state } = supposition;
  const from = router.tracks.find((track) => track.subject === subject)?.state ?? 'unknown';
  return { subject, from, to: String(state) };
}

function basePriorityOf({ priorityTerms, effectivePriority: effective }: RouterStatus): number {
  return priorityTerms.find(({ term }) => term === 'base')?.value ?? effective;
}

interface MemberStanding extends Standing {
  readonly now: StateWord;
  /** What it is when it takes no part. */
  readonly outAs: StateWord;
  readonly terms: readonly PriorityTerm[];
  readonly faults: readonly string[];
  readonly pending: readonly string[];
}

interface Member extends Contender {
  readonly connected: boolean;
  readonly standings: ReadonlyMap<string, MemberStanding>;
}

/** A supposed priority is of the asked router alone; what a track reads is so for every router that tracks it. */
function stateOf(
  report: NodeReport,
  names: readonly string[],
  asked: string,
  supposed: readonly Supposition[],
): Member {
  const standings = new Map<string, MemberStanding>();
  for (const name of names) {
    const router = report.status?.routers.find((one) => one.name === name);
    if (router === undefined) continue;
    standings.set(name, standingOf(router, name === asked ? supposed : supposed.filter((one) => one.kind === 'track')));
  }
  return { node: report.node, connected: report.connected, standings };
}

function standingOf(router: RouterStatus, supposed: readonly Supposition[]): MemberStanding {
  const states = Object.fromEntries(router.tracks.map(({ subject, state }) => [subject, trackStateOf(state)]));
  let base = basePriorityOf(router);
  for (const one of supposed) {
    if (one.kind === 'priority') base = one.priority;
    else if (one.subject in states) states[one.subject] = one.state;
  }
  const tracks = router.tracks.map(({ subject, weight, reverse }) => ({ id: subject, weight, reverse }));
  const weighted: Weighted = { priority: base, tracks };
  const { priority, terms, faults, pending } = effectivePriority(weighted, states);
  const now = stateWordOf(router.state);
  // Without a result a router does not start; one that runs does not stop for it.
  const isStarting = now === 'initialize' || now === 'fault';
  const waits = isStarting && pending.length > 0;
  return {
    priority,
    address: parseIp(router.sourceAddress),
    preempts: router.preempt || priority === OWNER_PRIORITY,
    takesPart: faults.length === 0 && !waits && !router.handingOver && now !== 'unknown' && !isHeldOtherwise(router),
    isActive: now === 'active' && !router.handingOver,
    now,
    outAs: faults.length > 0 ? 'fault' : 'initialize',
    terms,
    faults,
    pending: waits ? pending : [],
  };
}

/** Not started, or stopped: nothing that it tracks would make it take part. */
function isHeldOtherwise({ state, holdReasons, tracks }: RouterStatus): boolean {
  if (state !== MemberState.INITIALIZE) return false;
  return !holdReasons.some((reason) => tracks.some(({ subject }) => reason.startsWith(subject)));
}

/** The active router as the node hears it: it sends for all routers of the group. */
function heardActive(report: NodeReport, names: readonly string[]): Member | undefined {
  const standings = new Map<string, MemberStanding>();
  let address = '';
  for (const name of names) {
    const router = report.status?.routers.find((one) => one.name === name);
    if (router === undefined || router.activeAddress === '' || router.state === MemberState.ACTIVE) continue;
    address ||= router.activeAddress;
    standings.set(name, {
      priority: router.activePriority,
      address: parseIp(router.activeAddress),
      preempts: true,
      takesPart: true,
      isActive: true,
      now: 'active',
      outAs: 'unknown',
      terms: [],
      faults: [],
      pending: [],
    });
  }
  return standings.size === 0 ? undefined : { node: address, connected: true, standings };
}

function trackStateOf(text: string): TrackState {
  if (text === 'up' || text === 'down') return text;
  return isNumber(text) ? Number(text) : 'unknown';
}

function isNumber(text: string): boolean {
  return /^-?\d+$/.test(text);
}

const STATE_WORDS: Partial<Record<MemberState, StateWord>> = {
  [MemberState.INITIALIZE]: 'initialize',
  [MemberState.BACKUP]: 'backup',
  [MemberState.ACTIVE]: 'active',
  [MemberState.FAULT]: 'fault',
};

function stateWordOf(state: MemberState): StateWord {
  return STATE_WORDS[state] ?? 'unknown';
}
