/** The control socket: a Unix socket that only the agent's own user can reach, in a directory of mode 0700. */
import { chmod, mkdir, stat, unlink } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import path from 'node:path';
import process from 'node:process';
import {
  type ControlReply,
  type ControlRequest,
  MAX_REQUEST_BYTES,
  MAX_SOCKET_PATH,
  parseRequest,
  SOCKET_NAME,
} from './control-protocol.js';

/** Bytes that may wait for a client that follows and does not read; then it is cut off. */
const MAX_UNREAD_BYTES = 1024 * 1024;

/** Answers one request: any number of replies, then `done`. Called when the client is gone: the returned function. */
export type ControlHandler = (request: ControlRequest, answer: ControlAnswer) => (() => void) | undefined;

export interface ControlAnswer {
  reply(reply: ControlReply): void;
  /** No more replies to this request. */
  done(): void;
}

export class ControlSocketError extends Error {
  override readonly name = 'ControlSocketError';
  constructor(
    /** `in-use`: another agent answers there. */
    readonly code: 'in-use' | 'path-too-long' | 'cannot-listen',
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

export class ControlServer {
  readonly #server: Server;
  readonly #clients = new Set<Socket>();

  private constructor(server: Server) {
    this.#server = server;
  }

  /** Rejects with a ControlSocketError. A socket that nobody answers on is a leftover and is removed. */
  static async listen(runDir: string, handler: ControlHandler): Promise<ControlServer> {
    const file = path.join(runDir, SOCKET_NAME);
    if (Buffer.byteLength(file) > MAX_SOCKET_PATH) {
      throw new ControlSocketError(
        'path-too-long',
        `the control socket ${file} has a path longer than ${MAX_SOCKET_PATH} bytes: choose a shorter --run-dir`,
      );
    }
    if (await isAnswering(file)) {
      throw new ControlSocketError(
        'in-use',
        `another baton-agent answers on ${file}: stop it, or give this one its own --run-dir and --state-dir`,
      );
    }
    try {
      await makePrivateDirectory(runDir);
      await unlink(file).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOENT') throw error;
      });
      const server = createServer({ allowHalfOpen: true });
      const control = new ControlServer(server);
      server.on('connection', (socket) => control.#serve(socket, handler));
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(file, () => {
          server.off('error', reject);
          resolve();
        });
      });
      await chmod(file, 0o600);
      return control;
    } catch (error) {
      if (error instanceof ControlSocketError) throw error;
      throw new ControlSocketError('cannot-listen', `cannot listen on ${file}: ${String(error)}`, { cause: error });
    }
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const client of this.#clients) client.destroy();
    await closed;
  }

  #serve(socket: Socket, handler: ControlHandler): void {
    this.#clients.add(socket);
    const cleanups = new Set<() => void>();
    let waiting = 0;
    let isEnded = false;
    const send = (reply: ControlReply): void => {
      if (socket.destroyed) return;
      socket.write(`${JSON.stringify(reply)}\n`);
      if (socket.writableLength > MAX_UNREAD_BYTES) socket.destroy();
    };
    const endWhenIdle = (): void => {
      if (isEnded && waiting === 0) socket.end();
    };
    const answer = (line: string): void => {
      const parsed = parseRequest(line);
      if (!parsed.ok) {
        send({ ok: false, code: 'bad-request', message: parsed.message });
        return;
      }
      let isDone = false;
      waiting += 1;
      const cleanup = handler(parsed.request, {
        reply: send,
        done: () => {
          if (isDone) return;
          isDone = true;
          waiting -= 1;
          endWhenIdle();
        },
      });
      if (cleanup !== undefined) cleanups.add(cleanup);
    };
    let text = '';
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => {
      text += chunk;
      for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n')) {
        const line = text.slice(0, end);
        text = text.slice(end + 1);
        if (line.trim() !== '') answer(line);
      }
      if (text.length <= MAX_REQUEST_BYTES) return;
      send({ ok: false, code: 'bad-request', message: `a request has more than ${MAX_REQUEST_BYTES} bytes` });
      text = '';
      socket.end();
      socket.removeAllListeners('data');
    });
    socket.on('end', () => {
      isEnded = true;
      endWhenIdle();
    });
    // A client that went away in the middle of a reply.
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      this.#clients.delete(socket);
      for (const cleanup of cleanups) cleanup();
    });
  }
}

/** In a directory that others can write they could put a socket of their own in our socket's place. */
async function makePrivateDirectory(directory: string): Promise<void> {
  await mkdir(directory, { mode: 0o700, recursive: true });
  const { mode, uid } = await stat(directory);
  if (uid === process.geteuid?.() && (mode & 0o022) === 0) return;
  throw new ControlSocketError(
    'cannot-listen',
    `${directory} belongs to somebody else or is writable by others: choose a --run-dir of the agent's own, mode 0700`,
  );
}

async function isAnswering(file: string): Promise<boolean> {
  return await new Promise<boolean>((resolve) => {
    const socket = connect(file);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
