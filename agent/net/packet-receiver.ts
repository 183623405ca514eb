/** A receiver of advertisements on a socket of libc's: what those of IPv4, of IPv6 and of frames have in common. */
import type { IpAddress } from '../../proto/rules/ip.js';
import { libc, SO_ATTACH_FILTER, SO_BINDTODEVICE, SOL_SOCKET } from './libc.js';
import type { MessageVector } from './message-vector.js';
import { type FilterInstruction, NOTHING, withFilter } from './packet-filter.js';
import { PacketReader } from './packet-reader.js';
import { enlargeQueue, socketDrops } from './receive-queue.js';
import type { Receiver, ReceiverOptions } from './receiver-pair.js';
import { OK, type Outcome, refusal, SocketOpenError } from './system-error.js';

/** What tells one kind of receiver from another. */
export interface PacketSource {
  /** Where messages are received. */
  readonly vector: MessageVector;
  /** The whole IP packet of the message with this index in the vector; undefined: it is none. */
  packetOf(index: number): Uint8Array | undefined;
  setMembership(group: IpAddress, isJoin: boolean, doing: string): Outcome;
  close?(): void;
}

export class PacketReceiver implements Receiver {
  readonly #reader: PacketReader;
  #isClosed = false;

  /** @param fd set up, but for what it is to receive; closed with the receiver */
  constructor(
    private readonly fd: number,
    private readonly source: PacketSource,
    private readonly options: ReceiverOptions,
  ) {
    const { interfaceName, rounds, onPackets, onError } = options;
    const packets: Uint8Array[] = [];
    this.#reader = new PacketReader({
      fd,
      interfaceName,
      rounds,
      vector: source.vector,
      onMessages: (count) => {
        packets.length = 0;
        for (let index = 0; index < count; index++) {
          const packet = source.packetOf(index);
          if (packet !== undefined) packets.push(packet);
        }
        if (packets.length > 0) onPackets(packets);
      },
      onError,
    });
    this.#reader.start();
  }

  attach(filter: readonly FilterInstruction[]): Outcome {
    return attachFilter(this.fd, filter, this.options.interfaceName);
  }

  setMembership(group: IpAddress, isJoin: boolean, doing: string): Outcome {
    return this.source.setMembership(group, isJoin, doing);
  }

  drops(): number {
    return socketDrops(this.fd);
  }

  pause(): void {
    this.#reader.stop();
  }

  resume(): void {
    if (!this.#isClosed) this.#reader.start();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#reader.stop();
    this.source.close?.();
    libc().close(this.fd);
  }
}

/** Binds and filters a raw socket before anything can be received: not even what came before the bind is left in it. */
export function setUpRawSocket(fd: number, { vector }: PacketSource, options: ReceiverOptions): void {
  const { interfaceName, filter, room } = options;
  must(attachFilter(fd, NOTHING, interfaceName));
  const name = Buffer.from(`${interfaceName}\0`);
  must(setOption(fd, SOL_SOCKET, SO_BINDTODEVICE, name, `bind to ${interfaceName}`));
  const most = vector.messages.length;
  while (libc().recvmmsg(fd, vector.headers, most, 0) > 0) vector.reset(most);
  vector.reset(most);
  must(enlargeQueue(fd, room, `enlarge the receive queue on ${interfaceName}`));
  must(attachFilter(fd, filter, interfaceName));
}

export function attachFilter(fd: number, filter: readonly FilterInstruction[], interfaceName: string): Outcome {
  return withFilter(filter, (option) =>
    setOption(fd, SOL_SOCKET, SO_ATTACH_FILTER, option, `attach a packet filter on ${interfaceName}`),
  );
}

/** @param doing for the message of a refusal */
export function setOption(fd: number, level: number, option: number, value: Uint8Array, doing: string): Outcome {
  const result = libc().setsockopt(fd, level, option, value);
  return result < 0 ? refusal(-result, doing) : OK;
}

/** Throws SocketOpenError. */
export function must(outcome: Outcome): void {
  if (!outcome.ok) throw new SocketOpenError(outcome);
}
