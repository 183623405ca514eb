import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HookRunner } from '../../agent/hooks/hook-runner.js';
import type { HookCommand } from '../../agent/hooks/notification.js';
import { CheckResult } from '../../proto/gen/baton/v1/status.js';
import { FakePrograms } from '../health/fake-programs.js';
import { ManualClock, settled } from '../local/manual-clock.js';

function hook(file: string, seconds?: number): HookCommand {
  return {
    hook: 'any',
    command: [file],
    user: undefined,
    timeout: seconds === undefined ? undefined : { seconds, nanos: 0 },
  };
}

function setUp() {
  const clock = new ManualClock();
  const programs = new FakePrograms(clock);
  const finished: string[] = [];
  const runner = new HookRunner(programs, {
    finished: (router, run) => finished.push(`${router} ${run.command[0]} ${run.result.replace('CHECK_RESULT_', '')}`),
  });
  const started = (): string[] => programs.processes.map(({ request }) => request.name);
  return { clock, programs, finished, runner, started };
}

test('hooks of one router run one after the other, in order', async () => {
  const { programs, finished, runner, started } = setUp();
  runner.run('pg', [hook('/1'), hook('/2')]);
  runner.run('pg', [hook('/3')]);
  await settled();
  assert.deepEqual(started(), ['/1']);
  programs.last.exit(0);
  await settled();
  assert.deepEqual(started(), ['/1', '/2']);
  programs.last.exit(9);
  await settled();
  programs.last.exit(0);
  assert.deepEqual(finished, ['pg /1 OK', 'pg /2 FAILED', 'pg /3 OK']);
});

test('routers do not wait for each other', async () => {
  const { runner, started } = setUp();
  runner.run('a', [hook('/a')]);
  runner.run('b', [hook('/b')]);
  await settled();
  assert.deepEqual(started(), ['/a', '/b']);
});

test('the next one waits until a hook that timed out is gone', async () => {
  const { clock, programs, finished, runner, started } = setUp();
  programs.obeys = ['SIGKILL'];
  runner.run('pg', [hook('/slow', 3), hook('/next')]);
  await clock.advance(3_000);
  assert.deepEqual(finished, ['pg /slow TIMED_OUT']);
  assert.deepEqual(started(), ['/slow']);
  await clock.advance(2_000);
  assert.deepEqual(started(), ['/slow', '/next']);
});

test('a hook without a timeout has 60 seconds', async () => {
  const { clock, finished, runner } = setUp();
  runner.run('pg', [hook('/slow')]);
  await clock.advance(59_999);
  assert.deepEqual(finished, []);
  await clock.advance(1);
  assert.deepEqual(finished, ['pg /slow TIMED_OUT']);
});

test('a router that changes faster than its hooks end loses the oldest that wait, and says so', async () => {
  const { finished, runner, started } = setUp();
  runner.run('pg', [hook('/running')]);
  await settled();
  for (let change = 1; change <= 33; change += 1) runner.run('pg', [hook(`/${change}`)]);
  assert.deepEqual(finished, ['pg /1 CANNOT_RUN']);
  assert.deepEqual(started(), ['/running']);
});

test('draining waits for what runs and waits', async () => {
  const { programs, finished, runner } = setUp();
  runner.run('pg', [hook('/stop'), hook('/any')]);
  await settled();
  const drained = runner.drain(5_000);
  programs.last.exit(0);
  await settled();
  programs.last.exit(0);
  await drained;
  assert.deepEqual(finished, ['pg /stop OK', 'pg /any OK']);
});

test('draining ends what takes too long and gives up what waits', async () => {
  const { clock, programs, finished, runner } = setUp();
  runner.run('pg', [hook('/stop'), hook('/any')]);
  await settled();
  const drained = runner.drain(5_000);
  await clock.advance(5_000);
  await drained;
  assert.deepEqual(finished, ['pg /any CANNOT_RUN', 'pg /stop KILLED']);
  assert.deepEqual(programs.last.signals.slice(0, 1), ['SIGTERM']);
  runner.run('pg', [hook('/late')]);
  await settled();
  assert.equal(programs.processes.length, 1);
});

test('a hook that may not run is a recorded result', async () => {
  const { programs, finished, runner } = setUp();
  programs.verdict = { ok: false, result: CheckResult.REFUSED, reason: 'no' };
  runner.run('pg', [hook('/a'), hook('/b')]);
  await settled();
  await settled();
  assert.deepEqual(finished, ['pg /a REFUSED', 'pg /b REFUSED']);
});
