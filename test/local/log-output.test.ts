/** Log lines to a descriptor that somebody reads, or does not. */
import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { openLogOutput } from '../../agent/local/log-output.js';

const directory = mkdtempSync(path.join(tmpdir(), 'baton-log-'));
after(() => rmSync(directory, { recursive: true, force: true }));

test('what was logged before the end is written when drain resolves', async () => {
  const file = path.join(directory, 'log');
  const descriptor = openSync(file, 'w');
  const output = openLogOutput(descriptor, () => undefined);
  const lines = Array.from({ length: 500 }, (_, number) => `line ${number}\n`);
  for (const line of lines) output.write(line);
  await output.drain();
  assert.equal(readFileSync(file, 'utf8'), lines.join(''));
  await output.drain();
  closeSync(descriptor);
});
