/** Advertisements made by the encoder and judged by the decoder, with nothing in between. */
import { type AdvertisementFields, AdvertisementTemplate } from '../../agent/wire/advertisement.js';
import { type DropReason, decodeAdvertisement, type Expectations } from '../../agent/wire/reception.js';
import type { Family } from '../../proto/rules/ip.js';
import { anyIp } from '../wire/captured.js';

/** Version 3, VRID 10, 1 s, from 10.0.0.1 for 10.0.0.100 and 10.0.0.101. */
export function ipv4Fields(changes: Partial<AdvertisementFields> = {}): AdvertisementFields {
  return {
    version: 3,
    vrid: 10,
    interval: 1_000_000,
    addresses: ['10.0.0.100', '10.0.0.101'].map(anyIp),
    source: anyIp('10.0.0.1'),
    destination: anyIp('224.0.0.18'),
    checksum: 'message_only',
    ...changes,
  };
}

/** The same from fe80::1 for fe80::100 and 2001:db8::100. */
export function ipv6Fields(changes: Partial<AdvertisementFields> = {}): AdvertisementFields {
  return ipv4Fields({
    addresses: ['fe80::100', '2001:db8::100'].map(anyIp),
    source: anyIp('fe80::1'),
    destination: anyIp('ff02::12'),
    ...changes,
  });
}

/** The VRRP message alone, without the IP header. */
export function messageOf(fields: AdvertisementFields, priority = 100): Uint8Array {
  const template = new AdvertisementTemplate(fields);
  return template.packet(priority).slice(template.messageStart, template.messageEnd);
}

/** What a router of 10.0.0.2/24 with VRID 10, 1 s and version 3 expects. */
export function expecting(changes: Partial<Expectations> = {}): Expectations {
  return {
    version: 3,
    interval: 1_000_000,
    transport: { kind: 'multicast', group: anyIp('224.0.0.18') },
    ownAddresses: new Set([anyIp('10.0.0.2')]),
    onLink: [{ address: anyIp('10.0.0.2'), prefixLength: 24 }],
    ...changes,
  };
}

/** The same over IPv6. */
export function expecting6(changes: Partial<Expectations> = {}): Expectations {
  return expecting({
    transport: { kind: 'multicast', group: anyIp('ff02::12') },
    ownAddresses: new Set([anyIp('fe80::2')]),
    onLink: [],
    ...changes,
  });
}

/** What the router with VRID 10 makes of a packet: why it is dropped, or "heard". */
export function verdict(packet: Uint8Array, expected: Expectations, family: Family = 4): DropReason | 'heard' {
  const reception = decodeAdvertisement(family, packet, new Map([[10, expected]]));
  return reception.ok ? 'heard' : reception.reason;
}

/** The advertisement in a packet that is to be heard. */
export function heardIn(packet: Uint8Array, expected: Expectations, family: Family = 4) {
  const reception = decodeAdvertisement(family, packet, new Map([[10, expected]]));
  if (!reception.ok) throw new Error(`dropped: ${reception.reason}`);
  return reception;
}

/** The Internet checksum (RFC 1071) of all that is given, worked out apart from agent/wire. */
export function internetChecksum(...parts: readonly Uint8Array[]): number {
  let sum = 0;
  for (const part of parts) {
    for (const [index, byte] of part.entries()) sum += index % 2 === 0 ? byte * 256 : byte;
  }
  while (sum > 0xffff) sum = (sum % 0x10000) + Math.floor(sum / 0x10000);
  return 0xffff - sum;
}

/** The message with its checksum field zero, as it is for computing. */
export function withoutChecksum(message: Uint8Array): Uint8Array {
  const copy = message.slice();
  copy.fill(0, 6, 8);
  return copy;
}

export function checksumIn(message: Uint8Array): number {
  return new DataView(message.buffer, message.byteOffset).getUint16(6);
}
