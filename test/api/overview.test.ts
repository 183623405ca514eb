import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NodeView } from '../../controller/agents/agent-hub.js';
import { clusterStatus } from '../../controller/api/overview.js';
import { Resource, SyncPolicy } from '../../proto/gen/baton/v1/resources.js';
import { MemberState, NodeStatus } from '../../proto/gen/baton/v1/status.js';

const NOW = new Date(Date.UTC(2030, 0, 1));
const WANTED = { generation: 3, hash: 'aa' };

interface NodeSketch {
  readonly state?: MemberState;
  readonly held?: boolean;
  readonly connected?: boolean;
  readonly lastSeen?: number;
  readonly runs?: string;
  readonly refused?: string;
  /** What of the bundle was refused; empty: the whole. */
  readonly refusedPath?: string;
  readonly cause?: string;
}

function view(name: string, sketch: NodeSketch): NodeView {
  const addresses = ['192.0.2.1/32'];
  const held = sketch.held ?? sketch.state === MemberState.ACTIVE;
  const routers =
    sketch.state === undefined
      ? []
      : [
          {
            name: 'pg',
            state: sketch.state,
            addresses,
            heldAddresses: held ? addresses : [],
            cause: sketch.cause ?? '',
          },
        ];
  return {
    id: name,
    name,
    connected: sketch.connected ?? true,
    lastSeen: sketch.lastSeen ?? NOW.getTime(),
    remoteAddress: '',
    status: NodeStatus.fromPartial({ bundle: { generation: 1, hash: sketch.runs ?? 'aa' }, routers }),
    wanted: WANTED,
    refusals:
      sketch.refused === undefined ? [] : [{ path: sketch.refusedPath ?? 'routers[pg]', reason: sketch.refused }],
    certificateExpiresAt: 0,
  };
}

function overview(nodes: Record<string, NodeSketch>, members = ['base1', 'base2']) {
  const value = {
    vrid: 10,
    addresses: [{ address: '192.0.2.1' }],
    members: members.map((node) => ({ node, interface: 'em1' })),
  };
  const status = clusterStatus({
    now: NOW,
    generation: 3,
    resources: [Resource.fromPartial({ metadata: { name: 'pg' }, spec: { $case: 'virtualRouter', value } })],
    nodes: new Map(Object.entries(nodes).map(([name, sketch]) => [name, view(name, sketch)])),
    mail: { pending: 0, sent: 0, failed: 0, lastError: '' },
  });
  const [router] = status.routers;
  assert.ok(router);
  return router;
}

const { ACTIVE, BACKUP, FAULT, INITIALIZE } = MemberState;

const rows: readonly (readonly [string, Record<string, NodeSketch>, readonly string[]])[] = [
  ['all is well', { base1: { state: ACTIVE }, base2: { state: BACKUP } }, []],
  ['two active', { base1: { state: ACTIVE }, base2: { state: ACTIVE } }, ['two active routers: base1, base2']],
  ['none active', { base1: { state: BACKUP }, base2: { state: INITIALIZE } }, ['no active router']],
  [
    'fault leaves no standby',
    { base1: { state: ACTIVE }, base2: { state: FAULT, cause: 'interface em1 is down' } },
    ['base2 is in fault: interface em1 is down', 'no standby'],
  ],
  [
    'active without its addresses',
    { base1: { state: ACTIVE, held: false }, base2: { state: BACKUP } },
    ['base1 is active but does not have all of the addresses'],
  ],
  [
    'a backup that has the addresses',
    { base1: { state: ACTIVE }, base2: { state: BACKUP, held: true } },
    ['base2 has the addresses but is not active'],
  ],
  [
    'the active one has lost its controller: nothing is claimed of it',
    { base1: { state: ACTIVE, connected: false }, base2: { state: BACKUP } },
    ['no active router is known; nothing is reported by base1', 'base1 is not connected; what is shown of it is old'],
  ],
  [
    'an old claim of a lost node is no second active router',
    { base1: { state: ACTIVE, connected: false }, base2: { state: ACTIVE } },
    ['base1 is not connected; what is shown of it is old'],
  ],
  [
    'a node that never joined, one that never came',
    { base2: { connected: false, lastSeen: 0 } },
    [
      'no active router is known; nothing is reported by base1, base2',
      'base1 has not joined',
      'base2 has joined but never connected',
    ],
  ],
  [
    'a router that is not reported yet',
    { base1: { state: ACTIVE }, base2: {} },
    ['base2 has not reported this router yet'],
  ],
  [
    'a refused bundle',
    { base1: { state: ACTIVE }, base2: { state: BACKUP, refused: 'no interface em9' } },
    ['base2 refused its bundle: routers[pg]: no interface em9'],
  ],
  [
    'a bundle that was refused as a whole',
    { base1: { state: ACTIVE }, base2: { state: BACKUP, refused: 'no space left', refusedPath: '' } },
    ['base2 refused its bundle: no space left'],
  ],
];

for (const [what, nodes, problems] of rows) {
  test(`problems: ${what}`, () => {
    assert.deepEqual(overview(nodes).problems, problems);
  });
}

test('a member shows what is wanted where nothing is reported, and whether the wanted bundle runs', () => {
  const { members } = overview({ base1: { state: ACTIVE, runs: 'bb' } });
  const [first, second] = members;
  assert.equal(first?.bundleCurrent, false);
  assert.equal(first?.reported, true);
  assert.equal(second?.reported, false);
  assert.equal(second?.interface, 'em1');
  assert.equal(second?.basePriority, 100);
  assert.equal(second?.lastSeen, undefined);
});

/** Two routers of one group on two nodes. */
function groupOverview(
  states: Record<string, { pg: MemberState; web: MemberState; group: MemberState }>,
  connected = true,
) {
  const router = (name: string, vrid: number, more: object = {}) =>
    Resource.fromPartial({
      metadata: { name },
      spec: {
        $case: 'virtualRouter',
        value: {
          vrid,
          noAddresses: true,
          members: ['base1', 'base2'].map((node) => ({ node, interface: 'em1' })),
          ...more,
        },
      },
    });
  const nodes = Object.entries(states).map(([name, { pg, web, group }]): [string, NodeView] => [
    name,
    {
      ...view(name, { connected }),
      status: NodeStatus.fromPartial({
        bundle: { generation: 1, hash: 'aa' },
        routers: [
          {
            name: 'pg',
            state: pg,
            conflicts: [
              { address: '192.0.2.1', mac: '02:00:00:00:00:09', last: new Date(NOW.getTime() - 60_000) },
              { address: '192.0.2.1', mac: '02:00:00:00:00:0a', last: new Date(NOW.getTime() - 3_600_000) },
            ],
          },
          { name: 'web', state: web },
        ],
        groups: [{ name: 'both', state: group, policy: 'all', routers: ['pg', 'web'] }],
      }),
    },
  ]);
  return clusterStatus({
    now: NOW,
    generation: 3,
    resources: [
      router('pg', 10, { virtualMac: {} }),
      router('web', 11, { noAddresses: false, addresses: [{ address: '2001:db8::1' }] }),
      Resource.fromPartial({
        metadata: { name: 'both' },
        spec: { $case: 'syncGroup', value: { routers: ['web', 'pg'], policy: SyncPolicy.ANY } },
      }),
    ],
    nodes: new Map(nodes),
    mail: { pending: 0, sent: 0, failed: 0, lastError: '' },
  });
}

test('a sync group over its nodes', () => {
  const status = groupOverview({
    base1: { pg: ACTIVE, web: ACTIVE, group: ACTIVE },
    base2: { pg: BACKUP, web: BACKUP, group: BACKUP },
  });
  const [group] = status.groups;
  assert.deepEqual(
    [group?.name, group?.routers, group?.policy, group?.problems],
    ['both', ['pg', 'web'], SyncPolicy.ANY, []],
  );
  assert.deepEqual(
    group?.members.map(({ node, state, reported, connected }) => [node, state, reported, connected]),
    [
      ['base1', ACTIVE, true, true],
      ['base2', BACKUP, true, true],
    ],
  );
  assert.deepEqual(
    status.routers.map(({ name, family, virtualMac, group: name2 }) => [name, family, virtualMac, name2]),
    [
      ['pg', 4, '00:00:5e:00:01:0a', 'both'],
      ['web', 6, '', 'both'],
    ],
  );
});

test('a group that is torn apart or in fault', () => {
  const torn = groupOverview({
    base1: { pg: ACTIVE, web: BACKUP, group: BACKUP },
    base2: { pg: BACKUP, web: ACTIVE, group: FAULT },
  });
  assert.deepEqual(torn.groups[0]?.problems, [
    'its routers are active on different nodes: pg on base1, web on base2',
    'both is in fault on base2',
  ]);
  const silent = groupOverview({ base1: { pg: ACTIVE, web: ACTIVE, group: FAULT } }, false);
  assert.deepEqual(silent.groups[0]?.problems, []);
});

test('strangers that answer now are a problem, each once; an election without addresses has nothing to lose', () => {
  const states = { pg: ACTIVE, web: BACKUP, group: ACTIVE };
  const { routers } = groupOverview({ base1: states, base2: { ...states, pg: BACKUP } });
  assert.deepEqual(routers[0]?.problems, ['02:00:00:00:00:09 answers for 192.0.2.1, seen by base1, base2']);
  assert.deepEqual(
    routers[0]?.members.map(({ holdsAddresses }) => holdsAddresses),
    [true, false],
  );
});
