/** Address families and addresses as rtnetlink has them: in network order within messages of host order. */
import type { Family, IpAddress } from '../../proto/rules/ip.js';

export const AF_UNSPEC = 0;
export const AF_INET = 2;
export const AF_INET6 = 10;

export function familyNumber(family: Family): number {
  return family === 6 ? AF_INET6 : AF_INET;
}

/** Undefined for AF_UNSPEC and the families of others. */
export function familyOfNumber(number: number | undefined): Family | undefined {
  if (number === AF_INET) return 4;
  return number === AF_INET6 ? 6 : undefined;
}

/** An attribute's address of the AF_* family; undefined if it is missing, of another family or of another size. */
export function ipAddressOf(family: number | undefined, bytes: Uint8Array | undefined): IpAddress | undefined {
  if (family === AF_INET && bytes?.length === 4) return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0);
  if (family !== AF_INET6 || bytes?.length !== 16) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, 16);
  return (view.getBigUint64(0) << 64n) | view.getBigUint64(8);
}
