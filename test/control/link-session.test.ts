import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { pino } from 'pino';
import { hashOf } from '../../agent/bundle/bundle-store.js';
import { LinkSession } from '../../agent/control/link-session.js';
import type { BundleVerdict } from '../../agent/local/agent-side.js';
import {
  type AgentServiceClient,
  BundlePush,
  type SessionRequest,
  type SessionResponse,
} from '../../proto/gen/baton/v1/agent_service.js';
import { FakeAgent } from './fake-agent.js';

/** A stream that a test plays the controller on. */
class Stream extends EventEmitter {
  readonly writableEnded = false;
  readonly writableNeedDrain = false;
  readonly sent: SessionRequest[] = [];

  write(request: SessionRequest): boolean {
    this.sent.push(request);
    return true;
  }

  cancel(): void {}

  say(message: NonNullable<SessionResponse['message']>): void {
    this.emit('data', { message });
  }
}

function pushOf(generation: number): BundlePush {
  const content = Buffer.from(`generation ${generation}`);
  return BundlePush.fromPartial({ nonce: generation, bundle: { generation, hash: hashOf(content) }, content });
}

test('what waits when the stream ends is never applied: the next stream may have brought something newer', async () => {
  const stream = new Stream();
  const agent = new FakeAgent();
  const applied: number[] = [];
  let finish: (verdict: BundleVerdict) => void = () => undefined;
  agent.applyBundle = async (push) => {
    applied.push(push.nonce);
    return await new Promise((resolve) => {
      finish = resolve;
    });
  };
  const session = new LinkSession({
    agent,
    identity: {} as ConstructorParameters<typeof LinkSession>[0]['identity'],
    controller: { host: 'controller', port: 1 },
    log: pino({ level: 'silent' }),
    welcomed: () => undefined,
    wait: () => new Promise(() => undefined),
    client: { session: () => stream, close: () => undefined } as unknown as AgentServiceClient,
  });
  const over = session.run();
  await turn();
  stream.say({ $case: 'welcome', value: { node: 'n', controllerTime: undefined } });
  stream.say({ $case: 'bundlePush', value: pushOf(5) });
  stream.say({ $case: 'bundlePush', value: pushOf(6) });
  await turn();
  assert.deepEqual(applied, [5]);
  stream.emit('end');
  await over;
  finish({ accepted: true, refusals: [] });
  await turn();
  assert.deepEqual(applied, [5]);
});
