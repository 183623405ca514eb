import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { JournalFiles } from '../../agent/journal/journal-files.js';

const scratch = mkdtempSync(path.join(tmpdir(), 'baton-journal-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

test('what was written is read, by another instance too', async () => {
  const directory = path.join(scratch, 'a', 'journal');
  const files = new JournalFiles(directory, () => 0);
  assert.equal(await files.read(), undefined);
  assert.equal(await files.reserved(), 0);
  await files.replace(Buffer.from('one '));
  await files.append(Buffer.from('two '));
  await files.append(Buffer.from('three'));
  await files.reserve(77);
  await files.close();
  const again = new JournalFiles(directory, () => 0);
  assert.equal(Buffer.from((await again.read()) ?? []).toString(), 'one two three');
  assert.equal(await again.reserved(), 77);
  await again.replace(Buffer.from('new'));
  await again.append(Buffer.from('er'));
  assert.equal(Buffer.from((await again.read()) ?? []).toString(), 'newer');
  await again.close();
  assert.equal(statSync(directory).mode & 0o777, 0o700);
  assert.equal(statSync(path.join(directory, 'events')).mode & 0o077, 0);
});

test('a damaged reservation is no reservation', async () => {
  const directory = path.join(scratch, 'b');
  const files = new JournalFiles(directory, () => 0);
  await files.replace(Buffer.from('x'));
  await files.close();
  writeFileSync(path.join(directory, 'sequence'), Buffer.alloc(12, 9));
  assert.equal(await new JournalFiles(directory, () => 0).reserved(), 0);
  writeFileSync(path.join(directory, 'sequence'), 'short');
  assert.equal(await new JournalFiles(directory, () => 0).reserved(), 0);
});

test('a damaged file stays readable and a few copies of it are kept', async () => {
  const directory = path.join(scratch, 'c');
  let now = 0;
  const files = new JournalFiles(directory, () => now);
  await files.replace(Buffer.from('x'));
  for (let day = 1; day <= 5; day += 1) {
    now = day * 86_400_000;
    await files.setAside();
  }
  await files.close();
  const kept = readdirSync(directory).filter((name) => name.includes('damaged'));
  assert.deepEqual(kept.sort(), [
    'events.damaged-1970-01-04T000000.000Z',
    'events.damaged-1970-01-05T000000.000Z',
    'events.damaged-1970-01-06T000000.000Z',
  ]);
  assert.equal(Buffer.from((await files.read()) ?? []).toString(), 'x');
});
