import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AlertInput, judgeChanges, type KnownMember, type MemberChange } from '../../controller/notify/alert.js';
import type { Evidence } from '../../controller/notify/cause.js';
import { Event } from '../../proto/gen/baton/v1/events.js';
import type { MemberState } from '../../proto/gen/baton/v1/status.js';
import { ACTIVE, BACKUP, checkChanged, FAULT, INITIALIZE, NOON } from './alert-fixture.js';

let lastId = 0;

/** A change as it is usually recorded: 10 ms after it happened, with the member known to be in the `from` state. */
function change(
  node: string,
  from: MemberState,
  to: MemberState,
  cause: string,
  more: Partial<MemberChange> = {},
): MemberChange {
  lastId += 1;
  const at = more.at ?? NOON + lastId;
  return {
    eventId: lastId,
    node,
    from,
    to,
    cause,
    message: `${node} said why`,
    at,
    receivedAt: at + 10,
    priority: 100,
    peer: '',
    vrid: 10,
    knownState: from,
    knownSince: NOON - 60_000,
    ...more,
  };
}

function judge(
  changes: MemberChange[],
  members: KnownMember[],
  evidence: Evidence[] = [],
): ReturnType<typeof judgeChanges> {
  const input: AlertInput = {
    isGroup: false,
    router: 'pg',
    vrid: 10,
    addresses: ['192.0.2.26/24'],
    tracked: new Map([
      ['base1', new Set(['pg-alive'])],
      ['base2', new Set(['pg-alive'])],
    ]),
    changes,
    members,
    evidence,
  };
  return judgeChanges(input);
}

const now = (node: string, state: MemberState, since = NOON): KnownMember => ({ node, state, since, priority: 100 });
const seen = (event: Event): Evidence => ({ node: event.node, at: event.time?.getTime() ?? 0, event });
const leaseLost = Event.fromPartial({
  node: 'base1',
  time: new Date(NOON),
  detail: { $case: 'leaseLost', value: { awayUs: 5_240_000 } },
});

interface Row {
  readonly what: string;
  readonly changes: MemberChange[];
  readonly members: KnownMember[];
  readonly evidence?: Evidence[];
  /** Headline and cause; undefined: nobody is told. */
  readonly told: [string, string] | undefined;
}

const rows: Row[] = [
  {
    what: 'a check lowers the active router and the backup preempts',
    changes: [
      change('base1', ACTIVE, BACKUP, 'higher-priority-heard', { priority: 90, peer: '192.0.2.2' }),
      change('base2', BACKUP, ACTIVE, 'active-down'),
    ],
    members: [now('base1', BACKUP), now('base2', ACTIVE)],
    evidence: [seen(checkChanged('base1', 'pg-alive', 'down', NOON - 1_000))],
    told: ['base1 -> base2 active', 'check pg-alive failed on base1'],
  },
  {
    what: 'a check that failed and recovered again is not the reason',
    changes: [
      change('base1', ACTIVE, BACKUP, 'higher-priority-heard', { peer: '192.0.2.2' }),
      change('base2', BACKUP, ACTIVE, 'active-down', { priority: 120 }),
    ],
    members: [now('base1', BACKUP), now('base2', ACTIVE)],
    evidence: [
      seen(checkChanged('base1', 'pg-alive', 'down', NOON - 3_000)),
      seen(checkChanged('base1', 'pg-alive', 'up', NOON - 2_000)),
    ],
    told: ['base1 -> base2 active', 'base2 has the higher priority (120)'],
  },
  {
    what: 'a check that this router does not track is not the reason',
    changes: [
      change('base1', ACTIVE, BACKUP, 'higher-priority-heard'),
      change('base2', BACKUP, ACTIVE, 'active-down', { priority: 120 }),
    ],
    members: [now('base1', BACKUP), now('base2', ACTIVE)],
    evidence: [seen(checkChanged('base1', 'disk-space', 'down', NOON - 1_000))],
    told: ['base1 -> base2 active', 'base2 has the higher priority (120)'],
  },
  {
    what: 'the better node recovers and takes the addresses back',
    changes: [
      change('base2', ACTIVE, BACKUP, 'higher-priority-heard'),
      change('base1', BACKUP, ACTIVE, 'active-down', { priority: 110 }),
    ],
    members: [now('base1', ACTIVE), now('base2', BACKUP)],
    evidence: [seen(checkChanged('base1', 'pg-alive', 'up', NOON - 1_000))],
    told: ['base2 -> base1 active', 'check pg-alive recovered on base1'],
  },
  {
    what: 'only the successor has reported: it preempted',
    changes: [change('base2', BACKUP, ACTIVE, 'preempted', { priority: 120, peer: '192.0.2.1' })],
    members: [now('base1', ACTIVE, NOON - 3_600_000), now('base2', ACTIVE)],
    told: ['base1 -> base2 active', 'base2 has the higher priority (120)'],
  },
  {
    what: 'the first result of a check is no recovery',
    changes: [
      change('base2', ACTIVE, BACKUP, 'higher-priority-heard'),
      change('base1', BACKUP, ACTIVE, 'active-down', { priority: 110 }),
    ],
    members: [now('base1', ACTIVE), now('base2', BACKUP)],
    evidence: [seen(checkChanged('base1', 'pg-alive', 'up', NOON - 1_000, 'unknown'))],
    told: ['base2 -> base1 active', 'base1 has the higher priority (110)'],
  },
  {
    what: 'a check that recovers right after the change was still the reason',
    changes: [change('base1', ACTIVE, BACKUP, 'higher-priority-heard'), change('base2', BACKUP, ACTIVE, 'active-down')],
    members: [now('base1', BACKUP), now('base2', ACTIVE)],
    evidence: [
      seen(checkChanged('base1', 'pg-alive', 'down', NOON - 3_000)),
      seen(checkChanged('base1', 'pg-alive', 'up', NOON + 900)),
    ],
    told: ['base1 -> base2 active', 'check pg-alive failed on base1'],
  },
  {
    what: 'a planned stop',
    changes: [
      change('base2', BACKUP, ACTIVE, 'priority-zero-heard', { peer: '192.0.2.1' }),
      change('base1', ACTIVE, INITIALIZE, 'handed-over'),
    ],
    members: [now('base1', INITIALIZE), now('base2', ACTIVE)],
    told: ['base1 -> base2 active', 'planned stop of base1'],
  },
  {
    what: 'the active host dies: only the other one has something to say',
    changes: [change('base2', BACKUP, ACTIVE, 'active-down')],
    members: [now('base1', ACTIVE, NOON - 3_600_000), now('base2', ACTIVE)],
    told: ['base1 -> base2 active', 'base2 heard nothing from base1'],
  },
  {
    what: 'of two that were left active the more recent one is the old active router',
    changes: [change('base2', BACKUP, ACTIVE, 'active-down')],
    members: [now('base3', ACTIVE, NOON - 3_600_000), now('base1', ACTIVE, NOON - 60_000), now('base2', ACTIVE)],
    told: ['base1 -> base2 active', 'base2 heard nothing from base1'],
  },
  {
    what: 'the active router freezes and comes back',
    changes: [
      change('base2', BACKUP, ACTIVE, 'active-down', { at: NOON - 2_000 }),
      change('base1', ACTIVE, BACKUP, 'paused', { at: NOON }),
    ],
    members: [now('base1', BACKUP), now('base2', ACTIVE, NOON - 2_000)],
    evidence: [seen(leaseLost)],
    told: ['base1 -> base2 active', 'base1 was paused for 5.2 s'],
  },
  {
    what: 'a tracked interface goes down',
    changes: [
      change('base1', ACTIVE, FAULT, 'track-failed', { message: 'interface em1 is down' }),
      change('base2', BACKUP, ACTIVE, 'priority-zero-heard'),
    ],
    members: [now('base1', FAULT), now('base2', ACTIVE)],
    told: ['base1 -> base2 active', 'interface em1 is down'],
  },
  {
    what: 'first election',
    changes: [change('base1', BACKUP, ACTIVE, 'active-down'), change('base2', INITIALIZE, BACKUP, 'startup')],
    members: [now('base1', ACTIVE), now('base2', BACKUP)],
    told: ['base1 active', 'base1 heard no active router'],
  },
  {
    what: 'starting as backup is not told',
    changes: [change('base1', INITIALIZE, BACKUP, 'startup'), change('base2', INITIALIZE, BACKUP, 'startup')],
    members: [now('base1', BACKUP), now('base2', BACKUP)],
    told: undefined,
  },
  {
    what: 'an agent that was killed while active and starts again as backup beside its successor is not told',
    changes: [change('base1', INITIALIZE, BACKUP, 'startup', { knownState: ACTIVE })],
    members: [now('base1', BACKUP), now('base2', ACTIVE)],
    told: undefined,
  },
  {
    what: 'killed while active and active again within the group wait',
    changes: [
      change('base1', INITIALIZE, BACKUP, 'startup', { knownState: ACTIVE }),
      change('base1', BACKUP, ACTIVE, 'active-down', { knownState: BACKUP }),
    ],
    members: [now('base1', ACTIVE), now('base2', BACKUP)],
    told: ['base1 active again', 'base1 heard no active router'],
  },
  {
    what: 'a standby fails',
    changes: [change('base2', BACKUP, FAULT, 'track-failed')],
    members: [now('base1', ACTIVE, NOON - 60_000), now('base2', FAULT)],
    evidence: [seen(checkChanged('base2', 'pg-alive', 'down', NOON))],
    told: ['base2 fault, base1 active', 'check pg-alive failed on base2'],
  },
  {
    what: 'a standby recovers',
    changes: [change('base2', FAULT, BACKUP, 'tracks-recovered', { message: 'check pg-alive recovered' })],
    members: [now('base1', ACTIVE, NOON - 60_000), now('base2', BACKUP)],
    told: ['base2 backup, base1 active', 'check pg-alive recovered'],
  },
  {
    what: 'nobody takes over',
    changes: [change('base1', ACTIVE, FAULT, 'track-failed', { message: 'interface em1 is down' })],
    members: [now('base1', FAULT), now('base2', FAULT)],
    told: ['base1 gave up (fault), no active router known', 'interface em1 is down'],
  },
  {
    what: 'two become active and stay so',
    changes: [change('base1', BACKUP, ACTIVE, 'active-down'), change('base2', BACKUP, ACTIVE, 'active-down')],
    members: [now('base1', ACTIVE), now('base2', ACTIVE)],
    told: ['two active: base1, base2', 'base2 heard no active router'],
  },
  {
    what: 'the other half of a failover that was mailed, arriving after an outage of the controller',
    changes: [change('base1', ACTIVE, BACKUP, 'higher-priority-heard', { at: NOON, receivedAt: NOON + 30_000 })],
    members: [now('base1', BACKUP), now('base2', ACTIVE, NOON + 40)],
    told: undefined,
  },
  {
    what: 'a late report of giving up that belongs to no mailed failover is told',
    changes: [change('base1', ACTIVE, BACKUP, 'paused', { at: NOON, receivedAt: NOON + 30_000 })],
    members: [now('base1', BACKUP), now('base2', ACTIVE, NOON - 20_000)],
    told: ['base1 gave up (backup), base2 active', 'base1 was paused'],
  },
];

for (const { what, changes, members, evidence, told } of rows) {
  test(what, () => {
    const alert = judge(changes, members, evidence);
    assert.deepEqual(alert && [alert.headline, alert.cause], told);
  });
}

test('the old active router that has reported nothing is spoken of with care', () => {
  const alert = judge(
    [change('base2', BACKUP, ACTIVE, 'active-down')],
    [now('base1', ACTIVE, NOON - 60_000), now('base2', ACTIVE)],
  );
  assert.match(alert?.notes.join() ?? '', /base1 was active before and has reported nothing since/u);
});

test("one node's changes keep their order when its clock was set back between them", () => {
  const alert = judge(
    [
      change('base1', BACKUP, ACTIVE, 'active-down', { at: NOON }),
      change('base1', ACTIVE, BACKUP, 'higher-priority-heard', {
        at: NOON - 3_600_000,
        knownState: ACTIVE,
        knownSince: NOON,
      }),
    ],
    [now('base1', BACKUP), now('base2', ACTIVE, NOON - 10)],
  );
  assert.equal(alert?.headline, 'base1 gave up (backup), base2 active');
});

test('an agent that is replaced and goes on where it stopped is nothing to be told of', () => {
  const restart = [
    change('base1', ACTIVE, INITIALIZE, 'suspended'),
    change('base1', INITIALIZE, ACTIVE, 'resumed', { knownState: INITIALIZE }),
  ];
  assert.equal(judge(restart, [now('base1', ACTIVE), now('base2', BACKUP)]), undefined);
  const twice = [...restart, ...restart];
  assert.equal(judge(twice, [now('base1', ACTIVE), now('base2', BACKUP)]), undefined);
  const failedAfter = [
    ...restart,
    change('base1', ACTIVE, FAULT, 'check-failed'),
    change('base2', BACKUP, ACTIVE, 'priority-zero-heard'),
  ];
  assert.equal(judge(failedAfter, [now('base1', FAULT), now('base2', ACTIVE)])?.headline, 'base1 -> base2 active');
});

test('an agent that is replaced by none, or too late, is', () => {
  const suspended = change('base1', ACTIVE, INITIALIZE, 'suspended');
  const alone = judge([suspended], [now('base1', INITIALIZE), now('base2', BACKUP)]);
  assert.equal(alone?.headline, 'base1 gave up (initialize), no active router known');
  const late = [
    suspended,
    change('base2', BACKUP, ACTIVE, 'active-down'),
    change('base1', INITIALIZE, BACKUP, 'startup', { knownState: INITIALIZE }),
  ];
  assert.equal(judge(late, [now('base1', BACKUP), now('base2', ACTIVE)])?.headline, 'base1 -> base2 active');
});
