/** "replay FILE": the core of this program over a recording, and whether it decides what was decided then. */
import process from 'node:process';
import { formatIp } from '../../proto/rules/ip.js';
import { singleLine } from '../../proto/rules/printable-text.js';
import { agentVersion } from '../local/host-facts.js';
import { readRecording, UnreadableRecording } from '../record/recording-reader.js';
import { type Difference, Replay, type ReplayedTransition, type ReplayReport } from '../record/replay.js';
import { describeReason } from '../vrrp/index.js';
import type { CommandSpec, ParsedCommand } from './command-line.js';
import { OUTPUT_OPTION, wantsJson } from './locations.js';
import { standardPaint, table } from './terminal.js';

export const REPLAY: CommandSpec = {
  name: 'replay',
  usage: 'FILE',
  summary:
    'Gives the election core of this program what was recorded with "run --record FILE", shows every change of state, and\nsays whether they are those of then: exit code 0 if they are, 1 if not. No agent and no network is needed.',
  operands: ['FILE'],
  options: { output: OUTPUT_OPTION },
};

const UNREADABLE = 4;
/** The first differences tell all there is; the rest follows from them. */
const MOST_DIFFERENCES = 5;

export async function replay(command: ParsedCommand): Promise<number> {
  const json = wantsJson(command);
  const [file = ''] = command.operands;
  const run = new Replay();
  try {
    for await (const line of readRecording(file)) run.take(line);
  } catch (error) {
    if (!(error instanceof UnreadableRecording)) throw error;
    process.stderr.write(`baton-agent: ${error.message}\n`);
    return UNREADABLE;
  }
  const report = run.report();
  process.stdout.write(
    json ? `${JSON.stringify(plain(report), textOfAddress, 2)}\n` : `${screen(report).join('\n')}\n`,
  );
  return report.differences.length === 0 ? 0 : 1;
}

function plain(report: ReplayReport) {
  const { transitions, differences, ...rest } = report;
  return {
    same: differences.length === 0,
    ...rest,
    transitions: transitions.map(({ router, at, wallMs, transition: { from, to, reason, effectivePriority } }) => ({
      router,
      at,
      time: timeOf(wallMs),
      from,
      to,
      reason,
      sentence: describeReason(reason),
      effectivePriority,
    })),
    differences: differences.map(({ recorded, replayed, wallMs, ...difference }) => ({
      ...difference,
      time: timeOf(wallMs),
      recorded: JSON.parse(recorded) as unknown,
      replayed: JSON.parse(replayed) as unknown,
    })),
  };
}

function textOfAddress(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? formatIp(value) : value;
}

function screen(report: ReplayReport): string[] {
  const { transitions, differences, remarks } = report;
  const paint = standardPaint();
  const rows = transitions.map(rowOf);
  return [
    ...(rows.length === 0 ? [] : table(['TIME', 'ROUTER', 'FROM', 'TO', 'PRIORITY', 'WHY'], rows, paint)),
    ...agentRemark(report),
    ...remarks.map((remark) => singleLine(`Note: ${remark}.`)),
    ...differences.slice(0, MOST_DIFFERENCES).flatMap(differenceLines),
    verdict(report),
  ];
}

function rowOf({ router, wallMs, transition }: ReplayedTransition): string[] {
  const { from, to, effectivePriority, reason } = transition;
  return [timeOf(wallMs), router, from, to, String(effectivePriority), describeReason(reason)].map((text) =>
    singleLine(text),
  );
}

function agentRemark({ agents }: ReplayReport): string[] {
  const own = agentVersion();
  const others = agents.filter((agent) => agent !== own);
  if (others.length === 0) return [];
  return [singleLine(`Note: recorded by baton-agent ${others.join(' and ')}, replayed by ${own}.`)];
}

function differenceLines({ line, router, wallMs, what, recorded, replayed }: Difference): string[] {
  const where = what === 'state' ? `the state of ${router} before` : `what ${router} did with`;
  return [
    singleLine(`Difference at ${timeOf(wallMs)}, ${where} line ${line}:`),
    `  recorded: ${singleLine(recorded)}`,
    `  replayed: ${singleLine(replayed)}`,
  ];
}

function verdict({ segments, routers, inputs, transitions, differences }: ReplayReport): string {
  const counted = [
    count(segments, 'segment'),
    count(routers.length, 'router'),
    count(inputs, 'input'),
    count(transitions.length, 'transition'),
  ].join(', ');
  const more = differences.length > MOST_DIFFERENCES ? `, of which ${MOST_DIFFERENCES} are shown` : '';
  return differences.length === 0
    ? `${counted}: the same as recorded.`
    : `${counted}: not the same as recorded, ${count(differences.length, 'difference')}${more}.`;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

/** With microseconds, in UTC. */
function timeOf(wallMs: number): string {
  const date = new Date(Math.floor(wallMs));
  if (Number.isNaN(date.getTime())) return '?';
  const micros = String(Math.floor((wallMs - Math.floor(wallMs)) * 1_000)).padStart(3, '0');
  return date.toISOString().replace('Z', `${micros}Z`);
}
