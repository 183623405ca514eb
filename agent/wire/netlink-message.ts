/**
 * Netlink messages and attributes (netlink(7), linux/netlink.h): building several in one datagram, taking a datagram
 * apart. Host byte order, which is little-endian on every machine Baton runs on; the socket refuses others. Pure and
 * total: lengths from the other side are never trusted.
 *
 *     +---------+------+-------+-----+--------+----------------------------+---------
 *     | len 4   |type 2|flags 2|seq 4|portid 4| fixed part | attributes... | next
 *     +---------+------+-------+-----+--------+----------------------------+---------
 *                                attribute: | len 2 | type 2 | value | padding to 4 |
 */
import type { IpAddress } from '../../proto/rules/ip.js';

export const NLM_F_REQUEST = 0x1;
export const NLM_F_ACK = 0x4;
export const NLM_F_DUMP = 0x300;
/** In a dump's answer: something changed meanwhile, the dump may be inconsistent. */
export const NLM_F_DUMP_INTR = 0x10;
export const NLM_F_REPLACE = 0x100;
export const NLM_F_EXCL = 0x200;
export const NLM_F_CREATE = 0x400;
export const NLM_F_APPEND = 0x800;
/** In an error message: extended acknowledgement attributes follow. */
const NLM_F_CAPPED = 0x100;
const NLM_F_ACK_TLVS = 0x200;

export const NLMSG_ERROR = 2;
export const NLMSG_DONE = 3;
export const NLMSG_OVERRUN = 4;

const HEADER_LENGTH = 16;
const ATTRIBUTE_HEADER_LENGTH = 4;
/** Attribute types have two flag bits above 14 bits of type. */
const ATTRIBUTE_TYPE_MASK = 0x3fff;
const NLA_F_NESTED = 0x8000;
const NLMSGERR_ATTR_MSG = 1;

export interface NetlinkMessage {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  /** Port id of the request that caused a notification; 0 for the kernel's own doing. */
  readonly portId: number;
  /** What follows the header, without padding. */
  readonly payload: Uint8Array;
}

interface NetlinkError {
  /** Positive errno; 0 acknowledges. */
  readonly errno: number;
  /** The kernel's explanation, if it gave one. */
  readonly message?: string;
}

/** Builds one datagram of one or more messages; grows as needed. */
export class NetlinkWriter {
  #bytes = new Uint8Array(1024);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;
  #messageStart = 0;

  /** Begins a message; its length is set by end(). */
  begin(type: number, flags: number, sequence: number): void {
    this.#messageStart = this.#length;
    this.#reserve(HEADER_LENGTH);
    const at = this.#messageStart;
    this.#view.setUint16(at + 4, type, true);
    this.#view.setUint16(at + 6, flags, true);
    this.#view.setUint32(at + 8, sequence, true);
  }

  /** Appends raw bytes, the fixed part of a message. */
  bytes(value: Uint8Array): void {
    const at = this.#reserve(value.length);
    this.#bytes.set(value, at);
  }

  attribute(type: number, value: Uint8Array): void {
    const at = this.#reserve(ATTRIBUTE_HEADER_LENGTH + value.length);
    this.#view.setUint16(at, ATTRIBUTE_HEADER_LENGTH + value.length, true);
    this.#view.setUint16(at + 2, type, true);
    this.#bytes.set(value, at + ATTRIBUTE_HEADER_LENGTH);
  }

  /** A string, NUL-terminated unless told otherwise. */
  text(type: number, text: string, isTerminated = true): void {
    const bytes = textBytes(text);
    this.attribute(type, isTerminated ? bytes : bytes.subarray(0, -1));
  }

  uint8(type: number, value: number): void {
    const at = this.#value(type, 1);
    this.#view.setUint8(at, value);
  }

  uint32(type: number, value: number): void {
    const at = this.#value(type, 4);
    this.#view.setUint32(at, value, true);
  }

  /** In network order, as netfilter has its numbers. */
  bigEndian32(type: number, value: number): void {
    const at = this.#value(type, 4);
    this.#view.setUint32(at, value);
  }

  /** 4 or 16 bytes in network order. */
  ipAddress(type: number, address: IpAddress): void {
    if (typeof address === 'number') {
      this.bigEndian32(type, address);
      return;
    }
    const at = this.#value(type, 16);
    this.#view.setBigUint64(at, address >> 64n);
    this.#view.setBigUint64(at + 8, address & 0xffff_ffff_ffff_ffffn);
  }

  /** Begins an attribute whose value is what is written until it is closed; returns what close() wants. */
  open(type: number): number {
    const at = this.#reserve(ATTRIBUTE_HEADER_LENGTH);
    this.#view.setUint16(at + 2, type | NLA_F_NESTED, true);
    return at;
  }

  /** At most 65535 bytes may have been written since open(). */
  close(opened: number): void {
    this.#view.setUint16(opened, this.#length - opened, true);
  }

  end(): void {
    this.#view.setUint32(this.#messageStart, this.#length - this.#messageStart, true);
  }

  get length(): number {
    return this.#length;
  }

  /** The datagram so far. Good until the next call of any other method. */
  datagram(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  clear(): void {
    this.#length = 0;
    this.#messageStart = 0;
  }

  /** Makes room for an attribute, after which the view may be another; returns where its value begins. */
  #value(type: number, length: number): number {
    const at = this.#reserve(ATTRIBUTE_HEADER_LENGTH + length);
    this.#view.setUint16(at, ATTRIBUTE_HEADER_LENGTH + length, true);
    this.#view.setUint16(at + 2, type, true);
    return at + ATTRIBUTE_HEADER_LENGTH;
  }

  /** Makes room for `count` zeroed bytes and padding; returns where they begin. */
  #reserve(count: number): number {
    const at = this.#length;
    this.#length = at + align(count);
    if (this.#length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(this.#length, this.#bytes.length * 2));
      larger.set(this.#bytes);
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    this.#bytes.fill(0, at, this.#length);
    return at;
  }
}

/** Takes a datagram apart. Stops at the first message whose length is impossible. */
export function* messagesOf(datagram: Uint8Array): Generator<NetlinkMessage> {
  const view = new DataView(datagram.buffer, datagram.byteOffset, datagram.byteLength);
  let at = 0;
  while (at + HEADER_LENGTH <= datagram.length) {
    const length = view.getUint32(at, true);
    if (length < HEADER_LENGTH || length > datagram.length - at) return;
    yield {
      type: view.getUint16(at + 4, true),
      flags: view.getUint16(at + 6, true),
      sequence: view.getUint32(at + 8, true),
      portId: view.getUint32(at + 12, true),
      payload: datagram.subarray(at + HEADER_LENGTH, at + length),
    };
    at += align(length);
  }
}

/** Attributes by type from `start` on; of repeated ones the last. Stops at the first whose length is impossible. */
export function attributesOf(payload: Uint8Array, start: number): Map<number, Uint8Array> {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const attributes = new Map<number, Uint8Array>();
  let at = start;
  while (at + ATTRIBUTE_HEADER_LENGTH <= payload.length) {
    const length = view.getUint16(at, true);
    if (length < ATTRIBUTE_HEADER_LENGTH || length > payload.length - at) break;
    const type = view.getUint16(at + 2, true) & ATTRIBUTE_TYPE_MASK;
    attributes.set(type, payload.subarray(at + ATTRIBUTE_HEADER_LENGTH, at + length));
    at += align(length);
  }
  return attributes;
}

/** Reads NLMSG_ERROR, or NLMSG_DONE, which ends a dump; undefined for any other message or one that is too short. */
export function readError(message: NetlinkMessage): NetlinkError | undefined {
  const { payload } = message;
  if ((message.type !== NLMSG_ERROR && message.type !== NLMSG_DONE) || payload.length < 4) return undefined;
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const errno = 0 - view.getInt32(0, true);
  if (message.type === NLMSG_DONE || (message.flags & NLM_F_ACK_TLVS) === 0 || payload.length < 4 + HEADER_LENGTH)
    return { errno };
  // The refused message follows, its header only if capped, and then the attributes.
  const echoed = (message.flags & NLM_F_CAPPED) !== 0 ? HEADER_LENGTH : align(view.getUint32(4, true));
  const text = attributesOf(payload, 4 + echoed).get(NLMSGERR_ATTR_MSG);
  return text === undefined ? { errno } : { errno, message: textOf(text) };
}

/** A NUL-terminated or unterminated string; bytes outside of ASCII become "?". */
export function textOf(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) {
    if (byte === 0) break;
    text += byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '?';
  }
  return text;
}

/** NUL-terminated ASCII; anything else cannot be an interface's name or label and becomes "?". */
export function textBytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length + 1);
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    bytes[i] = code >= 0x20 && code < 0x7f ? code : 0x3f;
  }
  return bytes;
}

/** Little-endian. Undefined if the attribute is missing or of another size. */
export function uint32Of(bytes: Uint8Array | undefined): number | undefined {
  if (bytes?.length !== 4) return undefined;
  return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true);
}

/** Of any length, also one beyond 31 bits that somebody claims: never negative. */
function align(length: number): number {
  return length + (-length & 3);
}
