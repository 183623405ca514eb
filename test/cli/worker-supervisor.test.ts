/** Real workers, each of a few lines, in the place of the agent's own. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import type { Worker } from 'node:worker_threads';
import { WorkerSupervisor } from '../../agent/cli/worker-supervisor.js';
import type { Election } from '../../agent/runtime/election.js';

const scratch = mkdtempSync(path.join(tmpdir(), 'baton-supervisor-'));
after(() => rmSync(scratch, { recursive: true, force: true }));
let files = 0;

function supervise(body: string) {
  files += 1;
  const file = path.join(scratch, `worker-${files}.mjs`);
  writeFileSync(file, `import { parentPort, workerData } from 'node:worker_threads';\n${body}\n`);
  const supervisor = new WorkerSupervisor({ mode: { kind: 'standalone', file: '/none' } }, pathToFileURL(file));
  const messages: unknown[] = [];
  const changes: string[] = [];
  let waiting: (() => void) | undefined;
  const listen = (worker: Worker): void => {
    worker.on('message', (message: unknown) => {
      messages.push(message);
      waiting?.();
    });
  };
  const election: Election = {
    shutdown: () => undefined,
    suspend: () => undefined,
    attach: (port) => {
      changes.push('attached');
      // The supervisor attaches nothing but workers.
      listen(port as unknown as Worker);
    },
    detach: () => changes.push('detached'),
    stopped: new Promise(() => undefined),
  };
  supervisor.serve((worker) => {
    listen(worker);
    return election;
  });
  const received = async (count: number): Promise<void> => {
    while (messages.length < count) {
      await new Promise<void>((resolve) => {
        waiting = resolve;
      });
    }
  };
  return { supervisor, messages, changes, received };
}

const IN_FORCE =
  "workerData.process.postMessage({ kind: 'inForce', inForce: { generation: 7, content: new Uint8Array([1]) } });";

test('a worker that died is replaced by one that knows what is in force and what the other died of', async () => {
  const { supervisor, messages, changes, received } = supervise(`
    parentPort.postMessage({ generation: workerData.inForce?.generation, died: workerData.lastWords?.split('\\n')[0] });
    ${IN_FORCE}
    if (workerData.inForce === undefined) setTimeout(() => { throw new Error('a bug'); }, 20);
    else parentPort.on('message', () => undefined);
  `);
  await received(2);
  assert.deepEqual(messages, [
    { generation: undefined, died: undefined },
    { generation: 7, died: 'Error: a bug' },
  ]);
  assert.deepEqual(changes, ['detached', 'attached']);
  await supervisor.terminate();
});

test('a worker that cannot run as it was told ends the agent with its own words', async () => {
  const { supervisor } = supervise(
    "workerData.process.postMessage({ kind: 'giveUp', exitCode: 4, lines: ['k.conf:3: error: no'] });",
  );
  const { exitCode, lines } = await supervisor.gaveUp;
  assert.deepEqual([exitCode, lines], [4, ['k.conf:3: error: no']]);
  await supervisor.terminate();
});

test('once something is in force, a worker that gives up is replaced instead', async () => {
  const { supervisor, messages, received } = supervise(`
    parentPort.postMessage(workerData.lastWords ?? 'first');
    ${IN_FORCE}
    if (workerData.inForce === undefined) workerData.process.postMessage({ kind: 'giveUp', exitCode: 1, lines: ['no'] });
    parentPort.on('message', () => undefined);
  `);
  await received(2);
  assert.deepEqual(messages, ['first', 'no']);
  await supervisor.terminate();
});

test('after a stop none is started any more, and the end is waited for', async () => {
  const { supervisor, changes, received } = supervise(`
    ${IN_FORCE}
    parentPort.postMessage('up');
    workerData.process.on('message', () => process.exit(0));
  `);
  await received(1);
  supervisor.stopRestarting();
  const ended = supervisor.ended(60_000);
  supervisor.tell({ kind: 'reload' });
  await ended;
  assert.deepEqual(changes, ['detached']);
});

test('a worker that does not end is not waited for without end', async () => {
  const { supervisor, received } = supervise(
    "parentPort.postMessage('up'); parentPort.on('message', () => undefined);",
  );
  await received(1);
  supervisor.stopRestarting();
  await supervisor.ended(10);
  const abandoned = supervisor.ended(60_000);
  supervisor.abandon();
  await abandoned;
  await supervisor.terminate();
});
