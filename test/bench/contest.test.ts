import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Contest } from './contest.js';
import type { Kind } from './figure.js';

const say = (): void => undefined;
const NONE = { kind: 'none' } as const;

test('who begins alternates', async () => {
  const order: Kind[] = [];
  await Contest.hold({ rounds: 3, say }, async (kind) => {
    order.push(kind);
    return {};
  });
  assert.deepEqual(order, ['keepalived', 'baton', 'baton', 'keepalived', 'keepalived', 'baton']);
});

test('a figure has one value a round: the statistic of that round', async () => {
  const contest = await Contest.hold({ rounds: 2, say }, async (kind, round) => ({
    ms: kind === 'baton' ? [round, round + 1, round + 5] : [10 * round],
  }));
  const figure = contest.figure('delay', 'ms', 'ms', 'median', NONE);
  assert.deepEqual(figure.baton, { values: [2, 3] });
  assert.deepEqual(figure.keepalived, { values: [10, 20] });
  assert.deepEqual(contest.figure('delay', 'ms', 'ms', 'max', NONE).baton, { values: [6, 7] });
});

test('a turn that fails is told and leaves the others; a program that never could be measured says why', async () => {
  const contest = await Contest.hold({ rounds: 2, say }, async (kind, round) => {
    if (kind === 'baton' || round === 1) throw new Error(`no ${kind}`);
    return { ms: [4] };
  });
  const figure = contest.figure('delay', 'ms', 'ms', 'median', NONE);
  assert.deepEqual(figure.keepalived, { values: [4] });
  assert.deepEqual(figure.baton, { reason: 'no baton' });
  assert.deepEqual(contest.failures, [
    'round 1, keepalived: not measured: no keepalived',
    'round 1, baton: not measured: no baton',
    'round 2, baton: not measured: no baton',
  ]);
});

test('a quantity without samples is no zero', async () => {
  const contest = await Contest.hold({ rounds: 1, say }, async () => ({ ms: [] }));
  assert.deepEqual(contest.figure('delay', 'ms', 'ms', 'sum', NONE).baton, { reason: 'no round gave a sample' });
});
