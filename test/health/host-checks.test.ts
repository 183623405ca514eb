/** Checks of every kind as they are run on a host, real processes among them. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import type { Observation } from '../../agent/health/check-edges.js';
import type { ProcessProbe } from '../../agent/health/check-settings.js';
import { hostCheckEdges } from '../../agent/health/host-checks.js';
import { hostProcFiles } from '../../agent/health/process-match.js';
import type { Outcome } from '../../agent/health/run.js';
import { systemClock } from '../../agent/local/clock.js';
import { CheckResult } from '../../proto/gen/baton/v1/status.js';
import { ManualClock } from '../local/manual-clock.js';
import { listen } from './attempts.js';
import { FakePrograms } from './fake-programs.js';

const directory = mkdtempSync(path.join(tmpdir(), 'baton-checks-'));
const children = new Set<ChildProcess>();
after(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(directory, { recursive: true, force: true });
});

/** The fakes run no programs here; the time is real. */
const programs = new FakePrograms(new ManualClock());
const edges = hostCheckEdges({
  clock: systemClock,
  account: (user) => programs.account(user),
  turn: async () => undefined,
  judge: (file) => programs.judge(file),
  spawn: (request) => programs.spawn(request),
});

test('the kind of a probe decides what is run', async () => {
  const server = createServer((socket) => socket.destroy());
  const port = await listen(server);
  const outcome = await new Promise<Outcome>((resolve) => {
    edges.polled({ kind: 'tcp', host: '127.0.0.1', port })(5_000, { result: resolve, gone: () => undefined });
  });
  assert.equal(outcome.result, CheckResult.OK);
  server.close();
  edges.polled({ kind: 'exec', command: ['/pg'] })(5_000, { result: () => undefined, gone: () => undefined });
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(programs.last.request.name, '/pg');
  programs.last.exit(0);
  const random = edges.random();
  assert.ok(random >= 0 && random < 1);
});

test('processes are counted as they start and end; zombies are not', async () => {
  // A name that no other process has, short enough for the kernel to keep it.
  const name = `bt${process.pid}z`;
  const program = path.join(directory, name);
  copyFileSync('/bin/sleep', program);
  chmodSync(program, 0o755);
  const probe: ProcessProbe = {
    kind: 'process',
    name,
    fullCommand: false,
    arguments: ['600'],
    match: 'exact',
    quorum: 1,
    upDelay: 0,
    downDelay: 0,
  };
  let wake = () => {};
  let seen: Observation | undefined;
  const watch = edges.watch(probe, 50, (observation) => {
    seen = observation;
    wake();
  });
  const until = async (state: string, value: number) => {
    while (seen?.state !== state || seen.value !== value) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  const start = (...words: string[]) => {
    const child = spawn(words[0] ?? '', words.slice(1), { stdio: 'ignore' });
    children.add(child);
    return child;
  };
  try {
    await until('down', 0);
    const other = start(program, '601');
    const first = start(program, '600');
    await until('up', 1);
    const second = start(program, '600');
    await until('up', 2);
    first.kill('SIGKILL');
    await until('up', 1);
    // Its parent does not wait for it: a zombie stays for as long as the parent runs.
    const parent = start('/bin/sh', '-c', `${program} 600 & read line; exec /bin/sleep 600`);
    await until('up', 2);
    const zombie = hostProcFiles.list().find((id) => hostProcFiles.stat(id)?.parent === parent.pid);
    assert.ok(zombie !== undefined);
    const gone = once(second, 'exit');
    second.kill('SIGKILL');
    await gone;
    process.kill(zombie, 'SIGKILL');
    await until('down', 0);
    other.kill('SIGKILL');
  } finally {
    watch.stop();
  }
});
