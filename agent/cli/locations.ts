/** Where the agent of this host lives, for the commands that look for it: option, else agent.yaml, else the default. */
import { existsSync } from 'node:fs';
import { DEFAULT_CONFIG_FILE, DEFAULT_RUN_DIR, DEFAULT_STATE_DIR } from '../local/worker-protocol.js';
import { type OptionSpec, type ParsedCommand, UsageError } from './command-line.js';

export const LOCATION_OPTIONS = {
  config: { type: 'string', value: 'FILE', help: `the host owner's configuration (default ${DEFAULT_CONFIG_FILE})` },
  'run-dir': { type: 'string', value: 'DIR', help: `where the control socket is (default ${DEFAULT_RUN_DIR})` },
} as const satisfies Record<string, OptionSpec>;

export const STATE_DIR_OPTION = {
  type: 'string',
  value: 'DIR',
  help: `where the agent keeps what it must remember (default ${DEFAULT_STATE_DIR})`,
} as const satisfies OptionSpec;

export const OUTPUT_OPTION = {
  type: 'string',
  short: 'o',
  value: 'text|json',
  help: 'how to print it (default text)',
} as const satisfies OptionSpec;

/** Throws UsageError. */
export function wantsJson(command: ParsedCommand): boolean {
  const output = command.text('output') ?? 'text';
  if (output !== 'text' && output !== 'json') throw new UsageError(`-o is text or json, not "${output}"`);
  return output === 'json';
}

export async function runDirOf(command: ParsedCommand): Promise<string> {
  return command.text('run-dir') ?? ((await configured(command, 'runDir')) || DEFAULT_RUN_DIR);
}

export async function stateDirOf(command: ParsedCommand): Promise<string> {
  return command.text('state-dir') ?? ((await configured(command, 'stateDir')) || DEFAULT_STATE_DIR);
}

/** Of the host owner's file; empty when the file does not say, or is the default one and not there. */
async function configured(command: ParsedCommand, field: 'runDir' | 'stateDir'): Promise<string> {
  const file = command.text('config') ?? DEFAULT_CONFIG_FILE;
  if (command.text('config') === undefined && !existsSync(file)) return '';
  const { readAgentConfig } = await import('../local/agent-config.js');
  const { formatRemark } = await import('../bundle/standalone-file.js');
  const result = await readAgentConfig(file, false);
  if (!result.ok) throw new UsageError(result.remarks.map(formatRemark).join('\n'));
  return result.config[field];
}
