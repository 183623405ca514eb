import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { Server, ServerCredentials, type ServiceError, status } from '@grpc/grpc-js';
import type { GrpcProbe } from '../../agent/health/check-settings.js';
import { grpcAttempt } from '../../agent/health/grpc-check.js';
import { CheckResult } from '../../proto/gen/baton/v1/status.js';
import {
  type HealthServer,
  HealthService,
  HealthCheckResponse_ServingStatus as ServingStatus,
} from '../../proto/gen/grpc/health/v1/health.js';
import { closedPort, listen, outcomeOf, testNames } from './attempts.js';
import { TestAuthority } from './test-certificates.js';

async function run(probe: Pick<GrpcProbe, 'port'> & Partial<GrpcProbe>, timeout?: number) {
  const whole: GrpcProbe = { kind: 'grpc', host: 'api.test', service: '', ...probe };
  const { result, reason, output } = await outcomeOf(grpcAttempt(whole, testNames), timeout);
  return { result, reason, output };
}

async function serve(credentials: ServerCredentials, withHealth = true): Promise<{ server: Server; port: number }> {
  const server = new Server();
  if (withHealth) {
    const health: HealthServer = {
      check: (call, done) => {
        const { service } = call.request;
        if (service === '') done(null, { status: ServingStatus.SERVING });
        else if (service === 'ill') done(null, { status: ServingStatus.NOT_SERVING });
        else if (service !== 'mute') done({ code: status.NOT_FOUND, details: 'unknown' } as ServiceError);
      },
      list: (_call, done) => done(null, { statuses: {} }),
      watch: (call) => call.end(),
    };
    server.addService(HealthService, health);
  }
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', credentials, (error, bound) => (error === null ? resolve(bound) : reject(error)));
  });
  return { server, port };
}

test('SERVING is good, anything else is told in words', async () => {
  const { server, port } = await serve(ServerCredentials.createInsecure());
  try {
    assert.deepEqual(await run({ port }), { result: CheckResult.OK, reason: '', output: 'SERVING' });
    assert.deepEqual(await run({ port, service: 'ill' }), {
      result: CheckResult.FAILED,
      reason: `service ill at api.test:${port} is NOT_SERVING`,
      output: 'NOT_SERVING',
    });
    assert.equal((await run({ port, service: 'new' })).reason, `api.test:${port} does not know the service new`);
    const mute = await run({ port, service: 'mute' }, 200);
    assert.deepEqual(
      [mute.result, mute.reason],
      [CheckResult.TIMED_OUT, `no answer within 0.2 s: waiting for the answer of api.test:${port}`],
    );
  } finally {
    server.forceShutdown();
  }
});

test('a server without the protocol, no server, no gRPC', async () => {
  const { server, port } = await serve(ServerCredentials.createInsecure(), false);
  assert.equal((await run({ port })).reason, `api.test:${port} does not speak grpc.health.v1`);
  server.forceShutdown();
  const closed = await closedPort(createServer());
  assert.equal((await run({ port: closed })).reason, `connection refused by api.test:${closed}`);
  assert.equal((await run({ port: closed, host: 'api.invalid' })).reason, 'the name api.invalid has no address');
  const other = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.end('HTTP/1.1 400 Bad Request\r\n\r\n');
  });
  const otherPort = await listen(other);
  const outcome = await run({ port: otherPort }, 500);
  assert.ok(outcome.result === CheckResult.FAILED || outcome.result === CheckResult.TIMED_OUT, outcome.reason);
  other.close();
});

test('with TLS the certificate is judged', async () => {
  const authority = await TestAuthority.make();
  const { cert, key } = await authority.issue(['api.test']);
  const { server, port } = await serve(
    ServerCredentials.createSsl(null, [{ cert_chain: Buffer.from(cert), private_key: Buffer.from(key) }]),
  );
  try {
    const tls = { ca: authority.pem, insecureSkipVerify: false };
    assert.equal((await run({ port, tls })).result, CheckResult.OK);
    assert.equal(
      (await run({ port, host: '127.0.0.1', tls: { ...tls, serverName: 'api.test' } })).result,
      CheckResult.OK,
    );
    assert.equal((await run({ port, host: 'other.test', tls: { insecureSkipVerify: true } })).result, CheckResult.OK);
    const stranger = await run({ port, host: 'other.test', tls });
    assert.equal(stranger.result, CheckResult.FAILED);
    assert.match(stranger.reason, /altnames/);
    assert.equal((await run({ port, tls: { insecureSkipVerify: false } })).result, CheckResult.FAILED);
  } finally {
    server.forceShutdown();
  }
});
