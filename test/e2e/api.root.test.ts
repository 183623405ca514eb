/** The controller's API with somebody else's client: buf, which knows nothing of Baton but what reflection tells it. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import type { Outcome } from '../lab/command.js';
import { labUnavailable } from '../lab/lab.js';
import { Cluster } from './cluster.js';

/** The checkout's own, wherever the compiled tests lie. */
function findBuf(): string {
  for (let directory = import.meta.dirname; ; directory = path.dirname(directory)) {
    const file = path.join(directory, 'node_modules/.bin/buf');
    if (existsSync(file)) return file;
    if (directory === path.dirname(directory)) throw new TypeError(`there is no buf above ${import.meta.dirname}`);
  }
}

test('buf curl with the certificate of an operator, and without', { skip: labUnavailable() }, async (t) => {
  const cluster = await Cluster.start(t, ['a']);
  const { controller, lab } = cluster;
  const [a] = cluster.nodes;
  assert.ok(a !== undefined);
  const buf = findBuf();
  const { contexts } = parse(readFileSync(controller.operatorFile, 'utf8')) as {
    readonly contexts: readonly [{ readonly ca: string; readonly certificate: string; readonly privateKey: string }];
  };
  const [{ ca, certificate, privateKey }] = contexts;
  const write = (name: string, content: string): string => {
    const file = path.join(lab.directory, name);
    writeFileSync(file, content, { mode: 0o600 });
    return file;
  };
  const trust = ['--protocol', 'grpc', '--cacert', write('ca.pem', ca)];
  const operator = [...trust, '--cert', write('operator.pem', certificate), '--key', write('operator.key', privateKey)];
  const node = path.join(a.stateDirectory, 'identity', 'node.pem');
  const curl = (credentials: readonly string[], what: string, request?: object): Promise<Outcome> => {
    const data = request === undefined ? [] : ['--data', JSON.stringify(request)];
    const url = `https://${controller.endpoint}${what.startsWith('-') ? '' : `/${what}`}`;
    const flags = what.startsWith('-') ? [what] : [];
    return controller.host.attempt(buf, 'curl', ...credentials, ...flags, ...data, url);
  };
  const answer = async (method: string, request: object): Promise<unknown> => {
    const { exit, stdout, stderr } = await curl(operator, method, request);
    assert.equal(exit, 0, stderr);
    return JSON.parse(stdout);
  };

  await t.test('methods are listed by reflection', async () => {
    const { stdout, stderr } = await curl(operator, '--list-methods');
    const methods = stdout.trim().split('\n');
    for (const method of [
      'baton.v1.AgentService/Session',
      'baton.v1.MailService/SendTestMail',
      'baton.v1.ResourceService/Apply',
      'baton.v1.StatusService/WatchStatus',
      'baton.v1.TokenService/CreateToken',
      'grpc.health.v1.Health/Check',
    ]) {
      assert.ok(methods.includes(method), `${method} among ${stdout}${stderr}`);
    }
  });

  await t.test('health and status', async () => {
    assert.deepEqual(await answer('grpc.health.v1.Health/Check', {}), { status: 'SERVING' });
    assert.deepEqual(await answer('grpc.health.v1.Health/Check', { service: 'baton.v1.StatusService' }), {
      status: 'SERVING',
    });
    const { status } = (await answer('baton.v1.StatusService/GetStatus', {})) as {
      readonly status: { readonly nodes: readonly { readonly name: string; readonly connected: boolean }[] };
    };
    assert.deepEqual(
      status.nodes.map(({ name, connected }) => [name, connected]),
      [['a', true]],
    );
  });

  await t.test('a bad resource is refused with the finding, and nothing of the request is applied', async () => {
    const good = { metadata: { name: 'fine' }, check: { exec: { command: ['/bin/true'] } } };
    const bad = { metadata: { name: 'web' }, virtualRouter: { vrid: 300, addresses: [{ address: '192.0.2.1' }] } };
    const refused = await curl(operator, 'baton.v1.ResourceService/Apply', { resources: [good, bad] });
    assert.notEqual(refused.exit, 0);
    const { code, message } = JSON.parse(refused.stderr) as { readonly code: string; readonly message: string };
    assert.equal(code, 'invalid_argument');
    assert.match(message, /VirtualRouter web: spec\.vrid: .*255/);
    const { resources = [] } = (await answer('baton.v1.ResourceService/ListResources', { kind: 'Check' })) as {
      readonly resources?: readonly unknown[];
    };
    assert.deepEqual(resources, []);
  });

  await t.test('no certificate, or that of a node: refused', async () => {
    const anonymous = await curl(trust, '--list-methods');
    assert.notEqual(anonymous.exit, 0);
    assert.match(anonymous.stderr, /not authenticated|unauthenticated/i);
    const asNode = await curl([...trust, '--cert', node, '--key', node], '--list-methods');
    assert.notEqual(asNode.exit, 0);
    assert.match(asNode.stderr, /permission_denied|not for the role/i);
  });
});
