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

/** Standard output of a command that must succeed. `input` is written to its standard input. */
export function run(file: string, args: readonly string[], input = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { stdio: 'pipe' });
    let out = '';
    let err = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      err += text;
    });
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (code === 0) resolve(out);
      else reject(new CommandError([file, ...args].join(' '), code ?? signal ?? 'unknown', err + out));
    });
    child.stdin.on('error', () => {
      // The command ended without reading its input; its exit status tells.
    });
    child.stdin.end(input);
  });
}

/** Several ip(8) commands in one namespace by one process; the first failure ends it. */
export async function ipBatch(namespace: string, lines: readonly string[]): Promise<void> {
  await run('ip', ['-n', namespace, '-batch', '-'], `${lines.join('\n')}\n`);
}
