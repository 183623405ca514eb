/** Another key for a router, step by step, against a controller that keeps what it is given. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { status } from '@grpc/grpc-js';
import {
  type ApplyRequest,
  ApplyResponse,
  type DeleteResourceRequest,
  DeleteResourceResponse,
  type GetResourceRequest,
  GetResourceResponse,
  type ListResourcesRequest,
  ListResourcesResponse,
} from '../../proto/gen/baton/v1/resource_service.js';
import { HmacMode, Resource } from '../../proto/gen/baton/v1/resources.js';
import { ClusterStatus, GetStatusResponse, WatchStatusResponse } from '../../proto/gen/baton/v1/status_service.js';
import { kindOf } from '../../proto/rules/names.js';
import { bench } from './bench.js';
import { CallRefusal } from './fake-controller.js';

type RouterInit = Parameters<typeof Resource.fromPartial>[0];

/** A controller whose nodes put in force at once what they are given, unless they are away. */
class Keeper {
  readonly resources = new Map<string, Resource>();
  generation = 1;
  /** "generation keys active mode", each time the router changed. */
  readonly history: string[] = [];
  readonly keys = new Map<string, string>();
  away: readonly string[] = [];
  /** Waiting for ever: they are connected and do not answer. */
  mute: readonly string[] = [];
  /** After so many applies the connection breaks. */
  breakAfter = Number.POSITIVE_INFINITY;
  #applies = 0;

  constructor(router: RouterInit) {
    this.put(Resource.fromPartial(router));
  }

  put(resource: Resource): void {
    if (resource.spec?.$case === 'secret') this.keys.set(resource.metadata?.name ?? '', resource.spec.value.value);
    this.resources.set(`${kindOf(resource)} ${resource.metadata?.name}`, resource);
  }

  get hmac() {
    const spec = this.resources.get('VirtualRouter pg')?.spec;
    return spec?.$case === 'virtualRouter' ? spec.value.authentication?.hmac : undefined;
  }

  get answers() {
    return {
      getResource: ({ resource }: GetResourceRequest) => {
        const found = this.resources.get(`${resource?.kind} ${resource?.name}`);
        if (found === undefined) throw new CallRefusal(status.NOT_FOUND, `there is no ${resource?.name}`);
        return GetResourceResponse.fromPartial({ resource: found });
      },
      listResources: ({ kind }: ListResourcesRequest) =>
        ListResourcesResponse.fromPartial({
          resources: [...this.resources.values()].filter((resource) => kindOf(resource) === kind),
        }),
      apply: ({ resources, dryRun }: ApplyRequest) => {
        if (!dryRun) {
          this.#applies += 1;
          if (this.#applies > this.breakAfter) throw new CallRefusal(status.UNAVAILABLE, 'gone');
          this.generation += 1;
          for (const resource of resources) this.put(resource);
          const { keys = [], activeKey, mode = '' } = this.hmac ?? {};
          this.history.push(
            `${keys.map(({ id }) => id).join('+')} signs ${activeKey} ${mode.replace('HMAC_MODE_', '')}`,
          );
        }
        return ApplyResponse.fromPartial({ generation: this.generation, nodes: ['base1', 'base2'] });
      },
      deleteResource: ({ resource }: DeleteResourceRequest) => {
        this.generation += 1;
        assert.ok(this.resources.delete(`${resource?.kind} ${resource?.name}`));
        this.history.push(`${resource?.kind} ${resource?.name} deleted`);
        return DeleteResourceResponse.fromPartial({ generation: this.generation });
      },
      getStatus: () => GetStatusResponse.fromPartial({ status: this.#status() }),
      watchStatus: () => [WatchStatusResponse.fromPartial({ status: this.#status() })],
    };
  }

  #status(): ClusterStatus {
    const wanted = { generation: this.generation, hash: `hash ${this.generation}` };
    return ClusterStatus.fromPartial({
      generation: this.generation,
      nodes: ['base1', 'base2'].map((name) => ({
        name,
        connected: !this.away.includes(name),
        bundleWanted: wanted,
        bundleInForce: this.mute.includes(name) ? { generation: 1, hash: 'old' } : wanted,
      })),
    });
  }
}

const MEMBERS = [
  { node: 'base1', interface: 'em1' },
  { node: 'base2', interface: 'em1' },
];

function router(authentication: object | undefined, more: object = {}): RouterInit {
  return {
    metadata: { name: 'pg', labels: { team: 'db' } },
    spec: {
      $case: 'virtualRouter',
      value: { vrid: 10, members: MEMBERS, ...(authentication && { authentication }), ...more },
    },
  } as RouterInit;
}

const SIGNED = router({
  type: 'AUTHENTICATION_TYPE_HMAC',
  hmac: { keys: [{ id: 1, secret: 'first' }], activeKey: 1, mode: HmacMode.ENFORCE },
});

async function desk(context: TestContext, start: RouterInit) {
  const keeper = new Keeper(start);
  keeper.put(Resource.fromPartial({ metadata: { name: 'first' }, spec: { $case: 'secret', value: { value: '' } } }));
  return { keeper, ...(await bench(context, keeper.answers)) };
}

const WHOLE = [
  '1+2 signs 1 ENFORCE',
  '1+2 signs 2 ENFORCE',
  '2 signs 2 ENFORCE',
  'Secret first deleted',
  '2 signs 2 ENFORCE',
];

test('a key is added, then signs, then the old one goes, and nothing of it stays behind', async (context) => {
  const { keeper, ctl } = await desk(context, SIGNED);
  const answer = await ctl('rotate-key', 'pg');
  assert.equal(answer.code, 0, answer.stderr);
  assert.deepEqual(keeper.history, WHOLE);
  assert.match(
    answer.stdout,
    /^now: key 2 \(Secret pg-hmac-2\) is accepted besides key 1.*\nnow: key 2 signs; key 1 is still accepted.*\nnow: key 1 is no longer accepted.*\nnow: the rotation is over, and the Secret first is deleted.*\nevery advertisement of pg is signed by key 2\n$/u,
  );
  assert.match(keeper.keys.get('pg-hmac-2') ?? '', /^hex:[0-9a-f]{64}$/u);
  assert.ok(!`${answer.stdout}${answer.stderr}`.includes((keeper.keys.get('pg-hmac-2') ?? '').slice(4)), 'not shown');
  assert.deepEqual(keeper.resources.get('VirtualRouter pg')?.metadata?.labels, { team: 'db' });
  assert.deepEqual(keeper.hmac?.keys, [{ id: 2, secret: 'pg-hmac-2' }]);
});

test('interrupted after every single step, another run goes on where it stopped', async (context) => {
  for (let steps = 0; steps < 5; steps += 1) {
    const { keeper, ctl } = await desk(context, SIGNED);
    keeper.breakAfter = steps;
    assert.equal((await ctl('rotate-key', 'pg')).code, steps < 4 ? 1 : 0);
    keeper.breakAfter = Number.POSITIVE_INFINITY;
    if (steps < 4) assert.equal((await ctl('rotate-key', 'pg')).code, 0);
    assert.deepEqual(keeper.history, WHOLE, `broken after ${steps}`);
    assert.equal(keeper.keys.size, 2, 'one new key alone was ever made');
  }
});

test('a member that does not put a step in force stops it there', async (context) => {
  const { keeper, ctl } = await desk(context, SIGNED);
  keeper.mute = ['base2'];
  const answer = await ctl('rotate-key', 'pg');
  assert.equal(answer.code, 1);
  assert.match(answer.stderr, /not in force yet on base2.*\nrun the same command again to go on\n$/u);
  assert.deepEqual(keeper.history, []);
});

test('a member that is away, and one that is no node, are reasons not to begin', async (context) => {
  const { keeper, ctl } = await desk(context, SIGNED);
  keeper.away = ['base2'];
  const refused = await ctl('rotate-key', 'pg');
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /base2 not connected: without the new key it would refuse the others/u);
  assert.match(refused.stderr, /nothing was changed; --force goes on nevertheless/u);
  assert.deepEqual(keeper.history, []);
  const forced = await ctl('rotate-key', 'pg', '--force');
  assert.equal(forced.code, 0, forced.stderr);
  assert.match(forced.stderr, /^warning: base2 not connected/u);
  assert.deepEqual(keeper.history, WHOLE);

  const mixed = await desk(
    context,
    router(
      { type: 'AUTHENTICATION_TYPE_HMAC', hmac: { keys: [{ id: 1, secret: 'first' }], activeKey: 1 } },
      { externalPeers: ['192.0.2.9'] },
    ),
  );
  assert.match((await mixed.ctl('rotate-key', 'pg')).stderr, /192\.0\.2\.9 no node of this controller/u);
});

test('--init brings signing in: received, then sent, then demanded; and goes on where it stopped', async (context) => {
  for (const steps of [0, 1, 2, 3]) {
    const { keeper, ctl } = await desk(context, router(undefined));
    keeper.breakAfter = steps;
    await ctl('rotate-key', 'pg', '--init');
    keeper.breakAfter = Number.POSITIVE_INFINITY;
    const answer = await ctl('rotate-key', 'pg', '--init');
    assert.equal(answer.code, 0, answer.stderr);
    assert.deepEqual(keeper.history, ['1 signs 1 RECEIVE_ONLY', '1 signs 1 PERMISSIVE', '1 signs 1 ENFORCE']);
    assert.match(answer.stdout, /every advertisement of pg is signed by key 1\n$/u);
  }
});

test('what makes no sense is said', async (context) => {
  for (const [start, args, reason] of [
    [router(undefined), [], /not signed: begin with --init/u],
    [router({ type: 'AUTHENTICATION_TYPE_PASS', secret: 'first' }), ['--init'], /has a password/u],
    [router(undefined, { strictRfc: true }), ['--init'], /strictRfc/u],
    [
      router({
        type: 'AUTHENTICATION_TYPE_HMAC',
        hmac: { keys: [{ id: 1, secret: 'first' }], activeKey: 1, mode: HmacMode.PERMISSIVE },
      }),
      [],
      /finish that with --init first/u,
    ],
  ] as const) {
    const { keeper, ctl } = await desk(context, start);
    const answer = await ctl('rotate-key', 'pg', ...args);
    assert.equal(answer.code, 1);
    assert.match(answer.stderr, reason);
    assert.deepEqual(keeper.history, []);
  }
  const { ctl } = await desk(context, SIGNED);
  assert.equal((await ctl('rotate-key', 'nobody')).code, 1);
});

test('--dry-run changes nothing, --key-file gives the key', async (context) => {
  const { keeper, ctl, directory, fake } = await desk(context, SIGNED);
  const dry = await ctl('rotate-key', 'pg', '--dry-run');
  assert.equal(dry.code, 0, dry.stderr);
  assert.match(dry.stdout, /^would begin with: key 2 .*\nthen, .*the new key signs/u);
  assert.deepEqual(keeper.history, []);
  assert.ok(fake.calls.some(({ method, request }) => method === 'apply' && (request as ApplyRequest).dryRun));
  const file = path.join(directory, 'key');
  writeFileSync(file, 'short\n');
  const short = await ctl('rotate-key', 'pg', '--key-file', file);
  assert.equal(short.code, 3);
  assert.match(short.stderr, /must hold 32 to 64 bytes/u);
  const key = 'k'.repeat(32);
  writeFileSync(file, `${key}\n`);
  keeper.breakAfter = 1;
  await ctl('rotate-key', 'pg', '--key-file', file);
  assert.equal(keeper.keys.get('pg-hmac-2'), key);
  keeper.breakAfter = Number.POSITIVE_INFINITY;
  const again = await ctl('rotate-key', 'pg', '--key-file', file);
  assert.equal(again.code, 1);
  assert.match(again.stderr, /under way, with a key of its own/u);
  assert.equal((await ctl('rotate-key', 'pg')).code, 0);
  assert.deepEqual(keeper.history, WHOLE);
});
