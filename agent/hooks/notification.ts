/**
 * What is run and said after a state change, pure. Names and arguments are keepalived's, so that existing scripts go on
 * working: the general hook gets INSTANCE, the router's name, the state and the priority appended; the hook of one state
 * gets nothing appended; a FIFO gets one line with the same four words.
 */
import type { Command, Hooks } from '../../proto/gen/baton/v1/resources.js';
import type { StateName } from '../vrrp/index.js';

export type HookName = 'active' | 'backup' | 'fault' | 'stop' | 'any' | 'lower_priority_heard' | 'deleted';

/** keepalived's word for a state. */
export type NotifiedState = 'MASTER' | 'BACKUP' | 'FAULT' | 'STOP' | 'DELETED';

export interface StateChange {
  /** A sync group's priority is always 0. */
  readonly subject: 'INSTANCE' | 'GROUP';
  /** Display name: what keepalived's scripts know the router or group by. */
  readonly name: string;
  readonly to: StateName;
  /** Reason code of the transition. */
  readonly cause: string;
  readonly effectivePriority: number;
  /** It stops because it is no longer configured here. */
  readonly isDeleted: boolean;
}

export interface HookCommand {
  readonly hook: HookName;
  readonly command: readonly string[];
  readonly user: string | undefined;
  /** As in the configuration; absent: the default for hooks. */
  readonly timeout: Command['timeout'];
}

export interface FifoLine {
  readonly path: string;
  readonly line: string;
}

export interface Notification {
  /** In the order in which they are run, one after the other. */
  readonly commands: readonly HookCommand[];
  readonly fifo?: FifoLine;
}

/** Absent when nobody is to be told: waiting for the first result of a check is no state to keepalived's scripts. */
export function notificationOf(change: StateChange, hooks: Hooks | undefined): Notification | undefined {
  if (hooks === undefined) return undefined;
  const state = notifiedState(change, hooks);
  if (state === undefined) return undefined;
  const { subject, name } = change;
  const priority = subject === 'GROUP' ? 0 : change.effectivePriority;
  const specific = SPECIFIC[state];
  const commands = commandsOf(specific, hooks[specific]);
  const { any } = hooks;
  if (any !== undefined) {
    commands.push(...commandsOf('any', any, [subject, name, state, String(priority)]));
  }
  return { commands, ...fifoLine(hooks, subject, name, state, priority) };
}

/** An active router heard a lower priority (keepalived's notify_master_rx_lower_pri): nothing is appended. */
export function lowerPriorityNotification(name: string, effectivePriority: number, hooks: Hooks): Notification {
  return {
    commands: commandsOf('lower_priority_heard', hooks.lowerPriorityHeard),
    ...fifoLine(hooks, 'INSTANCE', name, 'MASTER_RX_LOWER_PRI', effectivePriority),
  };
}

/** The effective priority changed (keepalived's notify_priority_changes): a line, for those who asked for it. */
export function priorityLine(
  name: string,
  state: StateName,
  effectivePriority: number,
  hooks: Hooks,
): FifoLine | undefined {
  if (!hooks.priorityChanges) return undefined;
  const word = state === 'active' ? 'MASTER_PRIORITY' : 'BACKUP_PRIORITY';
  return fifoLine(hooks, 'INSTANCE', name, word, effectivePriority).fifo;
}

function commandsOf(hook: HookName, command: Command | undefined, words: readonly string[] = []): HookCommand[] {
  if (command === undefined || command.command.length === 0) return [];
  return [
    {
      hook,
      command: [...command.command, ...words],
      user: command.user || undefined,
      timeout: command.timeout,
    },
  ];
}

function fifoLine(
  { fifo: path }: Hooks,
  subject: StateChange['subject'],
  name: string,
  word: string,
  priority: number,
): { readonly fifo?: FifoLine } {
  return path === '' ? {} : { fifo: { path, line: `${subject} "${name}" ${word} ${priority}\n` } };
}

const SPECIFIC = { MASTER: 'active', BACKUP: 'backup', FAULT: 'fault', STOP: 'stop', DELETED: 'deleted' } as const;

/** Reason codes with which a router stops; any other way into initialize is a wait. */
const STOP_CAUSES: ReadonlySet<string> = new Set(['shutdown', 'handed-over', 'handover-expired']);

function notifiedState(change: StateChange, hooks: Hooks): NotifiedState | undefined {
  switch (change.to) {
    case 'active':
      return 'MASTER';
    case 'backup':
      return 'BACKUP';
    case 'fault':
      return 'FAULT';
    case 'initialize':
      if (!STOP_CAUSES.has(change.cause)) return undefined;
      if (!change.isDeleted) return 'STOP';
      // As keepalived: what has no hook of its own for being deleted is told as a fault.
      return hooks.deleted === undefined || hooks.deleted.command.length === 0 ? 'FAULT' : 'DELETED';
  }
}
