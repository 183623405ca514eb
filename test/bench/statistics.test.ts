import assert from 'node:assert/strict';
import { test } from 'node:test';
import { condense, median, quantile, slope, spreadOf } from './statistics.js';

test('a quantile lies between the two nearest samples, in any order of them', () => {
  const samples = [40, 10, 30, 20];
  assert.equal(quantile(samples, 0), 10);
  assert.equal(quantile(samples, 1), 40);
  assert.equal(median(samples), 25);
  // (4 - 1) * 0.9 = 2.7: seven tenths of the way from 30 to 40.
  assert.equal(quantile(samples, 0.9), 37);
  assert.deepEqual(samples, [40, 10, 30, 20]);
});

test('numbers are compared as numbers', () => {
  assert.equal(median([9, 10, 100]), 10);
});

test('one sample is every quantile of itself, none has none', () => {
  assert.equal(quantile([7], 0.99), 7);
  assert.ok(Number.isNaN(median([])));
});

test('statistics by name', () => {
  const samples = Array.from({ length: 101 }, (_, index) => index);
  assert.equal(condense(samples, 'median'), 50);
  assert.equal(condense(samples, 'p99'), 99);
  assert.equal(condense(samples, 'max'), 100);
  assert.equal(condense(samples, 'sum'), 5050);
  assert.equal(condense([], 'sum'), 0);
});

test('a spread has the middle and both ends', () => {
  assert.deepEqual(spreadOf([3, 1, 2]), { median: 2, least: 1, most: 3 });
  assert.equal(spreadOf([]), undefined);
});

test('the slope is that of the line of least squares', () => {
  assert.equal(slope([5, 7, 9, 11]), 2);
  assert.equal(slope([4, 4, 4]), 0);
  // Deviations of x: -1, 0, 1; of y: -1, 2, -1; products: 1, 0, -1.
  assert.equal(slope([0, 3, 0]), 0);
  assert.equal(slope([3]), 0);
  assert.equal(slope([]), 0);
});
