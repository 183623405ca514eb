/** `batonctl checks`: what every node's health checks say, and whether they say anything. */
import { Command } from 'commander';
import type { CheckStatus } from '../../../proto/gen/baton/v1/status.js';
import { messageToPlain } from '../../../proto/manifest/index.js';
import { checkDetail } from '../../../proto/rules/check-detail.js';
import { checkSummary, conditionOf, failsEverywhere } from '../../../proto/rules/check-report.js';
import { durationToMicros, formatDuration } from '../../../proto/rules/duration.js';
import { compareText } from '../../../proto/rules/names.js';
import { suggestion } from '../../../proto/rules/nearest-name.js';
import { singleLine } from '../../../proto/rules/printable-text.js';
import { ageOf, ago } from '../ages.js';
import { Failure } from '../failure.js';
import { action, addCommonOptions, type Invocation } from '../invocation.js';
import { type DatedReport, reportsOf } from '../node-reports.js';
import { printLines, printPlain } from '../output.js';
import type { Colour } from '../paint.js';
import type { Surroundings } from '../surroundings.js';
import { type Cell, renderTable } from '../table.js';

interface ChecksOptions {
  readonly node?: string;
  readonly recent?: true;
}

interface Place {
  readonly node: string;
  readonly report: DatedReport;
  readonly check: CheckStatus;
}

export function checksCommand(surroundings: Surroundings): Command {
  const command = new Command('checks')
    .description('list the health checks on every node with their last results, or all that is known of one')
    .argument('[name]', 'only the check of this name, with everything that is known of it')
    .option('--node <name>', 'only on this node')
    .option('--recent', 'with a name: the last runs with their output');
  return addCommonOptions(command, { format: true }).action(action(surroundings, list));
}

async function list(invocation: Invocation, { node, recent }: ChecksOptions, name?: string): Promise<void> {
  const { session, format, paint, surroundings } = invocation;
  const { stdout, stderr } = surroundings;
  if (recent && name === undefined) throw new Failure(2, '--recent goes with the name of a check');
  const { status } = await session.call('read the nodes', ({ status: s }) => s.getStatus.bind(s), {});
  const nodes = status?.nodes.map((one) => one.name) ?? [];
  if (node !== undefined && !nodes.includes(node)) {
    throw new Failure(1, singleLine(`there is no node ${node}${suggestion(node, nodes)}`));
  }
  const reports = await reportsOf(session, node === undefined ? nodes : [node]);
  const all = reports.flatMap((report) =>
    (report.status?.checks ?? []).map((check): Place => ({ node: report.node, report, check })),
  );
  const places = all.filter(({ check }) => name === undefined || check.name === name);
  if (name !== undefined && places.length === 0) {
    const names = [...new Set(all.map(({ check }) => check.name))];
    throw new Failure(1, singleLine(`no node runs a check ${name}${suggestion(name, names)}`));
  }
  // Of nodes that are away nobody knows what their checks say now.
  const known = places.filter(({ report }) => report.connected);
  const byName = [...new Set(known.map(({ check }) => check.name))].sort(compareText);
  const everywhere =
    node === undefined
      ? byName
          .map((one) =>
            failsEverywhere(
              one,
              known.filter(({ check }) => check.name === one),
            ),
          )
          .filter((line) => line !== undefined)
      : [];
  if (format !== 'table') {
    const checks = places.map(({ node: where, report, check }) => ({
      node: where,
      connected: report.connected,
      condition: conditionOf(check),
      ...messageToPlain('baton.v1.CheckStatus', check),
    }));
    printPlain(stdout, { checks, failEverywhere: everywhere }, format);
    return;
  }
  if (places.length === 0) {
    stderr.write('no node runs a check\n');
    return;
  }
  const now = status?.capturedAt?.getTime() ?? surroundings.now();
  const lines = everywhere.map((line) => paint('red', `!! ${line}`));
  if (name === undefined) {
    const rows = places
      .sort((one, other) => compareText(one.check.name, other.check.name) || compareText(one.node, other.node))
      .map((place) => rowOf(place, now));
    lines.push(...renderTable(HEAD, rows, { paint, width: stdout.columns }));
  } else {
    for (const { node: where, report, check } of places) {
      const age = report.connected ? '' : ` (not connected, last seen ${ago(report.lastSeen, now)})`;
      const [, ...detail] = checkDetail(check, {
        now: new Date(now),
        routers: report.status?.routers ?? [],
        recent: recent === true,
      });
      lines.push(paint('bold', singleLine(`${check.name} on ${where}${age}`)), ...detail);
    }
  }
  printLines(stdout, lines);
}

const HEAD = ['CHECK', 'NODE', 'KIND', 'STATE', 'SINCE', 'LAST RUN', 'TOOK', 'RUNS', 'LAST RESULT'];

function rowOf({ node, report, check }: Place, now: number): Cell[] {
  const { connected } = report;
  const skipped = check.skipped > 0 ? ` (${check.skipped} skipped)` : '';
  return [
    check.name,
    node,
    check.kind,
    { text: connected ? check.state : `${check.state}?`, colour: connected ? colourOf(check) : 'dim' },
    ageOf(check.since, now),
    check.lastRun === undefined ? '-' : ago(check.lastRun, now),
    check.lastDuration === undefined
      ? '-'
      : formatDuration(Math.round(durationToMicros(check.lastDuration) / 100) * 100),
    `${check.runs}${skipped}`,
    checkSummary(check),
  ];
}

function colourOf(check: CheckStatus): Colour | undefined {
  if (conditionOf(check) === 'stuck') return 'red';
  if (check.state === 'up') return 'green';
  if (check.state === 'down') return 'red';
  return check.state === 'unknown' ? 'yellow' : undefined;
}
