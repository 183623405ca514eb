/** The key of auth_hmac as a Secret holds it: text, or "hex:" and hexadecimal digits (keepalived 2.4's notation). */

export const LEAST_KEY_BYTES = 32;
export const MOST_KEY_BYTES = 64;

/** Undefined if it is no hexadecimal text where it says so, or not of 32 to 64 bytes. */
export function hmacKeyOf(secret: string): Uint8Array | undefined {
  const bytes = secret.startsWith('hex:') ? hexBytes(secret.slice(4)) : new TextEncoder().encode(secret);
  return bytes !== undefined && bytes.length >= LEAST_KEY_BYTES && bytes.length <= MOST_KEY_BYTES ? bytes : undefined;
}

function hexBytes(digits: string): Uint8Array | undefined {
  if (digits.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(digits)) {
    return undefined;
  }
  return Uint8Array.from({ length: digits.length / 2 }, (_, index) =>
    Number.parseInt(digits.slice(2 * index, 2 * index + 2), 16),
  );
}
