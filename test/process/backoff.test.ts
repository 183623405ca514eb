import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Backoff } from '../../proto/process/backoff.js';

describe('back-off', () => {
  test('the bound doubles up to the greatest', () => {
    const backoff = new Backoff({ initialMs: 100, maxMs: 1_000, random: () => 0.5 });
    assert.deepStrictEqual(
      Array.from({ length: 6 }, () => backoff.next()),
      [50, 100, 200, 400, 500, 500],
    );
  });

  test('full jitter: anything from 0 up to the bound', () => {
    const at = (random: number): number => new Backoff({ initialMs: 100, maxMs: 1_000, random: () => random }).next();
    assert.equal(at(0), 0);
    assert.equal(at(0.999_999), 100);
  });

  test('is short again after a success', () => {
    const backoff = new Backoff({ initialMs: 100, maxMs: 1_000, random: () => 0.5 });
    backoff.next();
    backoff.next();
    backoff.reset();
    assert.equal(backoff.next(), 50);
  });

  test('the first wait is not longer than the greatest', () => {
    assert.equal(new Backoff({ initialMs: 5_000, maxMs: 1_000, random: () => 0.5 }).next(), 500);
  });
});
