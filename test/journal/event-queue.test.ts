import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EventQueue } from '../../agent/journal/event-queue.js';
import type { EventDraft } from '../../agent/journal/journal.js';
import { info, transition, warning } from './event-draft.js';

const DRAFTS: Readonly<Record<string, (message: string) => EventDraft>> = { i: info, w: warning, t: transition };

/** Adds one event per letter and returns what was dropped, by sequence. */
function fill(queue: EventQueue, kinds: string): number[] {
  return [...kinds].flatMap((kind, index) => {
    const draft = DRAFTS[kind];
    assert.ok(draft);
    return queue.add({ ...draft(kind), sequence: index + 1 });
  });
}

test('the oldest informative event goes first, then the oldest other, and transitions last', () => {
  const rows: readonly (readonly [string, number[], number[]])[] = [
    ['iii', [], [1, 2, 3]],
    ['iiiii', [1, 2], [3, 4, 5]],
    ['tiwit', [2, 4], [1, 3, 5]],
    ['twtwt', [2, 4], [1, 3, 5]],
    ['ttttt', [1, 2], [3, 4, 5]],
    // The newest goes itself when all before it is worth more.
    ['ttti', [4], [1, 2, 3]],
    ['wwwi', [4], [1, 2, 3]],
  ];
  for (const [kinds, dropped, kept] of rows) {
    const queue = new EventQueue(3);
    assert.deepEqual(fill(queue, kinds), dropped, kinds);
    assert.deepEqual(
      queue.pending(0, 10).map(({ sequence }) => sequence),
      kept,
      kinds,
    );
  }
});

test('what is taken is gone, and only so much is given at once', () => {
  const queue = new EventQueue(10);
  fill(queue, 'titw');
  assert.deepEqual(
    queue.pending(1, 2).map(({ sequence }) => sequence),
    [2, 3],
  );
  assert.equal(queue.acknowledge(2), 2);
  assert.equal(queue.acknowledge(2), 0);
  assert.equal(queue.size, 2);
  assert.deepEqual(
    queue.pending(0, 10).map(({ sequence }) => sequence),
    [3, 4],
  );
});

test('the same sequence twice is one event', () => {
  const queue = new EventQueue(2);
  for (const message of ['a', 'b']) queue.add({ ...info(message), sequence: 1 });
  queue.add({ ...info('c'), sequence: 2 });
  assert.deepEqual(
    queue.pending(0, 10).map(({ message }) => message),
    ['b', 'c'],
  );
});
