/** ICMP and ICMPv6 echo messages (RFC 792, RFC 4443 section 4), as bytes. Total for whatever comes. */
import { addToSum, finishChecksum } from '../wire/checksum.js';

export interface Echo {
  /** 0 to 65535. */
  readonly identifier: number;
  readonly sequence: number;
  readonly payload: Uint8Array;
}

export type EchoAnswer =
  | { readonly kind: 'reply' }
  /** A host on the way says that it cannot be delivered, in words. */
  | { readonly kind: 'unreachable'; readonly reason: string };

const V4 = { request: 8, reply: 0, unreachable: 3, exceeded: 11 } as const;
const V6 = { request: 128, reply: 129, unreachable: 1, exceeded: 3 } as const;
const IPV6_HEADER = 40;
const ECHO_HEADER = 8;

const UNREACHABLE_V4: readonly string[] = ['network', 'host', 'protocol', 'port'];
const UNREACHABLE_V6: readonly string[] = ['no route', 'prohibited', 'beyond scope', 'address', 'port'];

/** For IPv6 the kernel fills in the checksum, which covers addresses only it knows. */
export function encodeEcho(family: 4 | 6, { identifier, sequence, payload }: Echo): Uint8Array {
  const message = new Uint8Array(ECHO_HEADER + payload.length);
  const view = new DataView(message.buffer);
  message[0] = family === 4 ? V4.request : V6.request;
  view.setUint16(4, identifier);
  view.setUint16(6, sequence);
  message.set(payload, ECHO_HEADER);
  if (family === 4) view.setUint16(2, finishChecksum(addToSum(0, message, 0, message.length)));
  return message;
}

/**
 * What a received packet says of our echo; undefined when it is about anything else. IPv4 packets come with their IP
 * header, IPv6 ones without, as raw sockets give them. `fromTarget` says that the packet's source is the host asked.
 */
export function echoAnswer(family: 4 | 6, packet: Uint8Array, sent: Echo, fromTarget: boolean): EchoAnswer | undefined {
  const types = family === 4 ? V4 : V6;
  const at = family === 4 ? ((packet[0] ?? 0) & 0xf) * 4 : 0;
  const message = packet.subarray(at);
  if ((family === 4 && at < 20) || message.length < ECHO_HEADER) return undefined;
  const [type, code = 0] = message;
  if (type === types.reply) {
    return fromTarget && isEcho(message, sent) && samePayload(message, sent) ? { kind: 'reply' } : undefined;
  }
  if (type !== types.unreachable && type !== types.exceeded) return undefined;
  const original = message.subarray(ECHO_HEADER);
  const inner = original.subarray(family === 4 ? ((original[0] ?? 0) & 0xf) * 4 : IPV6_HEADER);
  if (inner.length < ECHO_HEADER || inner[0] !== types.request || !isEcho(inner, sent)) return undefined;
  if (type === types.exceeded) return { kind: 'unreachable', reason: 'time to live exceeded' };
  const what = (family === 4 ? UNREACHABLE_V4 : UNREACHABLE_V6)[code] ?? `code ${code}`;
  return { kind: 'unreachable', reason: `${what} unreachable` };
}

function isEcho(message: Uint8Array, { identifier, sequence }: Echo): boolean {
  const view = new DataView(message.buffer, message.byteOffset, message.length);
  return view.getUint16(4) === identifier && view.getUint16(6) === sequence;
}

function samePayload(message: Uint8Array, { payload }: Echo): boolean {
  return (
    message.length - ECHO_HEADER === payload.length && payload.every((byte, at) => message[ECHO_HEADER + at] === byte)
  );
}
