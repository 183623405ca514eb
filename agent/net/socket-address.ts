/** Socket addresses as the kernel has them: struct sockaddr_in, sockaddr_in6, sockaddr_ll. */
import { AF_INET, AF_INET6, AF_PACKET, intOption } from './libc.js';

/** struct sockaddr_ll with room for an address of 8 bytes (packet(7)). */
export const SOCKADDR_LL_LENGTH = 20;
export const SOCKADDR_IN_LENGTH = 16;
export const SOCKADDR_IN6_LENGTH = 28;

/** Where the address begins in sockaddr_in and sockaddr_in6. */
export const IN_ADDRESS_AT = 4;
export const IN6_ADDRESS_AT = 8;
const IN6_SCOPE_AT = 24;

/** Of a packet socket: one protocol on one interface. */
export function linkAddress(interfaceIndex: number, etherType: number): Uint8Array {
  const address = familyAddress(AF_PACKET, SOCKADDR_LL_LENGTH);
  new DataView(address.buffer).setUint16(2, etherType);
  address.set(intOption(interfaceIndex), 4);
  return address;
}

/** The address is to be filled in. */
export function ipv4SocketAddress(): Uint8Array<ArrayBuffer> {
  return familyAddress(AF_INET, SOCKADDR_IN_LENGTH);
}

/** The address is to be filled in; `interfaceIndex` is where it is, should it be link-local or multicast. */
export function ipv6SocketAddress(interfaceIndex: number): Uint8Array<ArrayBuffer> {
  const address = familyAddress(AF_INET6, SOCKADDR_IN6_LENGTH);
  address.set(intOption(interfaceIndex), IN6_SCOPE_AT);
  return address;
}

function familyAddress(family: number, length: number): Uint8Array<ArrayBuffer> {
  const address = new Uint8Array(length);
  address.set(intOption(family).subarray(0, 2), 0);
  return address;
}
