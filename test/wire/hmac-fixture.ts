/** Signer and verifier with the captured key, and clocks that a test can set. */
import { createHmac } from 'node:crypto';
import { HmacSigner, type ReplayGuard } from '../../agent/wire/hmac-signer.js';
import type { Mac } from '../../agent/wire/hmac-trailer.js';
import { HmacVerifier } from '../../agent/wire/hmac-verifier.js';
import { HMAC_KEY, HMAC_KEY_ID, HMAC_SENT_MS } from './captured.js';

/** All clocks in milliseconds; each side has its own. */
export interface Clocks {
  senderWallMs: number;
  receiverWallMs: number;
  receiverNowMs: number;
}

export interface HmacFixture {
  readonly clocks: Clocks;
  readonly signer: HmacSigner;
  readonly verifier: HmacVerifier;
}

export const macOf =
  (key: Uint8Array): Mac =>
  (bytes) =>
    createHmac('sha256', key).update(bytes).digest();

/** The captured packets' second, a window of 5 s and an interval of 1 s, unless told otherwise. */
export function hmacOf(options: {
  readonly guard?: ReplayGuard;
  readonly isRequired?: boolean;
  readonly keys?: ReadonlyMap<number, Mac>;
  readonly clocks?: Clocks;
}): HmacFixture {
  const clocks = options.clocks ?? { senderWallMs: HMAC_SENT_MS, receiverWallMs: HMAC_SENT_MS, receiverNowMs: 0 };
  const mac = macOf(HMAC_KEY);
  const shared = { replayGuard: options.guard ?? 'time', timeWindow: 5_000_000 } as const;
  return {
    clocks,
    signer: new HmacSigner({ ...shared, keyId: HMAC_KEY_ID, mac, wallMs: () => clocks.senderWallMs }),
    verifier: new HmacVerifier({
      ...shared,
      macs: options.keys ?? new Map([[HMAC_KEY_ID, mac]]),
      isRequired: options.isRequired ?? true,
      interval: 1_000_000,
      wallMs: () => clocks.receiverWallMs,
      now: () => clocks.receiverNowMs * 1000,
    }),
  };
}
