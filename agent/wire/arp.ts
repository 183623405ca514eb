/**
 * ARP over Ethernet (RFC 826): the gratuitous request that announces an address, and reading of others' frames. Pure.
 */
import type { Ipv4 } from '../vrrp/virtual-router.js';

export const ETHERTYPE_ARP = 0x0806;
export const ETHERNET_ADDRESS_LENGTH = 6;
export const BROADCAST_ADDRESS: Uint8Array = Uint8Array.of(255, 255, 255, 255, 255, 255);

const ETHERNET_HEADER_LENGTH = 14;
const ARP_LENGTH = 28;
const HARDWARE_ETHERNET = 1;
const ETHERTYPE_IPV4 = 0x0800;
const REQUEST = 1;
const REPLY = 2;

/** Bytes from the start of the ARP message. */
const OFFSET = { operation: 6, senderHardware: 8, senderAddress: 14, targetHardware: 18, targetAddress: 24 } as const;

interface ArpMessage {
  readonly operation: 'request' | 'reply';
  readonly senderHardware: Uint8Array;
  readonly senderAddress: Ipv4;
  readonly targetHardware: Uint8Array;
  readonly targetAddress: Ipv4;
}

/**
 * A whole Ethernet frame, 42 bytes: broadcast ARP request whose sender and target are both `address` (RFC 5227
 * section 3; RFC 9568 section 6.4.2). The target's hardware address is the broadcast one, as keepalived has it.
 */
export function encodeGratuitousArp(hardwareAddress: Uint8Array, address: Ipv4): Uint8Array {
  if (hardwareAddress.length !== ETHERNET_ADDRESS_LENGTH) {
    throw new RangeError(`a hardware address of Ethernet has 6 bytes, not ${hardwareAddress.length}`);
  }
  const bytes = new Uint8Array(ETHERNET_HEADER_LENGTH + ARP_LENGTH);
  bytes.set(BROADCAST_ADDRESS, 0);
  bytes.set(hardwareAddress, ETHERNET_ADDRESS_LENGTH);
  const frame = new DataView(bytes.buffer);
  frame.setUint16(12, ETHERTYPE_ARP);

  const arp = new DataView(bytes.buffer, ETHERNET_HEADER_LENGTH);
  arp.setUint16(0, HARDWARE_ETHERNET);
  arp.setUint16(2, ETHERTYPE_IPV4);
  arp.setUint8(4, ETHERNET_ADDRESS_LENGTH);
  arp.setUint8(5, 4);
  arp.setUint16(OFFSET.operation, REQUEST);
  bytes.set(hardwareAddress, ETHERNET_HEADER_LENGTH + OFFSET.senderHardware);
  arp.setUint32(OFFSET.senderAddress, address);
  bytes.set(BROADCAST_ADDRESS, ETHERNET_HEADER_LENGTH + OFFSET.targetHardware);
  arp.setUint32(OFFSET.targetAddress, address);
  return bytes;
}

/** Reads a whole Ethernet frame; undefined unless it is an ARP request or reply for IPv4 over Ethernet. */
export function decodeArp(frame: Uint8Array): ArpMessage | undefined {
  if (frame.length < ETHERNET_HEADER_LENGTH + ARP_LENGTH) return undefined;
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  if (view.getUint16(12) !== ETHERTYPE_ARP) return undefined;
  const start = ETHERNET_HEADER_LENGTH;
  if (view.getUint16(start) !== HARDWARE_ETHERNET || view.getUint16(start + 2) !== ETHERTYPE_IPV4) return undefined;
  if (view.getUint8(start + 4) !== ETHERNET_ADDRESS_LENGTH || view.getUint8(start + 5) !== 4) return undefined;
  const operation = view.getUint16(start + OFFSET.operation);
  if (operation !== REQUEST && operation !== REPLY) return undefined;
  const hardware = (at: number) => frame.slice(start + at, start + at + ETHERNET_ADDRESS_LENGTH);
  return {
    operation: operation === REQUEST ? 'request' : 'reply',
    senderHardware: hardware(OFFSET.senderHardware),
    senderAddress: view.getUint32(start + OFFSET.senderAddress),
    targetHardware: hardware(OFFSET.targetHardware),
    targetAddress: view.getUint32(start + OFFSET.targetAddress),
  };
}

/** Whether the message tells everybody where an address is, instead of asking or answering. */
export function isAnnouncement(message: ArpMessage): boolean {
  return message.senderAddress === message.targetAddress;
}
