/**
 * Gratuitous ARP on one interface: sends our announcements, hears others'. Packet sockets through libc.
 */
import { constants } from 'node:os';
import type { Ipv4 } from '../vrrp/virtual-router.js';
import {
  BROADCAST_ADDRESS,
  decodeArp,
  ETHERNET_ADDRESS_LENGTH,
  ETHERTYPE_ARP,
  encodeGratuitousArp,
  isAnnouncement,
} from '../wire/arp.js';
import type { AnnouncementSocketOptions } from './claim.js';
import { AF_PACKET, intOption, libc, type Poll, SO_ATTACH_FILTER, SOCK_RAW, SOL_SOCKET } from './libc.js';
import { ARP_ANNOUNCEMENTS, withFilter } from './packet-filter.js';
import { OK, type Outcome, refusal, SocketOpenError } from './system-error.js';

export interface ArpSocket {
  readonly interfaceIndex: number;
  /**
   * Sends gratuitous ARP requests now, synchronously: `repeat` rounds over all addresses. Goes on after a failure; the
   * first one is returned. ENETDOWN: the interface is down; ENXIO: it is gone.
   */
  announce(addresses: readonly Ipv4[], repeat: number): Outcome;
  /**
   * Asks once for other holders of each address (RFC 5227 section 2.1.1): from no address, so that nobody learns one
   * from it. Who has it answers, and is heard if the address is watched.
   */
  probe(addresses: readonly Ipv4[]): Outcome;
  /**
   * Hears claims to these addresses from now on, but for those from `own` hardware addresses; none: stops. Replaces what
   * was watched before.
   */
  watch(addresses: readonly Ipv4[], own: readonly Uint8Array[]): Outcome;
  close(): void;
}

/** Throws SocketOpenError (EPERM; EAFNOSUPPORT: the interface is not Ethernet). */
export type OpenArpSocket = (options: AnnouncementSocketOptions) => ArpSocket;

/** struct sockaddr_ll with an address of 8 bytes (packet(7)). */
const SOCKADDR_LL_LENGTH = 20;
const FRAME_BUFFER = 128;
/** Frames read per wake-up, so that a flood cannot hold the loop. */
const READ_BATCH = 16;

export const openArpSocket: OpenArpSocket = (options) => new HostArpSocket(options);

class HostArpSocket implements ArpSocket {
  readonly interfaceIndex: number;
  readonly #options: AnnouncementSocketOptions;
  readonly #sender: number;
  readonly #broadcast: Uint8Array;
  readonly #frame = new Uint8Array(FRAME_BUFFER);
  readonly #from = new Uint8Array(SOCKADDR_LL_LENGTH);
  #listener: { readonly fd: number; readonly poll: Poll } | undefined;
  #isClosed = false;

  constructor(options: AnnouncementSocketOptions) {
    this.interfaceIndex = options.interfaceIndex;
    this.#options = options;
    const doing = `open a packet socket for ARP on ${options.interfaceName}`;
    if (options.hardwareAddress.length !== ETHERNET_ADDRESS_LENGTH) {
      throw new SocketOpenError(refusal(constants.errno.EAFNOSUPPORT, doing, 'it has no Ethernet address'));
    }
    this.#broadcast = linkAddress(options.interfaceIndex, BROADCAST_ADDRESS);
    // Protocol 0: this one receives nothing.
    this.#sender = libc().socket(AF_PACKET, SOCK_RAW, 0);
    if (this.#sender < 0) throw new SocketOpenError(refusal(-this.#sender, doing));
  }

  announce(addresses: readonly Ipv4[], repeat: number): Outcome {
    const doing = `announce addresses on ${this.#options.interfaceName}`;
    if (this.#isClosed) return refusal(constants.errno.EBADF, doing);
    const frames = addresses.map((address) => encodeGratuitousArp(this.#options.hardwareAddress, address));
    let first: Outcome = OK;
    for (let round = 0; round < repeat; round++) {
      for (const frame of frames) {
        const result = libc().sendto(this.#sender, frame, frame.length, 0, this.#broadcast);
        if (result < 0 && first.ok) first = refusal(-result, doing);
      }
    }
    return first;
  }

  listen(on: boolean): Outcome {
    if (on === (this.#listener !== undefined)) return OK;
    if (!on) {
      this.#stopListening();
      return OK;
    }
    const doing = `listen for ARP on ${this.#options.interfaceName}`;
    if (this.#isClosed) return refusal(constants.errno.EBADF, doing);
    const c = libc();
    // Protocol 0 until the filter is attached: nothing else can be received.
    const fd = c.socket(AF_PACKET, SOCK_RAW, 0);
    if (fd < 0) return refusal(-fd, doing);
    let result = withFilter(ARP_ANNOUNCEMENTS, (option) => c.setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, option));
    if (result >= 0) result = c.bind(fd, linkAddress(this.interfaceIndex, new Uint8Array(0)));
    if (result < 0) {
      c.close(fd);
      return refusal(-result, doing);
    }
    this.#listener = { fd, poll: c.poll(fd, () => this.#receive(fd)) };
    return OK;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#stopListening();
    libc().close(this.#sender);
  }

  #receive(fd: number): void {
    for (let i = 0; i < READ_BATCH && this.#listener?.fd === fd; i++) {
      const count = libc().recvfrom(fd, this.#frame, 0, this.#from);
      if (count < 0) {
        const { EAGAIN, EINTR, ENETDOWN } = constants.errno;
        // ENETDOWN is told once when the interface goes down; the socket works again when it is up.
        if (count === -EAGAIN || count === -EINTR || count === -ENETDOWN) return;
        this.#stopListening();
        const doing = `listen for ARP on ${this.#options.interfaceName}`;
        this.#options.onError(new SocketOpenError(refusal(-count, doing)));
        return;
      }
      const message = decodeArp(this.#frame.subarray(0, count));
      if (message === undefined || !isAnnouncement(message)) continue;
      this.#options.onAnnouncement(message.senderAddress, message.senderHardware);
    }
  }

  #stopListening(): void {
    if (this.#listener === undefined) return;
    const { fd, poll } = this.#listener;
    this.#listener = undefined;
    poll.close();
    libc().close(fd);
  }
}

function linkAddress(interfaceIndex: number, hardwareAddress: Uint8Array): Uint8Array {
  const address = new Uint8Array(SOCKADDR_LL_LENGTH);
  const view = new DataView(address.buffer);
  address.set(intOption(AF_PACKET).subarray(0, 2), 0);
  view.setUint16(2, ETHERTYPE_ARP);
  address.set(intOption(interfaceIndex), 4);
  view.setUint8(11, hardwareAddress.length);
  address.set(hardwareAddress, 12);
  return address;
}
