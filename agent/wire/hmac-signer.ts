/** Signs one virtual router's advertisements (hmac-trailer.ts). Pure: clock and MAC are passed in. */
import type { Micros, Millis } from '../../proto/rules/time.js';
import {
  HMAC_LENGTH,
  HMAC_OFFSET,
  HMAC_TRAILER_LENGTH,
  HMAC_TYPE,
  type Mac,
  microsBetween,
  nextStamp,
  type Stamp,
  signedBytes,
  stampOf,
  stampsBetween,
} from './hmac-trailer.js';

/** How receivers know an old advertisement that somebody sends again. */
export type ReplayGuard = 'time' | 'monotonic';

export interface HmacSignerOptions {
  /** 1..255 */
  readonly keyId: number;
  readonly mac: Mac;
  readonly replayGuard: ReplayGuard;
  readonly timeWindow: Micros;
  /** Milliseconds since 1970, with or without fractions. */
  readonly wallMs: () => Millis;
}

export class HmacSigner {
  readonly #trailer = new Uint8Array(HMAC_TRAILER_LENGTH);
  readonly #view = new DataView(this.#trailer.buffer);
  #last: Stamp | undefined;

  /** @param previous whose stamps this one's go on from */
  constructor(
    private readonly options: HmacSignerOptions,
    previous?: HmacSigner,
  ) {
    this.#last = previous === undefined ? undefined : previous.#last;
    this.#trailer[HMAC_OFFSET.type] = HMAC_TYPE;
    this.#trailer[HMAC_OFFSET.keyId] = options.keyId;
  }

  /**
   * The trailer for a packet whose VRRP message is at [start, end). Its memory is good until the next call. Every call
   * takes a new stamp.
   */
  trailerOf(packet: Uint8Array, start: number, end: number): Uint8Array {
    this.#last = this.#nextStamp();
    this.#view.setBigUint64(HMAC_OFFSET.stamp, this.#last);
    const hmac = this.options.mac(signedBytes(packet, start, end, this.#trailer));
    this.#trailer.set(hmac.subarray(0, HMAC_LENGTH), HMAC_OFFSET.hmac);
    return this.#trailer;
  }

  /**
   * Stamps grow, also while the clock stands still or is set back. But for receivers that compare them with their own
   * clock, one that the clock was set back behind by more than the window is of no use any more: none of them takes it,
   * and none that has the right time took one like it. Then the clock is followed back; docs/decisions/0019-hmac.md.
   */
  #nextStamp(): Stamp {
    const clock = stampOf(this.options.wallMs());
    const last = this.#last;
    if (last === undefined || stampsBetween(clock, last) > 0n) return clock;
    if (this.options.replayGuard === 'time' && microsBetween(last, clock) > this.options.timeWindow) return clock;
    return nextStamp(last);
  }
}
