/** Which ARP and neighbour discovery frames are valid, from RFC 826 and RFC 4861 alone. */
import { addsUp, pseudoHeader } from './checksum.js';

export interface ReferenceArp {
  readonly operation: 'request' | 'reply';
  readonly senderHardware: Uint8Array;
  readonly senderAddress: number;
  readonly targetHardware: Uint8Array;
  readonly targetAddress: number;
}

export function validArp(frame: Uint8Array): ReferenceArp | undefined {
  if (frame.length < 42) return undefined;
  // EtherType ARP; hardware Ethernet, protocol IPv4, their lengths.
  const head = hex(frame.subarray(12, 20));
  const operation = hex(frame.subarray(20, 22));
  if (head !== '0806000108000604' || (operation !== '0001' && operation !== '0002')) return undefined;
  return {
    operation: operation === '0001' ? 'request' : 'reply',
    senderHardware: frame.slice(22, 28),
    senderAddress: Number.parseInt(hex(frame.subarray(28, 32)), 16),
    targetHardware: frame.slice(32, 38),
    targetAddress: Number.parseInt(hex(frame.subarray(38, 42)), 16),
  };
}

export interface ReferenceNeighbor {
  readonly kind: 'solicitation' | 'advertisement';
  readonly source: bigint;
  readonly destination: bigint;
  readonly target: bigint;
  readonly hardwareAddress: Uint8Array;
  readonly isRouter: boolean;
  readonly isSolicited: boolean;
  readonly isOverride: boolean;
}

/** Sections 7.1.1 and 7.1.2, sentence by sentence; over Ethernet (RFC 2464). */
export function validNeighbor(frame: Uint8Array): ReferenceNeighbor | undefined {
  const packet = frame.subarray(14);
  if (hex(frame.subarray(12, 14)) !== '86dd' || packet.length < 40) return undefined;
  if ((packet[0] ?? 0) >> 4 !== 6 || packet[6] !== 58) return undefined;
  const length = 256 * (packet[4] ?? 0) + (packet[5] ?? 0);
  const message = packet.subarray(40, 40 + length);
  if (message.length < length) return undefined;
  // "The IP Hop Limit field has a value of 255."
  if (packet[7] !== 255) return undefined;
  // "ICMP length (derived from the IP length) is 24 or more octets."
  if (length < 24) return undefined;
  // "ICMP Checksum is valid." "ICMP Code is 0."
  if (!addsUp(pseudoHeader(packet.subarray(8, 40), 58, length), message) || message[1] !== 0) return undefined;
  const isSolicitation = message[0] === 135;
  if (!isSolicitation && message[0] !== 136) return undefined;
  const [source, destination, target] = [packet.subarray(8, 24), packet.subarray(24, 40), message.subarray(8, 24)];
  // "Target Address is not a multicast address."
  if (target[0] === 255) return undefined;
  // "All included options have a length that is greater than zero."
  const options: { readonly type: number; readonly body: Uint8Array }[] = [];
  for (let rest = message.subarray(24); rest.length > 0; ) {
    const size = 8 * (rest[1] ?? 0);
    if (size === 0 || size > rest.length) return undefined;
    options.push({ type: rest[0] ?? 0, body: rest.subarray(2, size) });
    rest = rest.subarray(size);
  }
  const flags = isSolicitation ? 0 : (message[4] ?? 0);
  const isNobody = source.every((byte) => byte === 0);
  if (isSolicitation && isNobody) {
    // "... the IP destination address is a solicited-node multicast address" and "there is no source link-layer address option".
    if (!hex(destination).startsWith('ff0200000000000000000001ff')) return undefined;
    // One of another length than Ethernet's is not an address.
    if (options.some(({ type, body }) => type === 1 && body.length === 6)) return undefined;
  }
  // "If the IP Destination Address is a multicast address the Solicited flag is zero."
  if (destination[0] === 255 && (flags & 0x40) !== 0) return undefined;
  const option = options.find(({ type, body }) => type === (isSolicitation ? 1 : 2) && body.length === 6);
  return {
    kind: isSolicitation ? 'solicitation' : 'advertisement',
    source: BigInt(`0x${hex(source)}`),
    destination: BigInt(`0x${hex(destination)}`),
    target: BigInt(`0x${hex(target)}`),
    hardwareAddress: (option?.body ?? frame.subarray(6, 12)).slice(),
    isRouter: (flags & 0x80) !== 0,
    isSolicited: (flags & 0x40) !== 0,
    isOverride: (flags & 0x20) !== 0,
  };
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
