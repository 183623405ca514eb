/** Where a call comes from, as people write it. Pure. */

/**
 * @param peer As gRPC has it, ADDRESS:PORT without brackets; an IPv4 client of a port for both families as
 *   "::ffff:10.0.0.6:45716".
 * @returns "10.0.0.6:45716", "[fd00::2]:45716"
 */
export function peerAddress(peer: string): string {
  const [, address, port] = /^(?:::ffff:(?=[\d.]+:))?(.*):(\d+)$/u.exec(peer) ?? [];
  if (address === undefined || port === undefined) return peer;
  return address.includes(':') && !address.startsWith('[') ? `[${address}]:${port}` : `${address}:${port}`;
}
