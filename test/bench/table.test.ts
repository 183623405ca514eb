import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Figure, ratioOf, verdictOf } from './figure.js';
import type { Goal } from './goal.js';
import { markdownTable, textTable } from './table.js';

const WIDTH = 120;

function figure(given: Partial<Figure> = {}): Figure {
  return {
    what: 'outage',
    unit: 'ms',
    keepalived: { values: [2, 4, 3] },
    baton: { values: [1.5, 1.25, 1.75] },
    goal: { kind: 'times', factor: 0.7 },
    ...given,
  };
}

test('a line has the medians of the rounds, what they range over, the ratio of the medians, and the verdict', () => {
  const [, rule, line] = textTable([figure()], WIDTH);
  assert.match(rule ?? '', /^-+$/);
  assert.equal(line?.replaceAll(/ {2,}/g, '|'), 'outage, ms|3 (2–4)|1.50 (1.25–1.75)|0.50|≤ 0.7 ×|yes');
});

test('nothing is wider than the terminal, and no word of a long name is lost', () => {
  const what = 'a takeover that is described at a length that no terminal has room for, and then some more of the same';
  const lines = textTable([figure({ what }), figure()], WIDTH);
  assert.ok(lines.every((line) => line.length <= WIDTH));
  const first = lines.slice(2, -1).map((line, index) => (index === 0 ? line.split('  ')[0] : line.trim()));
  assert.equal(first.join(' '), `${what}, ms`);
  assert.ok(first.length > 1);
});

test('what could not be measured is not a number, has no ratio and meets nothing', () => {
  const missing = figure({ baton: { reason: 'it did not settle' } });
  assert.equal(ratioOf(missing), undefined);
  assert.equal(verdictOf(missing), 'unknown');
  const [line = ''] = textTable([missing], WIDTH).slice(2);
  assert.match(line, /not measured +— +≤ 0.7 × +\?$/);
});

test('a figure without a peer is judged by an absolute goal only', () => {
  const keepalived = { reason: 'it cannot' };
  assert.equal(verdictOf(figure({ keepalived })), 'unknown');
  assert.equal(verdictOf(figure({ keepalived, goal: { kind: 'atMost', limit: 1.5 } })), 'yes');
  assert.equal(verdictOf(figure({ keepalived, goal: { kind: 'atMost', limit: 1.4 } })), 'no');
});

test('goals, at their edges', () => {
  const judged = (goal: Goal, keepalived: number, baton: number) =>
    verdictOf(figure({ goal, keepalived: { values: [keepalived] }, baton: { values: [baton] } }));
  assert.equal(judged({ kind: 'times', factor: 1.2 }, 10, 12), 'yes');
  assert.equal(judged({ kind: 'times', factor: 1.2 }, 10, 12.1), 'no');
  assert.equal(judged({ kind: 'atMost', limit: 0 }, 5, 0), 'yes');
  assert.equal(judged({ kind: 'atMost', limit: 0 }, 5, 1), 'no');
  const bare: Goal = { kind: 'timesOther', factor: 1.3, other: 'a bare Node', value: 40 };
  assert.equal(judged(bare, 5, 52), 'yes');
  assert.equal(judged(bare, 5, 52.1), 'no');
  assert.equal(judged({ kind: 'none' }, 1, 100), 'no goal');
});

test('a keepalived that needed no time gives no ratio', () => {
  assert.equal(ratioOf(figure({ keepalived: { values: [0] } })), undefined);
});

test('Markdown', () => {
  assert.deepEqual(markdownTable([figure({ what: 'a|b', unit: '', goal: { kind: 'atMost', limit: 5 } })]), [
    '| what | keepalived | Baton | ratio | goal | met |',
    '| --- | --- | --- | --- | --- | --- |',
    '| a\\|b | 3 (2–4) | 1.50 (1.25–1.75) | 0.50 | ≤ 5 | yes |',
  ]);
});
