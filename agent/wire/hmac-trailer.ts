/**
 * The trailer that signs an advertisement (draft-cassen-vrrp-auth-hmac, as keepalived 2.4 sends it). Pure: the MAC
 * function is passed in.
 *
 *      0                   1                   2                   3
 *      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *     +---------------+---------------+-------------------------------+
 *     |    Type (1)   |    Key id     |           reserved            |
 *     +---------------+---------------+-------------------------------+
 *     |                        Seconds since 1970                     |
 *     +-------------------------------+-------------------------------+
 *     |        1/65536 second         |            Counter            |
 *     +-------------------------------+-------------------------------+
 *     |          HMAC-SHA256, the first 16 of its 32 bytes            |
 *     +---------------------------------------------------------------+
 *
 * What is signed: a pseudo-header of 20 bytes (IP family, VRRP version, VRID, 0, source address padded with zeros to 16
 * bytes), the VRRP message with a checksum of zero, the trailer with an HMAC of zeros. Not the destination: one signature
 * serves all unicast peers.
 */

/** A keyed function: HMAC-SHA256 of the bytes, 32 bytes. The argument is only valid during the call. */
export type Mac = (bytes: Uint8Array) => Uint8Array;

export const HMAC_TRAILER_LENGTH = 28;
export const HMAC_TYPE = 1;
/** Bytes of the HMAC that are sent. */
export const HMAC_LENGTH = 16;

/** Bytes from the start of the trailer. */
export const HMAC_OFFSET = { type: 0, keyId: 1, stamp: 4, hmac: 12 } as const;

const PSEUDO_HEADER_LENGTH = 20;

/**
 * A sender's place in time and order: 32 bits of seconds since 1970, 16 bits of 1/65536 s, 16 bits of a counter. Each is
 * greater than the one before (as RFC 1982 compares: the seconds go round in 2106).
 */
export type Stamp = bigint;

/** Stamps are 64 bits, of which all but the counter are time. */
const STAMP_BITS = 64;
const COUNTER_BITS = 16n;
const TICKS_PER_SECOND = 65_536;

/** The least stamp of an instant, of the milliseconds since 1970. */
export function stampOf(wallMs: number): Stamp {
  const ticks = Math.floor((wallMs * TICKS_PER_SECOND) / 1000);
  return BigInt.asUintN(STAMP_BITS, BigInt(ticks) << COUNTER_BITS);
}

export function nextStamp(stamp: Stamp): Stamp {
  return BigInt.asUintN(STAMP_BITS, stamp + 1n);
}

/** How much later `a` is than `b`, as a signed number of stamps: RFC 1982's comparison, by its sign. */
export function stampsBetween(a: Stamp, b: Stamp): bigint {
  return BigInt.asIntN(STAMP_BITS, a - b);
}

/** The same in microseconds, the counter taken for a fraction of a tick. */
export function microsBetween(a: Stamp, b: Stamp): number {
  return (Number(stampsBetween(a, b)) / (TICKS_PER_SECOND * TICKS_PER_SECOND)) * 1_000_000;
}

/**
 * What is signed, in fresh memory.
 *
 * @param packet with IP header, whose version tells the family
 * @param start where the VRRP message begins
 * @param end where it ends, without its trailer
 * @param trailer 28 bytes, whose HMAC does not matter
 */
export function signedBytes(packet: Uint8Array, start: number, end: number, trailer: Uint8Array): Uint8Array {
  const message = packet.subarray(start, end);
  const isIpv6 = (packet[0] ?? 0) >>> 4 === 6;
  const bytes = new Uint8Array(PSEUDO_HEADER_LENGTH + message.length + HMAC_TRAILER_LENGTH);
  bytes[0] = isIpv6 ? 6 : 4;
  bytes[1] = (message[0] ?? 0) >>> 4;
  bytes[2] = message[1] ?? 0;
  bytes.set(isIpv6 ? packet.subarray(8, 24) : packet.subarray(12, 16), 4);
  bytes.set(message, PSEUDO_HEADER_LENGTH);
  bytes.fill(0, PSEUDO_HEADER_LENGTH + 6, PSEUDO_HEADER_LENGTH + 8);
  bytes.set(trailer.subarray(0, HMAC_OFFSET.hmac), PSEUDO_HEADER_LENGTH + message.length);
  return bytes;
}
