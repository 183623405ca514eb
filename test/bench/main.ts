/**
 * npm run bench: Baton beside keepalived, in turn, in the same run. docs/bench/README.md says how each row is measured.
 * Exit codes: 0 every row was measured, 1 one was not, 2 called wrongly. A missed goal is a finding, not a failure.
 */
import { writeFileSync } from 'node:fs';
import process from 'node:process';
import { labUnavailable } from '../lab/lab.js';
import { describeMachine, loadAverage } from './machine.js';
import { BadOptions, type Options, parseOptions, USAGE } from './options.js';
import { jsonReport, markdownReport, type RowOutcome, type Run, terminalReport } from './report.js';
import type { Row } from './row.js';
import { ROWS } from './rows.js';

async function main(args: readonly string[]): Promise<number> {
  const options = parseOptions(args, ROWS);
  if (options.show === 'help') return print(USAGE);
  if (options.show === 'list') return print(ROWS.map(({ name, summary }) => `${name.padEnd(16)}${summary}\n`).join(''));
  const obstacle = labUnavailable('keepalived', 'tcpdump');
  if (obstacle !== false) {
    process.stderr.write(`bench: nothing can be measured here: ${obstacle}\n`);
    return 1;
  }
  const run = await measure(options);
  process.stdout.write(`\n${terminalReport(run)}`);
  return run.outcomes.every((outcome) => 'findings' in outcome) ? 0 : 1;
}

async function measure(options: Options): Promise<Run> {
  const { rounds, quick, long, json, markdown } = options;
  const begin = { machine: describeMachine(), began: new Date().toISOString(), loadAtBegin: loadAverage() };
  const outcomes: RowOutcome[] = [];
  const soFar = (): Run => ({ ...begin, loadAtEnd: loadAverage(), rounds, quick, long, outcomes });
  for (const row of options.rows) {
    outcomes.push(await outcomeOf(row, options));
    // After each row: what was measured is kept when the rest is not waited for.
    if (json !== undefined) writeFileSync(json, jsonReport(soFar()));
    if (markdown !== undefined) writeFileSync(markdown, markdownReport(soFar()));
  }
  return soFar();
}

async function outcomeOf(row: Row, { rounds, quick, long }: Options): Promise<RowOutcome> {
  const say = (sentence: string): void => void process.stderr.write(`  ${sentence}\n`);
  process.stderr.write(`${row.name}: ${row.summary}\n`);
  const begin = performance.now();
  const seconds = () => Number(((performance.now() - begin) / 1000).toFixed(1));
  try {
    const findings = await row.run({ rounds, quick, long, say });
    return { row, seconds: seconds(), findings };
  } catch (error) {
    const failure = error instanceof Error ? error.message : String(error);
    say(`not measured: ${failure}`);
    return { row, seconds: seconds(), failure };
  }
}

function print(text: string): number {
  process.stdout.write(text);
  return 0;
}

main(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (error: unknown) => {
    const message = error instanceof Error ? error.message : String(error);
    process.stderr.write(`bench: ${message}\n`);
    if (!(error instanceof BadOptions)) throw error;
    process.stderr.write(USAGE);
    process.exit(2);
  },
);
