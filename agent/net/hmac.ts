/** Signing and verifying of one virtual router's advertisements, with HMAC-SHA256 (RFC 2104) by Node's crypto. */
import { createHmac, createSecretKey } from 'node:crypto';
import type { Instant, Micros, Millis } from '../../proto/rules/time.js';
import { HmacSigner, type ReplayGuard } from '../wire/hmac-signer.js';
import type { Mac } from '../wire/hmac-trailer.js';
import { HmacVerifier } from '../wire/hmac-verifier.js';

export interface HmacOptions {
  readonly keys: readonly { readonly id: number; readonly key: Uint8Array }[];
  /** Id of the key that signs. */
  readonly activeKey: number;
  readonly replayGuard: ReplayGuard;
  readonly timeWindow: Micros;
  readonly mode: 'enforce' | 'permissive' | 'receive-only';
}

/** What the agent's clock offers. */
interface Clocks {
  now(): Instant;
  wallMs(): Millis;
}

export interface Hmac {
  /** Absent: advertisements are sent unsigned. */
  readonly signer?: HmacSigner;
  readonly verifier: HmacVerifier;
}

/**
 * Throws RangeError if the active key is not among the keys: whoever made the settings has checked them.
 *
 * @param interval of the router's advertisements
 * @param previous of the same router with other settings: its stamps and its memory of senders go on
 */
export function makeHmac(options: HmacOptions, interval: Micros, clocks: Clocks, previous?: Hmac): Hmac {
  const { replayGuard, timeWindow, activeKey, mode } = options;
  const macs = new Map(options.keys.map(({ id, key }) => [id, macOf(key)]));
  const wallMs = () => clocks.wallMs();
  const now = () => clocks.now();
  const isRequired = mode === 'enforce';
  const verifier = new HmacVerifier(
    { macs, replayGuard, timeWindow, isRequired, interval, wallMs, now },
    previous?.verifier,
  );
  const mac = macs.get(activeKey);
  if (mac === undefined) throw new RangeError(`there is no HMAC key ${activeKey}, which is to sign`);
  if (mode === 'receive-only') return { verifier };
  return {
    verifier,
    signer: new HmacSigner({ keyId: activeKey, mac, replayGuard, timeWindow, wallMs }, previous?.signer),
  };
}

/** The key is copied. */
function macOf(key: Uint8Array): Mac {
  const secret = createSecretKey(key);
  return (bytes) => createHmac('sha256', secret).update(bytes).digest();
}
