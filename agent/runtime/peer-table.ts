/**
 * Routers heard on one virtual router: one row per source address, a bounded number of them. Of each, how well its
 * advertisements come: how many of those that its interval promised did not, and how unevenly the others came.
 */
import type { IpAddress } from '../../proto/rules/ip.js';
import type { Instant, Micros } from '../../proto/rules/time.js';

/** More than any real group of routers; beyond it the one heard longest ago makes room. */
const MAX_PEERS = 32;
/** After a silence of so many intervals it is not active any more: others have taken over, and nothing was promised. */
const LONGEST_SILENCE = 4;
/** RFC 3550 section 6.4.1: the gain of the estimator is 1/16. */
const JITTER_GAIN = 16;

export type ChecksumForm = 'message_only' | 'pseudo_header';

export interface Peer {
  readonly source: IpAddress;
  lastHeardAt: Instant;
  priority: number;
  interval: Micros;
  advertisements: number;
  /** Absent where the form cannot be told. */
  checksumForm: ChecksumForm | undefined;
  lost: number;
  /** Smoothed; a fraction of a microsecond matters to the filter. */
  jitter: Micros;
  /** Whether the last one had a valid HMAC; undefined: none was expected. */
  isSigned: boolean | undefined;
}

export class PeerTable {
  readonly #peers = new Map<IpAddress, Peer>();

  get rows(): Iterable<Peer> {
    return this.#peers.values();
  }

  get(source: IpAddress): Peer | undefined {
    return this.#peers.get(source);
  }

  /** An advertisement was accepted. */
  heard(
    source: IpAddress,
    priority: number,
    interval: Micros,
    form: ChecksumForm | undefined,
    isSigned: boolean | undefined,
    at: Instant,
  ): void {
    const peer = this.#peers.get(source);
    if (peer === undefined) {
      if (this.#peers.size >= MAX_PEERS) this.#forgetOldest();
      this.#peers.set(source, {
        source,
        lastHeardAt: at,
        priority,
        interval,
        advertisements: 1,
        checksumForm: form,
        lost: 0,
        jitter: 0,
        isSigned,
      });
      return;
    }
    if (peer.priority !== 0) measure(peer, at - peer.lastHeardAt);
    peer.lastHeardAt = at;
    peer.priority = priority;
    peer.interval = interval;
    peer.advertisements += 1;
    peer.checksumForm = form;
    peer.isSigned = isSigned;
  }

  #forgetOldest(): void {
    let oldest: Peer | undefined;
    for (const peer of this.#peers.values()) {
      if (oldest === undefined || peer.lastHeardAt < oldest.lastHeardAt) oldest = peer;
    }
    if (oldest !== undefined) this.#peers.delete(oldest.source);
  }
}

/** `gap`: between two advertisements. The interval is what the earlier one said. */
function measure(peer: Peer, gap: Micros): void {
  const { interval } = peer;
  // Sooner than half of it: sent in answer to something, not by the interval.
  if (gap * 2 < interval || gap > LONGEST_SILENCE * interval) return;
  const promised = Math.round(gap / interval);
  if (promised > 1) peer.lost += promised - 1;
  peer.jitter += (Math.abs(gap - promised * interval) - peer.jitter) / JITTER_GAIN;
}
