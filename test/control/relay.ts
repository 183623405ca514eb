/** Stands between an agent and its controller, as a network that fails in its ways. */
import { connect, createServer, type Socket } from 'node:net';

/** Passes bytes on until it is told to swallow them all, or to hold them back, without closing anything. */
export class Relay {
  #swallowing = false;
  readonly #sockets = new Set<Socket>();
  readonly #server = createServer((client) => {
    const upstream = connect(this.#upstreamPort, '127.0.0.1');
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      this.#sockets.add(from);
      from.on('close', () => this.#sockets.delete(from));
      from.on('data', (bytes) => {
        if (!this.#swallowing) to.write(bytes);
      });
      from.on('error', () => from.destroy());
      from.on('close', () => {
        if (!this.#swallowing) to.destroy();
      });
    }
  });
  readonly #upstreamPort: number;

  constructor(upstreamPort: number) {
    this.#upstreamPort = upstreamPort;
  }

  listen(): Promise<number> {
    return new Promise((resolve) => {
      this.#server.listen(0, '127.0.0.1', () => {
        const address = this.#server.address();
        resolve(address !== null && typeof address === 'object' ? address.port : 0);
      });
    });
  }

  swallow(): void {
    this.#swallowing = true;
  }

  heal(): void {
    this.#swallowing = false;
  }

  /** Takes nothing any more: what is sent stays with its sender, as far as the kernel takes it. */
  hold(): void {
    for (const socket of this.#sockets) socket.pause();
  }

  release(): void {
    for (const socket of this.#sockets) socket.resume();
  }

  /** That both sides have open. */
  get connections(): number {
    return this.#sockets.size / 2;
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }
}
