/** What an operator declares: apply, get, delete, import. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { status } from '@grpc/grpc-js';
import {
  type ApplyRequest,
  ApplyResponse,
  ChangeKind,
  DeleteResourceResponse,
  GetResourceResponse,
  ListResourcesResponse,
} from '../../proto/gen/baton/v1/resource_service.js';
import { bench, CHECK, cluster } from './bench.js';
import { CallRefusal, KEEP_OPEN, NOON } from './fake-controller.js';

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
  assert.match(
    (await ctl('get', 'checks')).stdout,
    /^NAME +KIND +SUBJECT .*\npg-alive +exec +\/x +1s +1s +1 +1 +3 +1m\n$/u,
  );
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
