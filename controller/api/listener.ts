/**
 * The one port: our own TCP listener in front of gRPC, so that connections are counted before they cost anything, and
 * limits for everything that a stranger could make us hold.
 */
import { createServer, type Socket, type Server as TcpServer } from 'node:net';
import { type ConnectionInjector, Server, type ServerInterceptor } from '@grpc/grpc-js';
import { formatHostPort, type HostPort } from '../../proto/process/host-port.js';
import type { OnePortCredentials } from '../identity/server-credentials.js';

/** Largest request, in bytes: a few thousand resources, or the full state of 255 routers with all their checks. */
export const MAX_REQUEST_BYTES = 4 * 1024 * 1024;
/** Connections from one address; loopback is not limited. */
const MAX_CONNECTIONS_PER_ADDRESS = 2_000;
const MAX_CONNECTIONS = 30_000;
/** A connection without a call is closed after this long, in milliseconds. */
const IDLE_MS = 60_000;
/** A peer that does not answer is noticed within the sum of the two, in milliseconds. */
const KEEPALIVE_TIME_MS = 10_000;
const KEEPALIVE_TIMEOUT_MS = 8_000;

/** The port cannot be listened on. */
export class ListenError extends Error {
  override readonly name = 'ListenError';
  readonly code = 'cannot-listen';
}

export class Listener {
  readonly server: Server;
  readonly #tcp: TcpServer;
  readonly #injector: ConnectionInjector;
  readonly #perAddress = new Map<string, number>();
  readonly #sockets = new Set<Socket>();

  constructor(credentials: OnePortCredentials, interceptor: ServerInterceptor) {
    this.server = new Server({
      interceptors: [interceptor],
      'grpc.max_receive_message_length': MAX_REQUEST_BYTES,
      'grpc.max_send_message_length': -1,
      'grpc.keepalive_time_ms': KEEPALIVE_TIME_MS,
      'grpc.keepalive_timeout_ms': KEEPALIVE_TIMEOUT_MS,
      'grpc.max_connection_idle_ms': IDLE_MS,
      'grpc.enable_channelz': 0,
    });
    this.#injector = this.server.createConnectionInjector(credentials);
    this.#tcp = createServer({ noDelay: true, keepAlive: true }, (socket) => this.#accept(socket));
    this.#tcp.maxConnections = MAX_CONNECTIONS;
  }

  /** @param address An empty host is every address. @returns what is listened on @throws ListenError */
  listen(address: HostPort): Promise<HostPort> {
    return new Promise((resolve, reject) => {
      this.#tcp.once('error', (error) => {
        const where = formatHostPort({ ...address, host: address.host === '' ? '*' : address.host });
        const isTaken = (error as NodeJS.ErrnoException).code === 'EADDRINUSE';
        const remedy = isTaken
          ? '; stop what listens there ("ss -ltnp" says what), or choose another with --listen'
          : '';
        reject(new ListenError(`cannot listen on ${where}: ${error.message}${remedy}`, { cause: error }));
      });
      const options = address.host === '' ? { port: address.port } : { port: address.port, host: address.host };
      this.#tcp.listen(options, () => {
        const bound = this.#tcp.address();
        resolve(bound === null || typeof bound === 'string' ? address : { host: bound.address, port: bound.port });
      });
    });
  }

  /** No new connections; the present ones get `graceMs` to end their calls. Resolves when all are closed. */
  async stop(graceMs: number): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#tcp.close(() => resolve()));
    this.#injector.drain(graceMs);
    const cut = setTimeout(() => {
      for (const socket of this.#sockets) socket.destroy();
    }, graceMs);
    await closed;
    clearTimeout(cut);
    this.#injector.destroy();
    this.server.forceShutdown();
  }

  #accept(socket: Socket): void {
    const address = socket.remoteAddress ?? '';
    const count = (this.#perAddress.get(address) ?? 0) + 1;
    if (count > MAX_CONNECTIONS_PER_ADDRESS && !isLoopback(address)) {
      socket.destroy();
      return;
    }
    this.#perAddress.set(address, count);
    this.#sockets.add(socket);
    socket.once('close', () => {
      this.#sockets.delete(socket);
      const left = (this.#perAddress.get(address) ?? 1) - 1;
      if (left === 0) this.#perAddress.delete(address);
      else this.#perAddress.set(address, left);
    });
    // What goes wrong on one connection concerns that connection only; gRPC sees its end.
    socket.on('error', () => socket.destroy());
    this.#injector.injectConnection(socket);
  }
}

function isLoopback(address: string): boolean {
  return address === '::1' || /^(::ffff:)?127\./.test(address);
}
