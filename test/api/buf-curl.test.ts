/** The API as a client of somebody else's making sees it: buf, over mutual TLS, with nothing but reflection. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { TestController } from './running-controller.js';

const run = promisify(execFile);

/** The checkout's own, wherever the compiled tests lie. */
const BUF = findUpwards('node_modules/.bin/buf');

let controller: TestController;
let options: string[];

before(async () => {
  controller = await TestController.start();
  const { ca, certificate, privateKey } = controller.operator;
  const write = (name: string, content: string): string => {
    const file = path.join(controller.dataDir, name);
    writeFileSync(file, content, { mode: 0o600 });
    return file;
  };
  options = ['--protocol', 'grpc', '--cacert', write('test-ca.pem', ca)];
  options.push('--cert', write('test-client.pem', certificate), '--key', write('test-client.key', privateKey));
});

after(() => controller.remove());

function findUpwards(name: string): string {
  for (let directory = import.meta.dirname; ; directory = path.dirname(directory)) {
    const file = path.join(directory, name);
    if (existsSync(file)) return file;
    if (directory === path.dirname(directory)) throw new TypeError(`there is no ${name} above ${import.meta.dirname}`);
  }
}

async function curl(method: string, request: object): Promise<unknown> {
  const url = `https://${controller.hostPort}/${method}`;
  const { stdout } = await run(BUF, ['curl', ...options, '--data', JSON.stringify(request), url]);
  return JSON.parse(stdout);
}

test('the services are listed by reflection', async () => {
  const { stdout } = await run(BUF, ['curl', ...options, '--list-services', `https://${controller.hostPort}`]);
  assert.deepEqual(stdout.trim().split('\n'), [
    'baton.v1.AgentService',
    'baton.v1.MailService',
    'baton.v1.ResourceService',
    'baton.v1.StatusService',
    'baton.v1.TokenService',
    'grpc.health.v1.Health',
    'grpc.reflection.v1.ServerReflection',
    'grpc.reflection.v1alpha.ServerReflection',
  ]);
});

test('apply, read back, status and health, all described by reflection alone', async () => {
  const resource = {
    metadata: { name: 'pg-alive' },
    check: { exec: { command: ['/usr/local/bin/pg.sh'] }, interval: '10s', fall: 5 },
  };
  const applied = await curl('baton.v1.ResourceService/Apply', { resources: [resource] });
  assert.deepEqual((applied as { changes: unknown }).changes, [
    { resource: { kind: 'Check', name: 'pg-alive' }, change: 'CHANGE_KIND_CREATED' },
  ]);
  const read = await curl('baton.v1.ResourceService/GetResource', { resource: { kind: 'Check', name: 'pg-alive' } });
  assert.equal((read as { resource: { check: { interval: string } } }).resource.check.interval, '10s');
  const status = await curl('baton.v1.StatusService/GetStatus', {});
  assert.equal((status as { status: { generation: string } }).status.generation, '1');
  assert.deepEqual(await curl('grpc.health.v1.Health/Check', {}), { status: 'SERVING' });
});

test('what is refused says why', async () => {
  const resource = { metadata: { name: 'x' }, virtualRouter: { vrid: 300, addresses: [{ address: '192.0.2.1' }] } };
  await assert.rejects(curl('baton.v1.ResourceService/Apply', { resources: [resource] }), (error) => {
    const { code, message } = JSON.parse((error as { stderr: string }).stderr);
    assert.equal(code, 'invalid_argument');
    assert.match(message, /VirtualRouter x: spec\.vrid/);
    return true;
  });
});

test('without a certificate there is neither reflection nor health', async () => {
  const withoutIdentity = options.slice(0, options.indexOf('--cert'));
  const url = `https://${controller.hostPort}`;
  await assert.rejects(
    run(BUF, ['curl', ...withoutIdentity, '--list-services', url]),
    /not authenticated|unauthenticated/i,
  );
});
