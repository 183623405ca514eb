import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Attempt, judgeAttempt, retryDelayMs } from '../../controller/notify/delivery.js';
import { completeAt, hasCome } from '../../controller/notify/gathering.js';

const both = ['a@x', 'b@x'];
const refuse = (recipient: string, code: number | undefined) => ({ recipient, code, reason: `${code}` });
const took = { response: '250', security: 'none' };

const rows: [string, Attempt, { accepted: string[]; lost: string[]; left: string[]; serverDown: boolean }][] = [
  [
    'everybody got it',
    { kind: 'delivered', accepted: both, refused: [], ...took },
    { accepted: both, lost: [], left: [], serverDown: false },
  ],
  [
    'one is deferred',
    { kind: 'delivered', accepted: ['a@x'], refused: [refuse('b@x', 450)], ...took },
    { accepted: ['a@x'], lost: [], left: ['b@x'], serverDown: false },
  ],
  [
    'one does not exist',
    { kind: 'delivered', accepted: ['a@x'], refused: [refuse('b@x', 550)], ...took },
    { accepted: ['a@x'], lost: ['b@x'], left: [], serverDown: false },
  ],
  [
    'nobody exists, but one only for now',
    { kind: 'refused', refused: [refuse('a@x', 451), refuse('b@x', 550)], reason: 'no' },
    { accepted: [], lost: ['b@x'], left: ['a@x'], serverDown: false },
  ],
  [
    'greylisted',
    { kind: 'refused', refused: [refuse('a@x', 451), refuse('b@x', 451)], reason: 'no' },
    { accepted: [], lost: [], left: both, serverDown: false },
  ],
  [
    'too large',
    { kind: 'refused', refused: [refuse('a@x', 552), refuse('b@x', 552)], reason: 'no' },
    { accepted: [], lost: both, left: [], serverDown: false },
  ],
  [
    'must authenticate first: waits for a corrected receiver',
    { kind: 'refused', refused: [refuse('a@x', 530), refuse('b@x', 530)], reason: 'no' },
    { accepted: [], lost: [], left: both, serverDown: false },
  ],
  [
    'no connection',
    { kind: 'unreachable', reason: 'connect ECONNREFUSED' },
    { accepted: [], lost: [], left: both, serverDown: true },
  ],
];
for (const [what, attempt, expected] of rows) {
  test(what, () => {
    const { accepted, lost, left, serverDown, error } = judgeAttempt(attempt, both);
    assert.deepEqual({ accepted, lost: lost.map(({ recipient }) => recipient), left, serverDown }, expected);
    assert.equal(error === '', attempt.kind === 'delivered' && attempt.refused.length === 0);
  });
}

test('back-off doubles from 2 s to 5 min and is spread by a fifth', () => {
  assert.deepEqual(
    [1, 2, 3, 7, 8, 9, 1000].map((attempts) => retryDelayMs(attempts, 0.5)),
    [2_000, 4_000, 8_000, 128_000, 256_000, 300_000, 300_000],
  );
  assert.equal(retryDelayMs(1, 0), 1_600);
  assert.equal(retryDelayMs(1, 0.999_999), 2_400);
});

const gained = { node: 'b', leftActive: false, becameActive: true, suspended: false };
const gone = { node: 'a', leftActive: true, becameActive: false, suspended: false };

const LONG_AGO = -1_000_000;

test('changes are complete one group wait after the first arrived', () => {
  const live = [
    { receivedAt: 10_000, happenedAt: 9_990, ...gone },
    { receivedAt: 11_500, happenedAt: 11_490, ...gained },
  ];
  assert.equal(completeAt(live, 2_000, LONG_AGO), 12_000);
  assert.equal(completeAt(live.slice(0, 1), 2_000, LONG_AGO), 12_000);
});

test('late ones wait for the other nodes, 5 s at least', () => {
  assert.equal(completeAt([{ receivedAt: 100_000, happenedAt: 90_000, ...gained }], 2_000, LONG_AGO), 105_000);
  assert.equal(completeAt([{ receivedAt: 100_000, happenedAt: 90_000, ...gained }], 8_000, LONG_AGO), 108_000);
});

test('a half of a failover that was held up for more than 1 s waits 20 s for the successor to report', () => {
  assert.equal(completeAt([{ receivedAt: 100_000, happenedAt: 98_999, ...gone }], 2_000, LONG_AGO), 120_000);
  assert.equal(completeAt([{ receivedAt: 100_000, happenedAt: 99_000, ...gone }], 2_000, LONG_AGO), 102_000);
  const gaveUp = { receivedAt: 100_000, happenedAt: 90_000, ...gone };
  assert.equal(completeAt([gaveUp], 2_000, LONG_AGO), 120_000);
  assert.equal(completeAt([gaveUp, { receivedAt: 112_000, happenedAt: 90_000, ...gained }], 2_000, LONG_AGO), 105_000);
});

test('half of a failover just after the start of the controller waits 20 s for agents that have not found it yet', () => {
  const live = [{ receivedAt: 100_000, happenedAt: 99_990, ...gone }];
  assert.equal(completeAt(live, 2_000, 95_000), 120_000);
  assert.equal(completeAt(live, 2_000, 80_000), 102_000);
  // It came to the controller before this one.
  assert.equal(completeAt(live, 2_000, 160_000), 180_000);
  const late = [{ receivedAt: 100_000, happenedAt: 90_000, ...gained }];
  assert.equal(completeAt(late, 2_000, 95_000), 120_000);
  assert.equal(completeAt([{ receivedAt: 100_000, happenedAt: 99_990, ...gained }], 2_000, 95_000), 102_000);
  const answered = [...live, { receivedAt: 101_000, happenedAt: 99_995, ...gained }];
  assert.equal(completeAt(answered, 2_000, 95_000), 102_000);
});

test('a successor is another one at the same time, or whoever came after; what was before does not end the wait', () => {
  const gaveUp = { receivedAt: 100_000, happenedAt: 90_000, ...gone };
  const became = (node: string, happenedAt: number) => ({ receivedAt: 100_000, happenedAt, ...gained, node });
  assert.equal(completeAt([became('a', 89_000), gaveUp], 2_000, LONG_AGO), 120_000);
  assert.equal(completeAt([became('b', 80_000), gaveUp], 2_000, LONG_AGO), 120_000);
  assert.equal(completeAt([gaveUp, became('b', 89_999)], 2_000, LONG_AGO), 105_000);
  assert.equal(completeAt([gaveUp, became('a', 91_000)], 2_000, LONG_AGO), 105_000);
});

test('an instant that a wrong clock put far ahead has come', () => {
  assert.equal(hasCome(1_000, 999, 5_000), false);
  assert.equal(hasCome(1_000, 1_000, 5_000), true);
  assert.equal(hasCome(1_000_000, 1_000, 5_000), true);
});

test('an agent that makes room for the next one is waited for 20 s, until that one goes on or another takes over', () => {
  const suspended = { receivedAt: 100_000, happenedAt: 99_990, ...gone, suspended: true };
  assert.equal(completeAt([suspended], 2_000, LONG_AGO), 120_000);
  assert.equal(
    completeAt([suspended, { receivedAt: 101_000, happenedAt: 100_900, ...gained, node: 'a' }], 2_000, LONG_AGO),
    102_000,
  );
  assert.equal(
    completeAt([suspended, { receivedAt: 103_000, happenedAt: 102_900, ...gained }], 2_000, LONG_AGO),
    102_000,
  );
});
