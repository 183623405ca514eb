import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  afterRun,
  carriedOver,
  type Hysteresis,
  initialStanding,
  rescaled,
  type Standing,
} from '../../agent/health/rise-fall.js';

/** + is a success, - a failure; the result is one letter per run: u up, d down, ? unknown. */
function play(hysteresis: Hysteresis, runs: string, from: Standing = initialStanding(hysteresis)): string {
  let standing = from;
  return [...runs]
    .map((run) => {
      standing = afterRun(standing, hysteresis, run === '+' ? 'success' : 'failure');
      return { up: 'u', down: 'd', unknown: '?' }[standing.state];
    })
    .join('');
}

const ROWS: readonly (readonly [rise: number, fall: number, runs: string, states: string])[] = [
  [1, 1, '+-+-', 'udud'],
  // Before the first verdict a single failure decides, whatever fall is.
  [1, 5, '-', 'd'],
  [3, 5, '-', 'd'],
  // And a single success, whatever rise is: the counter begins at rise - 1.
  [3, 5, '+', 'u'],
  [1, 3, '+---+', 'uuudu'],
  // Any success starts the count of failures afresh.
  [1, 3, '+--+--+---', 'uuuuuuuuud'],
  [3, 1, '-++-+++', 'dddd' + 'ddu'],
  [2, 2, '-+++--', 'dduuud'],
  [2, 3, '+--+---++', 'uuuuuud' + 'du'],
];

for (const [rise, fall, runs, states] of ROWS) {
  test(`rise ${rise}, fall ${fall}: ${runs} gives ${states}`, () => {
    assert.equal(play({ rise, fall }, runs), states);
  });
}

test('new limits keep the failures counted so far', () => {
  const before = { rise: 1, fall: 3 };
  let standing = afterRun(initialStanding(before), before, 'success');
  standing = afterRun(standing, before, 'failure');
  const after = { rise: 1, fall: 2 };
  assert.equal(play(after, '-', rescaled(standing, before, after)), 'd');
  const later = { rise: 2, fall: 4 };
  assert.equal(play(later, '---', rescaled(standing, before, later)), 'uud');
});

test('new limits never change the state by themselves', () => {
  const before = { rise: 1, fall: 5 };
  let standing = afterRun(initialStanding(before), before, 'success');
  for (let run = 0; run < 4; run += 1) standing = afterRun(standing, before, 'failure');
  const after = { rise: 1, fall: 1 };
  assert.equal(rescaled(standing, before, after).state, 'up');
  assert.equal(play(after, '-', rescaled(standing, before, after)), 'd');
});

test('successes counted so far go on counting under a new rise', () => {
  const before = { rise: 3, fall: 1 };
  const standing = ['failure', 'success', 'success'].reduce(
    (at, verdict) => afterRun(at, before, verdict === 'success' ? 'success' : 'failure'),
    initialStanding(before),
  );
  assert.equal(play({ rise: 3, fall: 1 }, '+', rescaled(standing, before, { rise: 3, fall: 1 })), 'u');
  assert.equal(play({ rise: 2, fall: 1 }, '+', rescaled(standing, before, { rise: 2, fall: 1 })), 'u');
});

test('a state taken over holds until the first result, which decides alone', () => {
  const limits = { rise: 3, fall: 3 };
  assert.equal(carriedOver('up', limits).state, 'up');
  assert.equal(play(limits, '-', carriedOver('up', limits)), 'd');
  assert.equal(play(limits, '+', carriedOver('down', limits)), 'u');
});
