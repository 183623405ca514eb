/** Real programs of another account than the agent's, which are started in another way than its own. */
import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { after, test } from 'node:test';
import { hostProgramEdges } from '../../agent/health/host-edges.js';
import { runProgram } from '../../agent/health/program.js';
import type { Outcome } from '../../agent/health/run.js';
import { systemClock } from '../../agent/local/clock.js';
import { CheckResult } from '../../proto/gen/baton/v1/status.js';

const skip = process.geteuid?.() === 0 ? false : 'needs root, to run programs as somebody else';

const directory = mkdtempSync(path.join(tmpdir(), 'baton-account-'));
chmodSync(directory, 0o755);
after(() => rmSync(directory, { recursive: true, force: true }));

async function outcomeOf(name: string, text: string, user: string, timeout = 5_000): Promise<Outcome> {
  const file = path.join(directory, name);
  writeFileSync(file, text);
  chmodSync(file, 0o755);
  const edges = hostProgramEdges({
    clock: systemClock,
    defaultUser: () => undefined,
    userRefusal: () => undefined,
    refusal: async () => undefined,
  });
  return await new Promise((resolve) => {
    let outcome: Outcome | undefined;
    runProgram({ command: [file], timeout, user }, edges, {
      result: (result) => {
        outcome = result;
      },
      gone: () => outcome !== undefined && resolve(outcome),
    });
  });
}

const LOOK = `#!/bin/sh
grep -E '^(Uid|Gid|Groups|SigBlk|SigIgn|CapEff):' /proc/self/status
set -- $(sed 's/.*) //' /proc/$$/stat)
echo "group $(( $3 == $$ )) session $(( $4 == $$ ))"
exit 5
`;

for (const [user, id] of [
  ['65534:65534', 65_534],
  ['0:0', 0],
] as const) {
  test(`a program of user ${user} has that account in a session of its own`, { skip }, async () => {
    const { output, exitCode } = await outcomeOf(`look-${id}`, LOOK, user);
    assert.equal(exitCode, 5);
    const ids = Array(4).fill(id).join(' ');
    assert.ok(output.includes(`Uid: ${ids}\nGid: ${ids}\n`), output);
    assert.match(output, /SigBlk: 0+\n/);
    assert.match(output, /SigIgn: 0+\n/);
    assert.match(output, /group 1 session 1$/);
    if (id === 0) return;
    assert.match(output, /Groups: *\n/);
    assert.match(output, /CapEff: 0+$/m);
  });

  test(`what cannot start, dies or takes too long as user ${user} is told apart`, { skip }, async () => {
    const dead = await outcomeOf(`dead-${id}`, '#!/no/such/interpreter\n', user);
    assert.equal(dead.result, CheckResult.CANNOT_RUN);
    assert.match(dead.reason, /interpreter in its first line does not exist/);
    const killed = await outcomeOf(`killed-${id}`, '#!/bin/sh\nkill -ABRT $$\n', user);
    assert.deepEqual([killed.result, killed.reason], [CheckResult.KILLED, 'ended by SIGABRT']);
    const slow = await outcomeOf(`slow-${id}`, '#!/bin/sh\necho begun\nsleep 60\n', user, 400);
    assert.deepEqual([slow.result, slow.output], [CheckResult.TIMED_OUT, 'begun']);
  });
}
