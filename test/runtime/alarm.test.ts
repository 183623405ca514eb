import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Alarm } from '../../agent/runtime/alarm.js';

const SECOND = 1_000_000;

function alarm() {
  const armed: number[] = [];
  const timer = { arm: (at: number) => void armed.push(at), disarm: () => undefined, close: () => undefined };
  return { alarm: new Alarm(timer), armed };
}

test('the timer is armed once for all that was asked for, and again only for what is sooner', () => {
  const { alarm: it, armed } = alarm();
  for (const at of [30, 10, undefined, 20]) it.by(at);
  assert.deepEqual(armed, []);
  it.set();
  it.set();
  assert.deepEqual(armed, [10]);
  it.by(15);
  it.set();
  it.by(5);
  it.set();
  assert.deepEqual(armed, [10, 5]);
});

test('when it has fired it is armed for nothing that was asked for before, but for what is to be tried again', () => {
  const { alarm: it, armed } = alarm();
  it.retryLater(0);
  it.by(10);
  it.set();
  assert.equal(it.fired(10), false);
  it.set();
  assert.deepEqual(armed, [10, SECOND]);
  assert.equal(it.fired(SECOND), true);
  it.set();
  assert.equal(armed.length, 2);
});
