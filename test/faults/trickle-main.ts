/**
 * The process of a Trickle: passes TCP connections on, as fast as it can or a few bytes at a time.
 *
 *   node trickle-main.js LISTEN-PORT HOST PORT      standard input: "BYTES-PER-SECOND" or "all" a line
 */
import { connect, createServer, type Socket } from 'node:net';
import process from 'node:process';
import { createInterface } from 'node:readline';

const PERIOD_MS = 100;
/** What is read ahead of what is passed on, in bytes; the rest stays in the kernel and holds up the sender. */
const READ_AHEAD = 4096;

const [, , listenPort = '', host = '', port = ''] = process.argv;

/** Bytes in each direction of each connection. */
let perPeriod = Number.POSITIVE_INFINITY;
const ways = new Set<Way>();

class Way {
  #waiting = Buffer.alloc(0);
  #isEnding = false;

  constructor(
    private readonly from: Socket,
    private readonly to: Socket,
  ) {
    ways.add(this);
    from.on('data', (bytes) => {
      this.#waiting = Buffer.concat([this.#waiting, bytes]);
      if (perPeriod === Number.POSITIVE_INFINITY) this.pass();
      else if (this.#waiting.length > READ_AHEAD) from.pause();
    });
    from.on('end', () => {
      this.#isEnding = true;
      if (perPeriod === Number.POSITIVE_INFINITY) this.pass();
    });
    from.on('error', () => to.destroy());
    from.on('close', () => {
      if (!this.#isEnding) to.destroy();
    });
    to.on('close', () => ways.delete(this));
  }

  /** As much as may go now. */
  pass(): void {
    const count = Math.min(perPeriod, this.#waiting.length);
    if (count > 0) this.to.write(this.#waiting.subarray(0, count));
    this.#waiting = this.#waiting.subarray(count);
    if (this.#waiting.length <= READ_AHEAD) this.from.resume();
    if (this.#isEnding && this.#waiting.length === 0) this.to.end();
  }
}

const server = createServer({ allowHalfOpen: true }, (client) => {
  const upstream = connect({ host, port: Number(port), allowHalfOpen: true });
  new Way(client, upstream);
  new Way(upstream, client);
});
server.listen(Number(listenPort), host, () => process.stdout.write('listening\n'));
setInterval(() => {
  for (const way of [...ways]) way.pass();
}, PERIOD_MS);
createInterface(process.stdin).on('line', (line) => {
  perPeriod = line === 'all' ? Number.POSITIVE_INFINITY : (Number(line) * PERIOD_MS) / 1000;
  process.stdout.write(`passing ${line}\n`);
});
