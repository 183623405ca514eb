/** `batonctl status`: the whole cluster on one screen. */
import { Command } from 'commander';
import { messageToPlain } from '../../../proto/manifest/index.js';
import { Failure } from '../failure.js';
import { action, addCommonOptions } from '../invocation.js';
import { printLines, printPlain } from '../output.js';
import { renderStatus } from '../status-screen.js';
import type { Surroundings } from '../surroundings.js';

export function statusCommand(surroundings: Surroundings): Command {
  const command = new Command('status').description('show every virtual router, its members and what is wrong');
  return addCommonOptions(command, { format: true }).action(
    action(surroundings, async ({ session, format, paint, context }) => {
      const { status } = await session.call('read the status', ({ status: s }) => s.getStatus.bind(s), {});
      if (status === undefined) throw new Failure(1, `the controller ${session.controller} sent no status`);
      const { stdout } = surroundings;
      if (format !== 'table') {
        printPlain(stdout, messageToPlain('baton.v1.ClusterStatus', status), format);
        return;
      }
      const now = status.capturedAt?.getTime() ?? surroundings.now();
      printLines(stdout, renderStatus(status, { now, paint, width: stdout.columns, context: context.name }));
    }),
  );
}
