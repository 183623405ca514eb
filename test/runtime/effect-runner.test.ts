/** The order of what is done to this host when a router becomes active and when it ceases to be. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EffectRunner, type EffectTools } from '../../agent/runtime/effect-runner.js';
import { active, listener, running } from './kept.js';

function effects() {
  const calls: string[] = [];
  const { outbox, trouble } = listener();
  /** Every method of a part is recorded as PART.METHOD, or answers what is given. */
  const part = (name: string, answers: Readonly<Record<string, unknown>> = {}) =>
    new Proxy(
      {},
      {
        get: (_target, method: string) => (_router: unknown, value: unknown) => {
          calls.push(`${name}.${method}${typeof value === 'boolean' ? ` ${value}` : ''}`);
          return answers[method];
        },
      },
    );
  const restored = { restored: [], isLost: false, duplicates: [] };
  const runner = new EffectRunner({
    keeper: part('addresses', { sync: [], restore: restored }),
    routes: part('routes', { restore: true }),
    rules: part('rules', { restore: false }),
    guard: part('guard'),
    macs: part('macs'),
    groups: part('groups'),
    announcer: part('announcer'),
    probe: part('probe'),
    channels: part('channels'),
    outbox,
    trouble,
    clock: { now: () => 0, wallMs: () => 0 },
    // Only what the test asks for is there.
  } as unknown as EffectTools);
  return { runner, calls };
}

test('to become active: the filter, addresses, forwarding, routes, rules; then announcements', () => {
  const { runner, calls } = effects();
  const router = active(running());
  runner.run(router, { kind: 'addAddresses' }, 0);
  runner.run(router, { kind: 'announceAddresses', repeat: 1 }, 0);
  assert.deepEqual(calls, [
    'guard.sync',
    'groups.hold',
    'addresses.add',
    'macs.serve true',
    'routes.sync',
    'rules.sync',
    'probe.hold',
    'announcer.announce',
  ]);
});

test('to give up: rules, routes, what waits to be announced, forwarding, addresses, the filter', () => {
  const { runner, calls } = effects();
  const router = active(running());
  runner.run(router, { kind: 'renewAddresses' }, 0);
  runner.run(router, { kind: 'removeAddresses' }, 0);
  assert.deepEqual(calls, [
    'rules.remove',
    'routes.remove',
    'announcer.cancel',
    'probe.release',
    'macs.serve false',
    'addresses.remove',
    'groups.release',
    'guard.release',
  ]);
  calls.length = 0;
  runner.flush(0);
  assert.deepEqual(calls, ['guard.tidy', 'probe.flush'], 'nothing is renewed that was just given up');
});

test('a route that is lost is answered as an address is', () => {
  const { runner, calls } = effects();
  const router = active(running());
  assert.equal(runner.restore(router, false, 0), false, 'nobody said that routes may have gone');
  assert.ok(!calls.includes('routes.restore'));
  assert.equal(runner.restore(router, true, 0), true);
});
