/** batonctl, the operator's tool: the process around runBatonctl. */
import os from 'node:os';
import { text } from 'node:stream/consumers';
import { readProgramVersion } from '../../proto/process/program-version.js';
import { runBatonctl } from './program.js';
import type { Sink } from './surroundings.js';

const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => interrupted.abort());
}
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    // Whoever read our output has had enough, as "head" does.
    if (error.code === 'EPIPE') process.exit(0);
    throw error;
  });
}

const exitCode = await runBatonctl(process.argv.slice(2), {
  stdout: sinkOf(process.stdout),
  stderr: sinkOf(process.stderr),
  readStdin: () => text(process.stdin),
  env: process.env,
  now: () => Date.now(),
  sleep,
  random: Math.random,
  interrupted: interrupted.signal,
  homeDirectory: os.homedir(),
  version: readProgramVersion(),
});
// Not exit(): what was written to a pipe may not have left yet.
process.exitCode = exitCode;

function sinkOf(stream: NodeJS.WriteStream): Sink {
  return {
    write(text) {
      stream.write(text);
    },
    isTerminal: stream.isTTY === true,
    get rows() {
      return stream.isTTY ? stream.rows : undefined;
    },
    get columns() {
      return stream.isTTY ? stream.columns : undefined;
    },
  };
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end, { once: true });
    if (signal.aborted) end();
  });
}
