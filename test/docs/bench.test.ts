import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { sourceRoot } from './source-root.js';

const read = (file: string): string => readFileSync(path.join(sourceRoot(), file), 'utf8');
const tableOf = (text: string): readonly string[] => text.split('\n').filter((line) => line.startsWith('|'));

test("README's comparison table is the output of the last full bench", () => {
  const bench = read('docs/bench/latest.md');
  const table = tableOf(bench);
  assert.ok(table.length > 10, 'a table of some length');
  const section = read('README.md').split('## Beside keepalived\n')[1]?.split('\n## ')[0] ?? '';
  assert.deepEqual(tableOf(section), table);
  const machine = bench.split('\n')[0] ?? '?';
  assert.ok(section.includes(machine), `README says on what machine: ${machine}`);
});

test('the table and the raw samples are of one run', () => {
  const run = JSON.parse(read('docs/bench/latest.json')) as {
    readonly began: string;
    readonly rows: readonly { readonly figures?: readonly { readonly what: string }[] }[];
  };
  const bench = read('docs/bench/latest.md');
  assert.ok(bench.includes(run.began), run.began);
  for (const { figures = [] } of run.rows) for (const { what } of figures) assert.ok(bench.includes(`| ${what}`), what);
});
