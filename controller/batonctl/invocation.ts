/** The options that every command takes, and what a command gets of them. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { ClientContext } from '../../proto/gen/baton/v1/config.js';
import { parseDuration } from '../../proto/rules/duration.js';
import { MICROS_PER_MILLISECOND } from '../../proto/rules/time.js';
import { chooseContext, contextFilePath, readContextFile } from './context-file.js';
import { FORMATS, type Format, parseFormat } from './output.js';
import { choosePaint, type Paint } from './paint.js';
import { Session } from './session.js';
import type { Surroundings } from './surroundings.js';

const DEFAULT_TIMEOUT_MS = 10_000;

interface GlobalValues {
  readonly context?: string;
  readonly config?: string;
  readonly output?: Format;
  readonly timeout?: number;
  readonly color?: boolean;
}

/** `format`: whether the command prints something that programs may want to read. */
export function addCommonOptions(command: Command, { format }: { readonly format: boolean }): Command {
  command
    .addOption(new Option('--context <name>', 'context to use instead of the current one'))
    .addOption(new Option('--config <file>', 'file of the contexts (BATON_CONFIG, ~/.config/baton/config.yaml)'))
    .addOption(
      new Option(
        '--timeout <duration>',
        'how long one call to the controller may take, such as 30s (default: 10s)',
      ).argParser(parseTimeout),
    )
    .addOption(new Option('--no-color', 'no colours (as NO_COLOR)'));
  if (format) {
    command.addOption(
      new Option('-o, --output <format>', `how to print: ${FORMATS.join(', ')} (default: table)`).argParser(
        parseFormat,
      ),
    );
  }
  return command;
}

/** "1m" to milliseconds, for commander. */
export function parseTimeout(text: string): number {
  const parsed = parseDuration(text);
  if (!parsed.ok) throw new InvalidArgumentError(parsed.reason);
  const ms = Math.ceil(parsed.micros / MICROS_PER_MILLISECOND);
  if (ms === 0) throw new InvalidArgumentError('it must be longer than nothing.');
  return ms;
}

export class Invocation {
  readonly format: Format;
  /** For standard output. */
  readonly paint: Paint;
  /** False: --no-color was given. */
  readonly wantsColours: boolean;
  readonly contextFile: string;
  readonly timeoutMs: number;
  /** False: timeoutMs is the default. */
  readonly isTimeoutGiven: boolean;
  readonly surroundings: Surroundings;
  readonly #contextName: string | undefined;
  #session: Session | undefined;
  #context: ClientContext | undefined;

  constructor(command: Command, surroundings: Surroundings) {
    const values = valuesOf(command);
    this.surroundings = surroundings;
    this.format = values.output ?? 'table';
    this.wantsColours = values.color !== false;
    this.paint = choosePaint(surroundings.stdout, surroundings, this.wantsColours);
    this.contextFile = contextFilePath(values.config, surroundings);
    this.timeoutMs = values.timeout ?? DEFAULT_TIMEOUT_MS;
    this.isTimeoutGiven = values.timeout !== undefined;
    this.#contextName = values.context;
  }

  /** @throws Failure */
  get context(): ClientContext {
    this.#context ??= chooseContext(this.contextFile, readContextFile(this.contextFile), this.#contextName);
    return this.#context;
  }

  /** @throws Failure */
  get session(): Session {
    this.#session ??= new Session(this.context, this.timeoutMs, this.surroundings.interrupted);
    return this.#session;
  }

  close(): void {
    this.#session?.close();
  }
}

/** Options given after a command count more than those given before it. */
function valuesOf(command: Command): GlobalValues {
  const values: Record<string, unknown> = {};
  for (let at: Command | null = command; at !== null; at = at.parent) {
    for (const [name, value] of Object.entries(at.opts())) {
      if (!(name in values) && at.getOptionValueSource(name) !== 'default') values[name] = value;
    }
  }
  // Names and types are those of addCommonOptions; a command's own options are read by the command.
  return values as GlobalValues;
}

/** An action of commander: makes the invocation, and closes its connection however the command ends. */
export function action<Parameters extends readonly unknown[], Options>(
  surroundings: Surroundings,
  run: (invocation: Invocation, options: Options, ...parameters: Parameters) => Promise<void>,
): (...received: unknown[]) => Promise<void> {
  return async (...received) => {
    // commander passes the declared arguments, then the options, then the command.
    const command = received.at(-1) as Command;
    const invocation = new Invocation(command, surroundings);
    try {
      await run(invocation, command.opts() as Options, ...(received.slice(0, -2) as unknown as Parameters));
    } finally {
      invocation.close();
    }
  };
}
