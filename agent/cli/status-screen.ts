/** A node's status on one screen. Pure. */
import {
  type BfdStatus,
  type CheckStatus,
  type GroupStatus,
  type HostItemStatus,
  MemberState,
  type NodeStatus,
  type RefusedBundle,
  type RouterStatus,
} from '../../proto/gen/baton/v1/status.js';
import { checkSummary } from '../../proto/rules/check-report.js';
import { durationToMicros, formatDuration } from '../../proto/rules/duration.js';
import { singleLine } from '../../proto/rules/printable-text.js';
import { ago, stateWord } from '../local/explain.js';
import { preflightLines } from './preflight-screen.js';
import { type Cell, type Paint, table } from './terminal.js';

export function statusScreen(status: NodeStatus, paint: Paint): string {
  const now = status.capturedAt;
  const blocks = [[paint('bold', status.node), ...headingLines(status)].join('\n')];
  if (status.refused !== undefined) blocks.push(refusalLines(status.refused, now, paint).join('\n'));
  if (status.routers.length === 0) blocks.push('No virtual router is configured.');
  else blocks.push(routerLines(status.routers, now, paint).join('\n'));
  if (status.groups.length > 0) blocks.push(groupLines(status.groups, now, paint).join('\n'));
  if (status.checks.length > 0) blocks.push(checkLines(status.checks, now, paint).join('\n'));
  if (status.bfdSessions.length > 0) blocks.push(bfdLines(status.bfdSessions, now, paint).join('\n'));
  if (status.preflight.length > 0) blocks.push(preflightLines(status.preflight, paint).join('\n'));
  const missing = status.hostItems.filter(({ present }) => !present);
  if (missing.length > 0) blocks.push(missingLines(missing, paint).join('\n'));
  return `${blocks.join('\n\n')}\n`;
}

function headingLines(status: NodeStatus): string[] {
  const { controller, bundle, schedulingLag, capturedAt: now } = status;
  const up = status.startedAt === undefined ? '' : `, up ${ago(status.startedAt, now)}`;
  const since = controller?.since === undefined ? '' : ` for ${ago(controller.since, now)}`;
  const link =
    controller === undefined
      ? 'unknown'
      : controller.state === 'standalone'
        ? 'none (standalone)'
        : `${controller.state}${controller.address === '' ? '' : ` (${controller.address})`}${since}`;
  const trouble = controller === undefined || controller.error === '' ? '' : `: ${singleLine(controller.error)}`;
  const configuration =
    bundle === undefined
      ? 'none yet'
      : `${bundle.generation === 0 ? 'local file' : `generation ${bundle.generation}`} (${bundle.hash.slice(0, 12)})`;
  const lag =
    schedulingLag === undefined
      ? ''
      : `, timers late by ${span(schedulingLag.last)} now, ${span(schedulingLag.max)} at most`;
  const lines = [
    `  agent          ${status.agentVersion}, pid ${status.pid}${up}${lag}`,
    `  controller     ${link}${trouble}`,
    `  configuration  ${configuration}`,
  ];
  if (status.queuedEvents > 0 || status.droppedEvents > 0) {
    lines.push(`  events         ${status.queuedEvents} not delivered yet, ${status.droppedEvents} dropped`);
  }
  return lines;
}

function refusalLines({ bundle, at, reasons }: RefusedBundle, now: Date | undefined, paint: Paint): string[] {
  const which = bundle === undefined || bundle.generation === 0 ? 'the local file' : `generation ${bundle.generation}`;
  const when = at === undefined ? '' : ` ${ago(at, now)} ago`;
  return [paint('red', `refused: ${which}${when}`), ...reasons.map((reason) => `  ${singleLine(reason)}`)];
}

function routerLines(routers: readonly RouterStatus[], now: Date | undefined, paint: Paint): string[] {
  const heading = ['ROUTER', 'VRID', 'INTERFACE', 'STATE', 'SINCE', 'PRIORITY', 'ACTIVE', 'ADDRESSES'];
  const rows = routers.map((router): Cell[] => [
    router.name,
    String(router.vrid),
    router.interface,
    stateCell(router),
    router.since === undefined ? '' : ago(router.since, now),
    priorityText(router),
    activeText(router),
    addressText(router),
  ]);
  const lines = table(heading, rows, paint);
  const reasons = routers.flatMap((router) => {
    const holds = router.holdReasons.map((reason) => `  ${router.name}: held by ${reason}`);
    const conflicts = router.conflicts.map(({ address, mac }) =>
      paint('red', `  ${router.name}: ${mac} answers for ${address} too`),
    );
    return [`  ${router.name}: ${router.cause}`, ...holds, ...conflicts];
  });
  return [...lines, '', ...reasons];
}

function stateCell(router: RouterStatus): Cell {
  const text = `${stateWord(router.state)}${router.handingOver ? ' (handing over)' : ''}`;
  if (router.state === MemberState.ACTIVE) return { text, colour: 'green' };
  if (router.state === MemberState.BACKUP) return text;
  return { text, colour: router.state === MemberState.FAULT ? 'red' : 'yellow' };
}

/** "99 = 100 - 1": the terms only where there is more than the base. */
function priorityText(router: RouterStatus): string {
  const terms = router.priorityTerms.filter(({ value }, index) => index === 0 || value !== 0);
  if (terms.length <= 1) return String(router.effectivePriority);
  const sum = terms.map(({ value }, index) => (index === 0 ? String(value) : value < 0 ? `- ${-value}` : `+ ${value}`));
  return `${router.effectivePriority} = ${sum.join(' ')}`;
}

function activeText(router: RouterStatus): string {
  if (router.state === MemberState.ACTIVE) return 'this node';
  return router.activeAddress === '' ? '-' : `${router.activeAddress} (${router.activePriority})`;
}

/** Held ones bare, others in brackets. */
function addressText(router: RouterStatus): string {
  const held = new Set(router.heldAddresses);
  const all = [...router.addresses, ...router.excludedAddresses];
  return all.map((address) => (held.has(address) ? address : `(${address})`)).join(' ');
}

function coloured(state: string): Cell {
  if (state === 'up' || state === 'active') return { text: state, colour: 'green' };
  if (state === 'down' || state === 'fault') return { text: state, colour: 'red' };
  return state === 'backup' || /^-?\d+$/.test(state) ? state : { text: state, colour: 'yellow' };
}

function groupLines(groups: readonly GroupStatus[], now: Date | undefined, paint: Paint): string[] {
  const rows = groups.map((group): Cell[] => [
    group.name,
    coloured(stateWord(group.state)),
    group.since === undefined ? '' : ago(group.since, now),
    group.policy,
    group.routers.join(' '),
  ]);
  return table(['GROUP', 'STATE', 'SINCE', 'POLICY', 'ROUTERS'], rows, paint);
}

function bfdLines(sessions: readonly BfdStatus[], now: Date | undefined, paint: Paint): string[] {
  const rows = sessions.map((session): Cell[] => [
    session.name,
    coloured(session.state),
    session.since === undefined ? '-' : ago(session.since, now),
    session.neighbor,
    span(session.transmitInterval),
    span(session.detectionTime),
    session.state === 'up' ? '' : session.diagnostic,
  ]);
  return table(['BFD SESSION', 'STATE', 'SINCE', 'NEIGHBOR', 'INTERVAL', 'DETECTION', 'WHY'], rows, paint);
}

/** Only what is not there: what is as it should be needs nobody's eyes. */
function missingLines(missing: readonly HostItemStatus[], paint: Paint): string[] {
  return missing.map(({ item, kind, error }) =>
    paint('red', `missing: static ${kind} ${item}${error === '' ? '' : `: ${singleLine(error)}`}`),
  );
}

export function checkLines(checks: readonly CheckStatus[], now: Date | undefined, paint: Paint): string[] {
  const rows = checks.map((check): Cell[] => [
    check.name,
    check.kind,
    coloured(check.state),
    check.since === undefined ? '' : ago(check.since, now),
    check.lastRun === undefined ? '-' : `${ago(check.lastRun, now)} ago`,
    check.lastDuration === undefined ? '-' : span(check.lastDuration),
    `${check.runs}${check.skipped > 0 ? ` (${check.skipped} skipped)` : ''}`,
    singleLine(checkSummary(check), 80),
  ]);
  return table(['CHECK', 'KIND', 'STATE', 'SINCE', 'LAST RUN', 'TOOK', 'RUNS', 'LAST RESULT'], rows, paint);
}

/** Rounded to what a person reads: three digits. */
function span(duration: Parameters<typeof durationToMicros>[0]): string {
  const micros = durationToMicros(duration);
  const unit = 10 ** Math.max(0, Math.floor(Math.log10(Math.max(1, micros))) - 2);
  return formatDuration(Math.round(micros / unit) * unit);
}
