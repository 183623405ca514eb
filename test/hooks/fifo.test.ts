import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  constants,
  lstatSync,
  mkdtempSync,
  openSync,
  readSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { type FifoHandle, FifoWriter, openHostFifo } from '../../agent/hooks/fifo.js';
import { ManualClock, settled } from '../local/manual-clock.js';

const directory = mkdtempSync(path.join(tmpdir(), 'baton-fifo-'));
after(() => rmSync(directory, { recursive: true, force: true }));

function setUp() {
  const clock = new ManualClock();
  const pipe = { room: 0, lines: [] as string[], opened: 0, closed: 0, refuse: undefined as Error | undefined };
  const told: string[] = [];
  const handle: FifoHandle = {
    write: (line) => {
      if (pipe.room === 0) return false;
      pipe.room -= 1;
      pipe.lines.push(line);
      return true;
    },
    close: () => {
      pipe.closed += 1;
    },
  };
  const writer = new FifoWriter(
    '/fifo',
    {
      clock,
      open: async () => {
        if (pipe.refuse !== undefined) throw pipe.refuse;
        pipe.opened += 1;
        return handle;
      },
    },
    {
      lost: (_path, total) => told.push(`lost ${total}`),
      failed: (_path, error) => told.push(`failed ${String(error)}`),
    },
  );
  return { clock, pipe, told, writer };
}

test('lines that do not fit wait and go out in order', async () => {
  const { clock, pipe, writer } = setUp();
  writer.write('1\n');
  writer.write('2\n');
  await settled();
  assert.deepEqual(pipe.lines, []);
  pipe.room = 1;
  await clock.advance(100);
  assert.deepEqual(pipe.lines, ['1\n']);
  pipe.room = 5;
  writer.write('3\n');
  await clock.advance(100);
  assert.deepEqual(pipe.lines, ['1\n', '2\n', '3\n']);
  assert.equal(pipe.opened, 1);
});

test('beyond a thousand waiting lines the newest are lost, counted and told once', async () => {
  const { clock, pipe, told, writer } = setUp();
  for (let line = 1; line <= 1_005; line += 1) writer.write(`${line}\n`);
  await settled();
  assert.equal(writer.lost, 5);
  assert.deepEqual(told, ['lost 1']);
  pipe.room = 2_000;
  await clock.advance(100);
  assert.equal(pipe.lines.length, 1_000);
  assert.equal(pipe.lines[0], '1\n');
});

test('a FIFO that cannot be opened is tried again, and told once', async () => {
  const { clock, pipe, told, writer } = setUp();
  pipe.refuse = new Error('no');
  pipe.room = 10;
  writer.write('1\n');
  await clock.advance(20_000);
  assert.deepEqual(told, ['failed Error: no']);
  pipe.refuse = undefined;
  await clock.advance(5_000);
  assert.deepEqual(pipe.lines, ['1\n']);
});

test('a real FIFO is made, needs no reader, and gives whole lines to one', async () => {
  const file = path.join(directory, 'made');
  const fifo = await openHostFifo(file);
  const facts = lstatSync(file);
  assert.equal(facts.isFIFO(), true);
  assert.equal(facts.mode & 0o777, 0o600);
  const line = 'INSTANCE "VI_1" MASTER 100\n';
  assert.equal(fifo.write(line), true);
  let written = 1;
  while (fifo.write(line)) written += 1;
  assert.ok(written > 100);
  const reader = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  const bytes = Buffer.alloc(written * line.length + 1);
  const length = readSync(reader, bytes);
  closeSync(reader);
  fifo.close();
  assert.equal(length % line.length, 0);
  assert.equal(bytes.subarray(0, line.length).toString(), line);
});

test('an existing FIFO is used; anything else in its place is refused and left alone', async () => {
  const there = path.join(directory, 'there');
  execFileSync('mkfifo', [there]);
  (await openHostFifo(there)).close();
  const plain = path.join(directory, 'plain');
  writeFileSync(plain, 'precious');
  await assert.rejects(openHostFifo(plain), /is there and is not a FIFO/);
  const link = path.join(directory, 'link');
  symlinkSync(plain, link);
  await assert.rejects(openHostFifo(link), /is there and is not a FIFO/);
  await assert.rejects(openHostFifo(path.join(directory, 'no', 'fifo')), /cannot make the FIFO/);
});
