/** docs/features.md names tests that exist. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { sourceRoot } from './source-root.js';

const page = readFileSync(path.join(sourceRoot(), 'docs/features.md'), 'utf8');
const rows = [...page.matchAll(/^\| (\d+) \| (.*?) \| (.) \| (.*?) \| (.*?) \|$/gm)].map(
  ([, number, name, mark, named]) => ({ number: Number(number), name, mark, named: named ?? '' }),
);

test('the rows are numbered without a gap', () => {
  assert.deepEqual(
    rows.map(({ number }) => number),
    rows.map((_, index) => index + 1),
  );
  assert.ok(rows.length >= 46);
});

for (const { number, name, mark, named } of rows) {
  test(`${number} ${name}`, () => {
    if (mark === '–') return;
    const [, file, title] = /^`([^`]+)`: (.+)$/.exec(named) ?? [];
    assert.ok(file !== undefined && title !== undefined, `"${named}" names no test`);
    const source = path.join(sourceRoot(), 'test', `${file}.test.ts`);
    assert.ok(existsSync(source), `there is no ${source}`);
    const text = readFileSync(source, 'utf8');
    const quoted = ["'", '`', '"'].some((quote) => text.includes(`${quote}${title}`));
    assert.ok(quoted, `${file} has no test "${title}"`);
  });
}
