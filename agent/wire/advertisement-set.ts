/** The packets of one virtual router's advertisement: one for each destination, signed once for all. Pure. */
import type { IpAddress } from '../../proto/rules/ip.js';
import { type AdvertisementFields, AdvertisementTemplate } from './advertisement.js';
import type { HmacSigner } from './hmac-signer.js';

export interface OutgoingPacket {
  readonly destination: IpAddress;
  /** With IP header; overwritten by the next call of `packets`. */
  bytes: Uint8Array;
}

export class AdvertisementSet {
  readonly #templates: readonly AdvertisementTemplate[];
  readonly #packets: OutgoingPacket[];

  /**
   * Throws RangeError as AdvertisementTemplate does.
   *
   * @param destinations the multicast group, or each unicast peer
   * @param signer absent: not signed
   */
  constructor(
    fields: Omit<AdvertisementFields, 'destination' | 'isSigned'>,
    destinations: readonly IpAddress[],
    private readonly signer?: HmacSigner,
  ) {
    this.#templates = destinations.map(
      (destination) => new AdvertisementTemplate({ ...fields, destination, isSigned: signer !== undefined }),
    );
    this.#packets = destinations.map((destination) => ({ destination, bytes: new Uint8Array(0) }));
  }

  /** One packet for each destination, with this priority (0..255). The same objects and memory each time. */
  packets(priority: number): readonly OutgoingPacket[] {
    const [first] = this.#templates;
    if (first === undefined) return this.#packets;
    // The signature covers neither the destination nor the checksum: any of them may be signed for all.
    const trailer = this.signer?.trailerOf(first.toSign(priority), first.messageStart, first.messageEnd);
    for (const [i, template] of this.#templates.entries()) {
      const packet = this.#packets[i];
      if (packet !== undefined) packet.bytes = template.packet(priority, trailer);
    }
    return this.#packets;
  }
}
