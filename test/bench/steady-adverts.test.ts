import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jitterOf, takeoversIn } from './steady-adverts.js';

test('jitter is how far the intervals are from what they should be, either way', () => {
  const adverts = [100, 110, 121, 129].map((atMs) => ({ atMs }));
  assert.deepEqual(jitterOf(adverts, 10), [0, 1, 2]);
  assert.deepEqual(jitterOf(adverts.slice(0, 1), 10), []);
});

test('a takeover is each time that the backup begins to advertise, after a silence', () => {
  const adverts = [...'aaabbaab'].map((source, index) => ({ source, atMs: 10 * index }));
  assert.deepEqual(takeoversIn(adverts, 'b'), [
    { silentSinceMs: 20, atMs: 30 },
    { silentSinceMs: 60, atMs: 70 },
  ]);
  assert.deepEqual(takeoversIn(adverts.slice(0, 3), 'b'), []);
  assert.equal(takeoversIn(adverts.slice(3), 'b').length, 2);
});
