/** Every command against a controller made of functions, over real gRPC and mutual TLS on loopback. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { readContextFile } from '../../controller/batonctl/context-file.js';
import { EventSeverity } from '../../proto/gen/baton/v1/events.js';
import { SendTestMailResponse } from '../../proto/gen/baton/v1/mail_service.js';
import {
  type ApplyRequest,
  ApplyResponse,
  ChangeKind,
  DeleteResourceResponse,
  GetResourceResponse,
  ListResourcesResponse,
} from '../../proto/gen/baton/v1/resource_service.js';
import { MemberState } from '../../proto/gen/baton/v1/status.js';
import {
  ClusterStatus,
  type FollowEventsRequest,
  GetStatusResponse,
  type ListEventsRequest,
  ListEventsResponse,
  StoredEvent,
  WatchStatusResponse,
} from '../../proto/gen/baton/v1/status_service.js';
import {
  type CreateTokenRequest,
  CreateTokenResponse,
  ListTokensResponse,
  RevokeTokenResponse,
} from '../../proto/gen/baton/v1/token_service.js';
import {
  type Answers,
  CallRefusal,
  contextFor,
  FakeController,
  KEEP_OPEN,
  makeDesk,
  makeIdentities,
  NOON,
  type Run,
  type RunOptions,
  run,
} from './fake-controller.js';

interface Bench {
  readonly fake: FakeController & { port: number };
  readonly directory: string;
  readonly ctl: (...args: string[]) => Promise<Run>;
  readonly with: (options: Partial<RunOptions>, ...args: string[]) => Promise<Run>;
  readonly file: (name: string, text: string) => string;
}

async function bench(context: TestContext, answers: Answers = {}): Promise<Bench> {
  const fake = await FakeController.start(context);
  fake.answers = answers;
  const directory = makeDesk(context, [contextFor(fake, fake.port)]);
  return {
    fake,
    directory,
    ctl: (...args) => run(args, { directory }),
    with: (options, ...args) => run(args, { directory, ...options }),
    file(name, text) {
      const file = path.join(directory, name);
      mkdirSync(path.dirname(file), { recursive: true });
      writeFileSync(file, text);
      return file;
    },
  };
}

const CHECK = `apiVersion: baton/v1
kind: Check
metadata: {name: pg-alive}
spec:
  exec: {command: [/usr/local/bin/check.sh]}
  interval: 10s
`;

function cluster(more: Partial<ClusterStatus> = {}): ClusterStatus {
  return ClusterStatus.fromPartial({
    capturedAt: new Date(NOON),
    generation: 7,
    routers: [
      {
        name: 'pg',
        vrid: 10,
        addresses: ['192.0.2.1'],
        members: [
          {
            node: 'base1',
            state: MemberState.ACTIVE,
            reported: true,
            connected: true,
            holdsAddresses: true,
            cause: 'alone',
          },
        ],
      },
    ],
    nodes: [
      {
        name: 'base1',
        connected: true,
        lastSeen: new Date(NOON),
        agentVersion: '0.1.0',
        remoteAddress: '192.0.2.9:1234',
        bundleInForce: { generation: 7, hash: 'aa' },
        bundleWanted: { generation: 7, hash: 'aa' },
        certificateExpiresAt: new Date(NOON + 86_400_000),
      },
    ],
    ...more,
  });
}

const getStatus = () => GetStatusResponse.fromPartial({ status: cluster() });

test('status, as a table and for programs', async (context) => {
  const { ctl } = await bench(context, { getStatus });
  const table = await ctl('status');
  assert.equal(table.code, 0);
  assert.match(
    table.stdout,
    /^test: all is well {3}generation 7 {3}2026-11-22 12:00:00\.000Z\n\npg {2}VRID 10 {2}192\.0\.2\.1\n/u,
  );
  const json = await ctl('status', '-o', 'json');
  assert.equal(json.code, 0);
  const parsed = JSON.parse(json.stdout);
  assert.equal(parsed.routers[0].members[0].state, 'active');
  assert.equal(parsed.routers[0].members[0].holdsAddresses, true);
  const yaml = await ctl('-o', 'yaml', 'status');
  assert.match(yaml.stdout, /^capturedAt: /u);
  assert.equal(yaml.stderr, '');
});

test('nodes', async (context) => {
  const { ctl } = await bench(context, { getStatus });
  assert.equal(
    (await ctl('nodes')).stdout,
    `NAME   STATE      SEEN  VERSION  FROM            BUNDLE  CERTIFICATE EXPIRES
base1  connected  live  0.1.0    192.0.2.9:1234  7       in 1d
`,
  );
  assert.equal(JSON.parse((await ctl('nodes', '-o', 'json')).stdout).nodes[0].name, 'base1');
});

test('watch in a pipe tells changes, in JSON every state, on a terminal one screen', async (context) => {
  const second = cluster({ generation: 8 });
  const { with: ctlWith } = await bench(context, {
    watchStatus: () => [
      WatchStatusResponse.fromPartial({ status: cluster() }),
      WatchStatusResponse.fromPartial({ status: second }),
      KEEP_OPEN,
    ],
  });
  const until = (pattern: RegExp): Partial<RunOptions> => {
    const stop = new AbortController();
    return { interrupted: stop.signal, onWrite: (text) => pattern.test(text) && stop.abort() };
  };
  const piped = await ctlWith(until(/generation 7 -> 8/u), 'watch');
  assert.equal(piped.code, 0);
  assert.equal(
    piped.stdout,
    `2026-11-22 12:00:00.000Z  pg on base1: active: alone
2026-11-22 12:00:00.000Z  base1: connected
2026-11-22 12:00:00.000Z  generation 7 -> 8
`,
  );
  const json = await ctlWith(until(/"generation":8/u), 'watch', '-o', 'json');
  assert.deepEqual(
    json.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).generation),
    [7, 8],
  );
  const screen = await ctlWith({ terminal: true, ...until(/generation 8/u) }, 'watch');
  assert.ok(screen.stdout.startsWith('\u001b[H\u001b[J\u001b[H'));
  assert.match(screen.stdout, /generation 8/u);
  const low = await ctlWith({ terminal: true, rows: 4, ...until(/generation 8/u) }, 'watch');
  const last = low.stdout.split('\u001b[H').at(-1) ?? '';
  assert.match(last, /generation 8/u);
  assert.match(last, /\.\.\. \d+ more lines: "batonctl status" shows them all/u);
  assert.equal(last.split('\n').length, 4);
});

test('watch opens a broken stream again and says so', async (context) => {
  let times = 0;
  const { with: ctlWith } = await bench(context, {
    watchStatus: () => {
      times += 1;
      if (times === 2) throw new CallRefusal(status.UNAVAILABLE, 'stopping');
      return [WatchStatusResponse.fromPartial({ status: cluster({ generation: times }) })];
    },
  });
  const stop = new AbortController();
  const answer = await ctlWith(
    { interrupted: stop.signal, onWrite: (text) => /1 -> 3/u.test(text) && stop.abort() },
    'watch',
  );
  assert.equal(answer.code, 0);
  assert.match(answer.stderr, /the controller ended the stream; trying again\n.*stopping; trying again\n/u);
});

const event = (id: number, message: string) =>
  StoredEvent.fromPartial({
    id,
    event: { node: 'base1', router: 'pg', time: new Date(NOON), severity: EventSeverity.WARNING, message },
  });

test('events: filters and limit go to the controller, texts come clean', async (context) => {
  const { fake, ctl } = await bench(context, {
    listEvents: () => ListEventsResponse.fromPartial({ events: [event(1, 'one\u001b[2J'), event(2, 'two')] }),
  });
  const listed = await ctl('events', '--node', 'base1', '--router', 'pg', '--severity', 'warning', '--limit', '5');
  assert.equal(
    listed.stdout,
    `TIME                      NODE   ROUTER  SEVERITY  WHAT
2026-11-22 12:00:00.000Z  base1  pg      warning   one [2J
2026-11-22 12:00:00.000Z  base1  pg      warning   two
`,
  );
  assert.deepEqual(fake.calls[0]?.request as ListEventsRequest, {
    filter: { node: 'base1', router: 'pg', severity: EventSeverity.WARNING },
    limit: 5,
  });
  const json = await ctl('events', '-o', 'json');
  assert.equal(JSON.parse(json.stdout).events[1].event.message, 'two');
  assert.equal(json.stdout.includes('\u001b'), false);
});

test('events --follow goes on over a broken stream and shows nothing twice', async (context) => {
  let times = 0;
  const asked: number[] = [];
  const { with: ctlWith } = await bench(context, {
    followEvents: ({ limit }: FollowEventsRequest) => {
      times += 1;
      asked.push(limit);
      return times === 1
        ? [{ event: event(1, 'one') }, { event: event(2, 'two') }]
        : [{ event: event(2, 'two') }, { event: event(3, 'three') }, KEEP_OPEN];
    },
  });
  const stop = new AbortController();
  const followed = await ctlWith(
    { interrupted: stop.signal, onWrite: (text) => text.includes('three') && stop.abort() },
    'events',
    '--follow',
    '--limit',
    '2',
  );
  assert.equal(followed.code, 0);
  assert.deepEqual(
    followed.stdout
      .trim()
      .split('\n')
      .map((line) => line.split(/\s+/u).at(-1)),
    ['one', 'two', 'three'],
  );
  assert.deepEqual(asked, [2, 10_000]);
});

test('apply sends all files, tells what changed, and warnings with their place', async (context) => {
  const { fake, ctl, file, directory } = await bench(context, {
    apply: () =>
      ApplyResponse.fromPartial({
        generation: 8,
        changes: [
          { resource: { kind: 'Check', name: 'pg-alive' }, change: ChangeKind.CREATED },
          { resource: { kind: 'Check', name: 'web-alive' }, change: ChangeKind.UNCHANGED },
        ],
        warnings: [{ resource: { kind: 'Check', name: 'pg-alive' }, path: 'spec.interval', message: 'is long' }],
        nodes: ['base1'],
      }),
  });
  file('dir/a.yaml', CHECK);
  file(
    'dir/b.json',
    JSON.stringify({
      apiVersion: 'baton/v1',
      kind: 'Check',
      metadata: { name: 'web-alive' },
      spec: { exec: { command: ['/x'] } },
    }),
  );
  file('dir/notes.txt', 'not for us');
  file('dir/.hidden.yaml', 'broken: [');
  const applied = await ctl('apply', '-f', path.join(directory, 'dir'));
  assert.equal(applied.code, 0);
  assert.equal(
    applied.stdout,
    'Check pg-alive  created\nCheck web-alive  unchanged\ngeneration 8; concerns base1\n'.replaceAll('  ', ' '),
  );
  assert.match(applied.stderr, /^warning: .*a\.yaml:6:13: spec\.interval: is long\n/u);
  const [sent] = fake.calls.map(({ request }) => request as ApplyRequest);
  assert.deepEqual(
    sent?.resources.map(({ metadata }) => metadata?.name),
    ['pg-alive', 'web-alive'],
  );
  assert.equal(sent?.dryRun, false);
});

test('apply --dry-run from standard input', async (context) => {
  const { fake, with: ctlWith } = await bench(context, {
    apply: () => ApplyResponse.fromPartial({ generation: 7, changes: [], nodes: ['base1', 'base2'] }),
  });
  const answer = await ctlWith({ stdin: CHECK }, 'apply', '--dry-run', '--wait', '-f', '-');
  assert.equal(answer.code, 0);
  assert.equal(answer.stdout, 'nothing is applied (dry run); concerns base1, base2\n');
  assert.deepEqual(
    fake.calls.map(({ method, request }) => [method, (request as ApplyRequest).dryRun]),
    [['apply', true]],
  );
});

test('a file that is not understood is exit 3 with its place, and nothing is sent', async (context) => {
  const { fake, ctl, file } = await bench(context);
  const bad = file('bad.yaml', CHECK.replace('interval', 'intervall'));
  const answer = await ctl('apply', '-f', bad);
  assert.equal(answer.code, 3);
  assert.match(answer.stderr, /bad\.yaml:6:3: spec\.intervall: .*did you mean "interval"/u);
  assert.equal(fake.calls.length, 0);
});

test('what the controller refuses is exit 3 with its place in the file', async (context) => {
  const { ctl, file } = await bench(context, {
    apply: () => {
      throw new CallRefusal(status.INVALID_ARGUMENT, 'refused', [
        { resource: { kind: 'Check', name: 'pg-alive' }, path: 'spec.interval', message: 'is too short' },
        { resource: { kind: 'VirtualRouter', name: 'pg' }, path: 'spec.track[0].check', message: 'there is none' },
      ]);
    },
  });
  const answer = await ctl('apply', '-f', file('good.yaml', CHECK));
  assert.equal(answer.code, 3);
  assert.match(answer.stderr, /good\.yaml:6:13: spec\.interval: is too short\n/u);
  assert.match(answer.stderr, /\nVirtualRouter pg: spec\.track\[0\]\.check: there is none\nnothing was applied\n$/u);
});

test('the same resource in two files, an empty directory, a missing file', async (context) => {
  const { ctl, file, directory } = await bench(context);
  const one = file('one.yaml', CHECK);
  const two = file('two.yaml', CHECK);
  const twice = await ctl('apply', '-f', one, '-f', two);
  assert.equal(twice.code, 3);
  assert.match(twice.stderr, /Check pg-alive is declared twice: in .*one\.yaml and in .*two\.yaml/u);
  mkdirSync(path.join(directory, 'empty'));
  const empty = await ctl('apply', '-f', path.join(directory, 'empty'));
  assert.equal(empty.code, 1);
  assert.match(empty.stderr, /there is no \.yaml/u);
  const missing = await ctl('apply', '-f', path.join(directory, 'missing.yaml'));
  assert.equal(missing.code, 1);
  assert.match(missing.stderr, /cannot read .*missing\.yaml: ENOENT/u);
});

for (const [what, inForce, refusals, code, said] of [
  ['acknowledged', 'bb', [], 0, /base1: generation 8 in force/u],
  [
    'refused',
    'aa',
    [{ path: 'checks[a]', reason: 'not allowed' }],
    3,
    /base1: refused: checks\[a\]: not allowed\n.*refused by base1/u,
  ],
] as const) {
  test(`apply --wait: ${what}`, async (context) => {
    const waiting = cluster({ generation: 8 });
    const settled = cluster({ generation: 8 });
    for (const one of [waiting, settled]) {
      const [node] = one.nodes;
      if (node !== undefined) node.bundleWanted = { generation: 8, hash: 'bb' };
    }
    const [node] = settled.nodes;
    if (node !== undefined) {
      node.bundleInForce = { generation: 8, hash: inForce };
      node.refusals = [...refusals];
    }
    const { ctl, file } = await bench(context, {
      apply: () => ApplyResponse.fromPartial({ generation: 8, nodes: ['base1'] }),
      watchStatus: () => [{ status: cluster() }, { status: waiting }, { status: settled }, KEEP_OPEN],
    });
    const answer = await ctl('apply', '--wait', '-f', file('check.yaml', CHECK));
    assert.equal(answer.code, code);
    assert.match(answer.stderr, said);
  });
}

test('apply --wait has an end', async (context) => {
  const waiting = cluster({ generation: 8 });
  const [node] = waiting.nodes;
  if (node !== undefined) node.bundleWanted = { generation: 8, hash: 'bb' };
  const { ctl, file } = await bench(context, {
    apply: () => ApplyResponse.fromPartial({ generation: 8, nodes: ['base1'] }),
    watchStatus: () => [{ status: waiting }, KEEP_OPEN],
  });
  // In this process a wait of up to 11 s takes no time.
  const answer = await ctl('apply', '--wait-timeout', '1s', '-f', file('check.yaml', CHECK));
  assert.equal(answer.code, 1);
  assert.match(answer.stderr, /generation 8 is not in force yet on base1; it stays wanted and follows/u);
});

const checkResource = {
  metadata: { name: 'pg-alive', generation: 3, createdAt: new Date(NOON - 60_000), labels: {} },
  spec: { $case: 'check' as const, value: { kind: { $case: 'exec' as const, value: { command: ['/x'] } } } },
};

test('get', async (context) => {
  const { fake, ctl } = await bench(context, {
    listResources: () => ListResourcesResponse.fromPartial({ resources: [checkResource] }),
    getResource: () => GetResourceResponse.fromPartial({ resource: checkResource }),
  });
  assert.match((await ctl('get', 'checks')).stdout, /^NAME +COMMAND .*\npg-alive +\/x +1s +1s +1 +1 +3 +1m\n$/u);
  assert.equal(JSON.parse((await ctl('get', 'check', 'pg-alive', '-o', 'json')).stdout).kind, 'Check');
  assert.equal(JSON.parse((await ctl('get', 'all', '-o', 'json')).stdout).items.length, 1);
  assert.match((await ctl('get', 'check', '-o', 'yaml')).stdout, /^apiVersion: baton\/v1\nkind: Check\n/u);
  assert.deepEqual(
    fake.calls.map(({ request }) => request),
    [
      { kind: 'Check', labels: {} },
      { resource: { kind: 'Check', name: 'pg-alive' } },
      { kind: '', labels: {} },
      { kind: 'Check', labels: {} },
    ],
  );
});

test('delete', async (context) => {
  const { fake, ctl } = await bench(context, {
    deleteResource: () => DeleteResourceResponse.fromPartial({ generation: 9, nodes: ['base1'] }),
  });
  assert.equal((await ctl('delete', 'vr', 'pg')).stdout, 'VirtualRouter pg deleted; generation 9; concerns base1\n');
  assert.equal(
    (await ctl('delete', 'vr', 'pg', '--dry-run')).stdout,
    'VirtualRouter pg could be deleted; concerns base1\n',
  );
  assert.deepEqual(fake.calls[0]?.request, { resource: { kind: 'VirtualRouter', name: 'pg' }, dryRun: false });
  fake.answers = {
    deleteResource: () => {
      throw new CallRefusal(status.FAILED_PRECONDITION, 'in use', [
        { resource: { kind: 'VirtualRouter', name: 'pg' }, path: 'spec.track[0]', message: 'needs it' },
      ]);
    },
  };
  const refused = await ctl('delete', 'check', 'pg-alive');
  assert.equal(refused.code, 3);
  assert.match(refused.stderr, /cannot delete Check pg-alive:\nVirtualRouter pg: spec\.track\[0\]: needs it/u);
});

test('token create prints the whole command, alone on standard output', async (context) => {
  const { fake, ctl } = await bench(context, {
    createToken: () =>
      CreateTokenResponse.fromPartial({
        token: 'btn_abc',
        caPin: 'sha256:00ff',
        expiresAt: new Date(NOON + 3_600_000),
        id: '1',
      }),
  });
  const made = await ctl('token', 'create', '--node', 'base1', '--ttl', '1h30m');
  assert.equal(
    made.stdout,
    `baton-agent join --controller 127.0.0.1:${fake.port} --token btn_abc --ca-pin sha256:00ff --name base1\n`,
  );
  assert.match(made.stderr, /Run this on the host that shall be base1, within 1h; it works once/u);
  assert.match(made.stderr, /on another host, put the controller's address there/u);
  assert.deepEqual(fake.calls[0]?.request as CreateTokenRequest, { node: 'base1', ttl: { seconds: 5400, nanos: 0 } });
  assert.match(JSON.parse((await ctl('token', 'create', '-o', 'json')).stdout).joinCommand, /^baton-agent join /u);
  assert.deepEqual(fake.calls[1]?.request as CreateTokenRequest, { node: '', ttl: undefined });
});

test('token list and revoke', async (context) => {
  const { fake, ctl } = await bench(context, {
    listTokens: () =>
      ListTokensResponse.fromPartial({
        tokens: [
          { id: 'a', createdAt: new Date(NOON), expiresAt: new Date(NOON + 60_000) },
          {
            id: 'b',
            node: 'base1',
            createdAt: new Date(NOON - 60_000),
            expiresAt: new Date(NOON),
            usedAt: new Date(NOON - 3_000),
            usedBy: 'base1',
          },
          { id: 'c', createdAt: new Date(NOON - 60_000), expiresAt: new Date(NOON - 1_000) },
        ],
      }),
    revokeToken: () => RevokeTokenResponse.create(),
  });
  assert.equal(
    (await ctl('token', 'list')).stdout,
    `ID  NODE   CREATED  EXPIRES  STATE
a   (any)  now      in 1m    usable
b   base1  1m ago   now      used by base1 3s ago
c   (any)  1m ago   1s ago   expired
`,
  );
  assert.equal((await ctl('token', 'revoke', 'a')).code, 0);
  assert.deepEqual(fake.calls.at(-1)?.request, { id: 'a' });
});

test('mail test', async (context) => {
  const { fake, ctl } = await bench(context, {
    sendTestMail: () =>
      SendTestMailResponse.fromPartial({
        accepted: ['ops@example.net'],
        response: '250 ok\r\n\u001b[2J',
        messageId: '<1@example.net>',
        security: 'TLSv1.3',
      }),
  });
  const good = await ctl('mail', 'test', 'ops');
  assert.equal(good.code, 0);
  assert.equal(
    good.stdout,
    `accepted for  ops@example.net
answer        250 ok [2J
protection    TLSv1.3
message ID    <1@example.net>
`,
  );
  fake.answers = {
    sendTestMail: () =>
      SendTestMailResponse.fromPartial({ accepted: ['a@x'], rejected: ['b@x: 550 unknown'], security: 'none' }),
  };
  const partly = await ctl('mail', 'test', 'ops');
  assert.equal(partly.code, 1);
  assert.match(partly.stdout, /rejected {6}b@x: 550 unknown\n/u);
  assert.match(partly.stdout, /in clear/u);
  fake.answers = {
    sendTestMail: () => {
      throw new CallRefusal(status.UNAVAILABLE, 'receiver "ops": 127.0.0.1:25: connect ECONNREFUSED');
    },
  };
  const down = await ctl('mail', 'test', 'ops');
  assert.equal(down.code, 1);
  assert.equal(
    down.stderr,
    'batonctl: cannot send a test mail through "ops": receiver "ops": 127.0.0.1:25: connect ECONNREFUSED\n',
  );
});

test('import: one file for all hosts, readable by its owner only, never over another', async (context) => {
  const { ctl, file, directory } = await bench(context);
  const conf = (id: string): string => `global_defs {\n  router_id ${id}\n}
vrrp_instance VI_1 {\n  interface em1\n  virtual_router_id 10\n  priority 100\n
  authentication {\n    auth_type PASS\n    auth_pass hunter2\n  }\n  virtual_ipaddress {\n    192.0.2.1\n  }\n}\n`;
  const one = file('one.conf', conf('base1'));
  const two = file('two.conf', conf('other'));
  const target = path.join(directory, 'resources.yaml');
  const imported = await ctl('import', one, `base2=${two}`, '-o', target);
  assert.equal(imported.code, 0, imported.stderr);
  assert.equal(imported.stdout, '');
  assert.match(imported.stderr, /one\.conf:\d+: /u);
  assert.match(imported.stderr, /2 files: 1 VirtualRouter, 1 Secret; 0 errors/u);
  assert.equal(statSync(target).mode & 0o777, 0o600);
  const text = readFileSync(target, 'utf8');
  assert.match(text, /node: base1/u);
  assert.match(text, /node: base2/u);
  const again = await ctl('import', one, `base2=${two}`, '--output', target);
  assert.equal(again.code, 1);
  assert.match(again.stderr, /exists already; --force replaces it/u);
  assert.equal((await ctl('import', one, `base2=${two}`, '--force', '-o', target)).code, 0);
  const piped = await ctl('import', one, `base2=${two}`);
  assert.equal(piped.stdout, text);
});

test('import of what cannot be imported is exit 3, and a pipe gets nothing', async (context) => {
  const { ctl, file, directory } = await bench(context);
  const missing = await ctl('import', path.join(directory, 'missing.conf'));
  assert.equal(missing.code, 3);
  assert.match(missing.stderr, /missing\.conf/u);
  const half = file('half.conf', 'vrrp_instance VI_1 {\n  interface em1\n  virtual_router_id 999\n}\n');
  const broken = await ctl('import', `base1=${half}`);
  assert.equal(broken.code, 3);
  assert.match(broken.stderr, /half\.conf:\d+: error: /u);
  assert.equal(broken.stdout, '');
});

test('contexts: add from a file and from parts, list, use, show without the key, remove', async (context) => {
  const { fake, directory, file } = await bench(context);
  const fresh = path.join(directory, 'fresh', 'config.yaml');
  const ctl = (...args: string[]): Promise<Run> => run(args, { directory, env: { BATON_CONFIG: fresh } });
  const added = await ctl('context', 'add', '--from', path.join(directory, 'config.yaml'));
  assert.equal(added.code, 0, added.stderr);
  assert.equal(statSync(fresh).mode & 0o777, 0o600);
  assert.equal(statSync(path.dirname(fresh)).mode & 0o777, 0o700);
  const parts = {
    ca: file('ca.pem', fake.operator.ca),
    certificate: file('cert.pem', fake.operator.certificate),
    key: file('key.pem', fake.operator.privateKey),
  };
  const second = await ctl(
    ...['context', 'add', 'other', '--controller', 'c1.example.net:7443', '--controller', 'c2.example.net'],
    ...['--ca', parts.ca, '--certificate', parts.certificate, '--key', parts.key],
  );
  assert.equal(second.code, 0, second.stderr);
  assert.equal(
    (await ctl('context', 'list')).stdout,
    `   NAME   CONTROLLERS
*  test   127.0.0.1:${fake.port}
   other  c1.example.net:7443, c2.example.net
`,
  );
  assert.equal((await ctl('context', 'use', 'other')).code, 0);
  assert.equal(readContextFile(fresh)?.currentContext, 'other');
  for (const format of ['table', 'json', 'yaml']) {
    const shown = await ctl('context', 'show', '-o', format);
    assert.match(shown.stdout, /sha256:[0-9a-f]{64}/u);
    assert.match(shown.stdout, /CN=admin/u);
    assert.doesNotMatch(shown.stdout + shown.stderr, /PRIVATE|BEGIN/u);
  }
  assert.equal((await ctl('context', 'remove', 'other')).code, 0);
  const none = await ctl('context', 'use', 'tset');
  assert.equal(none.code, 2);
  assert.match(none.stderr, /no context "tset" .*did you mean "test"/u);
  const half = await ctl('context', 'add', 'x', '--ca', parts.ca);
  assert.equal(half.code, 2);
  const swapped = await ctl(
    ...[
      'context',
      'add',
      'x',
      '--controller',
      'c:1',
      '--ca',
      parts.ca,
      '--certificate',
      parts.key,
      '--key',
      parts.certificate,
    ],
  );
  assert.equal(swapped.code, 1);
  assert.match(swapped.stderr, /context "x" cannot be used/u);
});

test('no context file, one that is broken, one for another shape', async (context) => {
  const directory = makeDesk(context);
  const none = await run(['status'], { directory });
  assert.equal(none.code, 1);
  assert.match(none.stderr, /there is no context in .*config\.yaml: copy operator\.yaml/u);
  writeFileSync(path.join(directory, 'config.yaml'), 'contexts:\n  - {name: a, privateKey: SECRET, sever: x}\n');
  const broken = await run(['status'], { directory });
  assert.equal(broken.code, 1);
  assert.match(broken.stderr, /config\.yaml:2:\d+: .*sever/u);
  assert.doesNotMatch(broken.stderr, /SECRET/u);
});

test('a controller that is not there: the next is asked, and if there is none, it is said', async (context) => {
  const { fake, directory } = await bench(context, { getStatus });
  const gone = net.createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => gone.once('listening', resolve));
  const address = gone.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  await new Promise((resolve) => gone.close(resolve));
  const dead = { ...contextFor(fake, port, 'dead') };
  const both = { ...dead, name: 'both', controllers: [`127.0.0.1:${port}`, `127.0.0.1:${fake.port}`] };
  const desk = makeDesk(context, [dead, both]);
  const refused = await run(['status'], { directory: desk });
  assert.equal(refused.code, 1);
  assert.equal(
    refused.stderr,
    `batonctl: cannot read the status: nothing listens at 127.0.0.1:${port} (context "dead"): is the controller running? (connect ECONNREFUSED 127.0.0.1:${port})\n`,
  );
  assert.equal((await run(['status', '--context', 'both'], { directory: desk })).code, 0);
  assert.equal((await run(['watch', '--context', 'dead'], { directory: desk })).code, 1);
  assert.equal(existsSync(directory), true);
});

test('a controller of another authority, of another name, or without TLS is not talked to', async (context) => {
  const { fake } = await bench(context, { getStatus });
  const stranger = await makeIdentities(['127.0.0.1']);
  const other = makeDesk(context, [{ ...contextFor(fake, fake.port), ca: stranger.operator.ca }]);
  const untrusted = await run(['status'], { directory: other });
  assert.equal(untrusted.code, 1);
  assert.match(untrusted.stderr, /no trusted connection to 127\.0\.0\.1:\d+ .*not from the authority of this context/u);

  const elsewhere = await FakeController.start(context, ['controller.example.net']);
  elsewhere.answers = { getStatus };
  const misnamed = await run(['status'], { directory: makeDesk(context, [contextFor(elsewhere, elsewhere.port)]) });
  assert.equal(misnamed.code, 1);
  assert.match(misnamed.stderr, /its certificate is for other names/u);

  const plain = net.createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')).listen(0, '127.0.0.1');
  await new Promise((resolve) => plain.once('listening', resolve));
  context.after(() => plain.close());
  const address = plain.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const clear = await run(['status'], { directory: makeDesk(context, [contextFor(fake, port)]) });
  assert.equal(clear.code, 1);
  assert.match(clear.stderr, /does not speak TLS/u);
});

test('who we are is not taken, not allowed, not understood, not answered', async (context) => {
  const { fake, ctl } = await bench(context);
  const refuse = (code: status, message: string): void => {
    fake.answers = {
      getStatus: () => {
        throw new CallRefusal(code, message);
      },
    };
  };
  refuse(status.UNAUTHENTICATED, 'the certificate was revoked');
  assert.match((await ctl('status')).stderr, /does not know who you are: the certificate was revoked/u);
  refuse(status.PERMISSION_DENIED, 'nodes may not');
  assert.match((await ctl('status')).stderr, /does not allow it: nodes may not/u);
  refuse(status.UNIMPLEMENTED, 'x');
  assert.match((await ctl('status')).stderr, /of another version/u);
  refuse(status.INTERNAL, 'bad\u001b[2J\r\nthing');
  assert.equal((await ctl('status')).stderr, 'batonctl: cannot read the status: bad [2J thing\n');
  const mute = net.createServer(() => undefined).listen(0, '127.0.0.1');
  const sockets: net.Socket[] = [];
  mute.on('connection', (socket) => sockets.push(socket));
  await new Promise((resolve) => mute.once('listening', resolve));
  context.after(() => {
    for (const socket of sockets) socket.destroy();
    mute.close();
  });
  const address = mute.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const silent = await run(['status', '--timeout', '50ms'], { directory: makeDesk(context, [contextFor(fake, port)]) });
  assert.equal(silent.code, 1);
  assert.match(silent.stderr, /no answer from 127\.0\.0\.1:\d+ \(context "test"\) in time; see --timeout/u);
});

const wrong: [string[], RegExp][] = [
  [['frobnicate'], /unknown command 'frobnicate'/u],
  [['stauts'], /Did you mean status/u],
  [['status', '--nope'], /unknown option '--nope'/u],
  [['status', 'extra'], /too many arguments/u],
  [['status', '-o', 'xml'], /wanted one of table, json, yaml/u],
  [['status', '--timeout', '5'], /the unit is missing/u],
  [['status', '--timeout', '0s'], /longer than nothing/u],
  [['apply'], /required option '-f, --filename <file>' not specified/u],
  [['get'], /missing required argument 'kind'/u],
  [['get', 'pods'], /"pods" is not a kind of resource/u],
  [['get', 'all', 'x'], /takes no name/u],
  [['delete', 'vr'], /missing required argument 'name'/u],
  [['events', '--limit', '0'], /whole number from 1 to 10000/u],
  [['events', '--limit', '1e3'], /whole number/u],
  [['events', '--severity', 'loud'], /wanted info, warning or error/u],
  [['import'], /missing required argument 'file'/u],
  [['import', 'base1='], /neither a file nor NAME=FILE/u],
  [['completion', 'tcsh'], /Allowed choices are bash, zsh, fish/u],
  [['status', '--context', 'nope'], /there is no context "nope"/u],
  [[], /Usage: batonctl/u],
  [['token'], /Usage: batonctl token/u],
];
for (const [args, said] of wrong) {
  test(`called wrongly: ${args.join(' ')}`, async (context) => {
    const identities = await makeIdentities(['127.0.0.1']);
    const directory = makeDesk(context, [{ name: 'test', controllers: ['127.0.0.1:1'], ...identities.operator }]);
    const answer = await run(args, { directory });
    assert.equal(answer.code, 2);
    assert.match(answer.stderr, said);
    assert.equal(answer.stdout, '');
  });
}

test('help and version are no failure', async (context) => {
  const directory = makeDesk(context);
  for (const args of [['--help'], ['apply', '--help'], ['--version'], ['version']]) {
    const answer = await run(args, { directory });
    assert.equal(answer.code, 0);
    assert.notEqual(answer.stdout, '');
  }
  assert.equal((await run(['-V'], { directory })).stdout, 'batonctl 1.2.3\n');
  assert.equal(JSON.parse((await run(['version', '-o', 'json'], { directory })).stdout).version, '1.2.3');
});
