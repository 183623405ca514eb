import assert from 'node:assert/strict';
import { test } from 'node:test';
import { notificationOf } from '../../agent/hooks/notification.js';
import type { StateName } from '../../agent/vrrp/index.js';
import { Hooks } from '../../proto/gen/baton/v1/resources.js';

const HOOKS = Hooks.fromPartial({
  active: { command: ['/m', 'x'] },
  backup: { command: ['/b'], user: 'nobody' },
  fault: { command: ['/f'] },
  stop: { command: ['/s'] },
  any: { command: ['/n', '--flag'], timeout: { seconds: 5, nanos: 0 } },
  fifo: '/run/fifo',
});

function linesFor(to: StateName, cause: string, hooks: Hooks | undefined = HOOKS): string[] {
  const notification = notificationOf({ router: 'VI_1', to, cause, effectivePriority: 101 }, hooks);
  if (notification === undefined) return [];
  return [...notification.commands.map(({ command }) => command.join(' ')), notification.fifo?.line ?? ''];
}

test("keepalived's words and arguments: the specific hook first and bare, the general one with four words", () => {
  const rows: readonly (readonly [StateName, string, string[]])[] = [
    ['active', 'active-down', ['/m x', '/n --flag INSTANCE VI_1 MASTER 101', 'INSTANCE "VI_1" MASTER 101\n']],
    ['backup', 'startup', ['/b', '/n --flag INSTANCE VI_1 BACKUP 101', 'INSTANCE "VI_1" BACKUP 101\n']],
    ['fault', 'track-failed', ['/f', '/n --flag INSTANCE VI_1 FAULT 101', 'INSTANCE "VI_1" FAULT 101\n']],
    ['initialize', 'shutdown', ['/s', '/n --flag INSTANCE VI_1 STOP 101', 'INSTANCE "VI_1" STOP 101\n']],
    ['initialize', 'handed-over', ['/s', '/n --flag INSTANCE VI_1 STOP 101', 'INSTANCE "VI_1" STOP 101\n']],
    ['initialize', 'handover-expired', ['/s', '/n --flag INSTANCE VI_1 STOP 101', 'INSTANCE "VI_1" STOP 101\n']],
  ];
  for (const [to, cause, expected] of rows) assert.deepEqual(linesFor(to, cause), expected, `${to} ${cause}`);
});

test('waiting for the first result of a check tells nobody', () => {
  assert.deepEqual(linesFor('initialize', 'checks-pending'), []);
});

test('only what is configured is run', () => {
  assert.equal(notificationOf({ router: 'r', to: 'active', cause: '', effectivePriority: 1 }, undefined), undefined);
  const onlyFault = Hooks.fromPartial({ fault: { command: ['/f'] } });
  assert.deepEqual(linesFor('active', '', onlyFault), ['']);
  assert.deepEqual(linesFor('fault', '', onlyFault), ['/f', '']);
});

test('user and timeout go with the command', () => {
  const commands = notificationOf({ router: 'r', to: 'backup', cause: '', effectivePriority: 1 }, HOOKS)?.commands;
  assert.deepEqual(
    commands?.map(({ hook, user, timeout }) => [hook, user, timeout?.seconds]),
    [
      ['backup', 'nobody', undefined],
      ['any', undefined, 5],
    ],
  );
});
