/** `batonctl token`: join tokens, with which hosts become nodes. */
import { Command, Option } from 'commander';
import type { Token } from '../../../proto/gen/baton/v1/token_service.js';
import { messageToPlain } from '../../../proto/manifest/index.js';
import { microsToDuration } from '../../../proto/rules/duration.js';
import { MICROS_PER_MILLISECOND } from '../../../proto/rules/time.js';
import { ago, until } from '../ages.js';
import { action, addCommonOptions, type Invocation, parseTimeout } from '../invocation.js';
import { printLines, printPlain } from '../output.js';
import { shellWord } from '../shell-word.js';
import type { Surroundings } from '../surroundings.js';
import { type Cell, renderTable } from '../table.js';

interface CreateOptions {
  readonly node?: string;
  /** Milliseconds. */
  readonly ttl?: number;
}

export function tokenCommand(surroundings: Surroundings): Command {
  const create = new Command('create')
    .description('make a token for one host and print the command that joins it')
    .option('--node <name>', 'the only node name that it is good for')
    .addOption(
      new Option('--ttl <duration>', 'how long it can be used, 1m to 24h (default: 1h)').argParser(parseTimeout),
    );
  const list = new Command('list').description('list the tokens; the tokens themselves are not kept');
  const revoke = new Command('revoke').description('make a token useless').argument('<id>', 'as "token list" shows it');
  return new Command('token')
    .description('let hosts join')
    .addCommand(addCommonOptions(create, { format: true }).action(action(surroundings, createToken)))
    .addCommand(addCommonOptions(list, { format: true }).action(action(surroundings, listTokens)))
    .addCommand(addCommonOptions(revoke, { format: false }).action(action(surroundings, revokeToken)));
}

async function createToken(invocation: Invocation, { node = '', ttl }: CreateOptions): Promise<void> {
  const { session, format, surroundings } = invocation;
  const request = { node, ttl: ttl === undefined ? undefined : microsToDuration(ttl * MICROS_PER_MILLISECOND) };
  const made = await session.call('make a token', ({ tokens }) => tokens.createToken.bind(tokens), request);
  const { controller } = session;
  const words = ['baton-agent', 'join', '--controller', controller, '--token', made.token, '--ca-pin', made.caPin];
  if (node !== '') words.push('--name', node);
  const joinCommand = words.map(shellWord).join(' ');
  if (format !== 'table') {
    printPlain(surroundings.stdout, { ...messageToPlain('baton.v1.CreateTokenResponse', made), joinCommand }, format);
    return;
  }
  const name = node === '' ? 'the host that shall join' : `the host that shall be ${node}`;
  surroundings.stderr.write(`Run this on ${name}, ${deadline(made.expiresAt, surroundings.now())}; it works once:\n\n`);
  printLines(surroundings.stdout, [joinCommand]);
  if (/^(?:localhost|127\.|\[?::1)/u.test(controller)) {
    surroundings.stderr.write(
      `\nThis context reaches the controller at ${controller}: on another host, put the controller's address there.\n`,
    );
  }
}

function deadline(expiresAt: Date | undefined, now: number): string {
  // The second that the call took is not worth "59m 59s".
  return expiresAt === undefined ? 'soon' : `${until(expiresAt, now - 1_000).replace(/^in /u, 'within ')}`;
}

async function listTokens({ session, format, surroundings, paint }: Invocation): Promise<void> {
  const { stdout, stderr } = surroundings;
  const response = await session.call('list the tokens', ({ tokens }) => tokens.listTokens.bind(tokens), {});
  if (format !== 'table') {
    printPlain(stdout, messageToPlain('baton.v1.ListTokensResponse', response), format);
  } else if (response.tokens.length === 0) {
    stderr.write('no tokens\n');
  } else {
    const now = surroundings.now();
    const rows = response.tokens.map((token): Cell[] => [
      token.id,
      token.node === '' ? '(any)' : token.node,
      ago(token.createdAt, now),
      until(token.expiresAt, now),
      useOf(token, now),
    ]);
    printLines(stdout, renderTable(['ID', 'NODE', 'CREATED', 'EXPIRES', 'STATE'], rows, { paint }));
  }
}

function useOf({ usedAt, usedBy, expiresAt }: Token, now: number): Cell {
  if (usedAt !== undefined) return `used by ${usedBy} ${ago(usedAt, now)}`;
  return expiresAt !== undefined && expiresAt.getTime() <= now ? 'expired' : { text: 'usable', colour: 'green' };
}

async function revokeToken({ session, surroundings }: Invocation, _options: object, id: string): Promise<void> {
  await session.call('revoke the token', ({ tokens }) => tokens.revokeToken.bind(tokens), { id });
  surroundings.stderr.write('the token is revoked\n');
}
