/** "join": trades a token for this host's identity. */
import process from 'node:process';
import type { CommandSpec, ParsedCommand } from './command-line.js';
import { UsageError } from './command-line.js';
import { LOCATION_OPTIONS, OUTPUT_OPTION, STATE_DIR_OPTION, stateDirOf, wantsJson } from './locations.js';

export const JOIN: CommandSpec = {
  name: 'join',
  usage: '--controller HOST:PORT --token TOKEN --ca-pin sha256:HEX',
  summary:
    'Joins this host to a controller. "batonctl token create" prints this command whole. Run "baton-agent run" after it.',
  operands: [],
  options: {
    controller: { type: 'string', value: 'HOST:PORT', help: 'the controller' },
    token: { type: 'string', value: 'TOKEN', help: 'good for one join' },
    'ca-pin': { type: 'string', value: 'sha256:HEX', help: "fingerprint of the controller's certificate authority" },
    name: {
      type: 'string',
      value: 'NAME',
      help: 'name of this node (default: what the token says, else the host name)',
    },
    'state-dir': STATE_DIR_OPTION,
    config: LOCATION_OPTIONS.config,
    output: OUTPUT_OPTION,
  },
};

export async function joinCommand(command: ParsedCommand): Promise<number> {
  const json = wantsJson(command);
  const controller = required(command, 'controller');
  const token = required(command, 'token');
  const caPin = required(command, 'ca-pin');
  const stateDir = await stateDirOf(command);
  const name = command.text('name');
  const { join, JoinError } = await import('../control/index.js');
  const request = { controller, token, caPin, stateDir, ...(name === undefined ? {} : { name }) };
  const joined = await join(request).catch((error: unknown) => {
    const isTyped = error instanceof JoinError && error.code === 'bad-argument';
    throw isTyped ? new UsageError(error.message) : error;
  });
  const text = `This host is node ${joined.node} of the controller ${controller} now. Start it with: baton-agent run\n`;
  process.stdout.write(json ? `${JSON.stringify({ node: joined.node, controller })}\n` : text);
  return 0;
}

function required(command: ParsedCommand, option: string): string {
  const value = command.text(option);
  if (value === undefined)
    throw new UsageError(`join needs --${option}; "baton-agent join --help" lists what there is`);
  return value;
}
