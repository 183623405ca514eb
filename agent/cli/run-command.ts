/** "run": what the command line says, before anything of the elections is loaded. */
import path from 'node:path';
import { DEFAULT_CONFIG_FILE } from '../local/worker-protocol.js';
import { formatByteCount, parseByteCount, RECORDING_LIMIT } from '../record/recording-limit.js';
import { type CommandSpec, type ParsedCommand, UsageError } from './command-line.js';
import { LOCATION_OPTIONS, STATE_DIR_OPTION } from './locations.js';
import { isLogLevel, LOG_LEVELS } from './log-levels.js';
import type { RunOptions } from './worker-supervisor.js';

export const RUN: CommandSpec = {
  name: 'run',
  usage: '',
  summary:
    'Runs the agent until SIGTERM or SIGINT, which hand every address over first (a second signal does not wait). SIGHUP\nreads the local file again; SIGUSR2 ends the agent and keeps its addresses for the next one. Without --standalone the agent belongs to the controller that it has joined.',
  operands: [],
  options: {
    standalone: { type: 'string', value: 'FILE', help: 'no controller: run this keepalived.conf or Baton YAML file' },
    node: { type: 'string', value: 'NAME', help: 'with --standalone: the name of this node (default: the host name)' },
    ...LOCATION_OPTIONS,
    'state-dir': STATE_DIR_OPTION,
    'realtime-priority': { type: 'string', value: 'N', help: 'SCHED_RR priority of the election thread, 1 to 99' },
    nice: { type: 'string', value: 'N', help: 'nice value of the election thread, -20 to 19' },
    cpus: { type: 'string', value: 'LIST', help: 'processors that the election thread may use, such as 0,2' },
    'lock-memory': { type: 'boolean', help: 'keep the program and its libraries in memory' },
    record: {
      type: 'string',
      value: 'FILE',
      help: 'record what the elections are given, for "baton-agent replay"; goes on with a recording that is there',
    },
    'record-limit': {
      type: 'string',
      value: 'SIZE',
      help: `the recording's greatest size, such as 64M; the oldest goes first (default ${formatByteCount(RECORDING_LIMIT.standard)})`,
    },
    'log-level': { type: 'string', value: 'LEVEL', help: `${LOG_LEVELS.join(', ')} (default info)` },
  },
};

export async function runCommand(command: ParsedCommand): Promise<number> {
  const options = runOptions(command);
  const { run } = await import('./run.js');
  return await run(options);
}

/** Throws UsageError. Paths are made absolute: they mean what they meant when the agent was started. */
export function runOptions(command: ParsedCommand): RunOptions {
  const level = command.text('log-level');
  if (level !== undefined && !isLogLevel(level)) {
    throw new UsageError(`--log-level is one of ${LOG_LEVELS.join(', ')}, not "${level}"`);
  }
  const directories = {
    ...absolute('stateDir', command.text('state-dir')),
    ...absolute('runDir', command.text('run-dir')),
    ...(level === undefined ? {} : { logLevel: level }),
    ...schedulingOf(command),
    ...recordOf(command),
  };
  const file = command.text('standalone');
  const node = command.text('node');
  const config = command.text('config');
  if (file === undefined) {
    if (node !== undefined)
      throw new UsageError('--node goes with --standalone; a joined node has the name it joined with');
    const configFile = path.resolve(config ?? DEFAULT_CONFIG_FILE);
    return { mode: { kind: 'joined', configFile, isDefaultFile: config === undefined }, ...directories };
  }
  if (config !== undefined)
    throw new UsageError('--config is for a joined agent; with --standalone everything is in the file');
  const mode = { kind: 'standalone' as const, file: path.resolve(file), ...(node === undefined ? {} : { node }) };
  return { mode, ...directories };
}

function absolute<K extends string>(key: K, value: string | undefined): Partial<Record<K, string>> {
  // A computed key widens to string; it is the one that was given.
  return value === undefined ? {} : ({ [key]: path.resolve(value) } as Record<K, string>);
}

/** Absent: none of its options was given. */
function schedulingOf(command: ParsedCommand): Pick<RunOptions, 'scheduling'> {
  const realtimePriority = wholeNumber(command, 'realtime-priority', 1, 99);
  const nice = wholeNumber(command, 'nice', -20, 19);
  const list = command.text('cpus');
  const cpus = (list ?? '').split(',').filter((part) => part !== '');
  if (list !== undefined && (cpus.length === 0 || !cpus.every((cpu) => /^\d{1,3}$/.test(cpu)))) {
    throw new UsageError(`--cpus is a list of processors such as 0,2, not "${list}"`);
  }
  const lockMemory = command.flag('lock-memory');
  if (realtimePriority === undefined && nice === undefined && list === undefined && !lockMemory) return {};
  return {
    scheduling: {
      realtimePriority: realtimePriority ?? 0,
      ...(nice === undefined ? {} : { nice }),
      cpus: cpus.map(Number),
      lockMemory,
    },
  };
}

/** Absent: nothing is to be recorded. */
function recordOf(command: ParsedCommand): Pick<RunOptions, 'record'> {
  const file = command.text('record');
  const text = command.text('record-limit');
  if (file === undefined) {
    if (text !== undefined) throw new UsageError('--record-limit goes with --record');
    return {};
  }
  const limit = text === undefined ? RECORDING_LIMIT.standard : parseByteCount(text);
  if (limit === undefined || limit < RECORDING_LIMIT.least || limit > RECORDING_LIMIT.most) {
    const [least, most] = [RECORDING_LIMIT.least, RECORDING_LIMIT.most].map(formatByteCount);
    throw new UsageError(
      `--record-limit is a number of bytes, or with K, M or G, from ${least} to ${most}, not "${text}"`,
    );
  }
  return { record: { file: path.resolve(file), limit } };
}

function wholeNumber(command: ParsedCommand, option: string, least: number, most: number): number | undefined {
  const text = command.text(option);
  if (text === undefined) return undefined;
  const number = Number(text);
  if (/^-?\d+$/.test(text) && number >= least && number <= most) return number;
  throw new UsageError(`--${option} is a whole number from ${least} to ${most}, not "${text}"`);
}
