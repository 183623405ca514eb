import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stoodStill } from './witness.js';

test('of a span counts what the processor that stood still longest in it did', () => {
  const standstills = [
    [
      { fromMs: 0, toMs: 20 },
      { fromMs: 90, toMs: 130 },
    ],
    [{ fromMs: 30, toMs: 42 }],
  ];
  assert.equal(stoodStill(standstills, 10, 100), 20);
  assert.equal(stoodStill(standstills, 25, 80), 12);
  assert.equal(stoodStill(standstills, 50, 80), 0);
  assert.equal(stoodStill([], 50, 80), 0);
});
