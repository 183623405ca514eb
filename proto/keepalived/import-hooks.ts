/** notify scripts and FIFOs as hooks. */
import type { Hooks } from '../gen/baton/v1/resources.js';
import type { InstanceHooks } from './config.js';
import { importCommand } from './import-command.js';
import type { NamedHost } from './import-host.js';
import type { Remarks } from './remarks.js';

/** Undefined: none at all. `priorityChanges`: the FIFO is told of them. */
export function importHooks(
  host: NamedHost,
  hooks: Partial<InstanceHooks>,
  priorityChanges: boolean,
  remarks: Remarks,
): Hooks | undefined {
  const { notifyFifo, vrrpNotifyFifo } = host.config.global;
  const fifo = vrrpNotifyFifo ?? notifyFifo;
  if (fifo === undefined && Object.values(hooks).every((hook) => hook === undefined)) return undefined;
  const command = (source: InstanceHooks['any']): Hooks['any'] => importCommand(source, host.findProgram, remarks);
  return {
    active: command(hooks.master),
    backup: command(hooks.backup),
    fault: command(hooks.fault),
    stop: command(hooks.stop),
    any: command(hooks.any),
    fifo: fifo?.value ?? '',
    lowerPriorityHeard: command(hooks.lowerPriority),
    deleted: command(hooks.deleted),
    priorityChanges: priorityChanges && fifo !== undefined,
  };
}
