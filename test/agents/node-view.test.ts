import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mergeStatus } from '../../controller/agents/node-view.js';
import { MemberState, NodeStatus, RouterStatus } from '../../proto/gen/baton/v1/status.js';

function router(name: string, state: MemberState): RouterStatus {
  return RouterStatus.fromPartial({ name, state });
}

test('a delta replaces what it names and keeps the rest, in order of name', () => {
  const before = NodeStatus.fromPartial({
    pid: 1,
    routers: [router('a', MemberState.BACKUP), router('c', MemberState.BACKUP)],
  });
  const delta = NodeStatus.fromPartial({
    pid: 2,
    node: 'somebody-else',
    routers: [router('b', MemberState.FAULT), router('a', MemberState.ACTIVE)],
  });
  const merged = mergeStatus(before, delta, false, 'base1');
  assert.deepEqual(
    merged.routers.map(({ name, state }) => [name, state]),
    [
      ['a', MemberState.ACTIVE],
      ['b', MemberState.FAULT],
      ['c', MemberState.BACKUP],
    ],
  );
  assert.equal(merged.pid, 2);
  assert.equal(merged.node, 'base1');
});

test('a full report replaces everything', () => {
  const before = NodeStatus.fromPartial({ routers: [router('a', MemberState.BACKUP)] });
  assert.deepEqual(mergeStatus(before, NodeStatus.fromPartial({}), true, 'base1').routers, []);
});
