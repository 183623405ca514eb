import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Journal, type JournalStorage } from '../../agent/journal/journal.js';
import { ManualClock } from '../local/manual-clock.js';
import { info, transition } from './event-draft.js';

/** A disk in memory that can be full. */
class FakeDisk implements JournalStorage {
  file: Buffer | undefined;
  sequence = 0;
  isFull = false;
  isDead = false;
  replaced = 0;

  async read(): Promise<Uint8Array | undefined> {
    this.#refuse(this.isDead);
    return this.file;
  }

  async setAside(): Promise<string> {
    return '/aside';
  }

  async append(bytes: Uint8Array): Promise<void> {
    // Half of it gets through, as on a real disk that fills up.
    if (this.isFull) this.file = Buffer.concat([this.file ?? Buffer.alloc(0), bytes.subarray(0, bytes.length / 2)]);
    this.#refuse(this.isFull || this.isDead);
    this.file = Buffer.concat([this.file ?? Buffer.alloc(0), bytes]);
  }

  async replace(bytes: Uint8Array): Promise<void> {
    this.#refuse(this.isFull || this.isDead);
    this.file = Buffer.from(bytes);
    this.replaced += 1;
  }

  async reserved(): Promise<number> {
    this.#refuse(this.isDead);
    return this.sequence;
  }

  async reserve(sequence: number): Promise<void> {
    this.#refuse(this.isDead);
    this.sequence = sequence;
  }

  #refuse(isRefused: boolean): void {
    if (isRefused) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
  }
}

let ids = 0;

async function open(disk: FakeDisk, options: { limit?: number; isHistory?: boolean; clock?: ManualClock } = {}) {
  const clock = options.clock ?? new ManualClock();
  const told: string[] = [];
  const journal = await Journal.open(disk, {
    limit: options.limit ?? 100,
    isHistory: options.isHistory ?? false,
    clock,
    newId: () => {
      ids += 1;
      return `id-${ids}`;
    },
    listener: {
      lostDisk: () => told.push('lost'),
      regainedDisk: () => told.push('regained'),
      damaged: (damage, keptAs) => told.push(`damaged: ${damage} (${keptAs})`),
      dropping: (total) => told.push(`dropping ${total}`),
    },
  });
  const sequences = () => journal.pending(0, 1_000).map(({ sequence }) => sequence);
  return { journal, told, clock, sequences };
}

test('numbers begin at 1, have no gaps, and go on after a restart under the same identifier', async () => {
  const disk = new FakeDisk();
  const first = await open(disk);
  for (const message of ['a', 'b', 'c']) first.journal.add(info(message));
  await first.journal.flush();
  assert.deepEqual(first.sequences(), [1, 2, 3]);
  const second = await open(disk);
  assert.equal(second.journal.id, first.journal.id);
  assert.equal(second.journal.add(info('d')).sequence, 4);
  await second.journal.flush();
  assert.deepEqual(
    second.journal.pending(0, 10).map(({ message }) => message),
    ['a', 'b', 'c', 'd'],
  );
});

test('what a controller has is gone, and numbers go on when everything is', async () => {
  const disk = new FakeDisk();
  const first = await open(disk);
  for (let event = 0; event < 5; event += 1) first.journal.add(info('x'));
  await first.journal.flush();
  first.journal.acknowledge(3);
  await first.journal.flush();
  const second = await open(disk);
  assert.deepEqual(second.sequences(), [4, 5]);
  second.journal.acknowledge(5);
  await second.journal.flush();
  const third = await open(disk);
  assert.equal(third.journal.queued, 0);
  assert.equal(third.journal.add(info('y')).sequence, 6);
  assert.deepEqual(
    third.journal.recent(10).map(({ sequence }) => sequence),
    [6],
  );
});

test('an event is told only once it is on disk', async () => {
  const { journal, sequences } = await open(new FakeDisk());
  let told = 0;
  journal.onEvents(() => {
    told += 1;
  });
  journal.add(info('a'));
  journal.add(info('b'));
  assert.deepEqual(sequences(), []);
  assert.equal(told, 0);
  await journal.flush();
  assert.deepEqual(sequences(), [1, 2]);
  assert.equal(told, 1);
});

test('with a full disk events are told from memory, and written when there is room again', async () => {
  const disk = new FakeDisk();
  const { journal, told, clock, sequences } = await open(disk);
  journal.add(info('a'));
  await journal.flush();
  disk.isFull = true;
  journal.add(transition('b'));
  await journal.flush();
  assert.deepEqual(sequences(), [1, 2]);
  journal.add(info('c'));
  await journal.flush();
  assert.deepEqual(told, ['lost']);
  disk.isFull = false;
  await clock.advance(5_000);
  await journal.flush();
  assert.deepEqual(told, ['lost', 'regained']);
  const after = await open(disk);
  assert.deepEqual(after.sequences(), [1, 2, 3]);
  assert.deepEqual(after.told, []);
});

test('a number that was told from memory alone never comes again', async () => {
  const disk = new FakeDisk();
  const first = await open(disk);
  first.journal.add(info('a'));
  await first.journal.flush();
  disk.isFull = true;
  for (const message of ['b'.repeat(50), 'c']) first.journal.add(info(message));
  await first.journal.flush();
  disk.isFull = false;
  const second = await open(disk);
  // The half-written rest of the full disk was cut off.
  assert.match(second.told[0] ?? '', /^damaged: it ends within a record/);
  assert.equal(second.journal.id, first.journal.id);
  assert.equal(second.journal.add(info('d')).sequence, 4);
});

test('with no usable disk from the start the journal lives in memory under an identifier of its own', async () => {
  const disk = new FakeDisk();
  const before = await open(disk);
  disk.isDead = true;
  const { journal, told, sequences } = await open(disk);
  assert.notEqual(journal.id, before.journal.id);
  journal.add(info('a'));
  await journal.flush();
  assert.deepEqual([told, sequences()], [['lost'], [1]]);
});

test('a file cut off while it was written keeps its name; any other damage begins a new one', async () => {
  const disk = new FakeDisk();
  const first = await open(disk);
  for (let event = 0; event < 3; event += 1) first.journal.add(info('x'));
  await first.journal.flush();
  const whole = disk.file ?? Buffer.alloc(0);

  disk.file = whole.subarray(0, whole.length - 1);
  const cut = await open(disk);
  assert.equal(cut.journal.id, first.journal.id);
  assert.deepEqual(cut.sequences(), [1, 2]);

  disk.file = Buffer.from(whole);
  disk.file[disk.file.length - 1] = (disk.file[disk.file.length - 1] ?? 0) ^ 1;
  const flipped = await open(disk);
  assert.notEqual(flipped.journal.id, first.journal.id);
  assert.match(flipped.told[0] ?? '', /^damaged: a record has a wrong checksum \(\/aside\)/);
  assert.deepEqual(flipped.sequences(), [1, 2]);

  disk.file = Buffer.from('this is no journal at all, but long enough to be read as one');
  const garbage = await open(disk);
  assert.equal(garbage.journal.queued, 0);
  assert.equal(garbage.journal.add(info('y')).sequence, 1);
});

test('a full queue drops and counts, and the count survives', async () => {
  const disk = new FakeDisk();
  const { journal, told, sequences } = await open(disk, { limit: 3 });
  journal.add(transition('t'));
  for (let event = 0; event < 4; event += 1) journal.add(info('x'));
  await journal.flush();
  assert.deepEqual(sequences(), [1, 4, 5]);
  assert.deepEqual([journal.dropped, told], [2, ['dropping 1']]);
  const after = await open(disk, { limit: 3 });
  assert.deepEqual([after.journal.dropped, after.sequences()], [2, [1, 4, 5]]);
});

test('as a history the oldest simply go', async () => {
  const disk = new FakeDisk();
  const { journal, told } = await open(disk, { limit: 2, isHistory: true });
  for (let event = 0; event < 5; event += 1) journal.add(info('x'));
  await journal.flush();
  assert.deepEqual([journal.dropped, told], [0, []]);
  assert.deepEqual((await open(disk, { limit: 2, isHistory: true })).sequences(), [4, 5]);
});

test('the file does not grow without bound while events come and go', async () => {
  const disk = new FakeDisk();
  const { journal } = await open(disk);
  let longest = 0;
  for (let round = 0; round < 300; round += 1) {
    for (let event = 0; event < 10; event += 1) journal.add(info('x'.repeat(1_000)));
    await journal.flush();
    journal.acknowledge((round + 1) * 10);
    longest = Math.max(longest, disk.file?.length ?? 0);
  }
  assert.ok(longest < 400_000, `${longest} bytes`);
  assert.ok(disk.replaced < 30, `rewritten ${disk.replaced} times`);
});
