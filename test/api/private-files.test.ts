import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';

const PROGRAM = new URL('../../controller/main.js', import.meta.url).pathname;
/** Whoever starts the program has the most careless umask that there is. */
const CARELESS = ['-c', 'umask 0; exec "$0" "$@"', process.execPath, PROGRAM];

test('no file of the controller can be read or written by others, whatever the umask', async () => {
  const parent = mkdtempSync(path.join(tmpdir(), 'baton-private-'));
  const dataDir = path.join(parent, 'data');
  try {
    const init = spawnSync('/bin/sh', [...CARELESS, 'init', '--data-dir', dataDir, '--advertise', '127.0.0.1']);
    assert.equal(init.status, 0, init.stderr.toString());
    const words = ['serve', '--data-dir', dataDir, '--listen', '127.0.0.1:0'];
    const controller = spawn('/bin/sh', [...CARELESS, ...words], { stdio: ['ignore', 'pipe', 'inherit'] });
    try {
      for await (const line of createInterface({ input: controller.stdout })) {
        if (line.includes('"msg":"controller serving"')) break;
      }
      const files = readdirSync(dataDir);
      assert.ok(files.includes('serving.lock') && files.includes('baton.db'), files.join(' '));
      for (const file of ['.', ...files]) {
        assert.equal(statSync(path.join(dataDir, file)).mode & 0o077, 0, `${file} is open to others`);
      }
    } finally {
      controller.kill('SIGKILL');
    }
  } finally {
    rmSync(parent, { recursive: true, force: true });
  }
});
