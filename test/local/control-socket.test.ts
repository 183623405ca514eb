import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { RunOnceError } from '../../agent/health/run-once.js';
import { Journal, type JournalStorage } from '../../agent/journal/journal.js';
import { ask, listen } from '../../agent/local/control-client.js';
import { controlHandler } from '../../agent/local/control-handler.js';
import { MAX_REQUEST_BYTES, parseRequest } from '../../agent/local/control-protocol.js';
import { ControlServer } from '../../agent/local/control-server.js';
import { Event } from '../../proto/gen/baton/v1/events.js';
import { CheckResult, NodeStatus, PreflightFinding, PreflightSeverity } from '../../proto/gen/baton/v1/status.js';
import { info } from '../journal/event-draft.js';
import { ManualClock } from './manual-clock.js';
import { sampleStatus } from './sample-status.js';

const scratch = mkdtempSync(path.join(tmpdir(), 'baton-control-'));
const servers: ControlServer[] = [];
after(async () => {
  for (const server of servers) await server.close();
});
after(() => rmSync(scratch, { recursive: true, force: true }));
let directories = 0;

const NO_DISK: JournalStorage = {
  read: async () => undefined,
  setAside: async () => '',
  append: async () => undefined,
  replace: async () => undefined,
  reserved: async () => 0,
  reserve: async () => undefined,
};

async function serve() {
  directories += 1;
  const runDir = path.join(scratch, `run${directories}`);
  const journal = await Journal.open(NO_DISK, {
    limit: 10,
    isHistory: true,
    clock: new ManualClock(),
    newId: () => 'id',
    listener: {
      lostDisk: () => undefined,
      regainedDisk: () => undefined,
      damaged: () => undefined,
      dropping: () => undefined,
    },
  });
  let status = async (): Promise<NodeStatus> => sampleStatus();
  const reloads = { ok: true, lines: ['fine'] };
  const suspensions: number[] = [];
  const handler = controlHandler({
    status: () => status(),
    journal,
    reload: async () => reloads,
    runCheck: async (name) => {
      if (name !== 'alive') throw new RunOnceError('not-found', `there is no check "${name}" here`);
      const outcome = {
        result: CheckResult.FAILED,
        exitCode: 3,
        output: 'no',
        reason: '',
        startedWallMs: 0,
        duration: 5,
      };
      return { outcome, state: 'down' };
    },
    preflight: async () => [
      PreflightFinding.fromPartial({ severity: PreflightSeverity.ERROR, subject: 'interface em1', message: 'is down' }),
    ],
    suspend: () => void suspensions.push(1),
  });
  const server = await ControlServer.listen(runDir, handler);
  servers.push(server);
  return {
    runDir,
    server,
    journal,
    reloads,
    suspensions,
    breakStatus: () => {
      status = async () => {
        throw new Error('the election thread did not answer');
      };
    },
  };
}

/** Sends bytes as they are and returns everything that comes back. */
async function raw(runDir: string, bytes: string): Promise<string> {
  return await new Promise((resolve, reject) => {
    const socket = connect(path.join(runDir, 'agent.sock'));
    let text = '';
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => {
      text += chunk;
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(text));
    socket.end(bytes);
  });
}

test('status, explain and reload are answered', async () => {
  const { runDir, server, reloads } = await serve();
  assert.deepEqual(NodeStatus.fromJSON(await ask(runDir, { command: 'status' })), sampleStatus());
  assert.equal(((await ask(runDir, { command: 'explain', router: 'pg' })) as { router: string }).router, 'pg');
  await assert.rejects(ask(runDir, { command: 'explain', router: 'web' }), {
    code: 'refused',
    message: 'there is no router "web" here; this host runs pg',
  });
  assert.deepEqual(await ask(runDir, { command: 'reload' }), { lines: ['fine'] });
  reloads.ok = false;
  reloads.lines = ['file:3: error: no'];
  await assert.rejects(ask(runDir, { command: 'reload' }), { message: 'file:3: error: no' });
  await server.close();
});

test('a check is run by hand, and the host judged', async () => {
  const { runDir, server } = await serve();
  const answer = (await ask(runDir, { command: 'run-check', check: 'alive' })) as {
    run: { exitCode: number };
    state: string;
  };
  assert.deepEqual([answer.run.exitCode, answer.state], [3, 'down']);
  await assert.rejects(ask(runDir, { command: 'run-check', check: 'dead' }), {
    code: 'refused',
    message: 'there is no check "dead" here',
  });
  const judged = (await ask(runDir, { command: 'preflight' })) as { findings: { subject: string }[] };
  assert.deepEqual(
    judged.findings.map(({ subject }) => subject),
    ['interface em1'],
  );
  assert.equal(parseRequest('{"command":"run-check"}').ok, false);
  await server.close();
});

test('a failure inside is an answer, not a silence', async () => {
  const { runDir, server, breakStatus } = await serve();
  breakStatus();
  await assert.rejects(ask(runDir, { command: 'status' }), { code: 'refused', message: /did not answer/ });
  await server.close();
});

test('events: the last so many, then new ones as they happen', async () => {
  const { runDir, server, journal } = await serve();
  for (const message of ['a', 'b', 'c']) journal.add(info(message));
  await journal.flush();
  const messages = (result: unknown): string[] =>
    (result as { events: unknown[] }).events.map((event) => Event.fromJSON(event).message);
  assert.deepEqual(messages(await ask(runDir, { command: 'events', limit: 2, follow: false })), ['b', 'c']);
  assert.deepEqual(messages(await ask(runDir, { command: 'events', limit: 0, follow: false })), []);
  const told: string[] = [];
  await new Promise<void>((resolve, reject) => {
    const stop = listen(
      runDir,
      { command: 'events', limit: 1, follow: true },
      {
        result: (result) => {
          told.push(...messages(result));
          if (told.length === 1) journal.add(info('d'));
          else {
            stop();
            resolve();
          }
        },
        failed: reject,
      },
    );
  });
  assert.deepEqual(told, ['c', 'd']);
  await server.close();
});

test('several requests on one connection, and refusals of nonsense', async () => {
  const { runDir, server } = await serve();
  const answers = (await raw(runDir, '{"command":"status"}\nnonsense\n\n{"command":"dance"}\n[]\n')).trim().split('\n');
  assert.deepEqual(
    answers
      .map((line) => JSON.parse(line) as { ok: boolean; message?: string })
      .map(({ ok, message }) => message ?? ok)
      .sort(),
    [
      'the command is none of status, explain, events, run-check, preflight, reload, suspend',
      'the request is not JSON',
      'the request is not a JSON object',
      true,
    ].sort(),
  );
  await server.close();
});

test('a request without end is cut off', async () => {
  const { runDir, server } = await serve();
  assert.match(await raw(runDir, 'x'.repeat(MAX_REQUEST_BYTES + 10)), /more than 65536 bytes/);
  await server.close();
});

test('only its owner reaches the socket, in a directory of its own', async () => {
  const { runDir, server } = await serve();
  assert.equal(statSync(runDir).mode & 0o777, 0o700);
  assert.equal(statSync(path.join(runDir, 'agent.sock')).mode & 0o777, 0o600);
  await server.close();
  const open = path.join(scratch, 'open');
  mkdirSync(open);
  chmodSync(open, 0o777);
  await assert.rejects(
    ControlServer.listen(open, () => undefined),
    { code: 'cannot-listen', message: /writable by others/ },
  );
  assert.equal(statSync(open).mode & 0o777, 0o777);
});

test('a second agent is told of the first; a socket that nobody answers on is replaced', async () => {
  const { runDir, server } = await serve();
  await assert.rejects(
    ControlServer.listen(runDir, () => undefined),
    { code: 'in-use', message: /another baton-agent answers/ },
  );
  await server.close();
  writeFileSync(path.join(runDir, 'agent.sock'), '');
  const second = await ControlServer.listen(runDir, () => undefined);
  await second.close();
});

test('a path that no socket can have is refused by its length', async () => {
  const long = path.join(scratch, 'x'.repeat(100));
  await assert.rejects(
    ControlServer.listen(long, () => undefined),
    { code: 'path-too-long', message: /shorter --run-dir/ },
  );
});

test('with nobody there the client says where it looked', async () => {
  await assert.rejects(ask(path.join(scratch, 'nobody'), { command: 'status' }), {
    code: 'no-agent',
    message: new RegExp(`^no baton-agent answers on ${scratch}/nobody/agent.sock`),
  });
});

test('requests are judged by their fields', () => {
  const wrong = [
    '{"command":"explain"}',
    '{"command":"events","limit":-1}',
    '{"command":"events","limit":1.5}',
    '{"command":"events","follow":1}',
    'null',
    '{}',
  ];
  for (const line of wrong) assert.equal(parseRequest(line).ok, false, line);
  assert.deepEqual(parseRequest('{"command":"events"}'), {
    ok: true,
    request: { command: 'events', limit: 100, follow: false },
  });
});

test('suspending is answered, once it is under way', async () => {
  const { runDir, suspensions } = await serve();
  assert.deepEqual(await ask(runDir, { command: 'suspend' }), {});
  assert.equal(suspensions.length, 1);
});
