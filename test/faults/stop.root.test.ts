/** A stop, or a restart, while something that the agent has asked the system for does not come. */
import assert from 'node:assert/strict';
import { appendFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { Cluster } from '../e2e/cluster.js';
import { routerManifest } from '../e2e/manifests.js';
import { outputOf } from '../lab/command.js';
import { PROGRAMS } from '../lab/controller-host.js';
import { labUnavailable } from '../lab/lab.js';
import { until } from '../lab/until.js';

const skip = labUnavailable();
/** The elections answer nothing after their end, for which 10 s are waited; the C library asks a name server for 10 s. */
const STOP_WITHIN_MS = 3000;

/** From "configuration in force": before, while and after the connection is made. */
const CONNECTING_MS = [0, 30, 60, 120];

test('a stop while the connection is being made takes no longer', { skip }, async (t) => {
  const cluster = await Cluster.start(t, ['a']);
  await cluster.applyAndWait(routerManifest({ priorities: { a: 150 }, addresses: ['10.9.0.100'] }));
  const a = cluster.node('a');
  assert.equal(await a.agent.stop(), 'exit 0');
  for (const afterMs of CONNECTING_MS) {
    const program = a.start();
    await program.untilSays('configuration in force', 10_000);
    await pause(afterMs);
    const startedAt = performance.now();
    program.signal('SIGTERM');
    assert.equal(await program.ended, 'exit 0');
    const took = performance.now() - startedAt;
    t.diagnostic(`after ${afterMs} ms: ${took.toFixed(0)} ms`);
    assert.ok(took < STOP_WITHIN_MS, `a stop took ${took.toFixed(0)} ms`);
  }
});

test('a name server that does not answer holds up neither a stop nor a restart', { skip }, async (t) => {
  const cluster = await Cluster.prepare(t, ['a']);
  const a = cluster.node('a');
  await cluster.controller.init();
  await cluster.controller.start();
  await cluster.join(a);
  await cluster.controller.host.run(
    'nft',
    'add table inet deaf; add chain inet deaf in { type filter hook input priority 0; }; add rule inet deaf in udp dport 53 counter drop;',
  );
  const resolver = path.join(a.directory, 'resolv.conf');
  writeFileSync(resolver, `nameserver ${cluster.controller.host.address}\n`);
  appendFileSync(a.configFile, 'controllers: ["controller.example.test:7443"]\n');
  const asked = async (): Promise<number> => {
    const rules = outputOf(await cluster.controller.host.attempt('nft', 'list', 'ruleset'));
    return Number(/packets (\d+)/.exec(rules)?.[1]);
  };
  for (const [how, end] of [
    ['stop', () => a.agent.signal('SIGTERM')],
    ['restart', () => a.agent.signal('SIGUSR2')],
  ] as const) {
    const before = await asked();
    // The namespace has mounts of its own: nobody else sees this file in the place of the host's.
    const program = a.host.start(
      'sh',
      '-c',
      `mount --bind ${resolver} /etc/resolv.conf && exec ${PROGRAMS}baton-agent run --config ${a.configFile}`,
    );
    a.programs.push(program);
    await until(
      'the name server to be asked',
      10_000,
      async () => (await asked()) > before,
      () => program.tail(),
    );
    await until('the control socket', 5000, async () => (await a.attempt('status')).exit === 0);
    const startedAt = performance.now();
    end();
    assert.equal(await program.ended, 'exit 0');
    const took = performance.now() - startedAt;
    t.diagnostic(`${how}: ${took.toFixed(0)} ms`);
    assert.ok(took < STOP_WITHIN_MS, `a ${how} took ${took.toFixed(0)} ms`);
  }
});
