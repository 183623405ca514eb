/**
 * npm run differential: every scenario played by keepalived, by Baton and by both, and compared.
 *
 *   node main.js [PATTERN...] [--casts KK,BB,KB,BK] [--jobs N] [--list] [--table]
 */
import process from 'node:process';
import { parseArgs } from 'node:util';
import { labUnavailable } from '../lab/lab.js';
import { failureReport, outcomeLine, passed, table } from './report.js';
import { Stages } from './run.js';
import { CASTS, type Cast, type Scenario } from './scenario.js';
import { SCENARIOS } from './scenarios/all.js';

const USAGE = `usage: npm run differential -- [PATTERN...] [options]

Plays scenarios of two or three members in network namespaces, each member once as keepalived and once as Baton with the
same keepalived.conf, and compares what is seen. Needs root and keepalived.

  PATTERN          part of a scenario's name; several: any of them. Default: all
  --casts LIST     who plays A and B, K keepalived, B Baton (C is as A). Default: ${CASTS.join(',')}
  --jobs N         performances at the same time. Default: 8
  --list           the names of the scenarios; nothing is played
  --table          everything that was seen, of those that passed too
  --help           this text

Exit 0: all casts agree, but for the differences that are named in the scenarios. 1: they do not. 2: usage.
`;

interface Order {
  readonly scenarios: readonly Scenario[];
  readonly casts: readonly Cast[];
  readonly jobs: number;
  readonly isList: boolean;
  readonly isTable: boolean;
}

/** Undefined after usage was told; the exit code is set. */
function order(): Order | undefined {
  const refuse = (reason: string): undefined => {
    process.stderr.write(`differential: ${reason}\n\n${USAGE}`);
    process.exitCode = 2;
  };
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        casts: { type: 'string', default: CASTS.join(',') },
        jobs: { type: 'string', default: '8' },
        list: { type: 'boolean', default: false },
        table: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
    if (values.help) {
      process.stdout.write(USAGE);
      return undefined;
    }
    const isCast = (text: string): text is Cast => CASTS.some((cast) => cast === text);
    const casts = values.casts.split(',').map((text) => text.toUpperCase());
    if (!casts.every(isCast)) return refuse(`--casts ${values.casts}: known are ${CASTS.join(', ')}`);
    if (!/^[1-9]\d{0,2}$/.test(values.jobs)) return refuse(`--jobs ${values.jobs}: not a number from 1 to 999`);
    const scenarios = SCENARIOS.filter(
      ({ name }) => positionals.length === 0 || positionals.some((pattern) => name.includes(pattern)),
    );
    if (scenarios.length === 0) return refuse(`no scenario has ${positionals.join(' or ')} in its name; see --list`);
    return { scenarios, casts, jobs: Number(values.jobs), isList: values.list, isTable: values.table };
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error));
  }
}

async function play({ scenarios, casts, jobs, isTable }: Order): Promise<void> {
  const unavailable = labUnavailable('keepalived');
  if (unavailable !== false) {
    process.stderr.write(`differential: ${unavailable}\n`);
    process.exitCode = 1;
    return;
  }
  const stages = new Stages(jobs);
  const counts = { passed: 0, failed: 0 };
  await Promise.all(
    scenarios.map(async (scenario) => {
      const outcome = await stages.outcome(scenario, casts);
      const isGood = passed(outcome);
      counts[isGood ? 'passed' : 'failed'] += 1;
      process.stdout.write(`${outcomeLine(outcome)}\n`);
      if (!isGood) process.stdout.write(`${failureReport(outcome)}\n`);
      else if (isTable) process.stdout.write(`${table(outcome)}\n`);
    }),
  );
  process.stdout.write(`${counts.passed} passed, ${counts.failed} failed\n`);
  if (counts.failed > 0) process.exitCode = 1;
}

const given = order();
if (given?.isList === true) {
  for (const { name, isRepresentative } of given.scenarios) {
    process.stdout.write(`${name}${isRepresentative ? ' *' : ''}\n`);
  }
  process.stdout.write(`${given.scenarios.length} scenarios; * is in npm test\n`);
} else if (given !== undefined) await play(given);
