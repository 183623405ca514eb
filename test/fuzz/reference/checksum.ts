/** RFC 1071 as it is written: words are added, carries are added to the low end, the complement is taken. */
export function internetChecksum(...parts: readonly Uint8Array[]): number {
  const bytes = parts.flatMap((part) => [...part]);
  if (bytes.length % 2 === 1) bytes.push(0);
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) {
    sum += (bytes[at] ?? 0) * 256 + (bytes[at + 1] ?? 0);
    if (sum >= 65_536) sum -= 65_535;
  }
  return 65_535 - sum;
}

/** Whether parts that hold their own checksum add up. */
export function addsUp(...parts: readonly Uint8Array[]): boolean {
  return internetChecksum(...parts) === 0;
}

/** RFC 8200 section 8.1, and RFC 768's for IPv4 where the addresses are 8 bytes. */
export function pseudoHeader(addresses: Uint8Array, protocol: number, length: number): Uint8Array {
  const isIpv6 = addresses.length === 32;
  const rest = isIpv6
    ? [length >>> 24, (length >>> 16) & 255, (length >>> 8) & 255, length & 255, 0, 0, 0, protocol]
    : [0, protocol, length >>> 8, length & 255];
  return Uint8Array.from([...addresses, ...rest]);
}
