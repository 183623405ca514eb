/** "version". */
import process from 'node:process';
import { agentVersion } from '../local/host-facts.js';
import type { CommandSpec, ParsedCommand } from './command-line.js';
import { OUTPUT_OPTION, wantsJson } from './locations.js';

export const VERSION: CommandSpec = {
  name: 'version',
  usage: '',
  summary: 'Prints the version of this program and of Node.js.',
  operands: [],
  options: { output: OUTPUT_OPTION },
};

export async function version(command: ParsedCommand): Promise<number> {
  const found = agentVersion();
  const node = process.versions.node;
  const text = `baton-agent ${found} (Node.js ${node})\n`;
  process.stdout.write(wantsJson(command) ? `${JSON.stringify({ version: found, node })}\n` : text);
  return 0;
}
