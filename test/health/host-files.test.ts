/** Real files, and what the kernel tells of them. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import type { Observation } from '../../agent/health/check-edges.js';
import { FileWatch } from '../../agent/health/file-watch.js';
import { hostFiles } from '../../agent/health/host-files.js';
import { systemClock } from '../../agent/local/clock.js';

const directory = mkdtempSync(path.join(tmpdir(), 'baton-files-'));
after(() => rmSync(directory, { recursive: true, force: true }));
const at = (name: string) => path.join(directory, name);

test('of a file the first 128 bytes are read; a FIFO or directory holds nobody up', async () => {
  writeFileSync(at('long'), '7'.repeat(1_000));
  assert.deepEqual(await hostFiles.read(at('long')), { ok: true, text: '7'.repeat(128) });
  execFileSync('mkfifo', [at('fifo')]);
  assert.deepEqual(await hostFiles.read(at('fifo')), { ok: false, reason: `${at('fifo')} is not a regular file` });
  assert.deepEqual(await hostFiles.read(directory), { ok: false, reason: `${directory} is not a regular file` });
  assert.deepEqual(await hostFiles.read(at('none')), { ok: false, reason: `${at('none')} does not exist` });
});

test('the first value is written to a new file for its owner alone, never through a link', async () => {
  assert.equal(await hostFiles.write(at('new'), '4\n', false), undefined);
  assert.equal(statSync(at('new')).mode & 0o777, 0o600);
  assert.equal(await hostFiles.write(at('new'), '5\n', false), undefined);
  assert.equal(readFileSync(at('new'), 'utf8'), '4\n');
  assert.equal(await hostFiles.write(at('new'), '5', true), undefined);
  assert.equal(readFileSync(at('new'), 'utf8'), '5');
  writeFileSync(at('precious'), 'precious');
  symlinkSync(at('precious'), at('link'));
  assert.equal(await hostFiles.write(at('link'), '5\n', true), `${at('link')} is a symbolic link and was not written`);
  assert.equal(await hostFiles.write(at('link'), '5\n', false), undefined);
  assert.equal(readFileSync(at('precious'), 'utf8'), 'precious');
  assert.match((await hostFiles.write(at('none/file'), '5', true)) ?? '', /cannot be written: ENOENT/);
});

/** Values as they are told; `next` waits for one. */
class Values {
  readonly #waiting: { readonly value: number; readonly resolve: () => void }[] = [];
  #last: number | undefined;

  readonly add = ({ value }: Observation): void => {
    this.#last = value;
    for (const waiter of this.#waiting.splice(0)) {
      if (waiter.value === value) waiter.resolve();
      else this.#waiting.push(waiter);
    }
  };

  until(value: number): Promise<void> {
    if (this.#last === value) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ value, resolve }));
  }
}

test('written, replaced, removed, its directory replaced: the number is always the file’s', async () => {
  const folder = at('folder');
  const file = path.join(folder, 'weight');
  const values = new Values();
  const watch = new FileWatch({ kind: 'file', path: file, overwrite: false }, 100, hostFiles, systemClock, values.add);
  try {
    await values.until(0);
    mkdirSync(folder);
    writeFileSync(file, '1');
    await values.until(1);
    writeFileSync(file, '2');
    await values.until(2);
    writeFileSync(at('other'), '3');
    renameSync(at('other'), file);
    await values.until(3);
    rmSync(file);
    await values.until(0);
    writeFileSync(at('target'), '4');
    symlinkSync(at('target'), file);
    await values.until(4);
    writeFileSync(at('target'), '5');
    await values.until(5);
    renameSync(folder, at('old'));
    mkdirSync(folder);
    writeFileSync(file, '6');
    await values.until(6);
    writeFileSync(file, '7');
    await values.until(7);
  } finally {
    watch.stop();
  }
});
