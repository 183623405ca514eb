/** A check of an innocent name that leads to a cloud's metadata service: the host asks nobody, and says why. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { PROGRAMS } from '../lab/controller-host.js';
import { labUnavailable } from '../lab/lab.js';
import { until } from '../lab/until.js';
import { Cluster } from './cluster.js';
import { document, routerManifest } from './manifests.js';

const skip = labUnavailable();

test('a name that leads to a metadata service is not asked, by any kind of check', { skip }, async (t) => {
  const cluster = await Cluster.prepare(t, ['a']);
  const a = cluster.node('a');
  await cluster.controller.init();
  await cluster.controller.start();
  await cluster.join(a);
  const hosts = path.join(a.directory, 'hosts');
  writeFileSync(hosts, '127.0.0.1 localhost\n169.254.169.254 web.example.test\n');
  // The namespace has mounts of its own: nobody else sees this file in the place of the host's.
  const script = `mount --bind ${hosts} /etc/hosts && exec ${PROGRAMS}baton-agent run --config ${a.configFile}`;
  a.programs.push(a.host.start('sh', '-c', script));
  const kinds = {
    http: 'http: {url: "http://web.example.test/latest/"}',
    tcp: 'tcp: {host: web.example.test, port: 80}',
    grpc: 'grpc: {host: web.example.test, port: 80}',
    ping: 'ping: {host: web.example.test}',
  };
  const checks = Object.entries(kinds).map(([name, spec]) => document('Check', name, [spec, 'interval: 500ms']));
  const tracks = ['track:', ...Object.keys(kinds).map((name) => `  - {check: ${name}, weight: -1}`)];
  await cluster.applyAndWait(
    checks.join('') + routerManifest({ priorities: { a: 100 }, addresses: ['10.9.0.100'], more: tracks }),
  );
  const found = await until(
    'every check to have failed',
    10_000,
    async () => {
      const all = (await a.status()).checks;
      return all.length === 4 && all.every(({ reason }) => reason !== '') ? all : undefined;
    },
    async () => (await a.status()).checks,
  );
  for (const { name, reason } of found) {
    assert.match(reason, /web\.example\.test leads to 169\.254\.169\.254, a cloud's metadata service/, name);
  }
});
