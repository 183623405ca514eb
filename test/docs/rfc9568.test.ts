/** docs/rfc9568.md and test/rfc/ have the same sentences, and what the page names exists. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { sourceRoot } from './source-root.js';

const ROOT = sourceRoot();
const read = (file: string) => readFileSync(path.join(ROOT, file), 'utf8');
const page = read('docs/rfc9568.md');

interface Sentence {
  readonly id: string;
  readonly state: string;
  readonly code: string;
  readonly title: string;
  readonly also: string;
  /** Of the tests of its section. */
  readonly file: string;
}

const ID = /^(R|R3768|E)-[\d.]+(-\d+)?$/;

/** Cells of a row of a table; a bar within a cell is escaped. */
function cellsOf(line: string): string[] {
  return line
    .split(/(?<!\\)\|/)
    .slice(1, -1)
    .map((cell) => cell.trim());
}

function sentences(): Sentence[] {
  const found: Sentence[] = [];
  let file = '';
  for (const line of page.split('\n')) {
    const tests = /^Tests: `([^`]+)`$/.exec(line);
    if (tests?.[1] !== undefined) file = tests[1];
    if (line.startsWith('## ')) file = '';
    const [id = '', , state = '', code = '', title = '', also = ''] = line.startsWith('|') ? cellsOf(line) : [];
    if (ID.test(id)) found.push({ id, state, code, title, also, file });
  }
  return found;
}

interface Named {
  readonly file: string;
  readonly title: string;
  /** Decision records of which it says "Deviation: decision NNNN." */
  readonly deviations: readonly string[];
}

/** Tests by id. */
function tests(): Map<string, readonly Named[]> {
  const found = new Map<string, readonly Named[]>();
  for (const name of readdirSync(path.join(ROOT, 'test/rfc')).filter((each) => each.endsWith('.test.ts'))) {
    const file = `test/rfc/${name}`;
    for (const text of read(file).split(/^(?=test\()/m)) {
      const [, quote, id = '', title = ''] = /^test\(\s*(['"`])(\S+) (.*?)\1,/s.exec(text) ?? [];
      if (quote === undefined) continue;
      assert.notEqual(quote, '`', `${file}: the title of ${id} is not a plain string`);
      const deviations = [...text.matchAll(/Deviation: decision (\d{4})\./g)].map(([, record = '']) => record);
      found.set(id, [...(found.get(id) ?? []), { file, title, deviations }]);
    }
    const all = [...read(file).matchAll(/^\s*(test|it|describe)\b/gm)].length;
    const named = [...found.values()].flat().filter((each) => each.file === file).length;
    assert.equal(named, all, `${file}: every test stands by itself and is named after its sentence`);
  }
  return found;
}

/** Paths in back quotes, each with the symbol that follows it, if one does. */
function namesIn(cell: string): { readonly file: string; readonly symbol: string | undefined }[] {
  const quoted = [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);
  return quoted.flatMap((name, index) => {
    if (!name.includes('/')) return [];
    const next = quoted[index + 1];
    return [{ file: name, symbol: next?.includes('/') ? undefined : next }];
  });
}

function declares(file: string, symbol: string): boolean {
  const top = new RegExp(`^(export )?(async )?(function\\*?|const|class|interface|type) ${symbol}\\b`, 'm');
  const inside = new RegExp(`^ +((private|protected|readonly|static|get|async|override) )*#?${symbol}\\b *[(:=<]`, 'm');
  const text = read(file);
  return top.test(text) || inside.test(text);
}

test('each sentence has exactly the test that the page names', () => {
  const known = tests();
  const named = sentences();
  assert.ok(named.length > 150, 'no sentences were found');
  assert.equal(new Set(named.map(({ id }) => id)).size, named.length, 'an id is used twice');
  for (const { id, file, title } of named) {
    assert.deepEqual(
      known.get(id)?.map((each) => [each.file, each.title]),
      [[file, title]],
      id,
    );
  }
});

test('each test has its sentence on the page', () => {
  const named = new Set(sentences().map(({ id }) => id));
  assert.deepEqual(
    [...tests().keys()].filter((id) => !named.has(id)),
    [],
  );
});

test('every file and symbol that is named exists', () => {
  const missing: string[] = [];
  for (const { id, code, also } of sentences()) {
    const places = namesIn(code);
    if (places.length === 0 || places.some(({ symbol }) => symbol === undefined)) missing.push(`${id}: no code`);
    for (const { file, symbol } of [...places, ...namesIn(also)]) {
      if (!existsSync(path.join(ROOT, file))) missing.push(`${id}: ${file}`);
      else if (symbol !== undefined && !declares(file, symbol)) missing.push(`${id}: ${symbol} in ${file}`);
    }
  }
  assert.deepEqual(missing, []);
});

test('a sentence is met, or deviates by a decision that exists and that its test names as well', () => {
  const known = tests();
  const wrong: string[] = [];
  for (const { id, state } of sentences()) {
    const records = state === 'met' ? [] : (/^deviates: (\d{4}(?:, \d{4})*)$/.exec(state)?.[1] ?? state).split(', ');
    const said = known.get(id)?.[0]?.deviations ?? [];
    if (said.join() !== records.join()) wrong.push(`${id}: ${state} on the page, ${said.join()} in its test`);
  }
  assert.deepEqual(wrong, []);
  const records = readdirSync(path.join(ROOT, 'docs/decisions'));
  for (const [record = ''] of page.matchAll(/\b00\d\d\b/g)) {
    assert.ok(
      records.some((name) => name.startsWith(`${record}-`)),
      `decision ${record}`,
    );
  }
});

test('the numbers at the top are right', () => {
  const all = sentences();
  const met = all.filter(({ state }) => state === 'met').length;
  const [, unconcerned = ''] = page.split('## What does not concern Baton\n');
  const none = unconcerned
    .split('\n')
    .filter((line) => line.startsWith('| ') && !line.startsWith('| section |')).length;
  const numbers = [all.length + none, met, all.length - met, none];
  const [total, ...parts] = numbers;
  const claim = `**${total} sentences: ${parts[0]} met, ${parts[1]} deviate, ${parts[2]} do not concern Baton.**`;
  assert.ok(page.includes(claim), claim);
});
