/** The bench itself, quickly and with two of its rows: what it prints and writes. No figure is judged. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { attempt } from '../lab/command.js';
import { labUnavailable } from '../lab/lab.js';
import { KINDS } from './figure.js';

const MAIN = fileURLToPath(new URL('./main.js', import.meta.url));
const WIDTH = 120;

/** What of the JSON file is looked at. */
interface Written {
  readonly machine: Readonly<Record<string, unknown>>;
  readonly loadAtBegin: number;
  readonly quick: boolean;
  readonly rows: readonly {
    readonly name: string;
    readonly figures: readonly { readonly what: string; readonly baton: { readonly median: number } }[];
    readonly turns: readonly { readonly kind: string; readonly samples: Readonly<Record<string, readonly number[]>> }[];
  }[];
}

const skip = labUnavailable('keepalived', 'tcpdump');

test('a quick run of two rows gives a table, and every sample in a file', { skip }, async (t) => {
  const directory = mkdtempSync(path.join(tmpdir(), 'bench-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const file = (name: string) => path.join(directory, name);
  const only = ['--quick', '--only', 'agent-start,churn'];
  const words = [MAIN, ...only, '--json', file('run.json'), '--markdown', file('run.md')];
  const { exit, stdout, stderr } = await attempt(process.execPath, words);
  assert.equal(exit, 0, stderr);
  for (const line of stdout.split('\n')) assert.ok(line.length <= WIDTH || line.includes(': '), line);
  assert.match(stdout, /^what +keepalived +Baton +ratio +goal +met$/m);

  const written = JSON.parse(readFileSync(file('run.json'), 'utf8')) as Written;
  for (const fact of ['processor', 'kernel', 'node', 'keepalived', 'commit']) {
    assert.match(String(written.machine[fact]), /./, fact);
  }
  assert.equal(written.quick, true);
  assert.ok(written.loadAtBegin >= 0);
  assert.deepEqual(
    written.rows.map(({ name }) => name),
    ['agent-start', 'churn'],
  );
  const [start, churn] = written.rows;
  assert.deepEqual(
    start?.turns.map(({ kind }) => kind),
    [...KINDS],
  );
  for (const { samples } of start?.turns ?? []) {
    for (const quantity of ['first advert ms', 'backup ms']) {
      const values = samples[quantity] ?? [];
      assert.ok(values.length > 0, quantity);
      for (const value of values) assert.ok(value > 0 && value < 30_000, `${quantity}: ${value}`);
    }
  }
  assert.ok(Number.isFinite(churn?.figures[0]?.baton.median));
  const markdown = readFileSync(file('run.md'), 'utf8');
  for (const row of written.rows) for (const { what } of row.figures) assert.ok(markdown.includes(`| ${what}, `), what);
});

test('called wrongly it says how it is called', async () => {
  const { exit, stderr } = await attempt(process.execPath, [MAIN, '--only', 'nothing']);
  assert.equal(exit, 2);
  assert.match(stderr, /there is no row "nothing": takeover, /);
  assert.match(stderr, /usage: npm run bench/);
});
