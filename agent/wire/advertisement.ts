/**
 * VRRP advertisements on the wire (IPv4): layout and encoding. Pure. Decoding is in reception.ts.
 *
 *      0                   1                   2                   3
 *      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *     +-------+-------+---------------+---------------+---------------+
 *     |Version| Type 1|      VRID     |    Priority   | Address count |
 *     +-------+-------+---------------+---------------+---------------+
 *  v2 |   Auth type   |  Interval, s  |                               |
 *  v3 |reserve|  Interval, cs (12)    |           Checksum            |
 *     +---------------+---------------+-------------------------------+
 *     |            IPv4 addresses, 4 bytes each                       |
 *  v2 |            authentication data, always 8 bytes                |
 */
import { MICROS_PER_CENTISECOND, MICROS_PER_SECOND, type Micros } from '../../proto/rules/time.js';
import type { Ipv4, Version } from '../vrrp/virtual-router.js';
import { addToSum, finishChecksum, patchChecksum, pseudoHeaderSum } from './checksum.js';
import { IPV4_HEADER_LENGTH, IPV4_OFFSET, VRRP_PROTOCOL, writeIpv4Header } from './ipv4-header.js';

/**
 * What a version 3 checksum over IPv4 covers: the VRRP message (RFC 9568 section 5.2.8), or a pseudo-header as well
 * (the reading of RFC 5798 that keepalived, FRR and tcpdump have). Version 2 covers the message.
 */
export type ChecksumForm = 'message_only' | 'pseudo_header';

/** Version 2 authentication type 1 (RFC 2338 section 5.3.6). */
export const AUTH_NONE = 0;
export const AUTH_PASS = 1;
/** Bytes of authentication data at the end of every version 2 message, zero without authentication. */
export const AUTH_DATA_LENGTH = 8;

export const VRRP_HEADER_LENGTH = 8;
export const TYPE_ADVERTISEMENT = 1;

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

/** All that is in an advertisement but the priority. */
export interface AdvertisementFields {
  readonly version: Version;
  /** 1..255 */
  readonly vrid: number;
  /** A whole number of seconds (version 2) or centiseconds (version 3), 1 to MAX_INTERVAL. */
  readonly interval: Micros;
  /** 1..255 of them, in this order. */
  readonly addresses: readonly Ipv4[];
  readonly source: Ipv4;
  /** The group, or a unicast peer. */
  readonly destination: Ipv4;
  /** Version 2 PASS: exactly 8 bytes, shorter secrets padded with zeros. Absent: no authentication. */
  readonly password?: Uint8Array;
  /** Version 3 only. */
  readonly checksum: ChecksumForm;
}

/** Bytes of the VRRP message, without the IP header. */
export function messageLength(version: Version, addressCount: number): number {
  return VRRP_HEADER_LENGTH + addressCount * 4 + (version === 2 ? AUTH_DATA_LENGTH : 0);
}

/**
 * One advertisement, encoded once; only the priority and the IP identification change between sendings. One template per
 * destination.
 */
export class AdvertisementTemplate {
  readonly destination: Ipv4;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #identification = 0;

  /** Throws RangeError if a field is out of its range: whoever makes one has checked them. */
  constructor(fields: AdvertisementFields) {
    this.destination = fields.destination;
    this.#bytes = new Uint8Array(IPV4_HEADER_LENGTH + messageLength(fields.version, fields.addresses.length));
    this.#view = new DataView(this.#bytes.buffer);
    writeIpv4Header(this.#view, fields.source, fields.destination, 0);
    writeMessage(new DataView(this.#bytes.buffer, IPV4_HEADER_LENGTH), fields);
  }

  /**
   * The whole packet with this priority (0..255) and the next identification. The same memory each time: it is good
   * until the next call. The identification goes from 1 to 65535 and around, leaving out 0, which would make the kernel
   * choose one.
   */
  packet(priority: number): Uint8Array {
    const identification = this.#identification === 0xffff ? 1 : this.#identification + 1;
    this.#patch(IPV4_OFFSET.checksum, IPV4_OFFSET.identification, identification);
    this.#identification = identification;

    const count = this.#view.getUint8(IPV4_HEADER_LENGTH + VRRP_OFFSET.addressCount);
    this.#patch(
      IPV4_HEADER_LENGTH + VRRP_OFFSET.checksum,
      IPV4_HEADER_LENGTH + VRRP_OFFSET.priority,
      ((priority & 0xff) << 8) | count,
    );
    return this.#bytes;
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

/** One packet, IP header included. `identification` is 1..65535. Throws RangeError as AdvertisementTemplate does. */
export function encodeAdvertisement(fields: AdvertisementFields, priority: number, identification: number): Uint8Array {
  const bytes = new Uint8Array(IPV4_HEADER_LENGTH + messageLength(fields.version, fields.addresses.length));
  writeIpv4Header(new DataView(bytes.buffer), fields.source, fields.destination, identification);
  writeMessage(new DataView(bytes.buffer, IPV4_HEADER_LENGTH), fields, priority);
  return bytes;
}

/** Fills a zeroed message that is exactly long enough. */
function writeMessage(message: DataView, fields: AdvertisementFields, priority = 0): void {
  const { version, vrid, addresses, password } = fields;
  const unit = version === 2 ? MICROS_PER_SECOND : MICROS_PER_CENTISECOND;
  const interval = fields.interval / unit;
  requireRange('VRID', vrid, 1, 255);
  requireRange('priority', priority, 0, 255);
  requireRange('number of addresses', addresses.length, 1, 255);
  requireRange('interval in units of the wire', interval, 1, MAX_INTERVAL[version] / unit);

  message.setUint8(VRRP_OFFSET.versionAndType, (version << 4) | TYPE_ADVERTISEMENT);
  message.setUint8(VRRP_OFFSET.vrid, vrid);
  message.setUint8(VRRP_OFFSET.priority, priority);
  message.setUint8(VRRP_OFFSET.addressCount, addresses.length);
  let at: number = VRRP_OFFSET.addresses;
  for (const address of addresses) {
    message.setUint32(at, address);
    at += 4;
  }
  if (version === 3) {
    message.setUint16(VRRP_OFFSET.maxInterval, interval);
  } else {
    message.setUint8(VRRP_OFFSET.interval, interval);
    if (password !== undefined) {
      requireRange('length of the password', password.length, AUTH_DATA_LENGTH, AUTH_DATA_LENGTH);
      message.setUint8(VRRP_OFFSET.authType, AUTH_PASS);
      for (const byte of password) message.setUint8(at++, byte);
    }
  }

  const bytes = new Uint8Array(message.buffer, message.byteOffset, message.byteLength);
  const pseudo =
    version === 3 && fields.checksum === 'pseudo_header'
      ? pseudoHeaderSum(fields.source, fields.destination, VRRP_PROTOCOL, bytes.length)
      : 0;
  message.setUint16(VRRP_OFFSET.checksum, finishChecksum(addToSum(pseudo, bytes, 0, bytes.length)));
}

function requireRange(what: string, value: number, least: number, most: number): void {
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new RangeError(`${what} of an advertisement is ${value}, must be a whole number from ${least} to ${most}`);
  }
}
