/** The link ends at once, whatever it is waiting for; only what is still owed to a controller is waited for, and not long. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { renewalDue } from '../../agent/control/certificate-renewal.js';
import type { ControlLinkOptions } from '../../agent/control/control-link.js';
import { type ControlLink, join, startControlLink } from '../../agent/control/index.js';
import { readIdentity, validityOf } from '../../agent/control/node-identity.js';
import type { BundleVerdict } from '../../agent/local/agent-side.js';
import { ask, silent, TestController } from '../api/running-controller.js';
import { FakeAgent } from './fake-agent.js';
import { type Stall, StalledController } from './stalled-controller.js';

/** Nothing is owed: what the machine needs, in milliseconds. The shortest of the waits that could be in the way has 500. */
const AT_ONCE_MS = 400;
/** The last state, the last events, the end of the stream, each of which is waited for: 0.5, 1.5 and 0.5 s. */
const OWED_MS = 3_000;
/** Whatever never ends is not waited for longer than this by the tests. */
const NEVER_MS = 8_000;

let controller: TestController;
let stateDir: string;

before(async () => {
  controller = await TestController.start();
  const operator = controller.operatorClients();
  stateDir = mkdtempSync(path.join(tmpdir(), 'baton-agent-'));
  const { token } = await ask(operator.tokens, operator.tokens.createToken, { ttl: undefined, node: 'base1' });
  await join({ controller: controller.hostPort, token, caPin: controller.caPin, stateDir });
  operator.close();
});

after(async () => {
  await controller.remove();
  rmSync(stateDir, { recursive: true, force: true });
});

/** A promise that nothing ever settles. */
const never = new Promise<never>(() => undefined);

function start(agent: FakeAgent, hostPort: string, options: Partial<ControlLinkOptions> = {}): ControlLink {
  return startControlLink({ agent, controllers: [hostPort], stateDir, log: silent, ...options });
}

async function stalled(t: TestContext, stall: Stall): Promise<StalledController> {
  const stopped = await StalledController.start(stall, controller.dataDir);
  t.after(() => stopped.close());
  return stopped;
}

/** How long it takes to stop, in milliseconds. */
async function timeToStop(link: ControlLink): Promise<number> {
  const startedAt = performance.now();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, NEVER_MS);
  });
  await Promise.race([link.stop(), late]);
  clearTimeout(timer);
  return performance.now() - startedAt;
}

async function assertEnds(link: ControlLink, withinMs: number): Promise<void> {
  const took = await timeToStop(link);
  assert.ok(took < withinMs, `stopped after ${took.toFixed(0)} ms`);
}

function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  for (let time = 0; time < 3; time++) collect();
}

for (const stall of ['accept', 'handshake', 'stream'] as const) {
  test(`a controller that stands still after "${stall}" does not hold up the end`, async (t) => {
    const stopped = await stalled(t, stall);
    const link = start(new FakeAgent(), stopped.hostPort);
    await stopped.reached;
    await assertEnds(link, AT_ONCE_MS);
  });
}

test('nor one that says welcome and does not answer a renewal', async (t) => {
  const stopped = await stalled(t, 'welcome');
  const identity = readIdentity(stateDir);
  assert.ok(identity);
  const due = renewalDue(validityOf(identity.certificate), 0);
  const link = start(new FakeAgent(), stopped.hostPort, { now: () => due, random: () => 0 });
  await stopped.reached;
  await assertEnds(link, OWED_MS);
});

test('nor one that takes neither the last state nor the last events', async (t) => {
  const stopped = await stalled(t, 'welcome');
  const agent = new FakeAgent();
  const link = start(agent, stopped.hostPort);
  await agent.until(() => agent.link?.state === 'connected');
  agent.fullStatus = () => never;
  agent.addEvents({ message: 'the last' });
  await assertEnds(link, OWED_MS);
});

test('nor an agent that does not say what it is', async () => {
  const agent = new FakeAgent();
  let asked: () => void = () => undefined;
  const isAsked = new Promise<void>((resolve) => {
    asked = resolve;
  });
  agent.hello = () => {
    asked();
    return never;
  };
  const link = start(agent, controller.hostPort);
  await isAsked;
  await assertEnds(link, AT_ONCE_MS);
});

test('nor an agent that is not done with a bundle', async () => {
  const agent = new FakeAgent();
  let applies: () => void = () => undefined;
  const isApplying = new Promise<void>((resolve) => {
    applies = resolve;
  });
  agent.applyBundle = (): Promise<BundleVerdict> => {
    applies();
    return never;
  };
  const link = start(agent, controller.hostPort);
  await isApplying;
  await assertEnds(link, OWED_MS);
});

test('nor the wait before the next try, also after garbage was collected', async () => {
  const agent = new FakeAgent();
  const link = start(agent, '127.0.0.1:1');
  await agent.until(() => agent.link?.error === 'nothing listens on 127.0.0.1:1');
  collectGarbage();
  await assertEnds(link, AT_ONCE_MS);
});
