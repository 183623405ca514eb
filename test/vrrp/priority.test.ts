import assert from 'node:assert/strict';
import { test } from 'node:test';
import { currentPriority, effectivePriority, type TrackState } from '../../agent/vrrp/index.js';
import { sampleRouter } from './sample-router.js';

// weight, reversed, contribution when up, when down; without a result it is always 0.
const ROWS: readonly (readonly [weight: number, reverse: boolean, up: number, down: number])[] = [
  [20, false, 20, 0],
  [-20, false, 0, -20],
  [20, true, -20, 0],
  [-20, true, 0, 20],
];

for (const [weight, reverse, up, down] of ROWS) {
  test(`weight ${weight}${reverse ? ' reversed' : ''}: ${up} when up, ${down} when down, 0 without a result`, () => {
    const router = sampleRouter({ tracks: [{ id: 'check pg', weight, reverse }] });
    const of = (state: TrackState) => effectivePriority(router, { 'check pg': state }).priority;
    assert.equal(of('up'), 100 + up);
    assert.equal(of('down'), 100 + down);
    assert.equal(of('unknown'), 100);
    assert.equal(effectivePriority(router, {}).priority, 100);
  });
}

test('every term is told, and they add up', () => {
  const router = sampleRouter({
    priority: 250,
    tracks: [
      { id: 'check a', weight: 10, reverse: false },
      { id: 'check b', weight: -3, reverse: false },
      { id: 'interface em1', weight: 0, reverse: false },
    ],
  });
  assert.deepEqual(effectivePriority(router, { 'check a': 'up', 'check b': 'down' }), {
    priority: 254,
    terms: [
      { term: 'base', value: 250, reason: 'configured priority' },
      { term: 'check a', value: 10, reason: 'up, weight +10' },
      { term: 'check b', value: -3, reason: 'down, weight -3' },
      { term: 'clamp', value: -3, reason: 'kept between 1 and 254' },
    ],
    faults: [],
    pending: ['interface em1'],
  });
});

test('it never falls below 1', () => {
  const router = sampleRouter({ priority: 5, tracks: [{ id: 'check a', weight: -50, reverse: false }] });
  const { priority, terms } = effectivePriority(router, { 'check a': 'down' });
  assert.equal(priority, 1);
  assert.deepEqual(terms.at(-1), { term: 'clamp', value: 46, reason: 'kept between 1 and 254' });
});

test('nothing moves the priority of an owner', () => {
  const router = sampleRouter({ priority: 255, tracks: [{ id: 'check a', weight: -50, reverse: false }] });
  assert.equal(currentPriority(router, { 'check a': 'down' }), 255);
  const { priority, terms } = effectivePriority(router, { 'check a': 'down' });
  assert.equal(priority, 255);
  assert.deepEqual(
    terms.map(({ value }) => value),
    [255, 0],
  );
});

test('weight 0 is a fault while down, reversed while up, and pending without a result', () => {
  const router = sampleRouter({
    tracks: [
      { id: 'check a', weight: 0, reverse: false },
      { id: 'check b', weight: 0, reverse: true },
    ],
  });
  const faults = (a: TrackState, b: TrackState) => effectivePriority(router, { 'check a': a, 'check b': b }).faults;
  assert.deepEqual(faults('up', 'down'), []);
  assert.deepEqual(faults('down', 'down'), ['check a']);
  assert.deepEqual(faults('up', 'up'), ['check b']);
  assert.deepEqual(effectivePriority(router, { 'check a': 'up' }).pending, ['check b']);
});

// value, weight, reversed, contribution (or a fault)
const VALUES: readonly (readonly [value: number, weight: number, reverse: boolean, wanted: number | 'fault'])[] = [
  [5, 10, false, 50],
  [5, 10, true, -50],
  [5, -10, false, -50],
  [-5, -10, false, 50],
  [0, 10, true, 0],
  [26, 10, false, 253],
  [1_000_000, 254, false, 253],
  [-253, 1, false, -253],
  [-254, 1, false, 'fault'],
  [127, 2, true, 'fault'],
  [2_147_483_647, -254, false, 'fault'],
  [1, 0, false, 'fault'],
  [-1, 0, false, 'fault'],
  [0, 0, false, 0],
  [0, 0, true, 'fault'],
  [7, 0, true, 0],
];

for (const [value, weight, reverse, wanted] of VALUES) {
  test(`value ${value}, weight ${weight}${reverse ? ' reversed' : ''}: ${wanted}`, () => {
    const router = sampleRouter({ priority: 1, tracks: [{ id: 'check file', weight, reverse }] });
    const { terms, priority, faults } = effectivePriority(router, { 'check file': value });
    assert.deepEqual(faults, wanted === 'fault' ? ['check file'] : []);
    if (wanted === 'fault') return;
    const term = terms.find((each) => each.term === 'check file');
    assert.equal(term?.value ?? 0, wanted);
    assert.equal(Object.is(term?.value, -0), false);
    assert.equal(priority, Math.min(254, Math.max(1, 1 + wanted)));
  });
}

test('values are explained', () => {
  const router = sampleRouter({ tracks: [{ id: 'check file', weight: -10, reverse: true }] });
  const explained = (value: number) => effectivePriority(router, { 'check file': value }).terms[1];
  assert.deepEqual(explained(3), { term: 'check file', value: 30, reason: 'value 3, weight -10 reversed' });
  assert.equal(explained(30)?.reason, 'value 30, weight -10 reversed, at most 253');
  assert.equal(explained(-26)?.reason, 'value -26, weight -10 reversed: -254 or less is a fault');
});

test('no value puts an owner in fault but with weight 0', () => {
  const owner = (weight: number) =>
    sampleRouter({ priority: 255, tracks: [{ id: 'check file', weight, reverse: false }] });
  assert.deepEqual(effectivePriority(owner(-254), { 'check file': 9 }).faults, []);
  assert.deepEqual(effectivePriority(owner(0), { 'check file': 9 }).faults, ['check file']);
});

test('a sum that is too low is no fault', () => {
  const tracks = ['a', 'b'].map((id) => ({ id: `check ${id}`, weight: -1, reverse: false }));
  const { faults, priority } = effectivePriority(sampleRouter({ tracks }), { 'check a': 200, 'check b': 200 });
  assert.deepEqual([faults, priority], [[], 1]);
});
