/**
 * ARP on one interface: announces our IPv4 addresses, asks for other holders of them, hears who else says to have one.
 * Packet sockets through libc.
 */
import type { Ipv4 } from '../vrrp/virtual-router.js';
import { decodeArp, encodeArpProbe, encodeGratuitousArp, isAnnouncement } from '../wire/arp.js';
import { ETHERTYPE_ARP, isSameHardwareAddress } from '../wire/ethernet.js';
import type { AnnouncementSocketOptions } from './claim.js';
import { FrameListener } from './frame-listener.js';
import { FrameSender } from './frame-sender.js';
import { arpClaimFilter } from './packet-filter.js';
import type { Outcome } from './system-error.js';

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

export const openArpSocket: OpenArpSocket = (options) => new HostArpSocket(options);

class HostArpSocket implements ArpSocket {
  readonly interfaceIndex: number;
  readonly #options: AnnouncementSocketOptions;
  readonly #sender: FrameSender;
  readonly #listener: FrameListener<Ipv4>;
  #watched: ReadonlySet<Ipv4> = new Set();
  #own: readonly Uint8Array[] = [];

  constructor(options: AnnouncementSocketOptions) {
    this.interfaceIndex = options.interfaceIndex;
    this.#options = options;
    const protocol = { ...options, etherType: ETHERTYPE_ARP, what: 'ARP' };
    this.#sender = new FrameSender(protocol);
    try {
      this.#listener = new FrameListener({
        ...protocol,
        filter: arpClaimFilter,
        onFrame: (frame) => this.#heard(frame),
      });
    } catch (error) {
      this.#sender.close();
      throw error;
    }
  }

  announce(addresses: readonly Ipv4[], repeat: number): Outcome {
    const { hardwareAddress } = this.#options;
    const frames = addresses.map((address) => encodeGratuitousArp(hardwareAddress, address));
    return this.#sender.send(frames, repeat, 'announce addresses');
  }

  probe(addresses: readonly Ipv4[]): Outcome {
    const { hardwareAddress } = this.#options;
    const frames = addresses.map((address) => encodeArpProbe(hardwareAddress, address));
    return this.#sender.send(frames, 1, 'ask for other holders of addresses');
  }

  watch(addresses: readonly Ipv4[], own: readonly Uint8Array[]): Outcome {
    this.#watched = new Set(addresses);
    this.#own = own;
    return this.#listener.listen(addresses);
  }

  close(): void {
    this.#listener.close();
    this.#sender.close();
  }

  #heard(frame: Uint8Array): void {
    const message = decodeArp(frame);
    if (message === undefined || !this.#watched.has(message.senderAddress)) return;
    const hardwareAddress = message.senderHardware;
    if (this.#own.some((own) => isSameHardwareAddress(own, hardwareAddress))) return;
    const told = message.operation === 'reply' ? 'answer' : 'question';
    const kind = isAnnouncement(message) ? 'announcement' : told;
    this.#options.onClaim({ address: message.senderAddress, hardwareAddress, kind });
  }
}
