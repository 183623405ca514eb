/** `batonctl version`. */
import { Command } from 'commander';
import { action, addCommonOptions } from '../invocation.js';
import { printLines, printPlain } from '../output.js';
import type { Surroundings } from '../surroundings.js';

export function versionCommand(surroundings: Surroundings): Command {
  const command = new Command('version').description('print the version of this program');
  return addCommonOptions(command, { format: true }).action(
    action(surroundings, async ({ format }) => {
      const { stdout, version } = surroundings;
      if (format === 'table') printLines(stdout, [`batonctl ${version} (Node ${process.version})`]);
      else printPlain(stdout, { version, node: process.version }, format);
    }),
  );
}
