import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Flood } from '../../agent/journal/flood.js';

const MINUTE = 60_000_000;
const ONE = { router: 'pg', source: '192.0.2.1', count: 1 };

test('the first is told at once, those of the next minute as one', () => {
  const flood = new Flood();
  assert.deepEqual(flood.add(ONE, 1_000), ONE);
  assert.equal(flood.add(ONE, 2_000), undefined);
  assert.equal(flood.add({ ...ONE, count: 5 }, 3_000), undefined);
  assert.equal(flood.nextDeadline(), 1_000 + MINUTE);
  assert.deepEqual(flood.due(1_000 + MINUTE - 1), []);
  assert.deepEqual(flood.due(1_000 + MINUTE), [{ ...ONE, count: 6 }]);
  // It goes on: the next minute has begun.
  assert.equal(flood.add(ONE, 2_000 + MINUTE), undefined);
  assert.deepEqual(flood.due(1_000 + 2 * MINUTE), [ONE]);
});

test('after a quiet minute the next is a first one again', () => {
  const flood = new Flood();
  flood.add(ONE, 0);
  assert.deepEqual(flood.due(MINUTE), []);
  assert.equal(flood.nextDeadline(), undefined);
  assert.deepEqual(flood.add(ONE, MINUTE + 1), ONE);
});

test('routers and sources are apart', () => {
  const flood = new Flood();
  flood.add(ONE, 0);
  assert.deepEqual(flood.add({ ...ONE, router: 'web' }, 1), { ...ONE, router: 'web' });
  assert.deepEqual(flood.add({ ...ONE, source: '192.0.2.2' }, 1), { ...ONE, source: '192.0.2.2' });
});

test('forged sources do not fill the memory', () => {
  const flood = new Flood();
  let told = 0;
  for (let source = 0; source < 10_000; source += 1) {
    if (flood.add({ ...ONE, source: `source ${source}` }, 0) !== undefined) told += 1;
  }
  assert.equal(told, 257);
  assert.deepEqual(flood.due(MINUTE), [{ router: 'pg', source: 'many', count: 10_000 - 257 }]);
});
