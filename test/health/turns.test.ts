import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Turns } from '../../agent/health/turns.js';
import { settled } from '../local/manual-clock.js';

function setUp() {
  const callbacks: (() => void)[] = [];
  const turns = new Turns((callback) => callbacks.push(callback));
  /** The thread has done all else. */
  const goOn = async () => {
    callbacks.shift()?.();
    await settled();
  };
  return { turns, goOn, callbacks };
}

test('the first goes at once, then one each time that the thread has done all else', async () => {
  const { turns, goOn } = setUp();
  const order: number[] = [];
  for (const number of [1, 2, 3]) void turns.next().then(() => order.push(number));
  await settled();
  assert.deepEqual(order, [1]);
  await goOn();
  assert.deepEqual(order, [1, 2]);
  await goOn();
  assert.deepEqual(order, [1, 2, 3]);
});

test('nothing is asked of the thread while nobody waits, and who comes then goes at once', async () => {
  const { turns, goOn, callbacks } = setUp();
  await turns.next();
  await goOn();
  assert.equal(callbacks.length, 0);
  await turns.next();
  assert.equal(callbacks.length, 1);
});
