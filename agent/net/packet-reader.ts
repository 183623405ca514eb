/**
 * Reads the packets of a socket through libc, several in one call: when they come, or in rounds while they come fast
 * (receive-pace.ts). What a receiver of advertisements does besides is its own.
 */
import { constants } from 'node:os';
import { MICROS_PER_MILLISECOND } from '../../proto/rules/time.js';
import { libc, type Poll } from './libc.js';
import type { MessageVector } from './message-vector.js';
import { ReceivePace } from './receive-pace.js';
import type { ReceiveRounds } from './receive-rounds.js';
import { refusal, SocketOpenError } from './system-error.js';

/** Calls per reading, so that a flood cannot hold the loop. */
const MOST_BATCHES = 8;

export interface PacketReaderOptions {
  readonly fd: number;
  readonly interfaceName: string;
  readonly rounds: ReceiveRounds;
  /** Where to; as many are received in one call as it has messages. */
  readonly vector: MessageVector;
  /** The first so many messages of the vector were received; at least one. */
  readonly onMessages: (count: number) => void;
  /** Receiving failed; nothing more is received. */
  readonly onError: (error: Error) => void;
}

export class PacketReader {
  readonly #options: PacketReaderOptions;
  readonly #pace = new ReceivePace();
  readonly #round = () => this.#readRound();
  #isRunning = false;
  #poll: Poll | undefined;

  /** It is to be started. */
  constructor(options: PacketReaderOptions) {
    this.#options = options;
  }

  start(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.#startPoll();
  }

  stop(): void {
    this.#isRunning = false;
    this.#pace.reset();
    this.#options.rounds.leave(this.#round);
    this.#stopPoll();
  }

  #startPoll(): void {
    this.#poll ??= libc().poll(this.#options.fd, () => this.#readWoken());
  }

  #stopPoll(): void {
    this.#poll?.close();
    this.#poll = undefined;
  }

  #readWoken(): void {
    this.#pace.woken(performance.now() * MICROS_PER_MILLISECOND);
    this.#read();
    if (!this.#isRunning || !this.#pace.isInRounds) return;
    if (this.#options.rounds.join(this.#round)) this.#stopPoll();
    else this.#pace.reset();
  }

  #readRound(): void {
    const found = this.#read();
    if (!this.#isRunning) return;
    this.#pace.round(found);
    if (this.#pace.isInRounds) return;
    this.#options.rounds.leave(this.#round);
    this.#startPoll();
  }

  #read(): Parameters<ReceivePace['round']>[0] {
    const { fd, vector, onMessages } = this.#options;
    const most = vector.messages.length;
    for (let batch = 0; batch < MOST_BATCHES; batch++) {
      const count = libc().recvmmsg(fd, vector.headers, most, 0);
      if (count < 0) {
        this.#failed(-count);
        return batch === 0 ? 'nothing' : 'something';
      }
      if (count > 0) onMessages(count);
      vector.reset(count);
      if (count < most || !this.#isRunning) return 'something';
    }
    return 'more than is read at once';
  }

  #failed(errno: number): void {
    const { EAGAIN, EINTR, ENETDOWN } = constants.errno;
    // ENETDOWN is told once when the interface goes down; the socket works again when it is up.
    if (errno === EAGAIN || errno === EINTR || errno === ENETDOWN) return;
    this.stop();
    const { interfaceName, onError } = this.#options;
    onError(new SocketOpenError(refusal(errno, `receive advertisements on ${interfaceName}`)));
  }
}
