import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CLOSE, ReceivePace, ROUND_GAP } from '../../agent/net/receive-pace.js';
import { ReceiveRounds } from '../../agent/net/receive-rounds.js';

/** A socket in simulated time, read as its pace says: how long each packet waited, and how often anybody woke up. */
function simulate(arrivals: readonly number[], mostAtOnce = Number.POSITIVE_INFINITY) {
  const pace = new ReceivePace();
  const waited: number[] = [];
  let readings = 0;
  let next = 0;
  let nextRound = 0;
  const readUntil = (now: number) => {
    readings += 1;
    const before = next;
    for (; next < arrivals.length && (arrivals[next] ?? 0) <= now && next - before < mostAtOnce; next++) {
      waited.push(now - (arrivals[next] ?? 0));
    }
    return next === before ? 'nothing' : next - before === mostAtOnce ? 'more than is read at once' : 'something';
  };
  let now = 0;
  while (next < arrivals.length) {
    if (pace.isInRounds) {
      now = Math.max(now, nextRound);
      nextRound = now + ROUND_GAP;
      pace.round(readUntil(now));
      continue;
    }
    now = Math.max(now, arrivals[next] ?? 0);
    pace.woken(now);
    readUntil(now);
    nextRound = now + ROUND_GAP;
  }
  return { pace, waited, longest: Math.max(...waited), readings };
}

const every = (gap: number, count: number, from = 0) => Array.from({ length: count }, (_, i) => from + i * gap);

test('what comes seldom is read at once', () => {
  for (const gap of [CLOSE, 2_000, 10_000, 1_000_000]) {
    const { longest, readings } = simulate(every(gap, 500));
    assert.equal(longest, 0, `${gap} µs apart`);
    assert.equal(readings, 500);
  }
});

test('a handful that comes together is read at once', () => {
  const bursts = Array.from({ length: 100 }, (_, burst) => every(20, 8, burst * 10_000)).flat();
  assert.equal(simulate(bursts).longest, 0);
});

test('255 routers at 20 ms are read in rounds, and nothing waits longer than the gap', () => {
  const { longest, readings } = simulate(every(20_000 / 255, 12_750));
  assert.ok(longest <= ROUND_GAP, `${longest} µs`);
  // One second: 500 rounds instead of 12,750 readings.
  assert.ok(readings <= 520, `${readings} readings`);
});

test('after a flood, and between bursts, a single one is read at once again', () => {
  const burst = every(50, 200);
  for (const gap of [5_000, 10_000]) {
    const alone = every(gap, 50, 100_000);
    const { waited, longest } = simulate([...burst, ...alone]);
    assert.ok(longest <= ROUND_GAP);
    assert.deepEqual(
      waited.slice(burst.length).filter((wait) => wait > 0),
      [],
      `${gap} µs apart`,
    );
  }
  // Where one is not over before the other begins, two at 10 ms: the first few of them may still wait.
  const { waited } = simulate([...burst, ...every(5_000, 50, 200 * 50)]);
  assert.ok(waited.slice(burst.length + 4).every((wait) => wait === 0));
});

test('more than is read at once is read without waiting for another round', () => {
  const pace = new ReceivePace();
  for (let i = 0; i < 20; i++) pace.woken(i * 10);
  assert.equal(pace.isInRounds, true);
  pace.round('something');
  assert.equal(pace.isInRounds, true);
  pace.round('more than is read at once');
  assert.equal(pace.isInRounds, false);
  // All at one instant: at most one round's wait is added, however many there are.
  const { longest } = simulate(every(0, 10_000), 128);
  assert.ok(longest <= ROUND_GAP * Math.ceil(10_000 / 128));
});

test('one empty round does not end it, two do', () => {
  const pace = new ReceivePace();
  for (let i = 0; i < 20; i++) pace.woken(i * 10);
  for (let i = 0; i < 10; i++) for (const found of ['nothing', 'something'] as const) pace.round(found);
  assert.equal(pace.isInRounds, true);
  for (let i = 0; i < 2; i++) pace.round('nothing');
  assert.equal(pace.isInRounds, false);
});

test('all busy sockets share one timer, which runs while there is one', () => {
  const open: (() => void)[] = [];
  let made = 0;
  const rounds = new ReceiveRounds((gap, onTick) => {
    assert.equal(gap, ROUND_GAP);
    made += 1;
    open.push(onTick);
    return { close: () => void open.splice(open.indexOf(onTick), 1) };
  });
  const read: string[] = [];
  const a = () => void read.push('a');
  const b = () => {
    read.push('b');
    rounds.leave(b);
  };
  rounds.read();
  assert.deepEqual(read, []);
  assert.equal(rounds.join(a), true);
  assert.equal(rounds.join(b), true);
  assert.deepEqual([made, open.length], [1, 1]);
  open[0]?.();
  open[0]?.();
  assert.deepEqual(read, ['a', 'b', 'a']);
  rounds.leave(a);
  rounds.leave(a);
  assert.equal(open.length, 0);
  rounds.join(b);
  assert.deepEqual([made, open.length], [2, 1]);
});

test('without a timer there are no rounds', () => {
  const rounds = new ReceiveRounds(() => {
    throw new Error('EMFILE');
  });
  assert.equal(
    rounds.join(() => assert.fail('it has not joined')),
    false,
  );
  rounds.read();
});
