import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Program, runProgram } from '../../agent/health/program.js';
import { OUTPUT_LIMIT, type Outcome, type Run } from '../../agent/health/run.js';
import { CheckResult } from '../../proto/gen/baton/v1/status.js';
import { ManualClock, settled } from '../local/manual-clock.js';
import { FakePrograms } from './fake-programs.js';

async function start(overrides: Partial<Program> = {}, prepare: (programs: FakePrograms) => void = () => undefined) {
  const clock = new ManualClock();
  const programs = new FakePrograms(clock);
  prepare(programs);
  const outcomes: Outcome[] = [];
  let gone = 0;
  const run: Run = runProgram({ command: ['/c', 'a b', '--x'], timeout: 1_000, ...overrides }, programs, {
    result: (outcome) => outcomes.push(outcome),
    gone: () => {
      gone += 1;
    },
  });
  await settled();
  return { clock, programs, outcomes, run, goneTimes: () => gone };
}

test('the resolved program runs under its configured name with its arguments as they are', async () => {
  const { clock, programs, outcomes, goneTimes } = await start();
  const { file, name, args } = programs.last.request;
  assert.deepEqual({ file, name, args }, { file: '/resolved/c', name: '/c', args: ['a b', '--x'] });
  await clock.advance(30);
  programs.last.exit(0);
  assert.equal(outcomes[0]?.result, CheckResult.OK);
  assert.equal(outcomes[0]?.duration, 30_000);
  assert.equal(goneTimes(), 1);
});

test('exit codes and signals are different results', async () => {
  const failed = await start();
  failed.programs.last.exit(126);
  assert.deepEqual([failed.outcomes[0]?.result, failed.outcomes[0]?.exitCode], [CheckResult.FAILED, 126]);
  const killed = await start();
  killed.programs.last.die('SIGSEGV');
  assert.deepEqual([killed.outcomes[0]?.result, killed.outcomes[0]?.reason], [CheckResult.KILLED, 'ended by SIGSEGV']);
});

test('at the timeout the result is there at once and the program gets SIGTERM, half a timeout later SIGKILL', async () => {
  const { clock, programs, outcomes, goneTimes } = await start({}, (edges) => {
    edges.obeys = ['SIGKILL'];
  });
  await clock.advance(999);
  assert.equal(outcomes.length, 0);
  await clock.advance(1);
  assert.equal(outcomes[0]?.result, CheckResult.TIMED_OUT);
  assert.equal(outcomes[0]?.reason, 'took longer than 1 s');
  assert.deepEqual(programs.last.signals, ['SIGTERM']);
  assert.equal(goneTimes(), 0);
  await clock.advance(499);
  assert.deepEqual(programs.last.signals, ['SIGTERM']);
  await clock.advance(1);
  assert.deepEqual(programs.last.signals.slice(0, 2), ['SIGTERM', 'SIGKILL']);
  assert.equal(goneTimes(), 1);
  assert.equal(outcomes.length, 1);
});

test('what ignores SIGTERM in the group of a program that ended is killed with it', async () => {
  const { clock, programs } = await start();
  await clock.advance(1_000);
  assert.deepEqual(programs.last.signals, ['SIGTERM', 'SIGKILL']);
});

test('a program that ended by itself leaves its descendants alone', async () => {
  const { clock, programs } = await start();
  programs.last.exit(0);
  await clock.advance(10_000);
  assert.deepEqual(programs.last.signals, []);
});

test('between SIGTERM and SIGKILL there are two seconds at most', async () => {
  const { clock, programs } = await start({ timeout: 60_000 }, (edges) => {
    edges.obeys = ['SIGKILL'];
  });
  await clock.advance(61_999);
  assert.deepEqual(programs.last.signals, ['SIGTERM']);
  await clock.advance(1);
  assert.deepEqual(programs.last.signals.slice(0, 2), ['SIGTERM', 'SIGKILL']);
});

test('a program that not even SIGKILL ends is known as such', async () => {
  const { clock, run, goneTimes } = await start({}, (edges) => {
    edges.obeys = [];
  });
  await clock.advance(1_000 + 500 + 1_999);
  assert.equal(run.unkillable, false);
  await clock.advance(1);
  assert.equal(run.unkillable, true);
  assert.equal(goneTimes(), 0);
});

test('a program that may not be run, or whose user does not exist, is a result of its own', async () => {
  const refused = await start({}, (edges) => {
    edges.verdict = { ok: false, result: CheckResult.REFUSED, reason: 'not on the list' };
  });
  assert.equal(refused.programs.processes.length, 0);
  assert.deepEqual(
    [refused.outcomes[0]?.result, refused.outcomes[0]?.reason],
    [CheckResult.REFUSED, 'not on the list'],
  );
  assert.equal(refused.goneTimes(), 1);
  const nobody = await start({ user: 'missing' });
  assert.equal(nobody.outcomes[0]?.result, CheckResult.REFUSED);
  assert.equal(nobody.programs.processes.length, 0);
});

test('errors of starting a program are told apart', async () => {
  for (const [code, result, reason] of [
    ['EACCES', CheckResult.REFUSED, '/c could not be started: EACCES'],
    ['ENOENT', CheckResult.CANNOT_RUN, '/c could not be started: the interpreter in its first line does not exist'],
    ['EAGAIN', CheckResult.CANNOT_RUN, '/c could not be started: EAGAIN'],
  ] as const) {
    const { programs, outcomes } = await start();
    programs.last.request.failed(code);
    assert.deepEqual([outcomes[0]?.result, outcomes[0]?.reason], [result, reason]);
  }
});

test('of a long output the first 4 KiB are kept, made safe to show', async () => {
  const { programs, outcomes } = await start();
  programs.last.request.output(Buffer.from('ok\u001b[31m\n'));
  for (let chunk = 0; chunk < 100; chunk += 1) programs.last.request.output(Buffer.alloc(1024, 'x'));
  programs.last.exit(1);
  const output = outcomes[0]?.output ?? '';
  assert.equal(output.length, OUTPUT_LIMIT);
  assert.equal(output.slice(0, 8), 'ok\ufffd[31m\n'.slice(0, 8));
  assert.equal(output.includes('\u001b'), false);
});

test('time that passes until its turn comes is not the program’s', async () => {
  let begin = (): void => undefined;
  const { clock, programs, outcomes } = await start({}, (edges) => {
    edges.turns = new Promise((resolve) => {
      begin = resolve;
    });
  });
  await clock.advance(5_000);
  assert.deepEqual([outcomes.length, programs.processes.length], [0, 0]);
  begin();
  await clock.advance(0);
  const startedWallMs = clock.wallMs();
  await clock.advance(999);
  assert.equal(outcomes.length, 0);
  programs.last.exit(0);
  const [outcome] = outcomes;
  assert.deepEqual([outcome?.result, outcome?.duration], [CheckResult.OK, 999_000]);
  assert.equal(outcome?.startedWallMs, startedWallMs);
});

test('what is ended while it waits for its turn is never started', async () => {
  let begin = (): void => undefined;
  const { clock, programs, outcomes, run, goneTimes } = await start({}, (edges) => {
    edges.turns = new Promise((resolve) => {
      begin = resolve;
    });
  });
  run.end('the check was removed');
  begin();
  await clock.advance(0);
  assert.deepEqual([outcomes[0]?.result, outcomes[0]?.reason], [CheckResult.KILLED, 'the check was removed']);
  assert.deepEqual([programs.processes.length, goneTimes()], [0, 1]);
});

test('what had ended before this thread came to look at its timeout has not timed out', async () => {
  const { clock, programs, outcomes, goneTimes } = await start();
  programs.endedUnseen = true;
  await clock.jump(3_000);
  assert.deepEqual([outcomes.length, outcomes[0]?.result], [1, CheckResult.OK]);
  assert.deepEqual([programs.last.signals, goneTimes()], [[], 1]);
});

test('a judgement that never comes is a timeout, but not while its answer may lie there unread', async () => {
  let answer = (): void => undefined;
  const hung = (edges: FakePrograms): void => {
    edges.judgements = new Promise((resolve) => {
      answer = resolve;
    });
  };
  const punctual = await start({}, hung);
  await punctual.clock.advance(999);
  assert.equal(punctual.outcomes.length, 0);
  await punctual.clock.advance(1);
  assert.equal(punctual.outcomes[0]?.result, CheckResult.TIMED_OUT);
  answer();
  await punctual.clock.advance(0);
  assert.deepEqual([punctual.programs.processes.length, punctual.goneTimes()], [0, 1]);

  const late = await start({}, hung);
  await late.clock.jump(3_000);
  assert.equal(late.outcomes.length, 0);
  answer();
  await late.clock.advance(0);
  late.programs.last.exit(0);
  assert.equal(late.outcomes[0]?.result, CheckResult.OK);

  const never = await start({}, hung);
  await never.clock.jump(3_000);
  await never.clock.advance(1_000);
  assert.equal(never.outcomes[0]?.result, CheckResult.TIMED_OUT);
});
