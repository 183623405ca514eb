import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { renewalDue } from '../../agent/control/certificate-renewal.js';
import { join, startControlLink } from '../../agent/control/index.js';
import { IdentityError, readIdentity, validityOf } from '../../agent/control/node-identity.js';
import { ask, type Clients, silent, TestController } from '../api/running-controller.js';
import { FakeAgent } from './fake-agent.js';

let controller: TestController;
let operator: Clients;
let stateDir: string;

before(async () => {
  controller = await TestController.start();
  operator = controller.operatorClients();
  stateDir = mkdtempSync(path.join(tmpdir(), 'baton-agent-'));
  const { token } = await ask(operator.tokens, operator.tokens.createToken, { ttl: undefined, node: 'base1' });
  await join({ controller: controller.hostPort, token, caPin: controller.caPin, stateDir });
});

after(async () => {
  operator.close();
  await controller.remove();
  rmSync(stateDir, { recursive: true, force: true });
});

test('renewal is due between two thirds of the life and a twentieth more', () => {
  const validity = { from: 1_000, to: 61_000 };
  assert.equal(renewalDue(validity, 0), 41_000);
  assert.equal(renewalDue(validity, 0.5), 42_500);
});

test('a certificate that is due is replaced, with a new key, and the stream goes on with the new one', async () => {
  const before = readIdentity(stateDir);
  assert.ok(before);
  const due = renewalDue(validityOf(before.certificate), 0);
  const agent = new FakeAgent();
  // Time stands at two thirds of the life; the controller still takes the old certificate.
  const link = startControlLink({ agent, controllers: [], stateDir, log: silent, now: () => due, random: () => 0 });
  await agent.until(() => agent.updates.filter(({ state }) => state === 'connected').length === 2);
  await link.stop();
  const now = readIdentity(stateDir);
  assert.ok(now);
  assert.notEqual(now.privateKey, before.privateKey);
  assert.notEqual(now.certificate, before.certificate);
  assert.equal(now.node, 'base1');
  assert.equal(now.ca, before.ca);
});

test('a deleted node is told so at once and is not let in again', async () => {
  const agent = new FakeAgent();
  const link = startControlLink({ agent, controllers: [], stateDir, log: silent });
  await agent.until(() => agent.link?.state === 'connected');
  await ask(operator.resources, operator.resources.deleteResource, {
    resource: { kind: 'Node', name: 'base1' },
    dryRun: false,
  });
  await agent.until(() => agent.link?.error.includes('certificate was revoked') === true);
  await link.stop();
  const again = new FakeAgent();
  const second = startControlLink({ agent: again, controllers: [], stateDir, log: silent });
  await again.until(() => again.link?.error.includes('revoked') === true);
  await second.stop();
});

test('without an identity the link says what to do, and a damaged one is named', async () => {
  const empty = mkdtempSync(path.join(tmpdir(), 'baton-agent-'));
  try {
    assert.equal(readIdentity(empty), undefined);
    const agent = new FakeAgent();
    const link = startControlLink({ agent, controllers: [], stateDir: empty, log: silent });
    await agent.until(() => agent.link?.error.includes('run "baton-agent join"') === true);
    await link.stop();
  } finally {
    rmSync(empty, { recursive: true, force: true });
  }
  const file = path.join(stateDir, 'identity', 'node.pem');
  const whole = readFileSync(file, 'utf8');
  for (const broken of ['', 'garbage', whole.slice(0, whole.length / 2)]) {
    writeFileSync(file, broken);
    assert.throws(() => readIdentity(stateDir), IdentityError);
  }
  writeFileSync(file, whole);
  assert.ok(readIdentity(stateDir));
});

test('a host that joins while its agent waits is connected without waiting for the end of that', async () => {
  const empty = mkdtempSync(path.join(tmpdir(), 'baton-agent-'));
  const agent = new FakeAgent();
  const waits: number[] = [];
  const link = startControlLink({
    agent,
    controllers: [],
    stateDir: empty,
    log: silent,
    // The host joins during the third part of the wait.
    wait: async (ms, signal) => {
      waits.push(ms);
      if (waits.length === 3) {
        const { token } = await ask(operator.tokens, operator.tokens.createToken, { ttl: undefined, node: 'base2' });
        await join({ controller: controller.hostPort, token, caPin: controller.caPin, stateDir: empty });
      }
      if (waits.length > 3) await new Promise((resolve) => signal.addEventListener('abort', resolve));
    },
  });
  try {
    await agent.until(() => agent.link?.state === 'connected');
    assert.deepEqual(waits.slice(0, 3), [1_000, 1_000, 1_000]);
    assert.ok(agent.updates.some(({ error }) => error.includes('run "baton-agent join"')));
  } finally {
    await link.stop();
    rmSync(empty, { recursive: true, force: true });
  }
});

test('controllers are tried in turn, the first dead, the second alive', async () => {
  const { token } = await ask(operator.tokens, operator.tokens.createToken, { ttl: undefined, node: 'base1' });
  await join({ controller: controller.hostPort, token, caPin: controller.caPin, stateDir });
  const agent = new FakeAgent();
  const controllers = ['127.0.0.1:1', controller.hostPort];
  const link = startControlLink({ agent, controllers, stateDir, log: silent });
  await agent.until(() => agent.link?.state === 'connected');
  assert.equal(agent.link?.address, controller.hostPort);
  assert.ok(agent.updates.some(({ error }) => error === 'nothing listens on 127.0.0.1:1'));
  await link.stop();
});
