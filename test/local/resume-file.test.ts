import assert from 'node:assert/strict';
import { chmod, mkdtemp, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { takeResumeFile, writeResumeFile } from '../../agent/local/resume-file.js';

const ROUTERS = [
  { name: 'pg', lastAdvertAt: 12_345_678 },
  { name: 'web', lastAdvertAt: 12_345_999 },
];

async function inDirectory(work: (directory: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(path.join(tmpdir(), 'baton-resume-'));
  try {
    await chmod(directory, 0o700);
    await work(directory);
  } finally {
    await rm(directory, { recursive: true });
  }
}

test('what one agent leaves the next one takes, once', async () => {
  await inDirectory(async (directory) => {
    await writeResumeFile(directory, ROUTERS);
    assert.equal((await stat(path.join(directory, 'resume.json'))).mode & 0o777, 0o600);
    assert.deepEqual(await takeResumeFile(directory), ROUTERS);
    assert.deepEqual(await takeResumeFile(directory), []);
    assert.deepEqual(await readdir(directory), []);
  });
});

test('a file of another boot is taken away and not believed: its clock is another one', async () => {
  await inDirectory(async (directory) => {
    await writeResumeFile(directory, ROUTERS, 'boot-1');
    assert.deepEqual(await takeResumeFile(directory, 'boot-2'), []);
    assert.deepEqual(await readdir(directory), []);
  });
});

test('what makes no sense is no reason not to start', async () => {
  const bad = ['', '{', 'null', '7', '[]', '{"bootId":"b"}', '{"bootId":"b","routers":7}'];
  await inDirectory(async (directory) => {
    for (const text of bad) {
      await writeFile(path.join(directory, 'resume.json'), text);
      assert.deepEqual(await takeResumeFile(directory, 'b'), [], text);
    }
    const routers = [
      null,
      7,
      { name: 'a' },
      { name: 7, lastAdvertAt: 1 },
      { name: 'b', lastAdvertAt: '1' },
      ROUTERS[0],
    ];
    await writeFile(path.join(directory, 'resume.json'), JSON.stringify({ bootId: 'b', routers }));
    assert.deepEqual(await takeResumeFile(directory, 'b'), [ROUTERS[0]]);
  });
});

test('a link in its place is not followed', async () => {
  await inDirectory(async (directory) => {
    const elsewhere = path.join(directory, 'elsewhere');
    await writeFile(elsewhere, JSON.stringify({ bootId: 'b', routers: ROUTERS }));
    await symlink(elsewhere, path.join(directory, 'resume.json'));
    assert.deepEqual(await takeResumeFile(directory, 'b'), []);
    await writeResumeFile(directory, ROUTERS, 'b');
    assert.deepEqual(await takeResumeFile(directory, 'b'), ROUTERS);
    assert.deepEqual(await readdir(directory), ['elsewhere']);
  });
});
