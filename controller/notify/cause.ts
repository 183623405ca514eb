/**
 * Why the active router changed, as one phrase. The member that became active only knows that it heard a lower
 * priority or nothing; the reason is usually with the other one: its check failed, it was stopped, it froze. Pure.
 */
import type { Event } from '../../proto/gen/baton/v1/events.js';
import { MemberState } from '../../proto/gen/baton/v1/status.js';
import { singleLine } from '../../proto/rules/printable-text.js';
import type { MemberChange } from './alert.js';

/** Something else that happened on a node about then. */
export interface Evidence {
  readonly node: string;
  /** By the node's clock, in milliseconds of Unix time. */
  readonly at: number;
  readonly event: Event;
}

/** Names of the checks that move each node's member; undefined when the virtual router is not known any more. */
export type TrackedChecks = ReadonlyMap<string, ReadonlySet<string>> | undefined;

interface Question {
  readonly changes: readonly MemberChange[];
  readonly evidence: readonly Evidence[];
  readonly tracked: TrackedChecks;
  /** The node that was active before; undefined when none is known. */
  readonly from: string | undefined;
  /** How the new active router became so; undefined when there is none. */
  readonly to: MemberChange | undefined;
}

/** A check that turned this long before a change is taken for its reason. */
const EVIDENCE_BEFORE_MS = 60_000;
/** An agent records a check and the change that follows from it at almost the same time, in either order. */
const EVIDENCE_AFTER_MS = 1_000;

export function findCause(question: Question): string {
  const { changes, from, to } = question;
  const left = changes.find((change) => change.node === from && change.from === MemberState.ACTIVE);
  if (left !== undefined) return causeOfLeaving(question, left);
  const fault = changes.find((change) => change.to === MemberState.FAULT);
  if (to === undefined) {
    return fault === undefined ? phraseOf(changes.at(-1)) : (failedCheck(question, fault) ?? phraseOf(fault));
  }
  if (from !== undefined && from !== to.node) {
    if (to.cause === 'priority-zero-heard') return `${from} announced that it stops`;
    if (to.cause === 'active-down') return `${to.node} heard nothing from ${from}`;
  }
  return phraseOf(to);
}

function causeOfLeaving(question: Question, left: MemberChange): string {
  const { node } = left;
  switch (left.cause) {
    case 'shutdown':
    case 'handed-over':
    case 'handover-expired':
      return `planned stop of ${node}`;
    case 'paused': {
      const lost = near(question, left).findLast(({ event }) => event.detail?.$case === 'leaseLost')?.event.detail;
      return lost?.$case === 'leaseLost'
        ? `${node} was paused for ${(lost.value.awayUs / 1_000_000).toFixed(1)} s`
        : `${node} was paused`;
    }
    default: {
      const failed = failedCheck(question, left);
      if (failed !== undefined) return failed;
      const other = question.to;
      if (left.to === MemberState.FAULT || other === undefined || other.node === node) return phraseOf(left);
      const recovered = turnedChecks(question, other, 'up')[0];
      return recovered === undefined ? higherPriority(other) : `check ${recovered} recovered on ${other.node}`;
    }
  }
}

function failedCheck(question: Question, change: MemberChange): string | undefined {
  const failed = turnedChecks(question, change, 'down');
  return failed.length === 0
    ? undefined
    : `check${failed.length === 1 ? '' : 's'} ${failed.join(', ')} failed on ${change.node}`;
}

/**
 * Checks of the change's node that turned `state` shortly before the change and were so when it came. What a check does
 * after the change is no reason for it, but for one that turned `state` at almost the same time. A check that is good
 * for the first time has not recovered.
 */
function turnedChecks(question: Question, change: MemberChange, state: 'up' | 'down'): string[] {
  const tracked = question.tracked?.get(change.node);
  const states = new Map<string, string>();
  for (const { at, event } of near(question, change)) {
    if (event.detail?.$case !== 'checkChanged') continue;
    const check = singleLine(event.detail.value.check, 80);
    const turned = event.detail.value.state;
    if (tracked !== undefined && !tracked.has(check)) continue;
    if (at > change.at && turned !== state) continue;
    if (turned === 'up' && event.detail.value.previous !== 'down') continue;
    states.set(check, turned);
  }
  return [...states].filter(([, last]) => last === state).map(([check]) => check);
}

function near({ evidence }: Question, change: MemberChange): readonly Evidence[] {
  return evidence.filter(
    ({ node, at }) =>
      node === change.node && at >= change.at - EVIDENCE_BEFORE_MS && at <= change.at + EVIDENCE_AFTER_MS,
  );
}

/** Groups have no priority to name. */
function higherPriority({ node, priority }: MemberChange): string {
  return `${node} has the higher priority${priority === 0 ? '' : ` (${priority})`}`;
}

function phraseOf(change: MemberChange | undefined): string {
  if (change === undefined) return 'cause not reported';
  const { node, peer } = change;
  switch (change.cause) {
    case 'startup':
    case 'checks-ready':
      return `${node} started`;
    case 'owner-startup':
      return `${node} started as the owner of the addresses`;
    case 'active-down':
      return `${node} heard no active router`;
    case 'priority-zero-heard':
      return `the active router${peer === '' ? '' : ` ${singleLine(peer, 45)}`} announced that it stops`;
    case 'preempted':
      return higherPriority(change);
    case 'owner-conflict':
      return `${node} found another owner of the addresses${peer === '' ? '' : ` at ${singleLine(peer, 45)}`}`;
    case 'higher-priority-heard':
      return `${node} heard a higher priority${peer === '' ? '' : ` from ${singleLine(peer, 45)}`}`;
    case 'equal-priority-greater-address':
      return `${node} heard an equal priority from the greater address ${singleLine(peer, 45)}`;
    case 'address-lost':
      return `${node} lost a virtual address`;
    case 'paused':
      return `${node} was paused`;
    case 'shutdown':
    case 'handed-over':
    case 'handover-expired':
      return `planned stop of ${node}`;
    default:
      // The agent's own sentence says which of the tracked things it was.
      return singleLine(change.message === '' ? `${node}: ${change.cause}` : change.message, 200);
  }
}
