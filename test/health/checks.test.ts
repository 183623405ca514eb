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
  const stuckness: string[] = [];
  const edges = new FakeChecks(programs);
  const supervisor = new CheckSupervisor(edges, {
    stateChanged: (name, state) => states.push(`${name} ${state}`),
    statusChanged: () => undefined,
    stuckChanged: ({ name, stuck }) => stuckness.push(`${name} ${stuck}`),
  });
  const status = (name = 'pg') => {
    const found = supervisor.statuses().find((check) => check.name === name);
    assert.ok(found);
    return found;
  };
  return { clock, programs, edges, states, stuckness, supervisor, status };
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
  // Times out at 1.5 s, SIGKILL at 1.75 s, given up at 3.75 s: 4, 5 and 6 s count as failures.
  await clock.advance(4_000);
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

test('the first start is a random part of the jitter late, and the rate of the first check counts from there', async () => {
  const { clock, programs, edges, supervisor } = setUp();
  edges.randomNumbers = [0.25, 0.75];
  supervisor.configure([
    { ...PG, startJitter: 400 },
    { ...PG, name: 'web', startJitter: 400, probe: { kind: 'exec', command: ['/web'] } },
  ]);
  const starts: string[] = [];
  const began = clock.now();
  for (let at = 0; at <= 1_400; at += 50) {
    await clock.advance(at === 0 ? 0 : 50);
    if (programs.processes.length === starts.length) continue;
    starts.push(`${programs.last.request.name} ${(clock.now() - began) / 1_000}`);
    programs.last.exit(0);
  }
  // 300 + 1000 - 0.618 × 1000 / 2 = 991, seen at 1000.
  assert.deepEqual(starts, ['/pg 100', '/web 300', '/web 1000', '/pg 1100']);
});

test('checks of the same rate spread over the interval, none of them waiting longer than it for a start', async () => {
  const { clock, programs, edges, supervisor } = setUp();
  edges.randomNumbers = [0];
  const names = Array.from({ length: 100 }, (_, index) => `c${index}`);
  supervisor.configure(
    names.map((name) => ({ ...PG, name, startJitter: 100, probe: { kind: 'exec', command: [`/${name}`] } })),
  );
  const starts = new Map<string, number[]>();
  const began = clock.now();
  let seen = 0;
  for (let at = 0; at < 6_000; at += 1) {
    await clock.advance(at === 0 ? 0 : 1);
    for (const { request, exit } of programs.processes.slice(seen)) {
      starts.set(request.name, [...(starts.get(request.name) ?? []), (clock.now() - began) / 1_000]);
      exit(0);
    }
    seen = programs.processes.length;
  }
  const tenths = new Array<number>(10).fill(0);
  for (const [name, moments] of starts) {
    const gaps = moments.slice(1).map((moment, index) => moment - (moments[index] ?? 0));
    assert.ok(
      gaps.every((gap) => gap >= 499 && gap <= 1_001),
      `${name}: ${gaps.join(', ')}`,
    );
    assert.ok(
      gaps.slice(2).every((gap) => Math.abs(gap - 1_000) <= 1),
      `${name}: ${gaps.join(', ')}`,
    );
    const tenth = Math.floor(((moments.at(-1) ?? 0) % 1_000) / 100);
    tenths[tenth] = (tenths[tenth] ?? 0) + 1;
  }
  assert.equal(starts.size, 100);
  assert.ok(
    tenths.every((count) => count >= 8 && count <= 12),
    tenths.join(', '),
  );
});

test('the last five results are kept, newest first, with what the check is', async () => {
  const { clock, programs, supervisor, status } = setUp();
  supervisor.configure([{ ...PG, probe: { kind: 'exec', command: ['/pg', '--fast'] } }]);
  for (const code of [0, 1, 2, 3, 4, 5]) {
    await clock.advance(0);
    programs.last.request.output(Buffer.from(`run ${code}`));
    await clock.advance(20);
    programs.last.exit(code);
    await clock.advance(980);
  }
  const { kind, subject, recent, consecutive } = status();
  assert.deepEqual([kind, subject, consecutive], ['exec', '/pg --fast', 5]);
  assert.deepEqual(
    recent.map(({ exitCode, output, result }) => [exitCode, output, result]),
    [5, 4, 3, 2, 1].map((code) => [code, `run ${code}`, CheckResult.FAILED]),
  );
  assert.deepEqual(recent[0]?.duration, { seconds: 0, nanos: 20_000_000 });
  assert.equal((recent[0]?.startedAt?.getTime() ?? 0) - (recent[1]?.startedAt?.getTime() ?? 0), 1_000);
});

const WEIGHT: CheckSettings = { ...PG, name: 'weight', probe: { kind: 'file', path: '/run/weight', overwrite: true } };

test('the number of a file is the state itself, told whenever it changes', async () => {
  const { edges, states, supervisor, status } = setUp();
  supervisor.configure([WEIGHT]);
  const [watch] = edges.watches;
  assert.equal(status('weight').state, 'unknown');
  watch?.tell({ state: 0, value: 0, readable: false, reason: 'missing: counts as 0' });
  watch?.tell({ state: 12, value: 12 });
  watch?.tell({ state: 12, value: 12 });
  watch?.tell({ state: -3, value: -3 });
  assert.deepEqual(states, ['weight 0', 'weight 12', 'weight -3']);
  const { state, value, kind, subject, recent, runs } = status('weight');
  assert.deepEqual([state, value, kind, subject, runs], ['-3', -3, 'file', 'file /run/weight', 4]);
  assert.deepEqual(
    recent.map(({ result, reason }) => [result, reason]),
    [
      [CheckResult.OK, ''],
      [CheckResult.OK, ''],
      [CheckResult.NOT_FOUND, 'missing: counts as 0'],
    ],
  );
});

test('a file is written over at the start alone, not by a change or for routers that know its number', async () => {
  const { edges, supervisor } = setUp();
  supervisor.configure([WEIGHT]);
  edges.watches[0]?.tell({ state: 5, value: 5 });
  supervisor.configure([{ ...WEIGHT, interval: 2_000 }]);
  assert.equal(edges.watches[0]?.stopped, true);
  assert.deepEqual(
    edges.watches.map(({ probe, interval }) => [probe.kind === 'file' && probe.overwrite, interval]),
    [
      [true, 1_000],
      [false, 2_000],
    ],
  );
  edges.watches[0]?.tell({ state: 9, value: 9 });
  const restarted = setUp();
  restarted.supervisor.configure([WEIGHT], new Map([['weight', 7]]));
  const probe = restarted.edges.watches[0]?.probe;
  assert.equal(probe?.kind === 'file' && probe.overwrite, false);
  assert.deepEqual([restarted.status('weight').state, restarted.status('weight').value], ['7', 7]);
  restarted.edges.watches[0]?.tell({ state: 7, value: 7 });
  assert.deepEqual(restarted.states, []);
});

test('too few processes fail the check, with their count', async () => {
  const { edges, states, supervisor, status } = setUp();
  const probe = {
    kind: 'process',
    name: 'nginx',
    fullCommand: false,
    arguments: ['-g'],
    match: 'exact',
    quorum: 1,
    upDelay: 0,
    downDelay: 0,
  } as const;
  supervisor.configure([{ ...PG, name: 'nginx', probe }]);
  edges.watches[0]?.tell({ state: 'up', value: 2 });
  edges.watches[0]?.tell({ state: 'up', value: 3 });
  edges.watches[0]?.tell({ state: 'down', value: 0, reason: '0 running, wanted at least 1' });
  assert.deepEqual(states, ['nginx up', 'nginx down']);
  const { lastResult, value, subject, recent } = status('nginx');
  assert.deepEqual([lastResult, value, subject, recent.length], [CheckResult.FAILED, 0, 'process nginx -g', 2]);
});

test('a check that becomes one of another kind keeps its state until the new kind’s first result', async () => {
  const { clock, programs, edges, states, supervisor, status } = setUp();
  supervisor.configure([PG]);
  await clock.advance(0);
  programs.last.exit(1);
  supervisor.configure([{ ...WEIGHT, name: 'pg' }]);
  assert.equal(status().state, 'down');
  edges.watches[0]?.tell({ state: 4, value: 4 });
  supervisor.configure([PG]);
  assert.equal(edges.watches[0]?.stopped, true);
  assert.equal(status().state, '4');
  await clock.advance(0);
  programs.last.exit(0);
  assert.deepEqual(states, ['pg down', 'pg 4', 'pg up']);
});

test('three runs in a row that could not be started make a check stuck, until one ends', async () => {
  const { clock, programs, supervisor, status, stuckness } = setUp();
  supervisor.configure([{ ...PG, timeout: 10_000 }]);
  await clock.advance(0);
  await clock.advance(2_000);
  assert.deepEqual([status().skipped, status().stuck], [2, '']);
  await clock.advance(3_000);
  const reason = '3 or more runs in a row were not started: the one before still goes on';
  assert.deepEqual([status().skipped, status().stuck, status().lastResult], [5, reason, CheckResult.PENDING]);
  programs.last.exit(0);
  await clock.advance(0);
  assert.deepEqual([status().stuck, status().lastResult], ['', CheckResult.OK]);
  assert.deepEqual(stuckness, [`pg ${reason}`, 'pg '], 'told once each');
  await clock.advance(3_000);
  assert.equal(status().stuck, '', 'those from before do not count any more');
});

test('a check that has never ended a run within three timeouts is stuck', async () => {
  const { clock, edges, supervisor, status, stuckness } = setUp();
  supervisor.configure([{ ...PG, name: 'file', probe: { kind: 'file', path: '/hangs', overwrite: false } }]);
  await clock.advance(1_499);
  assert.equal(status('file').stuck, '');
  await clock.advance(1);
  const reason = 'it has never ended a run, 1.5s after its start';
  assert.equal(status('file').stuck, reason);
  edges.watches[0]?.tell({ state: 0 });
  assert.equal(status('file').stuck, '');
  assert.deepEqual(stuckness, [`file ${reason}`, 'file ']);
});

test('a run by hand counts for nothing, and there is one at a time', async () => {
  const { clock, programs, states, supervisor, status } = setUp();
  supervisor.configure([PG]);
  await clock.advance(0);
  programs.last.exit(0);
  await clock.advance(0);
  const before = status();
  const asked = supervisor.runOnce('pg');
  await clock.advance(0);
  await assert.rejects(supervisor.runOnce('pg'), { code: 'busy' });
  await assert.rejects(supervisor.runOnce('elsewhere'), {
    code: 'not-found',
    message: /there is no check "elsewhere" here; pg/,
  });
  programs.last.exit(3);
  const { outcome, state } = await asked;
  assert.deepEqual([outcome.result, outcome.exitCode, state], [CheckResult.FAILED, 3, 'down']);
  assert.deepEqual(status(), before);
  assert.deepEqual(states, ['pg up']);
  await clock.advance(0);
  const again = supervisor.runOnce('pg');
  supervisor.stop();
  await assert.rejects(again, { code: 'ended' });
});

test('a file is looked at by hand without being written', async () => {
  const { clock, edges, supervisor } = setUp();
  const probe = { kind: 'file', path: '/number', overwrite: true, initialValue: 4 } as const;
  supervisor.configure([{ ...PG, name: 'file', probe }]);
  const asked = supervisor.runOnce('file');
  await clock.advance(0);
  const look = edges.watches.at(-1);
  assert.deepEqual(look?.probe, { kind: 'file', path: '/number', overwrite: false });
  look?.tell({ state: 7, value: 7, output: '7' });
  const { outcome, state } = await asked;
  assert.deepEqual([state, outcome.output, look?.stopped], [7, '7', true]);
  const hanging = supervisor.runOnce('file');
  await clock.advance(500);
  assert.equal((await hanging).outcome.result, CheckResult.TIMED_OUT);
});
