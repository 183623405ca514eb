import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Outcome } from '../../agent/net/system-error.js';
import { type Item, ItemKeeper, type ItemKernel } from '../../agent/runtime/item-keeper.js';
import { listener, OK, refused } from './kept.js';

/** A kernel in which items are texts. */
class FakeKernel implements ItemKernel<Item, string> {
  readonly kind = 'route';
  readonly there = new Set<string>();
  readonly calls: string[] = [];
  /** Why nothing can be added now. */
  refusal: string | undefined;
  missing: string | undefined;

  ask({ text }: Item) {
    return text === this.missing
      ? ({ ok: false, reason: 'the interface em9 does not exist' } as const)
      : ({ ok: true, request: text } as const);
  }
  add(requests: readonly string[]): readonly Outcome[] {
    this.calls.push(`add ${requests.join()}`);
    return requests.map((text) => {
      if (this.refusal !== undefined) return refused(this.refusal);
      if (this.there.has(text)) return refused('EEXIST');
      this.there.add(text);
      return OK;
    });
  }
  claim(requests: readonly string[]): readonly Outcome[] {
    return this.add(requests);
  }
  remove(requests: readonly string[]): readonly Outcome[] {
    this.calls.push(`remove ${requests.join()}`);
    for (const text of requests) this.there.delete(text);
    return requests.map(() => OK);
  }
  isThere(text: string): boolean {
    return this.there.has(text);
  }
  removeLeft(requests: readonly string[]): readonly Outcome[] {
    return requests.map((text) => (this.there.delete(text) ? OK : refused('ESRCH')));
  }
}

function keeping() {
  const kernel = new FakeKernel();
  const { outbox, of } = listener();
  const counters: Record<string, number> = {};
  const owner = {
    name: 'r',
    count: (counter: string) => {
      counters[counter] = (counters[counter] ?? 0) + 1;
    },
  };
  return { kernel, keeper: new ItemKeeper(kernel, outbox), of, owner, counters };
}

const item = (text: string, noTrack = false): Item => ({ text, noTrack });
const A = item('a');
const B = item('b');
const C = item('c');

test('what is wanted is added in order and removed in the opposite one', () => {
  const { kernel, keeper, owner } = keeping();
  keeper.sync(owner, [A, B]);
  keeper.sync(owner, [B, C]);
  assert.deepEqual([...kernel.there], ['b', 'c']);
  keeper.remove(owner);
  assert.deepEqual(kernel.calls, ['add a,b', 'remove a', 'add c', 'remove c,b']);
  assert.equal(keeper.isHeld(owner, 'b'), false);
});

test('what was removed is put back, each time, and told of once a minute', () => {
  const { kernel, keeper, of, owner, counters } = keeping();
  keeper.sync(owner, [A, B]);
  for (let second = 0; second < 61; second++) {
    kernel.there.delete('a');
    assert.equal(keeper.restore(owner, [A, B], second * 1_000_000), false);
    assert.ok(kernel.there.has('a'));
  }
  const told = of('item');
  assert.deepEqual(
    told.map(({ item: text, change }) => [text, change]),
    [
      ['a', 'restored'],
      ['a', 'restored'],
    ],
  );
  assert.match(told[1]?.detail ?? '', /59 times more/);
  assert.equal(counters['restorations'], 61);
});

test('what cannot be put back is lost, unless nobody minds; what is there is not', () => {
  for (const noTrack of [false, true]) {
    const { kernel, keeper, of, owner } = keeping();
    const wanted = [item('a', noTrack), B];
    keeper.sync(owner, wanted);
    kernel.refusal = 'ENETUNREACH';
    assert.equal(keeper.restore(owner, wanted, 0), false, 'refused, but all is there');
    assert.ok(keeper.isHeld(owner, 'a'));
    kernel.there.delete('a');
    assert.equal(keeper.restore(owner, wanted, 0), !noTrack);
    assert.equal(keeper.isHeld(owner, 'a'), false);
    assert.match(keeper.failureOf(owner, 'a') ?? '', /ENETUNREACH/);
    assert.ok(of('item').some(({ change }) => change === 'removed-by-other'));
    const before = of('item').length;
    assert.equal(keeper.restore(owner, wanted, 0), false, 'it was not there any more');
    assert.equal(of('item').length, before, 'told once');
    kernel.refusal = undefined;
    keeper.restore(owner, wanted, 0);
    assert.ok(keeper.isHeld(owner, 'a'));
    assert.equal(keeper.failureOf(owner, 'a'), undefined);
  }
});

test('an item whose interface is not there waits for it', () => {
  const { kernel, keeper, of, owner } = keeping();
  kernel.missing = 'a';
  keeper.sync(owner, [A, B]);
  assert.deepEqual([...kernel.there], ['b']);
  assert.equal(of('item')[0]?.detail, 'the interface em9 does not exist');
  kernel.missing = undefined;
  assert.equal(keeper.restore(owner, [A, B], 0), false);
  assert.deepEqual([...kernel.there], ['b', 'a']);
});

test('leftovers are what is there and not held', () => {
  const { kernel, keeper, of, owner } = keeping();
  kernel.there.add('a');
  keeper.removeLeftovers(owner, [A, B]);
  assert.deepEqual(
    of('item').map(({ item: text, change }) => [text, change]),
    [['a', 'leftover-removed']],
  );
  keeper.sync(owner, [A]);
  keeper.removeLeftovers(owner, [A]);
  assert.ok(kernel.there.has('a'));
});
