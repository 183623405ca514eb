import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Observation } from '../../agent/health/check-edges.js';
import type { FileProbe } from '../../agent/health/check-settings.js';
import { type FileEdges, type FileRead, FileWatch } from '../../agent/health/file-watch.js';
import { ManualClock } from '../local/manual-clock.js';

class FakeFiles implements FileEdges {
  content: FileRead = { ok: true, text: '5\n' };
  resolved: string | undefined;
  canWatch = true;
  reads = 0;
  readonly written: string[] = [];
  readonly watches = new Map<string, { changed: (name: string | undefined) => void; lost: () => void }>();

  async read(): Promise<FileRead> {
    this.reads += 1;
    return this.content;
  }

  async resolve(file: string): Promise<string | undefined> {
    return this.resolved ?? file;
  }

  async write(file: string, text: string, overwrite: boolean): Promise<string | undefined> {
    this.written.push(`${file} ${text.trim()} ${overwrite}`);
    return undefined;
  }

  watchDirectory(directory: string, changed: (name: string | undefined) => void, lost: () => void) {
    if (!this.canWatch) return undefined;
    this.watches.set(directory, { changed, lost });
    return { stop: () => this.watches.delete(directory) };
  }
}

async function start(overrides: Partial<FileProbe> = {}, prepare: (files: FakeFiles) => void = () => undefined) {
  const clock = new ManualClock();
  const files = new FakeFiles();
  prepare(files);
  const observations: Observation[] = [];
  const probe: FileProbe = { kind: 'file', path: '/run/weight', overwrite: false, ...overrides };
  const watch = new FileWatch(probe, 1_000, files, clock, (observation) => observations.push(observation));
  await clock.advance(0);
  const values = () => observations.map(({ value }) => value);
  return { clock, files, observations, values, watch };
}

test('the number is told at once and again when the directory says that the file changed', async () => {
  const { clock, files, observations, values } = await start();
  assert.deepEqual(observations, [{ state: 5, value: 5, reason: '', readable: true, output: '' }]);
  files.content = { ok: true, text: '-7' };
  files.watches.get('/run')?.changed('other');
  await clock.advance(1_000);
  assert.deepEqual(values(), [5]);
  files.watches.get('/run')?.changed('weight');
  await clock.advance(19);
  assert.deepEqual(values(), [5]);
  await clock.advance(1);
  assert.deepEqual(values(), [5, -7]);
});

test('a storm of changes is one reading', async () => {
  const { clock, files } = await start();
  for (let at = 0; at < 100; at += 1) files.watches.get('/run')?.changed('weight');
  await clock.advance(20);
  assert.equal(files.reads, 2);
});

test('an empty file counts as 0 only when it stays empty', async () => {
  const { clock, files, values, observations } = await start();
  files.content = { ok: true, text: '' };
  files.watches.get('/run')?.changed('weight');
  await clock.advance(20);
  files.content = { ok: true, text: '6' };
  files.watches.get('/run')?.changed('weight');
  await clock.advance(200);
  assert.deepEqual(values(), [5, 6]);
  files.content = { ok: true, text: '' };
  files.watches.get('/run')?.changed('weight');
  await clock.advance(120);
  assert.deepEqual(values(), [5, 6, 0]);
  assert.equal(observations.at(-1)?.reason, '/run/weight is empty: counts as 0');
});

test('a file that is missing counts as 0; a number of more than 32 bits changes nothing', async () => {
  const { clock, files, values, observations } = await start();
  const change = async (content: FileRead) => {
    files.content = content;
    files.watches.get('/run')?.changed('weight');
    await clock.advance(20);
    return observations.at(-1);
  };
  const large = await change({ ok: true, text: '4294967296' });
  assert.deepEqual([large?.value, large?.reason], [5, 'the number in /run/weight has more than 32 bits: not taken']);
  const missing = await change({ ok: false, reason: '/run/weight does not exist' });
  assert.deepEqual(
    [missing?.value, missing?.readable, missing?.reason],
    [0, false, '/run/weight does not exist: counts as 0'],
  );
  assert.equal(
    (await change({ ok: true, text: 'full' }))?.reason,
    '/run/weight does not begin with a number: counts as 0',
  );
  assert.deepEqual(values(), [5, 5, 0, 0]);
});

test('without word from the kernel it is looked at every interval, with it every five seconds', async () => {
  const polled = await start({}, (files) => {
    files.canWatch = false;
  });
  await polled.clock.advance(3_000);
  assert.equal(polled.files.reads, 4);
  const watched = await start();
  await watched.clock.advance(4_999);
  assert.equal(watched.files.reads, 1);
  await watched.clock.advance(1);
  assert.equal(watched.files.reads, 2);
});

test('a directory that is lost is watched anew, or looked at until it can be', async () => {
  const { clock, files } = await start();
  files.canWatch = false;
  files.watches.get('/run')?.lost();
  await clock.advance(20);
  assert.deepEqual([files.watches.size, files.reads], [0, 2]);
  files.canWatch = true;
  await clock.advance(1_000);
  assert.deepEqual([files.watches.size, files.reads], [1, 3]);
});

test('where a symbolic link leads is watched too, and any change beside the link', async () => {
  const { clock, files } = await start({}, (fake) => {
    fake.resolved = '/data/v1/weight';
  });
  assert.deepEqual([...files.watches.keys()], ['/run', '/data/v1']);
  files.resolved = '/data/v2/weight';
  files.watches.get('/run')?.changed('..data');
  await clock.advance(20);
  assert.deepEqual([...files.watches.keys()], ['/run', '/data/v2']);
});

test('the first value is written before the first reading', async () => {
  const { files } = await start({ initialValue: -3, overwrite: true });
  assert.deepEqual(files.written, ['/run/weight -3 true']);
  assert.deepEqual((await start()).files.written, []);
});

test('nothing is heard of a watch that was stopped', async () => {
  const { clock, files, values, watch } = await start();
  files.watches.get('/run')?.changed('weight');
  watch.stop();
  await clock.advance(10_000);
  assert.deepEqual(values(), [5]);
  assert.equal(files.watches.size, 0);
});
