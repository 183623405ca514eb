import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemberState, NodeStatus } from '../../proto/gen/baton/v1/status.js';
import { type NodeReport, parseSupposition, type Question, whatIf } from '../../proto/rules/what-if.js';
import { describeForecast } from '../../proto/rules/what-if-text.js';

type StatusInit = Parameters<typeof NodeStatus.fromPartial>[0];
type RouterInit = NonNullable<StatusInit['routers']>[number];

interface NodeInit extends RouterInit {
  readonly base: number;
  readonly connected?: boolean;
}

/** A node with one router "pg" that tracks "check a" with weight -60, "check n" (a file) with weight 1 and its interface. */
function report(node: string, address: number, { base, connected = true, ...router }: NodeInit): NodeReport {
  const status = NodeStatus.fromPartial({
    node,
    checks: [{ name: 'n', kind: 'file' }],
    routers: [
      {
        name: 'pg',
        state: MemberState.BACKUP,
        priorityTerms: [{ term: 'base', value: base }],
        effectivePriority: base,
        preempt: true,
        sourceAddress: `192.0.2.${address}`,
        tracks: [
          { subject: 'interface em1', state: 'up', weight: 0 },
          { subject: 'check a', state: 'up', weight: -60 },
          { subject: 'check n', state: '0', weight: 1 },
        ],
        ...router,
      },
    ],
  });
  return { node, status, connected };
}

const ACTIVE = { state: MemberState.ACTIVE };

function ask(
  reports: readonly NodeReport[],
  node: string,
  sets: readonly string[],
  scope: Question['scope'] = 'fleet',
): string[] {
  const suppositions = sets.map((text) => {
    const parsed = parseSupposition(text);
    assert.ok(parsed.ok, text);
    return parsed.supposition;
  });
  const answer = whatIf({ router: 'PG', node, suppositions, reports, scope });
  if (!answer.ok) return [answer.reason];
  return describeForecast(answer.forecast, scope, ['192.0.2.12: priority 100, last heard 4m ago.'])
    .filter(({ title }) => title === 'Election' || title === 'Not known')
    .flatMap(({ sentences }) => sentences);
}

test('suppositions are understood, or refused with the reason', () => {
  for (const [text, wanted] of [
    ['check a=down', { kind: 'track', subject: 'check a', state: 'down' }],
    [' check   a = up ', { kind: 'track', subject: 'check a', state: 'up' }],
    ['check n=-5', { kind: 'track', subject: 'check n', state: -5 }],
    ['route 0.0.0.0/0 table 5=down', { kind: 'track', subject: 'route 0.0.0.0/0 table 5', state: 'down' }],
    ['priority=255', { kind: 'priority', priority: 255 }],
  ] as const) {
    assert.deepEqual(parseSupposition(text), { ok: true, supposition: wanted });
  }
  for (const text of [
    '',
    'check a',
    '=down',
    'check a=',
    'check a=broken',
    'priority=0',
    'priority=256',
    'priority=up',
  ]) {
    assert.equal(parseSupposition(text).ok, false, text);
  }
});

test('the priority is told term by term', () => {
  const reports = [report('a', 11, { base: 150, ...ACTIVE }), report('b', 12, { base: 100 })];
  const answer = whatIf({
    router: 'pg',
    node: 'a',
    suppositions: [
      { kind: 'track', subject: 'check a', state: 'down' },
      { kind: 'track', subject: 'check n', state: 7 },
      { kind: 'priority', priority: 200 },
    ],
    reports,
    scope: 'fleet',
  });
  assert.ok(answer.ok);
  const [, priority] = describeForecast(answer.forecast, 'fleet');
  assert.deepEqual(priority, {
    title: 'Priority',
    sentences: [
      'The effective priority of pg on a would be 147 instead of 150:',
      '  200 base (configured priority)',
      '  - 60 check a (down, weight -60)',
      '  + 7 check n (value 7, weight +1)',
    ],
  });
  assert.deepEqual(answer.forecast.changes, [
    { subject: 'check a', from: 'up', to: 'down' },
    { subject: 'check n', from: '0', to: '7' },
    { subject: 'priority', from: '150', to: '200' },
  ]);
});

for (const [what, a, b, sets, wanted] of [
  ['a higher one takes over', {}, {}, ['check a=down'], ['b (100) would take over from a (90).']],
  [
    'an equal one does not',
    { base: 160 },
    {},
    ['check a=down'],
    [
      'a (100) would stay active.',
      'b has the same priority: an equal one does not take over from a working active router.',
    ],
  ],
  [
    'one without preempt does not',
    {},
    { preempt: false },
    ['check a=down'],
    [
      'a (90) would stay active.',
      'b (100) has more, and does not take over: it does not preempt, or its group holds it back.',
    ],
  ],
  [
    'a fault gives it up',
    {},
    {},
    ['interface em1=down'],
    [
      'pg on a would be in fault: interface em1.',
      'b (100) would take over, as a gives up.',
      'There would be no standby for pg: a takes no part.',
    ],
  ],
  [
    'a fault with the other one in fault too',
    {},
    { state: MemberState.FAULT, tracks: [{ subject: 'check x', state: 'down', weight: 0 }] },
    ['interface em1=down'],
    ['pg on a would be in fault: interface em1.', 'Nobody would be active for pg: no other member takes part.'],
  ],
  ['nothing that matters', {}, {}, ['check a=up'], ['a (150) would stay active.']],
  [
    'what is away is old',
    {},
    { connected: false },
    ['check a=down'],
    ['b (100) would take over from a (90).', 'Not connected, so what is said of it may be old: b.'],
  ],
] as const satisfies readonly (readonly [
  string,
  Partial<NodeInit>,
  Partial<NodeInit>,
  readonly string[],
  readonly string[],
])[]) {
  test(`of the fleet: ${what}`, () => {
    const reports = [report('a', 11, { base: 150, ...ACTIVE, ...a }), report('b', 12, { base: 100, ...b })];
    assert.deepEqual(ask(reports, 'a', sets), wanted);
  });
}

test('of the fleet: a backup that is raised, one that recovers, one that has never said anything', () => {
  const a = report('a', 11, { base: 150, ...ACTIVE });
  assert.deepEqual(ask([a, report('b', 12, { base: 100 })], 'b', ['priority=151']), [
    'b (151) would take over from a (150).',
  ]);
  const down = { tracks: [{ subject: 'check a', state: 'down', weight: 0 }], state: MemberState.FAULT };
  assert.deepEqual(ask([a, report('b', 12, { base: 200, ...down })], 'b', ['check a=up']), [
    'b (200) would take over from a (150).',
  ]);
  const silent = { node: 'c', status: undefined, connected: false };
  assert.deepEqual(ask([a, report('b', 12, { base: 100 }), silent], 'a', []), [
    'a (150) would stay active.',
    'Has never reported this router, and is not counted: c.',
  ]);
});

test('of a node alone: as far as it hears', () => {
  const heard = { activeAddress: '192.0.2.11', activePriority: 150 };
  const b = report('b', 12, { base: 100, ...heard });
  assert.deepEqual(ask([b], 'b', ['check a=down'], 'node'), [
    'b (40) would be backup and 192.0.2.11 (150) stay active.',
  ]);
  assert.deepEqual(ask([b], 'b', ['priority=150'], 'node'), [
    'b (150) would be backup and 192.0.2.11 (150) stay active: an equal priority does not take over from a working active router.',
  ]);
  assert.deepEqual(ask([b], 'b', ['priority=151'], 'node'), ['b (151) would take over from 192.0.2.11 (150).']);
  assert.deepEqual(ask([b], 'b', ['interface em1=down'], 'node'), [
    'pg on b would be in fault: interface em1.',
    '192.0.2.11 (150) would stay active.',
  ]);
  const quiet = report('b', 12, { base: 100, preempt: false, ...heard });
  assert.match(ask([quiet], 'b', ['priority=200'], 'node')[0] ?? '', /stay active: it does not preempt\.$/);
  const a = report('a', 11, { base: 150, ...ACTIVE });
  assert.deepEqual(ask([a], 'a', ['interface em1=down'], 'node'), [
    'pg on a would be in fault: interface em1.',
    'a would give pg up, and another member take it over if there is one. Heard before:',
    '  192.0.2.12: priority 100, last heard 4m ago.',
  ]);
  assert.match(
    ask([a], 'a', ['check a=down'], 'node')[0] ?? '',
    /stay active, unless a member that preempts has more than 90/,
  );
});

test('of a group: one in fault takes the others along, or leaves them', () => {
  for (const [policy, web] of [
    ['all', 'fault'],
    ['any', 'active'],
  ] as const) {
    const group = { name: 'g', policy, routers: ['pg', 'web'] };
    const { status } = report('a', 11, { base: 150, ...ACTIVE, group: 'g' });
    assert.ok(status);
    const [pg] = status.routers;
    assert.ok(pg);
    const both = NodeStatus.fromPartial({
      ...status,
      groups: [group],
      routers: [pg, { ...pg, name: 'web', tracks: [] }],
    });
    const answer = whatIf({
      router: 'pg',
      node: 'a',
      suppositions: [{ kind: 'track', subject: 'interface em1', state: 'down' }],
      reports: [{ node: 'a', status: both, connected: true }],
      scope: 'fleet',
    });
    assert.ok(answer.ok);
    assert.deepEqual(answer.forecast.group, {
      name: 'g',
      policy,
      routers: [
        { router: 'pg', stateNow: 'active', stateThen: 'fault' },
        { router: 'web', stateNow: 'active', stateThen: web },
      ],
      culprits: ['pg'],
    });
  }
});

test('what is not tracked, and what makes no sense of it, is refused', () => {
  const reports = [report('a', 11, { base: 150 })];
  assert.deepEqual(ask(reports, 'a', ['check b=down']), [
    'pg on a does not track "check b" (did you mean "check a"?); it tracks interface em1, check a, check n',
  ]);
  assert.deepEqual(ask(reports, 'a', ['check n=down']), ['check n reads a number: write "check n=5"']);
  assert.deepEqual(ask(reports, 'a', ['check a=3']), ['check a is up or down, not 3']);
  assert.deepEqual(ask(reports, 'z', []), ['z has not reported a router "PG"']);
});
