/**
 * The logger of both programs: pino, JSON lines. Object first, constant message second; identity is bound once with
 * `logger.child({ router })`. Never used on an agent's main thread.
 */
import { type DestinationStream, type Logger, pino } from 'pino';

export type { Logger };

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export function isLogLevel(text: string): text is LogLevel {
  return (LOG_LEVELS as readonly string[]).includes(text);
}

/**
 * The names under which things are logged, in both programs; a test holds every call to it. Units are part of the
 * name. Text from outside goes under `output` or `detail`, an Error under `err`; neither is spread into the root.
 */
export const LOG_FIELDS: ReadonlySet<string> = new Set([
  ...['node', 'router', 'vrid', 'interface', 'address', 'from', 'to', 'cause', 'priority', 'peer'],
  ...['check', 'group', 'session', 'hook', 'result', 'exitCode', 'output', 'part', 'detail', 'err'],
  ...['generation', 'hash', 'controller', 'remoteAddress', 'tokenId', 'method', 'code', 'path', 'kind'],
  ...['receiver', 'messageId', 'headline', 'attempts', 'count', 'until', 'durationMs', 'waitMs'],
]);

/** Last names of fields whose value never reaches a log, at the root and up to three levels down. */
const SECRET_NAMES = [
  'password',
  'pass',
  'authPass',
  'secretValue',
  'token',
  'joinToken',
  'privateKey',
  'privateKeyPem',
  'key',
  'credentials',
  'authorization',
];

/** A Secret resource's value is called `value`; as a name it is too common to be blanked everywhere. */
const SECRET_PATHS = ['secret.value', '*.secret.value', 'spec.value', 'spec.value.value', '*.spec.value.value'];

export interface LoggerOptions {
  /** Name of the program: "baton-agent", "baton-controller". */
  readonly name: string;
  readonly level: LogLevel;
  /** Default: standard output, written synchronously so that a crash loses no line. */
  readonly destination?: DestinationStream;
}

export function createLogger(options: LoggerOptions): Logger {
  const levels = SECRET_NAMES.flatMap((name) => [name, `*.${name}`, `*.*.${name}`, `*.*.*.${name}`]);
  return pino(
    {
      name: options.name,
      level: options.level,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: [...levels, ...SECRET_PATHS], censor: '***' },
    },
    options.destination ?? pino.destination({ dest: 1, sync: true }),
  );
}
