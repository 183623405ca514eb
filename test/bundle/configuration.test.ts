import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { BundleStore, hashOf } from '../../agent/bundle/bundle-store.js';
import { Configuration } from '../../agent/bundle/configuration.js';
import type { OwnerRules } from '../../agent/bundle/policy.js';
import type { ElectionSettings, Problem } from '../../agent/runtime/messages.js';
import { Bundle } from '../../proto/gen/baton/v1/bundle.js';
import { HostPolicy, ScriptPolicy } from '../../proto/gen/baton/v1/config.js';
import { sampleBundle } from './sample-bundle.js';

const scratch = mkdtempSync(path.join(tmpdir(), 'baton-configuration-'));
after(() => rmSync(scratch, { recursive: true, force: true }));
let directories = 0;

const RULES: OwnerRules = {
  scripts: ScriptPolicy.fromPartial({ allow: ['/opt/checks/*', '/opt/hooks/*'], users: ['nobody'] }),
  policy: undefined,
};

class FullDisk extends BundleStore {
  override async stage(): Promise<void> {
    throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
  }
}

function setUp(kind: typeof BundleStore = BundleStore) {
  directories += 1;
  const directory = path.join(scratch, String(directories));
  const store = new kind(directory, () => 0);
  const world = {
    problems: [] as Problem[],
    isSilent: false,
    missing: new Set<string>(),
    configured: [] as ElectionSettings[],
    told: [] as string[],
    validation: [] as Problem[],
    condemned: '',
  };
  const configuration = new Configuration(
    store,
    {
      configure: async (settings) => {
        if (world.isSilent) throw new Error('the election thread did not answer');
        if (world.problems.length === 0) world.configured.push(settings);
        return world.problems;
      },
      resolvePath: async (file) => file,
      programProblem: async (file) => (world.missing.has(file) ? `${file} does not exist` : undefined),
      interfaces: async () => new Set(['lo', 'em1']),
      condemnation: (hash) => (hash === world.condemned ? 'it ended the agent' : undefined),
      validate: async () => world.validation,
    },
    {
      applying: ({ routers }) => world.told.push(`applying ${routers.map(({ name }) => name).join()}`),
      applied: ({ identity }) => world.told.push(`applied ${identity.generation}`),
      refused: ({ generation }, refusals) => world.told.push(`refused ${generation} (${refusals.length})`),
    },
  );
  const push = async (bundle: Bundle, generation = 1, rules = RULES) => {
    const content = Buffer.from(Bundle.encode(bundle).finish());
    const verdict = await configuration.push(
      { nonce: 1, bundle: { generation, hash: hashOf(content) }, content },
      rules,
    );
    return { ...verdict, lines: verdict.refusals.map(({ path: at, reason }) => `${at}: ${reason}`) };
  };
  return {
    configuration,
    world,
    push,
    store,
    stored: async () => (await new BundleStore(directory, () => 0).load()).stored,
  };
}

test('an accepted push is in force and on disk', async () => {
  const { configuration, world, push, stored } = setUp();
  assert.equal((await push(sampleBundle(), 4)).accepted, true);
  assert.deepEqual(world.told, ['applying pg', 'applied 4']);
  assert.equal(world.configured.at(-1)?.routers[0]?.router.priority, 100);
  assert.equal(configuration.inForce?.identity.generation, 4);
  assert.equal((await stored())?.identity.generation, 4);
});

test('whatever refuses a push, nothing of it is in force and the one before stays', async () => {
  const rows: readonly (readonly [string, (world: ReturnType<typeof setUp>['world']) => void, Bundle, RegExp])[] = [
    [
      'the election',
      (world) => world.problems.push({ path: 'routers[pg].vrid', reason: 'taken' }),
      sampleBundle({ priority: 1 }),
      /^routers\[pg\]\.vrid: taken$/,
    ],
    [
      'the rules of its sense',
      (world) => world.validation.push({ path: 'x', reason: 'y' }),
      sampleBundle({ priority: 1 }),
      /^x: y$/,
    ],
    [
      'no answer',
      (world) => {
        world.isSilent = true;
      },
      sampleBundle({ priority: 1 }),
      /did not answer/,
    ],
    [
      'a missing program',
      (world) => world.missing.add('/opt/checks/alive'),
      sampleBundle({ priority: 1 }),
      /^checks\[alive\]\.spec\.exec\.command: .*does not exist$/,
    ],
    [
      'a missing interface',
      () => undefined,
      sampleBundle({ interface: 'em9' }),
      /^routers\[pg\]\.interface: this host has no interface em9; it has lo, em1$/,
    ],
    [
      'a program that is not allowed',
      () => undefined,
      sampleBundle({ hooks: { any: { command: ['/bin/sh'] } } }),
      /^routers\[pg\]\.hooks\.any\.command: .*matches no rule/,
    ],
    ['a value out of range', () => undefined, sampleBundle({ vrid: 999 }), /^routers\[pg\]\.vrid: 999/],
  ];
  for (const [name, prepare, bundle, expected] of rows) {
    const { configuration, world, push, stored } = setUp();
    await push(sampleBundle(), 1);
    prepare(world);
    const verdict = await push(bundle, 2);
    assert.equal(verdict.accepted, false, name);
    assert.match(verdict.lines[0] ?? '', expected, name);
    assert.equal(configuration.inForce?.identity.generation, 1, name);
    assert.equal((await stored())?.identity.generation, 1, name);
    assert.equal(world.told.at(-1), `refused 2 (${verdict.refusals.length})`, name);
  }
});

test('a disk that cannot keep it refuses it before anything changes', async () => {
  const { world, push } = setUp(FullDisk);
  const verdict = await push(sampleBundle());
  assert.match(verdict.lines[0] ?? '', /cannot be kept on this host's disk: .*no space left/);
  assert.deepEqual(world.configured, []);
});

test('content that does not match its hash, or is no bundle, is refused', async () => {
  const { configuration } = setUp();
  const content = Buffer.from(Bundle.encode(sampleBundle()).finish());
  const wrong = await configuration.push({ nonce: 1, bundle: { generation: 1, hash: 'f'.repeat(64) }, content }, RULES);
  assert.match(wrong.refusals[0]?.reason ?? '', /was announced/);
  const garbage = Buffer.from([255, 255, 255]);
  const none = await configuration.push(
    { nonce: 2, bundle: { generation: 1, hash: hashOf(garbage) }, content: garbage },
    RULES,
  );
  assert.match(none.refusals[0]?.reason ?? '', /not an encoded bundle/);
});

test('equal content under a new generation changes only the number', async () => {
  const { configuration, world, push, stored } = setUp();
  await push(sampleBundle(), 1);
  const before = world.configured.length;
  assert.equal((await push(sampleBundle(), 2)).accepted, true);
  assert.equal((await push(sampleBundle(), 2)).accepted, true);
  assert.equal(world.configured.length, before);
  assert.equal(configuration.inForce?.identity.generation, 2);
  assert.equal((await stored())?.identity.generation, 2);
});

test('what is in force is not refused under a new generation, whatever the disk, the host and its owner say by now', async () => {
  const { configuration, world, push, store, stored } = setUp();
  await push(sampleBundle(), 1);
  world.missing.add('/opt/checks/alive');
  store.stage = async () => {
    throw new Error('ENOSPC: no space left on device, write');
  };
  assert.equal((await push(sampleBundle(), 2, { scripts: undefined, policy: undefined })).accepted, true);
  assert.equal(configuration.inForce?.identity.generation, 2);
  assert.equal((await stored())?.identity.generation, 1);
  assert.deepEqual(world.told, ['applying pg', 'applied 1']);
});

test('pushes are handled one after the other', async () => {
  const { configuration, push } = setUp();
  const verdicts = await Promise.all(
    [1, 2, 3, 4].map(async (number) => await push(sampleBundle({ priority: number }), number)),
  );
  assert.deepEqual(
    verdicts.map(({ accepted }) => accepted),
    [true, true, true, true],
  );
  assert.equal(configuration.inForce?.identity.generation, 4);
  assert.equal(configuration.inForce?.bundle.routers[0]?.priority, 4);
});

test('a stored bundle is resumed although a program is missing or forbidden since, but not on a forbidden interface', async () => {
  const content = Bundle.encode(sampleBundle()).finish();
  const stored = { identity: { generation: 3, hash: hashOf(content) }, bundle: sampleBundle(), content };
  const { configuration, world } = setUp();
  world.missing.add('/opt/checks/alive');
  assert.deepEqual(await configuration.resume(stored, { scripts: undefined, policy: undefined }), []);
  assert.equal(configuration.inForce?.identity.generation, 3);
  const strict = setUp();
  const policy = HostPolicy.fromPartial({ interfaces: ['eth*'] });
  const refusals = await strict.configuration.resume(stored, { scripts: undefined, policy });
  assert.match(refusals[0]?.reason ?? '', /policy.interfaces/);
  assert.equal(strict.configuration.inForce, undefined);
});

test("a file of the host's own is under no list and not stored", async () => {
  const { configuration, world, stored } = setUp();
  const bundle = sampleBundle({ hooks: { any: { command: ['/bin/sh'] } } });
  assert.deepEqual(await configuration.adoptLocal(bundle, Bundle.encode(bundle).finish()), []);
  assert.deepEqual(world.told, ['applying pg', 'applied 0']);
  assert.equal(await stored(), undefined);
});

test('a bundle that must not be run here is refused whatever it says, another one is taken', async () => {
  const { push, world } = setUp();
  const bad = sampleBundle({ priority: 90 });
  world.condemned = hashOf(Bundle.encode(bad).finish());
  assert.deepEqual((await push(bad, 2)).lines, [': it ended the agent']);
  assert.equal((await push(sampleBundle({ priority: 91 }), 3)).accepted, true);
});
