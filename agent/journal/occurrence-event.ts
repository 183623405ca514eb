/** What the election thread reports and what the worker sees itself, as events. Pure. */
import {
  type AgentLifecycle,
  type BundleChanged,
  type Event,
  EventSeverity,
  type Refusal,
} from '../../proto/gen/baton/v1/events.js';
import {
  type BundleIdentity,
  CheckResult,
  type CheckStatus,
  type HookRun,
  MemberState,
  type PreflightFinding,
  PreflightSeverity,
} from '../../proto/gen/baton/v1/status.js';
import { resultText as describeResult } from '../../proto/rules/check-report.js';
import type { Instant, Millis } from '../../proto/rules/time.js';
import type { Occurrence } from '../runtime/messages.js';
import type { StateName } from '../vrrp/index.js';
import type { Repeated } from './flood.js';
import type { EventDraft } from './journal.js';

export { describeResult };

/** Both clocks at the moment of an event. */
export interface Moment {
  readonly at: Instant;
  readonly wallMs: Millis;
}

const MEMBER_STATES: Readonly<Record<StateName, MemberState>> = {
  initialize: MemberState.INITIALIZE,
  backup: MemberState.BACKUP,
  active: MemberState.ACTIVE,
  fault: MemberState.FAULT,
};

export function memberStateOf(state: StateName): MemberState {
  return MEMBER_STATES[state];
}

type Kind<K extends Occurrence['kind']> = Extract<Occurrence, { kind: K }>;

/** Causes that an operator should look into although the new state is a working one. */
const UNUSUAL_CAUSES: ReadonlySet<string> = new Set(['paused', 'address-lost', 'owner-conflict']);

export function transitionEvent(occurrence: Kind<'transition'>): EventDraft {
  const { router, from, to, cause, sentence, effectivePriority } = occurrence;
  const severity =
    to === 'fault' ? EventSeverity.ERROR : UNUSUAL_CAUSES.has(cause) ? EventSeverity.WARNING : EventSeverity.INFO;
  const message = `${router}: ${from} -> ${to}: ${sentence}; effective priority ${effectivePriority}`;
  return draft(occurrence, severity, router, message, {
    $case: 'transition',
    value: {
      from: memberStateOf(from),
      to: memberStateOf(to),
      cause,
      effectivePriority,
      peer: occurrence.peer ?? '',
      vrid: occurrence.vrid,
    },
  });
}

export function rejectedEvent(occurrence: Kind<'rejected'>): EventDraft {
  const { router, source, reason, count } = occurrence;
  const what = count === 1 ? 'an advertisement' : `${count} advertisements`;
  return draft(occurrence, EventSeverity.WARNING, router, `${router}: refused ${what} from ${source}: ${reason}`, {
    $case: 'advertisementRejected',
    value: { reason, source, count },
  });
}

export function noticeEvent(occurrence: Kind<'notice'>): EventDraft {
  const { router, notice, sentence, source } = occurrence;
  return draft(occurrence, EventSeverity.WARNING, router, `${router}: ${sentence}`, {
    $case: 'protocolNotice',
    value: { kind: notice, source: source ?? '' },
  });
}

/** Other virtual routers on the same LAN are usual: it is for whoever looks for a collision, or plans a VRID. */
export function unknownVridEvent(occurrence: Kind<'unknownVrid'>): EventDraft {
  const { interface: device, vrid, source } = occurrence;
  const message = `VRID ${vrid} is in use on ${device}: ${source} advertises it, and no virtual router of this host has it`;
  return draft(occurrence, EventSeverity.INFO, '', message, {
    $case: 'protocolNotice',
    value: { kind: 'unknown-vrid', source },
  });
}

/** `heard` counts lower-priority advertisements of one source. */
export function lowerPriorityEvent(moment: Moment, heard: Repeated): EventDraft {
  const { router, source, count } = heard;
  const who = source === 'many' ? 'several routers' : source;
  const times = count === 1 ? '' : ` (${count} times)`;
  const message = `${router}: ${who} advertises a lower priority while this node is active${times}`;
  return draft(moment, EventSeverity.WARNING, router, message, {
    $case: 'protocolNotice',
    value: { kind: 'lower-priority-heard', source },
  });
}

export function leaseLostEvent(occurrence: Kind<'leaseLost'>): EventDraft {
  const { router, away } = occurrence;
  const seconds = (away / 1_000_000).toFixed(1);
  const message = `${router}: the agent was paused for ${seconds} s, longer than its addresses last, and stepped down`;
  return draft(occurrence, EventSeverity.ERROR, router, message, { $case: 'leaseLost', value: { awayUs: away } });
}

export function addressEvent(occurrence: Kind<'address'>): EventDraft {
  const { router, address, interface: device, change, detail } = occurrence;
  const severities = {
    restored: EventSeverity.WARNING,
    'removed-by-other': EventSeverity.WARNING,
    'add-failed': EventSeverity.ERROR,
    'leftover-removed': EventSeverity.INFO,
    'leftover-adopted': EventSeverity.INFO,
  } as const;
  const sentences = {
    restored: `${address} was removed from ${device} by somebody else and put back`,
    'removed-by-other': `${address} was removed from ${device} by somebody else`,
    'add-failed': `${address} could not be added to ${device}`,
    'leftover-removed': `${address}, left on ${device} by a former run, was removed`,
    'leftover-adopted': `${address}, left on ${device} by a former run, was adopted`,
  } as const;
  const message = `${router === '' ? '' : `${router}: `}${sentences[change]}${detail === '' ? '' : `: ${detail}`}`;
  return draft(occurrence, severities[change], router, message, {
    $case: 'addressChanged',
    value: { address, interface: device, change },
  });
}

export function groupTransitionEvent(occurrence: Kind<'groupTransition'>): EventDraft {
  const { group, from, to, cause, sentence } = occurrence;
  const severity = to === 'fault' ? EventSeverity.ERROR : EventSeverity.INFO;
  return draft(occurrence, severity, '', `group ${group}: ${from} -> ${to}: ${sentence}`, {
    $case: 'groupTransition',
    value: { group, from: memberStateOf(from), to: memberStateOf(to), cause },
  });
}

export function itemEvent(occurrence: Kind<'item'>): EventDraft {
  const { owner, item, change, detail } = occurrence;
  const told = {
    restored: [EventSeverity.WARNING, `${item} was removed by somebody else and put back`],
    'removed-by-other': [EventSeverity.WARNING, `${item} was removed by somebody else`],
    'add-failed': [EventSeverity.ERROR, `${item} could not be added`],
    'leftover-removed': [EventSeverity.INFO, `${item}, left by a former run, was removed`],
  } as const;
  const [severity, sentence] = told[change];
  const message = `${owner === '' ? '' : `${owner}: `}${sentence}${detail === '' ? '' : `: ${detail}`}`;
  return draft(occurrence, severity, owner, message, { $case: 'itemChanged', value: { item, change, owner } });
}

export function addressConflictEvent(occurrence: Kind<'addressConflict'>): EventDraft {
  const { router, address, interface: device, mac, sentence } = occurrence;
  return draft(occurrence, EventSeverity.ERROR, router, `${router}: ${sentence}`, {
    $case: 'addressConflicted',
    value: { address, interface: device, mac },
  });
}

/** Something on this host that stands in the way of its routers. */
export function preflightEvent(moment: Moment, { message, remedy, routers, severity }: PreflightFinding): EventDraft {
  const router = routers.length === 1 ? (routers[0] ?? '') : '';
  const level = severity === PreflightSeverity.ERROR ? EventSeverity.ERROR : EventSeverity.WARNING;
  const told = `${routers.length === 0 ? '' : `${routers.join(', ')}: `}${message}; ${remedy}`;
  return draft(moment, level, router, told, { $case: 'protocolNotice', value: { kind: 'preflight', source: '' } });
}

/** `diagnostic`: why, as RFC 5880 section 4.1 words it. */
export function bfdEvent(moment: Moment, session: string, state: 'up' | 'down', diagnostic: string): EventDraft {
  const severity = state === 'up' ? EventSeverity.INFO : EventSeverity.WARNING;
  const why = diagnostic === '' ? '' : `: ${diagnostic}`;
  return draft(moment, severity, '', `BFD session ${session} is ${state}${state === 'up' ? '' : why}`, {
    $case: 'bfdChanged',
    value: { session, state, diagnostic },
  });
}

export function checkEvent(moment: Moment, status: CheckStatus, previous: string): EventDraft {
  const isNumber = status.value !== undefined && /^-?\d+$/.test(status.state);
  const good = status.state === 'up' || isNumber;
  const message = isNumber
    ? `check ${status.name} reads ${status.state}`
    : `check ${status.name} ${good ? 'is good' : `fails: ${describeResult(status)}`}`;
  return draft(moment, good ? EventSeverity.INFO : EventSeverity.WARNING, '', message, {
    $case: 'checkChanged',
    value: {
      check: status.name,
      state: status.state,
      result: status.lastResult,
      exitCode: status.exitCode,
      output: status.output,
      previous,
    },
  });
}

/** `status.stuck` says why it gives no results; empty: it gives some again. */
export function stuckEvent(moment: Moment, { name, stuck }: CheckStatus): EventDraft {
  const isStuck = stuck !== '';
  const message = isStuck ? `check ${name} is stuck: ${stuck}` : `check ${name} ends its runs again`;
  return draft(moment, isStuck ? EventSeverity.ERROR : EventSeverity.INFO, '', message, {
    $case: 'protocolNotice',
    value: { kind: isStuck ? 'check-stuck' : 'check-running-again', source: name },
  });
}

export function hookEvent(moment: Moment, router: string, run: HookRun): EventDraft {
  const good = run.result === CheckResult.OK;
  const what = describeResult({
    lastResult: run.result,
    exitCode: run.exitCode,
    reason: run.result === CheckResult.FAILED || good ? '' : (run.output.split('\n')[0] ?? ''),
  });
  const message = `${router}: hook ${run.hook} (${run.command[0] ?? ''}) ${good ? 'ended well' : `failed: ${what}`}`;
  return draft(moment, good ? EventSeverity.INFO : EventSeverity.WARNING, router, message, {
    $case: 'hookFinished',
    value: { run },
  });
}

export function lifecycleEvent(moment: Moment, phase: AgentLifecycle['phase'], sentence: string): EventDraft {
  return draft(moment, EventSeverity.INFO, '', sentence, { $case: 'agentLifecycle', value: { phase } });
}

/** Something about the agent itself that is wrong: a damaged file, a full disk. */
export function troubleEvent(moment: Moment, phase: string, sentence: string): EventDraft {
  return draft(moment, EventSeverity.ERROR, '', sentence, { $case: 'agentLifecycle', value: { phase } });
}

export function bundleEvent(
  moment: Moment,
  bundle: BundleIdentity,
  refusals: readonly Refusal[],
  origin: string,
): EventDraft {
  const applied = refusals.length === 0;
  const message = applied
    ? `configuration ${origin} is in force`
    : `configuration ${origin} was refused: ${refusals.map((refusal) => `${refusal.path}: ${refusal.reason}`).join('; ')}`;
  const value: BundleChanged = { bundle, applied, refusals: [...refusals] };
  return draft(moment, applied ? EventSeverity.INFO : EventSeverity.ERROR, '', message, {
    $case: 'bundleChanged',
    value,
  });
}

function draft(
  moment: Moment,
  severity: EventSeverity,
  router: string,
  message: string,
  detail: NonNullable<Event['detail']>,
): EventDraft {
  return {
    node: '',
    time: new Date(moment.wallMs),
    monotonicUs: Math.max(0, Math.floor(moment.at)),
    severity,
    router,
    message,
    detail,
  };
}
