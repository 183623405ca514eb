import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StatusNews } from '../../agent/local/node-status.js';
import { StatusReporter } from '../../agent/local/status-reporter.js';
import { MemberState } from '../../proto/gen/baton/v1/status.js';
import { ManualClock } from './manual-clock.js';
import { sampleStatus, secondsAgo } from './sample-status.js';

test('only what differs in more than counters and clocks is news', () => {
  const news = new StatusNews();
  assert.equal(news.since(sampleStatus())?.full, false);
  assert.equal(news.since(sampleStatus({ counters: { x: 5 }, nextDeadline: { seconds: 1, nanos: 0 } })), undefined);
  const changed = news.since(sampleStatus({ state: MemberState.ACTIVE }));
  assert.deepEqual([changed?.status.routers.map(({ name }) => name), changed?.status.checks.length], [['pg'], 0]);
  assert.equal(news.since(sampleStatus({ state: MemberState.ACTIVE })), undefined);
});

test('when something is gone, everything is told', () => {
  const news = new StatusNews();
  news.since(sampleStatus());
  const told = news.since(sampleStatus({}, { checks: [] }));
  assert.deepEqual([told?.full, told?.status.routers.length, told?.status.checks.length], [true, 1, 0]);
});

test('another run of a check with the same result is no news, another result is', () => {
  const news = new StatusNews();
  news.since(sampleStatus());
  const [check] = sampleStatus().checks;
  assert.ok(check);
  const again = { ...check, runs: 31, lastRun: secondsAgo(0), consecutive: 5 };
  assert.equal(news.since(sampleStatus({}, { checks: [again] })), undefined);
  assert.deepEqual(
    news
      .since(sampleStatus({}, { checks: [{ ...again, exitCode: 2 }] }))
      ?.status.checks.map(({ exitCode }) => exitCode),
    [2],
  );
});

test('what happens at one moment is told together, and nothing without a listener is computed', async () => {
  const clock = new ManualClock();
  let asked = 0;
  let state = MemberState.BACKUP;
  const reporter = new StatusReporter(clock, async () => {
    asked += 1;
    return sampleStatus({ state });
  });
  reporter.changed();
  await clock.advance(60_000);
  assert.equal(asked, 0);
  const told: string[] = [];
  const unsubscribe = reporter.subscribe((status) => told.push(status.routers.map((router) => router.state).join()));
  await clock.advance(100);
  assert.deepEqual([asked, told], [1, [MemberState.BACKUP]]);
  state = MemberState.ACTIVE;
  for (let time = 0; time < 5; time += 1) reporter.changed();
  await clock.advance(100);
  assert.deepEqual([asked, told.length], [2, 2]);
  // Changes that nobody announced are found before long.
  state = MemberState.FAULT;
  await clock.advance(10_000);
  assert.deepEqual(told.at(-1), MemberState.FAULT);
  unsubscribe();
  const before = asked;
  await clock.advance(120_000);
  assert.equal(asked, before);
});
