/** baton-controller: holds what is wanted, pushes it to the agents, gathers what they say, sends the mail. */
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { ControllerConfig } from '../proto/gen/baton/v1/config.js';
import { formatSourceProblem, messageToPlain, parseConfigFile } from '../proto/manifest/index.js';
import {
  DEFAULT_CONTROLLER_PORT,
  formatHostPort,
  type HostPort,
  HostPortError,
  parseHostPort,
} from '../proto/process/host-port.js';
import { createLogger, isLogLevel, LOG_LEVELS, type Logger, type LogLevel } from '../proto/process/logger.js';
import { readProgramVersion } from '../proto/process/program-version.js';
import { compileBundle } from '../proto/rules/compile.js';
import { durationToMicros, isUsableDuration } from '../proto/rules/duration.js';
import { MICROS_PER_MILLISECOND, type Millis } from '../proto/rules/time.js';
import { validateResources } from '../proto/rules/validate.js';
import { Authority } from './identity/authority.js';
import { initialise } from './identity/initialise.js';
import { serve } from './serve.js';

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

const DEFAULT_CONFIG_FILE = '/etc/baton/controller.yaml';
const DEFAULT_DATA_DIR = '/var/lib/baton/controller';

const DAY_MS = 24 * 3_600_000;
const DEFAULT_CERTIFICATE_LIFETIME_MS = 7 * DAY_MS;
const DEFAULT_GROUP_WAIT_MS = 2_000;
const DEFAULT_GIVE_UP_MS = 3 * DAY_MS;
const DEFAULT_RETENTION_MS = 90 * DAY_MS;

/** A start that cannot go on, with a message for the person who tried it. */
class StartError extends Error {
  override readonly name = 'StartError';
  readonly code = 'cannot-start';
}

interface ServeFlags {
  readonly config?: string;
  readonly dataDir?: string;
  readonly listen?: HostPort;
  readonly logLevel?: LogLevel;
}

interface InitFlags {
  readonly dataDir: string;
  readonly advertise: readonly string[];
}

async function runInit(flags: InitFlags): Promise<void> {
  const result = await initialise({ ...flags, now: new Date() }).catch((error: unknown) => {
    if (!(error instanceof Error && 'syscall' in error)) throw error;
    throw new StartError(`cannot write in ${flags.dataDir}: ${error.message}; "init" can be run again`, {
      cause: error,
    });
  });
  const lines = [
    result.created ? `certificate authority   made in ${flags.dataDir}` : 'certificate authority   kept as it was',
    `CA pin                  ${result.caPin}`,
    `reachable as            ${result.addresses.join(', ')}`,
    `named in certificate    ${result.names.join(', ')}`,
    `operator credential     ${result.operatorFile} (until ${result.operatorExpiresAt.toISOString()})`,
    '',
    'Next:',
    result.created
      ? `  baton-controller serve --data-dir ${flags.dataDir}`
      : '  restart the controller, if it is running: its certificate was renewed',
    `  export BATON_CONFIG=${result.operatorFile}`,
    '  batonctl token create',
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}

async function runServe(flags: ServeFlags): Promise<void> {
  const config = readConfig(flags.config);
  const dataDir = flags.dataDir ?? (config.dataDir || DEFAULT_DATA_DIR);
  const listen =
    flags.listen ?? configured('listen', () => parseListen(config.listen || `:${DEFAULT_CONTROLLER_PORT}`));
  const log = createLogger({ name: 'baton-controller', level: wantedLevel(flags, config) });
  if (!Authority.exists(dataDir)) {
    throw new StartError(`${dataDir} holds no controller; "baton-controller init --data-dir ${dataDir}" makes one`);
  }
  const running = await serve({
    dataDir,
    listen,
    ...spansOf(config),
    validate: validateResources,
    compile: compileBundle,
    now: () => new Date(),
    log,
  });
  log.info({ address: formatHostPort(running.address), path: dataDir }, 'controller serving');
  process.on('SIGHUP', () => reload(flags, config, log));
  const signal = await firstSignal();
  log.info({ cause: signal }, 'controller stopping');
  await running.stop();
  log.info('controller stopped');
}

/** SIGHUP: the file is judged whole; the log level counts from now on, what else has changed takes a restart and is named. */
function reload(flags: ServeFlags, running: ControllerConfig, log: Logger): void {
  try {
    const config = readConfig(flags.config);
    spansOf(config);
    log.level = wantedLevel(flags, config);
    const [was, is] = [running, config].map((one) => messageToPlain('baton.v1.ControllerConfig', one));
    const restart = Object.keys({ ...was, ...is }).filter(
      (field) => field !== 'logLevel' && JSON.stringify(was?.[field]) !== JSON.stringify(is?.[field]),
    );
    if (restart.length > 0) log.warn({ detail: restart }, 'these settings have changed and take a restart');
    log.info('the configuration was read again');
  } catch (err) {
    log.error({ err }, 'reload failed; the former settings go on');
  }
}

/** Resolves at the first request to stop; the second ends the process at once. */
function firstSignal(): Promise<string> {
  return new Promise((resolve) => {
    let asked = false;
    const stop = (signal: string): void => {
      if (asked) process.exit(EXIT_FAILED);
      asked = true;
      resolve(signal);
    };
    process.on('SIGTERM', stop);
    process.on('SIGINT', stop);
  });
}

/** Without --config, a file that is not there is an empty one. */
function readConfig(file: string | undefined): ControllerConfig {
  const name = file ?? DEFAULT_CONFIG_FILE;
  let text: string;
  try {
    text = readFileSync(name, 'utf8');
  } catch (error) {
    if (file === undefined && (error as NodeJS.ErrnoException).code === 'ENOENT')
      return ControllerConfig.fromPartial({});
    throw new StartError(`cannot read the configuration ${name}: ${(error as Error).message}`, { cause: error });
  }
  const { config, problems } = parseConfigFile(text, name, 'baton.v1.ControllerConfig');
  if (config === undefined) throw new StartError(problems.map((problem) => formatSourceProblem(problem)).join('\n'));
  return config;
}

function wantedLevel(flags: ServeFlags, config: ControllerConfig): LogLevel {
  return flags.logLevel ?? configured('logLevel', () => logLevel(config.logLevel || 'info'));
}

/** @throws StartError */
function spansOf(config: ControllerConfig) {
  return {
    certificateLifetimeMs: span(config, 'certificateLifetime', DEFAULT_CERTIFICATE_LIFETIME_MS, 60_000, 365 * DAY_MS),
    mailGroupWaitMs: span(config, 'mailGroupWait', DEFAULT_GROUP_WAIT_MS, 0, 3_600_000),
    mailGiveUpAfterMs: span(config, 'mailGiveUpAfter', DEFAULT_GIVE_UP_MS, 60_000, 30 * DAY_MS),
    eventRetentionMs: span(config, 'eventRetention', DEFAULT_RETENTION_MS, 60_000, 3_650 * DAY_MS),
  };
}

/** A duration of the configuration in milliseconds. */
function span(
  config: ControllerConfig,
  field: 'certificateLifetime' | 'mailGroupWait' | 'mailGiveUpAfter' | 'eventRetention',
  unset: Millis,
  least: Millis,
  most: Millis,
): Millis {
  const duration = config[field];
  if (duration === undefined) return unset;
  const value = Math.floor(durationToMicros(duration) / MICROS_PER_MILLISECOND);
  if (!isUsableDuration(duration) || value < least || value > most) {
    throw new StartError(`the configuration's ${field} must lie between ${least / 1_000}s and ${most / 1_000}s`);
  }
  return value;
}

function parseListen(text: string): HostPort {
  // ":7443" is every address.
  const { host, port } = parseHostPort(text, DEFAULT_CONTROLLER_PORT);
  return { host: host === '*' ? '' : host, port };
}

/** @throws RangeError */
function logLevel(text: string): LogLevel {
  if (isLogLevel(text)) return text;
  throw new RangeError(`"${text}" is no log level; there are ${LOG_LEVELS.join(', ')}`);
}

/** A value of the configuration file. @throws StartError */
function configured<T>(field: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!isMistake(error)) throw error;
    throw new StartError(`the configuration's ${field}: ${error.message}`, { cause: error });
  }
}

/** A value of the command line. */
function typed<T>(read: (text: string) => T): (text: string) => T {
  return (text) => {
    try {
      return read(text);
    } catch (error) {
      throw isMistake(error) ? new InvalidArgumentError(error.message) : error;
    }
  };
}

function isMistake(error: unknown): error is HostPortError | RangeError {
  return error instanceof HostPortError || error instanceof RangeError;
}

function collect(value: string, before: readonly string[]): string[] {
  return [...before, value];
}

function program(): Command {
  const root = new Command('baton-controller')
    .description(
      'Holds the configuration of all agents, gathers their state and sends mail. It never takes part in an election.',
    )
    .exitOverride()
    .version(versionLine(), '-V, --version', 'print the version')
    .configureHelp({ showGlobalOptions: true })
    .showHelpAfterError('(--help shows what there is)')
    .addHelpText('after', '\nExit codes: 0 done, 1 failed, 2 called wrongly.');
  root
    .command('init')
    .description(
      'make the certificate authority and the first operator credential; run again, it keeps the authority and renews the credential and the names in the certificate of the port',
    )
    .option('--data-dir <dir>', 'where everything is kept', DEFAULT_DATA_DIR)
    .option(
      '--advertise <host[:port]>',
      "how clients and agents reach this controller; may be repeated (default: the host's name and addresses)",
      collect,
      [],
    )
    .action(runInit);
  root
    .command('serve')
    .description(
      'run the controller until SIGTERM or SIGINT; SIGHUP reads the log level in the configuration file again',
    )
    .option('--config <file>', `configuration file (default: ${DEFAULT_CONFIG_FILE}, if it exists)`)
    .option('--data-dir <dir>', `where everything is kept (default: ${DEFAULT_DATA_DIR})`)
    .option(
      '--listen <address:port>',
      `where to listen (default: :${DEFAULT_CONTROLLER_PORT}, every address)`,
      typed(parseListen),
    )
    .option('--log-level <level>', LOG_LEVELS.join(', '), typed(logLevel))
    .action(runServe);
  root
    .command('version')
    .description('print the version')
    .action(() => {
      process.stdout.write(`${versionLine()}\n`);
    });
  for (const command of root.commands) command.exitOverride().allowExcessArguments(false);
  return root;
}

function versionLine(): string {
  return `baton-controller ${readProgramVersion()}`;
}

async function main(): Promise<void> {
  try {
    await program().parseAsync(process.argv);
  } catch (error) {
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode === 0 ? 0 : EXIT_USAGE;
      return;
    }
    // Everything that start-up throws on purpose says what it tried, on what, and what to do.
    const expected = error instanceof Error && 'code' in error;
    process.stderr.write(`baton-controller: ${expected ? error.message : describeBug(error)}\n`);
    process.exitCode = EXIT_FAILED;
  }
}

function describeBug(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

// What the controller writes is nobody else's to read.
process.umask(0o077);
// Whoever read our output has gone, such as "head". A controller goes on: its log has nowhere to go.
process.stdout.on('error', () => undefined);
await main();
