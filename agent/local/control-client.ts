/** The other end of the control socket, for the commands that ask a running agent. */
import { connect } from 'node:net';
import path from 'node:path';
import { type ControlRequest, parseReply, SOCKET_NAME } from './control-protocol.js';

export class ControlClientError extends Error {
  override readonly name = 'ControlClientError';
  constructor(
    /** `no-agent`: nobody answers. `refused`: the agent answered with an error. */
    readonly code: 'no-agent' | 'refused',
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** An answer is waited for so long; the agent's worker may be busy, its elections never are. */
const REPLY_TIMEOUT_MS = 10_000;

/** Asks one thing and returns the one answer. Rejects with a ControlClientError. */
export async function ask(runDir: string, request: ControlRequest, timeoutMs = REPLY_TIMEOUT_MS): Promise<unknown> {
  return await new Promise((resolve, reject) => {
    const stop = listen(runDir, request, {
      result: (result) => {
        stop();
        resolve(result);
      },
      failed: reject,
      timeoutMs,
    });
  });
}

export interface ReplyListener {
  result(result: unknown): void;
  /** At most once; nothing comes after it. */
  failed(error: ControlClientError): void;
  /** For the first answer. Absent: waits for ever. */
  readonly timeoutMs?: number;
}

/** Asks one thing and passes on every answer until the returned function is called or the agent hangs up. */
export function listen(runDir: string, request: ControlRequest, listener: ReplyListener): () => void {
  const file = path.join(runDir, SOCKET_NAME);
  const socket = connect(file);
  let isOver = false;
  const fail = (code: ControlClientError['code'], message: string, cause?: unknown): void => {
    if (isOver) return;
    isOver = true;
    socket.destroy();
    listener.failed(new ControlClientError(code, message, { cause }));
  };
  if (listener.timeoutMs !== undefined) {
    const limit = listener.timeoutMs;
    socket.setTimeout(limit, () => fail('no-agent', `the agent on ${file} did not answer within ${limit / 1_000} s`));
  }
  socket.setEncoding('utf8');
  socket.on('connect', () => socket.write(`${JSON.stringify(request)}\n`));
  let text = '';
  socket.on('data', (chunk: string) => {
    text += chunk;
    for (let end = text.indexOf('\n'); end >= 0 && !isOver; end = text.indexOf('\n')) {
      const reply = parseReply(text.slice(0, end));
      text = text.slice(end + 1);
      if (reply === undefined) fail('refused', `what answers on ${file} is no baton-agent of this version`);
      else if (reply.ok) listener.result(reply.result);
      else fail('refused', reply.message);
    }
  });
  socket.on('error', (error: NodeJS.ErrnoException) => fail('no-agent', sentenceOf(error, file), error));
  socket.on('close', () => fail('no-agent', `the agent on ${file} hung up`));
  return () => {
    isOver = true;
    socket.destroy();
  };
}

function sentenceOf(error: NodeJS.ErrnoException, file: string): string {
  switch (error.code) {
    case 'ENOENT':
    case 'ECONNREFUSED':
      return `no baton-agent answers on ${file}: is it running, and with this --run-dir?`;
    case 'EACCES':
      return `you may not talk to the agent on ${file}: try as root`;
    default:
      return `cannot talk to the agent on ${file}: ${error.message}`;
  }
}
