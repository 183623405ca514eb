import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CheckResult, CheckStatus, RouterStatus } from '../../proto/gen/baton/v1/status.js';
import { checkDetail } from '../../proto/rules/check-detail.js';
import { checkSummary, conditionOf, failsEverywhere } from '../../proto/rules/check-report.js';

type Init = Parameters<typeof CheckStatus.fromPartial>[0];
const NOW = new Date('2026-11-22T12:00:00Z');

function check(init: Init = {}): CheckStatus {
  return CheckStatus.fromPartial({ name: 'alive', kind: 'exec', state: 'up', lastResult: CheckResult.OK, ...init });
}

for (const [init, condition, summary] of [
  [{}, 'running', 'exit code 0'],
  [{ output: 'fine\nmore' }, 'running', 'exit code 0: fine'],
  [{ lastResult: CheckResult.FAILED, exitCode: 3, output: 'refused' }, 'running', 'exit code 3: refused'],
  [{ kind: 'http', output: 'hello' }, 'running', 'ok: hello'],
  [{ lastResult: CheckResult.TIMED_OUT, reason: 'took longer than 5 s' }, 'running', 'took longer than 5 s'],
  [{ lastResult: CheckResult.PENDING }, 'never ran', 'never ran'],
  [{ lastResult: CheckResult.NOT_FOUND, reason: '/x does not exist' }, 'disabled', 'disabled: /x does not exist'],
  [{ lastResult: CheckResult.REFUSED, reason: 'not on the list' }, 'disabled', 'disabled: not on the list'],
  [{ kind: 'file', lastResult: CheckResult.NOT_FOUND, reason: 'is not there' }, 'running', 'is not there'],
  [{ stuck: 'it goes on' }, 'stuck', 'stuck: it goes on'],
] as const satisfies readonly (readonly [Init, string, string])[]) {
  test(`${condition}: ${summary}`, () => {
    assert.equal(conditionOf(check(init)), condition);
    assert.equal(checkSummary(check(init)), summary);
  });
}

test('what fails wherever it runs is one line', () => {
  const down = { state: 'down', lastResult: CheckResult.FAILED, exitCode: 1 };
  const places = (...all: readonly Init[]) =>
    all.map((init, index) => ({ node: `base${index + 1}`, check: check(init) }));
  assert.equal(
    failsEverywhere('alive', places(down, down)),
    'check alive fails on every node that runs it (base1, base2): exit code 1',
  );
  assert.equal(
    failsEverywhere('alive', places(down, { ...down, exitCode: 2 })),
    'check alive fails on every node that runs it (base1, base2)',
  );
  assert.equal(
    failsEverywhere('alive', places(down)),
    'check alive fails on the only node that runs it (base1): exit code 1',
  );
  assert.equal(failsEverywhere('alive', places(down, {})), undefined);
  assert.equal(failsEverywhere('alive', places(down, { state: 'unknown' })), undefined);
  assert.equal(failsEverywhere('alive', []), undefined);
});

test('all that is known of one, with the runs that are remembered', () => {
  const status = check({
    subject: '/alive.sh -q',
    since: new Date(NOW.getTime() - 65_000),
    lastRun: new Date(NOW.getTime() - 2_000),
    lastDuration: { seconds: 0, nanos: 4_449_000 },
    output: 'a\nb\u001b[31m',
    runs: 9,
    skipped: 1,
    consecutive: 4,
    value: 3,
    recent: [
      {
        startedAt: new Date(NOW.getTime() - 2_000),
        duration: { seconds: 1, nanos: 0 },
        result: CheckResult.FAILED,
        exitCode: 7,
        output: 'why',
      },
    ],
  });
  const routers = [RouterStatus.fromPartial({ name: 'pg', tracks: [{ subject: 'check alive', weight: -20 }] })];
  const lines = checkDetail(status, { now: NOW, routers, recent: false });
  assert.deepEqual(lines.slice(0, 12), [
    'alive',
    '  kind         exec',
    '  runs         /alive.sh -q',
    '  state        up for 1m5s',
    '  condition    running',
    '  last result  exit code 0',
    '  value        3',
    '  last run     2s ago, took 4.4ms',
    '  ended        9 runs; 1 not started because the one before went on',
    '  in a row     4 of the last result',
    '  tracked by   pg (weight -20)',
    '  output',
  ]);
  assert.ok(!lines.join('').includes('\u001b'));
  assert.deepEqual(checkDetail(status, { now: NOW, routers, recent: true }).slice(11), [
    '  run of 2026-11-22T11:59:58.000Z (2s ago), took 1s: exit code 7',
    '    why',
  ]);
});
