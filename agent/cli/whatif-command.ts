/** "whatif ROUTER": what would become of it if something changed on this host, or if a check's next run decided. */
import process from 'node:process';
import { CheckRun, NodeStatus } from '../../proto/gen/baton/v1/status.js';
import { resultText } from '../../proto/rules/check-report.js';
import { durationToMicros, formatDuration } from '../../proto/rules/duration.js';
import { singleLine } from '../../proto/rules/printable-text.js';
import { parseSupposition, type Supposition, whatIf } from '../../proto/rules/what-if.js';
import { describeForecast } from '../../proto/rules/what-if-text.js';
import { ask } from '../local/control-client.js';
import { heardSentences } from '../local/explain.js';
import { type CommandSpec, type ParsedCommand, UsageError } from './command-line.js';
import { LOCATION_OPTIONS, OUTPUT_OPTION, runDirOf, wantsJson } from './locations.js';
import { type Paint, standardPaint } from './terminal.js';

export const WHATIF: CommandSpec = {
  name: 'whatif',
  usage: 'ROUTER [--set "WHAT=STATE"]... [--run CHECK]',
  summary:
    'Says what would become of a virtual router if something were otherwise on this host: its priority term by term, its\ngroup, and who would be active as far as can be heard from here. Nothing is changed. "batonctl whatif" knows every node.',
  operands: ['ROUTER'],
  options: {
    set: {
      type: 'string',
      value: 'WHAT=STATE',
      help: 'suppose it: "check alive=down", "interface em2=up", "check load=17", "priority=150"; may be given again',
    },
    run: {
      type: 'string',
      value: 'CHECK',
      help: 'run this check once now, without counting it, and suppose its result',
    },
    output: OUTPUT_OPTION,
    ...LOCATION_OPTIONS,
  },
};

/** Longer than any check that somebody waits for; the agent ends it at its own timeout. */
const RUN_TIMEOUT_MS = 24 * 60 * 60 * 1_000;

interface RunAnswer {
  readonly run: CheckRun;
  readonly state: 'up' | 'down' | number;
}

export async function whatif(command: ParsedCommand): Promise<number> {
  const json = wantsJson(command);
  const suppositions = command.texts('set').map((text) => {
    const parsed = parseSupposition(text);
    if (!parsed.ok) throw new UsageError(parsed.reason);
    return parsed.supposition;
  });
  const runDir = await runDirOf(command);
  const check = command.text('run');
  const answer = check === undefined ? undefined : await runCheck(runDir, check);
  const supposed: Supposition[] =
    check === undefined || answer === undefined
      ? suppositions
      : [...suppositions, { kind: 'track', subject: `check ${check}`, state: answer.state }];
  const status = NodeStatus.fromJSON(await ask(runDir, { command: 'status' }));
  const router = command.operands[0] ?? '';
  const reports = [{ node: status.node, status, connected: true }];
  const found = whatIf({ router, node: status.node, suppositions: supposed, reports, scope: 'node' });
  if (!found.ok) {
    // The run is worth showing all the same.
    if (answer !== undefined && check !== undefined) process.stdout.write(`${runLines(check, answer).join('\n')}\n`);
    process.stderr.write(`baton-agent: ${found.reason}\n`);
    return 1;
  }
  const { forecast } = found;
  const sections = describeForecast(forecast, 'node', heardSentences(status, forecast.router));
  if (json) {
    const run = answer === undefined ? {} : { run: { check, ...plainRun(answer) } };
    process.stdout.write(`${JSON.stringify({ ...run, ...forecast, sections }, undefined, 2)}\n`);
    return 0;
  }
  const blocks = sections.map(({ title, sentences }) => block(title, sentences, standardPaint()));
  if (answer !== undefined && check !== undefined)
    blocks.unshift(block('Run', runLines(check, answer), standardPaint()));
  process.stdout.write(`${blocks.join('\n\n')}\n`);
  return 0;
}

async function runCheck(runDir: string, check: string): Promise<RunAnswer> {
  const answer = await ask(runDir, { command: 'run-check', check }, RUN_TIMEOUT_MS);
  const { run, state } = answer as { readonly run: unknown; readonly state: RunAnswer['state'] };
  return { run: CheckRun.fromJSON(run), state };
}

function runLines(check: string, { run, state }: RunAnswer): string[] {
  const took = formatDuration(Math.max(1, Math.round(durationToMicros(run.duration) / 1_000)) * 1_000);
  const result = resultText({ ...run, lastResult: run.result });
  const means =
    typeof state === 'number' ? `it reads ${state}` : `alone it means ${state}; rise and fall are not counted`;
  return [
    singleLine(`check ${check} took ${took}: ${result}; ${means}.`),
    ...run.output
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => `  ${line}`),
  ];
}

function plainRun({ run, state }: RunAnswer): Readonly<Record<string, unknown>> {
  const { result, exitCode, reason, output, startedAt, duration } = run;
  const word = result.replace('CHECK_RESULT_', '').toLowerCase();
  const took = formatDuration(durationToMicros(duration));
  return { startedAt, duration: took, result: word, exitCode, reason, output, state: String(state) };
}

function block(title: string, sentences: readonly string[], paint: Paint): string {
  return [paint('bold', title), ...sentences.map((sentence) => `  ${sentence}`)].join('\n');
}
