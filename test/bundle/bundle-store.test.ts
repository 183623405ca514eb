import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { BundleStore, hashOf } from '../../agent/bundle/bundle-store.js';
import { Bundle } from '../../proto/gen/baton/v1/bundle.js';
import { sampleBundle } from './sample-bundle.js';

const scratch = mkdtempSync(path.join(tmpdir(), 'baton-bundles-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

let directories = 0;

function setUp() {
  directories += 1;
  const directory = path.join(scratch, String(directories), 'bundles');
  const file = (name: string) => path.join(directory, name);
  return { directory, file, store: new BundleStore(directory, () => directories * 86_400_000) };
}

const OLD = Bundle.encode(sampleBundle({ priority: 90 })).finish();
const NEW = Bundle.encode(sampleBundle({ priority: 120 })).finish();

async function save(store: BundleStore, generation: number, content: Uint8Array): Promise<void> {
  await store.stage(generation, content);
  await store.commit();
}

test('a stored bundle is there at the next start, with its generation', async () => {
  const { directory, store, file } = setUp();
  assert.deepEqual(await store.load(), { damage: [] });
  await save(store, 7, NEW);
  const { stored, damage } = await new BundleStore(directory, () => 0).load();
  assert.deepEqual(damage, []);
  assert.deepEqual(stored?.identity, { generation: 7, hash: hashOf(NEW) });
  assert.equal(stored?.bundle.routers[0]?.priority, 120);
  assert.deepEqual(stored?.content, new Uint8Array(NEW));
  assert.equal(statSync(file('current')).mode & 0o077, 0);
  assert.equal(statSync(directory).mode & 0o777, 0o700);
});

test('what was only staged is not in force', async () => {
  const { store } = setUp();
  await save(store, 1, OLD);
  await store.stage(2, NEW);
  assert.equal((await store.load()).stored?.identity.generation, 1);
  await store.discard();
  assert.equal((await store.load()).stored?.identity.generation, 1);
});

test('cut at every length, the current file is set aside and the previous one used', async () => {
  const { directory, store, file } = setUp();
  await save(store, 1, OLD);
  await save(store, 2, NEW);
  const current = readFileSync(file('current'));
  const previous = readFileSync(file('previous'));
  for (let length = 0; length < current.length; length += 1) {
    for (const name of readdirSync(directory)) rmSync(file(name));
    writeFileSync(file('current'), current.subarray(0, length));
    writeFileSync(file('previous'), previous);
    const { stored, damage } = await store.load();
    assert.equal(stored?.identity.generation, 1, `cut at ${length}`);
    assert.equal(damage.length, 1, `cut at ${length}`);
    assert.equal(existsSync(file('current')), false, `cut at ${length}`);
    assert.equal(readdirSync(directory).filter((name) => name.startsWith('damaged-')).length, 1, `cut at ${length}`);
  }
});

test('any flipped byte is found', async () => {
  const { store, file } = setUp();
  await save(store, 1, OLD);
  const whole = readFileSync(file('current'));
  for (let at = 0; at < whole.length; at += 1) {
    const bytes = Buffer.from(whole);
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    writeFileSync(file('current'), bytes);
    rmSync(file('previous'), { force: true });
    const { stored, damage } = await store.load();
    // A digit of the generation is the only thing that no checksum covers.
    const isGeneration = at === 'baton-bundle 1 '.length;
    assert.equal(stored !== undefined, isGeneration, `byte ${at}`);
    assert.equal(damage.length, isGeneration ? 0 : 1, `byte ${at}`);
  }
});

test('with both files damaged nothing is guessed', async () => {
  const { store, file } = setUp();
  await save(store, 1, OLD);
  await save(store, 2, NEW);
  writeFileSync(file('current'), '');
  writeFileSync(file('previous'), 'baton-bundle 9 1 aa 0\n');
  const { stored, damage } = await store.load();
  assert.equal(stored, undefined);
  assert.equal(damage.length, 2);
});

test('a file of another format is refused by that name', async () => {
  const { store, file } = setUp();
  await save(store, 1, OLD);
  writeFileSync(file('current'), `baton-bundle 2 1 ${'a'.repeat(64)} 0\n`);
  assert.match((await store.load()).damage[0] ?? '', /its format 2 is unknown to this version; kept as /);
});

test('the current bundle can be given up for the previous one, and is kept', async () => {
  const { store, file, directory } = setUp();
  await save(store, 1, OLD);
  assert.equal(await store.retreat(), undefined);
  assert.equal((await store.load()).stored?.identity.generation, 1);
  await save(store, 2, NEW);
  const sound = readFileSync(file('current'));
  const retreat = await store.retreat();
  assert.equal(retreat?.stored.identity.generation, 1);
  assert.deepEqual(readFileSync(retreat?.keptAs ?? ''), sound);
  const { stored, damage } = await new BundleStore(directory, () => 0).load();
  assert.deepEqual([stored?.identity.generation, damage], [1, []]);
});
