import assert from 'node:assert/strict';
import { createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { createServer as createTlsServer } from 'node:tls';
import type { TcpProbe } from '../../agent/health/check-settings.js';
import { tcpAttempt } from '../../agent/health/tcp-check.js';
import { CheckResult } from '../../proto/gen/baton/v1/status.js';
import { closedPort, listen, outcomeOf, testNames } from './attempts.js';
import { TestAuthority } from './test-certificates.js';

async function run(probe: Omit<TcpProbe, 'kind'>, timeout?: number) {
  const { result, reason, output } = await outcomeOf(tcpAttempt({ kind: 'tcp', ...probe }, testNames), timeout);
  return { result, reason, output };
}

test('a connection that is accepted is good, one that is refused is not', async () => {
  const server = createServer((socket) => socket.on('error', () => undefined));
  const port = await listen(server);
  assert.deepEqual(await run({ host: 'db.test', port }), {
    result: CheckResult.OK,
    reason: '',
    output: `connected to 127.0.0.1:${port}`,
  });
  server.close();
  const closed = await closedPort(createServer());
  assert.deepEqual(await run({ host: '127.0.0.1', port: closed }), {
    result: CheckResult.FAILED,
    reason: `connection refused by 127.0.0.1:${closed}`,
    output: '',
  });
  assert.equal((await run({ host: 'db.invalid', port: 1 })).reason, 'the name db.invalid has no address');
});

test('with TLS the handshake must succeed in time', async () => {
  const authority = await TestAuthority.make();
  const server = createTlsServer(await authority.issue(['db.test']), (socket) => socket.on('error', () => undefined));
  server.on('tlsClientError', () => undefined);
  const port = await listen(server);
  const tls = { ca: authority.pem, insecureSkipVerify: false };
  assert.equal((await run({ host: 'db.test', port, tls })).result, CheckResult.OK);
  assert.match((await run({ host: 'other.test', port, tls })).reason, /^certificate is for another name/);
  assert.match((await run({ host: 'db.test', port, tls: { insecureSkipVerify: false } })).reason, /not trusted/);
  server.close();

  const sockets = new Set<Socket>();
  const mute = createServer((socket) => {
    socket.on('error', () => undefined);
    sockets.add(socket);
  });
  const mutePort = await listen(mute);
  const outcome = await run({ host: 'db.test', port: mutePort, tls }, 150);
  assert.equal(outcome.result, CheckResult.TIMED_OUT);
  assert.equal(outcome.reason, `no answer within 0.15 s: TLS handshake with db.test:${mutePort}`);
  for (const socket of sockets) socket.destroy();
  mute.close();
});
