import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Renewals } from '../../agent/runtime/renewals.js';
import { leaseDuration } from '../../agent/vrrp/index.js';
import { running } from './kept.js';

/** Every address takes the kernel so long. */
const EACH = 100;

function renewing() {
  let time = 0;
  const clock = { now: () => time };
  const turns: number[] = [];
  let renewed: string[] = [];
  const renewals = new Renewals({
    renew: (each) => {
      for (const { addresses } of each) {
        time += addresses.length * EACH;
        renewed.push(...addresses.map(({ key }) => key));
      }
    },
    clock,
  });
  /** As the timer does it, until nothing waits. */
  const run = () => {
    for (let i = 0; i < 10_000 && renewals.nextAt !== undefined; i++) {
      time = Math.max(time, renewals.nextAt);
      const startedAt = time;
      renewals.onTime(time);
      turns.push(time - startedAt);
    }
  };
  const taken = () => {
    const all = renewed;
    renewed = [];
    return all;
  };
  return { renewals, turns, run, taken, now: () => time, wait: (micros: number) => (time += micros) };
}

const ipv6 = (count: number) => running({ addresses: Array.from({ length: count }, (_, i) => `fd00::${i + 1}`) });

test('many IPv6 addresses are renewed in portions, each once, before an eighth of the lease is over', () => {
  const { renewals, turns, run, taken, now } = renewing();
  const router = ipv6(250);
  renewals.add(router, 0);
  run();
  const keys = taken();
  assert.equal(keys.length, 250);
  assert.equal(new Set(keys).size, 250);
  assert.ok(Math.max(...turns) <= 2_000, `longest turn ${Math.max(...turns)} us`);
  assert.ok(now() <= leaseDuration(router.router) / 8, `${now()}`);
});

test('when time runs short the rest is renewed at once', () => {
  const { renewals, taken, wait, now } = renewing();
  const router = ipv6(250);
  renewals.add(router, 0);
  renewals.onTime(now());
  const before = taken().length;
  assert.ok(before > 0 && before < 50, `${before}`);
  wait(leaseDuration(router.router) / 8);
  renewals.onTime(now());
  assert.equal(taken().length, 250 - before);
  assert.equal(renewals.nextAt, undefined);
});

test('IPv4 addresses of all routers are renewed together, and none rests', () => {
  const { renewals, taken } = renewing();
  const [a, b] = [running({ addresses: ['10.0.0.1'] }), running({ addresses: ['10.0.0.2'] })];
  renewals.add(a, 0);
  renewals.add(b, 0);
  assert.equal(renewals.nextAt, undefined);
  renewals.onTime(0);
  assert.equal(taken().length, 2);
});

test('who gives up renews nothing more; changed addresses are renewed from the first; the end finishes what waits', () => {
  const { renewals, taken, now } = renewing();
  const [a, b] = [ipv6(100), ipv6(100)];
  renewals.add(a, 0);
  renewals.onTime(now());
  taken();
  renewals.delete(a);
  renewals.finish();
  assert.deepEqual(taken(), []);
  renewals.add(b, now());
  renewals.finish();
  assert.equal(taken().length, 100);
  renewals.add(b, now());
  renewals.onTime(now());
  taken();
  b.wanted = b.wanted.slice(0, 60);
  renewals.finish();
  assert.deepEqual(
    taken(),
    b.wanted.map(({ key }) => key),
  );
});
