import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jitterOf, takeoversIn } from './steady-adverts.js';

test('jitter is how far the intervals are from what they should be, either way', () => {
  const adverts = [100, 110, 121, 129].map((atMs) => ({ atMs }));
  assert.deepEqual(jitterOf(adverts, 10), [0, 1, 2]);
  assert.deepEqual(jitterOf(adverts.slice(0, 1), 10), []);
});

test('a takeover is each time that the backup begins to advertise', () => {
  const adverts = [...'aaabbaab'].map((source) => ({ source }));
  assert.equal(takeoversIn(adverts, 'b'), 2);
  assert.equal(takeoversIn(adverts.slice(0, 3), 'b'), 0);
  assert.equal(takeoversIn(adverts.slice(3), 'b'), 2);
});
