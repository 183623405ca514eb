/** The exhaustive search, as far as it is quick: two nodes to the end, three with one fault, and broken cores. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { bugNamed } from '../sim/bugs.js';
import { PRODUCTION_CORE } from '../sim/core.js';
import { story, summary } from './report.js';
import { type Fault, type Scenario, type Size, scenarios } from './scenario.js';
import { search } from './search.js';

const ALL: readonly Fault[] = ['loss', 'delay', 'crash', 'pause', 'check', 'stop'];

function named(name: string, size: Size): Scenario {
  const found = scenarios(size).find((each) => each.name === name);
  if (found === undefined) throw new RangeError(`no scenario is named ${name}`);
  return found;
}

function holds(scenario: Scenario): ReturnType<typeof search> {
  const found = search(scenario, { core: PRODUCTION_CORE });
  assert.equal(found.counterexample, undefined, found.counterexample && story(found.counterexample).join('\n'));
  assert.ok(!found.isCut, summary(found));
  assert.ok(found.longestWrong <= found.bound);
  return found;
}

describe('every state that two nodes can come to, with any number of faults', () => {
  for (const scenario of scenarios({ nodes: 2, quanta: 2, faults: ['loss', 'delay', 'crash', 'pause'] })) {
    test(`${scenario.name}: ${scenario.says}`, () => {
      const { states, longestWrong } = holds(scenario);
      assert.ok(states > 10_000, `${states} states`);
      // It does take a down interval until somebody takes over: the check looks at something.
      assert.ok(longestWrong >= 7, `${longestWrong} quanta`);
    });
  }

  test('checks that fail and recover as well', () => {
    const { states } = holds(
      named('preempt', { nodes: 2, quanta: 2, faults: ['loss', 'delay', 'crash', 'pause', 'check'] }),
    );
    assert.ok(states > 100_000, `${states} states`);
  });
});

test('every state that two nodes can come to in finer time, with one fault of any kind', () => {
  holds(named('preempt', { nodes: 2, quanta: 4, budget: 1 }));
});

test('every state that three nodes can come to, with one fault of any kind', () => {
  const { states } = holds(named('preempt', { nodes: 3, quanta: 2, budget: 1 }));
  assert.ok(states > 20_000, `${states} states`);
});

test('every state that three equal nodes can come to, with two faults of these kinds', () => {
  const { states } = holds(named('equal', { nodes: 3, quanta: 2, budget: 2, faults: ['loss', 'crash', 'pause'] }));
  assert.ok(states > 20_000, `${states} states`);
});

describe('a broken core has a shortest counterexample', () => {
  const rows: readonly (readonly [core: string, scenario: string, events: number, wrong: RegExp])[] = [
    ['nothing is advertised', 'preempt', 2, /^I-1: A, B are active/],
    ['a higher priority is ignored while active', 'preempt', 3, /^I-1: A, B are active/],
    ['an equal priority makes the active router yield', 'equal', 2, /^I-2: A, B could be active, and nobody is/],
    ['down interval of thirty advertisements', 'preempt', 1, /^I-2: A could be active, and nobody is/],
    ['leases are never renewed', 'preempt', 1, /^I-2: A is active without the addresses/],
    ['an active router sleeps for ever', 'preempt', 1, /^I-2: A is active without the addresses/],
    ['nobody preempts', 'preempt', 3, /^I-3: B is active, and A is better/],
    ['addresses are kept when yielding', 'preempt', 3, /^I-4: B holds the addresses and is not active/],
    ['addresses are kept in fault', 'preempt', 11, /^I-5: A is in fault and holds the addresses/],
    ['a failed check is no fault', 'preempt', 2, /^I-5: A is active although its check fails/],
  ];
  for (const [core, scenario, events, wrong] of rows) {
    test(core, () => {
      const size: Size = { nodes: 2, quanta: 2, faults: ALL };
      const found = search(named(scenario, size), { core: bugNamed(core)(), most: 20_000 });
      const { counterexample } = found;
      assert.ok(counterexample !== undefined, summary(found));
      assert.match(counterexample.wrong, wrong);
      assert.equal(counterexample.trace.length, events, story(counterexample).join('\n'));
      const again = search(named(scenario, size), { core: bugNamed(core)(), most: 20_000 });
      assert.deepEqual(again.counterexample, counterexample, 'the same every time');
    });
  }

  test('told as a story', () => {
    const size: Size = { nodes: 2, quanta: 2, faults: ALL };
    const found = search(named('preempt', size), { core: bugNamed('addresses are kept in fault')() });
    assert.ok(found.counterexample !== undefined);
    assert.deepEqual(story(found.counterexample), [
      'I-5: A is in fault and holds the addresses; a shortest way there has 11 events:',
      '  A: STARTS; initialize -> backup (startup)',
      '  -- 7 quanta pass',
      '  A: timer; adds the addresses; advertises 128; backup -> active (active-down)',
      '  CHECK FAILS: A',
      '  A: learns of its check; advertises 0; active -> fault (track-failed)',
    ]);
  });
});
