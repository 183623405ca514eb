import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Orphans } from '../../agent/health/orphans.js';
import { ManualClock } from '../local/manual-clock.js';

function setUp() {
  const clock = new ManualClock();
  const children = new Map<number, boolean>();
  const reaped: number[] = [];
  let looks = 0;
  const orphans = new Orphans(
    {
      children: () => {
        looks += 1;
        return [...children].map(([id, isZombie]) => ({ id, isZombie }));
      },
      reap: (id) => {
        reaped.push(id);
        children.delete(id);
      },
      later: (delay, callback) => clock.after(delay, callback),
    },
    (id) => id < 10,
  );
  return { clock, children, reaped, orphans, looks: () => looks };
}

test('a zombie that nobody waited for between two looks is reaped; those of programs started here are Node’s', async () => {
  const { clock, children, reaped, orphans } = setUp();
  children.set(5, true);
  children.set(50, true);
  orphans.mayBe();
  await clock.advance(430);
  assert.deepEqual(reaped, []);
  await clock.advance(430);
  assert.deepEqual(reaped, [50]);
});

test('while orphans run they are looked at every five seconds, and not at all afterwards', async () => {
  const { clock, children, reaped, orphans, looks } = setUp();
  children.set(50, false);
  orphans.mayBe();
  orphans.mayBe();
  await clock.advance(6_000);
  assert.equal(looks(), 2);
  children.set(50, true);
  await clock.advance(6_000);
  assert.deepEqual(reaped, [50]);
  const before = looks();
  await clock.advance(60_000);
  assert.equal(looks(), before);
});
