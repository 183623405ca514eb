/** Routers heard on one virtual router: one row per source address, a bounded number of them. */
import type { Instant, Micros } from '../../proto/rules/time.js';
import type { Ipv4 } from '../vrrp/index.js';

/** More than any real group of routers; beyond it the one heard longest ago makes room. */
const MAX_PEERS = 32;

export type ChecksumForm = 'message_only' | 'pseudo_header';

export interface Peer {
  readonly source: Ipv4;
  lastHeardAt: Instant;
  priority: number;
  interval: Micros;
  advertisements: number;
  /** Absent where the form cannot be told. */
  checksumForm: ChecksumForm | undefined;
}

export class PeerTable {
  readonly #peers = new Map<Ipv4, Peer>();

  get rows(): Iterable<Peer> {
    return this.#peers.values();
  }

  heard(source: Ipv4, priority: number, interval: Micros, form: ChecksumForm | undefined, at: Instant): void {
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
      });
      return;
    }
    peer.lastHeardAt = at;
    peer.priority = priority;
    peer.interval = interval;
    peer.advertisements += 1;
    peer.checksumForm = form;
  }

  #forgetOldest(): void {
    let oldest: Peer | undefined;
    for (const peer of this.#peers.values()) {
      if (oldest === undefined || peer.lastHeardAt < oldest.lastHeardAt) oldest = peer;
    }
    if (oldest !== undefined) this.#peers.delete(oldest.source);
  }
}
