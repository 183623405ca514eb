import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { readProgramVersion } from '../../proto/process/program-version.js';

const PROGRAM = new URL('../../controller/main.js', import.meta.url).pathname;

test('the version, asked for as an option or as a command', async () => {
  for (const how of ['--version', '-V', 'version']) {
    const { stdout } = await promisify(execFile)(process.execPath, [PROGRAM, how]);
    assert.equal(stdout, `baton-controller ${readProgramVersion()}\n`);
  }
});

test('whoever reads its output may go away', async () => {
  const program = spawn(process.execPath, [PROGRAM, '--help'], { stdio: ['ignore', 'pipe', 'pipe'] });
  program.stdout.destroy();
  const [said, [code]] = await Promise.all([text(program.stderr), once(program, 'close')]);
  assert.equal(said, '');
  assert.equal(code, 0);
});
