/**
 * From the state changes of one virtual router or sync group on all its nodes to one alert, or to none. Pure.
 *
 * What makes an alert: a member that becomes active or fault, or was active or fault. Entering or leaving backup alone
 * (an agent that starts or stops beside a working active router) is no failover and is not mailed; it is listed when
 * something else is. Neither is a restart of an agent that keeps its role.
 */
import { MemberState } from '../../proto/gen/baton/v1/status.js';
import { type Evidence, findCause, type TrackedChecks } from './cause.js';

/** One reported state change. Instants in milliseconds of Unix time. */
export interface MemberChange {
  readonly eventId: number;
  readonly node: string;
  readonly from: MemberState;
  readonly to: MemberState;
  /** Machine-readable cause, and the agent's own sentence. */
  readonly cause: string;
  readonly message: string;
  /** By the node's clock. */
  readonly at: number;
  readonly receivedAt: number;
  readonly priority: number;
  readonly peer: string;
  readonly vrid: number;
  /** What was known of the member before; UNSPECIFIED with 0 when nothing was. */
  readonly knownState: MemberState;
  readonly knownSince: number;
}

/** The last thing that a member reported, these changes included. */
export interface KnownMember {
  readonly node: string;
  readonly state: MemberState;
  readonly since: number;
  readonly priority: number;
}

export interface AlertInput {
  /** Name of the router, or of the group. */
  readonly router: string;
  /** A sync group as a whole, which has neither VRID nor priorities. */
  readonly isGroup: boolean;
  readonly vrid: number;
  readonly addresses: readonly string[];
  readonly tracked: TrackedChecks;
  /** In the order in which they were stored; at least one. */
  readonly changes: readonly MemberChange[];
  readonly members: readonly KnownMember[];
  readonly evidence: readonly Evidence[];
}

export type AlertKind =
  | 'failover'
  | 'activated'
  | 'active-again'
  | 'two-active'
  | 'active-lost'
  | 'active-left'
  | 'fault'
  | 'recovered';

export interface Alert {
  readonly kind: AlertKind;
  readonly severity: 'info' | 'warning' | 'error';
  readonly router: string;
  readonly isGroup: boolean;
  readonly vrid: number;
  readonly addresses: readonly string[];
  /** "base1 -> base2 active". */
  readonly headline: string;
  /** "check pg-alive failed on base1". */
  readonly cause: string;
  /** When the first of it happened, by that node's clock. */
  readonly happenedAt: number;
  /** How long after it happened the last of it arrived. */
  readonly delayMs: number;
  readonly changes: readonly MemberChange[];
  readonly members: readonly KnownMember[];
  /** What the reader should know besides. */
  readonly notes: readonly string[];
}

/** A change that arrives this long after it happened was held up: the controller or the way to it was down. */
export const LATE_AFTER_MS = 5_000;
/** Two nodes tell of the same handover with clocks at most this far apart. */
export const SAME_HANDOVER_MS = 5_000;

/** undefined: nothing that anybody should be told. */
export function judgeChanges(given: AlertInput): Alert | undefined {
  const input = { ...given, changes: withoutRestarts(given.changes) };
  // A node's own order is that of its events, whatever its clock did; between nodes there is nothing but the clocks.
  const last = new Map(input.changes.map((change) => [change.node, change]));
  const changes = [...input.changes].sort((one, other) => one.at - other.at || one.eventId - other.eventId);
  const first = changes[0];
  if (first === undefined || !changes.some(isNotable)) return undefined;
  const activated = [...last.values()]
    .filter((change) => change.to === MemberState.ACTIVE)
    .sort((one, other) => one.at - other.at);
  const elsewhere = input.members.filter((member) => member.state === MemberState.ACTIVE && !last.has(member.node));
  if (isOtherHalf(changes, last, elsewhere)) return undefined;

  const leaver = [...last.values()].find(
    ({ node, to }) =>
      to !== MemberState.ACTIVE && changes.some((change) => change.node === node && change.from === MemberState.ACTIVE),
  );
  const before = activated.length === 0 && leaver ? leaver.node : activeBefore(input.changes, elsewhere);
  const story = tell(changes, last, activated, elsewhere, before);
  const cause = findCause({ ...input, changes, from: before, to: activated.at(-1) });
  return {
    ...story,
    router: input.router,
    isGroup: input.isGroup,
    vrid: input.vrid,
    addresses: input.addresses,
    cause,
    happenedAt: first.at,
    delayMs: Math.max(0, ...changes.map((change) => change.receivedAt - change.at)),
    changes,
    members: [...input.members].sort((one, other) => (one.node < other.node ? -1 : 1)),
  };
}

/**
 * An agent that made room for the next one, which went on where it stopped: nothing moved (docs/decisions/0020). A suspended
 * one without a next one stays: its addresses go at the end of their leases.
 */
function withoutRestarts(changes: readonly MemberChange[]): MemberChange[] {
  const kept: MemberChange[] = [];
  for (const change of changes) {
    const before = kept.findLastIndex(({ node }) => node === change.node);
    if (change.cause === 'resumed' && kept[before]?.cause === 'suspended') kept.splice(before, 1);
    else kept.push(change);
  }
  return kept;
}

type Story = Pick<Alert, 'kind' | 'severity' | 'headline' | 'notes'>;

function tell(
  changes: readonly MemberChange[],
  last: ReadonlyMap<string, MemberChange>,
  activated: readonly MemberChange[],
  elsewhere: readonly KnownMember[],
  before: string | undefined,
): Story {
  const newest = activated.at(-1);
  if (newest !== undefined) {
    if (activated.length > 1) {
      const nodes = activated.map((change) => change.node);
      return {
        kind: 'two-active',
        severity: 'error',
        headline: `${nodes.length === 2 ? 'two' : nodes.length} active: ${nodes.join(', ')}`,
        notes: [`${nodes.join(' and ')} each reported becoming active and none of them has reported giving up since.`],
      };
    }
    const notes = elsewhere.map(
      (member) =>
        `${member.node} was active before and has reported nothing since: it may be down, cut off, or still active.`,
    );
    const moves = changes.filter((change) => change.to === MemberState.ACTIVE).length;
    if (moves > 1) notes.push(`The active router changed ${moves} times within this report.`);
    if (before === newest.node) {
      return { kind: 'active-again', severity: 'warning', headline: `${newest.node} active again`, notes };
    }
    return before === undefined
      ? { kind: 'activated', severity: 'info', headline: `${newest.node} active`, notes }
      : { kind: 'failover', severity: 'warning', headline: `${before} -> ${newest.node} active`, notes };
  }

  const faulty = [...last.values()].filter((change) => change.to === MemberState.FAULT).map((change) => change.node);
  const still = elsewhere.map((member) => member.node).join(', ');
  const leaver = before === undefined ? undefined : last.get(before);
  if (leaver !== undefined) {
    const how = stateWord(leaver.to);
    return elsewhere.length > 0
      ? { kind: 'active-left', severity: 'warning', headline: `${before} gave up (${how}), ${still} active`, notes: [] }
      : {
          kind: 'active-lost',
          severity: 'error',
          headline: `${before} gave up (${how}), no active router known`,
          notes: ['No other member has reported becoming active.'],
        };
  }
  const where = still === '' ? 'no active router known' : `${still} active`;
  if (faulty.length > 0) {
    return {
      kind: 'fault',
      severity: still === '' ? 'error' : 'warning',
      headline: `${faulty.join(', ')} fault, ${where}`,
      notes: [],
    };
  }
  const settled = [...last.values()].map((change) => `${change.node} ${stateWord(change.to)}`).join(', ');
  return { kind: 'recovered', severity: 'info', headline: `${settled}, ${where}`, notes: [] };
}

function isNotable(change: MemberChange): boolean {
  return isStriking(change.to) || isStriking(change.from);
}

function isStriking(state: MemberState): boolean {
  return state === MemberState.ACTIVE || state === MemberState.FAULT;
}

/**
 * After an outage of the controller one node's report may come long after the other's. When all that it says is that
 * it stopped being active as another became so, and that other one was mailed already, it is the same failover.
 */
function isOtherHalf(
  changes: readonly MemberChange[],
  last: ReadonlyMap<string, MemberChange>,
  elsewhere: readonly KnownMember[],
): boolean {
  if ([...last.values()].some((change) => isStriking(change.to))) return false;
  if (changes.some((change) => change.from === MemberState.FAULT || change.to === MemberState.FAULT)) return false;
  const departures = changes.filter((change) => change.from === MemberState.ACTIVE);
  return (
    departures.every((change) => change.receivedAt - change.at > LATE_AFTER_MS) &&
    departures.every((change) => elsewhere.some((member) => Math.abs(member.since - change.at) <= SAME_HANDOVER_MS))
  );
}

/** Who was active before the first of these changes: of several that were left unanswered, the most recent one. */
function activeBefore(changes: readonly MemberChange[], elsewhere: readonly KnownMember[]): string | undefined {
  const candidates = elsewhere.map((member) => ({ node: member.node, since: member.since }));
  const seen = new Set<string>();
  for (const change of changes) {
    if (seen.has(change.node)) continue;
    seen.add(change.node);
    if (change.knownState === MemberState.ACTIVE) candidates.push({ node: change.node, since: change.knownSince });
    else if (change.from === MemberState.ACTIVE) candidates.push({ node: change.node, since: change.at });
  }
  return candidates.reduce<{ node: string; since: number } | undefined>(
    (best, candidate) => (best === undefined || candidate.since >= best.since ? candidate : best),
    undefined,
  )?.node;
}

/** "active", "backup", ... */
export function stateWord(state: MemberState): string {
  return state === MemberState.UNSPECIFIED || state === MemberState.UNRECOGNIZED
    ? 'unknown'
    : state.replace(/^MEMBER_STATE_/u, '').toLowerCase();
}
