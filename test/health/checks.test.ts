import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CheckSettings } from '../../agent/health/check-settings.js';
import { CheckSupervisor } from '../../agent/health/checks.js';
import { CheckResult } from '../../proto/gen/baton/v1/status.js';
import { ManualClock } from '../local/manual-clock.js';
import { FakeChecks } from './fake-checks.js';
import { FakePrograms } from './fake-programs.js';

const PG: CheckSettings = {
  name: 'pg',
  interval: 1_000,
  timeout: 500,
  hysteresis: { rise: 1, fall: 2 },
  startJitter: 0,
  probe: { kind: 'exec', command: ['/pg'] },
};

function setUp() {
  const clock = new ManualClock();
  const programs = new FakePrograms(clock);
  const states: string[] = [];
  const edges = new FakeChecks(programs);
  const supervisor = new CheckSupervisor(edges, {
    stateChanged: (name, state) => states.push(`${name} ${state}`),
    statusChanged: () => undefined,
  });
  const status = (name = 'pg') => {
    const found = supervisor.statuses().find((check) => check.name === name);
    assert.ok(found);
    return found;
  };
  return { clock, programs, edges, states, supervisor, status };
}

test('a check runs at once and then at a fixed rate, however long each run takes', async () => {
  const { clock, programs, supervisor } = setUp();
  supervisor.configure([PG]);
  const starts: number[] = [];
  const began = clock.now();
  for (let at = 0; at <= 3_000; at += 100) {
    await clock.advance(at === 0 ? 0 : 100);
    if (programs.processes.length > starts.length) {
      starts.push((clock.now() - began) / 1_000);
    }
    // Each run takes 300 ms.
    if (at % 1_000 === 300) programs.last.exit(0);
  }
  assert.deepEqual(starts, [0, 1_000, 2_000, 3_000]);
});

test('rise and fall decide, and only changes are told', async () => {
  const { clock, programs, states, supervisor, status } = setUp();
  supervisor.configure([PG]);
  for (const code of [0, 0, 1, 0, 1, 1, 1, 0]) {
    await clock.advance(0);
    programs.last.exit(code);
    await clock.advance(1_000);
  }
  assert.deepEqual(states, ['pg up', 'pg down', 'pg up']);
  assert.equal(status().runs, 8);
  assert.equal(status().state, 'up');
});

test('the status of a check that has never ended says so', async () => {
  const { clock, supervisor, status } = setUp();
  supervisor.configure([PG]);
  await clock.advance(0);
  assert.deepEqual([status().state, status().lastResult, status().runs], ['unknown', CheckResult.PENDING, 0]);
});

test('runs never overlap: what comes due meanwhile is skipped and counted', async () => {
  const { clock, programs, supervisor, status } = setUp();
  programs.obeys = [];
  supervisor.configure([{ ...PG, timeout: 5_000 }]);
  await clock.advance(3_500);
  assert.equal(programs.processes.length, 1);
  assert.equal(status().skipped, 3);
  programs.last.exit(0);
  await clock.advance(500);
  assert.equal(programs.processes.length, 2);
});

test('a run that nothing can end goes on failing the check', async () => {
  const { clock, programs, states, supervisor, status } = setUp();
  supervisor.configure([{ ...PG, hysteresis: { rise: 1, fall: 4 } }]);
  await clock.advance(0);
  programs.last.exit(0);
  programs.obeys = [];
  await clock.advance(1_000);
  // Times out at 1.5 s, SIGKILL at 3.5 s, given up at 5.5 s: 6, 7 and 8 s count as failures.
  await clock.advance(6_000);
  assert.deepEqual(states, ['pg up']);
  await clock.advance(1_000);
  assert.deepEqual(states, ['pg up', 'pg down']);
  assert.match(status().reason, /cannot be ended/);
  assert.equal(programs.processes.length, 2);
});

test('a thread that was away makes up for no run that it missed, and keeps to the rate', async () => {
  const { clock, programs, supervisor } = setUp();
  supervisor.configure([PG]);
  await clock.advance(0);
  programs.last.exit(0);
  await clock.jump(3_600);
  assert.equal(programs.processes.length, 2);
  programs.last.exit(0);
  await clock.advance(399);
  assert.equal(programs.processes.length, 2);
  await clock.advance(1);
  assert.equal(programs.processes.length, 3);
});

test('changing only limits and times keeps the standing and the running run', async () => {
  const { clock, programs, states, supervisor, status } = setUp();
  supervisor.configure([PG]);
  await clock.advance(0);
  programs.last.exit(0);
  await clock.advance(1_000);
  supervisor.configure([{ ...PG, interval: 5_000, hysteresis: { rise: 1, fall: 3 } }]);
  assert.equal(status().state, 'up');
  assert.deepEqual(programs.last.signals, []);
  programs.last.exit(1);
  assert.deepEqual(states, ['pg up']);
});

test('another command ends the run of the old one and keeps the state until its own first result', async () => {
  const { clock, programs, states, supervisor, status } = setUp();
  supervisor.configure([PG]);
  await clock.advance(0);
  programs.last.exit(0);
  await clock.advance(1_000);
  const old = programs.last;
  supervisor.configure([{ ...PG, probe: { kind: 'exec', command: ['/other'] } }]);
  await clock.advance(0);
  assert.deepEqual(old.signals.slice(0, 1), ['SIGTERM']);
  assert.equal(programs.last.request.name, '/other');
  assert.equal(status().state, 'up');
  programs.last.exit(1);
  assert.deepEqual(states, ['pg up', 'pg down']);
});

test('a removed check stops, and nothing of it is heard again', async () => {
  const { clock, programs, states, supervisor } = setUp();
  supervisor.configure([PG]);
  await clock.advance(0);
  supervisor.configure([]);
  await clock.advance(10_000);
  assert.equal(programs.processes.length, 1);
  assert.deepEqual(states, []);
  assert.deepEqual(supervisor.statuses(), []);
});

test('a state known from before holds until the first result', async () => {
  const { clock, programs, states, supervisor, status } = setUp();
  supervisor.configure([PG], new Map([['pg', 'up']]));
  await clock.advance(0);
  assert.equal(status().state, 'up');
  programs.last.exit(0);
  assert.deepEqual(states, []);
});

test('a check that cannot run fails, with its own result', async () => {
  const { clock, programs, states, supervisor, status } = setUp();
  programs.verdict = { ok: false, result: CheckResult.NOT_FOUND, reason: '/pg does not exist' };
  supervisor.configure([PG]);
  await clock.advance(0);
  assert.deepEqual(states, ['pg down']);
  assert.deepEqual([status().lastResult, status().reason], [CheckResult.NOT_FOUND, '/pg does not exist']);
  programs.verdict = undefined;
  await clock.advance(1_000);
  programs.last.exit(0);
  assert.deepEqual(states, ['pg down', 'pg up']);
});
