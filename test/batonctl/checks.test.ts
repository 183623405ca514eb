/** What the health checks of every node say. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CheckResult, MemberState } from '../../proto/gen/baton/v1/status.js';
import { bench } from './bench.js';
import { answersOf, check, DOWN, node } from './fleet.js';

const NODES = {
  base1: node('base1', 150, MemberState.ACTIVE, [
    check('alive', DOWN),
    check('load', { kind: 'file', state: '7', value: 7 }),
  ]),
  base2: node('base2', 100, MemberState.BACKUP, [
    check('alive', DOWN),
    check('load', { stuck: 'it goes on', skipped: 5 }),
  ]),
  base3: node(
    'base3',
    100,
    MemberState.BACKUP,
    [check('alive'), check('gone', { lastResult: CheckResult.NOT_FOUND, state: 'down', reason: '/x does not exist' })],
    false,
  ),
};

test('checks: every node, what fails everywhere first', async (context) => {
  const { ctl } = await bench(context, answersOf(NODES));
  const { code, stdout } = await ctl('checks');
  assert.equal(code, 0);
  assert.equal(
    stdout,
    `!! check alive fails on every node that runs it (base1, base2): exit code 2: refused
CHECK  NODE   KIND  STATE  SINCE  LAST RUN  TOOK  RUNS            LAST RESULT
alive  base1  exec  down   1m     1s ago    5ms   60              exit code 2: refused
alive  base2  exec  down   1m     1s ago    5ms   60              exit code 2: refused
alive  base3  exec  up?    1m     1s ago    5ms   60              exit code 0
gone   base3  exec  down?  1m     1s ago    5ms   60              disabled: /x does not exist
load   base1  file  7      1m     1s ago    5ms   60              ok
load   base2  exec  up     1m     1s ago    5ms   60 (5 skipped)  stuck: it goes on
`,
  );
  const json = JSON.parse((await ctl('checks', '-o', 'json')).stdout);
  assert.deepEqual(
    json.checks.map(({ node: name, connected, name: one, condition }: Record<string, unknown>) => [
      name,
      connected,
      one,
      condition,
    ]),
    [
      ['base1', true, 'alive', 'running'],
      ['base1', true, 'load', 'running'],
      ['base2', true, 'alive', 'running'],
      ['base2', true, 'load', 'stuck'],
      ['base3', false, 'alive', 'running'],
      ['base3', false, 'gone', 'disabled'],
    ],
  );
  assert.equal(json.failEverywhere.length, 1);
});

test('checks NAME: all that is known, on all nodes or on one', async (context) => {
  const { ctl } = await bench(context, answersOf(NODES));
  const all = await ctl('checks', 'alive');
  assert.match(all.stdout, /^!! check alive fails.*\nalive on base1\n {2}kind +exec\n/u);
  assert.match(all.stdout, /alive on base3 \(not connected, last seen 5m ago\)\n/u);
  assert.match(all.stdout, /tracked by +pg \(weight -60\)/u);
  const one = await ctl('checks', 'alive', '--node', 'base2', '--recent');
  assert.match(one.stdout, /^alive on base2\n/u);
  assert.match(one.stdout, /no run is remembered\n$/u);
  for (const [args, code, reason] of [
    [['aliv'], 1, /no node runs a check aliv \(did you mean "alive"\?\)/u],
    [['--node', 'base9'], 1, /there is no node base9/u],
    [['--recent'], 2, /--recent goes with the name/u],
  ] as const) {
    const answer = await ctl('checks', ...args);
    assert.equal(answer.code, code, answer.stderr);
    assert.match(answer.stderr, reason);
  }
});
