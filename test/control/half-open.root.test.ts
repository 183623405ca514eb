/** Connections that die without a word, and strangers that hold one open. Takes real time, 25 seconds at most. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { join, startControlLink } from '../../agent/control/index.js';
import type { ClusterStatus } from '../../proto/gen/baton/v1/status_service.js';
import { ask, silent, TestController } from '../api/running-controller.js';
import { FakeAgent } from './fake-agent.js';
import { Relay } from './relay.js';

const skip = process.getuid?.() === 0 ? false : 'runs with the slow tests, which need root';

test('F16 a half-open connection is noticed by both sides within 20 s, and the agent comes back on one stream', {
  skip,
}, async () => {
  const controller = await TestController.start();
  const operator = controller.operatorClients();
  const proxy = new Relay(controller.address.port);
  const stateDir = mkdtempSync(path.join(tmpdir(), 'baton-agent-'));
  try {
    const port = await proxy.listen();
    const { token } = await ask(operator.tokens, operator.tokens.createToken, { ttl: undefined, node: 'base1' });
    await join({ controller: controller.hostPort, token, caPin: controller.caPin, stateDir });
    const agent = new FakeAgent();
    const link = startControlLink({ agent, controllers: [`127.0.0.1:${port}`], stateDir, log: silent });
    await agent.until(() => agent.link?.state === 'connected');
    proxy.swallow();
    const cutAt = performance.now();
    const since = () => performance.now() - cutAt;
    const [byAgent, byController] = await Promise.all([
      agent.until(() => agent.link?.state === 'connecting').then(since),
      watchUntil(({ nodes }) => nodes[0]?.connected === false).then(since),
    ]);
    assert.ok(byAgent < 20_000, `the agent took ${byAgent} ms`);
    assert.ok(byController < 20_000, `the controller took ${byController} ms`);
    proxy.heal();
    await agent.until(() => agent.link?.state === 'connected');
    // Neither side has kept anything of the connection that died.
    assert.equal(proxy.connections, 1);
    await link.stop();
  } finally {
    operator.close();
    proxy.close();
    await controller.remove();
    rmSync(stateDir, { recursive: true, force: true });
  }

  async function watchUntil(wanted: (status: ClusterStatus) => boolean): Promise<void> {
    const call = operator.status.watchStatus({});
    for await (const { status } of call) if (status !== undefined && wanted(status)) break;
    call.cancel();
  }
});

test('a stranger that connects and says nothing is cut within 15 s', { skip }, async () => {
  const controller = await TestController.start();
  try {
    const socket = connect(controller.address.port, '127.0.0.1');
    socket.on('error', () => undefined);
    const connectedAt = performance.now();
    await new Promise<void>((resolve) => socket.once('close', () => resolve()));
    assert.ok(performance.now() - connectedAt < 15_000);
  } finally {
    await controller.remove();
  }
});
