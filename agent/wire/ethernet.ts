/** Ethernet frames (without VLAN tags: the kernel has taken them off). Pure. */

export const ETHERNET_ADDRESS_LENGTH = 6;
export const ETHERNET_HEADER_LENGTH = 14;
export const BROADCAST_ADDRESS: Uint8Array = Uint8Array.of(255, 255, 255, 255, 255, 255);

export const ETHERTYPE_IPV4 = 0x0800;
export const ETHERTYPE_ARP = 0x0806;
export const ETHERTYPE_IPV6 = 0x86dd;

/** Bytes from the start of the frame. */
export const ETHERNET_OFFSET = { destination: 0, source: 6, etherType: 12 } as const;

/** A zeroed frame with its header. Throws RangeError if `source` is not six bytes. */
export function newFrame(
  destination: Uint8Array,
  source: Uint8Array,
  etherType: number,
  payloadLength: number,
): Uint8Array<ArrayBuffer> {
  if (source.length !== ETHERNET_ADDRESS_LENGTH) {
    throw new RangeError(`a hardware address of Ethernet has 6 bytes, not ${source.length}`);
  }
  const frame = new Uint8Array(ETHERNET_HEADER_LENGTH + payloadLength);
  frame.set(destination, ETHERNET_OFFSET.destination);
  frame.set(source, ETHERNET_OFFSET.source);
  new DataView(frame.buffer).setUint16(ETHERNET_OFFSET.etherType, etherType);
  return frame;
}

export function isSameHardwareAddress(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

const HEXADECIMAL = Array.from({ length: 256 }, (_none, byte) => byte.toString(16).padStart(2, '0'));

/** As aa:bb:cc:dd:ee:ff. */
export function hardwareAddressText(address: Uint8Array): string {
  let text = '';
  for (const byte of address) text += `${text === '' ? '' : ':'}${HEXADECIMAL[byte]}`;
  return text;
}
