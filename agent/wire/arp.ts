/**
 * ARP over Ethernet (RFC 826): the gratuitous request that announces an address, the probe that asks for other holders
 * of it, and reading of others' frames. Pure.
 */
import type { Ipv4 } from '../vrrp/virtual-router.js';
import {
  BROADCAST_ADDRESS,
  ETHERNET_ADDRESS_LENGTH,
  ETHERNET_HEADER_LENGTH,
  ETHERNET_OFFSET,
  ETHERTYPE_ARP,
  ETHERTYPE_IPV4,
  newFrame,
} from './ethernet.js';

const ARP_LENGTH = 28;
const HARDWARE_ETHERNET = 1;
const REQUEST = 1;
const REPLY = 2;
const UNSPECIFIED: Ipv4 = 0;
const NO_HARDWARE_ADDRESS = new Uint8Array(ETHERNET_ADDRESS_LENGTH);

/** Bytes from the start of the ARP message. */
const OFFSET = { operation: 6, senderHardware: 8, senderAddress: 14, targetHardware: 18, targetAddress: 24 } as const;

export interface ArpMessage {
  readonly operation: 'request' | 'reply';
  readonly senderHardware: Uint8Array;
  readonly senderAddress: Ipv4;
  readonly targetHardware: Uint8Array;
  readonly targetAddress: Ipv4;
}

/**
 * A whole Ethernet frame, 42 bytes: broadcast ARP request whose sender and target are both `address` (RFC 5227
 * section 3; RFC 9568 section 6.4.2). The target's hardware address is the broadcast one, as keepalived has it.
 * Throws RangeError if the hardware address is not six bytes.
 */
export function encodeGratuitousArp(hardwareAddress: Uint8Array, address: Ipv4): Uint8Array {
  return encodeRequest(hardwareAddress, address, BROADCAST_ADDRESS, address);
}

/**
 * A whole Ethernet frame: broadcast ARP request for `address` from nobody (RFC 5227 section 2.1.1), so that no cache
 * learns from it. Throws RangeError if the hardware address is not six bytes.
 */
export function encodeArpProbe(hardwareAddress: Uint8Array, address: Ipv4): Uint8Array {
  return encodeRequest(hardwareAddress, UNSPECIFIED, NO_HARDWARE_ADDRESS, address);
}

function encodeRequest(
  hardwareAddress: Uint8Array,
  sender: Ipv4,
  targetHardware: Uint8Array,
  target: Ipv4,
): Uint8Array {
  const frame = newFrame(BROADCAST_ADDRESS, hardwareAddress, ETHERTYPE_ARP, ARP_LENGTH);
  const arp = new DataView(frame.buffer, ETHERNET_HEADER_LENGTH);
  arp.setUint16(0, HARDWARE_ETHERNET);
  arp.setUint16(2, ETHERTYPE_IPV4);
  arp.setUint8(4, ETHERNET_ADDRESS_LENGTH);
  arp.setUint8(5, 4);
  arp.setUint16(OFFSET.operation, REQUEST);
  frame.set(hardwareAddress, ETHERNET_HEADER_LENGTH + OFFSET.senderHardware);
  arp.setUint32(OFFSET.senderAddress, sender);
  frame.set(targetHardware, ETHERNET_HEADER_LENGTH + OFFSET.targetHardware);
  arp.setUint32(OFFSET.targetAddress, target);
  return frame;
}

/** Reads a whole Ethernet frame; undefined unless it is an ARP request or reply for IPv4 over Ethernet. */
export function decodeArp(frame: Uint8Array): ArpMessage | undefined {
  if (frame.length < ETHERNET_HEADER_LENGTH + ARP_LENGTH) return undefined;
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  if (view.getUint16(ETHERNET_OFFSET.etherType) !== ETHERTYPE_ARP) return undefined;
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
