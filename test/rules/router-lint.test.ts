import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CHECK, judge, router, SECRET, sample, texts } from './sample-resources.js';

/** Members a and b with these priorities. */
function members(a: number, b: number, more = ''): string {
  return `[{node: a, interface: em1, priority: ${a}${more}}, {node: b, interface: em1, priority: ${b}${more}}]`;
}

const NOBODY =
  'spec.track[0]: when check alive fails on an active a, its priority falls but nobody takes over, as no other member preempts (preempt: false); use weight 0, so that the failing member goes to fault, or preempt: true';

describe('the weight of a check must be able to change who is active', () => {
  const rows: readonly (readonly [string, Readonly<Record<string, string>>, readonly string[]])[] = [
    ['weight greater than the difference', { members: members(150, 100), track: '[{check: alive, weight: -51}]' }, []],
    [
      'weight equal to the difference',
      { members: members(150, 100), track: '[{check: alive, weight: -50}]' },
      [
        'spec.track[0]: is just too weak: a falls from 150 to 100, and b has 100, so that only the greater address decides; make the weight greater than 50',
      ],
    ],
    [
      'weight less than the difference',
      { members: members(150, 100), track: '[{check: alive, weight: -20}]' },
      [
        'spec.track[0]: can never move the addresses: a falls from 150 to 130, and b has 100; make the weight greater than 50',
      ],
    ],
    ['positive weight, as it is lost', { members: members(101, 100), track: '[{check: alive, weight: 2}]' }, []],
    [
      'positive weight too small',
      { members: members(110, 100), track: '[{check: alive, weight: 2}]' },
      [
        'spec.track[0]: can never move the addresses: a falls from 112 to 110, and b has 102; make the weight greater than 10',
      ],
    ],
    [
      'positive weight lost in the clamp',
      { members: members(254, 250), track: '[{check: alive, weight: 10}]' },
      [
        'spec.track[0]: is just too weak: a falls from 254 to 254, and b has 254, so that only the greater address decides; make the weight greater than 0',
      ],
    ],
    ['equal priorities', { members: members(100, 100), track: '[{check: alive, weight: -1}]' }, []],
    ['weight 0', { members: members(200, 1), track: '[{check: alive}]' }, []],
    [
      'several small weights that add up',
      { members: members(115, 100), track: '[{check: alive, weight: -10}, {interface: em2, weight: -10}]' },
      [],
    ],
    [
      'a track of the backup alone',
      {
        members:
          '[{node: a, interface: em1, priority: 200}, {node: b, interface: em1, track: [{check: alive, weight: -1}]}]',
      },
      [],
    ],
    [
      'the owner',
      { members: members(255, 100), track: '[{check: alive, weight: -200}]' },
      ['spec.track[0]: its weight has no effect on a: nothing moves priority 255; use weight 0 or another priority'],
    ],
    [
      "the seed's nopreempt with a weight",
      { members: members(100, 100), preempt: 'false', track: '[{check: alive, weight: -1}]' },
      [NOBODY],
    ],
    [
      'nopreempt of each member',
      { members: members(100, 100, ', preempt: false'), track: '[{check: alive, weight: -1}]' },
      [NOBODY],
    ],
    ['nopreempt with weight 0', { members: members(100, 100), preempt: 'false', track: '[{check: alive}]' }, []],
    [
      'nopreempt where another member preempts',
      {
        preempt: 'false',
        members:
          '[{node: a, interface: em1}, {node: b, interface: em1, preempt: true}, {node: c, interface: em1, preempt: true}]',
        track: '[{check: alive, weight: -1}]',
      },
      [],
    ],
  ];
  for (const [what, change, expected] of rows) {
    test(what, () => {
      const { errors, warnings } = judge(CHECK + router(change));
      assert.deepStrictEqual(errors, []);
      assert.deepStrictEqual(texts(warnings), expected);
    });
  }
});

describe('other settings that are legal and probably not meant', () => {
  const alone = { members: '[{node: a, interface: em1}]' };
  const rows: readonly (readonly [string, string, readonly string[]])[] = [
    ['one member', router(alone), ['spec.members: has one member only: nobody takes over when it fails']],
    ['one member and an external peer', router({ ...alone, transport: 'unicast', externalPeers: '[192.0.2.9]' }), []],
    [
      'a preempt delay without preempt',
      router({ preempt: 'false', preemptDelay: '5s' }),
      [
        'spec.preemptDelay: has no effect on a, which does not preempt',
        'spec.preemptDelay: has no effect on b, which does not preempt',
      ],
    ],
    [
      'a checksum form with version 2',
      router({ version: '2', checksum: 'pseudo_header' }),
      ['spec.checksum: has no effect: version 2 has one form of checksum only'],
    ],
    ['a check that nobody tracks', CHECK, [': no router tracks this check, so it never runs']],
    [
      'a receiver that nobody names',
      sample('Receiver', 'r', 'email: {host: m, from: a@b, to: [c@d]}'),
      [': no router names this receiver, so it is never told anything'],
    ],
    [
      'a password of more than 8 bytes',
      sample('Secret', 'long', 'value: 123456789') +
        router({ version: '2', authentication: '{type: PASS, secret: long}' }),
      ['spec.authentication.secret: is longer than 8 bytes; only the first 8 are sent'],
    ],
    ['a password of 8 bytes', SECRET + router({ version: '2', authentication: '{type: PASS, secret: pass}' }), []],
    [
      'a node that has not joined',
      router({ members: '[{node: a, interface: em1}, {node: z, interface: em1}]' }),
      ['spec.members[1].node: no node "z" has joined yet'],
    ],
  ];
  for (const [what, text, expected] of rows) {
    test(what, () => {
      const { errors, warnings } = judge(text);
      assert.deepStrictEqual(errors, []);
      assert.deepStrictEqual(texts(warnings), expected);
    });
  }

  test('seen from one host alone, other members and nodes are not missed', () => {
    const text = router({ members: '[{node: z, interface: em1}]' });
    assert.deepStrictEqual(judge(text, { standalone: true }), { errors: [], warnings: [] });
  });
});
