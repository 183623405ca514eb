/**
 * VRRP advertisements on the wire: layout and encoding. Pure. Decoding is in reception.ts.
 *
 *      0                   1                   2                   3
 *      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *     +-------+-------+---------------+---------------+---------------+
 *     |Version| Type 1|      VRID     |    Priority   | Address count |
 *     +-------+-------+---------------+---------------+---------------+
 *  v2 |   Auth type   |  Interval, s  |                               |
 *  v3 |reserve|  Interval, cs (12)    |           Checksum            |
 *     +---------------+---------------+-------------------------------+
 *     |        Addresses, 4 (IPv4) or 16 (IPv6) bytes each            |
 *  v2 |        IPv4: authentication data, always 8 bytes              |
 *     +---------------------------------------------------------------+
 *     |        the trailer of 28 bytes, if signed (hmac-trailer.ts)   |
 *
 * Version 2 over IPv6 is in no RFC. It is as keepalived has it: without authentication data, the type alone says PASS.
 *
 * The checksum of IPv6 covers a pseudo-header (RFC 8200 section 8.1) and all that follows the IP header, the trailer too:
 * so does the kernel's, which keepalived leaves it to. That of IPv4 does not cover the trailer.
 */
import { type Family, familyOf, type IpAddress } from '../../proto/rules/ip.js';
import { MICROS_PER_CENTISECOND, MICROS_PER_SECOND, type Micros } from '../../proto/rules/time.js';
import type { Version } from '../vrrp/virtual-router.js';
import { addToSum, finishChecksum, patchChecksum, pseudoHeaderSum } from './checksum.js';
import { HMAC_TRAILER_LENGTH } from './hmac-trailer.js';
import { VRRP_TTL } from './ip-header.js';
import { IPV4_HEADER_LENGTH, IPV4_OFFSET, writeIpv4Header } from './ipv4-header.js';
import {
  IPV6_ADDRESS_LENGTH,
  IPV6_HEADER_LENGTH,
  IPV6_OFFSET,
  writeIpv6Address,
  writeIpv6Header,
} from './ipv6-header.js';

/**
 * What a version 3 checksum over IPv4 covers: the VRRP message (RFC 9568 section 5.2.8), or a pseudo-header as well
 * (the reading of RFC 5798 that keepalived, FRR and tcpdump have). Version 2 covers the message.
 */
export type ChecksumForm = 'message_only' | 'pseudo_header';

/** Version 2 authentication type 1 (RFC 2338 section 5.3.6). */
export const AUTH_NONE = 0;
export const AUTH_PASS = 1;
/** Bytes of authentication data at the end of every version 2 message over IPv4, zero without authentication. */
export const AUTH_DATA_LENGTH = 8;

export const VRRP_HEADER_LENGTH = 8;
export const TYPE_ADVERTISEMENT = 1;

/** The multicast groups (RFC 9568 sections 5.1.1.2 and 5.1.2.2): 224.0.0.18 and ff02::12. */
export const VRRP_GROUPS: { readonly 4: number; readonly 6: bigint } = { 4: 0xe0000012, 6: (0xff02n << 112n) | 0x12n };

/** Greatest interval that fits: 255 s in version 2, 4095 centiseconds in version 3. */
export const MAX_INTERVAL: Readonly<Record<Version, Micros>> = {
  2: 255 * MICROS_PER_SECOND,
  3: 4095 * MICROS_PER_CENTISECOND,
};

/** Bytes from the start of the VRRP message. */
export const VRRP_OFFSET = {
  versionAndType: 0,
  vrid: 1,
  priority: 2,
  addressCount: 3,
  authType: 4,
  interval: 5,
  maxInterval: 4,
  checksum: 6,
  addresses: 8,
} as const;

/** All that is in an advertisement but the priority. Its addresses are of one family. */
export interface AdvertisementFields {
  readonly version: Version;
  /** 1..255 */
  readonly vrid: number;
  /** A whole number of seconds (version 2) or centiseconds (version 3), 1 to MAX_INTERVAL. */
  readonly interval: Micros;
  /** 0..255 of them, in this order. */
  readonly addresses: readonly IpAddress[];
  readonly source: IpAddress;
  /** The group, or a unicast peer. */
  readonly destination: IpAddress;
  /** TTL or hop limit, 1..255. Absent: 255. */
  readonly ttl?: number;
  /** Version 2 PASS: exactly 8 bytes, shorter secrets padded with zeros. Absent: no authentication. */
  readonly password?: Uint8Array;
  /** Version 3 over IPv4 only. */
  readonly checksum: ChecksumForm;
  /** Whether a trailer follows; it is given with each packet. */
  readonly isSigned?: boolean;
}

/** Bytes of the VRRP message, without the IP header and the trailer. */
export function messageLength(family: Family, version: Version, addressCount: number): number {
  if (family === 6) return VRRP_HEADER_LENGTH + addressCount * IPV6_ADDRESS_LENGTH;
  return VRRP_HEADER_LENGTH + addressCount * 4 + (version === 2 ? AUTH_DATA_LENGTH : 0);
}

/**
 * One advertisement, encoded once; only the priority, the trailer and (IPv4) the IP identification change between
 * sendings. One template per destination.
 */
export class AdvertisementTemplate {
  readonly destination: IpAddress;
  /** Where the VRRP message begins in the packet, and ends; a trailer follows. */
  readonly messageStart: number;
  readonly messageEnd: number;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #isSigned: boolean;
  #identification = 0;

  /** Throws RangeError if a field is out of its range: whoever makes one has checked them. */
  constructor(fields: AdvertisementFields) {
    const { version, addresses, source, destination, ttl = VRRP_TTL } = fields;
    const family = familyOf(source);
    this.destination = destination;
    this.#isSigned = fields.isSigned === true;
    this.messageStart = family === 6 ? IPV6_HEADER_LENGTH : IPV4_HEADER_LENGTH;
    this.messageEnd = this.messageStart + messageLength(family, version, addresses.length);
    this.#bytes = new Uint8Array(this.messageEnd + (this.#isSigned ? HMAC_TRAILER_LENGTH : 0));
    this.#view = new DataView(this.#bytes.buffer);
    requireRange('TTL', ttl, 1, 255);
    if (typeof source === 'bigint' && typeof destination === 'bigint') {
      writeIpv6Header(this.#view, source, destination, ttl);
    } else if (typeof source === 'number' && typeof destination === 'number') {
      writeIpv4Header(this.#view, source, destination, ttl);
    } else {
      throw new RangeError('source and destination of an advertisement are of different families');
    }
    writeMessage(new DataView(this.#bytes.buffer, this.messageStart, this.messageEnd - this.messageStart), fields);
    this.#setChecksum(version === 3 && fields.checksum === 'pseudo_header');
  }

  /**
   * The whole packet with this priority (0..255), the next identification and, if signed, this trailer. The same memory
   * each time: it is good until the next call. The identification goes from 1 to 65535 and around, leaving out 0, which
   * would make the kernel choose one. Throws RangeError for another priority.
   */
  packet(priority: number, trailer?: Uint8Array): Uint8Array {
    this.toSign(priority);
    const isIpv4 = this.messageStart === IPV4_HEADER_LENGTH;
    if (isIpv4) {
      const identification = this.#identification === 0xffff ? 1 : this.#identification + 1;
      this.#patch(IPV4_OFFSET.checksum, IPV4_OFFSET.identification, identification);
      this.#identification = identification;
    }
    if (this.#isSigned && trailer !== undefined) {
      this.#bytes.set(trailer, this.messageEnd);
      if (!isIpv4) this.#setChecksum(true);
    }
    return this.#bytes;
  }

  /** The same memory with this priority, the rest as it was left: all that a signature covers is there. */
  toSign(priority: number): Uint8Array {
    requireRange('priority', priority, 0, 255);
    const checksumAt = this.messageStart + VRRP_OFFSET.checksum;
    const count = this.#view.getUint8(this.messageStart + VRRP_OFFSET.addressCount);
    this.#patch(checksumAt, this.messageStart + VRRP_OFFSET.priority, (priority << 8) | count);
    return this.#bytes;
  }

  #setChecksum(hasPseudoHeader: boolean): void {
    const bytes = this.#bytes;
    const isIpv4 = this.messageStart === IPV4_HEADER_LENGTH;
    const end = isIpv4 ? this.messageEnd : bytes.length;
    const addresses = isIpv4 ? IPV4_OFFSET.source : IPV6_OFFSET.source;
    const pseudo =
      isIpv4 && !hasPseudoHeader ? 0 : pseudoHeaderSum(bytes, addresses, this.messageStart, end - this.messageStart);
    const at = this.messageStart + VRRP_OFFSET.checksum;
    this.#view.setUint16(at, 0);
    this.#view.setUint16(at, finishChecksum(addToSum(pseudo, bytes, this.messageStart, end)));
  }

  /** Replaces the 16-bit word at `at` and corrects the checksum at `checksumAt` for it. */
  #patch(checksumAt: number, at: number, word: number): void {
    const view = this.#view;
    const old = view.getUint16(at);
    if (old === word) return;
    view.setUint16(checksumAt, patchChecksum(view.getUint16(checksumAt), old, word));
    view.setUint16(at, word);
  }
}

/** Fills a zeroed message that is exactly long enough, but for priority and checksum. */
function writeMessage(message: DataView, fields: AdvertisementFields): void {
  const { version, vrid, addresses, source, password } = fields;
  const unit = version === 2 ? MICROS_PER_SECOND : MICROS_PER_CENTISECOND;
  const interval = fields.interval / unit;
  requireRange('VRID', vrid, 1, 255);
  requireRange('number of addresses', addresses.length, 0, 255);
  requireRange('interval in units of the wire', interval, 1, MAX_INTERVAL[version] / unit);

  message.setUint8(VRRP_OFFSET.versionAndType, (version << 4) | TYPE_ADVERTISEMENT);
  message.setUint8(VRRP_OFFSET.vrid, vrid);
  message.setUint8(VRRP_OFFSET.addressCount, addresses.length);
  let at: number = VRRP_OFFSET.addresses;
  for (const address of addresses) {
    if (typeof address !== typeof source) {
      throw new RangeError('an address of an advertisement is not of the family of its source');
    }
    if (typeof address === 'bigint') {
      writeIpv6Address(message, at, address);
      at += IPV6_ADDRESS_LENGTH;
    } else {
      message.setUint32(at, address);
      at += 4;
    }
  }
  if (version === 3) {
    message.setUint16(VRRP_OFFSET.maxInterval, interval);
    return;
  }
  message.setUint8(VRRP_OFFSET.interval, interval);
  if (password === undefined) return;
  requireRange('length of the password', password.length, AUTH_DATA_LENGTH, AUTH_DATA_LENGTH);
  message.setUint8(VRRP_OFFSET.authType, AUTH_PASS);
  if (typeof source === 'number') for (const byte of password) message.setUint8(at++, byte);
}

function requireRange(what: string, value: number, least: number, most: number): void {
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new RangeError(`${what} of an advertisement is ${value}, must be a whole number from ${least} to ${most}`);
  }
}
