/** Sends whole Ethernet frames of one protocol out of one interface, many in one call of the kernel. */
import { constants } from 'node:os';
import { ETHERNET_ADDRESS_LENGTH } from '../wire/ethernet.js';
import { AF_PACKET, libc, SOCK_RAW } from './libc.js';
import { Arena, HEADER_LENGTH, MessageVector } from './message-vector.js';
import { linkAddress } from './socket-address.js';
import { OK, type Outcome, refusal, SocketOpenError } from './system-error.js';

/** UIO_MAXIOV: what sendmmsg takes at once. */
const MOST_MESSAGES = 1024;
/** After these, no other frame would fare better. */
const INTERFACE_ERRORS: ReadonlySet<number> = new Set([
  constants.errno.ENETDOWN,
  constants.errno.ENODEV,
  constants.errno.ENXIO,
]);

export interface FrameSenderOptions {
  readonly interfaceName: string;
  readonly interfaceIndex: number;
  /** The interface's; not six bytes: it is not Ethernet. */
  readonly hardwareAddress: Uint8Array;
  readonly etherType: number;
  /** For messages: "ARP". */
  readonly what: string;
}

export class FrameSender {
  readonly #options: FrameSenderOptions;
  readonly #fd: number;
  readonly #to: Uint8Array;
  #isClosed = false;

  /** Throws SocketOpenError (EPERM; EAFNOSUPPORT: the interface is not Ethernet). */
  constructor(options: FrameSenderOptions) {
    this.#options = options;
    const doing = `open a packet socket for ${options.what} on ${options.interfaceName}`;
    if (options.hardwareAddress.length !== ETHERNET_ADDRESS_LENGTH) {
      throw new SocketOpenError(refusal(constants.errno.EAFNOSUPPORT, doing, 'it has no Ethernet address'));
    }
    this.#to = linkAddress(options.interfaceIndex, options.etherType);
    // Protocol 0: this one receives nothing.
    this.#fd = libc().socket(AF_PACKET, SOCK_RAW, 0);
    if (this.#fd < 0) throw new SocketOpenError(refusal(-this.#fd, doing));
  }

  /**
   * Sends all frames, `repeat` rounds over them, in order. Goes on after a failure that is not the interface's; the first
   * one is returned.
   */
  send(frames: readonly Uint8Array[], repeat: number, doing: string): Outcome {
    const trying = `${doing} on ${this.#options.interfaceName}`;
    if (this.#isClosed) return refusal(constants.errno.EBADF, trying);
    if (frames.length === 0 || repeat <= 0) return OK;
    let outcome: Outcome = OK;
    const rounds = Math.max(1, Math.min(repeat, Math.floor(MOST_MESSAGES / frames.length)));
    const vector = this.#vectorOf(frames, rounds);
    for (let left = repeat * frames.length; left > 0; ) {
      const count = Math.min(left, vector.messages.length);
      const errno = this.#sendVector(vector, count);
      if (errno !== 0 && outcome.ok) outcome = refusal(errno, trying);
      if (INTERFACE_ERRORS.has(errno)) break;
      left -= count;
    }
    return outcome;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    libc().close(this.#fd);
  }

  #vectorOf(frames: readonly Uint8Array[], rounds: number): MessageVector {
    const count = frames.length * rounds;
    const arena = new Arena(
      Arena.roomFor(this.#to.length, ...frames.map(({ length }) => length)) + MessageVector.roomFor(count),
    );
    const put = (bytes: Uint8Array) => {
      const piece = arena.piece(bytes.length);
      piece.set(bytes);
      return piece;
    };
    const name = put(this.#to);
    const data = frames.map(put);
    return new MessageVector(
      arena,
      Array.from({ length: rounds }, () => data.map((piece) => ({ name, data: piece }))).flat(),
    );
  }

  /** The first errno, or 0. */
  #sendVector(vector: MessageVector, count: number): number {
    let first = 0;
    for (let at = 0; at < count; ) {
      const atOnce = Math.min(count - at, MOST_MESSAGES);
      const sent = libc().sendmmsg(this.#fd, vector.headers.subarray(at * HEADER_LENGTH), atOnce, 0);
      if (sent >= 0) {
        at += sent;
        continue;
      }
      if (first === 0) first = -sent;
      if (INTERFACE_ERRORS.has(-sent)) break;
      at += 1;
    }
    return first;
  }
}
