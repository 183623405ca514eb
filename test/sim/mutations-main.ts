/** The mutation check; see USAGE. */
import { readFileSync, writeFileSync } from 'node:fs';
import { BUGS } from './bugs.js';
import { runProgram, UsageError, wholeNumber } from './command-line.js';
import { catchAll, documentOf, MOST_SCHEDULES, tableOf } from './mutation-table.js';
import { usualJobs } from './pool.js';

const DOCUMENT = 'docs/mutations.md';

const USAGE = `usage: npm run mutations -- [--write] [--list] [--jobs N]
  Runs every seeded bug until a schedule catches it, ${MOST_SCHEDULES} at most, in as many threads (one a processor), and
  prints which seed did and what did not hold. --write also writes ${DOCUMENT}; --list only names the bugs.
  The last line is "N passed, N failed": caught and not caught; exit 1 if any is not.`;

await runProgram(
  USAGE,
  { write: { type: 'boolean' }, list: { type: 'boolean' }, jobs: { type: 'string' } },
  async ({ write, list, jobs = String(usualJobs()) }, positionals) => {
    if (positionals.length > 0) throw new UsageError(`what is "${positionals.join(' ')}"?`);
    if (list) {
      process.stdout.write(
        Object.keys(BUGS)
          .map((name) => `${name}\n`)
          .join(''),
      );
      return 0;
    }
    const catches = await catchAll(wholeNumber('--jobs', jobs, 1));
    process.stdout.write(tableOf(catches));
    if (write) rewrite(documentOf(catches));
    const failed = catches.filter(({ caught }) => caught === undefined).length;
    process.stdout.write(`${catches.length - failed} passed, ${failed} failed\n`);
    return failed > 0 ? 1 : 0;
  },
);

function rewrite(document: string): void {
  let before = '';
  try {
    before = readFileSync(DOCUMENT, 'utf8');
  } catch {
    // It is made.
  }
  if (before !== document) writeFileSync(DOCUMENT, document);
  process.stderr.write(`${DOCUMENT} ${before === document ? 'is as it was' : 'is written'}\n`);
}
