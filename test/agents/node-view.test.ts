import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type KeptStatus,
  keepStatus,
  MAX_STATUS_BYTES,
  MAX_STATUS_ITEMS,
  mergeStatus,
} from '../../controller/agents/node-view.js';
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

/** Reports until one is not taken: how many were, and why not more. */
function reportUntilRefused(reports: (index: number) => NodeStatus): {
  taken: number;
  reason: string;
  kept: KeptStatus;
} {
  let kept: KeptStatus = { status: NodeStatus.fromPartial({}), bytes: 0 };
  for (let taken = 0; taken < 10_000; taken += 1) {
    const result = keepStatus(kept, reports(taken), false, 'base1');
    if (!result.ok) return { taken, reason: result.reason, kept };
    kept = result.kept;
  }
  return { taken: 10_000, reason: '', kept };
}

test('an agent that invents names is stopped at the limit of a node, and what it said before stays', () => {
  const { taken, reason, kept } = reportUntilRefused((index) =>
    NodeStatus.fromPartial({
      routers: Array.from({ length: 64 }, (_, number) => ({ name: `r${index}-${number}` })),
      checks: Array.from({ length: 64 }, (_, number) => ({ name: `c${index}-${number}` })),
    }),
  );
  assert.equal(taken, MAX_STATUS_ITEMS / 128);
  assert.equal(reason, 'its reports name 4224 routers and checks; at most 4096 of one node are kept');
  assert.equal(kept.status.routers.length + kept.status.checks.length, MAX_STATUS_ITEMS);
});

test('few names that are large are stopped too', () => {
  const { taken, reason } = reportUntilRefused((index) =>
    NodeStatus.fromPartial({ checks: [{ name: `c${index}`, output: 'x'.repeat(1024 * 1024) }] }),
  );
  assert.equal(taken, 3);
  assert.match(reason, /^its reports add up to 41\d{5} bytes; at most 4194304 of one node are kept$/);
});

test('the same names for ever are never too many, and a full report begins anew', () => {
  const large = NodeStatus.fromPartial({ checks: [{ name: 'c', output: 'x'.repeat(1024 * 1024) }] });
  let kept: KeptStatus | undefined;
  for (let number = 0; number < 20; number += 1) {
    const result = keepStatus(kept, large, number % 7 === 0, 'base1');
    assert.ok(result.ok);
    kept = result.kept;
    assert.ok(kept.bytes <= MAX_STATUS_BYTES);
  }
});
