import assert from 'node:assert/strict';
import { test } from 'node:test';
import { colourPaint } from '../../controller/batonctl/paint.js';
import { describeChanges } from '../../controller/batonctl/status-changes.js';
import { renderStatus } from '../../controller/batonctl/status-screen.js';
import { SyncPolicy } from '../../proto/gen/baton/v1/resources.js';
import { MemberState } from '../../proto/gen/baton/v1/status.js';
import {
  ClusterStatus,
  GroupOverview,
  MemberOverview,
  NodeOverview,
  RouterOverview,
} from '../../proto/gen/baton/v1/status_service.js';

const NOON = Date.UTC(2026, 10, 22, 12);
const { ACTIVE, BACKUP, FAULT } = MemberState;

function member(node: string, state: MemberState, more: Partial<MemberOverview> = {}): MemberOverview {
  return MemberOverview.fromPartial({
    node,
    interface: 'em1',
    state,
    basePriority: 100,
    effectivePriority: 100,
    since: new Date(NOON - 3_723_000),
    cause: 'heard no active router',
    holdsAddresses: state === ACTIVE,
    reported: true,
    connected: true,
    lastSeen: new Date(NOON - 400),
    bundleCurrent: true,
    ...more,
  });
}

function node(name: string, more: Partial<NodeOverview> = {}): NodeOverview {
  return NodeOverview.fromPartial({
    name,
    connected: true,
    lastSeen: new Date(NOON - 400),
    agentVersion: '0.1.0',
    bundleInForce: { generation: 7, hash: 'aa' },
    bundleWanted: { generation: 7, hash: 'aa' },
    certificateExpiresAt: new Date(NOON + 86_400_000),
    ...more,
  });
}

function cluster(more: Partial<ClusterStatus> = {}): ClusterStatus {
  return ClusterStatus.fromPartial({
    capturedAt: new Date(NOON),
    generation: 7,
    routers: [
      RouterOverview.fromPartial({
        name: 'pg',
        vrid: 10,
        addresses: ['192.168.1.26'],
        members: [
          member('base1', ACTIVE),
          member('base2', BACKUP, { effectivePriority: 90, cause: 'heard priority 100 from 192.168.1.1' }),
        ],
      }),
    ],
    nodes: [node('base1'), node('base2')],
    mail: { pending: 0, sent: 3, failed: 0, lastError: '' },
    ...more,
  });
}

test('all is well', () => {
  assert.equal(
    renderStatus(cluster(), { now: NOON, context: 'prod' }).join('\n'),
    `prod: all is well   generation 7   2026-11-22 12:00:00.000Z

pg  VRID 10  192.168.1.26
  NODE   IFACE  STATE   PRIORITY       SINCE  ADDRESS  BUNDLE  SEEN  WHY
  base1  em1    active  100            1h 2m  holds    7       live  heard no active router
  base2  em1    backup  90 (base 100)  1h 2m  -        7       live  heard priority 100 from 192.168.1.1

Nodes: 2 of 2 connected
Mail:  3 sent, 0 waiting, 0 given up`,
  );
});

const trouble = cluster({
  generation: 8,
  routers: [
    RouterOverview.fromPartial({ name: 'aaa', vrid: 1, addresses: ['192.0.2.1'], members: [member('base1', ACTIVE)] }),
    RouterOverview.fromPartial({
      name: 'pg',
      vrid: 10,
      addresses: ['192.168.1.26', '192.168.1.27'],
      problems: ['two active routers: base1, base2', 'base4 has not joined'],
      members: [
        member('base1', ACTIVE, { holdsAddresses: false, bundleCurrent: false }),
        member('base2', ACTIVE, { bundleCurrent: false }),
        member('base3', FAULT, { connected: false, lastSeen: new Date(NOON - 190_000), holdsAddresses: true }),
        member('base4', MemberState.UNSPECIFIED, { reported: false, connected: false, lastSeen: undefined, cause: '' }),
      ],
    }),
  ],
  nodes: [
    node('base1', { bundleWanted: { generation: 8, hash: 'bb' } }),
    node('base2', {
      bundleWanted: { generation: 8, hash: 'bb' },
      refusals: [{ path: 'checks[pg].spec.exec.command', reason: "not on the host's list" }],
    }),
    node('base3', { connected: false, lastSeen: new Date(NOON - 190_000) }),
    node('spare', { connected: false, lastSeen: new Date(NOON - 86_400_000), bundleInForce: undefined }),
  ],
  mail: { pending: 2, sent: 3, failed: 1, lastError: 'ops: 127.0.0.1:25: connect ECONNREFUSED' },
});

test('trouble comes first, and its router before the healthy ones', () => {
  assert.equal(
    renderStatus(trouble, { now: NOON }).join('\n'),
    `4 problems   generation 8   2026-11-22 12:00:00.000Z

!! pg: two active routers: base1, base2
!! pg: base4 has not joined
 ! spare: not connected, last seen 1d ago; what it does now is not known
 ! mail: 1 given up, 2 waiting: ops: 127.0.0.1:25: connect ECONNREFUSED

pg  VRID 10  192.168.1.26, 192.168.1.27
  NODE   IFACE  STATE    PRIORITY      SINCE  ADDRESS  BUNDLE        SEEN         WHY
  base1  em1    active   100           1h 2m  missing  7, 8 pending  live         heard no active router
  base2  em1    active   100           1h 2m  holds    7, 8 refused  live         heard no active router
  base3  em1    fault?   100           1h 2m  holds?   7             lost 3m 10s  heard no active router
  base4  em1    unknown  - (base 100)  -      -        not enrolled  never        nothing reported yet

aaa  VRID 1  192.0.2.1
  NODE   IFACE  STATE   PRIORITY  SINCE  ADDRESS  BUNDLE  SEEN  WHY
  base1  em1    active  100       1h 2m  holds    7       live  heard no active router

Nodes without a virtual router: spare (not connected, seen 1d ago)
Nodes: 2 of 4 connected
Mail:  3 sent, 2 waiting, 1 given up`,
  );
});

test('on a terminal problems are red and lines are no wider than it', () => {
  const long = cluster();
  const [router] = long.routers;
  const [first] = router?.members ?? [];
  if (first !== undefined) first.cause = 'x'.repeat(500);
  const lines = renderStatus(trouble, { now: NOON, paint: colourPaint });
  assert.equal(lines[2], '\u001b[31m!! pg: two active routers: base1, base2\u001b[0m');
  const widths = renderStatus(long, { now: NOON, width: 100 }).map((line) => [...line].length);
  assert.ok(Math.max(...widths) <= 100, `${Math.max(...widths)}`);
});

test('nothing from the network drives the terminal', () => {
  const nasty = 'a\u001b[2J\u0007\u009b31m\r\nfake line\u202e\u0000';
  const status = cluster({
    routers: [
      RouterOverview.fromPartial({
        name: nasty,
        addresses: [nasty],
        problems: [nasty],
        members: [member(nasty, ACTIVE, { cause: nasty, interface: nasty })],
      }),
    ],
    nodes: [node(nasty, { connected: false, refusals: [{ path: nasty, reason: nasty }] }), node('idle\u001b[2J')],
    mail: { pending: 1, sent: 0, failed: 0, lastError: nasty },
  });
  for (const line of [...renderStatus(status, { now: NOON, context: nasty }), ...describeChanges(undefined, status)]) {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for.
    assert.doesNotMatch(line, /[\u0000-\u001f\u007f-\u009f\u2028-\u202e]/u);
  }
});

test('an empty cluster says what to do', () => {
  const text = renderStatus(ClusterStatus.fromPartial({ capturedAt: new Date(NOON) }), { now: NOON }).join('\n');
  assert.match(text, /No virtual routers\. Declare some with "batonctl apply/u);
  assert.match(text, /Nodes: none\. Let one join with "batonctl token create"/u);
});

test('changes between two looks', () => {
  const before = cluster();
  const after = cluster({
    generation: 8,
    routers: [
      RouterOverview.fromPartial({
        name: 'pg',
        problems: ['no standby'],
        members: [
          member('base1', FAULT, { cause: 'check pg-alive failed' }),
          member('base2', ACTIVE, { cause: 'heard nothing' }),
        ],
      }),
    ],
    nodes: [node('base1'), node('base2', { connected: false })],
  });
  assert.deepEqual(describeChanges(before, after), [
    'generation 7 -> 8',
    'pg on base1: active -> fault: check pg-alive failed',
    'pg on base2: backup -> active: heard nothing',
    'base2: not connected',
    'problem: pg: no standby',
  ]);
  assert.deepEqual(describeChanges(after, after), []);
  assert.deepEqual(describeChanges(after, before).slice(-2), ['base2: connected', 'solved: pg: no standby']);
});

test('a priority that changes without a change of state is told', () => {
  const after = cluster();
  const [router] = after.routers;
  const [first] = router?.members ?? [];
  if (first !== undefined) first.effectivePriority = 99;
  assert.deepEqual(describeChanges(cluster(), after), ['pg on base1: priority 100 -> 99']);
});

test('a narrow terminal gets the reasons below the rows, whole', () => {
  const lines = renderStatus(trouble, { now: NOON, width: 80 });
  const table = lines.slice(lines.findIndex((line) => line.startsWith('pg  VRID')) + 1);
  assert.deepEqual(table.slice(0, 7), [
    '  NODE   IFACE  STATE    PRIORITY      SINCE  ADDRESS  BUNDLE        SEEN',
    '  base1  em1    active   100           1h 2m  missing  7, 8 pending  live',
    '      heard no active router',
    '  base2  em1    active   100           1h 2m  holds    7, 8 refused  live',
    '      heard no active router',
    '  base3  em1    fault?   100           1h 2m  holds?   7             lost 3m 10s',
    '      heard no active router',
  ]);
  const healthy = renderStatus(cluster(), { now: NOON, width: 104 });
  assert.ok(
    healthy.some((line) => line.endsWith('live  heard priority 100 from 192.168.1.1')),
    healthy.join('\n'),
  );
});

const grouped = (state: MemberState) =>
  cluster({
    routers: [
      RouterOverview.fromPartial({
        name: 'six',
        vrid: 10,
        family: 6,
        addresses: ['2001:db8::1'],
        virtualMac: '00:00:5e:00:02:0a',
        group: 'both',
        members: [member('base1', ACTIVE)],
        problems: ['02:00:00:00:00:09 answers for 2001:db8::1, seen by base1'],
      }),
      RouterOverview.fromPartial({ name: 'vote', vrid: 11, family: 4, members: [member('base1', ACTIVE)] }),
    ],
    groups: [
      GroupOverview.fromPartial({
        name: 'both',
        policy: SyncPolicy.ANY,
        routers: ['six', 'vote'],
        members: [
          { node: 'base1', state, reported: true, connected: true },
          { node: 'base2', state: BACKUP, reported: true, connected: false },
          { node: 'base3' },
        ],
        problems: state === FAULT ? ['both is in fault on base1'] : [],
      }),
    ],
  });

test('families, virtual MAC addresses, groups and strangers', () => {
  const text = renderStatus(grouped(FAULT), { now: NOON }).join('\n');
  assert.match(text, /^six {2}VRID 10 {2}IPv6 {2}2001:db8::1 {2}MAC 00:00:5e:00:02:0a {2}group both$/mu);
  assert.match(text, /^vote {2}VRID 11 {2}no addresses$/mu);
  assert.match(text, /^!! six: 02:00:00:00:00:09 answers for 2001:db8::1, seen by base1$/mu);
  assert.match(text, /^!! group both: both is in fault on base1$/mu);
  assert.match(text, /^both {3}any {5}base1 fault, base2 backup\?, base3 unknown {2}six, vote$/mu);
});

test("a group's changes are told", () => {
  assert.deepEqual(
    describeChanges(grouped(ACTIVE), grouped(FAULT)).filter((line) => line.includes('group')),
    ['group both on base1: active -> fault', 'problem: group both: both is in fault on base1'],
  );
});
