import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { type ControlLink, JoinError, join, startControlLink } from '../../agent/control/index.js';
import { readIdentity } from '../../agent/control/node-identity.js';
import { Bundle } from '../../proto/gen/baton/v1/bundle.js';
import { EventSeverity } from '../../proto/gen/baton/v1/events.js';
import { MemberState } from '../../proto/gen/baton/v1/status.js';
import type { ClusterStatus } from '../../proto/gen/baton/v1/status_service.js';
import { parseManifest } from '../../proto/manifest/index.js';
import { ask, type Clients, silent, TestController } from '../api/running-controller.js';
import { FakeAgent } from './fake-agent.js';

let controller: TestController;
let operator: Clients;
const links: ControlLink[] = [];
const stateDirs: string[] = [];

before(async () => {
  controller = await TestController.start();
  operator = controller.operatorClients();
});

after(async () => {
  for (const link of links) await link.stop();
  operator.close();
  await controller.remove();
  for (const dir of stateDirs) rmSync(dir, { recursive: true, force: true });
});

function newStateDir(): string {
  const dir = mkdtempSync(path.join(tmpdir(), 'baton-agent-'));
  stateDirs.push(dir);
  return dir;
}

async function newToken(node = ''): Promise<string> {
  return (await ask(operator.tokens, operator.tokens.createToken, { ttl: undefined, node })).token;
}

async function joinAs(name: string): Promise<string> {
  const stateDir = newStateDir();
  const { caPin, hostPort } = controller;
  const joined = await join({ controller: hostPort, token: await newToken(), caPin, name, stateDir });
  assert.equal(joined.node, name);
  return stateDir;
}

function link(agent: FakeAgent, stateDir: string): ControlLink {
  const started = startControlLink({ agent, controllers: [], stateDir, log: silent });
  links.push(started);
  return started;
}

/** Watches the cluster until it looks as wanted. */
async function watchUntil(wanted: (status: ClusterStatus) => boolean): Promise<ClusterStatus> {
  const call = operator.status.watchStatus({});
  try {
    for await (const { status } of call) if (status !== undefined && wanted(status)) return status;
  } finally {
    call.cancel();
  }
  throw new TypeError('the watch ended');
}

function routerManifest(name: string, vrid: number, members: string): string {
  return `
apiVersion: baton/v1
kind: VirtualRouter
metadata: {name: ${name}}
spec:
  vrid: ${vrid}
  addresses: [192.0.2.${vrid}]
  members: ${members}
`;
}

async function apply(manifest: string): Promise<readonly string[]> {
  const { resources, problems } = parseManifest(manifest, 'test.yaml');
  assert.deepEqual(problems, []);
  return (await ask(operator.resources, operator.resources.apply, { resources: [...resources], dryRun: false })).nodes;
}

test('init, join, apply, push, acknowledge: the whole way', async () => {
  const stateDir = await joinAs('base1');
  assert.equal(statSync(path.join(stateDir, 'identity')).mode & 0o777, 0o700);
  assert.equal(statSync(path.join(stateDir, 'identity', 'node.pem')).mode & 0o777, 0o600);
  const agent = new FakeAgent();
  link(agent, stateDir);
  await agent.until(() => agent.link?.state === 'connected');
  assert.equal(agent.link?.node, 'base1');

  assert.deepEqual(await apply(routerManifest('pg', 10, '[{node: base1, interface: em1, priority: 110}]')), ['base1']);
  await agent.until(() => agent.pushes.some((push) => Bundle.decode(push.content).routers.length === 1));
  const push = agent.pushes.at(-1);
  const bundle = Bundle.decode(push?.content ?? new Uint8Array());
  assert.equal(bundle.node, 'base1');
  assert.deepEqual(
    bundle.routers.map(({ name, vrid, priority }) => ({ name, vrid, priority })),
    [{ name: 'pg', vrid: 10, priority: 110 }],
  );

  agent.enter('pg', MemberState.ACTIVE);
  const status = await watchUntil(({ routers }) => routers[0]?.members[0]?.state === MemberState.ACTIVE);
  assert.deepEqual(status.routers[0]?.problems, []);
  assert.equal(status.nodes[0]?.bundleInForce?.hash, push?.bundle?.hash);
  assert.equal(status.routers[0]?.members[0]?.bundleCurrent, true);
  assert.equal(status.routers[0]?.members[0]?.holdsAddresses, true);
});

test('a connection lives for longer than the welcome is waited for', async () => {
  let lateWelcome: () => void = () => undefined;
  const agent = new FakeAgent();
  const stateDir = await joinAs('base6');
  const wait = (ms: number, signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      if (ms === 15_000) lateWelcome = resolve;
      else if (signal.aborted) resolve();
      else signal.addEventListener('abort', () => resolve());
    });
  links.push(startControlLink({ agent, controllers: [], stateDir, log: silent, wait }));
  await agent.until(() => agent.link?.state === 'connected');
  lateWelcome();
  await apply(routerManifest('long', 60, '[{node: base6, interface: em1}]'));
  await agent.until(() => agent.pushes.some((push) => Bundle.decode(push.content).routers.length === 1));
  assert.equal(agent.link?.state, 'connected');
  assert.deepEqual(
    agent.updates.map(({ state }) => state),
    ['connecting', 'connected'],
  );
});

test('a port that takes connections and says nothing is given up', async () => {
  const silentServer = createServer();
  silentServer.listen(0, '127.0.0.1');
  await once(silentServer, 'listening');
  const { port } = silentServer.address() as AddressInfo;
  const agent = new FakeAgent();
  const stateDir = await joinAs('base7');
  // The wait for the welcome is over at once; the others end with the link.
  const wait = (ms: number, signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      if (ms === 15_000 || signal.aborted) resolve();
      else signal.addEventListener('abort', () => resolve());
    });
  const started = startControlLink({ agent, controllers: [`127.0.0.1:${port}`], stateDir, log: silent, wait });
  links.push(started);
  await agent.until(() => agent.link?.error === 'the controller did not answer in time');
  await started.stop();
  silentServer.close();
});

test('a refused bundle is told with its reasons and not pushed again until something else is wanted', async () => {
  const agent = new FakeAgent();
  agent.verdict = ({ content }) =>
    Bundle.decode(content).routers.some(({ vrid }) => vrid === 20)
      ? { accepted: false, refusals: [{ path: 'routers[web].vrid', reason: 'the host allows 1-19 only' }] }
      : { accepted: true, refusals: [] };
  link(agent, await joinAs('base2'));
  await agent.until(() => agent.link?.state === 'connected');
  await apply(routerManifest('web', 20, '[{node: base2, interface: em1}]'));
  const status = await watchUntil(({ nodes }) => nodes.some(({ refusals }) => refusals.length > 0));
  assert.deepEqual(
    status.routers.find(({ name }) => name === 'web')?.problems.filter((problem) => problem.includes('refused')),
    ['base2 refused its bundle: routers[web].vrid: the host allows 1-19 only'],
  );
  const refusedPushes = agent.pushes.length;
  await apply(routerManifest('web', 12, '[{node: base2, interface: em1}]'));
  await watchUntil(({ nodes }) => nodes.every(({ refusals }) => refusals.length === 0));
  assert.equal(agent.pushes.length, refusedPushes + 1);
});

test('events are delivered once, in order, also over a restart of the controller', async () => {
  const agent = new FakeAgent();
  link(agent, await joinAs('base3'));
  await agent.until(() => agent.link?.state === 'connected');
  agent.addEvents({ message: 'one' }, { message: 'two' });
  await agent.until(() => agent.accepted.at(-1) === 2);
  await controller.stop();
  agent.addEvents({ message: 'three' });
  await controller.restart();
  await agent.until(() => agent.accepted.at(-1) === 3);
  const filter = { node: 'base3', router: '', severity: EventSeverity.UNSPECIFIED };
  const { events } = await ask(operator.status, operator.status.listEvents, { filter, limit: 0 });
  assert.deepEqual(
    events.map(({ event }) => event?.message),
    ['one', 'two', 'three'],
  );
});

test('two streams of one identity: the newer wins and the older is told why', async () => {
  const stateDir = await joinAs('base4');
  const older = new FakeAgent();
  link(older, stateDir);
  await older.until(() => older.link?.state === 'connected');
  const newer = new FakeAgent();
  link(newer, stateDir);
  await newer.until(() => newer.link?.state === 'connected');
  await older.until(() => older.link?.error.includes('two agents must not share one identity') === true);
});

test('the agent ends its events before it leaves', async () => {
  const agent = new FakeAgent();
  const started = link(agent, await joinAs('base5'));
  await agent.until(() => agent.link?.state === 'connected');
  agent.addEvents(...Array.from({ length: 1_200 }, () => ({ message: 'x'.repeat(500) })));
  await started.stop();
  assert.equal(agent.accepted.at(-1), 1_200);
});

test('a wrong pin, a wrong token, a name in use: nothing is given and the sentence says why', async () => {
  const stateDir = newStateDir();
  const { caPin, hostPort } = controller;
  const attempt = (change: Partial<Parameters<typeof join>[0]>) =>
    join({ controller: hostPort, token: 'btn_wrong', caPin, name: 'nobody', stateDir, ...change });
  await assert.rejects(attempt({ caPin: `sha256:${'0'.repeat(64)}` }), (error) => {
    assert.ok(error instanceof JoinError);
    assert.equal(error.code, 'not-the-controller');
    assert.match(error.message, /The token was not sent/);
    return true;
  });
  await assert.rejects(attempt({}), /the token is unknown, used, expired or revoked/);
  const token = await newToken();
  await assert.rejects(attempt({ token, name: 'base1' }), /there is a node base1 already/);
  await assert.rejects(attempt({ token, name: 'Base 1' }), /cannot be a node's name/);
  await assert.rejects(attempt({ controller: '127.0.0.1:1' }), /cannot reach a controller at 127.0.0.1:1/);
  chmodSync(stateDir, 0o777);
  await assert.rejects(attempt({ token, name: 'somebody' }), /belongs to somebody else or is writable by others/);
  chmodSync(stateDir, 0o700);
  // None of the refusals has used the token up.
  const joined = await attempt({ token, name: 'somebody' });
  assert.equal(joined.node, 'somebody');
  assert.equal(readIdentity(stateDir)?.node, 'somebody');
  await assert.rejects(attempt({ token, name: 'somebody-else' }), /the token is unknown, used, expired or revoked/);
});
