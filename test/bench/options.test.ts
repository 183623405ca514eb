import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BadOptions, parseOptions } from './options.js';
import type { Row } from './row.js';

const ROWS: readonly Row[] = ['one', 'two', 'three'].map((name) => ({
  name,
  summary: '',
  run: async () => ({ figures: [], turns: [], notes: [] }),
}));
const names = (...args: string[]) => parseOptions(args, ROWS).rows.map(({ name }) => name);

test('every row and three rounds, or one where it is to be quick', () => {
  assert.deepEqual(names(), ['one', 'two', 'three']);
  assert.equal(parseOptions([], ROWS).rounds, 3);
  assert.equal(parseOptions(['--quick'], ROWS).rounds, 1);
  assert.equal(parseOptions(['--quick', '--rounds', '5'], ROWS).rounds, 5);
});

test('rows by name, in the order wanted', () => {
  assert.deepEqual(names('--only', 'three, one'), ['three', 'one']);
});

test('what makes no sense is refused with what there is', () => {
  assert.throws(() => names('--only', 'four'), { message: 'there is no row "four": one, two, three' });
  for (const rounds of ['0', '1.5', 'many', '101', '']) {
    assert.throws(() => names('--rounds', rounds), BadOptions);
  }
  assert.throws(() => names('--fast'), BadOptions);
  assert.throws(() => names('everything'), BadOptions);
});
