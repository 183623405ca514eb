/**
 * Judges the trailers of advertisements for one virtual router (hmac-trailer.ts). Pure: clocks and MACs are passed in. Why
 * it judges as it does when clocks are set: docs/decisions/0019-hmac.md.
 */
import type { IpAddress } from '../../proto/rules/ip.js';
import type { Instant, Micros, Millis } from '../../proto/rules/time.js';
import type { ReplayGuard } from './hmac-signer.js';
import {
  HMAC_LENGTH,
  HMAC_OFFSET,
  HMAC_TRAILER_LENGTH,
  HMAC_TYPE,
  type Mac,
  microsBetween,
  type Stamp,
  signedBytes,
  stampOf,
  stampsBetween,
} from './hmac-trailer.js';

/** Why a trailer, or its absence, was refused; each is the name of a counter. */
export const HMAC_REFUSALS = [
  /** No trailer, and one is demanded. */
  'auth-missing',
  /** As long as a trailer, and not of its type. */
  'auth-malformed',
  'auth-unknown-key',
  /** The signature is wrong. */
  'auth-invalid',
  /** The sender's clock and ours are further apart than the window. */
  'auth-stale',
  /** Not later than what this sender has sent before. */
  'auth-replay',
] as const;

export type HmacRefusal = (typeof HMAC_REFUSALS)[number];

export interface HmacVerifierOptions {
  /** All keys that are accepted, by their ids. */
  readonly macs: ReadonlyMap<number, Mac>;
  readonly replayGuard: ReplayGuard;
  readonly timeWindow: Micros;
  /** Whether advertisements without a trailer are refused. */
  readonly isRequired: boolean;
  /** The router's own interval: one that is not heard for one and a half of it is silent. */
  readonly interval: Micros;
  readonly wallMs: () => Millis;
  /** Monotonic. */
  readonly now: () => Instant;
}

/** The last stamp that was accepted of a sender, and when that was. */
interface Mark {
  readonly stamp: Stamp;
  readonly at: Instant;
}

/** More than any group of routers; only who knows a key can take a place, the one heard longest ago makes room. */
const MOST_SENDERS = 32;

export class HmacVerifier {
  /** In the order in which they were last heard. */
  readonly #marks: Map<IpAddress, Mark>;

  /** @param previous whose memory of the senders this one takes over, so that new settings do not allow old packets */
  constructor(
    private readonly options: HmacVerifierOptions,
    previous?: HmacVerifier,
  ) {
    this.#marks = new Map(previous === undefined ? [] : previous.#marks);
  }

  /** Of an advertisement without trailer. */
  judgeUnsigned(): 'auth-missing' | undefined {
    return this.options.isRequired ? 'auth-missing' : undefined;
  }

  /**
   * Of an advertisement with a trailer: undefined if it is accepted, and then it is remembered. What costs little is
   * looked at first; the signature is compared in constant time.
   *
   * @param packet with IP header
   * @param start where the VRRP message begins
   * @param end where it ends and the trailer begins
   */
  judgeSigned(packet: Uint8Array, source: IpAddress, start: number, end: number): HmacRefusal | undefined {
    const trailer = packet.subarray(end, end + HMAC_TRAILER_LENGTH);
    if (trailer.length !== HMAC_TRAILER_LENGTH || trailer[HMAC_OFFSET.type] !== HMAC_TYPE) return 'auth-malformed';
    const mac = this.options.macs.get(trailer[HMAC_OFFSET.keyId] ?? 0);
    if (mac === undefined) return 'auth-unknown-key';
    const view = new DataView(trailer.buffer, trailer.byteOffset, trailer.length);
    const stamp = view.getBigUint64(HMAC_OFFSET.stamp);
    const at = this.options.now();
    const refusal = this.#judgeStamp(stamp, source, at);
    if (refusal !== undefined) return refusal;
    if (!isHmac(trailer, mac(signedBytes(packet, start, end, trailer)))) return 'auth-invalid';
    this.#remember(source, { stamp, at });
    return undefined;
  }

  #judgeStamp(stamp: Stamp, source: IpAddress, at: Instant): 'auth-stale' | 'auth-replay' | undefined {
    const { replayGuard, timeWindow, interval, wallMs } = this.options;
    const clock = stampOf(wallMs());
    const isFresh = Math.abs(microsBetween(stamp, clock)) <= timeWindow;
    const mark = this.#marks.get(source);
    if (mark === undefined) return isFresh || replayGuard === 'monotonic' ? undefined : 'auth-stale';

    const silence = at - mark.at;
    // Its clock (or ours, or both) was wrong and has been put right: what it sends now can never reach the mark.
    const isMarkAhead = microsBetween(mark.stamp, clock) > timeWindow && silence * 2 > interval * 3;
    if (isMarkAhead && isFresh) return undefined;
    if (replayGuard === 'time' && !isFresh) {
      // It goes on as it did, whatever our clock says: that one was set, not the sender's.
      const isContinuous = Math.abs(microsBetween(stamp, mark.stamp) - silence) <= timeWindow;
      if (!isContinuous) return 'auth-stale';
    }
    return stampsBetween(stamp, mark.stamp) > 0n ? undefined : 'auth-replay';
  }

  #remember(source: IpAddress, mark: Mark): void {
    this.#marks.delete(source);
    if (this.#marks.size >= MOST_SENDERS) {
      for (const oldest of this.#marks.keys()) {
        this.#marks.delete(oldest);
        break;
      }
    }
    this.#marks.set(source, mark);
  }
}

function isHmac(trailer: Uint8Array, hmac: Uint8Array): boolean {
  let difference = hmac.length < HMAC_LENGTH ? 1 : 0;
  for (let i = 0; i < HMAC_LENGTH; i++) difference |= (trailer[HMAC_OFFSET.hmac + i] ?? 0) ^ (hmac[i] ?? 0);
  return difference === 0;
}
