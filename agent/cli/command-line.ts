/**
 * The command line: what each command takes, and one clear sentence for what it does not. Options that say where the
 * agent lives are the same everywhere.
 */
import { parseArgs } from 'node:util';
import { suggestion } from '../../proto/rules/nearest-name.js';

export interface OptionSpec {
  readonly type: 'string' | 'boolean';
  readonly short?: string;
  /** What stands for the value in the help: "FILE". */
  readonly value?: string;
  readonly help: string;
}

export interface CommandSpec {
  readonly name: string;
  /** After the command's name: "[FILE]". */
  readonly usage: string;
  readonly summary: string;
  /** Names of the operands, all required. */
  readonly operands: readonly string[];
  /** How many more there may be. Absent: none. */
  readonly optionalOperands?: number;
  readonly options: Readonly<Record<string, OptionSpec>>;
}

export interface ParsedCommand {
  readonly operands: readonly string[];
  /** The last one given. */
  text(option: string): string | undefined;
  /** Every one given, in order. */
  texts(option: string): readonly string[];
  flag(option: string): boolean;
}

/** What was typed makes no sense: exit code 2. */
export class UsageError extends Error {
  readonly code = 'BATON_USAGE';
  override readonly name = 'UsageError';
}

const HELP: OptionSpec = { type: 'boolean', short: 'h', help: 'this text' };

/** Throws UsageError. `undefined`: help was asked for. */
export function parseCommand(spec: CommandSpec, args: readonly string[]): ParsedCommand | undefined {
  const options = { ...spec.options, help: HELP };
  const values = new Map<string, string | boolean>();
  const lists = new Map<string, string[]>();
  const operands: string[] = [];
  const where = `"baton-agent ${spec.name} --help" lists what there is`;
  const { tokens } = parseArgs({
    args: [...args],
    options: Object.fromEntries(
      Object.entries(options).map(([name, { type, short }]) => [
        name,
        { type, ...(short === undefined ? {} : { short }) },
      ]),
    ),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  for (const token of tokens) {
    if (token.kind === 'positional') operands.push(token.value);
    if (token.kind !== 'option') continue;
    const option = Object.hasOwn(options, token.name) ? options[token.name as keyof typeof options] : undefined;
    if (option === undefined) {
      const near = token.rawName.startsWith('--') ? suggestion(token.name, Object.keys(options)) : '';
      throw new UsageError(`${spec.name} has no option ${token.rawName}${near}; ${where}`);
    }
    if (option.type === 'boolean') {
      if (token.value !== undefined) throw new UsageError(`${token.rawName} takes no value; ${where}`);
      values.set(token.name, true);
    } else {
      if (token.value === undefined || token.value === '' || (!token.inlineValue && /^-./.test(token.value))) {
        throw new UsageError(`${token.rawName} needs a value (${option.value ?? 'VALUE'}); ${where}`);
      }
      values.set(token.name, token.value);
      lists.set(token.name, [...(lists.get(token.name) ?? []), token.value]);
    }
  }
  if (values.has('help')) return undefined;
  const missing = spec.operands[operands.length];
  if (missing !== undefined) throw new UsageError(`${spec.name} needs ${missing}; ${where}`);
  const extra = operands[spec.operands.length + (spec.optionalOperands ?? 0)];
  if (extra !== undefined) throw new UsageError(`${spec.name} does not know what to do with "${extra}"; ${where}`);
  return {
    operands,
    text: (option) => {
      const value = values.get(option);
      return typeof value === 'string' ? value : undefined;
    },
    texts: (option) => lists.get(option) ?? [],
    flag: (option) => values.get(option) === true,
  };
}

export function helpOf(spec: CommandSpec): string {
  const rows = Object.entries({ ...spec.options, help: HELP }).map(([name, { short, value, help }]) => {
    const left = `${short === undefined ? '    ' : `-${short}, `}--${name}${value === undefined ? '' : ` ${value}`}`;
    return [left, help] as const;
  });
  const width = Math.max(...rows.map(([left]) => left.length));
  const usage = `usage: baton-agent ${spec.name}${spec.usage === '' ? '' : ` ${spec.usage}`} [options]`;
  const lines = rows.map(([left, help]) => `  ${left.padEnd(width)}  ${help}`);
  return `${usage}\n\n${spec.summary}\n\noptions:\n${lines.join('\n')}\n`;
}
