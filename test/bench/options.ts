/** The command line of the bench. */
import { parseArgs } from 'node:util';
import type { Row } from './row.js';

export interface Options {
  /** Undefined: say how it is used, or what rows there are. */
  readonly show?: 'help' | 'list';
  readonly rows: readonly Row[];
  readonly rounds: number;
  readonly quick: boolean;
  readonly long: boolean;
  readonly json?: string;
  readonly markdown?: string;
}

/** The command line makes no sense; the message says why and what to do. */
export class BadOptions extends Error {
  readonly code = 'BAD_OPTIONS';
}

const ROUNDS = 3;
const MOST_ROUNDS = 100;

export const USAGE = `usage: npm run bench -- [options]

Measures Baton and keepalived in turn on this machine and prints a table. Needs root (network namespaces).

  --only ROW,ROW   these rows alone; --list names them
  --rounds N       rounds of each row (default ${ROUNDS}; with --quick 1)
  --quick          shorter and coarser, in a few minutes
  --long           adverts at 10 ms are watched for ten minutes instead of half a minute
  --json FILE      also writes every sample and the machine's description there, after each row
  --markdown FILE  also writes the table there
  --list           says what rows there are
  --help           says this
`;

/** Throws BadOptions. */
export function parseOptions(args: readonly string[], known: readonly Row[]): Options {
  const { values } = parsed(args);
  const quick = values.quick ?? false;
  const rounds = values.rounds === undefined ? (quick ? 1 : ROUNDS) : Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1 || rounds > MOST_ROUNDS) {
    throw new BadOptions(`--rounds is a whole number from 1 to ${MOST_ROUNDS}, not "${values.rounds}"`);
  }
  return {
    ...(values.help ? { show: 'help' } : values.list ? { show: 'list' } : {}),
    rows: values.only === undefined ? known : values.only.split(',').map((name) => rowNamed(name, known)),
    rounds,
    quick,
    long: values.long ?? false,
    ...(values.json === undefined ? {} : { json: values.json }),
    ...(values.markdown === undefined ? {} : { markdown: values.markdown }),
  };
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        only: { type: 'string' },
        rounds: { type: 'string' },
        quick: { type: 'boolean' },
        long: { type: 'boolean' },
        json: { type: 'string' },
        markdown: { type: 'string' },
        list: { type: 'boolean' },
        help: { type: 'boolean' },
      },
    });
  } catch (error) {
    throw new BadOptions(error instanceof Error ? error.message : String(error));
  }
}

function rowNamed(name: string, known: readonly Row[]): Row {
  const found = known.find((row) => row.name === name.trim());
  if (found === undefined) {
    throw new BadOptions(`there is no row "${name}": ${known.map((row) => row.name).join(', ')}`);
  }
  return found;
}
