import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { CrashGuard } from '../../agent/bundle/crash-guard.js';

function directory(t: TestContext): string {
  const made = mkdtempSync(path.join(tmpdir(), 'baton-guard-'));
  t.after(() => rmSync(made, { recursive: true }));
  return made;
}

test('starts that come to nothing are counted, over the process that counted them', (t) => {
  const at = directory(t);
  assert.deepEqual(
    [0, 1, 2, 3].map(() => new CrashGuard(at).begin('a')),
    [0, 1, 2, 3],
  );
});

test('another bundle, or a start that came to something, begins anew', (t) => {
  const at = directory(t);
  new CrashGuard(at).begin('a');
  const other = new CrashGuard(at);
  assert.equal(other.begin('b'), 0);
  other.settled();
  assert.equal(existsSync(path.join(at, 'starts.json')), false);
  assert.equal(new CrashGuard(at).begin('b'), 0);
});

test('what is condemned stays so until another one is in force', (t) => {
  const at = directory(t);
  new CrashGuard(at).condemn('a');
  const next = new CrashGuard(at);
  assert.equal(next.begin('b'), 0);
  next.settled();
  assert.equal(new CrashGuard(at).condemned, 'a');
  next.forgive();
  assert.equal(new CrashGuard(at).condemned, undefined);
});

test('a damaged file, or a directory that is not there, is no reason not to run', (t) => {
  const at = directory(t);
  writeFileSync(path.join(at, 'starts.json'), '{"hash":');
  assert.equal(new CrashGuard(at).begin('a'), 0);
  assert.equal(new CrashGuard(path.join(at, 'none')).begin('a'), 0);
});
