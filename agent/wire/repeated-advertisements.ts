/**
 * Reception of advertisements that repeat: an active router sends the same bytes again and again, and what has been judged
 * once need not be read, summed and judged anew. Pure but for what it remembers: for any packets it answers as
 * decodeAdvertisement does.
 */
import type { Family } from '../../proto/rules/ip.js';
import { VRRP_OFFSET } from './advertisement.js';
import { IPV4_HEADER_LENGTH, IPV4_OFFSET } from './ipv4-header.js';
import { IPV6_HEADER_LENGTH } from './ipv6-header.js';
import { decodeAdvertisement, type Expectations, type Reception } from './reception.js';

interface Known {
  readonly expected: Expectations;
  readonly packet: Uint8Array;
  readonly reception: Reception;
}

export class RepeatedAdvertisements {
  /** By VRID: the last that was accepted. */
  readonly #known = new Map<number, Known>();
  readonly #vridAt: number;

  constructor(private readonly family: Family) {
    this.#vridAt = (family === 6 ? IPV6_HEADER_LENGTH : IPV4_HEADER_LENGTH) + VRRP_OFFSET.vrid;
  }

  /** As decodeAdvertisement. What the routers expect is believed to change only by another object in its place. */
  decode(packet: Uint8Array, routers: ReadonlyMap<number, Expectations>): Reception {
    const vrid = packet[this.#vridAt];
    const known = vrid === undefined ? undefined : this.#known.get(vrid);
    if (known !== undefined && known.expected === routers.get(known.reception.vrid ?? 0)) {
      if (this.#isRepeated(known.packet, packet)) return known.reception;
    }
    const reception = decodeAdvertisement(this.family, packet, routers);
    if (reception.ok) this.#remember(packet, reception, routers.get(reception.vrid));
    return reception;
  }

  #remember(packet: Uint8Array, reception: Reception, expected: Expectations | undefined): void {
    // A signature is good once only; a password is compared in a time that does not depend on it.
    if (expected === undefined || expected.hmac !== undefined || expected.password !== undefined) return;
    if (reception.vrid !== undefined) this.#known.set(reception.vrid, { expected, packet: packet.slice(), reception });
  }

  #isRepeated(known: Uint8Array, packet: Uint8Array): boolean {
    if (known.length !== packet.length) return false;
    if (this.family === 6) return areEqual(known, packet, 0, packet.length);
    // All but the identification, and the checksum with it, which is not looked at.
    return (
      areEqual(known, packet, 0, IPV4_OFFSET.identification) &&
      areEqual(known, packet, IPV4_OFFSET.fragment, IPV4_OFFSET.checksum) &&
      areEqual(known, packet, IPV4_OFFSET.source, packet.length)
    );
  }
}

function areEqual(one: Uint8Array, other: Uint8Array, from: number, to: number): boolean {
  for (let at = from; at < to; at++) if (one[at] !== other[at]) return false;
  return true;
}
