import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Deadlines, type Waiting } from '../../agent/runtime/deadlines.js';

interface Sleeper extends Waiting {
  deadline: number | undefined;
}

const sleeper = (name: string, deadline?: number): Sleeper => ({ name, deadline, queuedAt: undefined });

function names(items: readonly Sleeper[]): string {
  return items.map(({ name }) => name).join(' ');
}

test('those that are due come in the order of their deadlines, then of their names, and only once', () => {
  const deadlines = new Deadlines<Sleeper>();
  for (const item of [sleeper('c', 20), sleeper('b', 10), sleeper('a', 20), sleeper('d', 30), sleeper('e')]) {
    deadlines.changed(item);
  }
  assert.equal(deadlines.next, 10);
  assert.equal(names(deadlines.takeDue(9)), '');
  assert.equal(names(deadlines.takeDue(20)), 'b a c');
  assert.equal(names(deadlines.takeDue(20)), '');
  assert.equal(deadlines.next, 30);
});

test('one that was put off is not due, and comes when it is', () => {
  const deadlines = new Deadlines<Sleeper>();
  const [put, other] = [sleeper('put off', 10), sleeper('other', 15)];
  for (const item of [put, other]) deadlines.changed(item);
  put.deadline = 40;
  deadlines.changed(put);
  assert.equal(names(deadlines.takeDue(12)), '');
  assert.equal(deadlines.next, 15);
  assert.equal(names(deadlines.takeDue(39)), 'other');
  assert.equal(names(deadlines.takeDue(40)), 'put off');
});

test('one that was brought forward comes sooner, and one that waits no more not at all', () => {
  const deadlines = new Deadlines<Sleeper>();
  const items = Array.from({ length: 20 }, (_none, index) => sleeper(`s${index}`, 100 + index));
  for (const item of items) deadlines.changed(item);
  const [last, gone] = [items[19], items[3]];
  assert.ok(last !== undefined && gone !== undefined);
  last.deadline = 5;
  deadlines.changed(last);
  gone.deadline = undefined;
  deadlines.changed(gone);
  assert.equal(deadlines.next, 5);
  assert.equal(names(deadlines.takeDue(103)), 's19 s0 s1 s2');
  assert.equal(deadlines.next, 104);
});

test('whatever happens, exactly those are due that a look at all of them finds', () => {
  const change = fc.tuple(fc.nat(7), fc.option(fc.nat(100), { nil: undefined }));
  fc.assert(
    fc.property(fc.array(fc.oneof(change, fc.nat(100))), (acts) => {
      const deadlines = new Deadlines<Sleeper>();
      const items = Array.from({ length: 8 }, (_none, index) => sleeper(`s${index}`));
      for (const act of acts) {
        if (typeof act !== 'number') {
          const item = items[act[0]];
          assert.ok(item);
          item.deadline = act[1];
          deadlines.changed(item);
          continue;
        }
        const waiting = items.flatMap(({ deadline }) => deadline ?? []);
        assert.equal(deadlines.next, waiting.length === 0 ? undefined : Math.min(...waiting));
        const due = items.filter(({ deadline }) => deadline !== undefined && deadline <= act);
        const taken = deadlines.takeDue(act);
        assert.deepEqual(new Set(taken), new Set(due));
        assert.equal(taken.length, due.length);
        for (const item of taken) {
          item.deadline = undefined;
          deadlines.changed(item);
        }
      }
    }),
  );
});
