/** What would happen if, over what every member says of itself. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemberState } from '../../proto/gen/baton/v1/status.js';
import { bench } from './bench.js';
import { answersOf, node } from './fleet.js';

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
