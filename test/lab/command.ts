/**
 * Running the machine's own tools (ip, nft) for the laboratory. Everything is awaited and every failure names the
 * command, its exit and what it said.
 */
import { spawn } from 'node:child_process';

export class CommandError extends Error {
  readonly code = 'COMMAND_FAILED';

  constructor(
    readonly command: string,
    readonly exit: number | string,
    readonly output: string,
  ) {
    super(`${command} ended with ${exit}: ${output.trim() || 'no output'}`);
    this.name = 'CommandError';
  }
}

/** How a command ended and what it said. */
export interface Outcome {
  readonly command: string;
  /** Exit code, or the name of the signal that ended it. */
  readonly exit: number | string;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command that may fail. `input` is written to its standard input. */
export function attempt(file: string, args: readonly string[], input = ''): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { stdio: 'pipe' });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.on('error', reject);
    child.on('close', (code, signal) => {
      resolve({ command: [file, ...args].join(' '), exit: code ?? signal ?? 'unknown', stdout, stderr });
    });
    child.stdin.on('error', () => {
      // The command ended without reading its input; its exit status tells.
    });
    child.stdin.end(input);
  });
}

/** Standard output of a command that must succeed. `input` is written to its standard input. */
export async function run(file: string, args: readonly string[], input = ''): Promise<string> {
  return outputOf(await attempt(file, args, input));
}

/** Standard output of a command that must have succeeded. */
export function outputOf({ command, exit, stdout, stderr }: Outcome): string {
  if (exit !== 0) throw new CommandError(command, exit, stderr + stdout);
  return stdout;
}

/** Several ip(8) commands in one namespace by one process; the first failure ends it. */
export async function ipBatch(namespace: string, lines: readonly string[]): Promise<void> {
  await run('ip', ['-n', namespace, '-batch', '-'], `${lines.join('\n')}\n`);
}
