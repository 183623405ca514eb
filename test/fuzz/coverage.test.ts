import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CoverageMap, Sampler, shareOf } from './coverage.js';

const sampler = new Sampler();
const { classify } = await import('./fixture-blocks.js');
const FILE = 'test/fuzz/fixture-blocks.ts';

test('blocks are counted as the text says, and news is what was not reached before', () => {
  const map = new CoverageMap([FILE]);
  sampler.take();
  const run = (value: number) => {
    classify(value);
    return sampler.take();
  };
  assert.ok(map.add(run(4)), 'the first of all');
  assert.ok(!map.hasNews(run(6)), 'the same blocks');
  const odd = run(5);
  assert.ok(map.hasNews(odd) && map.hasNews(odd), 'asking remembers nothing');
  assert.ok(map.add(odd) && !map.add(odd));
  assert.ok(map.add(run(11)));
  const [report] = map.report();
  assert.deepEqual(report?.missing, []);
  assert.equal(report?.reached, report?.blocks);
  assert.ok((report?.blocks ?? 0) >= 5, String(report?.blocks));
});

test('what is not reached is named by its line', () => {
  const map = new CoverageMap([FILE]);
  sampler.take();
  classify(4);
  map.add(sampler.take());
  const [report] = map.report();
  assert.deepEqual(
    report?.missing.map((line) => line.split(' ', 1)[0]),
    [`${FILE}:4`, `${FILE}:6`],
  );
  assert.ok(shareOf(map.report()) < 1);
});

test('steps are how often blocks are entered, whatever the machine', () => {
  const map = new CoverageMap([FILE]);
  const steps = [10, 20].map((count) => {
    sampler.take();
    for (let i = 0; i < count; i += 1) classify(4);
    return map.stepsOf(sampler.take());
  });
  assert.equal(steps[1], (steps[0] ?? 0) * 2);
  assert.ok((steps[0] ?? 0) >= 10);
});
