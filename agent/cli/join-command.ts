/** "join": trades a token for this host's identity. */
import { createReadStream } from 'node:fs';
import process from 'node:process';
import type { CommandSpec, ParsedCommand } from './command-line.js';
import { UsageError } from './command-line.js';
import { LOCATION_OPTIONS, OUTPUT_OPTION, STATE_DIR_OPTION, stateDirOf, wantsJson } from './locations.js';

const WHERE = '"baton-agent join --help" lists what there is';

/** Tokens are much shorter. */
const MAX_TOKEN_FILE_BYTES = 4_096;

export const JOIN: CommandSpec = {
  name: 'join',
  usage: '--controller HOST:PORT (--token TOKEN | --token-file FILE) --ca-pin sha256:HEX',
  summary:
    'Joins this host to a controller. "batonctl token create" prints this command whole. Run "baton-agent run" after it.',
  operands: [],
  options: {
    controller: { type: 'string', value: 'HOST:PORT', help: 'the controller' },
    token: {
      type: 'string',
      value: 'TOKEN',
      help: "good for one join; this host's other users can see it in the list of processes",
    },
    'token-file': { type: 'string', value: 'FILE', help: 'holds the token and nothing else; "-" is standard input' },
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
  const caPin = required(command, 'ca-pin');
  const token = await tokenOf(command);
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

/** Throws UsageError. */
async function tokenOf(command: ParsedCommand): Promise<string> {
  const [token, file] = [command.text('token'), command.text('token-file')];
  if (file === undefined) {
    if (token !== undefined) return token;
    throw new UsageError(`join needs --token or --token-file; ${WHERE}`);
  }
  if (token !== undefined) throw new UsageError(`join takes --token or --token-file, not both; ${WHERE}`);
  const name = file === '-' ? 'standard input' : file;
  const text = await readStart(file === '-' ? process.stdin : createReadStream(file)).catch((error: unknown) => {
    throw new UsageError(`the token cannot be read from ${name}: ${error instanceof Error ? error.message : error}`);
  });
  const words = text.trim().split(/\s+/);
  if (words[0] === '') throw new UsageError(`${name} is empty; it must hold the token`);
  if (words.length > 1 || text.length > MAX_TOKEN_FILE_BYTES) {
    throw new UsageError(`${name} holds more than a token; it must hold the token and nothing else`);
  }
  return words[0] ?? '';
}

/** A little more than a token can be, at most. */
async function readStart(stream: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > MAX_TOKEN_FILE_BYTES) break;
  }
  return Buffer.concat(chunks).toString('latin1');
}

function required(command: ParsedCommand, option: string): string {
  const value = command.text(option);
  if (value === undefined) throw new UsageError(`join needs --${option}; ${WHERE}`);
  return value;
}
