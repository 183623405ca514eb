/**
 * Receives IPv4 packets of protocol 112 as they come to an interface, by a packet socket, before the kernel asks whether
 * their source would be reached by that interface. For the macvlan of a virtual MAC address: a backup's has no IPv4
 * address, and then the kernel drops everything whose way back is another interface, unless rp_filter is 0 there and for
 * all (docs/decisions/0017).
 */
import { constants } from 'node:os';
import type { IpAddress } from '../../proto/rules/ip.js';
import { addToSum, finishChecksum } from '../wire/checksum.js';
import { IPV4_HEADER_LENGTH, IPV4_OFFSET } from '../wire/ipv4-header.js';
import { GroupMember } from './group-member.js';
import { AF_PACKET, libc, type Poll, SO_ATTACH_FILTER, SOL_SOCKET } from './libc.js';
import { type FilterInstruction, withFilter } from './packet-filter.js';
import { enlargeQueue, socketDrops } from './receive-queue.js';
import type { Receiver, ReceiverOptions } from './receiver-pair.js';
import { linkAddress, SOCKADDR_LL_LENGTH } from './socket-address.js';
import { OK, type Outcome, refusal, SocketOpenError } from './system-error.js';

/** Without the frame's header. */
const SOCK_DGRAM = 2;
const ETHERTYPE_IPV4 = 0x0800;
/** Greater than any advertisement; what is longer is refused for its length anyhow. */
const PACKET_BUFFER = 2048;
/** Packets read per wake-up, so that a flood cannot hold the loop. */
const READ_BATCH = 64;

export class Ipv4FrameReceiver implements Receiver {
  readonly #options: ReceiverOptions;
  readonly #fd: number;
  readonly #member: GroupMember;
  readonly #packet = new Uint8Array(PACKET_BUFFER);
  readonly #view = new DataView(this.#packet.buffer);
  readonly #from = new Uint8Array(SOCKADDR_LL_LENGTH);
  #poll: Poll | undefined;
  #isClosed = false;

  /** Throws SocketOpenError. */
  constructor(options: ReceiverOptions) {
    this.#options = options;
    this.#member = new GroupMember(options);
    const doing = `receive advertisements on ${options.interfaceName}`;
    const c = libc();
    // Protocol 0 until the filter is attached: nothing else can be received.
    this.#fd = c.socket(AF_PACKET, SOCK_DGRAM, 0);
    if (this.#fd < 0) throw new SocketOpenError(refusal(-this.#fd, doing));
    let outcome = this.attach(options.filter);
    if (outcome.ok) outcome = enlargeQueue(this.#fd, options.room, doing);
    if (outcome.ok) {
      const result = c.bind(this.#fd, linkAddress(options.interfaceIndex, ETHERTYPE_IPV4));
      outcome = result < 0 ? refusal(-result, doing) : OK;
    }
    if (!outcome.ok) {
      c.close(this.#fd);
      throw new SocketOpenError(outcome);
    }
    this.resume();
  }

  attach(filter: readonly FilterInstruction[]): Outcome {
    const result = withFilter(filter, (option) => libc().setsockopt(this.#fd, SOL_SOCKET, SO_ATTACH_FILTER, option));
    return result < 0 ? refusal(-result, `attach a packet filter on ${this.#options.interfaceName}`) : OK;
  }

  setMembership(group: IpAddress, isJoin: boolean): Outcome {
    return this.#member.change(group, isJoin);
  }

  drops(): number {
    return socketDrops(this.#fd);
  }

  pause(): void {
    this.#poll?.close();
    this.#poll = undefined;
  }

  resume(): void {
    if (!this.#isClosed) this.#poll ??= libc().poll(this.#fd, () => this.#receive());
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.pause();
    this.#member.close();
    libc().close(this.#fd);
  }

  #receive(): void {
    for (let i = 0; i < READ_BATCH && this.#poll !== undefined; i++) {
      const count = libc().recvfrom(this.#fd, this.#packet, 0, this.#from);
      if (count < 0) {
        const { EAGAIN, EINTR, ENETDOWN } = constants.errno;
        // ENETDOWN is told once when the interface goes down; the socket works again when it is up.
        if (count === -EAGAIN || count === -EINTR || count === -ENETDOWN) return;
        this.pause();
        const doing = `receive advertisements on ${this.#options.interfaceName}`;
        this.#options.onError(new SocketOpenError(refusal(-count, doing)));
        return;
      }
      const packet = this.#received(count);
      if (packet !== undefined) this.#options.onPacket(packet);
    }
  }

  /** As a raw socket would have it: without the frame's padding, and nothing whose header has a wrong checksum. */
  #received(count: number): Uint8Array | undefined {
    const headerLength = (this.#view.getUint8(0) & 0x0f) * 4;
    if (headerLength < IPV4_HEADER_LENGTH || count < headerLength) return undefined;
    if (finishChecksum(addToSum(0, this.#packet, 0, headerLength)) !== 0) return undefined;
    return this.#packet.subarray(0, Math.min(count, this.#view.getUint16(IPV4_OFFSET.totalLength)));
  }
}
