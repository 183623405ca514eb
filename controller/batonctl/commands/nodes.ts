/** `batonctl nodes`: the hosts that run an agent. */
import { Command } from 'commander';
import { messageToPlain } from '../../../proto/manifest/index.js';
import { ago, until } from '../ages.js';
import { action, addCommonOptions } from '../invocation.js';
import { printLines, printPlain } from '../output.js';
import { bundleText } from '../status-screen.js';
import type { Surroundings } from '../surroundings.js';
import { type Cell, renderTable } from '../table.js';

export function nodesCommand(surroundings: Surroundings): Command {
  const command = new Command('nodes').description('list the nodes: connection, version, bundle, certificate');
  return addCommonOptions(command, { format: true }).action(
    action(surroundings, async ({ session, format, paint }) => {
      const { stdout, stderr } = surroundings;
      const { status } = await session.call('read the nodes', ({ status: s }) => s.getStatus.bind(s), {});
      const nodes = status?.nodes ?? [];
      if (format !== 'table') {
        const items = nodes.map((node) => messageToPlain('baton.v1.NodeOverview', node));
        printPlain(stdout, { nodes: items }, format);
        return;
      }
      if (nodes.length === 0) {
        stderr.write('no nodes yet: let one join with "batonctl token create"\n');
        return;
      }
      const now = status?.capturedAt?.getTime() ?? surroundings.now();
      const rows = nodes.map((node): Cell[] => {
        const wanted = node.bundleWanted?.hash;
        const isCurrent = wanted === undefined || wanted === node.bundleInForce?.hash;
        return [
          node.name,
          node.connected ? { text: 'connected', colour: 'green' } : { text: 'not connected', colour: 'yellow' },
          node.connected ? 'live' : ago(node.lastSeen, now),
          node.agentVersion === '' ? '-' : node.agentVersion,
          node.remoteAddress === '' ? '-' : node.remoteAddress,
          bundleText(node, isCurrent),
          until(node.certificateExpiresAt, now),
        ];
      });
      const head = ['NAME', 'STATE', 'SEEN', 'VERSION', 'FROM', 'BUNDLE', 'CERTIFICATE EXPIRES'];
      printLines(stdout, renderTable(head, rows, { paint }));
    }),
  );
}
