import assert from 'node:assert/strict';
import process from 'node:process';
import { test } from 'node:test';
import type { ProcessProbe } from '../../agent/health/check-settings.js';
import { hostProcFiles, isMatch } from '../../agent/health/process-match.js';
import { FakeProc } from './fake-proc.js';

const PROBE: ProcessProbe = {
  kind: 'process',
  name: 'nginx',
  fullCommand: false,
  arguments: [],
  match: 'exact',
  quorum: 1,
  upDelay: 0,
  downDelay: 0,
};

function matches(
  overrides: Partial<ProcessProbe>,
  commandLine: readonly string[],
  comm = 'nginx',
  state = 'S',
): boolean {
  const proc = new FakeProc();
  proc.add(7, comm, commandLine, state);
  return isMatch({ ...PROBE, ...overrides }, 7, proc);
}

test('by the kernel’s name of the process, of which it keeps 15 bytes', () => {
  assert.equal(matches({}, ['/usr/sbin/nginx', '-g']), true);
  assert.equal(matches({}, ['nginx'], 'nginx-worker'), false);
  assert.equal(matches({ name: 'a-very-long-process' }, ['x'], 'a-very-long-pro'), true);
  assert.equal(matches({}, []), true);
});

test('zombies, the dead and those that have ended do not count', () => {
  assert.equal(matches({}, [], 'nginx', 'Z'), false);
  assert.equal(matches({}, [], 'nginx', 'X'), false);
  assert.equal(matches({}, [], 'nginx', 'D'), true);
  assert.equal(isMatch(PROBE, 8, new FakeProc()), false);
});

test('by the first word of the command line', () => {
  const full = { fullCommand: true, name: '/usr/sbin/nginx' };
  assert.equal(matches(full, ['/usr/sbin/nginx', '-g'], 'renamed'), true);
  assert.equal(matches(full, ['nginx', '-g']), false);
  assert.equal(matches(full, []), false);
});

test('arguments: exactly, with the beginning of the last, or with more behind them', () => {
  const command = ['nginx', '-c', '/etc/nginx.conf'];
  for (const [wanted, match, expected] of [
    [['-c', '/etc/nginx.conf'], 'exact', true],
    [['-c'], 'exact', false],
    [['-c', '/etc/nginx'], 'exact', false],
    [['-c', '/etc/nginx.conf', '-q'], 'exact', false],
    [['-c', '/etc/nginx'], 'initial', true],
    [['-', '/etc/nginx.conf'], 'initial', false],
    [['-c'], 'initial', false],
    [[], 'initial', false],
    [['-c'], 'partial', true],
    [['-c', '/etc/nginx'], 'partial', false],
    [['-c', '/etc/nginx.conf', '-q'], 'partial', false],
    [[], 'partial', true],
  ] as const) {
    assert.equal(matches({ arguments: wanted, match }, command), expected, `${match} ${wanted.join(' ')}`);
  }
  assert.equal(matches({ arguments: [], match: 'initial' }, ['nginx']), true);
});

test('this process as /proc has it', () => {
  assert.ok(hostProcFiles.list().includes(process.pid));
  const stat = hostProcFiles.stat(process.pid);
  assert.equal(stat?.parent, process.ppid);
  assert.match(stat?.state ?? '', /^[RS]$/);
  assert.equal(hostProcFiles.commandLine(process.pid)?.[0], process.argv0);
  assert.equal(hostProcFiles.stat(2 ** 30), undefined);
  assert.equal(hostProcFiles.commandLine(2 ** 30), undefined);
});
