/** HMAC-SHA256 (RFC 2104) by Node's crypto, for the pure signer and verifier of agent/wire. */
import { createHmac, createSecretKey } from 'node:crypto';
import type { Mac } from '../wire/hmac-trailer.js';

/** Keyed functions by key id. The keys are copied. */
export function hmacKeys(keys: readonly { readonly id: number; readonly key: Uint8Array }[]): ReadonlyMap<number, Mac> {
  return new Map(
    keys.map(({ id, key }) => {
      const secret = createSecretKey(key);
      return [id, (bytes: Uint8Array) => createHmac('sha256', secret).update(bytes).digest()];
    }),
  );
}
