/** The command lines of the simulation's programs: strict, with a usage that is printed on request. */
import { type ParseArgsConfig, parseArgs } from 'node:util';

/** What was typed cannot be used. The program prints it and its usage, and exits with 2. */
export class UsageError extends Error {
  readonly code = 'SIM_USAGE';

  constructor(message: string) {
    super(message);
    this.name = 'UsageError';
  }
}

/** Runs a program with its options; unknown ones are refused. */
export async function runProgram<Options extends NonNullable<ParseArgsConfig['options']>>(
  usage: string,
  options: Options,
  main: (
    values: ReturnType<typeof parseArgs<{ options: Options; allowPositionals: true; strict: true }>>['values'],
    positionals: readonly string[],
  ) => Promise<number>,
): Promise<void> {
  try {
    const config = {
      options: { ...options, help: { type: 'boolean' } },
      allowPositionals: true,
      strict: true,
    } as const;
    const { values, positionals } = parseArgs(config);
    if ('help' in values && values.help === true) {
      process.stdout.write(`${usage}\n`);
      return;
    }
    process.exitCode = await main(values, positionals);
  } catch (error) {
    const isUsage =
      error instanceof UsageError ||
      (error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS'));
    if (!isUsage) throw error;
    process.stderr.write(`${error.message}\n${usage}\n`);
    process.exitCode = 2;
  }
}

/** A whole number, at least `least`. */
export function wholeNumber(name: string, text: string, least: number): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(number) && number >= least) return number;
  throw new UsageError(`${name} is "${text}" and ought to be a whole number of at least ${least}`);
}

/** Numbers with commas between them, or "none". */
export function numbers(name: string, text: string): ReadonlySet<number> {
  if (text === 'none') return new Set();
  return new Set(text.split(',').map((each) => wholeNumber(name, each, 0)));
}
