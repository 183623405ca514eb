import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { BootClock } from '../../agent/runtime/boot-clock.js';

const SECOND = 1_000_000;

/** A machine that has been up for 1000 s, whose process has been there for 5 s. */
function machine() {
  const state = { counted: 5 * SECOND, wallMs: 1_700_000_000_000, boot: 1_000 * SECOND, readings: 0 };
  const clock = new BootClock({
    counted: () => state.counted,
    wallMs: () => state.wallMs,
    boot: () => {
      state.readings += 1;
      return state.boot;
    },
  });
  const pass = (micros: number) => {
    state.counted += micros;
    state.boot += micros;
    state.wallMs += micros / 1_000;
  };
  return { state, clock, pass };
}

describe('the clock of the elections', () => {
  test('goes on without a system call', () => {
    const { state, clock, pass } = machine();
    const before = state.readings;
    for (let second = 1; second <= 100; second += 1) {
      pass(SECOND);
      assert.equal(clock.now(), (1_000 + second) * SECOND);
    }
    assert.equal(state.readings, before);
  });

  test('counts the time that the machine was suspended', () => {
    const { state, clock, pass } = machine();
    pass(SECOND);
    state.boot += 30 * SECOND;
    state.wallMs += 30_000;
    assert.equal(clock.now(), 1_031 * SECOND);
    pass(SECOND);
    assert.equal(clock.now(), 1_032 * SECOND);
  });

  test('is not moved by steps of the wall clock, however great', () => {
    const { state, clock, pass } = machine();
    for (const step of [3_600_000, -7_200_000, 365 * 86_400_000, -1]) {
      state.wallMs += step;
      pass(SECOND);
    }
    assert.equal(clock.now(), 1_004 * SECOND);
  });

  test('never goes back, though a suspension and a step of the wall clock come together', () => {
    const { state, clock, pass } = machine();
    let last = clock.now();
    for (let turn = 0; turn < 50; turn += 1) {
      pass(10_000);
      if (turn % 3 === 0) state.wallMs -= 500;
      if (turn % 5 === 0) state.boot += 200_000;
      const now = clock.now();
      assert.ok(now >= last);
      last = now;
    }
  });

  test('sees a suspension that the wall clock hides at the next step of it', () => {
    const { state, clock, pass } = machine();
    state.boot += 10 * SECOND;
    pass(SECOND);
    assert.equal(clock.now(), 1_001 * SECOND);
    state.wallMs += 200;
    assert.equal(clock.now(), 1_011 * SECOND);
  });
});
