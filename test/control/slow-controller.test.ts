/** F17: a controller that takes nothing for a while. What would grow is not kept, what must arrive arrives. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { type ControlLink, join, startControlLink } from '../../agent/control/index.js';
import { EventSeverity } from '../../proto/gen/baton/v1/events.js';
import { RouterStatus } from '../../proto/gen/baton/v1/status.js';
import { ask, silent, TestController } from '../api/running-controller.js';
import { FakeAgent } from './fake-agent.js';
import { Relay } from './relay.js';

/** 4,000 reports of 100 KiB: unbounded they would be 400 MiB. */
const REPORTS = 4_000;
const REPORT_BYTES = 100 * 1024;
const MOST_GROWTH_BYTES = 40 * 1024 * 1024;
const EVENTS = 1_000;
const LAST = 'the last state';

test('F17 while nothing is taken nothing piles up; then all events arrive in order, and the last state', async () => {
  const controller = await TestController.start();
  const operator = controller.operatorClients();
  const relay = new Relay(controller.address.port);
  const stateDir = mkdtempSync(path.join(tmpdir(), 'baton-agent-'));
  let link: ControlLink | undefined;
  try {
    const port = await relay.listen();
    const { token } = await ask(operator.tokens, operator.tokens.createToken, { ttl: undefined, node: 'base1' });
    await join({ controller: controller.hostPort, token, caPin: controller.caPin, stateDir });
    const agent = new FakeAgent();
    link = startControlLink({ agent, controllers: [`127.0.0.1:${port}`], stateDir, log: silent });
    await agent.until(() => agent.link?.state === 'connected');
    relay.hold();
    const before = process.memoryUsage().rss;
    for (let report = 1; report <= REPORTS; report++) {
      // Of the state itself only the end counts, which the version stands for.
      const router = RouterStatus.fromPartial({ name: 'web', cause: randomBytes(REPORT_BYTES / 2).toString('hex') });
      agent.status = { ...agent.status, agentVersion: report === REPORTS ? LAST : 'test', routers: [router] };
      agent.tell(agent.status, false);
      if (report % (REPORTS / EVENTS) === 0) agent.addEvents({ message: `event ${report}` });
      // The streams do their part of the work now and then, as they would.
      if (report % 20 === 0) await new Promise((resolve) => setImmediate(resolve));
      const growth = process.memoryUsage().rss - before;
      assert.ok(growth < MOST_GROWTH_BYTES, `${(growth / 2 ** 20).toFixed(0)} MiB more after ${report} reports`);
    }
    assert.ok((agent.accepted.at(-1) ?? 0) < EVENTS);

    relay.release();
    await agent.until(() => agent.accepted.at(-1) === EVENTS);
    const filter = { node: 'base1', router: '', severity: EventSeverity.UNSPECIFIED };
    const { events } = await ask(operator.status, operator.status.listEvents, { filter, limit: EVENTS + 1 });
    assert.deepEqual(
      events.map(({ event }) => event?.sequence),
      Array.from({ length: EVENTS }, (_, index) => index + 1),
    );
    const call = operator.status.watchStatus({});
    for await (const { status } of call) if (status?.nodes[0]?.agentVersion === LAST) break;
    call.cancel();
  } finally {
    await link?.stop();
    operator.close();
    relay.close();
    await controller.remove();
    rmSync(stateDir, { recursive: true, force: true });
  }
});
