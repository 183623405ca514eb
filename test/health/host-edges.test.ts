/** Real processes, none of which runs longer than a second. */
import assert from 'node:assert/strict';
import { chmodSync, closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { after, test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { hostProgramEdges } from '../../agent/health/host-edges.js';
import { hostProcFiles } from '../../agent/health/process-match.js';
import { runProgram } from '../../agent/health/program.js';
import type { Outcome } from '../../agent/health/run.js';
import { systemClock } from '../../agent/local/clock.js';
import { CheckResult } from '../../proto/gen/baton/v1/status.js';

const directory = mkdtempSync(path.join(tmpdir(), 'baton-programs-'));
after(() => rmSync(directory, { recursive: true, force: true }));
/** The agent's own account, so that the files here may be run whoever runs the tests. */
const own = `${process.geteuid?.()}:${process.getegid?.()}`;

function script(name: string, text: string, mode = 0o755): string {
  const file = path.join(directory, name);
  writeFileSync(file, text);
  chmodSync(file, mode);
  return file;
}

async function outcomeOf(
  command: readonly string[],
  timeout = 5_000,
  refusal: () => Promise<string | undefined> = async () => undefined,
  user?: string,
): Promise<Outcome> {
  const userRefusal = (name: string) => (name === 'stranger' ? 'not for strangers' : undefined);
  const edges = hostProgramEdges({ clock: systemClock, defaultUser: () => own, userRefusal, refusal });
  let outcome: Outcome | undefined;
  await new Promise<void>((resolve) => {
    runProgram({ command, timeout, ...(user !== undefined && { user }) }, edges, {
      result: (result) => {
        outcome = result;
      },
      gone: resolve,
    });
  });
  assert.ok(outcome);
  return outcome;
}

test('exit code and output of a script', async () => {
  const outcome = await outcomeOf([script('exit', '#!/bin/sh\necho "out $1"\necho err >&2\nexit 3\n'), '$(x) ; "y']);
  assert.deepEqual([outcome.result, outcome.exitCode], [CheckResult.FAILED, 3]);
  assert.deepEqual(outcome.output.split('\n').sort(), ['err', 'out $(x) ; "y']);
});

test('a program sees its own name, an empty input, and of the environment only path, language and the mark of its run', async () => {
  process.env['LD_PRELOAD_CANARY'] = 'x';
  const file = script('environment', '#!/bin/sh\nread line\necho "$? $0"\nexec env\n');
  const { output } = await outcomeOf([file]);
  const [first, ...variables] = output.split('\n');
  assert.equal(first, `1 ${file}`);
  const names = variables.map((line) => line.split('=')[0]).filter((name) => name !== 'PWD' && name !== '_');
  assert.deepEqual(names.sort(), ['BATON_RUN', 'LANG', 'PATH']);
  assert.match(variables.join('\n'), /^PWD=\/$/m);
});

test('of the agent a program inherits no descriptor, no ignored or blocked signal, no session and no directory', async () => {
  // A descriptor that is not close-on-exec, as one that the agent itself was started with.
  const strange = openSync('/dev/zero', 'r');
  const inherited = 200;
  const koffi = createRequire(import.meta.url)('koffi') as typeof import('koffi');
  const dup2 = koffi.load(null).func('int dup2(int, int)') as (from: number, to: number) => number;
  assert.equal(dup2(strange, inherited), inherited);
  const file = script(
    'inheritance',
    `#!/bin/sh
ls -l /proc/$$/fd
grep -E '^Sig(Blk|Ign):' /proc/self/status
readlink /proc/$$/cwd
set -- $(sed 's/.*) //' /proc/$$/stat)
echo "group $(( $3 == $$ )) session $(( $4 == $$ ))"
`,
  );
  const { output } = await outcomeOf([file]);
  closeSync(strange);
  closeSync(inherited);
  // The shell itself has its script open.
  const found = output.split('\n').filter((line) => !line.endsWith(file) && !line.startsWith('total'));
  assert.deepEqual(
    found.map((line) => line.replace(/pipe:.*/, 'pipe').replace(/^.* (\d+) -> /, '$1 ')),
    [
      '0 /dev/null',
      '1 pipe',
      '2 pipe',
      // Node ignores SIGPIPE.
      'SigBlk: 0000000000000000',
      'SigIgn: 0000000000000000',
      '/',
      'group 1 session 1',
    ],
  );
});

test('a file without a first line for an interpreter goes to the shell, as with keepalived', async () => {
  assert.equal((await outcomeOf([script('bare', 'exit 5\n')])).exitCode, 5);
});

test('a signal from elsewhere', async () => {
  const outcome = await outcomeOf([script('signal', '#!/bin/sh\nkill -SEGV $$\n')]);
  assert.deepEqual([outcome.result, outcome.reason], [CheckResult.KILLED, 'ended by SIGSEGV']);
});

test('what cannot be run is told apart', async () => {
  const missing = await outcomeOf([path.join(directory, 'missing')]);
  assert.equal(missing.result, CheckResult.NOT_FOUND);
  const folder = await outcomeOf([directory]);
  assert.deepEqual([folder.result, folder.reason], [CheckResult.REFUSED, `${directory} is not a regular file`]);
  const plain = await outcomeOf([script('plain', '#!/bin/sh\n', 0o644)]);
  assert.equal(plain.result, CheckResult.REFUSED);
  const dead = await outcomeOf([script('dead', '#!/no/such/interpreter\n')]);
  assert.equal(dead.result, CheckResult.CANNOT_RUN);
  assert.match(dead.reason, /interpreter in its first line does not exist/);
  const nul = await outcomeOf(['/bin/true', 'a\0b']);
  assert.equal(nul.result, CheckResult.CANNOT_RUN);
});

test('what the host does not allow is not run', async () => {
  const canary = path.join(directory, 'canary');
  const file = script('forbidden', `#!/bin/sh\ntouch ${canary}\n`);
  const outcome = await outcomeOf([file], 5_000, async () => 'not on the list');
  assert.deepEqual([outcome.result, outcome.reason], [CheckResult.REFUSED, 'not on the list']);
  assert.throws(() => readFileSync(canary), { code: 'ENOENT' });
});

test('a user that the host does not allow runs nothing', async () => {
  const file = script('as-stranger', '#!/bin/sh\n');
  const outcome = await outcomeOf([file], 5_000, undefined, 'stranger');
  assert.equal(outcome.reason, 'not for strangers');
  assert.equal(outcome.result, CheckResult.REFUSED);
});

test('at the timeout the whole process group ends', async () => {
  const pids = path.join(directory, 'pids');
  const file = script('slow', `#!/bin/sh\nsleep 60 &\necho $! $$ > ${pids}\nwait\n`);
  const outcome = await outcomeOf([file], 300);
  assert.equal(outcome.result, CheckResult.TIMED_OUT);
  const [sleeper, leader] = readFileSync(pids, 'utf8').trim().split(' ').map(Number);
  assert.throws(() => process.kill(Number(leader), 0), { code: 'ESRCH' });
  assert.equal(isRunning(Number(sleeper)), false);
});

test('at the timeout nothing that it started survives: other sessions, orphans, what ignores SIGTERM', async () => {
  const pids = path.join(directory, 'escaped');
  const stubborn = `trap "" TERM; echo $$ >> ${pids}; while :; do /bin/sleep 1; done`;
  const file = script(
    'escape',
    `#!/bin/sh
setsid sh -c '${stubborn}' &
(setsid sh -c '(${stubborn.replaceAll("'", '"')}) &' &)
(trap "" TERM; sh -c 'echo $$ >> ${pids}; exec env -i sleep 61') &
trap "" TERM
echo $$ >> ${pids}
while :; do /bin/sleep 1; done
`,
  );
  const began = performance.now();
  const outcome = await outcomeOf([file], 1_000);
  assert.equal(outcome.result, CheckResult.TIMED_OUT);
  assert.ok(performance.now() - began < 2_000);
  const found = readFileSync(pids, 'utf8').trim().split('\n').map(Number);
  assert.equal(found.length, 4);
  assert.deepEqual(found.filter(isRunning), []);
});

test('a storm of forks ends with its program', async () => {
  const name = `bt${process.pid}s`;
  const file = script(
    'storm',
    `#!/bin/bash\n(trap '' TERM; while :; do (exec -a ${name} sleep 60) & sleep 0.001; done) &\nsleep 60\n`,
  );
  const outcome = await outcomeOf([file], 400);
  assert.equal(outcome.result, CheckResult.TIMED_OUT);
  const left = hostProcFiles
    .list()
    .filter((id) => hostProcFiles.commandLine(id)?.[0] === name && hostProcFiles.stat(id)?.state !== 'Z');
  assert.deepEqual(left, []);
});

test('what was left behind and has ended is no zombie of ours for long', async () => {
  const pids = path.join(directory, 'zombies');
  const file = script('leave', `#!/bin/sh\nfor n in 1 2 3 4 5; do sh -c 'echo $$ >> ${pids}; exec sleep 0.2' & done\n`);
  await outcomeOf([file]);
  while (readFileSync(pids, 'utf8').trim().split('\n').length < 5)
    await new Promise((resolve) => setTimeout(resolve, 10));
  const ids = readFileSync(pids, 'utf8').trim().split('\n').map(Number);
  assert.ok(ids.every((id) => hostProcFiles.stat(id)?.parent === process.pid || hostProcFiles.stat(id) === undefined));
  while (ids.some((id) => hostProcFiles.stat(id) !== undefined))
    await new Promise((resolve) => setTimeout(resolve, 50));
});

test('a flood of output neither blocks the program nor fills the memory', async () => {
  const file = script('flood', '#!/bin/sh\nhead -c 50000000 /dev/zero | tr "\\0" x\nexit 7\n');
  const outcome = await outcomeOf([file], 30_000);
  assert.deepEqual([outcome.result, outcome.exitCode, outcome.output.length], [CheckResult.FAILED, 7, 4096]);
  // What is still held after collections, not what passed through. Buffers are given back some turns later.
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const held = (): number => process.memoryUsage().arrayBuffers + process.memoryUsage().heapUsed;
  for (let turn = 0; turn < 20 && held() >= 40_000_000; turn += 1) {
    collect();
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.ok(held() < 40_000_000, `${held()} bytes are held`);
});

test('a descendant that keeps the output open does not hold up the result', async () => {
  const pidFile = path.join(directory, 'lingerer');
  const file = script('linger', `#!/bin/sh\necho before\nsleep 60 &\necho $! > ${pidFile}\nexit 0\n`);
  const outcome = await outcomeOf([file]);
  const pid = Number(readFileSync(pidFile, 'utf8'));
  assert.equal(isRunning(pid), true);
  process.kill(pid, 'SIGKILL');
  assert.deepEqual([outcome.result, outcome.output], [CheckResult.OK, 'before']);
});

/** Running, and no zombie that nobody reaps here. */
function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
