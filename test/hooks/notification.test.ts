import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lowerPriorityNotification, notificationOf, priorityLine } from '../../agent/hooks/notification.js';
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

const CHANGE = {
  subject: 'INSTANCE',
  name: 'VI_1',
  to: 'active',
  cause: '',
  effectivePriority: 101,
  isDeleted: false,
} as const;

function linesFor(to: StateName, cause: string, hooks: Hooks | undefined = HOOKS): string[] {
  const notification = notificationOf({ ...CHANGE, to, cause }, hooks);
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
  assert.equal(notificationOf(CHANGE, undefined), undefined);
  const onlyFault = Hooks.fromPartial({ fault: { command: ['/f'] } });
  assert.deepEqual(linesFor('active', '', onlyFault), ['']);
  assert.deepEqual(linesFor('fault', '', onlyFault), ['/f', '']);
});

test('user and timeout go with the command', () => {
  const commands = notificationOf({ ...CHANGE, to: 'backup' }, HOOKS)?.commands;
  assert.deepEqual(
    commands?.map(({ hook, user, timeout }) => [hook, user, timeout?.seconds]),
    [
      ['backup', 'nobody', undefined],
      ['any', undefined, 5],
    ],
  );
});

test('a group is told as keepalived tells it: GROUP, and priority 0', () => {
  const group = notificationOf({ ...CHANGE, subject: 'GROUP', name: 'G1', effectivePriority: 0 }, HOOKS);
  assert.deepEqual(
    group?.commands.map(({ command }) => command.join(' ')),
    ['/m x', '/n --flag GROUP G1 MASTER 0'],
  );
  assert.equal(group?.fifo?.line, 'GROUP "G1" MASTER 0\n');
});

test('a router that is no longer configured is deleted to those who asked for that, else in fault', () => {
  const stopped = { ...CHANGE, to: 'initialize', cause: 'shutdown', isDeleted: true } as const;
  const words = (hooks: Hooks) => notificationOf(stopped, hooks)?.commands.map(({ command }) => command.join(' '));
  assert.deepEqual(words(HOOKS), ['/f', '/n --flag INSTANCE VI_1 FAULT 101']);
  assert.deepEqual(words({ ...HOOKS, deleted: { command: ['/d'], user: '', timeout: undefined } }), [
    '/d',
    '/n --flag INSTANCE VI_1 DELETED 101',
  ]);
});

test('a lower priority that an active router hears: its own hook, bare, and its own word in the FIFO', () => {
  const hooks = Hooks.fromPartial({
    lowerPriorityHeard: { command: ['/l', 'a'] },
    any: { command: ['/n'] },
    fifo: '/p',
  });
  const { commands, fifo } = lowerPriorityNotification('VI_1', 101, hooks);
  assert.deepEqual(
    commands.map(({ hook, command }) => [hook, ...command]),
    [['lower_priority_heard', '/l', 'a']],
  );
  assert.deepEqual(fifo, { path: '/p', line: 'INSTANCE "VI_1" MASTER_RX_LOWER_PRI 101\n' });
});

test('changes of the priority go to the FIFO of those who asked for them', () => {
  const hooks = Hooks.fromPartial({ fifo: '/p', priorityChanges: true });
  assert.equal(priorityLine('VI_1', 'active', 99, hooks)?.line, 'INSTANCE "VI_1" MASTER_PRIORITY 99\n');
  assert.equal(priorityLine('VI_1', 'fault', 99, hooks)?.line, 'INSTANCE "VI_1" BACKUP_PRIORITY 99\n');
  assert.equal(priorityLine('VI_1', 'active', 99, { ...hooks, priorityChanges: false }), undefined);
  assert.equal(priorityLine('VI_1', 'active', 99, { ...hooks, fifo: '' }), undefined);
});
