/** What caught each seeded bug, and the document that says so. */
import { BUGS } from './bugs.js';
import { type Batch, runBatches } from './pool.js';

/** A bug that so many schedules, those of the seeds from 0 on, do not catch is not caught. */
export const MOST_SCHEDULES = 1_500;

export interface Catch {
  readonly bug: string;
  /** Absent: nothing caught it. */
  readonly caught?: { readonly seed: number; readonly invariant: string };
  readonly schedules: number;
}

/** Every bug with the first seed that catches it, in the order of the list. */
export async function catchAll(jobs: number, bugs = Object.keys(BUGS)): Promise<readonly Catch[]> {
  const catches = new Map<string, Catch>();
  const batches = bugs.map((bug): Batch => ({ bug, from: 0, to: MOST_SCHEDULES }));
  await runBatches(batches, jobs, ({ batch: { bug = '' }, ran, failures: [first] }) => {
    const caught = first && { seed: first.seed, invariant: first.invariant };
    catches.set(bug, { bug, schedules: ran, ...(caught && { caught }) });
    return true;
  });
  return bugs.flatMap((bug) => catches.get(bug) ?? []);
}

/** Rows of a Markdown table. */
export function tableOf(catches: readonly Catch[]): string {
  const rows = catches.map(({ bug, caught, schedules }) => [
    bug,
    caught === undefined ? 'not caught' : String(caught.seed),
    caught?.invariant ?? '',
    String(schedules),
  ]);
  return [['seeded bug', 'caught at seed', 'by', 'schedules needed'], ['---', '---:', '---', '---:'], ...rows]
    .map((row) => `| ${row.join(' | ')} |\n`)
    .join('');
}

/** The bugs that a document's table names. */
export function bugsIn(document: string): readonly string[] {
  return [...document.matchAll(/^\| (.+?) \| (?:\d+|not caught) \| .*\|$/gm)].map(([, bug = '']) => bug);
}

export function documentOf(catches: readonly Catch[]): string {
  const caught = catches.filter(({ caught }) => caught !== undefined);
  const most = Math.max(0, ...caught.map(({ schedules }) => schedules));
  return `# Mutation check of the simulation

A simulation is worth what it notices. Each of these ${catches.length} bugs is seeded in the production core, one at a time, as a
programmer could have made it, and the simulator runs schedules, those of the seeds 0, 1, 2 and so on, until something does
not hold. ${caught.length} of ${catches.length} are caught, the latest by schedule ${most}.

\`npm run mutations\` prints this table, \`npm run mutations -- --write\` writes this file; \`npm test\` holds the list to the
code and catches every one of them again. To see how a bug is caught, replay its seed:
\`node dist/test/sim/replay.js SEED --bug 'NAME'\`.

I-1 at most one active among those who hear each other. I-2 somebody is, in time. I-3 with preemption the best. I-4 addresses
only where a router is active, or until their lease ends, and the right ones. I-5 fault holds nothing, and only for a reason.
I-6 sync groups agree. I-7 no transition without an event. I-10 memory and answers are bounded. I-11 one forged advertisement
costs at most a down interval. P2 who was away too long steps down. P8 a planned handover leaves no address without an answer.
The others are named after what they look at on one host: \`election\` who yields and who answers, \`priority\` what is advertised,
\`skew\` who is first, \`init\` what has to be known at a start, \`nopreempt\` who must stay, \`resume\` what the next process goes on
with, \`probe\` asking before claiming, \`effects\` that intentions fit each other, \`group\` that who yields along is silent,
\`any\` that the rest of a group goes on, \`tick\` and \`progress\` that timers mean what they say.

${tableOf(catches)}`;
}
