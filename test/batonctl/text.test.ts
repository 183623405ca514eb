/** The small pure parts: tables, ages, names of kinds, arguments, how far nodes have got. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ageOf, ago, formatAge, until } from '../../controller/batonctl/ages.js';
import { readHostArgument } from '../../controller/batonctl/commands/import.js';
import { Failure } from '../../controller/batonctl/failure.js';
import { fitScreen } from '../../controller/batonctl/fit-screen.js';
import { readKind } from '../../controller/batonctl/kinds.js';
import { escapeJson } from '../../controller/batonctl/output.js';
import { choosePaint, colourPaint } from '../../controller/batonctl/paint.js';
import { renderResources } from '../../controller/batonctl/resource-table.js';
import { judgeRollout } from '../../controller/batonctl/rollout.js';
import { shellWord } from '../../controller/batonctl/shell-word.js';
import type { Surroundings } from '../../controller/batonctl/surroundings.js';
import { displayWidth, renderTable } from '../../controller/batonctl/table.js';
import { type CheckSpec, Resource, SyncPolicy } from '../../proto/gen/baton/v1/resources.js';
import { ClusterStatus, type NodeOverview } from '../../proto/gen/baton/v1/status_service.js';

const NOON = Date.UTC(2026, 10, 22, 12);

test('a table lines up, also with wide characters, combining ones and colours', () => {
  const rows = [
    ['数据库', 'x'],
    ['e\u0301', { text: 'y', colour: 'red' as const }],
    ['plain', ''],
  ];
  assert.deepEqual(renderTable(['NAME', 'B'], rows), ['NAME    B', '数据库  x', 'e\u0301       y', 'plain']);
  assert.deepEqual(renderTable(['NAME', 'B'], rows.slice(1, 2), { paint: colourPaint, indent: '  ' }), [
    '  \u001b[2mNAME\u001b[0m  \u001b[2mB\u001b[0m',
    '  e\u0301     \u001b[31my\u001b[0m',
  ]);
  assert.equal(displayWidth('数据库'), 6);
});

test('a cell is one line without control characters; the last column is cut to the width', () => {
  assert.deepEqual(renderTable(['A', 'B'], [['a\r\n\u001b[2Jb', 'c']]), ['A       B', 'a [2Jb  c']);
  assert.deepEqual(renderTable(['A', 'B'], [['a', 'x'.repeat(50)]], { width: 20 }), ['A  B', `a  ${'x'.repeat(16)}…`]);
});

test('ages', () => {
  const rows: [number, string][] = [
    [-5_000, '0s'],
    [999, '0s'],
    [59_999, '59s'],
    [60_000, '1m'],
    [303_000, '5m 3s'],
    [7_800_000, '2h 10m'],
    [86_400_000, '1d'],
    [3 * 86_400_000 + 4 * 3_600_000, '3d 4h'],
    [212 * 86_400_000, '212d'],
  ];
  for (const [ms, text] of rows) assert.equal(formatAge(ms), text);
  assert.equal(ageOf(undefined, NOON), '-');
  assert.equal(ago(new Date(NOON + 5_000), NOON), 'now');
  assert.equal(ago(new Date(NOON - 3_000), NOON), '3s ago');
  assert.equal(ago(undefined, NOON), 'never');
  assert.equal(until(new Date(NOON + 60_000), NOON), 'in 1m');
  assert.equal(until(new Date(NOON - 60_000), NOON), '1m ago');
});

test('kinds by their short names', () => {
  for (const text of ['vr', 'VRs', 'VirtualRouter', 'virtualrouters', 'routers']) {
    assert.equal(readKind(text), 'VirtualRouter');
  }
  assert.equal(readKind('checks'), 'Check');
  assert.equal(readKind('secret'), 'Secret');
  assert.throws(
    () => readKind('chek'),
    (error) => error instanceof Failure && error.exitCode === 2 && /did you mean "check"/iu.test(error.message),
  );
});

test('NAME=FILE', () => {
  assert.deepEqual(readHostArgument('base1=/etc/keepalived/keepalived.conf'), {
    name: 'base1',
    file: '/etc/keepalived/keepalived.conf',
  });
  assert.deepEqual(readHostArgument('k.conf'), { name: undefined, file: 'k.conf' });
  assert.deepEqual(readHostArgument('./a=b.conf'), { name: undefined, file: './a=b.conf' });
  assert.throws(() => readHostArgument('base1='), Failure);
  assert.throws(() => readHostArgument('=x'), Failure);
});

test('words for a shell', () => {
  assert.equal(shellWord('base1.example.net:7443'), 'base1.example.net:7443');
  assert.equal(shellWord('[::1]:7443'), "'[::1]:7443'");
  assert.equal(shellWord("a'b; rm -rf /"), "'a'\\''b; rm -rf /'");
});

test('JSON for a terminal', () => {
  const escaped = escapeJson(JSON.stringify({ a: '\u001b\u007f\u009b\u202e' }));
  assert.equal(escaped, '{"a":"\\u001b\\u007f\\u009b\\u202e"}');
  assert.deepEqual(JSON.parse(escaped), { a: '\u001b\u007f\u009b\u202e' });
});

test('colours on a terminal only, and not when unwanted', () => {
  const terminal = { isTerminal: true, columns: 80, rows: 24, write: () => undefined };
  const env = (variables: Record<string, string>): Surroundings => ({ env: variables }) as unknown as Surroundings;
  assert.equal(choosePaint(terminal, env({}), true)('red', 'x'), '\u001b[31mx\u001b[0m');
  assert.equal(choosePaint(terminal, env({}), false)('red', 'x'), 'x');
  assert.equal(choosePaint(terminal, env({ NO_COLOR: '1' }), true)('red', 'x'), 'x');
  assert.equal(choosePaint(terminal, env({ TERM: 'dumb' }), true)('red', 'x'), 'x');
  assert.equal(choosePaint({ ...terminal, isTerminal: false }, env({}), true)('red', 'x'), 'x');
});

test('a table for each kind', () => {
  const metadata = { name: 'pg', generation: 3, createdAt: new Date(NOON - 60_000) };
  const resources = [
    {
      metadata,
      spec: {
        $case: 'virtualRouter' as const,
        value: {
          vrid: 10,
          addresses: [{ address: '192.0.2.1' }, { address: '192.0.2.2/24' }],
          members: [{ node: 'base1' }, { node: 'base2', priority: 90 }],
          track: [{ check: 'pg-alive', weight: -10 }, { interface: 'em2' }],
        },
      },
    },
    { metadata: { ...metadata, name: 'ops' }, spec: { $case: 'secret' as const, value: { value: '' } } },
    {
      metadata: { ...metadata, name: 'alive' },
      spec: {
        $case: 'check' as const,
        value: {
          kind: { $case: 'exec' as const, value: { command: ['/x', 'a b'] } },
          interval: { seconds: 10, nanos: 0 },
          fall: 5,
        },
      },
    },
  ].map((resource) => Resource.fromPartial(resource));
  assert.equal(
    renderResources(resources, NOON).join('\n'),
    `VirtualRouter
NAME  VRID  VERSION  FAMILY  ADDRESSES                MEMBERS              TRACKS              MAC  RECEIVERS  GENERATION  AGE
pg    10    3        IPv4    192.0.2.1, 192.0.2.2/24  base1:100, base2:90  pg-alive(-10), em2  -    -          3           1m

Check
NAME   KIND  SUBJECT  INTERVAL  TIMEOUT  RISE  FALL  GENERATION  AGE
alive  exec  /x a b   10s       10s      1     5     3           1m

Secret
NAME  GENERATION  AGE
ops   3           1m`,
  );
});

test('what each kind of check looks at, and tables of groups, sessions and host networks', () => {
  type Spec = NonNullable<Parameters<typeof Resource.fromPartial>[0]['spec']>;
  const cells = (spec: Spec): string[] =>
    (renderResources([Resource.fromPartial({ metadata: { name: 'x' }, spec })], NOON)[1] ?? '').trim().split(/ {2,}/u);
  const check = (kind: NonNullable<Parameters<typeof CheckSpec.fromPartial>[0]['kind']>): string =>
    cells({ $case: 'check', value: { kind } }).slice(1, 3).join(' ');
  assert.equal(check({ $case: 'http', value: { url: 'http://x/', method: 'HEAD' } }), 'http HEAD http://x/');
  assert.equal(check({ $case: 'tcp', value: { host: '::1', port: 5432 } }), 'tcp [::1]:5432');
  assert.equal(check({ $case: 'grpc', value: { host: 'db', port: 1 } }), 'grpc db:1');
  assert.equal(
    check({ $case: 'dns', value: { server: '192.0.2.53', name: 'a.example', type: 'A' } }),
    'dns a.example A at 192.0.2.53',
  );
  assert.equal(check({ $case: 'ping', value: { host: 'gw' } }), 'ping gw');
  assert.equal(
    check({ $case: 'process', value: { name: 'postgres', arguments: ['-D', '/d'] } }),
    'process postgres -D /d',
  );
  assert.equal(check({ $case: 'file', value: { path: '/run/load' } }), 'file /run/load');
  assert.deepEqual(
    cells({
      $case: 'syncGroup',
      value: {
        routers: ['pg', 'web'],
        policy: SyncPolicy.ANY,
        track: [{ bfd: 'up', weight: 5 }, { route: '::/0' }],
        receivers: ['ops'],
      },
    }).slice(1, 5),
    ['pg, web', 'any', 'bfd up(+5), route ::/0', 'ops'],
  );
  assert.deepEqual(
    cells({ $case: 'bfdSession', value: { endpoints: [{ node: 'a', neighbor: '192.0.2.1' }], multihop: true } }).slice(
      1,
      5,
    ),
    ['a>192.0.2.1', 'yes', '10ms', '5'],
  );
  assert.deepEqual(
    cells({
      $case: 'hostNetwork',
      value: { nodes: ['a'], addresses: [{ address: '192.0.2.1/24' }], routes: [{}], requiredBy: ['pg'] },
    }).slice(1, 6),
    ['a', '192.0.2.1/24', '1', '0', 'pg'],
  );
  assert.deepEqual(
    cells({
      $case: 'virtualRouter',
      value: { vrid: 10, addresses: [{ address: '2001:db8::1' }], virtualMac: {} },
    }).slice(3, 8),
    ['IPv6', '2001:db8::1', '-', '-', '00:00:5e:00:02:0a'],
  );
});

test('how far the nodes have got', () => {
  const node = (name: string, more: Partial<NodeOverview>) => ({
    name,
    connected: true,
    lastSeen: new Date(NOON - 5_000),
    bundleInForce: { generation: 7, hash: 'aa' },
    bundleWanted: { generation: 8, hash: 'bb' },
    ...more,
  });
  const status = ClusterStatus.fromPartial({
    capturedAt: new Date(NOON),
    generation: 8,
    nodes: [
      node('waits', {}),
      node('cut-off', { connected: false }),
      node('done', { bundleInForce: { generation: 8, hash: 'bb' } }),
      node('refuses', { refusals: [{ path: 'checks[a]', reason: 'not allowed' }] }),
      node('emptied', { bundleInForce: { generation: 7, hash: '' }, bundleWanted: { generation: 8, hash: '' } }),
    ],
  });
  const names = ['waits', 'cut-off', 'done', 'refuses', 'emptied', 'stranger'];
  assert.equal(judgeRollout(status, 9, names), undefined);
  assert.deepEqual(
    judgeRollout(status, 8, names)?.map(({ state, text }) => [state, text]),
    [
      ['waiting', 'waits: has not answered yet'],
      ['waiting', 'cut-off: not connected, last seen 5s ago'],
      ['done', 'done: generation 8 in force'],
      ['refused', 'refuses: refused: checks[a]: not allowed'],
      ['done', 'emptied: generation 8 in force'],
      ['gone', 'stranger: is not enrolled; it gets its part when it joins'],
    ],
  );
  assert.deepEqual(
    judgeRollout(status, 8, [])?.map(({ node: name, state }) => [name, state]),
    [['refuses', 'refused']],
    'a node that still refuses is told of although nothing changed for it',
  );
});

test('a screen that is too long keeps its beginning and says so', () => {
  const lines = ['\u001b[31m!! pg: no active router\u001b[0m', 'x'.repeat(30), 'c', 'd', 'e'];
  assert.deepEqual(fitScreen(lines, undefined, undefined), lines);
  assert.deepEqual(fitScreen(lines, 7, 25), lines);
  // The colours take no room, the second line takes two rows.
  assert.deepEqual(fitScreen(lines, 6, 25), [
    ...lines.slice(0, 3),
    '... 2 more lines: "batonctl status" shows them all',
  ]);
});
