/** Questions over what every node says of itself: what-if and checks. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { CheckResult, MemberState } from '../../proto/gen/baton/v1/status.js';
import {
  type GetNodeStatusRequest,
  GetNodeStatusResponse,
  GetStatusResponse,
} from '../../proto/gen/baton/v1/status_service.js';
import { bench } from './bench.js';
import { CallRefusal, NOON } from './fake-controller.js';

type NodeInit = Parameters<typeof GetNodeStatusResponse.fromPartial>[0];

const check = (name: string, more: object = {}) => ({
  name,
  kind: 'exec',
  subject: `/checks/${name}`,
  state: 'up',
  lastResult: CheckResult.OK,
  since: new Date(NOON - 60_000),
  lastRun: new Date(NOON - 1_000),
  lastDuration: { seconds: 0, nanos: 5_000_000 },
  runs: 60,
  ...more,
});
const DOWN = { state: 'down', lastResult: CheckResult.FAILED, exitCode: 2, output: 'refused' };

function node(name: string, base: number, state: MemberState, checks: readonly object[], connected = true): NodeInit {
  return {
    connected,
    lastSeen: new Date(NOON - 300_000),
    status: {
      node: name,
      checks: [...checks],
      routers: [
        {
          name: 'pg',
          state,
          preempt: true,
          priorityTerms: [{ term: 'base', value: base }],
          effectivePriority: base,
          tracks: [{ subject: 'check alive', state: 'up', weight: -60 }],
        },
      ],
    },
  };
}

function answersOf(nodes: Readonly<Record<string, NodeInit>>) {
  const names = ['base1', 'base2', 'base3'];
  return {
    getStatus: () =>
      GetStatusResponse.fromPartial({
        status: {
          capturedAt: new Date(NOON),
          routers: [
            {
              name: 'pg',
              members: names.map((name) => ({
                node: name,
                state: name === 'base1' ? MemberState.ACTIVE : MemberState.BACKUP,
              })),
            },
          ],
          nodes: Object.keys(nodes).map((name) => ({ name })),
        },
      }),
    getNodeStatus: ({ node: name }: GetNodeStatusRequest) => {
      const found = nodes[name];
      if (found === undefined) throw new CallRefusal(status.NOT_FOUND, `there is no node ${name}`);
      return GetNodeStatusResponse.fromPartial(found);
    },
  };
}

test('whatif asks every member, and says what would become of it', async (context) => {
  const { ctl } = await bench(
    context,
    answersOf({
      base1: node('base1', 150, MemberState.ACTIVE, []),
      base2: node('base2', 100, MemberState.BACKUP, [], false),
    }),
  );
  const { code, stdout } = await ctl('whatif', 'pg', '--set', 'check alive=down');
  assert.equal(code, 0);
  assert.equal(
    stdout,
    `Supposed
  On base1, check alive is down instead of up.

Priority
  The effective priority of pg on base1 would be 90 instead of 150:
    150 base (configured priority)
    - 60 check alive (down, weight -60)

Election
  base2 (100) would take over from base1 (90).

Not known
  Not connected, so what is said of it may be old: base2.
  Has never reported this router, and is not counted: base3.
`,
  );
  const json = JSON.parse((await ctl('whatif', 'pg', '--node', 'base2', '--set', 'priority=200', '-o', 'json')).stdout);
  assert.deepEqual(
    json.members.map(({ node: name, stateNow, stateThen, priorityThen }: Record<string, unknown>) => [
      name,
      stateNow,
      stateThen,
      priorityThen,
    ]),
    [
      ['base2', 'backup', 'active', 200],
      ['base1', 'active', 'backup', 150],
    ],
  );
});

test('whatif says what is wrong with the question', async (context) => {
  const { ctl } = await bench(context, answersOf({ base1: node('base1', 150, MemberState.ACTIVE, []) }));
  for (const [args, code, reason] of [
    [['web'], 1, /there is no virtual router web; there are pg/u],
    [['pg', '--node', 'base9'], 2, /base9 is no member of pg; its members are base1, base2, base3/u],
    [['pg', '--node', 'base2'], 1, /base2 has not reported a router "pg"/u],
    [['pg', '--set', 'check aliv=down'], 1, /does not track "check aliv" \(did you mean "check alive"\?\)/u],
    [['pg', '--set', 'nonsense'], 2, /write "check NAME=down"/u],
  ] as const) {
    const answer = await ctl('whatif', ...args);
    assert.equal(answer.code, code, answer.stderr);
    assert.match(answer.stderr, reason);
  }
});

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
