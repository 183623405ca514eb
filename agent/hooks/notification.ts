/**
 * What is run and said after a state change, pure. Names and arguments are keepalived's, so that existing scripts go on
 * working: the general hook gets INSTANCE, the router's name, the state and the priority appended; the hook of one state
 * gets nothing appended; a FIFO gets one line with the same four words.
 */
import type { Hooks } from '../../proto/gen/baton/v1/resources.js';
import type { StateName } from '../vrrp/index.js';

export type HookName = 'active' | 'backup' | 'fault' | 'stop' | 'any';

/** keepalived's word for a state. */
export type NotifiedState = 'MASTER' | 'BACKUP' | 'FAULT' | 'STOP';

export interface StateChange {
  /** Display name: what keepalived's scripts know the router by. */
  readonly router: string;
  readonly to: StateName;
  /** Reason code of the transition. */
  readonly cause: string;
  readonly effectivePriority: number;
}

export interface HookCommand {
  readonly hook: HookName;
  readonly command: readonly string[];
  readonly user: string | undefined;
  /** As in the configuration; absent: the default for hooks. */
  readonly timeout: NonNullable<Hooks['any']>['timeout'];
}

export interface Notification {
  readonly state: NotifiedState;
  /** In the order in which they are run, one after the other. */
  readonly commands: readonly HookCommand[];
  readonly fifo?: { readonly path: string; readonly line: string };
}

/** Absent when nobody is to be told: waiting for the first result of a check is no state to keepalived's scripts. */
export function notificationOf(change: StateChange, hooks: Hooks | undefined): Notification | undefined {
  const state = notifiedState(change);
  if (state === undefined || hooks === undefined) return undefined;
  const specific = SPECIFIC[state];
  const commands: HookCommand[] = [];
  const own = hooks[specific];
  if (own !== undefined && own.command.length > 0) {
    commands.push({ hook: specific, command: own.command, user: own.user || undefined, timeout: own.timeout });
  }
  const { any } = hooks;
  if (any !== undefined && any.command.length > 0) {
    const words = ['INSTANCE', change.router, state, String(change.effectivePriority)];
    commands.push({
      hook: 'any',
      command: [...any.command, ...words],
      user: any.user || undefined,
      timeout: any.timeout,
    });
  }
  if (hooks.fifo === '') return { state, commands };
  const line = `INSTANCE "${change.router}" ${state} ${change.effectivePriority}\n`;
  return { state, commands, fifo: { path: hooks.fifo, line } };
}

const SPECIFIC = { MASTER: 'active', BACKUP: 'backup', FAULT: 'fault', STOP: 'stop' } as const;

/** Reason codes with which a router stops; any other way into initialize is a wait. */
const STOP_CAUSES: ReadonlySet<string> = new Set(['shutdown', 'handed-over', 'handover-expired']);

function notifiedState(change: StateChange): NotifiedState | undefined {
  switch (change.to) {
    case 'active':
      return 'MASTER';
    case 'backup':
      return 'BACKUP';
    case 'fault':
      return 'FAULT';
    case 'initialize':
      return STOP_CAUSES.has(change.cause) ? 'STOP' : undefined;
  }
}
