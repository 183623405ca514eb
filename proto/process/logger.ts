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

/** Names of fields whose value never reaches a log, at any depth. */
const SECRET_NAMES: ReadonlySet<string> = new Set([
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
]);
/** A Secret resource's value is called `value`: as a name too common to be blanked everywhere. */
const SECRET_PARENTS: ReadonlySet<string> = new Set(['secret', 'spec']);
const CENSORED = '***';
/** Nothing that is logged goes deeper, but for what goes in circles. */
const DEEPEST = 10;

export interface LoggerOptions {
  /** Name of the program: "baton-agent", "baton-controller". */
  readonly name: string;
  readonly level: LogLevel;
  /** Default: standard output, written synchronously so that a crash loses no line. */
  readonly destination?: DestinationStream;
}

export function createLogger(options: LoggerOptions): Logger {
  const logger = pino(
    {
      name: options.name,
      level: options.level,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }), log: withoutSecrets },
    },
    options.destination ?? pino.destination({ dest: 1, sync: true }),
  );
  // The formatter above does not see what children are bound to. They inherit this.
  const { child } = logger;
  logger.child = function childWithoutSecrets(this: Logger, bindings, childOptions) {
    return child.call(this, withoutSecrets(bindings), childOptions);
  } as Logger['child'];
  return logger;
}

function withoutSecrets(fields: Record<string, unknown>): Record<string, unknown> {
  return censoredFields(fields, '', 1);
}

/** The value itself where it holds no secret: nearly always. A binary value and an Error's own fields are looked into, too. */
function censored(value: unknown, name: string, depth: number): unknown {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
  if (depth > DEEPEST) return CENSORED;
  if (!Array.isArray(value)) return censoredFields(value as Record<string, unknown>, name, depth);
  const items = value.map((item) => censored(item, name, depth + 1));
  return items.some((item, index) => item !== value[index]) ? items : value;
}

function censoredFields(fields: Record<string, unknown>, name: string, depth: number): Record<string, unknown> {
  let copy: Record<string, unknown> | undefined;
  for (const field in fields) {
    const value = fields[field];
    const isSecret = SECRET_NAMES.has(field) || (field === 'value' && SECRET_PARENTS.has(name));
    const shown = isSecret && value !== undefined ? CENSORED : censored(value, field, depth + 1);
    if (shown === value) continue;
    // An Error stays one, so that it is written as such.
    copy ??= Object.assign(Object.create(Object.getPrototypeOf(fields)), ownFields(fields));
    if (copy !== undefined) copy[field] = shown;
  }
  return copy ?? fields;
}

/** What is not enumerable as well: the message and the stack of an Error. */
function ownFields(fields: object): object {
  return Object.fromEntries(Reflect.ownKeys(fields).map((key) => [key, Reflect.get(fields, key)]));
}
