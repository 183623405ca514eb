/**
 * Arrays of struct mmsghdr for sendmmsg(2) and recvmmsg(2), with all that they point to in one piece of memory, whose
 * address is asked for once. 64-bit Linux.
 *
 *   struct mmsghdr  64 bytes   name, its length, iovec, 1, control, its length, flags; then the length transferred
 *   struct iovec    16 bytes   address, length
 */
import { endianness } from 'node:os';
import { libc } from './libc.js';

export const HEADER_LENGTH = 64;
const IOVEC_LENGTH = 16;
const OFFSET = {
  name: 0,
  nameLength: 8,
  iovec: 16,
  iovecCount: 24,
  control: 32,
  controlLength: 40,
  flags: 48,
  length: 56,
};
const LITTLE = endianness() === 'LE';

/** One message of a vector: where its parts are. */
export interface MessageParts {
  /** Socket address of the other side. */
  readonly name?: Uint8Array;
  readonly data: Uint8Array;
  readonly control?: Uint8Array;
}

/** Length in memory, with the alignment that its successors need. */
function aligned(length: number): number {
  return (length + 7) & ~7;
}

/** Memory that is cut into pieces one after the other. */
export class Arena {
  readonly bytes: Uint8Array;
  readonly #base: bigint;
  #used = 0;

  constructor(length: number) {
    this.bytes = new Uint8Array(aligned(length));
    this.#base = libc().addressOf(this.bytes);
  }

  piece(length: number): Uint8Array {
    const start = this.#used;
    this.#used += aligned(length);
    if (start + length > this.bytes.length) throw new RangeError(`${length} bytes do not fit in an arena`);
    return this.bytes.subarray(start, start + length);
  }

  /** Address of a piece of this arena. */
  addressOf(piece: Uint8Array): bigint {
    return this.#base + BigInt(piece.byteOffset - this.bytes.byteOffset);
  }

  /** Bytes that pieces of these lengths take. */
  static roomFor(...lengths: readonly number[]): number {
    return lengths.reduce((sum, length) => sum + aligned(length), 0);
  }
}

export class MessageVector {
  /** The array of struct mmsghdr. */
  readonly headers: Uint8Array;
  readonly #view: DataView;

  /** @param messages parts that are pieces of `arena`; it needs room for `MessageVector.roomFor(messages.length)` more */
  constructor(
    arena: Arena,
    readonly messages: readonly MessageParts[],
  ) {
    this.headers = arena.piece(messages.length * HEADER_LENGTH);
    this.#view = new DataView(this.headers.buffer, this.headers.byteOffset, this.headers.length);
    const iovecs = arena.piece(messages.length * IOVEC_LENGTH);
    const iovecView = new DataView(iovecs.buffer, iovecs.byteOffset, iovecs.length);
    for (const [i, { name, data, control }] of messages.entries()) {
      iovecView.setBigUint64(i * IOVEC_LENGTH, arena.addressOf(data), LITTLE);
      iovecView.setBigUint64(i * IOVEC_LENGTH + 8, BigInt(data.length), LITTLE);
      const at = i * HEADER_LENGTH;
      if (name !== undefined) this.#view.setBigUint64(at + OFFSET.name, arena.addressOf(name), LITTLE);
      this.#view.setBigUint64(at + OFFSET.iovec, arena.addressOf(iovecs.subarray(i * IOVEC_LENGTH)), LITTLE);
      this.#view.setBigUint64(at + OFFSET.iovecCount, 1n, LITTLE);
      if (control !== undefined) this.#view.setBigUint64(at + OFFSET.control, arena.addressOf(control), LITTLE);
    }
    this.reset(messages.length);
  }

  static roomFor(messages: number): number {
    return Arena.roomFor(messages * HEADER_LENGTH, messages * IOVEC_LENGTH);
  }

  /** Sets what the kernel has overwritten in the first `count` messages: to be called before they are used again. */
  reset(count: number): void {
    for (let i = 0; i < count; i++) {
      const at = i * HEADER_LENGTH;
      const { name, control } = this.messages[i] ?? {};
      this.#view.setUint32(at + OFFSET.nameLength, name?.length ?? 0, LITTLE);
      this.#view.setUint32(at + OFFSET.controlLength, control?.length ?? 0, LITTLE);
      this.#view.setInt32(at + OFFSET.flags, 0, LITTLE);
    }
  }

  /** Bytes of data that were received. */
  receivedLength(i: number): number {
    return this.#view.getUint32(i * HEADER_LENGTH + OFFSET.length, LITTLE);
  }

  /** Bytes of control data that were received. */
  controlLength(i: number): number {
    return this.#view.getUint32(i * HEADER_LENGTH + OFFSET.controlLength, LITTLE);
  }

  /** MSG_TRUNC, MSG_CTRUNC. */
  flags(i: number): number {
    return this.#view.getInt32(i * HEADER_LENGTH + OFFSET.flags, LITTLE);
  }
}
